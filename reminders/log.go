package reminders

import (
	"context"
	"log/slog"
)

// LogSender writes that a reminder would have left, for a study without a push
// service. It tells neither the target nor the text.
type LogSender struct{ Log *slog.Logger }

// Send writes a line.
func (s LogSender) Send(_ context.Context, m Message) Outcome {
	s.Log.Info("reminder", "delivery", m.Delivery, "kind", string(m.Target.Kind), "expires_at", m.ExpiresAt)
	return Outcome{Status: Accepted, Reason: "logged"}
}

// LogOnly are the senders of a study without a push service.
func LogOnly(log *slog.Logger) map[TargetKind]Sender {
	s := LogSender{Log: log}
	return map[TargetKind]Sender{FCMToken: s, FCMInstallation: s, WebPush: s}
}

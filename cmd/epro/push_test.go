package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"epro/reminders"
	"epro/reminders/fcm/fcmtest"
	"epro/study"
)

var pushSecret = []byte("a secret for tests, of 32 bytes.")

func openPush(t *testing.T, p push, publicURL string) (ways, string, error) {
	t.Helper()
	var log bytes.Buffer
	w, err := p.open(t.Context(), pushSecret, publicURL, slog.New(slog.NewJSONHandler(&log, nil)))
	return w, log.String(), err
}

func TestWithoutSettingsThereIsNoWayToRemind(t *testing.T) {
	w, _, err := openPush(t, push{}, "http://127.0.0.1:8080")
	if err != nil || len(w.senders) != 0 || w.key != "" {
		t.Errorf("got %v, %v", w, err)
	}
}

func TestASecureAddressIsEnoughForWebPush(t *testing.T) {
	w, _, err := openPush(t, push{}, "https://study.example")
	if err != nil || w.senders[reminders.WebPush] == nil || w.senders[reminders.FCMToken] != nil || len(w.key) != 87 {
		t.Errorf("got %v, %v", w, err)
	}
	again, _, err := openPush(t, push{contact: "mailto:push@study.example", hosts: "push.example, .other.example"}, "")
	if err != nil || again.key != w.key {
		t.Errorf("another key after a restart: %v", err)
	}
}

func TestFirebaseIsAskedAtTheStart(t *testing.T) {
	server := fcmtest.New(t)
	p := push{credentials: server.CredentialsFile(t), endpoint: server.Endpoint()}
	w, log, err := openPush(t, p, "https://study.example")
	if err != nil || w.senders[reminders.FCMToken] == nil || w.senders[reminders.FCMInstallation] == nil || server.DryRuns() != 1 {
		t.Fatalf("got %v, %v", w, err)
	}
	if !strings.Contains(log, `"kinds":["fcm_installation","fcm_token","web_push"]`) {
		t.Errorf("the log says %s", log)
	}
	server.ScriptAll(fcmtest.Unavailable)
	if w, log, err = openPush(t, p, ""); err != nil || w.senders[reminders.FCMToken] == nil || !strings.Contains(log, "could not be asked") {
		t.Errorf("an outage: %v, %s", err, log)
	}
	server.ScriptAll(fcmtest.Forbidden)
	if _, _, err = openPush(t, p, ""); study.CodeOf(err) != study.Invalid || !strings.Contains(err.Error(), "Cloud Messaging API Admin") {
		t.Errorf("no right: %v", err)
	}
	if _, _, err = openPush(t, push{credentials: filepath.Join(t.TempDir(), "absent")}, ""); err == nil || !strings.Contains(err.Error(), "are not there") {
		t.Errorf("no file: %v", err)
	}
}

func TestServeStopsAtOnceWithWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "firebase.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  []string
		args []string
		says string
	}{
		"credentials":     {nil, []string{"-firebase-credentials", file}, "not a whole service account"},
		"emulator":        {[]string{"FIREBASE_AUTH_EMULATOR_HOST=127.0.0.1:9099"}, nil, "FIREBASE_AUTH_EMULATOR_HOST"},
		"sign-in":         {nil, []string{"-firebase-sign-in"}, "-firebase-project"},
		"web push's key":  {nil, []string{"-web-push-contact", "mailto:a@b.example", "-web-push-key", file}, "P-256"},
		"web push's name": {nil, []string{"-web-push-contact", "push@study.example"}, "mailto:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "-addr", "127.0.0.1:0", "-store", "sqlite:" + filepath.Join(t.TempDir(), "epro.db")}, c.args...)
			p := launch(t, c.env, args...)
			if code := p.wait(t); code != exitFailed || !strings.Contains(p.stderr.String(), c.says) {
				t.Errorf("exit %d: %s", code, p.stderr)
			}
		})
	}
}

func TestAServerAsksFirebaseBeforeItServes(t *testing.T) {
	server := fcmtest.New(t)
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", "sqlite:"+filepath.Join(t.TempDir(), "epro.db"),
		"-firebase-credentials", server.CredentialsFile(t), "-firebase-endpoint", server.Endpoint(), "-web-push-contact", "mailto:push@study.example")
	p.serving(t)
	if server.DryRuns() != 1 || len(server.Accepted()) != 0 {
		t.Errorf("%d dry runs, %d messages", server.DryRuns(), len(server.Accepted()))
	}
}

package fcm_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
)

const (
	device   = reminders.OneDevice
	platform = reminders.OnePlatform
	project  = reminders.WholeProject
)

// Every way in which a message can end: what happens to the target, the
// message and the circuit. Each case makes exactly one request.
func TestEachAnswerHasItsConsequence(t *testing.T) {
	type outcome = reminders.Outcome
	cases := map[string]struct {
		answer    fcmtest.Answer
		want      outcome
		delivered int
	}{
		"taken":         {fcmtest.Accept, outcome{Status: "accepted", Reason: "accepted", Scope: device, Burns: true}, 1},
		"unregistered":  {fcmtest.Unregistered, outcome{Status: "rejected_target", Reason: "unregistered", Target: "delete", Scope: device, Burns: true}, 0},
		"wrong sender":  {fcmtest.SenderMismatch, outcome{Status: "rejected_target", Reason: "sender_mismatch", Target: "disable", Scope: device, Burns: true, Alarm: true}, 0},
		"bad token":     {fcmtest.InvalidToken, outcome{Status: "rejected_target", Reason: "invalid_token", Target: "disable", Scope: device, Burns: true}, 0},
		"bad argument":  {fcmtest.InvalidArgument, outcome{Status: "rejected_payload", Reason: "invalid_argument", Scope: device, Burns: true, Alarm: true}, 0},
		"schema":        {fcmtest.SchemaError, outcome{Status: "rejected_payload", Reason: "schema_refused", Scope: project, Burns: true, Alarm: true, Pause: 15 * time.Minute}, 0},
		"413":           {fcmtest.Answer{Status: 413, Body: "{}"}, outcome{Status: "rejected_payload", Reason: "too_large", Scope: device, Burns: true, Alarm: true}, 0},
		"wrong project": {fcmtest.WrongProject, outcome{Status: "retry", Reason: "wrong_project", Scope: project, Alarm: true, Pause: 15 * time.Minute}, 0},
		"no right":      {fcmtest.Forbidden, outcome{Status: "retry", Reason: "forbidden", Scope: project, Alarm: true, Pause: 15 * time.Minute}, 0},
		"APNs key":      {fcmtest.PlatformCredentials, outcome{Status: "retry", Reason: "platform_credentials", Scope: platform, Alarm: true, Pause: 30 * time.Minute}, 0},
		"401":           {fcmtest.Unauthenticated, outcome{Status: "retry", Reason: "access_refused", Scope: project, Alarm: true, Pause: time.Minute}, 0},

		"device quota":                 {fcmtest.DeviceQuota, outcome{Status: "retry", Reason: "device_quota", Scope: device, Burns: true, Wait: time.Minute}, 0},
		"device quota, Retry-After":    {fcmtest.DeviceQuota.With("90"), outcome{Status: "retry", Reason: "device_quota", Scope: device, Burns: true, Wait: 90 * time.Second}, 0},
		"device quota, short":          {fcmtest.DeviceQuota.With("5"), outcome{Status: "retry", Reason: "device_quota", Scope: device, Burns: true, Wait: time.Minute}, 0},
		"device quota, huge":           {fcmtest.DeviceQuota.With("999999999"), outcome{Status: "retry", Reason: "device_quota", Scope: device, Burns: true, Wait: time.Hour}, 0},
		"device quota, negative":       {fcmtest.DeviceQuota.With("-9"), outcome{Status: "retry", Reason: "device_quota", Scope: device, Burns: true, Wait: time.Minute}, 0},
		"project quota":                {fcmtest.ProjectQuota, outcome{Status: "retry", Reason: "project_quota", Scope: project, Pause: time.Minute}, 0},
		"project quota, Retry-After":   {fcmtest.ProjectQuota.With("120"), outcome{Status: "retry", Reason: "project_quota", Scope: project, Pause: 2 * time.Minute}, 0},
		"500":                          {fcmtest.Internal, outcome{Status: "retry", Reason: "internal", Scope: device, Burns: true, Wait: 10 * time.Second}, 0},
		"503":                          {fcmtest.Unavailable, outcome{Status: "retry", Reason: "unavailable", Scope: project, Burns: true, Wait: 10 * time.Second}, 0},
		"503, Retry-After":             {fcmtest.Unavailable.With("121"), outcome{Status: "retry", Reason: "unavailable", Scope: project, Burns: true, Wait: 121 * time.Second}, 0},
		"502 page":                     {fcmtest.BadGateway, outcome{Status: "retry", Reason: "unavailable", Scope: project, Burns: true, Wait: 10 * time.Second}, 0},
		"504 page":                     {fcmtest.GatewayTimeout, outcome{Status: "retry", Reason: "unavailable", Scope: project, Burns: true, Wait: 10 * time.Second}, 0},
		"200 page":                     {fcmtest.SignInPage, outcome{Status: "unknown", Reason: "unreadable_answer", Scope: device, Burns: true, Wait: time.Minute}, 0},
		"302":                          {fcmtest.Answer{Status: 302}, outcome{Status: "retry", Reason: "unexpected_answer", Scope: project, Alarm: true, Pause: 15 * time.Minute}, 0},
		"405":                          {fcmtest.Answer{Status: 405}, outcome{Status: "retry", Reason: "unexpected_answer", Scope: project, Alarm: true, Pause: 15 * time.Minute}, 0},
		"404 page":                     {fcmtest.Answer{Status: 404, Body: "<html>"}, outcome{Status: "retry", Reason: "wrong_project", Scope: project, Alarm: true, Pause: 15 * time.Minute}, 0},
		"400 that says UNREGISTERED":   {fcmtest.Answer{Status: 400, Body: fcmtest.Unregistered.Body}, outcome{Status: "rejected_payload", Reason: "schema_refused", Scope: project, Burns: true, Alarm: true, Pause: 15 * time.Minute}, 0},
		"cut":                          {fcmtest.Cut, outcome{Status: "unknown", Reason: "answer_lost", Scope: device, Burns: true, Wait: time.Minute}, 0},
		"taken, then cut":              {fcmtest.TakenThenCut, outcome{Status: "unknown", Reason: "answer_lost", Scope: device, Burns: true, Wait: time.Minute}, 1},
		"taken, then 503":              {fcmtest.Answer{Status: 503, Body: "{}", Taken: true}, outcome{Status: "retry", Reason: "unavailable", Scope: project, Burns: true, Wait: 10 * time.Second}, 1},
		"200 without a message's name": {fcmtest.Answer{Status: 200, Body: "{}"}, outcome{Status: "unknown", Reason: "unreadable_answer", Scope: device, Burns: true, Wait: time.Minute}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got := w.send(t, c.answer, fcmtest.Accept) // a second request would be taken, and seen
			if (got.Err == nil) != (c.want.Status == reminders.Accepted) {
				t.Errorf("error %v with %s", got.Err, got.Status)
			}
			if got.Err != nil && strings.Contains(got.Err.Error(), token) {
				t.Errorf("the error shows the token: %v", got.Err)
			}
			got.Err = nil
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if n := len(w.fcm.Requests()); n != 1 {
				t.Errorf("%d requests, want one", n)
			}
			if n := len(w.fcm.Accepted()); n != c.delivered {
				t.Errorf("%d messages delivered, want %d", n, c.delivered)
			}
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	w := newWorld(t)
	at := w.now().Add(5 * time.Minute).UTC().Format(http.TimeFormat)
	if got := w.send(t, fcmtest.DeviceQuota.With(at)).Wait; got < 4*time.Minute || got > 5*time.Minute {
		t.Errorf("waits %s for a date in five minutes", got)
	}
}

// An unclear refusal speaks of the token only when the same message was just
// taken for another device; the second in a row may be everybody's.
func TestAnUnclearRefusalBlamesTheTokenOnlyAfterAnotherWasTaken(t *testing.T) {
	w := newWorld(t)
	if got := w.send(t, fcmtest.InvalidArgument); got.Status != reminders.RejectedPayload || got.Target != reminders.Keep {
		t.Errorf("nothing was taken yet, got %+v", got)
	}
	w.Send(t.Context(), messageTo("another", w.now()))
	if got := w.send(t); got.Status != reminders.RejectedTarget || got.Target != reminders.Disable {
		t.Errorf("another was taken, got %+v", got)
	}
	if got := w.send(t); got.Status != reminders.RejectedPayload || got.Target != reminders.Keep {
		t.Errorf("two refusals in a row, got %+v", got)
	}
}

func TestAWrongProjectRemovesNoDevice(t *testing.T) {
	w := newWorld(t, func(o *fcm.Options) { o.Project = "epro-other" })
	for _, device := range []string{"one", "two", "three"} {
		got := w.Send(t.Context(), messageTo(device, w.now()))
		if got.Target != reminders.Keep || got.Status != reminders.Retry || got.Scope != project || got.Pause == 0 || !got.Alarm {
			t.Errorf("%s: got %+v", device, got)
		}
	}
}

func TestAHangEndsWithTheTimeoutAndIsUnknown(t *testing.T) {
	w := newWorld(t, func(o *fcm.Options) { o.Timeout = 150 * time.Millisecond })
	got := w.send(t, fcmtest.Hang)
	if got.Status != reminders.Unknown || got.Reason != "answer_lost" || !got.Burns {
		t.Errorf("got %+v", got)
	}
	if n := len(w.fcm.AcceptedFor(token)); n != 1 {
		t.Errorf("%d delivered", n)
	}
}

func TestNothingListeningIsNotSent(t *testing.T) {
	w := newWorld(t)
	w.send(t) // the token is there; now its owner's address goes nowhere
	closed := worldOn(t, w.fcm, func(o *fcm.Options) { o.Endpoint = "http://127.0.0.1:1/v1" })
	got := closed.Send(t.Context(), messageTo(token, closed.now()))
	if got.Status != reminders.Retry || got.Reason != "unreachable" || got.Burns || got.Wait != 10*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestAStopBeforeSendingHandsTheMessageBack(t *testing.T) {
	w := newWorld(t)
	w.fcm.ScriptOAuth(fcmtest.Answer{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for w.fcm.TokenCalls() == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	got := w.Send(ctx, messageTo(token, w.now()))
	if got.Status != reminders.Retry || got.Reason != "stopped" || got.Burns || got.Pause != 0 || got.Wait != 0 {
		t.Errorf("got %+v", got)
	}
	if n := len(w.fcm.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestADeadlineBeforeSendingIsTriedAgain(t *testing.T) {
	w := newWorld(t, func(o *fcm.Options) { o.Timeout = 100 * time.Millisecond })
	w.fcm.ScriptOAuth(fcmtest.Answer{Hang: true})
	got := w.Send(t.Context(), messageTo(token, w.now()))
	if got.Status != reminders.Retry || got.Reason != "not_sent" || got.Burns || got.Scope != project || got.Pause != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatCannotBeSentIsNotTried(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*reminders.Message)
		status reminders.Status
		reason string
	}{
		"a browser's subscription": {func(m *reminders.Message) { m.Target.Kind = reminders.WebPush }, reminders.RejectedTarget, "unknown_target_kind"},
		"an empty token":           {func(m *reminders.Message) { m.Target.Value = "" }, reminders.RejectedPayload, "invalid_message"},
		"4,096 bytes of text":      {func(m *reminders.Message) { m.Body = strings.Repeat("a", 4096) }, reminders.RejectedPayload, "too_large"},
		"one that is over":         {func(m *reminders.Message) { m.ExpiresAt = w.now() }, reminders.RejectedPayload, "expired"},
	} {
		m := messageTo(token, w.now())
		c.change(&m)
		if got := w.Send(t.Context(), m); got.Status != c.status || got.Reason != c.reason || got.Target != reminders.Keep {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if n := len(w.fcm.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAnInstallationIDGoesAsAToken(t *testing.T) {
	w := newWorld(t)
	m := messageTo("fid-0123456789", w.now())
	m.Target.Kind = reminders.FCMInstallation
	if got := w.Send(t.Context(), m); got.Status != reminders.Accepted || len(w.fcm.AcceptedFor("fid-0123456789")) != 1 {
		t.Errorf("got %+v", got)
	}
}

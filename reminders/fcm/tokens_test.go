package fcm_test

import (
	"sync"
	"testing"
	"time"

	"epro/reminders"
	"epro/reminders/fcm/fcmtest"
)

// sendMany sends n messages at once.
func (w *world) sendMany(t *testing.T, n int) []reminders.Outcome {
	t.Helper()
	out := make([]reminders.Outcome, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i] = w.Send(t.Context(), messageTo(token, w.now())) })
	}
	all.Wait()
	return out
}

func TestOneAccessTokenServesManyMessages(t *testing.T) {
	w := newWorld(t)
	for _, o := range w.sendMany(t, 64) {
		if o.Status != reminders.Accepted {
			t.Fatalf("got %+v", o)
		}
	}
	if n := w.fcm.TokenCalls(); n != 1 {
		t.Errorf("%d calls for a token, want 1", n)
	}
}

func TestAnAccessTokenIsRenewedBeforeItEnds(t *testing.T) {
	w := newWorld(t)
	w.send(t)
	for _, step := range []struct {
		pass  time.Duration
		calls int
	}{{58 * time.Minute, 1}, {90 * time.Second, 2}, {58 * time.Minute, 2}} {
		w.pass(step.pass)
		if got := w.send(t); got.Status != reminders.Accepted {
			t.Fatalf("got %+v", got)
		}
		if n := w.fcm.TokenCalls(); n != step.calls {
			t.Errorf("%d calls after another %s, want %d", n, step.pass, step.calls)
		}
	}
}

func TestARefusedKeyStopsEverythingWithOneCall(t *testing.T) {
	w := newWorld(t)
	w.fcm.ScriptOAuth(fcmtest.InvalidGrant)
	for _, o := range w.sendMany(t, 64) {
		if o.Status != reminders.Retry || o.Reason != "credentials_refused" || o.Scope != reminders.WholeProject || !o.Alarm || o.Burns ||
			o.Target != reminders.Keep || o.Pause < time.Minute || o.Pause > 15*time.Minute {
			t.Fatalf("got %+v", o)
		}
	}
	if n := w.fcm.TokenCalls(); n != 1 {
		t.Errorf("%d calls for a token, want 1", n)
	}
	if n := len(w.fcm.Requests()); n != 0 {
		t.Errorf("%d requests without a token", n)
	}
}

func TestPausesForWantOfAccessGrowToAQuarterOfAnHourAndEndWithASuccess(t *testing.T) {
	w := newWorld(t)
	w.fcm.ScriptOAuth(fcmtest.InvalidGrant)
	for _, minutes := range []int{1, 2, 4, 8, 15, 15} {
		if got := w.send(t).Pause; got != time.Duration(minutes)*time.Minute {
			t.Errorf("pauses %s, want %d minutes", got, minutes)
		}
		w.pass(time.Minute)
	}
	w.fcm.ScriptOAuth(fcmtest.Accept)
	if got := w.send(t); got.Status != reminders.Accepted {
		t.Fatalf("got %+v", got)
	}
	w.fcm.RevokeTokens()
	if got := w.send(t); got.Reason != "access_refused" || got.Pause != time.Minute {
		t.Errorf("got %+v", got)
	}
	if got := w.send(t); got.Status != reminders.Accepted {
		t.Errorf("a refused token was used again: %+v", got)
	}
}

func TestATokenEndpointThatIsDownIsAskedOnceAtATime(t *testing.T) {
	for name, answer := range map[string]fcmtest.Answer{"503": {Status: 503}, "cut": fcmtest.Cut, "page": fcmtest.SignInPage} {
		w := newWorld(t)
		w.fcm.ScriptOAuth(answer)
		for _, o := range w.sendMany(t, 32) {
			if o.Status != reminders.Retry || o.Reason != "no_access_token" || o.Burns || o.Scope != reminders.WholeProject {
				t.Fatalf("%s: got %+v", name, o)
			}
		}
		if n := w.fcm.TokenCalls(); n != 1 {
			t.Errorf("%s: %d calls for a token, want 1", name, n)
		}
	}
}

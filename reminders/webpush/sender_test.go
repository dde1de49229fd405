package webpush

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/reminders"
)

func TestABrowserReadsWhatWasSent(t *testing.T) {
	w := newWorld(t)
	if got := w.Send(t.Context(), w.message()); got != (reminders.Outcome{Status: "accepted", Reason: "accepted", Scope: "device", Burns: true}) {
		t.Fatalf("got %+v, service: %v", got, w.service.faults)
	}
	p := w.service.pushed[0]
	want := payload{Title: "A task is waiting", Body: "Please open the app when it suits you.", Tag: "k3sJ9xQ2", Delivery: "01J0DELIVERY", Assessment: "01J0ASSESSMENT"}
	if p.payload != want {
		t.Errorf("got %+v", p.payload)
	}
	for name, want := range map[string]string{"TTL": "21600", "Urgency": "high", "Topic": "k3sJ9xQ2"} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheLengthOfAMessageDoesNotTellTheText(t *testing.T) {
	w := newWorld(t)
	short, long := w.message(), w.message()
	short.Body, long.Body = "", strings.Repeat("a", 600)
	w.Send(t.Context(), short)
	w.Send(t.Context(), long)
	if a, b := w.service.pushed[0].size, w.service.pushed[1].size; a != b {
		t.Errorf("%d and %d bytes", a, b)
	}
}

func TestOneSignatureServesManyMessagesAndIsRenewed(t *testing.T) {
	at := time.Now()
	w := newWorld(t, func(o *Options) { o.Now = func() time.Time { return at } })
	send := func() string {
		t.Helper()
		if got := w.Send(t.Context(), w.message()); got.Status != reminders.Accepted {
			t.Fatalf("got %+v, service: %v", got, w.service.faults)
		}
		return w.service.pushed[len(w.service.pushed)-1].header.Get("Authorization")
	}
	first := send()
	at = at.Add(10*time.Hour + 59*time.Minute)
	if send() != first {
		t.Error("signed again too soon")
	}
	at = at.Add(2 * time.Minute)
	if send() == first {
		t.Error("the old signature is used in its last hour")
	}
}

// Every way in which a message can end. No fault of a service drops a
// subscription: only 404 and 410 do.
func TestEachAnswerHasItsConsequence(t *testing.T) {
	type outcome = reminders.Outcome
	for _, c := range []struct {
		status     int
		retryAfter string
		want       outcome
	}{
		{200, "", outcome{Status: "accepted", Reason: "accepted", Burns: true}},
		{201, "", outcome{Status: "accepted", Reason: "accepted", Burns: true}},
		{202, "", outcome{Status: "accepted", Reason: "accepted", Burns: true}},
		{404, "", outcome{Status: "rejected_target", Reason: "gone", Target: "delete", Burns: true}},
		{410, "", outcome{Status: "rejected_target", Reason: "gone", Target: "delete", Burns: true}},
		{413, "", outcome{Status: "rejected_payload", Reason: "too_large", Burns: true, Alarm: true}},
		{400, "", outcome{Status: "rejected_payload", Reason: "refused", Burns: true, Alarm: true}},
		{401, "", outcome{Status: "retry", Reason: "key_refused", Burns: true, Wait: 15 * time.Minute, Alarm: true}},
		{403, "", outcome{Status: "retry", Reason: "key_refused", Burns: true, Wait: 15 * time.Minute, Alarm: true}},
		{429, "", outcome{Status: "retry", Reason: "quota", Burns: true, Wait: time.Minute}},
		{429, "600", outcome{Status: "retry", Reason: "quota", Burns: true, Wait: 10 * time.Minute}},
		{500, "", outcome{Status: "retry", Reason: "unavailable", Burns: true, Wait: 10 * time.Second}},
		{503, "77", outcome{Status: "retry", Reason: "unavailable", Burns: true, Wait: 77 * time.Second}},
		{504, "-1", outcome{Status: "retry", Reason: "unavailable", Burns: true, Wait: 10 * time.Second}},
		{307, "", outcome{Status: "retry", Reason: "unexpected_answer", Burns: true, Wait: time.Minute, Alarm: true}},
	} {
		w := newWorld(t)
		w.service.says(c.status, c.retryAfter)
		m := w.message()
		got := w.Send(t.Context(), m)
		if got.Err != nil && strings.Contains(got.Err.Error(), "8f3a") {
			t.Errorf("%d: the error shows the endpoint: %v", c.status, got.Err)
		}
		c.want.Scope, got.Err = "device", nil
		if got != c.want {
			t.Errorf("%d %s: got  %+v\nwant %+v", c.status, c.retryAfter, got, c.want)
		}
		if n := len(w.service.pushed); n != 1 {
			t.Errorf("%d: %d requests", c.status, n)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	followed := false
	w.service.answer = func(rw http.ResponseWriter, r *http.Request) {
		followed = followed || r.URL.Path == "/inside"
		http.Redirect(rw, r, "/inside", http.StatusTemporaryRedirect)
	}
	if got := w.Send(t.Context(), w.message()); got.Status != reminders.Retry || followed {
		t.Errorf("got %+v, followed %v", got, followed)
	}
}

func TestALostAnswerIsUnknown(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"cut":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hang": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		w := newWorld(t, func(o *Options) { o.Timeout = 300 * time.Millisecond })
		w.service.answer = answer
		got := w.Send(t.Context(), w.message())
		if got.Status != reminders.Unknown || got.Target != reminders.Keep || strings.Contains(got.Err.Error(), "8f3a") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestWhatCannotBeSentIsNotTried(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*reminders.Message)
		status reminders.Status
		reason string
	}{
		"a registration token": {func(m *reminders.Message) { m.Target.Kind = reminders.FCMToken }, "rejected_target", "unknown_target_kind"},
		"no subscription":      {func(m *reminders.Message) { m.Target.Value = "token" }, "rejected_target", "bad_subscription"},
		"another host":         {func(m *reminders.Message) { m.Target.Value = w.service.browser.subscription("https://127.0.0.1/push") }, "rejected_target", "bad_subscription"},
		"too long a text":      {func(m *reminders.Message) { m.Body = strings.Repeat("a", 4000) }, "rejected_payload", "too_large"},
		"one that is over":     {func(m *reminders.Message) { m.ExpiresAt = w.now() }, "rejected_payload", "expired"},
	} {
		m := w.message()
		c.change(&m)
		if got := w.Send(t.Context(), m); got.Status != c.status || got.Reason != c.reason || got.Target != reminders.Keep {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if n := len(w.service.pushed); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The name of a push service may be made to lead anywhere.
func TestAListedNameThatLeadsInsideIsNotCalledAndKeepsTheDevice(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Private = false })
	got := w.Send(t.Context(), w.message())
	if got.Reason != "private_address" || got.Target != reminders.Keep || got.Status != reminders.Retry || len(w.service.pushed) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestBadOptionsAreRefused(t *testing.T) {
	key, err := KeyFromSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Contact: "mailto:a@b.example"}, {Key: key}, {Key: key, Contact: "a@b.example"}, {Key: key, Contact: "http://b.example"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%q was taken", o.Contact)
		}
	}
	if _, err := New(Options{Key: key, Contact: "https://study.example/contact"}); err != nil {
		t.Error(err)
	}
	if !slices.Contains(Kinds(), reminders.WebPush) {
		t.Error("a sender for browsers that reaches none")
	}
}

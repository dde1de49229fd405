package fcm_test

import (
	"sync/atomic"
	"testing"
	"time"

	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
)

// token is a device's registration token, as long as real ones are.
const token = "cVk3nQZ5R0mK8wX1tYpLbA:APA91bE7n4Xo0s2Jd9fGhKqLzMvBtRyUwIpAoSdFgHjKlZxCvBnMqWeRtYuIoPaSdFgHjKlZxCvBnM1234567890qwertyuiopasdfghjklzxcvbnm"

// world is the real SDK against a local service.
type world struct {
	*fcm.Sender
	fcm   *fcmtest.Server
	moved atomic.Int64 // nanoseconds that the sender's clock is ahead
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.moved.Load())) }

func (w *world) pass(d time.Duration) { w.moved.Add(int64(d)) }

func newWorld(t testing.TB, change ...func(*fcm.Options)) *world {
	t.Helper()
	return worldOn(t, fcmtest.New(t), change...)
}

func worldOn(t testing.TB, server *fcmtest.Server, change ...func(*fcm.Options)) *world {
	t.Helper()
	w := &world{fcm: server}
	credentials, err := fcm.ReadCredentials(server.CredentialsFile(t))
	if err != nil {
		t.Fatal(err)
	}
	o := fcm.Options{Credentials: credentials, Endpoint: server.Endpoint(), Transport: server.Transport(), Now: w.now,
		Link: "https://app.example/app"}
	for _, c := range change {
		c(&o)
	}
	if w.Sender, err = fcm.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return w
}

func messageTo(token string, now time.Time) reminders.Message {
	return reminders.Message{
		Delivery: "01J0DELIVERY", Assessment: "01J0ASSESSMENT", Target: reminders.Target{Kind: reminders.FCMToken, Value: token}, Platform: "android",
		Title: "A task is waiting", Body: "Please open the app when it suits you.", Collapse: "k3sJ9xQ2", ExpiresAt: now.Add(6 * time.Hour),
	}
}

// send sends one message to a device whose next answers are given.
func (w *world) send(t *testing.T, answers ...fcmtest.Answer) reminders.Outcome {
	t.Helper()
	if len(answers) > 0 {
		w.fcm.Script(token, answers...)
	}
	return w.Send(t.Context(), messageTo(token, w.now()))
}

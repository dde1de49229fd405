package fcm_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
	"epro/study"
)

// course is a study whose reminders leave through the real dispatcher and the
// real SDK to the local service.
type course struct {
	*testkit.Fixture
	t   *testing.T
	fcm *fcmtest.Server
	d   *reminders.Dispatcher
}

func newCourse(t *testing.T) *course {
	t.Helper()
	f := testkit.Study(t, testkit.SQLite(t))
	w := newWorld(t, func(o *fcm.Options) { o.Now = f.Clock.Now })
	c := &course{Fixture: f, t: t, fcm: w.fcm}
	senders := map[reminders.TargetKind]reminders.Sender{}
	for _, kind := range fcm.Kinds() {
		senders[kind] = w.Sender
	}
	var err error
	c.d, err = reminders.New(reminders.Options{Study: f.Service, Store: f.Store, Senders: senders, Now: f.Clock.Now, PerSecond: -1, Workers: 1,
		Random: func() float64 { return 0 }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	c.check(err)
	return c
}

func (c *course) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// someone is enrolled and has a phone with this token.
func (c *course) someone(number, token string) study.ParticipantID {
	c.t.Helper()
	p := c.Enrol(c.t, number)
	c.check(c.RegisterDevice(c.t.Context(), testkit.Phone(p.ID), study.Registration{ID: "d", Platform: "android",
		Target: study.PushTarget{Kind: study.TargetFCMToken, Value: token}}))
	return p.ID
}

// sweepAt is what the dispatcher does at a local time of the day.
func (c *course) sweepAt(on study.Date, clock time.Duration) {
	c.t.Helper()
	zone, err := study.LoadZone(testkit.Zone)
	c.check(err)
	c.Clock.Set(study.StartOfDay(on, zone).Add(clock))
	c.check(c.d.Follow(c.t.Context()))
	_, err = c.d.Sweep(c.t.Context())
	c.check(err)
}

func (c *course) status(id study.ParticipantID) (study.Delivery, study.DeliveryStatus) {
	c.t.Helper()
	rows, err := c.Deliveries(c.t.Context(), study.AssessmentFor(id, "C1D1"))
	c.check(err)
	if len(rows) == 0 {
		c.t.Fatal("the ledger has no row")
	}
	last := rows[len(rows)-1]
	return last, last.StatusAt(study.InstantOf(c.Clock.Now()))
}

func (c *course) alerts() []study.AlertOf {
	c.t.Helper()
	page, _, err := c.SiteAlerts(c.t.Context(), c.Coordinator, study.AlertsQuery{})
	c.check(err)
	return page
}

func TestAReminderGoesFromTheStudyToThePhoneAndItsFateComesBackToTheDesk(t *testing.T) {
	c := newCourse(t)
	anna, berta := c.someone("001", "token-a"), c.someone("002", "token-b")
	c.fcm.Script("token-b", fcmtest.Unregistered)
	c.check(c.d.Recompute(t.Context()))
	opens := testkit.Cycle1 - 7
	c.sweepAt(opens, 8*time.Hour+59*time.Minute)
	if n := len(c.fcm.Requests()); n != 0 {
		t.Fatalf("%d messages before the time", n)
	}
	c.sweepAt(opens, 9*time.Hour+13*time.Minute)

	// What the phone got names the delivery; the phone says that it came.
	got := c.fcm.AcceptedFor("token-a")
	if len(got) != 1 || got[0].Data["delivery"] == "" || got[0].Data["assessment"] != study.OpaqueID(string(study.AssessmentFor(anna, "C1D1"))) {
		t.Fatalf("the phone got %+v", got)
	}
	phone, id := testkit.Phone(anna), study.DeliveryID(got[0].Data["delivery"])
	c.Clock.Advance(time.Minute)
	for _, event := range []string{"received", "opened"} {
		c.check(c.ReportDelivery(t.Context(), phone, id, study.DeliveryEvent{Event: event, At: study.InstantOf(c.Clock.Now())}))
	}
	if d, status := c.status(anna); status != study.DeliveryAccepted || d.ID != id || d.ReceivedAt == 0 || d.OpenedAt == 0 {
		t.Errorf("the ledger of the first: %s %+v", status, d)
	}
	c.seen(anna, berta)
	c.mended(berta)

	// She answers, and is not reminded again; the other one, with a new phone, is.
	c.Submit(t, anna, "C1D1", 1)
	c.sweepAt(testkit.Cycle1-2, 9*time.Hour+13*time.Minute)
	if a, b := c.fcm.AcceptedFor("token-a"), c.fcm.AcceptedFor("token-b2"); len(a) != 1 || len(b) != 1 || b[0].Collapse == got[0].Collapse {
		t.Errorf("afterwards: %d and %d messages", len(a), len(b))
	}
	if left := c.alerts(); len(left) != 0 {
		t.Errorf("the latest message arrived, and the rules still raise %+v", left)
	}
}

// seen is what the desk shows of a phone that is gone.
func (c *course) seen(anna, berta study.ParticipantID) {
	c.t.Helper()
	if d, status := c.status(berta); status != study.DeliveryRejectedTarget || d.Outcome.Reason != "unregistered" {
		c.t.Errorf("the ledger of the second: %s %+v", status, d)
	}
	if devices, err := c.Devices(c.t.Context(), berta); err != nil || len(devices) != 0 {
		c.t.Errorf("the phone that is gone is still registered: %v %v", devices, err)
	}
	log, more, err := c.DeliveriesSince(c.t.Context(), c.Monitor, study.SentQuery{Since: testkit.Start})
	if err != nil || more || len(log) != 2 {
		c.t.Fatalf("the reminder log has %d lines, %v", len(log), err)
	}
	for _, line := range log {
		if (line.Participant == anna) != (line.ReceivedAt != 0) || line.Number == "" || line.Visit != "C1D1" {
			c.t.Errorf("a line of the log: %+v", line)
		}
	}
	alerts := c.alerts()
	if len(alerts) != 1 || alerts[0].Rule != study.AlertPushesFailing || alerts[0].Participant.ID != berta || alerts[0].State != study.AlertOpen {
		c.t.Fatalf("alerts: %+v", alerts)
	}
	work, err := c.Worklist(c.t.Context(), c.Coordinator, "")
	c.check(err)
	if len(work.Alerts) != 1 || work.Alerts[0].ParticipantID != berta {
		c.t.Errorf("on the worklist: %+v", work.Alerts)
	}
}

// mended is what a coordinator does about it.
func (c *course) mended(berta study.ParticipantID) {
	c.t.Helper()
	id := c.alerts()[0].ID
	_, err := c.Do(c.t.Context(), study.Request{By: c.Coordinator}, berta, study.AcknowledgeAlert{Alert: id, Note: "she has a new phone"})
	c.check(err)
	if alerts := c.alerts(); len(alerts) != 1 || alerts[0].State != study.AlertAcknowledged || alerts[0].Ack.Note == "" {
		c.t.Errorf("after it was acknowledged: %+v", alerts)
	}
	c.check(c.RegisterDevice(c.t.Context(), testkit.Phone(berta), study.Registration{ID: "d2", Platform: "android",
		Target: study.PushTarget{Kind: study.TargetFCMToken, Value: "token-b2"}}))
}

package study_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

func register(t *testing.T, f *testkit.Fixture, p study.ParticipantID, id, token string) error {
	t.Helper()
	return f.RegisterDevice(t.Context(), testkit.Phone(p), study.Registration{ID: study.DeviceID(id), Platform: "android",
		Target: study.PushTarget{Kind: study.TargetFCMToken, Value: token}})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(details(err))
	}
}

func devicesText(t *testing.T, f *testkit.Fixture, p study.ParticipantID) string {
	t.Helper()
	devices, err := f.Devices(t.Context(), p)
	must(t, err)
	out := ""
	for _, d := range devices {
		ok, err := f.Reachable(t.Context(), p, d)
		must(t, err)
		out += fmt.Sprintf("%s=%s %v;", d.ID, d.Target.Value, ok)
	}
	return out
}

func TestATargetThatMovesToAnotherParticipantLeavesTheFirst(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	a, b := f.Enrol(t, "001").ID, f.Enrol(t, "002").ID
	must(t, register(t, f, a, "tablet", "shared"))
	must(t, register(t, f, a, "phone", "own"))
	must(t, register(t, f, b, "tablet", "shared"))
	if got := devicesText(t, f, a); got != "phone=own true;" {
		t.Errorf("the first has %s", got)
	}
	if got := devicesText(t, f, b); got != "tablet=shared true;" {
		t.Errorf("the second has %s", got)
	}
}

// Two phones that register one target at the same moment may both be in the
// list; it reaches the one whose registration came last, and only that one.
func TestOfTwoDevicesWithOneTargetOneIsReached(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	a, b := f.Enrol(t, "001").ID, f.Enrol(t, "002").ID
	must(t, register(t, f, a, "tablet", "shared"))
	had, err := f.Store.Record(t.Context(), "device", string(a)+"/tablet")
	must(t, err)
	must(t, register(t, f, b, "tablet", "shared"))
	must(t, f.Store.PutRecord(t.Context(), had)) // as if both had looked before either wrote
	if x, y := devicesText(t, f, a), devicesText(t, f, b); x != "tablet=shared false;" || y != "tablet=shared true;" {
		t.Errorf("%s and %s", x, y)
	}
}

func TestOnlyTheFiveNewestDevicesAreKeptAndSilentOnesAreNotReached(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001").ID
	for i := range 7 {
		f.Clock.Advance(time.Minute)
		must(t, register(t, f, p, fmt.Sprint(i%6), fmt.Sprint("t", i)))
	}
	if got := devicesText(t, f, p); got != "0=t6 true;5=t5 true;4=t4 true;3=t3 true;2=t2 true;" {
		t.Errorf("kept are %s", got)
	}
	f.Clock.Advance(60*24*time.Hour - time.Minute)
	if got := devicesText(t, f, p); got != "0=t6 true;5=t5 true;4=t4 false;3=t3 false;2=t2 false;" {
		t.Errorf("after two months %s", got)
	}
	devices, _ := f.Devices(t.Context(), p)
	f.Clock.Advance(2 * time.Minute)
	if study.Reaches(devices, f.Clock.Now()) {
		t.Error("a phone that was silent for 60 days is reached")
	}
	f.Clock.Advance(211 * 24 * time.Hour)
	n, err := f.Store.PurgeRecords(t.Context(), f.Clock.Now())
	if err != nil || n != 12 { // the devices, and whose each target was
		t.Errorf("%d were purged, %v", n, err)
	}
}

func TestWhoLeftTheStudyRegistersNothing(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001").ID
	_, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p, withdrawal(study.DateOf(f.Clock.Now())))
	must(t, err)
	if err := register(t, f, p, "phone", "t"); study.CodeOf(err) != study.NotExpected {
		t.Errorf("%v", err)
	}
}

func TestARegistrationIsRefusedWithEveryFaultNamed(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001").ID
	for _, c := range []struct {
		r    study.Registration
		want int
	}{
		{study.Registration{}, 4},
		{study.Registration{ID: "a b", Platform: "fax", Target: study.PushTarget{Kind: "x", Value: "y"}}, 3},
		{study.Registration{ID: "a", Platform: "web", Target: study.PushTarget{Kind: study.TargetWebPush, Value: `{"endpoint":"http://push.example/1","keys":{"p256dh":"a","auth":"b"}}`}}, 1},
		{study.Registration{ID: "a", Platform: "web", Target: study.PushTarget{Kind: study.TargetWebPush, Value: `{"endpoint":"https://push.example/1"}`}}, 1},
		{study.Registration{ID: "a", Platform: "web", Target: study.PushTarget{Kind: study.TargetWebPush, Value: `{"endpoint":"https://push.example/1","keys":{"p256dh":"a","auth":"b"}}`}}, 0},
	} {
		err := f.RegisterDevice(t.Context(), testkit.Phone(p), c.r)
		e, _ := study.AsError(err)
		if n := 0; c.want > 0 && (e == nil || len(e.Fields) != c.want) || c.want == n && err != nil {
			t.Errorf("%+v: %v", c.r.ID, details(err))
		}
	}
}

func TestADeviceIsDroppedOnlyIfItIsStillWhatFailed(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001").ID
	must(t, register(t, f, p, "phone", "old"))
	devices, _ := f.Devices(t.Context(), p)
	f.Clock.Advance(time.Second)
	must(t, register(t, f, p, "phone", "new"))
	must(t, f.DropTarget(t.Context(), p, devices[0], ""))
	if got := devicesText(t, f, p); got != "phone=new true;" {
		t.Errorf("after the failure of the old token: %s", got)
	}
	devices, _ = f.Devices(t.Context(), p)
	must(t, f.DropTarget(t.Context(), p, devices[0], "sender_mismatch"))
	if got := devicesText(t, f, p); got != "phone=new false;" {
		t.Errorf("disabled: %s", got)
	}
	must(t, register(t, f, p, "phone", "new"))
	devices, _ = f.Devices(t.Context(), p)
	must(t, f.DropTarget(t.Context(), p, devices[0], ""))
	if got := devicesText(t, f, p); got != "" {
		t.Errorf("dropped: %s", got)
	}
}

func TestWhereADeviceIsReachedIsNeverPrinted(t *testing.T) {
	d := study.Device{ID: "phone", Target: study.PushTarget{Kind: "fcm_token", Value: "canary"}}
	if s := fmt.Sprintf("%v %s %+v %s", d.Target, d.Target, d, d.LogValue()); strings.Contains(s, "canary") {
		t.Errorf("printed as %s", s)
	}
}

func TestAnAttemptIsClaimedOnceAndItsFirstOutcomeStands(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	now := study.InstantOf(f.Clock.Now())
	claim := study.Claim{Participant: p.ID, Assessment: p.Assessments[0].ID, Step: "due@2026-03-02", StepAt: now, Device: "d", Attempt: 1, LeaseUntil: now + 1000}
	id, err := f.ClaimDelivery(t.Context(), claim)
	must(t, err)
	other := claim
	other.LeaseUntil += 5
	if _, err := f.ClaimDelivery(t.Context(), other); !errors.Is(err, study.ErrExists) {
		t.Errorf("a second claim: %v", err)
	}
	read := func() study.Delivery {
		rows, err := f.Deliveries(context.Background(), claim.Assessment)
		must(t, err)
		if len(rows) != 1 || rows[0].ID != id || rows[0].Claim != claim {
			t.Fatalf("read as %+v", rows)
		}
		return rows[0]
	}
	d := read()
	if a, b := d.StatusAt(now), d.StatusAt(now+1000); a != study.DeliverySending || b != study.DeliveryUnknown {
		t.Errorf("%s, then %s", a, b)
	}
	must(t, f.SettleDelivery(t.Context(), claim, study.DeliveryOutcome{Status: study.DeliveryAccepted, At: now}))
	must(t, f.SettleDelivery(t.Context(), claim, study.DeliveryOutcome{Status: study.DeliveryRetry, At: now}))
	phone := testkit.Phone(p.ID)
	must(t, f.ReportDelivery(t.Context(), phone, id, study.DeliveryEvent{Event: "received", At: now + 5}))
	must(t, f.ReportDelivery(t.Context(), phone, id, study.DeliveryEvent{Event: "received", At: now + 9}))
	must(t, f.ReportDelivery(t.Context(), phone, id, study.DeliveryEvent{Event: "opened", At: now + 7}))
	if d := read(); d.StatusAt(now) != study.DeliveryAccepted || d.ReceivedAt != now+5 || d.OpenedAt != now+7 {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		by    study.Actor
		id    study.DeliveryID
		event string
		want  study.Code
	}{
		{testkit.Phone("x"), id, "opened", study.NotFound}, {phone, "x", "opened", study.NotFound}, {phone, id + "/outcome", "opened", study.NotFound},
		{phone, id, "eaten", study.Invalid}, {f.Coordinator, id, "opened", study.Forbidden},
	} {
		if err := f.ReportDelivery(t.Context(), c.by, c.id, study.DeliveryEvent{Event: c.event, At: now}); study.CodeOf(err) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestTheLedgerAtACutIsWhatWasRecordedByThen(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, other := f.Enrol(t, "001"), f.Enrol(t, "002")
	claim := func(p *study.Participant, visit string) study.Claim {
		now := study.InstantOf(f.Clock.Now())
		c := study.Claim{Participant: p.ID, Assessment: study.AssessmentFor(p.ID, visit), Step: "due", StepAt: now, Device: "d", Attempt: 1, LeaseUntil: now + 120_000}
		_, err := f.ClaimDelivery(t.Context(), c)
		must(t, err)
		return c
	}
	first := claim(p, "C2D1")
	claim(other, "C2D1")
	claimed := f.Clock.Now()
	f.Clock.Advance(time.Second)
	must(t, f.SettleDelivery(t.Context(), first, study.DeliveryOutcome{Status: study.DeliveryAccepted, At: study.InstantOf(f.Clock.Now())}))
	settled := f.Clock.Now()
	f.Clock.Advance(time.Minute)
	// Her phone's clock says that it was earlier; what counts is when it reached us.
	must(t, f.ReportDelivery(t.Context(), testkit.Phone(p.ID), first.ID(), study.DeliveryEvent{Event: "received", At: study.InstantOf(claimed)}))
	f.Clock.Advance(time.Minute)
	claim(p, "C1D1")
	claim(p, "GONE")
	for _, c := range []struct {
		cut      time.Time
		rows     int
		status   study.DeliveryStatus
		received bool
	}{
		{claimed.Add(-time.Millisecond), 0, "", false},
		{claimed, 1, study.DeliverySending, false},
		{settled, 1, study.DeliveryAccepted, false},
		{settled.Add(time.Minute), 1, study.DeliveryAccepted, true},
		{time.Time{}, 3, study.DeliveryAccepted, true},
	} {
		rows, err := f.DeliveriesAt(t.Context(), f.Analyst, p.ID, c.cut)
		must(t, err)
		if len(rows) != c.rows || len(rows) > 0 && (rows[0].ID != first.ID() || rows[0].StatusAt(study.InstantOf(c.cut)) != c.status || (rows[0].ReceivedAt > 0) != c.received) {
			t.Errorf("at %v: %+v", c.cut, rows)
		}
	}
	if _, err := f.DeliveriesAt(t.Context(), f.Coordinator, p.ID, time.Time{}); study.CodeOf(err) != study.Forbidden {
		t.Errorf("a coordinator: %v", err)
	}
}

func TestTheReminderLogShowsAnActorsSitesPageByPage(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	var want []study.DeliveryID
	for i := range 7 {
		p := f.Enrol(t, fmt.Sprint(i))
		f.Clock.Advance(time.Minute)
		id, err := f.ClaimDelivery(t.Context(), study.Claim{Participant: p.ID, Assessment: p.Assessments[0].ID, Step: "due", Device: "d", Attempt: 1})
		must(t, err)
		if i == 3 {
			_, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.TransferTo{Site: testkit.OtherSite, On: study.DateOf(f.Clock.Now()), Reason: "moved"})
			must(t, err)
			continue
		}
		if i > 0 {
			want = append(want, id)
		}
		// Rows that are no line of the log lie between those that are.
		f.Clock.Advance(time.Second)
		must(t, f.ReportDelivery(t.Context(), testkit.Phone(p.ID), id, study.DeliveryEvent{Event: "received", At: study.InstantOf(f.Clock.Now())}))
	}
	q := study.SentQuery{Since: testkit.Start.Add(90 * time.Second), Limit: 2}
	var got []study.DeliveryID
	for {
		page, more, err := f.DeliveriesSince(t.Context(), f.Monitor, q)
		must(t, err)
		for _, d := range page {
			if d.ReceivedAt == 0 || d.Visit != "C1D1" {
				t.Errorf("without what the phone said: %+v", d)
			}
			got = append(got, d.ID)
			q.After = study.SentPlace{At: d.At, ID: d.ID}
		}
		if !more {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, _, err := f.DeliveriesSince(t.Context(), f.Analyst, q); study.CodeOf(err) != study.Forbidden {
		t.Errorf("an analyst: %v", err)
	}
}

func TestPushesFailWhenTheLatestMessageReachedNoPhone(t *testing.T) {
	row := func(step string, device study.DeviceID, status study.DeliveryStatus, retry study.Instant) study.Delivery {
		d := study.Delivery{Claim: study.Claim{Step: step, Device: device}}
		if status != study.DeliverySending {
			d.Outcome = &study.DeliveryOutcome{Status: status, RetryAt: retry, At: 10}
		}
		return d
	}
	ok, gone, again := study.DeliveryAccepted, study.DeliveryRejectedTarget, study.DeliveryRetry
	for i, c := range []struct {
		rows []study.Delivery
		want bool
	}{
		{nil, false},
		{[]study.Delivery{row("a", "1", gone, 0)}, true},
		{[]study.Delivery{row("a", "1", gone, 0), row("a", "2", ok, 0)}, false},
		{[]study.Delivery{row("a", "1", ok, 0), row("b", "1", gone, 0)}, true},
		{[]study.Delivery{row("a", "1", gone, 0), row("b", "1", ok, 0)}, false},
		{[]study.Delivery{row("a", "1", study.DeliverySending, 0)}, false},
		{[]study.Delivery{row("a", "1", study.DeliveryUnknown, 0)}, false},
		{[]study.Delivery{row("a", "1", again, 99)}, false},
		{[]study.Delivery{row("a", "1", again, 99), row("a", "1", gone, 0)}, true},
		{[]study.Delivery{row("a", "1", again, 0)}, true},
	} {
		if got := study.Pushes("x", c.rows); (got.FailingFor != "") != c.want {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

package reminders_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/study"
)

// desk is a participant at an instant, with her phones and her ledger.
type desk struct {
	*testkit.Fixture
	t       *testing.T
	h       *study.History
	p       *study.Participant
	devices []study.Device
	ledger  []study.Delivery
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	f := testkit.Study(t, testkit.SQLite(t))
	d := &desk{Fixture: f, t: t, p: f.Enrol(t, "001")}
	var err error
	if d.h, err = f.History(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.phone("a", testkit.Start)
	return d
}

func (d *desk) phone(id study.DeviceID, added time.Time) {
	d.devices = append(d.devices, study.Device{ID: id, Platform: "android", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: string(id)},
		AddedAt: study.InstantOf(added), SeenAt: study.InstantOf(added)})
}

// at puts the clock to a day of C2D1's window and an hour in Shanghai; day 0 is
// the due day.
func (d *desk) at(day int, clock string) time.Time {
	d.t.Helper()
	of, err := time.Parse("15:04:05", clock+":00")
	if err != nil {
		d.t.Fatal(err)
	}
	zone, _ := study.LoadZone(testkit.Zone)
	return study.WallTime(testkit.Cycle1+21+study.Date(day), of.Hour()*60+of.Minute(), zone)
}

func (d *desk) do(by study.Actor, c study.Command) {
	d.t.Helper()
	res, err := d.Do(d.t.Context(), study.Request{By: by}, d.p.ID, c)
	if err != nil {
		d.t.Fatal(err)
	}
	d.p = res.After
}

// plan is the work at an instant as text.
func (d *desk) plan(now time.Time) string {
	d.t.Helper()
	w := reminders.Plan(d.h, d.p, d.devices, map[study.AssessmentID][]study.Delivery{d.id(): d.ledger}, now)
	var out []string
	for _, r := range w.Rows {
		out = append(out, name(r.Step)+" "+string(r.Status)+" "+name(r.Reason))
	}
	for _, a := range w.Attempts {
		out = append(out, fmt.Sprintf("%s to %s attempt %d", name(a.Claim.Step), a.Device.ID, a.Claim.Attempt))
	}
	for _, l := range w.Lost {
		out = append(out, fmt.Sprintf("%s to %s lost", name(l.Step), l.Device))
	}
	return strings.Join(out, ", ")
}

func name(step string) string {
	name, _, _ := strings.Cut(step, "@")
	return name
}

func (d *desk) id() study.AssessmentID { return study.AssessmentFor(d.p.ID, "C2D1") }

// row adds an attempt at a step to the ledger, on a day of the window.
func (d *desk) row(step string, day int, device study.DeviceID, attempt int, at time.Time, o *study.DeliveryOutcome) {
	key := step + "@" + (testkit.Cycle1 + 21 + study.Date(day)).String()
	d.ledger = append(d.ledger, study.Delivery{ID: study.DeliveryID(fmt.Sprint(len(d.ledger))), At: study.InstantOf(at), Outcome: o,
		Claim: study.Claim{Participant: d.p.ID, Assessment: d.id(), Step: key, Device: device, Attempt: attempt,
			LeaseUntil: study.InstantOf(at.Add(2 * time.Minute)), ExpiresAt: study.InstantOf(at.Add(6 * time.Hour))}})
}

func accepted() *study.DeliveryOutcome { return &study.DeliveryOutcome{Status: study.DeliveryAccepted} }

func unknown() *study.DeliveryOutcome { return &study.DeliveryOutcome{Status: study.DeliveryUnknown} }

func retry(at time.Time) *study.DeliveryOutcome {
	return &study.DeliveryOutcome{Status: study.DeliveryRetry, RetryAt: study.InstantOf(at), Burned: true}
}

func (d *desk) want(what string, now time.Time, want string) {
	d.t.Helper()
	if got := d.plan(now); got != want {
		d.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAStepLeavesOnceToEveryLivePhone(t *testing.T) {
	d := newDesk(t)
	d.phone("b", d.at(-9, "10:00"))
	d.phone("stale", d.at(-80, "10:00"))
	d.want("before", d.at(-3, "09:02"), "")
	d.want("its time", d.at(-3, "09:13"), "opens to a attempt 1, opens to b attempt 1")
	d.row("opens", -3, "a", 1, d.at(-3, "09:05"), accepted())
	d.want("after a crash between two phones", d.at(-3, "09:13"), "opens to b attempt 1")
	d.row("opens", -3, "b", 1, d.at(-3, "09:05"), accepted())
	d.phone("c", d.at(-3, "12:00"))
	d.want("a phone that came later", d.at(-3, "13:00"), "")
}

func TestAnOutageLeavesOneMergedReminder(t *testing.T) {
	d := newDesk(t)
	d.want("two steps late", d.at(1, "10:00"), "opens merged due, due to a attempt 1")
	d.want("in the night", d.at(1, "22:00"), "")
	d.want("late, and the next step in eight minutes", d.at(7, "00:00"), "")
	d.row("opens", -3, "a", 1, d.at(-3, "09:05"), accepted())
	d.want("the first had left", d.at(1, "10:00"), "due to a attempt 1")
	d.want("nine minutes before the night", d.at(1, "20:51"), "due skipped too_late")
	d.want("eleven minutes before the night", d.at(1, "20:49"), "due to a attempt 1")
}

func TestWhatWasStoppedPausedOrMovedSendsNoPastReminder(t *testing.T) {
	d := newDesk(t)
	phone := testkit.Phone(d.p.ID)
	d.Clock.Set(d.at(-1, "10:00"))
	d.do(phone, study.PauseReminders{Paused: true})
	d.want("paused", d.at(0, "09:13"), "due skipped paused")
	d.Clock.Set(d.at(0, "12:00"))
	d.do(phone, study.PauseReminders{Paused: false})
	d.want("again", d.at(0, "12:01"), "")
	d.want("the next", d.at(2, "09:13"), "opens merged due+2, due+2 to a attempt 1"[len("opens merged due+2, "):])
	d.Clock.Set(d.at(1, "10:00"))
	d.do(d.Coordinator, study.RecordFact{Kind: study.FactWithdrawn, Level: study.LevelTrial, On: study.PartialDate((testkit.Cycle1 + 22).String()), Reason: "she asked"})
	d.want("withdrawn", d.at(2, "09:13"), "")
	d.Clock.Set(d.at(2, "12:00"))
	d.do(d.Coordinator, study.RetractFact{Seq: d.p.Seq, Reason: "misunderstood"})
	d.want("taken back", d.at(2, "12:01"), "")
	d.Clock.Set(d.at(2, "13:00"))
	d.do(d.Coordinator, study.RecordCycle{N: 2, StartedOn: testkit.Cycle1 + 22, Kind: study.CycleGiven, Reason: "a day late"})
	d.want("moved by a day, its new second day past due not come", d.at(2, "13:01"), "")
	d.want("the moved step", d.at(3, "09:13"), "due+2 to a attempt 1")
}

func TestAReportOfDeathStopsEverythingAtOnce(t *testing.T) {
	d := newDesk(t)
	d.Clock.Set(d.at(0, "08:00"))
	d.do(d.Coordinator, study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead})
	d.want("reported dead", d.at(0, "09:13"), "due skipped reported_dead")
	d.row("due", 0, "a", 1, d.at(0, "09:05"), retry(d.at(0, "09:06")))
	d.want("a retry", d.at(0, "09:13"), "")
	if ahead := reminders.Ahead(d.h, d.p, d.p.AtVisit("C5D1"), d.Clock.Now()); len(ahead) != 0 {
		t.Errorf("ahead are %v", ahead)
	}
}

func TestAtMostFourLeaveHoweverOftenTheVisitMoves(t *testing.T) {
	d := newDesk(t)
	for i, step := range []string{"opens", "due", "due+2", "opens"} {
		d.row(step, -20+i, "a", 1, d.at(-20+i, "09:05"), accepted())
	}
	d.want("the fifth", d.at(-3, "09:13"), "opens skipped enough")
}

func TestWithoutALivePhoneAStepIsSkippedAsNoRoute(t *testing.T) {
	d := newDesk(t)
	d.devices[0].Disabled = "sender_mismatch"
	d.want("disabled", d.at(-3, "09:13"), "opens skipped no_route")
	d.devices = nil
	d.want("none", d.at(-3, "09:13"), "opens skipped no_route")
}

func TestAnAttemptInDoubtIsRepeatedOnceAndNoMore(t *testing.T) {
	d := newDesk(t)
	at := d.at(0, "09:05")
	d.row("due", 0, "a", 1, at, nil)
	d.want("under way", at.Add(time.Minute), "")
	d.want("past its lease", at.Add(2*time.Minute), "due to a attempt 2, due to a lost")
	d.ledger[0].Outcome = unknown()
	d.want("half a minute after", at.Add(30*time.Second), "")
	d.want("a minute after", at.Add(time.Minute), "due to a attempt 2")
	d.row("due", 0, "a", 2, at.Add(time.Minute), unknown())
	d.want("in doubt twice", at.Add(time.Hour), "")
	d.ledger[1].Outcome = retry(at.Add(5 * time.Minute))
	d.want("known to have failed", at.Add(5*time.Minute), "due to a attempt 3")
	d.row("due", 0, "a", 3, at.Add(5*time.Minute), nil)
	d.want("lost after a doubt", at.Add(time.Hour), "due to a lost")
}

func TestARetryWaitsItsTimeAndDiesWithItsMessage(t *testing.T) {
	d := newDesk(t)
	at := d.at(0, "09:05")
	d.row("due", 0, "a", 1, at, retry(at.Add(10*time.Minute)))
	d.want("too early", at.Add(9*time.Minute), "")
	d.want("in time", at.Add(10*time.Minute), "due to a attempt 2")
	d.want("ten minutes before the end", at.Add(5*time.Hour+50*time.Minute), "due to a attempt 2")
	d.want("nine minutes before the end", at.Add(5*time.Hour+51*time.Minute), "")
	d.ledger[0].Outcome = &study.DeliveryOutcome{Status: study.DeliveryRejectedPayload, Dead: true}
	d.want("given up", at.Add(time.Hour), "")
}

func TestNothingLeavesOnPaperOrAfterTheForm(t *testing.T) {
	d := newDesk(t)
	d.Clock.Set(d.at(-2, "10:00"))
	d.Submit(t, d.p.ID, "C2D1", 1)
	p, err := d.Participant(t.Context(), d.Coordinator, d.p.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.p = p
	d.want("completed", d.at(0, "09:13"), "")
	d.do(d.Coordinator, study.ChangeParticipant{Access: study.AccessPaper, Reason: "no phone"})
	w := reminders.Plan(d.h, d.p, d.devices, nil, d.at(-2, "10:00"))
	if !w.NextAt.IsZero() {
		t.Errorf("on paper, next at %s", w.NextAt)
	}
}

func TestTheInstantsAheadAreThoseOfTheLadder(t *testing.T) {
	d := newDesk(t)
	ahead := reminders.Ahead(d.h, d.p, d.p.AtVisit("C2D1"), d.at(-30, "12:00"))
	steps := reminders.Ladder(d.h, d.p.AtVisit("C2D1"))
	if len(ahead) != 4 || len(steps) != 4 {
		t.Fatalf("%v, %v", ahead, steps)
	}
	for i, s := range steps {
		if study.InstantOf(s.At) != ahead[i] {
			t.Errorf("%s at %s, ahead %s", s.Key, s.At, ahead[i])
		}
	}
	if rest := reminders.Ahead(d.h, d.p, d.p.AtVisit("C2D1"), d.at(0, "12:00")); len(rest) != 2 {
		t.Errorf("after the due day %v", rest)
	}
}

// She has sent her form; that the site was locked is not hers to mend.
func TestNobodyIsAskedForAFormThatWaitsForADecision(t *testing.T) {
	d := newDesk(t)
	lock := func(locked bool) {
		t.Helper()
		if _, err := d.LockSite(t.Context(), study.Request{By: d.Investigator}, testkit.Site, locked, "an audit"); err != nil {
			t.Fatal(err)
		}
	}
	d.Clock.Set(d.at(-2, "10:00"))
	lock(true)
	d.Submit(t, d.p.ID, "C2D1", 1)
	d.Clock.Set(d.at(0, "08:00"))
	lock(false)
	p, err := d.Participant(t.Context(), d.Coordinator, d.p.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.p = p
	d.row("opens", -3, "a", 1, d.at(-3, "09:05"), accepted())
	form := d.p.AtVisit("C2D1").HeldForm()
	if form == nil {
		t.Fatal("the form is not held")
	}
	d.want("held", d.at(0, "09:13"), "due skipped held")
	if ahead := reminders.Ahead(d.h, d.p, d.p.AtVisit("C2D1"), d.at(0, "08:00")); len(ahead) != 0 {
		t.Errorf("ahead are %v", ahead)
	}
	if calls := study.CallTasks(d.h, d.p, true, d.at(5, "10:00")); len(calls) != 0 {
		t.Errorf("she is to be telephoned: %+v", calls)
	}
	d.do(d.Investigator, study.JudgeHeld{Form: form.ID, Reason: "a test on the ward"})
	d.want("rejected", d.at(0, "09:13"), "due to a attempt 1")
	if calls := study.CallTasks(d.h, d.p, false, d.at(5, "10:00")); len(calls) != 1 {
		t.Errorf("she is not to be telephoned: %+v", calls)
	}
}

package study_test

import (
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

func TestAReportOfDeathStandsUntilSheIsReachedOrTheReportIsTakenBack(t *testing.T) {
	for _, undo := range []study.RecordContact{
		{Channel: "phone", Outcome: study.OutcomeReached}, {Channel: "relative", Outcome: study.OutcomeReportRetracted},
	} {
		r := enrolled(t)
		r.now = at(cycle1-2, "10:00")
		r.refuse(study.RecordContact{Channel: "phone", Outcome: study.OutcomeReportRetracted}, study.Invalid, "outcome", "no report of death")
		r.must(study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead})
		if c := r.p.ReportedDead(); c == nil || c.At != study.InstantOf(r.now) {
			t.Fatalf("the report is %+v", c)
		}
		r.must(study.RecordContact{Channel: "phone", Outcome: "no_answer"})
		if r.p.ReportedDead() == nil {
			t.Error("nobody answered, and the report is gone")
		}
		r.now = at(cycle1-1, "10:00")
		r.must(undo)
		if r.p.ReportedDead() != nil || r.p.RemindFrom != study.InstantOf(r.now) {
			t.Errorf("after %s: %+v, reminders from %s", undo.Outcome, r.p.ReportedDead(), r.p.RemindFrom)
		}
	}
}

func TestAContactIsRefusedWithEveryFaultNamed(t *testing.T) {
	r := enrolled(t)
	r.refuse(study.RecordContact{Channel: "owl", Outcome: "eaten", NextOn: study.DateOf(r.now) - 1}, study.Invalid, "channel", "outcome", "next_on")
	r.refuse(study.RecordContact{Channel: "phone", Outcome: "other"}, study.Invalid, "note")
	r.refuse(study.RecordContact{Assessment: "x.C1D1", Channel: "phone", Outcome: study.OutcomeReached}, study.NotFound)
}

func TestPausingIsHersAloneAndSaidOnce(t *testing.T) {
	r := enrolled(t)
	r.refuse(study.PauseReminders{Paused: true}, study.Forbidden)
	phone := testkit.Phone(personID)
	for i, step := range []struct{ paused, event bool }{{false, false}, {true, true}, {true, false}, {false, true}, {false, false}} {
		r.now = r.now.Add(1000)
		if done, err := r.do(phone, study.PauseReminders{Paused: step.paused}); err != nil || done != step.event {
			t.Errorf("%d: event %v, %v", i, done, err)
		}
		if step.paused == r.p.PausedAt.IsZero() {
			t.Errorf("%d: paused at %s", i, r.p.PausedAt)
		}
	}
}

func TestWhatWasStoppedGoesOnFromItsRetraction(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1, "10:00")
	r.must(withdrawal(cycle1))
	seq := r.p.Seq
	if !r.p.RemindFrom.IsZero() {
		t.Error("a stop is no beginning")
	}
	r.now = at(cycle1+1, "10:00")
	r.must(study.RetractFact{Seq: seq, Reason: "misunderstood"})
	if r.p.RemindFrom != study.InstantOf(r.now) {
		t.Errorf("reminders from %s", r.p.RemindFrom)
	}
}

func callsAt(r *record, noRoute bool) string {
	out := ""
	for _, c := range study.CallTasks(r.h, r.p, noRoute, r.now) {
		out += c.Visit + " since " + c.Since.Time().In(shanghai).Format("01-02 15:04")
		if c.NoRoute {
			out += " no route"
		}
	}
	return out
}

func TestCallTasksComeUpAndAreSettledByAContact(t *testing.T) {
	r := enrolled(t)
	phone := study.RecordContact{Assessment: study.AssessmentFor(personID, "C2D1"), Channel: "phone", Outcome: "no_answer"}
	due := cycle1 + 21
	for _, step := range []struct {
		at    study.Date
		clock string
		do    study.Command
		want  string
		route bool
	}{
		{at: due, clock: "12:00", want: "", route: true},
		{at: due - 3, clock: "08:59", want: ""},
		{at: due - 3, clock: "09:00", want: "C2D1 since 03-20 09:00 no route"},
		{at: due, clock: "09:00", want: "C2D1 since 03-23 09:00 no route"},
		{at: due + 4, clock: "08:59", want: "", route: true},
		{at: due + 4, clock: "09:00", want: "C2D1 since 03-27 09:00", route: true},
		{at: due + 4, clock: "10:00", do: phone, want: "", route: true},
		{at: due + 5, clock: "10:00", do: with(phone, due+6), want: "", route: true},
		{at: due + 6, clock: "00:00", want: "C2D1 since 03-29 00:00", route: true},
		{at: due + 6, clock: "10:00", do: study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead, NextOn: due + 6}, want: "", route: true},
		{at: due + 8, clock: "10:00", want: "", route: true},
	} {
		r.now = at(step.at, step.clock)
		if step.do != nil {
			r.must(step.do)
		}
		if got := callsAt(r, !step.route); got != step.want {
			t.Errorf("on day %d at %s: %q, want %q", step.at-due, step.clock, got, step.want)
		}
	}
	r = enrolled(t)
	r.complete("C2D1", at(due, "10:00"))
	r.now = at(due+4, "12:00")
	if got := callsAt(r, true); got != "" {
		t.Errorf("with a form: %q", got)
	}
}

func with(c study.RecordContact, next study.Date) study.RecordContact {
	c.NextOn = next
	return c
}

package export

import (
	"testing"
	"time"

	"epro/study"
)

// instant is a time of day in UTC.
func instant(t *testing.T, s string) study.Instant {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return study.InstantOf(at)
}

// completed is a form of cycle n's visit, due on 3 March, in UTC.
func completed(t *testing.T, n int, at string, p *study.Participant) *form {
	due := study.NewDate(2026, 3, 3)
	return &form{view: newTestView(), participant: p, visit: study.Visit{Cycle: n}, recallDays: 7,
		assessment: &study.Assessment{Window: study.Window{OpensOn: due - 3, DueOn: due, ClosesOn: due + 7, Zone: "UTC"}},
		submission: &study.Submission{CompletedAt: instant(t, at)}}
}

func newTestView() *view { return &view{zones: map[string]*time.Location{}} }

func TestDoseTimingKnowsWhatIsKnown(t *testing.T) {
	start := study.NewDate(2026, 3, 3)
	timed := study.Cycle{N: 2, StartsOn: start, Kind: study.CycleGiven, DoseAt: instant(t, "2026-03-03 10:00")}
	untimed := study.Cycle{N: 2, StartsOn: start, Kind: study.CycleGiven}
	planned := study.Cycle{N: 2, StartsOn: start, Kind: study.CyclePlanned}
	notGiven := study.Cycle{N: 2, StartsOn: start, Kind: study.CycleNotGiven}
	for _, c := range []struct {
		cycle study.Cycle
		at    string
		want  string
		days  Value
	}{
		{timed, "2026-03-03 09:59", "pre_dose", IntegerOf(0)},
		{timed, "2026-03-03 10:00", "post_dose", IntegerOf(0)},
		{timed, "2026-03-02 23:59", "pre_dose", IntegerOf(-1)},
		{timed, "2026-03-05 08:00", "post_dose", IntegerOf(2)},
		{untimed, "2026-03-02 23:59", "pre_dose", IntegerOf(-1)},
		{untimed, "2026-03-03 00:00", "unknown", IntegerOf(0)},
		{untimed, "2026-03-04 00:00", "post_dose", IntegerOf(1)},
		{planned, "2026-03-01 08:00", "unknown", Value{}},
		{notGiven, "2026-03-03 08:00", "unknown", Value{}},
	} {
		p := &study.Participant{Cycles: []study.Cycle{{N: 1}, c.cycle}}
		f := completed(t, 2, c.at, p)
		if got, days := f.doseTiming(), f.fromCycleStart(); got != c.want || days != c.days {
			t.Errorf("%s cycle, completed %s: %s, %s days; want %s, %s", c.cycle.Kind, c.at, got, days, c.want, c.days)
		}
	}
}

// The first dose is a fact of its own, and goes before the day of cycle 1.
func TestTheFirstDoseIsTheStartOfCycleOne(t *testing.T) {
	p := &study.Participant{
		Cycles: []study.Cycle{{N: 1, StartsOn: study.NewDate(2026, 3, 3), Kind: study.CyclePlanned}},
		Facts: []study.Fact{
			{Kind: study.FactFirstDose, On: "2026-03-01", Retracted: true},
			{Kind: study.FactFirstDose, On: "2026-03-02", At: instant(t, "2026-03-02 12:00")}},
	}
	for at, want := range map[string][3]string{
		"2026-03-01 09:00": {"pre_dose", "-1", "-1"},
		"2026-03-02 11:00": {"pre_dose", "0", "1"},
		"2026-03-02 13:00": {"post_dose", "0", "1"},
		"2026-03-03 09:00": {"post_dose", "1", "2"},
	} {
		f := completed(t, 1, at, p)
		if got := [3]string{f.doseTiming(), f.fromCycleStart().String(), f.studyDay().String()}; got != want {
			t.Errorf("completed %s: %v, want %v", at, got, want)
		}
	}
}

func TestBeforeDelayComparesWithTheWindowAtCompletion(t *testing.T) {
	cycles := func(day int) *study.Participant {
		return &study.Participant{Cycles: []study.Cycle{{N: 1}, {N: 2, StartsOn: study.NewDate(2026, 3, day), Kind: study.CycleGiven}}}
	}
	stayed := completed(t, 2, "2026-03-02 09:00", cycles(3))
	moved := completed(t, 2, "2026-03-02 09:00", cycles(10))
	// The window moved on 4 March from the 1st to the 3rd; the form is older.
	late := completed(t, 2, "2026-03-02 09:00", cycles(3))
	late.assessment.Past = []study.PastWindow{{Window: study.Window{DueOn: study.NewDate(2026, 3, 1)}, Until: instant(t, "2026-03-04 09:00")}}
	// It moved away and back again.
	back := completed(t, 2, "2026-03-02 09:00", cycles(3))
	back.assessment.Past = []study.PastWindow{{Window: back.assessment.Window, Until: instant(t, "2026-03-04 09:00")},
		{Window: study.Window{DueOn: study.NewDate(2026, 3, 9)}, Until: instant(t, "2026-03-05 09:00")}}
	for name, c := range map[string]struct {
		f    *form
		want bool
	}{"stayed": {stayed, false}, "moved": {moved, true}, "late": {late, true}, "back": {back, false}} {
		if got := c.f.beforeDelay(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestRecallOverlapsUnderSevenDays(t *testing.T) {
	for at, want := range map[string]bool{"2026-03-03 23:00": false, "2026-03-03 00:30": false, "2026-03-02 23:59": true} {
		f := completed(t, 2, at, &study.Participant{})
		if f.recallOverlap() {
			t.Errorf("%s: a first form overlaps", at)
		}
		f.previous = &study.Submission{CompletedAt: instant(t, "2026-02-24 20:00")}
		if got := f.recallOverlap(); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
}

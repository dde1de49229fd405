package study_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"epro/internal/testkit"
	"epro/study"
)

func cycleVisit(n int) string { return fmt.Sprintf("C%dD1", n) }

// planned are the windows of the default protocol for cycle 1 on a day, when
// nothing happens. Written from the table of DOMAIN.md §2.
func planned(first study.Date) map[string]string {
	out := map[string]string{"C1D1": span(first, -7, 0), "W52": span(first+364, -7, 14)}
	for n := 2; n <= 17; n++ {
		out[cycleVisit(n)] = span(first+study.Date(21*(n-1)), -3, 7)
	}
	return out
}

func expectWindows(t failer, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("there are %d windows, want %d", len(got), len(want))
	}
	for visit, w := range want {
		if got[visit] != w {
			t.Fatalf("%s is %s; want %s", visit, got[visit], w)
		}
	}
}

// move is a cycle's start stated with everything that such a move can ask for.
func move(n int, on study.Date, kind study.CycleKind) study.RecordCycle {
	return study.RecordCycle{N: n, StartedOn: on, Kind: kind, Reason: "delay", Confirm: true}
}

func TestAnUndisturbedYearHasTheWindowsOfTheTable(t *testing.T) {
	r := enrolled(t)
	expectWindows(t, r.windows(), planned(cycle1))
	if len(r.p.Assessments) != 18 {
		t.Fatalf("there are %d assessments", len(r.p.Assessments))
	}
	for code, want := range map[string]string{ // weeks 18, 24 and 52 by hand
		"C1D1": "2026-02-23 2026-03-02 2026-03-02", "C7D1": "2026-07-03 2026-07-06 2026-07-13",
		"C9D1": "2026-08-14 2026-08-17 2026-08-24", "W52": "2027-02-22 2027-03-01 2027-03-15",
	} {
		if got := windowText(r.visit(code)); got != want {
			t.Errorf("%s is %s; want %s", code, got, want)
		}
	}
}

func TestAWindowIsOpenFromItsFirstMidnightToItsLast(t *testing.T) {
	r := enrolled(t)
	for _, step := range []struct {
		at   time.Time
		want study.AssessmentStatus
	}{
		{at(cycle1+18, "00:00").Add(-time.Millisecond), study.Upcoming}, {at(cycle1+18, "00:00"), study.Open},
		{at(cycle1+22, "00:00").Add(-time.Millisecond), study.Open}, {at(cycle1+22, "00:00"), study.Overdue},
		{at(cycle1+29, "00:00").Add(-time.Millisecond), study.Overdue}, {at(cycle1+29, "00:00"), study.Missed},
	} {
		r.now = step.at
		if got := r.status("C2D1"); got != step.want {
			t.Errorf("at %s it is %s; want %s", step.at, got, step.want)
		}
	}
}

func TestADelayMovesTheVisitsFromItsCycleOn(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+80, "10:00")
	r.must(move(5, cycle1+84+6, study.CyclePlanned))
	want := planned(cycle1)
	for n := 5; n <= 17; n++ {
		want[cycleVisit(n)] = span(cycle1+study.Date(21*(n-1)+6), -3, 7)
	}
	expectWindows(t, r.windows(), want)
}

func TestADelayStopsAtTheNextSettledCycle(t *testing.T) {
	for _, kind := range []study.CycleKind{study.CycleGiven, study.CycleNotGiven} {
		r := enrolled(t)
		r.now = at(cycle1+90, "10:00")
		r.must(move(5, cycle1+84, kind))
		r.must(move(3, cycle1+42+4, study.CycleGiven))
		want := planned(cycle1)
		want["C3D1"], want["C4D1"] = span(cycle1+46, -3, 7), span(cycle1+67, -3, 7)
		if kind == study.CycleNotGiven {
			want["C5D1"] += " not given"
		}
		expectWindows(t, r.windows(), want)
	}
}

func TestACompletedVisitNeverMoves(t *testing.T) {
	r := enrolled(t)
	r.complete("C3D1", at(cycle1+41, "10:00"))
	r.must(move(2, cycle1+21+5, study.CycleGiven))
	want := planned(cycle1)
	for n := 2; n <= 17; n++ {
		if n != 3 {
			want[cycleVisit(n)] = span(cycle1+study.Date(21*(n-1)+5), -3, 7)
		}
	}
	expectWindows(t, r.windows(), want)
}

func TestAMissedVisitReopensWhenItsNewWindowSaysSo(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+30, "10:00")
	if got := r.status("C2D1"); got != study.Missed {
		t.Fatalf("it is %s", got)
	}
	r.must(study.CodeMissing{Assessment: r.visit("C2D1").ID, Reason: "forgot", HealthRelated: study.No})
	r.must(move(2, cycle1+21+7, study.CycleGiven))
	if got := r.status("C2D1"); got != study.Overdue {
		t.Fatalf("it is %s; want overdue", got)
	}
	if r.visit("C2D1").NotDone == nil {
		t.Fatal("the coded reason is gone")
	}
}

func TestMovingCycle1MovesEveryVisitOfItsRunAndTheFinalOne(t *testing.T) {
	r := enrolled(t)
	r.must(move(1, cycle1+9, study.CyclePlanned))
	expectWindows(t, r.windows(), planned(cycle1+9))
}

func TestTheFinalVisitMovesOnlyWithCycle1(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+50, "10:00")
	r.must(move(2, cycle1+30, study.CycleGiven)) // given: a wall for what comes before
	r.must(move(1, cycle1+5, study.CycleGiven))
	if got, want := windowText(r.visit("W52")), span(cycle1+5+364, -7, 14); got != want {
		t.Errorf("W52 is %s; want %s", got, want)
	}
	if got, want := windowText(r.visit("C2D1")), span(cycle1+30, -3, 7); got != want {
		t.Errorf("C2D1 is %s; want %s", got, want)
	}
}

func TestTheFinalVisitSupersedesWhatIsDueFromTheDayItOpens(t *testing.T) {
	for _, c := range []struct {
		delay study.Date
		gone  []string
	}{{20, nil}, {21, []string{"C17D1"}}, {41, []string{"C17D1"}}, {42, []string{"C16D1", "C17D1"}}} {
		r := enrolled(t)
		r.must(move(2, cycle1+21+c.delay, study.CyclePlanned))
		gone := map[string]bool{}
		for _, code := range c.gone {
			gone[code] = true
		}
		for code, w := range r.windows() {
			if (w == "superseded") != gone[code] {
				t.Errorf("after %d days of delay %s is %s", c.delay, code, w)
			}
		}
		if got, want := windowText(r.visit("W52")), span(cycle1+364, -7, 14); got != want {
			t.Errorf("W52 is %s; want %s", got, want)
		}
	}
}

func TestAWindowIsCutWhereTheNextOpens(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+30, "10:00")
	r.must(move(3, cycle1+29, study.CycleGiven)) // eight days after cycle 2: it opens on day 26
	if got, want := windowText(r.visit("C2D1")), (cycle1+18).String()+" "+(cycle1+21).String()+" "+(cycle1+25).String(); got != want {
		t.Errorf("C2D1 is %s; want %s", got, want)
	}
}

func TestAWindowCutToNothingIsSuperseded(t *testing.T) {
	r := enrolledUnder(t, historyOf(t, adoption{
		text:    amended(t, "2", "cycle: 3, opens_days: -3", "cycle: 3, opens_days: -10"),
		adopted: testkit.Start,
	}), testkit.NewParticipant("001"))
	r.now = at(cycle1+60, "10:00")
	r.must(move(3, cycle1+28, study.CycleGiven)) // it opens on day 18, on which C2D1 opens too
	if got := r.status("C2D1"); got != study.Superseded {
		t.Errorf("C2D1 is %s: %s", got, windowText(r.visit("C2D1")))
	}
	r.must(move(3, cycle1+29, study.CycleGiven)) // one day is left
	if got, want := windowText(r.visit("C2D1")), (cycle1+18).String()+" "+(cycle1+21).String()+" "+(cycle1+18).String(); got != want {
		t.Errorf("C2D1 is %s; want %s", got, want)
	}
}

func TestCampaignThereAndBackRestoresTheSchedule(t *testing.T) {
	checks(t, 30, 2000)
	rapid.Check(t, func(t *rapid.T) {
		r := enrolled(t)
		r.now = at(cycle1+364, "10:00")
		for n := 2; n <= 17; n++ { // some facts first
			kind := rapid.SampledFrom([]study.CycleKind{study.CyclePlanned, study.CyclePlanned, study.CycleGiven, study.CycleNotGiven}).Draw(t, "kind")
			off := study.Date(0)
			if kind == study.CycleGiven {
				off = study.Date(rapid.IntRange(-2, 12).Draw(t, "off"))
			}
			if kind != study.CyclePlanned {
				_, _ = r.do(r.staff, move(n, r.p.Cycles[n-1].StartsOn+off, kind))
			}
		}
		if rapid.Bool().Draw(t, "baseline") {
			now := r.now
			r.complete("C1D1", at(r.visit("C1D1").Window.OpensOn, "12:00"))
			r.now = now
		}
		before := r.windows()
		n := rapid.IntRange(1, 17).Draw(t, "n")
		k := study.Date(rapid.IntRange(-20, 60).Draw(t, "k"))
		start, kind := r.p.Cycles[n-1].StartsOn, r.p.Cycles[n-1].Kind
		if kind == study.CycleNotGiven {
			kind = study.CyclePlanned
		}
		r.now = r.now.Add(time.Hour)
		if done, err := r.do(r.staff, move(n, start+k, kind)); err != nil || !done {
			t.Skip("refused")
		}
		r.now = r.now.Add(time.Hour)
		if _, err := r.do(r.staff, move(n, start, kind)); err != nil {
			t.Fatalf("the way back: %v", details(err))
		}
		after := r.windows()
		if was := before[cycleVisit(n)]; r.p.Cycles[n-1].Kind != study.CycleNotGiven && len(was) > 10 && was[len(was)-1] == 'n' {
			before[cycleVisit(n)] = was[:len(was)-len(" not given")] // it was re-stated as planned
		}
		if !maps.Equal(before, after) {
			t.Fatalf("cycle %d by %d days and back:\n%v\nwas\n%v", n, k, after, before)
		}
	})
}

func TestABaselineThatGrewOldIsAskedForAgainAndComesBack(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C1D1", at(cycle1-7, "10:00"))
	before := r.windows()
	r.must(move(1, cycle1+7, study.CyclePlanned)) // exactly 14 days before: still young enough
	if got := r.status("C1D1"); got != study.Completed {
		t.Fatalf("14 days before the first dose it is %s", got)
	}
	r.now = r.now.Add(time.Hour)
	r.must(move(1, cycle1+40, study.CyclePlanned))
	a := r.visit("C1D1")
	if r.status("C1D1") != study.Upcoming || !a.Repeat || !a.Submissions[0].Stale || windowText(a) != span(cycle1+40, -7, 0) {
		t.Fatalf("it is %s, %+v", r.status("C1D1"), a)
	}
	r.now = r.now.Add(time.Hour)
	r.must(move(1, cycle1, study.CyclePlanned))
	if s := r.visit("C1D1").Standing(); s == nil || s.ID != id || s.Stale || r.visit("C1D1").Repeat {
		t.Fatalf("the form does not count again: %+v", r.visit("C1D1"))
	}
	expectWindows(t, r.windows(), before)
}

func TestARepeatedBaselineKeepsBothForms(t *testing.T) {
	r := enrolled(t)
	old := r.complete("C1D1", at(cycle1-7, "10:00"))
	r.must(move(1, cycle1+40, study.CyclePlanned))
	again := r.complete("C1D1", at(cycle1+38, "10:00"))
	a := r.visit("C1D1")
	if len(a.Submissions) != 2 || a.Standing().ID != again || !a.Submissions[0].Stale {
		t.Fatalf("forms: %+v", a.Submissions)
	}
	if receipt, _ := r.p.Receipt(old); !receipt.Counted {
		t.Error("the first form's receipt has changed")
	}
}

func TestTheFirstDoseDecidesWhetherABaselineIsTooOld(t *testing.T) {
	r := enrolled(t)
	r.complete("C1D1", at(cycle1-7, "10:00"))
	r.now = at(cycle1+20, "10:00")
	r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + 8).String())})
	if !r.visit("C1D1").Submissions[0].Stale {
		t.Error("a form 15 days before the first dose still counts")
	}
	r.must(study.RetractFact{Seq: r.p.Seq, Reason: "wrong person"})
	if r.visit("C1D1").Submissions[0].Stale {
		t.Error("it does not count again after the dose was retracted")
	}
}

func TestACycleNotGivenIsFlaggedAndStays(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+70, "10:00")
	r.must(study.RecordCycle{N: 4, Kind: study.CycleNotGiven, Reason: "neutropenia"})
	want := planned(cycle1)
	want["C4D1"] += " not given"
	expectWindows(t, r.windows(), want)
	r.refuse(study.RecordCycle{N: 5, Kind: study.CycleNotGiven}, study.Invalid, "reason")
	r.refuse(move(5, cycle1+85, study.CycleNotGiven), study.Invalid, "keeps its planned day")
}

func TestImpossibleStartsAreRefused(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+30, "10:00")
	r.must(move(2, cycle1+21, study.CycleGiven))
	before := stateJSON(t, r.p)
	r.refuse(move(3, cycle1+21, study.CyclePlanned), study.Invalid, "not start after")
	r.refuse(move(1, cycle1+21, study.CycleGiven), study.Invalid, "not start after")
	r.refuse(move(1, consented-1, study.CycleGiven), study.Invalid, "before consent")
	r.refuse(move(3, cycle1+42+181, study.CyclePlanned), study.Invalid, "over 180 days")
	r.refuse(move(3, cycle1+31, study.CycleGiven), study.Invalid, "future")
	r.refuse(study.RecordCycle{N: 3, StartedOn: cycle1 + 30, DoseAt: study.InstantOf(at(cycle1+30, "10:01"))}, study.Invalid, "dose_at")
	r.refuse(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + 30).String()), At: study.InstantOf(at(cycle1+30, "10:01"))}, study.Invalid, "at: ")
	r.refuse(move(0, cycle1, study.CycleGiven), study.NotFound)
	r.refuse(move(18, cycle1+360, study.CyclePlanned), study.NotFound)
	if stateJSON(t, r.p) != before {
		t.Error("a refusal changed the record")
	}
	r.must(move(3, cycle1+42+180, study.CyclePlanned))
	r.must(move(1, consented, study.CycleGiven))
}

func TestUnusualGapsAskForConfirmation(t *testing.T) {
	for _, c := range []struct {
		days study.Date
		asks bool
	}{{13, true}, {14, false}, {63, false}, {64, true}} {
		r := enrolled(t)
		r.now = at(cycle1+130, "10:00")
		r.must(move(4, cycle1+21+c.days+30, study.CycleGiven)) // no odd gap behind cycle 3
		m := move(3, cycle1+21+c.days, study.CycleGiven)
		m.Confirm = false
		done, err := r.do(r.staff, m)
		if asks := err != nil; asks != c.asks || asks == done {
			t.Errorf("a gap of %d days: %v", c.days, details(err))
		}
		if err != nil && !strings.Contains(details(err), fmt.Sprintf("Cycle 3 would start %d days after cycle 2", c.days)) {
			t.Error(details(err))
		}
	}
}

func TestTheGapToTheNextSettledCycleAsksToo(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+100, "10:00")
	r.must(move(4, cycle1+63, study.CycleGiven))
	m := move(2, cycle1+21+8, study.CycleGiven)
	m.Confirm = false
	r.refuse(m, study.Invalid, "confirm", "Cycle 4 would start 13 days after cycle 3")
	m.StartedOn--
	r.must(m)
}

func TestAMoveThatWouldMissAnAssessmentAsksFirst(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21+5, "10:00")
	m := move(2, cycle1+18, study.CycleGiven) // closes on day 25: yesterday
	m.Confirm = false
	r.refuse(m, study.Invalid, "confirm", "Visit C2D1 is overdue now and would be missed")
	m.Confirm = true
	r.must(m)
}

func TestAReasonIsNeededUnlessTheDateIsThePlannedOne(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+50, "10:00")
	r.must(study.RecordCycle{N: 1, StartedOn: cycle1})
	r.must(study.RecordCycle{N: 2, StartedOn: cycle1 + 21})
	r.refuse(study.RecordCycle{N: 3, StartedOn: cycle1 + 43}, study.Invalid, "reason")
	r.refuse(study.RecordCycle{N: 3, StartedOn: cycle1 + 43, Reason: "  "}, study.Invalid, "reason")
	r.must(study.RecordCycle{N: 3, StartedOn: cycle1 + 43, Reason: "holiday"})
	if c := r.p.Cycles; c[0].Kind != study.CycleGiven || c[2].Kind != study.CycleGiven || c[3].Kind != study.CyclePlanned {
		t.Errorf("kinds: %+v", c[:4])
	}
	if done, err := r.do(r.staff, study.RecordCycle{N: 3, StartedOn: cycle1 + 43, Reason: "holiday"}); done || err != nil {
		t.Errorf("the same again: event %v, %v", done, err)
	}
}

func TestNoWindowOpensBeforeConsent(t *testing.T) {
	c := testkit.NewParticipant("001")
	c.Cycle1On = consented + 3
	r := enrolledUnder(t, historyOf(t, first()), c)
	if got := r.visit("C1D1").Window.OpensOn; got != consented {
		t.Errorf("it opens on %s", got)
	}

	c.Consent = study.Consent{}
	r = enrolledUnder(t, historyOf(t, first()), c)
	for i := range r.p.Assessments {
		a := &r.p.Assessments[i]
		for _, when := range []time.Time{r.now, a.Window.OpensAt().Time(), a.Window.ClosesAt().Time()} {
			if got := r.p.AssessmentStatus(a, when); got == study.Open || got == study.Overdue || got == study.Missed {
				t.Errorf("before consent %s is %s", a.Visit, got)
			}
		}
	}
	r.now = at(consented+2, "10:00")
	paper := r.form("C1D1")
	paper.ByStaff, paper.Mode, paper.Assistance, paper.Reason = true, study.ModePaper, study.AssistanceNone, "paper"
	r.refuse(paper, study.WindowNotOpen, "consent")
	r.refuse(study.RecordCycle{N: 1, StartedOn: consented + 2, Kind: study.CycleGiven, Reason: "x"}, study.Invalid, "before consent")
	r.refuse(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((consented + 2).String())}, study.Invalid, "before consent")
	r.must(study.RecordConsent{Consent: study.Consent{On: consented + 2, FormVersion: "2.0", Language: "en"}})
	if got := r.visit("C1D1").Window.OpensOn; got != consented+2 {
		t.Errorf("after consent it opens on %s", got)
	}
}

func TestAChangeOfZoneNeitherDeletesNorDuplicates(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C2D1", at(cycle1+20, "10:00"))
	dates := r.windows()
	for _, name := range []string{"Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu", "Asia/Shanghai"} {
		r.must(study.ChangeParticipant{TimeZone: name, Reason: "moved house"})
		expectWindows(t, r.windows(), dates)
		for i := range r.p.Assessments {
			a := &r.p.Assessments[i]
			if want := name; a.Visit != "C2D1" && a.Window.Zone != want {
				t.Errorf("%s is in %s; want %s", a.Visit, a.Window.Zone, want)
			}
		}
	}
	if s := r.visit("C2D1").Standing(); s == nil || s.ID != id || r.visit("C2D1").Window.Zone != testkit.Zone {
		t.Errorf("the completed visit changed: %+v", r.visit("C2D1"))
	}
}

func TestAnAmendmentChangesOnlyWhatHasNotOpened(t *testing.T) {
	adopted := cycle1 + 59
	wider := amended(t, "2", "opens_days: -3, closes_days: 7}", "opens_days: -2, closes_days: 5}")
	r := enrolled(t)
	r.complete("C3D1", at(cycle1+42, "10:00"))
	for name, effective := range map[string]study.Date{"the next day": adopted + 1, "that day": adopted, "dated back": cycle1, "in a month": adopted + 30} {
		h := historyOf(t, first(), adoption{text: wider, adopted: at(adopted, "12:00"), effective: effective})
		p, err := study.FoldParticipant(h, nil, r.entries...)
		if err != nil {
			t.Fatal(err)
		}
		for n := 2; n <= 17; n++ {
			a := p.AtVisit(cycleVisit(n))
			due, version, opens, closes := cycle1+study.Date(21*(n-1)), "1.0", -3, 7
			if due-3 > adopted && due-3 >= effective {
				version, opens, closes = "2", -2, 5
			}
			if a.Protocol != version || windowText(a) != span(due, opens, closes) {
				t.Errorf("%s: %s is of version %s, %s", name, a.Visit, a.Protocol, windowText(a))
			}
		}
	}
}

// An amendment that is dated back must not touch what had opened when it came,
// nor what was received: that would make the record unreadable.
func TestAnAmendmentDatedBackLosesNothing(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C3D1", at(cycle1+42, "10:00"))
	r.must(study.CodeMissing{Assessment: r.visit("C2D1").ID, Reason: "forgot", HealthRelated: study.No})
	without := amended(t, "2",
		"  - {code: C3D1, names: {en: Cycle 3, zh: 第 3 周期}, cycle: 3, opens_days: -3, closes_days: 7}\n", "",
		"  - {code: C2D1, names: {en: Cycle 2, zh: 第 2 周期}, cycle: 2, opens_days: -3, closes_days: 7}\n", "",
		"  - {code: C9D1, names: {en: Cycle 9 (week 24), zh: 第 9 周期（第 24 周）}, cycle: 9, opens_days: -3, closes_days: 7}\n", "")
	for name, effective := range map[string]study.Date{"long ago": cycle1, "today": cycle1 + 43, "later": cycle1 + 100} {
		h := historyOf(t, first(), adoption{text: without, adopted: at(cycle1+43, "12:00"), effective: effective})
		p, err := study.FoldParticipant(h, nil, r.entries...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a := p.AtVisit("C3D1"); a == nil || a.Standing() == nil || a.Standing().ID != id || a.Protocol != "1.0" {
			t.Errorf("%s: the form is gone: %+v", name, a)
		}
		if a := p.AtVisit("C2D1"); a == nil || a.NotDone == nil {
			t.Errorf("%s: the coded reason is gone", name)
		}
		if p.AtVisit("C9D1") != nil {
			t.Errorf("%s: the dropped visit is still asked for", name)
		}
		if p.AtVisit("C4D1") == nil {
			t.Errorf("%s: a visit that was not dropped is gone", name)
		}
	}
}

// A form can be recorded for a visit that an amendment drops in the same
// moment; the record must go on folding.
func TestAFormForAVisitThatIsDroppedIsKept(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C3D1", at(cycle1+42, "10:00"))
	r.must(move(2, cycle1+21+100, study.CyclePlanned)) // C3D1 is completed and stays; its cycle would be far away
	without := amended(t, "2", "  - {code: C3D1, names: {en: Cycle 3, zh: 第 3 周期}, cycle: 3, opens_days: -3, closes_days: 7}\n", "")
	h := historyOf(t, first(), adoption{text: without, adopted: at(cycle1+43, "12:00"), effective: cycle1 + 44})
	p, err := study.FoldParticipant(h, nil, r.entries...)
	if err != nil {
		t.Fatal(err)
	}
	if a := p.AtVisit("C3D1"); a == nil || a.Standing() == nil || a.Standing().ID != id || windowText(a) != span(cycle1+42, -3, 7) {
		t.Fatalf("the form is gone: %+v", a)
	}

	// The same, but the visit had never been asked for under the new history.
	h = historyOf(t, first(), adoption{text: without, adopted: at(consented-20, "12:00"), effective: consented})
	if p, err = study.FoldParticipant(h, nil, r.entries...); err != nil {
		t.Fatal(err)
	}
	if a := p.AtVisit("C3D1"); a == nil || a.Standing() == nil {
		t.Fatalf("the form is gone: %+v", a)
	}
}

func TestAfterTheEndOfTreatmentVisitsFollowTheLastGivenCycle(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+30, "10:00")
	r.must(move(1, cycle1, study.CycleGiven))
	r.must(move(2, cycle1+23, study.CycleGiven)) // two days late
	r.must(move(3, cycle1+60, study.CyclePlanned))
	postponed := r.windows()
	ended := study.RecordFact{Kind: study.FactTreatmentEnded, On: study.PartialDate((cycle1 + 30).String())}
	r.must(ended)
	want := planned(cycle1)
	for n := 2; n <= 16; n++ {
		want[cycleVisit(n)] = span(cycle1+23+study.Date(21*(n-2)), -3, 7)
	}
	want["C17D1"] = windowText(r.visit("C17D1")) // near the final visit; the oracle's random histories hold that
	expectWindows(t, r.windows(), want)
	if c := r.p.Cycles[2]; c.StartsOn != cycle1+44 || c.Postponed != cycle1+60 {
		t.Errorf("cycle 3 is %+v", c)
	}
	r.must(study.RetractFact{Seq: r.p.Fact(study.FactTreatmentEnded).Seq, Reason: "it goes on"})
	expectWindows(t, r.windows(), postponed)
}

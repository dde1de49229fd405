package analysis_test

import (
	"fmt"
	"testing"

	"epro/analysis"
	"epro/study"
)

// twelve is a study of twelve participants, told day by day. All have cycle 1
// on 2 March 2026 and so the same windows: C1D1 23 February to 2 March, C2D1
// 20 to 30 March, C3D1 10 to 20 April, C4D1 1 to 11 May.
//
//	 1  sends all three forms
//	 2  C2D1 without six of ten breast items: no BCS, no FACT-B; C3D1 blank
//	 3  no baseline; C2D1 missing, too ill; C3D1 voided: her sister's
//	 4  dies on 15 April, inside C3D1, without a form for it
//	 5  dies on 30 March, the last day of C2D1, without a form for it
//	 6  sends C2D1 on 21 March and dies on 25 March
//	 7  leaves the trial on 22 March
//	 8  leaves the questionnaires on 24 March
//	 9  C2D1 is answered by a proxy
//	10  C2D1 comes two days after closing and is accepted by the site
//	11  never has a first dose
//	12  was enrolled in error
func twelve(t *testing.T) *world {
	w := newWorld(t)
	var p [13]study.ParticipantID
	for i := 1; i <= 12; i++ {
		p[i] = w.Enrol(t, fmt.Sprintf("%03d", i)).ID
	}
	w.on("2026-03-01")
	for i := 1; i <= 12; i++ {
		if i != 3 {
			w.send(p[i], "C1D1", "2")
		}
	}
	w.on("2026-03-02")
	for i := 1; i <= 12; i++ {
		if i != 11 {
			w.fact(p[i], study.FactFirstDose, "2026-03-02", "")
		}
	}
	w.on("2026-03-21")
	for _, i := range []int{1, 4, 6, 11, 12} {
		w.send(p[i], "C2D1", "2")
	}
	w.send(p[2], "C2D1", "2", codes("B", 6)...)
	w.proxy(p[9], "C2D1")
	w.on("2026-03-25")
	w.fact(p[6], study.FactDeceased, "2026-03-25", "")
	w.fact(p[7], study.FactWithdrawn, "2026-03-22", study.LevelTrial)
	w.fact(p[8], study.FactWithdrawn, "2026-03-24", study.LevelQuestionnaires)
	w.on("2026-04-01")
	late := w.send(p[10], "C2D1", "2")
	w.do(w.Investigator, p[10], study.JudgeHeld{Form: late, Accept: true, Reason: "she was in hospital"})
	w.fact(p[5], study.FactDeceased, "2026-03-30", "")
	w.do(w.Coordinator, p[3], study.CodeMissing{Assessment: study.AssessmentFor(p[3], "C2D1"), Reason: "too_ill", HealthRelated: study.Yes})
	w.fact(p[12], study.FactEnrolledInError, "2026-04-01", "")
	w.on("2026-04-14")
	for _, i := range []int{1, 9, 10} {
		w.send(p[i], "C3D1", "2")
	}
	w.send(p[2], "C3D1", "2", codes("", 37)...)
	sisters := w.send(p[3], "C3D1", "4")
	w.do(w.Investigator, p[3], study.VoidForm{Form: sisters, Cause: study.CauseWrongPerson, Reason: "her sister filled it"})
	w.on("2026-04-16")
	w.fact(p[4], study.FactDeceased, "2026-04-15", "")
	w.on("2026-05-05")
	return w
}

// The table on paper, for FACT-B; in brackets who.
//
//	visit  pop  dead     off   expected  valid      not valid  missing       fixed  variable  on PRO
//	C1D1   10   0        0     10        9          0          1 (3)         9/10   9/10      9/10
//	C2D1   10   1 (5)    1 (7) 8         3 (1,4,6)  1 (2)      4 (3,8,9,10)  3/10   3/8       3/7
//	C3D1   10   3 (4,5,6) 1 (7) 6        3 (1,9,10) 0          3 (2,3,8)     3/10   3/6       3/5
//	C4D1   0    its window closes after the cut, for all ten
//
// For PWB the form of 2 at C2D1 is valid as well.
func TestTheCompletionTableOfTwelveParticipantsIsTheOneOnPaper(t *testing.T) {
	w := twelve(t)
	plan, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now())})
	table := func(scale string) []analysis.Rates {
		score, err := plan.Score(scale)
		if err != nil {
			t.Fatal(err)
		}
		c := analysis.NewCompletion(plan, score)
		for _, q := range people {
			c.Add(q)
		}
		return c.Rates
	}
	want := []struct {
		scale, visit                                                       string
		pop, dead, off, offPRO, expected, received, valid, missing, notYet int
		fixed, variable, onPRO                                             float64
	}{
		{"FACTB", "C1D1", 10, 0, 0, 0, 10, 9, 9, 1, 0, 9. / 10, 9. / 10, 9. / 10},
		{"FACTB", "C2D1", 10, 1, 1, 1, 8, 4, 3, 4, 0, 3. / 10, 3. / 8, 3. / 7},
		{"FACTB", "C3D1", 10, 3, 1, 1, 6, 3, 3, 3, 0, 3. / 10, 3. / 6, 3. / 5},
		{"FACTB", "C4D1", 0, 0, 0, 0, 0, 0, 0, 0, 10, -1, -1, -1},
		{"PWB", "C2D1", 10, 1, 1, 1, 8, 4, 4, 4, 0, 4. / 10, 4. / 8, 4. / 7},
	}
	for _, x := range want {
		r := table(x.scale)[plan.VisitNumber(x.visit)-1]
		got := [9]int{r.NPop, r.NDead, r.NOff, r.NOffPRO, r.NExpected, r.NReceived, r.NValid, r.NMissing, r.NNotYet}
		if on := [9]int{x.pop, x.dead, x.off, x.offPRO, x.expected, x.received, x.valid, x.missing, x.notYet}; got != on {
			t.Errorf("%s at %s: got pop, dead, off, off PRO, expected, received, valid, missing, not yet = %v, on paper %v", x.scale, x.visit, got, on)
		}
		if got := [3]float64{rate(r.RateFixed), rate(r.RateVariable), rate(r.RateVariableOnPRO)}; got != [3]float64{x.fixed, x.variable, x.onPRO} {
			t.Errorf("%s at %s: rates %v, on paper %v", x.scale, x.visit, got, [3]float64{x.fixed, x.variable, x.onPRO})
		}
	}
	if n := len(table("FACTB")); n != 18 {
		t.Errorf("%d visits", n)
	}
	reasons := table("FACTB")[1].Reasons
	if len(reasons) != 2 || reasons[0] != (analysis.ReasonCount{Reason: "", N: 3}) || reasons[1] != (analysis.ReasonCount{Reason: "too_ill", N: 1}) {
		t.Errorf("reasons at C2D1: %v", reasons)
	}
}

func rate(r *float64) float64 {
	if r == nil {
		return -1
	}
	return *r
}

func TestWhatLiesAfterTheLastDayAskedForDoesNotCount(t *testing.T) {
	w := twelve(t)
	day, err := study.ParseDate("2026-03-24")
	if err != nil {
		t.Fatal(err)
	}
	plan, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now()), Through: day})
	c, left := analysis.NewCompletion(plan, 7), 0
	for _, q := range people {
		c.Add(q)
		left += q.LeftOut.AfterThrough
		if q.DiedOn != 0 {
			t.Errorf("participant %s died after the last day", q.Number)
		}
	}
	// On 24 March C2D1 is still open for everybody, and 12 is not known to be an error.
	if r := c.Rates[0]; r.NPop != 11 || r.NValid != 10 {
		t.Errorf("C1D1: %d of %d", r.NValid, r.NPop)
	}
	if r := c.Rates[1]; r.NPop != 0 || r.NNotYet != 11 {
		t.Errorf("C2D1: %+v", r)
	}
	if left != 5 { // the late form of 10 and those of C3D1
		t.Errorf("%d forms were left out", left)
	}
}

// A delay of three weeks puts cycle 17 on the day on which the final visit
// opens.
func TestASupersededVisitLeavesTheTableAndIsCounted(t *testing.T) {
	w := newWorld(t)
	id := w.Enrol(t, "001").ID
	w.on("2026-03-02")
	w.fact(id, study.FactFirstDose, "2026-03-02", "")
	w.do(w.Coordinator, id, study.RecordCycle{N: 2, StartedOn: w.Enrol(t, "002").Cycles[1].StartsOn + 21, Reason: "holiday", Confirm: true})
	w.on("2027-06-01")
	plan, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now())})
	c := analysis.NewCompletion(plan, 7)
	for _, q := range people {
		c.Add(q)
	}
	for _, r := range c.Rates {
		if gone := r.Visit == "C17D1"; (r.NSuperseded == 1) != gone || (r.NPop == 1) == gone {
			t.Errorf("%s: %+v", r.Visit, r)
		}
	}
}

// C2D1 closes on 30 March at midnight in Shanghai.
func TestACutAtTheEndOfADayHasTheWindowsThatCloseWithIt(t *testing.T) {
	w := twelve(t)
	midnight := study.InstantOf(study.StartOfDay(study.NewDate(2026, 3, 31), w.zone()))
	for name, c := range map[string]struct {
		cut    study.Instant
		closed bool
	}{"the day's last millisecond": {midnight - 1, true}, "the one before it": {midnight - 2, false}, "midnight": {midnight, true}} {
		plan, people := w.everyone(analysis.Selection{Cut: c.cut})
		table := analysis.NewCompletion(plan, 7)
		for _, q := range people {
			table.Add(q)
			if over := study.NewDate(2026, 3, 30) < q.Today; over != c.closed {
				t.Errorf("%s: to participant %s it is %s", name, q.Number, q.Today)
			}
		}
		if r := table.Rates[1]; (r.NPop == 11) != c.closed || (r.NNotYet == 11) == c.closed {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestADeathDatedInPartDoesNotComeBeforeHerLastForm(t *testing.T) {
	w := newWorld(t)
	id := w.Enrol(t, "001").ID
	w.on("2026-03-01")
	w.send(id, "C1D1", "2")
	w.on("2026-03-02")
	w.fact(id, study.FactFirstDose, "2026-03-02", "")
	w.on("2026-04-12")
	w.send(id, "C3D1", "2")
	w.on("2026-06-01")
	w.fact(id, study.FactDeceased, "2026", "")
	plan, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now())})
	q := people[0]
	if q.DiedOn != study.NewDate(2026, 4, 12) {
		t.Errorf("died on %s", q.DiedOn)
	}
	for i, want := range []analysis.Standing{analysis.Received, analysis.Missing, analysis.Received, analysis.Dead} {
		if got := q.Visits[i].Standing; got != want {
			t.Errorf("%s is %s, want %s", plan.Visits[i].Code, got, want)
		}
	}
	rule, err := plan.Settle(analysis.Rule{Death: analysis.AsEvent}, 7)
	if err != nil {
		t.Fatal(err)
	}
	if d := plan.TimeToDeterioration(q, 7, rule); !d.Event || d.On < q.Forms[len(q.Forms)-1].CompletedOn {
		t.Errorf("%+v", d)
	}
}

func TestWhoLeavesInStepsIsOffTheQuestionnairesFirst(t *testing.T) {
	w := newWorld(t)
	id := w.Enrol(t, "001").ID
	w.on("2026-03-02")
	w.fact(id, study.FactFirstDose, "2026-03-02", "")
	w.on("2026-06-01")
	w.fact(id, study.FactWithdrawn, "2026-03-21", study.LevelQuestionnaires)
	w.fact(id, study.FactWithdrawn, "2026-04-15", study.LevelTrial)
	_, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now())})
	for i, want := range []analysis.Standing{analysis.Missing, analysis.OffPRO, analysis.Off, analysis.Off} {
		if got := people[0].Visits[i].Standing; got != want {
			t.Errorf("visit %d is %s, want %s", i+1, got, want)
		}
	}
}

func TestTheFirstOfSeveralNewTherapiesCounts(t *testing.T) {
	w := newWorld(t)
	id := w.Enrol(t, "001").ID
	w.on("2026-03-02")
	w.fact(id, study.FactFirstDose, "2026-03-02", "")
	w.on("2026-09-01")
	for _, day := range []string{"2026-07-01", "2026-05-01", "2026-08-01"} {
		w.do(w.Coordinator, id, study.RecordFact{Kind: study.FactNewTherapy, On: study.PartialDate(day), Drugs: []string{"tucatinib"}})
	}
	for through, want := range map[study.Date]study.Date{0: study.NewDate(2026, 5, 1), study.NewDate(2026, 6, 30): study.NewDate(2026, 5, 1), study.NewDate(2026, 4, 30): 0} {
		_, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now()), Through: through})
		if got := people[0].NewTherapyOn; got != want {
			t.Errorf("through %s: %s, want %s", through, got, want)
		}
	}
}

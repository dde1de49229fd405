package analysis_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"epro/analysis"
	"epro/internal/testkit"
	"epro/study"
)

// courses is a study of people made of lines, as course makes them.
func courses(t *testing.T, lines ...string) *analysis.Data {
	t.Helper()
	d := &analysis.Data{Plan: factbPlan(t)}
	for _, line := range lines {
		d.People = append(d.People, course(t, d.Plan, line))
	}
	return d
}

// Five people at the first visit after baseline, threshold 7:
//
//	+7 improved · +6.9 stable · −7 worsened · missed · no baseline
//
// and at the second: +8, −8, nothing from the others but a missed form each.
func TestRespondersAreCountedAmongThoseWhoAnsweredAndAmongAll(t *testing.T) {
	d := courses(t, "100 107 108", "100 106.9 .", "100 93 92", "100 . .", ". 120 120")
	table, err := d.ResponderTable(analysis.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	share := func(s analysis.Share) [2]int { return [2]int{s.N, s.Of} }
	first, second := table.Visits[0], table.Visits[1] // after baseline
	for _, c := range []struct {
		name string
		got  analysis.Share
		want [2]int
	}{
		{"first, improved", first.AmongValid.Improved, [2]int{1, 3}}, {"first, stable", first.AmongValid.Stable, [2]int{1, 3}},
		{"first, worsened", first.AmongValid.Worsened, [2]int{1, 3}}, {"first, improved of all", first.AmongAll.Improved, [2]int{1, 5}},
		{"second, improved", second.AmongValid.Improved, [2]int{1, 2}}, {"second, worsened of all", second.AmongAll.Worsened, [2]int{1, 5}},
		{"any, improved", table.Any.ImprovedAmongValid, [2]int{1, 3}}, {"any, improved of all", table.Any.ImprovedAmongAll, [2]int{1, 5}},
		{"sustained, improved", table.Sustained.ImprovedAmongValid, [2]int{1, 3}}, {"sustained, worsened", table.Sustained.WorsenedAmongAll, [2]int{1, 5}},
	} {
		if share(c.got) != c.want {
			t.Errorf("%s: %v, on paper %v", c.name, share(c.got), c.want)
		}
	}
	if table.Threshold != 7 || !strings.Contains(table.Source, "Eton 2004") {
		t.Errorf("threshold %v, %s", table.Threshold, table.Source)
	}
	once := courses(t, "100 107 106 107")
	if table, err = once.ResponderTable(analysis.Ask{}); err != nil || table.Any.ImprovedAmongAll.N != 1 || table.Sustained.ImprovedAmongAll.N != 0 {
		t.Errorf("improved twice but never in a row: %+v, %+v, %v", table.Any, table.Sustained, err)
	}
}

func TestTheCumulativeDistributionRisesToOneAndStepsOnceForEachValue(t *testing.T) {
	d := courses(t, "100 95", "100 90", "90 85", "100 100", "100 .")
	table, err := d.DistributionTable(analysis.Ask{Visit: "C2D1"})
	if err != nil {
		t.Fatal(err)
	}
	want := []analysis.Step{{Change: -10, Share: 0.25}, {Change: -5, Share: 0.75}, {Change: 0, Share: 1}}
	got := table.Visits[0]
	if got.N != 4 || !got.Few || len(got.Steps) != 3 || got.Steps[0] != want[0] || got.Steps[1] != want[1] || got.Steps[2] != want[2] {
		t.Errorf("%+v, on paper %v", got, want)
	}
}

func TestMissingFormsHaveAPattern(t *testing.T) {
	d := courses(t, "100 100 100", "100 100 .", "100 . .", "100 . 100", ". . .", "100 100 -", ". 100 100", "100 100 x")
	table, err := d.MissingTable(analysis.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[analysis.Pattern]int{analysis.PatternComplete: 2, analysis.PatternMonotone: 3, analysis.PatternIntermittent: 2, analysis.PatternNone: 1}
	for kind, n := range want {
		if table.Kinds[kind] != n {
			t.Errorf("%s: %d, on paper %d (%v)", kind, table.Kinds[kind], n, table.Patterns)
		}
	}
	if first := table.Patterns[0]; !strings.HasPrefix(first.Visits, "XXO.") || first.N != 2 || first.Kind != analysis.PatternMonotone {
		t.Errorf("most frequent: %+v", first)
	}
	total := 0
	for _, row := range table.ByLast {
		total += row.N
	}
	if total != 7 { // all but the one who sent nothing
		t.Errorf("%d people by last visit", total)
	}
}

func TestAWeekIsAskedForByItsCodeAlone(t *testing.T) {
	plan, people := simulatedStudy(t, 40, 1).read(t, analysis.Selection{})
	d := &analysis.Data{Plan: plan, People: people}
	for code, axis := range map[string]analysis.Axis{"W18": analysis.ByCalendar, "W24": analysis.ByCalendar, "C7D1": analysis.ByCycle, "W52": analysis.ByCycle} {
		if table, err := d.ChangeTable(analysis.Ask{Visit: code}); err != nil || table.Axis != axis || len(table.Visits) != 1 || table.Visits[0].Code != code {
			t.Errorf("%s: %+v, %v", code, table.Axis, err)
		}
	}
	table, err := d.ChangeTable(analysis.Ask{})
	if err != nil || len(table.Visits) != 17 || table.Visits[0].Code != "C2D1" {
		t.Errorf("the baseline visit has no change from itself: %v", err)
	}
}

// The nearest multiple of 21 days, found by looking at every one.
func TestACalendarVisitIsTheNearestMultipleAndOfTwoTheEarlier(t *testing.T) {
	plan, people := simulatedStudy(t, 40, 1).read(t, analysis.Selection{})
	placed := 0
	for _, q := range people {
		for _, f := range q.Forms {
			if q.FirstDose.On == 0 {
				continue
			}
			days, best := int(f.CompletedOn-q.FirstDose.On), 0
			for target := 0; target < 1000; target += plan.CycleDays {
				if math.Abs(float64(days-target)) < math.Abs(float64(days-best)) {
					best = target
				}
			}
			if f.Week.Target != best || f.Week.Diff != days-best {
				t.Errorf("day %d: %+v, nearest is %d", days, f.Week, best)
			}
			placed++
		}
	}
	if placed < 100 {
		t.Errorf("only %d forms", placed)
	}
	if analysis.WeekCode(126) != "W18" || analysis.WeekName(168) != "Week 24" || analysis.WeekCode(10) != "D10" {
		t.Error(analysis.WeekCode(126), analysis.WeekName(168), analysis.WeekCode(10))
	}
}

// One participant whose first dose is on 2 March at 10:30 or at a time that
// nobody wrote down, and who sends her baseline form at some hour.
func TestTheBaselineIsTheLastValidFormBeforeTheFirstDose(t *testing.T) {
	for _, c := range []struct {
		name          string
		sent          string // local time of the baseline form
		dose          string // local time of the first dose, or ""
		strict        bool
		there, unsure bool
	}{
		{"the day before", "2026-03-01 20:00", "", false, true, false},
		{"an hour before", "2026-03-02 09:30", "2026-03-02 10:30", false, true, false},
		{"an hour after", "2026-03-02 11:30", "2026-03-02 10:30", false, false, false},
		{"on the day, order unknown", "2026-03-02 11:30", "", false, true, true},
		{"on the day, order unknown, strict", "2026-03-02 11:30", "", true, false, false},
		{"the day before, strict", "2026-03-01 20:00", "", true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.Enrol(t, "001").ID
			w.Clock.Set(w.local(c.sent))
			w.send(id, "C1D1", "3")
			w.Clock.Set(w.local("2026-03-02 18:00"))
			fact := study.RecordFact{Kind: study.FactFirstDose, On: "2026-03-02"}
			if c.dose != "" {
				fact.At = study.InstantOf(w.local(c.dose))
			}
			w.do(w.Coordinator, id, fact)
			w.on("2026-03-21")
			w.send(id, "C2D1", "2")
			_, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now()), StrictBaseline: c.strict})
			base := people[0].Baselines[0]
			if (base.Form != nil) != c.there || base.OrderUnknown != c.unsure {
				t.Fatalf("baseline %+v", base)
			}
			after := people[0].Visits[1].Form
			// PWB is reversed: 7 for all 3, 14 for all 2.
			if change, known := people[0].Change(after, 0); known != c.there || known && change != 7 {
				t.Errorf("change %v, %t", change, known)
			}
		})
	}
}

func (w *world) local(text string) time.Time {
	w.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, w.zone())
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

// What every table must satisfy, whatever the study and the question.
func TestTheTablesAgreeWithEachOther(t *testing.T) {
	s := simulatedStudy(t, 40, 2)
	rapid.Check(t, func(t *rapid.T) {
		plan, people := s.read(t, drawSelection(t))
		d := &analysis.Data{Plan: plan, People: people}
		ask := analysis.Ask{Scale: rapid.SampledFrom(plan.Scores).Draw(t, "scale"), Axis: rapid.SampledFrom(analysis.Axes).Draw(t, "axis"), Threshold: 3,
			Rule: analysis.Rule{Threshold: 3, Variant: rapid.SampledFrom(analysis.Variants).Draw(t, "variant")}}
		change, err := d.ChangeTable(ask)
		must(t, err)
		responders, err := d.ResponderTable(ask)
		must(t, err)
		distribution, err := d.DistributionTable(ask)
		must(t, err)
		scores, err := d.ScoreTable(ask)
		must(t, err)
		of := map[string]int{}
		for _, row := range scores.Visits {
			of[row.Code] = row.N
		}
		for i, row := range change.Visits {
			r := responders.Visits[i].AmongValid
			if row.N > of[row.Code] || r.Improved.N+r.Stable.N+r.Worsened.N != row.N || distribution.Visits[i].N != row.N || responders.Visits[i].AmongAll.Stable.Of < row.N {
				t.Fatalf("%s: %+v, %+v, %+v", row.Code, row, r, distribution.Visits[i])
			}
			if steps := distribution.Visits[i].Steps; len(steps) > 0 && (steps[len(steps)-1].Share != 1 || steps[0].Change != *row.Min) {
				t.Fatalf("%s: %v", row.Code, steps)
			}
		}
		times, err := d.DeteriorationTable(ask)
		must(t, err)
		if len(times.People) != d.Population() || times.Curve.N != d.Population() {
			t.Fatalf("%d times of %d people", len(times.People), d.Population())
		}
		for _, x := range times.People {
			if x.Days < 1 || x.On < x.OriginOn || x.Event != (x.Censor == 0) || x.Event && (x.Value == nil || *x.Value > *x.Baseline-3+1e-9) {
				t.Fatalf("%+v", x)
			}
		}
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Confirming or demanding more can only make events later and fewer.
func TestAFirstFallComesNoLaterThanAConfirmedOrDefinitiveOne(t *testing.T) {
	s := simulatedStudy(t, 40, 1)
	plan, people := s.read(t, analysis.Selection{})
	for score := range plan.Scores {
		for _, q := range people {
			days := map[analysis.Variant]int{}
			for _, variant := range analysis.Variants {
				rule := analysis.Rule{Threshold: 3, Variant: variant, Gap: analysis.AsEvent}
				if x := plan.TimeToDeterioration(q, score, rule); x.Event {
					days[variant] = x.Days
				}
			}
			for _, later := range []analysis.Variant{analysis.ConfirmedFall, analysis.DefinitiveFall} {
				if days[later] > 0 && (days[analysis.FirstFall] == 0 || days[analysis.FirstFall] > days[later]) {
					t.Errorf("%s of %s: %v", plan.Scores[score], q.Number, days)
				}
			}
		}
	}
}

// Twelve forms, all 3 but GP1, which is 0 in four of them and skipped in two.
// GP1 is reversed: 4 − 3 = 1 six times, 4 four times; GF1 is not: 3.
func TestTheMeanOfAnItemIsOfItsScoresOverWhoAnsweredIt(t *testing.T) {
	w := newWorld(t)
	var ids []study.ParticipantID
	for i := range 12 {
		ids = append(ids, w.Enrol(t, string(rune('A'+i))).ID)
	}
	w.on("2026-03-01")
	for i, id := range ids {
		form := testkit.Form(id, "C1D1", study.SubmissionID(w.NewID()), w.Clock.Now(), nil)
		form.Answers, form.Skipped = answers("3")
		switch {
		case i < 4:
			form.Answers["GP1"] = "0"
		case i < 6:
			delete(form.Answers, "GP1")
			form.Skipped["GP1"] = "skipped"
		}
		w.do(testkit.Phone(id), id, form)
	}
	w.on("2026-03-02")
	for _, id := range ids {
		w.do(w.Coordinator, id, study.RecordFact{Kind: study.FactFirstDose, On: "2026-03-02"})
	}
	plan, people := w.everyone(analysis.Selection{Cut: study.InstantOf(w.Clock.Now())})
	d := &analysis.Data{Plan: plan, People: people}
	table, err := d.ItemTable(analysis.Ask{Visit: "C1D1"})
	if err != nil || len(table.Items) != 37 || len(table.Visits) != 1 || table.Low != 0 || table.High != 4 {
		t.Fatalf("%d items, %v, %v", len(table.Items), table.Visits, err)
	}
	for _, row := range table.Items {
		c, n, mean, reversed := row.Cells[0], 12, 3.0, false
		switch row.Item {
		case "GP1":
			n, mean, reversed = 10, 2.2, true
		case "GF1":
		default:
			continue
		}
		if c.N != n || c.Few || math.Abs(*c.Mean-mean) > 1e-12 || row.Reversed != reversed || row.Label == "" {
			t.Errorf("%s: %+v, mean %v, on paper %v of %d", row.Item, c, *c.Mean, mean, n)
		}
	}
	if table, err = d.ItemTable(analysis.Ask{Scale: "PWB"}); err != nil || len(table.Items) != 7 || table.Items[0].Cells[1].Mean != nil {
		t.Errorf("%d items of PWB, %v", len(table.Items), err)
	}
}

func TestVisitsAreThoseFromOneToAnother(t *testing.T) {
	plan, people := simulatedStudy(t, 40, 1).read(t, analysis.Selection{})
	d := &analysis.Data{Plan: plan, People: people}
	for _, c := range []struct {
		ask  analysis.Ask
		want string // first, last and number of visits, or the error
	}{
		{analysis.Ask{}, "C1D1 W52 18"}, {analysis.Ask{From: "C2D1", To: "C4D1"}, "C2D1 C4D1 3"}, {analysis.Ask{To: "C2D1"}, "C1D1 C2D1 2"},
		{analysis.Ask{From: "W3", To: "W9"}, "W3 W9 3"}, {analysis.Ask{From: "C3D1", To: "C2D1"}, "C2D1 comes before C3D1"},
		{analysis.Ask{From: "C99D1"}, "C1D1, C2D1"}, {analysis.Ask{Axis: analysis.ByCalendar, To: "C2D1"}, "W0, W3"},
	} {
		table, err := d.ScoreTable(c.ask)
		var e *study.Error
		var got string
		if errors.As(err, &e) {
			got = e.Fields[0].Reason
		} else {
			n := len(table.Visits)
			got = fmt.Sprint(table.Visits[0].Code, " ", table.Visits[n-1].Code, " ", n)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s, want %s", c.ask, got, c.want)
		}
	}
	for _, ask := range []analysis.Ask{{Visit: "C2D1"}, {From: "C2D1"}, {To: "C2D1"}} {
		_, missing := d.MissingTable(ask)
		_, times := d.DeteriorationTable(ask)
		if study.CodeOf(missing) != study.Invalid || study.CodeOf(times) != study.Invalid {
			t.Errorf("%+v: %v, %v", ask, missing, times)
		}
	}
}

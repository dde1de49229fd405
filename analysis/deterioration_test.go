package analysis_test

import (
	"fmt"
	"strings"
	"testing"

	"epro/analysis"
	"epro/scoring"
	"epro/study"
)

// day0 is the first dose of the people below.
var day0 = study.NewDate(2026, 3, 2)

// factbPlan is the embedded study's plan; its last score is FACT-B.
func factbPlan(t *testing.T) *analysis.Plan {
	t.Helper()
	plan, _ := simulatedStudy(t, 20, 3).read(t, analysis.Selection{})
	return plan
}

// course makes a person of a line such as "100 95 . x 93": the FACT-B of
// baseline and of the visits after it, three weeks apart; a point is a missed
// visit, x a form that is not valid, - no visit yet.
func course(t *testing.T, plan *analysis.Plan, line string) *analysis.Person {
	t.Helper()
	q := &analysis.Person{ID: "her", FirstDose: analysis.Dose{On: day0}, InPopulation: true, ConsentedOn: day0 - 10,
		Visits: make([]analysis.VisitOf, len(plan.Visits)), Baselines: make([]analysis.Baseline, len(plan.Scores))}
	last := len(plan.Scores) - 1
	words := strings.Fields(line)
	q.Forms = make([]analysis.Form, 0, len(words))
	for i, word := range words {
		due := day0 + study.Date(21*i)
		v := &q.Visits[i]
		*v = analysis.VisitOf{Asked: true, Window: study.Window{OpensOn: due - 3, DueOn: due, ClosesOn: due + 7, Zone: "UTC"}, Standing: analysis.Missing}
		if word == "-" {
			v.Standing = analysis.NotYet
		}
		if word == "." || word == "-" {
			continue
		}
		v.Standing = analysis.Received
		f := analysis.Form{Submission: &study.Submission{CompletedAt: study.InstantOf(due.UTC())}, Visit: i, CompletedOn: due,
			Points: make([]scoring.Score, len(plan.Scores)), Answered: 37, InTime: true}
		if i == 0 {
			f.CompletedAt, f.CompletedOn = study.InstantOf((due - 1).UTC()), due-1
		}
		if _, err := fmt.Sscan(word, &f.Points[last].Value); err != nil {
			f.Points[last].Missing = scoring.TooFewOverall
		}
		q.Forms = append(q.Forms, f)
		v.Form = &q.Forms[len(q.Forms)-1]
		if f.Points[last].Missing == scoring.NotMissing && i == 0 {
			q.Baselines[last] = analysis.Baseline{Form: v.Form, Value: f.Points[last].Value}
		}
	}
	return q
}

// Each line is a person, a rule, and what it comes to: the day counted from the
// first dose as day 1, and how it ends. The threshold is 7 points, FACT-B's.
func TestTimeToDeteriorationIsWhatTheRulesSay(t *testing.T) {
	plan := factbPlan(t)
	const never = 0
	for _, c := range []struct {
		course string
		rule   analysis.Rule
		died   int // day counted from the first dose, or never
		worse  int // of progression
		days   int
		event  bool
		end    analysis.Ending
	}{
		// The first fall, at and just short of the threshold.
		{"100 93 100", analysis.Rule{}, never, never, 22, true, analysis.EndFall},
		{"100 93.0001 100", analysis.Rule{}, never, never, 43, false, analysis.EndLastForm},
		{"100 93.0001 93", analysis.Rule{}, never, never, 43, true, analysis.EndFall},
		{"100 95", analysis.Rule{Threshold: 5}, never, never, 22, true, analysis.EndFall},
		{"100 95.0001", analysis.Rule{Threshold: 5}, never, never, 22, false, analysis.EndLastForm},
		// A fall of 7 on paper that is a little less in floating point.
		{"16.333333333333332 9.333333333333334", analysis.Rule{}, never, never, 22, true, analysis.EndFall},
		// Confirmed: by the next valid form, missed visits aside, or by death in time.
		{"100 93 100 93 92", analysis.Rule{Variant: analysis.ConfirmedFall}, never, never, 64, true, analysis.EndFall},
		{"100 93 . 92", analysis.Rule{Variant: analysis.ConfirmedFall}, never, never, 22, true, analysis.EndFall},
		{"100 93 x 92", analysis.Rule{Variant: analysis.ConfirmedFall}, never, never, 22, true, analysis.EndFall},
		{"100 100 93", analysis.Rule{Variant: analysis.ConfirmedFall}, never, never, 43, false, analysis.EndLastForm},
		{"100 100 93", analysis.Rule{Variant: analysis.ConfirmedFall}, 42 + 43, never, 43, true, analysis.EndFall},
		{"100 100 93", analysis.Rule{Variant: analysis.ConfirmedFall}, 43 + 43, never, 43, false, analysis.EndDied},
		// Definitive: nothing better afterwards; a single last fall counts.
		{"100 93 100 93 92", analysis.Rule{Variant: analysis.DefinitiveFall}, never, never, 64, true, analysis.EndFall},
		{"100 93 92 100", analysis.Rule{Variant: analysis.DefinitiveFall}, never, never, 64, false, analysis.EndLastForm},
		{"100 100 93", analysis.Rule{Variant: analysis.DefinitiveFall}, never, never, 43, true, analysis.EndFall},
		// Death: censored at the last form, or an event within 42 days of it.
		{"100 100", analysis.Rule{}, 30, never, 22, false, analysis.EndDied},
		{"100 100", analysis.Rule{Death: analysis.AsEvent}, 22 + 42, never, 22 + 42, true, analysis.EndFall},
		{"100 100", analysis.Rule{Death: analysis.AsEvent}, 22 + 43, never, 22, false, analysis.EndDied},
		{"100 93", analysis.Rule{Death: analysis.AsEvent}, 30, never, 22, true, analysis.EndFall},
		// No baseline, or nothing after it.
		{". 93 92", analysis.Rule{}, never, never, 1, false, analysis.EndNoBaseline},
		{"x 93 92", analysis.Rule{}, never, never, 1, false, analysis.EndNoBaseline},
		{"100", analysis.Rule{}, never, never, 1, false, analysis.EndNoFollowUp},
		{"100 . x", analysis.Rule{}, 20, never, 1, false, analysis.EndNoFollowUp},
		{"100 . .", analysis.Rule{Death: analysis.AsEvent}, 20, never, 1, false, analysis.EndNoFollowUp},
		// Two or more missed: censored before them, unless what follows counts.
		{"100 100 . . 93", analysis.Rule{}, never, never, 22, false, analysis.EndGap},
		{"100 100 . x 93", analysis.Rule{}, never, never, 22, false, analysis.EndGap},
		{"100 100 . . 100 93", analysis.Rule{}, never, never, 22, false, analysis.EndGap},
		{"100 100 . . 93", analysis.Rule{Gap: analysis.AsEvent}, never, never, 85, true, analysis.EndFall},
		{"100 100 . 93", analysis.Rule{}, never, never, 64, true, analysis.EndFall},
		{"100 . . 93", analysis.Rule{}, never, never, 1, false, analysis.EndGap},
		{"100 93 . . 100", analysis.Rule{}, never, never, 22, true, analysis.EndFall},
		{"100 93 . . 100", analysis.Rule{Variant: analysis.DefinitiveFall}, never, never, 22, false, analysis.EndGap},
		{"100 93 . . 92", analysis.Rule{Variant: analysis.ConfirmedFall}, never, never, 22, true, analysis.EndFall},
		{"100 100 . . .", analysis.Rule{}, never, never, 22, false, analysis.EndLastForm},
		{"100 100 - - -", analysis.Rule{}, never, never, 22, false, analysis.EndLastForm},
		// Progression: ignored, or nothing after it is looked at.
		{"100 100 93", analysis.Rule{}, never, 30, 43, true, analysis.EndFall},
		{"100 100 93", analysis.Rule{Progression: analysis.AsCensored}, never, 30, 22, false, analysis.EndProgression},
		{"100 100 93", analysis.Rule{Progression: analysis.AsCensored}, never, 43, 43, true, analysis.EndFall},
		{"100 100 93", analysis.Rule{Progression: analysis.AsCensored}, never, 10, 1, false, analysis.EndProgression},
		{"100 100", analysis.Rule{Progression: analysis.AsCensored, Death: analysis.AsEvent}, 40, 30, 22, false, analysis.EndProgression},
	} {
		q := course(t, plan, c.course)
		if c.died != never {
			q.DiedOn = day0 + study.Date(c.died-1)
		}
		if c.worse != never {
			q.ProgressedOn = day0 + study.Date(c.worse-1)
		}
		score := len(plan.Scores) - 1
		rule, err := plan.Settle(c.rule, score)
		if err != nil {
			t.Fatal(err)
		}
		got := plan.TimeToDeterioration(q, score, rule)
		if got.Days != c.days || got.Event != c.event || got.Censor != c.end {
			t.Errorf("%q, died %d, progressed %d, %+v:\n got day %d, event %t, %s\nwant day %d, event %t, %s",
				c.course, c.died, c.worse, c.rule, got.Days, got.Event, got.Censor, c.days, c.event, c.end)
		}
		if want := got.OriginOn + study.Date(got.Days-1); got.On != want {
			t.Errorf("%q: day %d is %s, not %s", c.course, got.Days, want, got.On)
		}
		if single := c.course == "100 100 93" && c.rule.Variant == analysis.DefinitiveFall; got.SingleLast != single {
			t.Errorf("%q, %s: single last is %t", c.course, c.rule.Variant, got.SingleLast)
		}
	}
}

func TestWhoStartsBelowTheThresholdCannotFallSoFarAndIsFlagged(t *testing.T) {
	plan := factbPlan(t)
	score := len(plan.Scores) - 1
	rule, err := plan.Settle(analysis.Rule{}, score)
	if err != nil {
		t.Fatal(err)
	}
	for base, flagged := range map[string]bool{"6.9": true, "7": false, "100": false} {
		if got := plan.TimeToDeterioration(course(t, plan, base+" 0"), score, rule); got.CannotFall != flagged || got.Event == flagged {
			t.Errorf("baseline %s: %+v", base, got)
		}
	}
}

func TestASWBThresholdMustBeSaidBecauseNoneIsPublished(t *testing.T) {
	plan := factbPlan(t)
	swb, err := plan.Score("SWB")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Settle(analysis.Rule{}, swb); study.CodeOf(err) != study.Invalid {
		t.Errorf("got %v", err)
	}
	if r, err := plan.Settle(analysis.Rule{Threshold: 3}, swb); err != nil || r.Threshold != 3 {
		t.Errorf("got %v, %v", r, err)
	}
	if _, err := plan.Settle(analysis.Rule{Variant: "worst"}, 7); study.CodeOf(err) != study.Invalid {
		t.Errorf("got %v", err)
	}
}

package study_test

import (
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// alertsOf are the alerts as text: rule, what it is about, state.
func alertsOf(r *record, pushes study.PushSummary) string {
	var out []string
	for _, a := range study.Alerts(r.h, r.p, pushes, r.now) {
		out = append(out, strings.TrimPrefix(string(a.ID), string(personID)+".")+" "+string(a.State))
	}
	return strings.Join(out, ", ")
}

func TestAMissedVisitAndTwoInARowAreAlertsAndEscalateUntilAcknowledged(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1, "23:59")
	if got := alertsOf(r, study.PushSummary{}); got != "" {
		t.Errorf("while the window is open: %s", got)
	}
	r.now = at(cycle1+1, "00:00")
	if got := alertsOf(r, study.PushSummary{}); got != "missed.C1D1 open" {
		t.Errorf("as it closes: %s", got)
	}
	r.now = at(cycle1+2, "00:00")
	if got := alertsOf(r, study.PushSummary{}); got != "missed.C1D1 escalated" {
		t.Errorf("a day later: %s", got)
	}
	id := study.AlertID(string(personID) + ".missed.C1D1")
	r.refuse(study.AcknowledgeAlert{Alert: id}, study.Invalid, "note")
	r.refuse(study.AcknowledgeAlert{Alert: id + "x", Note: "x"}, study.NotFound)
	r.must(study.AcknowledgeAlert{Alert: id, Note: "called her"})
	r.refuse(study.AcknowledgeAlert{Alert: id, Note: "again"}, study.Conflict)
	r.now = at(cycle1+29, "00:00")
	want := "missed.C1D1 acknowledged, missed.C2D1 open, missed_in_a_row.C2D1 open"
	if got := alertsOf(r, study.PushSummary{}); got != want {
		t.Errorf("after the second: %s", got)
	}
	r.complete("C3D1", at(cycle1+42, "10:00"))
	r.now = at(cycle1+71, "00:00")
	if got := alertsOf(r, study.PushSummary{}); got != strings.ReplaceAll(want, "open", "escalated")+", missed.C4D1 open" {
		t.Errorf("a form breaks the row: %s", got)
	}
	r.must(death((cycle1 + 60).String()))
	if got := alertsOf(r, study.PushSummary{}); strings.Contains(got, "C4D1") {
		t.Errorf("a visit after her death: %s", got)
	}
}

func TestFailingPushesAndHeldFormsAreAlerts(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1, "10:00")
	failing := study.PushSummary{FailingFor: study.AssessmentFor(personID, "C1D1"), FailingSince: study.InstantOf(r.now)}
	if got := alertsOf(r, failing); got != "pushes_failing.C1D1 open" {
		t.Errorf("pushes: %s", got)
	}
	f := r.form("C1D1")
	f.StartedAt, f.CompletedAt = study.InstantOf(r.now.Add(-31*24*time.Hour)), study.InstantOf(r.now.Add(-30*24*time.Hour))
	if receipt, err := r.send(f); err != nil || receipt.HeldCause == "" {
		t.Fatalf("%+v %v", receipt, err)
	}
	if got := alertsOf(r, study.PushSummary{}); got != "held."+string(f.ID)+" open" {
		t.Errorf("held: %s", got)
	}
	r.must(study.JudgeHeld{Form: f.ID, Accept: false, Reason: "a test"})
	if got := alertsOf(r, study.PushSummary{}); got != "" {
		t.Errorf("after the decision: %s", got)
	}
}

// Score rules are off until the sponsor sets them; on, they look at forms that
// count, and at two in a row where the rule says two.
func TestScoreRulesAreOffUntilTheSponsorSetsThem(t *testing.T) {
	bad := func(base int) map[string]string {
		answers := testkit.Answers(1)
		for code := range answers {
			answers[code] = map[int]string{0: "2", 1: "4"}[base]
			if base == 1 && strings.HasPrefix(code, "GF") {
				answers[code] = "0"
			}
		}
		return answers
	}
	for _, c := range []struct{ rules, want string }{
		{"[]", ""},
		{"[{score: FWB, falls_by: 14, forms: 2}]", "score_fell.FWB.C3D1 open"},
		{"[{score: FWB, falls_by: 14, forms: 1}]", "score_fell.FWB.C2D1 open"},
		{"[{score: FWB, falls_by: 15, forms: 1}]", ""},
		{"[{item: GP5, at_least: 4}]", "answer.GP5.C2D1 open, answer.GP5.C3D1 open"},
	} {
		r := enrolledUnder(t, historyOf(t, adoption{text: amended(t, "2", "  scores: []", "  scores: "+c.rules, "escalate_after_hours: 24 ", "escalate_after_hours: 0 "), adopted: testkit.Start}), testkit.NewParticipant("001"))
		for i, visit := range []string{"C1D1", "C2D1", "C3D1"} {
			r.now = at(cycle1+study.Date(21*i), "10:00")
			f := r.form(visit)
			f.Answers = bad(min(i, 1))
			if receipt, err := r.send(f); err != nil || !receipt.Counted {
				t.Fatalf("%s: %+v %v", visit, receipt, details(err))
			}
		}
		if got := alertsOf(r, study.PushSummary{}); got != c.want {
			t.Errorf("with %s: %q, want %q", c.rules, got, c.want)
		}
	}
}

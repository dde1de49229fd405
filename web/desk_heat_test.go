package web

import (
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// Every state of the heat map is reached, and each assessment has exactly one.
func TestEveryStateOfTheHeatMapIsReached(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	day := func(n study.Date) time.Time { return (testkit.Cycle1 + n).UTC().Add(2 * time.Hour) }
	cell := func(visit string, answered int, now time.Time) cellState {
		t.Helper()
		s, err := f.Participant(t.Context(), f.Coordinator, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return cellOf(s, s.AtVisit(visit), answered, now)
	}
	do := func(c study.Command) {
		t.Helper()
		if _, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, c); err != nil {
			t.Fatal(err)
		}
	}
	reached := map[cellState]bool{}
	want := func(w cellState, visit string, answered int, n study.Date) {
		t.Helper()
		got := cell(visit, answered, day(n))
		reached[got] = true
		if got != w {
			t.Errorf("%s on day %d is %q, want %q", visit, n, got.Word, w.Word)
		}
	}
	want(cellNotDue, "C2D1", 0, 0)
	want(cellDue, "C1D1", 0, 0)
	want(cellInProgress, "C1D1", 5, 0)
	want(cellUnexplained, "C1D1", 5, 1)
	want(cellOverdue, "C2D1", 0, 23)
	want(cellInProgress, "C2D1", 1, 23)
	f.Clock.Set(day(2))
	do(study.CodeMissing{Assessment: study.AssessmentFor(p.ID, "C1D1"), Reason: "forgot", HealthRelated: study.No})
	want(cellExplained, "C1D1", 0, 2)
	f.Clock.Set(day(21))
	f.Submit(t, p.ID, "C2D1", 1)
	want(cellComplete, "C2D1", 0, 22)
	f.Clock.Set(day(42))
	some := testkit.Form(p.ID, "C3D1", "s3", f.Clock.Now(), map[string]string{"GP1": "1"})
	if _, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, some); err != nil {
		t.Fatal(err)
	}
	want(cellPartial, "C3D1", 0, 43)
	do(study.RecordCycle{N: 17, StartedOn: testkit.Cycle1 + 366, Kind: study.CyclePlanned, Reason: "delay", Confirm: true})
	want(cellSuperseded, "C17D1", 0, 43)
	do(study.RecordFact{Kind: study.FactWithdrawn, On: study.PartialDate((testkit.Cycle1 + 42).String()), Level: study.LevelTrial, Reason: "moved"})
	want(cellLeft, "C4D1", 0, 43)
	for _, c := range allCells {
		if !reached[c] {
			t.Errorf("%q is never reached", c.Word)
		}
	}
	glyphs := map[string]bool{}
	for _, c := range allCells {
		if glyphs[c.Glyph] {
			t.Errorf("two states share the glyph %q", c.Glyph)
		}
		glyphs[c.Glyph] = true
	}
}

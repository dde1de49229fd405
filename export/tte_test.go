package export_test

import (
	"strings"
	"testing"

	"epro/analysis"
	"epro/export"
	"epro/study"
)

// FACT-B falls from 77 to 74, by 3, and then she dies eight days after that form.
func TestTimeToDeteriorationIsCountedAsAskedFor(t *testing.T) {
	w := newWorld(t, false, nil)
	first, _, _ := threePeople(t, w)
	w.at("2026-02-20 12:00")
	w.do(first, investigate, study.RecordFact{Kind: study.FactDeceased, On: "2026-02-09", Reason: "letter of the family"})
	ids := map[string]bool{}
	for _, c := range []struct {
		rule  analysis.Rule
		cells map[string]string
		rows  int // two people, three variants, so many scores
	}{
		{analysis.Rule{}, map[string]string{"THRESH": "7", "EVENT": "0", "CNSR": "2", "ADT": "2026-02-01", "DEATHBY": "censor"}, 42},
		{analysis.Rule{Threshold: 3}, map[string]string{"THRESH": "3", "EVENT": "1", "CNSR": "0", "ADT": "2026-02-01", "AVAL": "21"}, 48},
		{analysis.Rule{Death: analysis.AsEvent, Gap: analysis.AsEvent, Progression: analysis.AsCensored},
			map[string]string{"EVENT": "1", "ADT": "2026-02-09", "DEATHBY": "event", "GAPBY": "event", "PDBY": "censor"}, 42},
	} {
		text, s := w.write(export.Options{Dataset: "tte", Deterioration: c.rule})
		got := rows(t, text)
		if len(got) != c.rows {
			t.Errorf("%+v: %d rows, want %d", c.rule, len(got), c.rows)
		}
		ids[s.ExportID] = true
		for _, row := range got {
			if row["SUBJID"] == "007" && row["SCORE"] == "FACTB" && row["VARIANT"] == "first" {
				want(t, row, c.cells)
			}
		}
	}
	if len(ids) != 3 {
		t.Error("ways of counting share an export id")
	}
	for _, c := range []struct {
		o    export.Options
		want string
	}{
		{export.Options{Dataset: "tte", Deterioration: analysis.Rule{Death: "ignore"}}, "censor, event"},
		{export.Options{Dataset: "tte", Deterioration: analysis.Rule{Variant: analysis.FirstFall}}, "every variant"},
		{export.Options{Dataset: "tte", Deterioration: analysis.Rule{Threshold: -1}}, "above 0"},
		{export.Options{Dataset: "qs", Deterioration: analysis.Rule{Death: analysis.AsEvent}}, "ask for tte or study"},
	} {
		c.o.Format = "csv"
		if _, err := export.Prepare(ctx, w.Service, analyst, c.o); study.CodeOf(err) != study.Invalid || !strings.Contains(wordsOf(err), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

package export_test

import (
	"slices"
	"strings"
	"testing"

	"epro/export"
	"epro/study"
)

func TestTheAuditTrailSaysWhoDidWhatAndWhatACorrectionChanged(t *testing.T) {
	w := newWorld(t, false, nil)
	_, second, third := threePeople(t, w)
	w.at("2026-03-01 12:00")
	text, _ := w.write(export.Options{Dataset: "audit", Cut: w.cutAt("2026-02-28")})
	got := rows(t, text)
	var changed []string
	for _, row := range got {
		if row["EVENT"] == "submission_corrected" && row["ITEM"] != "" {
			changed = append(changed, row["ITEM"]+" "+row["OLDVAL"]+" "+row["NEWVAL"])
		}
		if strings.Contains(row["STREAM"], string(third.ID)) {
			t.Error("who forbade further use is in it")
		}
	}
	if len(changed) != 37 || !slices.Contains(changed, "GP1 0 4") || !slices.Contains(changed, "B1 skipped 4") {
		t.Errorf("changed: %q", changed)
	}
	i := slices.IndexFunc(got, func(r map[string]string) bool { return r["EVENT"] == "submission_voided" })
	for name, value := range map[string]string{"USUBJID": "inetetamab-pyrotinib-" + string(second.ID), "FORMID": "form-x", "CAUSE": "wrong_person",
		"ACTROLE": "investigator", "ACTBY": "staff-1", "REASONFL": "Y", "SEQ": "8", "ITEM": ""} {
		if got[i][name] != value {
			t.Errorf("%s of the voiding is %q, want %q", name, got[i][name], value)
		}
	}
}

// What staff write in their own words stays in the record.
func TestNoDatasetHasFreeText(t *testing.T) {
	w := newWorld(t, false, nil)
	first, _, _ := threePeople(t, w)
	w.at("2026-03-10 09:00")
	w.do(first, investigate, study.CodeMissing{Assessment: study.AssessmentFor(first.ID, "C3D1"), Reason: "other", HealthRelated: study.Yes, Note: "fell off her bicycle"})
	w.at("2026-03-20 12:00")
	for _, d := range export.Datasets() {
		text, _ := w.write(export.Options{Dataset: d.Name, Cut: w.cutAt("2026-03-19")})
		for _, words := range []string{"bicycle", "typed wrongly", "her son", "neutropenia", "paper at the visit", "asked for it"} {
			if strings.Contains(text, words) {
				t.Errorf("%s says %q", d.Name, words)
			}
		}
		if d.Name == "missing" {
			if got := rows(t, text); len(got) != 2 || got[0]["AREASND"] != "other" || got[0]["HEALTHRL"] != "yes" || got[0]["COMPSTAT"] != "missing" || got[0]["CODEDBY"] != "staff-1" {
				t.Errorf("missing: %v", got)
			}
		}
	}
}

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"epro/study"
)

func TestCheckShowsWhatAnAmendmentWouldDoAndRecordsNothing(t *testing.T) {
	dir := t.TempDir()
	store := storeIn(dir)
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "8", "-now", "2026-06-01"); code != exitGood {
		t.Fatalf("simulate: %s", errs)
	}
	var kept []string
	for line := range strings.Lines(string(study.DefaultProtocolText())) {
		if strings.Contains(line, "code: C17D1,") { // in its place one twelve days later
			line = strings.NewReplacer("C17D1", "C17D13", "cycle: 17,", "cycle: 17, offset_days: 12,", "opens_days: -3", "opens_days: -1").Replace(line)
		}
		kept = append(kept, line)
	}
	file := filepath.Join(dir, "amended.yaml")
	write(t, file, strings.Replace(strings.Join(kept, ""), `version: "1.0"`, `version: "2.0"`, 1))
	code, out, errs := runHere(t, "protocol", "check", file, "-effective", "2026-07-01", "-store", store)
	if code != exitGood {
		t.Fatalf("check: %s", errs)
	}
	for _, part := range []string{"version 2.0: 18 visits", " C17D1: ", "upcoming, is not asked for any more\n", " C17D13: ", "upcoming, is new\n", "participants affected "} {
		if !strings.Contains(out, part) {
			t.Errorf("the effect does not say %q:\n%s", part, out)
		}
	}
	if code, _, _ := runHere(t, "protocol", "check", file, "-effective", "soon", "-store", store); code != exitUsage {
		t.Errorf("a date that is none: exit %d", code)
	}
	if _, _, errs := runHere(t, "protocol", "show", "-store", store); strings.Contains(errs, "2.0") {
		t.Errorf("it was recorded: %s", errs)
	}
	code, amended, errs := runHere(t, "protocol", "amend", file, "-effective", "2026-07-01", "-store", store)
	if code != exitGood || !strings.Contains(amended, " C17D13: ") || !strings.Contains(amended, "in force: version 2.0") {
		t.Errorf("amend: %s%s", amended, errs)
	}
}

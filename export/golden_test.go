package export_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"epro/export"
	"epro/study"
)

var update = flag.Bool("update", false, "write the golden files and the data dictionary anew")

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and look at the change.\ngot:\n%s", name, got)
	}
}

func TestExportsAreTheGoldenFiles(t *testing.T) {
	w := newWorld(t, false, nil)
	first, _, _ := threePeople(t, w)
	w.reminded(first)
	w.at("2026-03-01 12:00")
	for _, dataset := range []string{"items_wide", "scores_long", "scores_wide", "qs", "tte", "completion", "missing", "reminders"} {
		got, _ := w.write(export.Options{Dataset: dataset, Cut: w.cutAt("2026-02-28")})
		golden(t, filepath.Join("testdata", dataset+".csv"), got)
	}
}

func TestItemsWideHasEveryFormAndWhatBecameOfIt(t *testing.T) {
	w := newWorld(t, false, nil)
	first, second, _ := threePeople(t, w)
	text, summary := w.write(export.Options{Dataset: "items_wide"})
	got := rows(t, text)
	if len(got) != 5 || summary.Rows != 5 || summary.Participants != 2 || summary.LeftOut != (export.LeftOut{NoFurtherUse: 1}) {
		t.Fatalf("%d rows, summary %+v", len(got), summary)
	}
	want(t, got[0], map[string]string{
		"STUDYID": "inetetamab-pyrotinib", "USUBJID": "inetetamab-pyrotinib-" + string(first.ID), "SITEID": "S01", "SUBJID": "007",
		"VISIT": "C1D1", "VISITNUM": "1", "WINLO": "2026-01-05", "DUEDT": "2026-01-12", "WINHI": "2026-01-12", "ADT": "2026-01-10",
		"RECVDTM": "2026-01-10T12:00:00.000Z", "STARTDTM": "2026-01-10T11:54:00.000Z", "MODE": "self_app", "ASSIST": "", "PACK": "pack@1",
		"COUNTFL": "Y", "STANDFL": "Y", "REVISION": "1", "FLAGS": "", "DEMOFL": "N", "TRTSDT": "2026-01-12", "ADY": "-2", "CYCLE": "1",
		"CYCSTDT": "2026-01-12", "CYCDAY": "-2", "RELDOSE": "pre_dose", "BEFDELFL": "N", "RECOVLFL": "N", "ENTRBY": "",
		"GP1": "1", "P2": "1", "GS7_ST": "answered"})
	want(t, got[1], map[string]string{
		"VISIT": "C2D1", "WINLO": "2026-01-30", "DUEDT": "2026-02-02", "WINHI": "2026-02-09", "ADT": "2026-02-01", "CYCSTDT": "2026-02-04",
		"CYCDAY": "-3", "RELDOSE": "pre_dose", "BEFDELFL": "Y", "ADY": "21", "GP1": "", "GP1_ST": "skipped", "GS7": "", "GS7_ST": "opt_out", "GP3": "2"})
	want(t, got[2], map[string]string{
		"SITEID": "S02", "SUBJID": "'=2+3", "USUBJID": "inetetamab-pyrotinib-" + string(second.ID), "MODE": "paper_transcribed", "ASSIST": "read_aloud",
		"ENTRROLE": "investigator", "ENTRBY": "staff-1", "REVISION": "2", "VERIFYFL": "Y", "B1": "4", "B1_ST": "answered",
		"RELDOSE": "unknown", "CYCDAY": "0", "ADY": "1"})
	want(t, got[3], map[string]string{"FORMID": "form-x", "VOIDCAUS": "wrong_person", "STANDFL": "N", "COUNTFL": "Y", "GP1": "4", "CYCKIND": "planned", "CYCSTDT": "", "CYCDAY": "", "RELDOSE": "unknown"})
	want(t, got[4], map[string]string{"FORMID": "form-y", "VOIDCAUS": "", "STANDFL": "Y", "GP1": "0"})
}

func TestAFormThatWasAcceptedThoughLateIsToldApartInItsScores(t *testing.T) {
	w := newWorld(t, false, nil)
	w.at("2026-01-05 09:00")
	p := w.enrol("S01", "001")
	w.at("2026-02-11 10:00") // C2D1 closed on 9 February
	w.send(p, all("late", p, "C2D1", 2, nil))
	w.do(p, investigate, study.JudgeHeld{Form: "late", Accept: true, Reason: "she was in hospital"})
	w.at("2026-02-23 10:00")
	w.send(p, all("in-time", p, "C3D1", 2, nil))
	for _, dataset := range []string{"scores_wide", "items_wide"} {
		text, _ := w.write(export.Options{Dataset: dataset})
		got := rows(t, text)
		if len(got) != 2 || got[0]["INTIMEFL"] != "N" || got[1]["INTIMEFL"] != "Y" {
			t.Errorf("%s: %v", dataset, got)
		}
	}
}

// With every answer 1 a reverse-scored item gives 3 and any other 1.
func TestScoresWideIsWhatTheFormsScoreByHand(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	text, _ := w.write(export.Options{Dataset: "scores_wide"})
	got := rows(t, text)
	if len(got) != 4 {
		t.Fatalf("%d rows", len(got))
	}
	want(t, got[0], map[string]string{"PWB": "21", "SWB": "7", "EWB": "16", "FWB": "7", "BCS": "26", "FACTG": "51", "TOI": "54", "FACTB": "77",
		"PWB_N": "7", "FACTB_N": "37", "PWB_PF": "N", "FACTB_PF": "N", "FACTB_NR": "", "REGDOSE": "gemcitabine", "REGCURR": "vinorelbine+carboplatin"})
	// Five of seven answered 2: 10 × 7 / 5; six of seven: 12 × 7 / 6.
	want(t, got[1], map[string]string{"PWB": "14", "PWB_N": "5", "PWB_PF": "Y", "SWB": "14", "SWB_N": "6", "SWB_PF": "Y", "EWB": "12", "EWB_PF": "N",
		"FWB": "14", "BCS": "20", "FACTG": "54", "FACTG_N": "24", "FACTG_PF": "Y", "TOI": "48", "FACTB": "74", "FACTB_N": "34"})
	want(t, got[2], map[string]string{"VISIT": "C1D1", "PWB": "0", "SWB": "28", "EWB": "4", "FWB": "28", "BCS": "8", "FACTB": "68"}) // as corrected: all 4
	want(t, got[3], map[string]string{"VISIT": "C2D1", "PWB": "28", "SWB": "0", "EWB": "20", "FWB": "0", "BCS": "32", "FACTG": "48", "FACTB": "80"})
}

package export_test

import (
	"strings"
	"testing"

	"epro/export"
	"epro/study"
)

func TestEveryAttemptToRemindIsARowAndNoDeviceIsNamed(t *testing.T) {
	w := newWorld(t, false, nil)
	first, _, third := threePeople(t, w)
	w.reminded(first)
	_, err := w.ClaimDelivery(ctx, study.Claim{Participant: third.ID, Assessment: study.AssessmentFor(third.ID, "C2D1"), Step: "due@2026-02-02", Status: study.DeliverySkipped, Reason: "completed"})
	w.must(err)
	w.at("2026-03-01 12:00")
	text, s := w.write(export.Options{Dataset: "reminders", Cut: w.cutAt("2026-02-28")})
	got := rows(t, text)
	if len(got) != 5 || s.LeftOut.NoFurtherUse != 1 || strings.Contains(text, "secret") {
		t.Fatalf("%d rows, %+v:\n%s", len(got), s.LeftOut, text)
	}
	for i, row := range []map[string]string{
		{"STEP": "opens@2026-02-20", "STATUS": "merged", "STATREAS": "due@2026-02-22", "DEVNUM": "", "ATTEMPT": "", "GIVENUP": "", "PLANDTM": "2026-02-20T01:05:00.000Z"},
		{"STEP": "due@2026-02-22", "STATUS": "retry", "STATREAS": "unavailable", "DEVNUM": "1", "ATTEMPT": "1", "GIVENUP": "N", "PLATFORM": "android", "RETRYDTM": "2026-02-22T01:06:00.000Z"},
		{"STATUS": "rejected_target", "DEVNUM": "2", "ROUTE": "web_push", "GIVENUP": "Y", "RETRYDTM": ""},
		{"STATUS": "accepted", "DEVNUM": "1", "ATTEMPT": "2", "OPENDTM": "2026-02-22T02:00:00.000Z", "RECVDTM": "", "TRIEDDTM": "2026-02-22T01:07:00.000Z"},
		{"STEP": "closes-1@2026-02-28", "STATUS": "sending", "STATREAS": "", "OUTCDTM": ""},
	} {
		want(t, got[i], map[string]string{"SUBJID": "007", "VISIT": "C3D1", "VISITNUM": "3"})
		want(t, got[i], row)
	}
	// By now its lease has run out, and nobody knows; a cut before has none of it.
	text, _ = w.write(export.Options{Dataset: "reminders"})
	want(t, rows(t, text)[4], map[string]string{"STATUS": "unknown"})
	if text, _ = w.write(export.Options{Dataset: "reminders", Cut: w.cutAt("2026-02-21")}); len(rows(t, text)) != 0 {
		t.Errorf("reminded before it happened:\n%s", text)
	}
	if text, _ = w.write(export.Options{Dataset: "reminders", Through: day("2026-02-22")}); len(rows(t, text)) != 4 {
		t.Errorf("after the last day asked for:\n%s", text)
	}
}

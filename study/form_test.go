package study_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/instruments"
	"epro/internal/testkit"
	"epro/study"
)

// paper is a form on paper that staff enter now, completed at a time.
func (r *record) paper(visit string, completed time.Time) study.SubmitForm {
	f := testkit.Form(personID, visit, study.SubmissionID(r.newID()), completed, testkit.Answers(9))
	f.ByStaff, f.Mode, f.Assistance, f.Reason, f.SentAt = true, study.ModePaper, study.AssistanceNone, "filled on paper", 0
	return f
}

// clocks sets the three clocks of a form; now is the server's.
func (r *record) clocks(f study.SubmitForm, started, completed, sent time.Time) study.SubmitForm {
	f.StartedAt, f.CompletedAt, f.SentAt = study.InstantOf(started), study.InstantOf(completed), study.InstantOf(sent)
	return f
}

// C2D1 of the records below: opens on day 18 at midnight, is due on day 21,
// and closes at the end of day 28.
var (
	opens  = at(cycle1+18, "00:00")
	closes = at(cycle1+29, "00:00")
)

// expectReceipt sends the form as the participant.
func (r *record) expectReceipt(f study.SubmitForm, cause study.HeldCause, flags ...study.Flag) study.Receipt {
	r.Helper()
	receipt, err := r.send(f)
	if err != nil {
		r.Fatalf("refused: %v", details(err))
	}
	if receipt.HeldCause != cause || receipt.Counted != (cause == "") || !slices.Equal(receipt.Flags, append([]study.Flag{}, flags...)) {
		r.Fatalf("held %q, counted %v, flags %v; want held %q, flags %v", receipt.HeldCause, receipt.Counted, receipt.Flags, cause, flags)
	}
	if standing := r.p.Assessment(f.Assessment).Standing(); (standing != nil && standing.ID == f.ID) != receipt.Counted {
		r.Fatalf("counted is %v, standing %v", receipt.Counted, standing)
	}
	return receipt
}

func TestAFormInsideItsWindowCounts(t *testing.T) {
	for _, when := range []time.Time{opens, closes.Add(-time.Millisecond)} {
		r := enrolled(t)
		r.now = when
		r.expectReceipt(r.clocks(r.form("C2D1"), when, when, when), "")
		if got := r.status("C2D1"); got != study.Completed {
			t.Errorf("it is %s", got)
		}
	}
}

func TestAWindowThatHasNotOpenedRefusesAndSaysWhenItOpens(t *testing.T) {
	r := enrolled(t)
	r.now = opens.Add(-time.Millisecond)
	before := stateJSON(t, r.p)
	_, err := r.send(r.form("C2D1"))
	if study.CodeOf(err) != study.WindowNotOpen {
		t.Fatal(details(err))
	}
	for _, words := range []string{"2026-03-20 00:00", "2026-03-31 00:00", "Asia/Shanghai", "Nothing was stored"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q does not say %q", err, words)
		}
	}
	if stateJSON(t, r.p) != before || len(r.entries) != 1 {
		t.Error("something was stored")
	}
}

// A phone whose clock runs ahead cannot open a window early, whichever way its
// clock betrays itself.
func TestAPhoneClockThatRunsAheadOpensNoWindow(t *testing.T) {
	r := enrolled(t)
	r.now = opens.Add(-24 * time.Hour)
	ahead := r.now.Add(48 * time.Hour)
	for name, sent := range map[string]time.Time{"sent by the phone's clock": ahead, "sent by the server's clock": r.now, "not said": {}} {
		if _, err := r.send(r.clocks(r.form("C2D1"), ahead, ahead, sent)); study.CodeOf(err) != study.WindowNotOpen {
			t.Errorf("%s: %v", name, details(err))
		}
	}
	r.now = opens.Add(-time.Minute)
	soon := r.now.Add(3 * time.Minute) // within the tolerance
	if _, err := r.send(r.clocks(r.form("C2D1"), soon, soon, r.now)); study.CodeOf(err) != study.WindowNotOpen {
		t.Errorf("three minutes ahead: %v", details(err))
	}
}

func TestAClockThatIsOffIsCorrectedAndFlagged(t *testing.T) {
	for _, c := range []struct {
		name  string
		off   time.Duration // the phone's clock minus the server's
		flags []study.Flag
	}{
		{"exactly five minutes", -5 * time.Minute, nil},
		{"a little more", -5*time.Minute - time.Millisecond, []study.Flag{study.FlagTimeUncertain}},
		{"a day behind", -24 * time.Hour, []study.Flag{study.FlagTimeUncertain}},
		{"a day ahead", 24 * time.Hour, []study.Flag{study.FlagTimeUncertain}},
	} {
		r := enrolled(t)
		r.now = at(cycle1+23, "12:00")
		completed := r.now.Add(-time.Hour)
		r.expectReceipt(r.clocks(r.form("C2D1"), completed.Add(c.off-time.Minute), completed.Add(c.off), r.now.Add(c.off)), "", c.flags...)
		s := r.visit("C2D1").Standing()
		want := completed.Add(c.off)
		if c.flags != nil {
			want = completed
		}
		if s.CompletedAt != study.InstantOf(want) || s.SaidAt != study.InstantOf(completed.Add(c.off)) {
			t.Errorf("%s: completed %s, said %s; want %s", c.name, s.CompletedAt, s.SaidAt, want)
		}
	}
}

func TestACompletionAfterTheArrivalIsTakenAsTheArrival(t *testing.T) {
	for _, sent := range []study.Instant{0, study.InstantOf(at(cycle1+21, "10:00"))} {
		r := enrolled(t)
		r.now = at(cycle1+21, "10:00")
		f := r.form("C2D1")
		f.CompletedAt, f.SentAt = f.CompletedAt+20*3600_000, sent
		r.expectReceipt(f, "", study.FlagTimeUncertain)
		if got := r.visit("C2D1").Standing().CompletedAt; got != study.InstantOf(r.now) {
			t.Errorf("completed at %s", got)
		}
	}
}

func TestInTimeByEitherReadingIsInTime(t *testing.T) {
	for name, off := range map[string]time.Duration{"corrected inside, said after closing": 3 * time.Hour, "said inside, corrected after closing": -3 * time.Hour} {
		r := enrolled(t)
		completed := closes.Add(-time.Hour) // by the server's clock
		if off < 0 {
			completed = closes.Add(time.Hour)
		}
		r.now = completed.Add(4 * time.Hour)
		f := r.clocks(r.form("C2D1"), completed.Add(off), completed.Add(off), r.now.Add(off))
		receipt, err := r.send(f)
		if err != nil || !receipt.Counted || !slices.Contains(receipt.Flags, study.FlagTimeUncertain) {
			t.Errorf("%s: %+v, %v", name, receipt, details(err))
		}
	}
	r := enrolled(t)
	r.now = closes.Add(10 * time.Hour)
	late := closes.Add(2 * time.Hour)
	r.expectReceipt(r.clocks(r.form("C2D1"), late.Add(time.Hour), late.Add(time.Hour), r.now.Add(time.Hour)), study.HeldClosed, study.FlagTimeUncertain)
}

func TestAFormInTimeForItsWindowAsItWasCounts(t *testing.T) {
	r := enrolled(t)
	completed := at(cycle1+18, "09:00")
	f := r.form("C2D1")
	r.now = at(cycle1+19, "09:00")
	r.must(move(2, cycle1+50, study.CyclePlanned))
	r.now = at(cycle1+20, "09:00")
	r.expectReceipt(r.clocks(f, completed, completed, r.now), "", study.FlagWindowMoved)
}

// A visit that lost its place to the final one was in force until then.
func TestAFormCompletedBeforeItsVisitWasSupersededCounts(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+340, "09:00")
	r.must(move(2, cycle1+21, study.CycleGiven))
	r.must(move(17, cycle1+349, study.CyclePlanned))
	before := r.visit("C17D1").Window
	completed := at(cycle1+350, "12:00")
	r.now = at(cycle1+351, "09:00")
	r.must(move(1, consented+2, study.CycleGiven)) // eight days earlier: W52 opens on day 349
	if r.status("C17D1") != study.Superseded || r.visit("C17D1").Window != before {
		t.Fatalf("C17D1 is %s, %s", r.status("C17D1"), windowText(r.visit("C17D1")))
	}
	r.now = r.now.Add(time.Hour)
	f := r.clocks(r.form("C17D1"), completed, completed, r.now)
	r.expectReceipt(f, "", study.FlagWindowMoved)
}

func TestALateArrivalCountsAndIsFlagged(t *testing.T) {
	r := enrolled(t)
	completed := closes.Add(-time.Hour)
	r.now = closes.Add(28 * 24 * time.Hour)
	r.expectReceipt(r.clocks(r.form("C2D1"), completed, completed, r.now), "", study.FlagLateArrival)

	r = enrolled(t)
	r.now = closes.Add(28*24*time.Hour + time.Millisecond)
	r.expectReceipt(r.clocks(r.form("C2D1"), completed, completed, r.now), study.HeldArrivedLate, study.FlagLateArrival)
}

func TestStartedInsideAndFinishedSoonAfterClosingCounts(t *testing.T) {
	for _, c := range []struct {
		name          string
		started, done time.Time
		cause         study.HeldCause
	}{
		{"finished at closing", closes.Add(-time.Minute), closes, ""},
		{"finished just within two hours", closes.Add(-time.Millisecond), closes.Add(2*time.Hour - time.Millisecond), ""},
		{"finished two hours after", closes.Add(-time.Millisecond), closes.Add(2 * time.Hour), study.HeldClosed},
		{"started at closing", closes, closes.Add(time.Minute), study.HeldClosed},
	} {
		r := enrolled(t)
		r.now = c.done
		var flags []study.Flag
		if c.cause == "" {
			flags = []study.Flag{study.FlagFinishedAfterClose, study.FlagLateArrival}
		}
		t.Log(c.name)
		r.expectReceipt(r.clocks(r.form("C2D1"), c.started, c.done, c.done), c.cause, flags...)
	}
}

func TestNoGraceSavesABaselineAfterTheFirstDose(t *testing.T) {
	done := at(cycle1+1, "01:00") // an hour after closing
	for _, c := range []struct {
		name  string
		dose  *study.RecordFact
		cause study.HeldCause
	}{
		{"no dose yet", nil, ""},
		{"dose known to the day", &study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate(cycle1.String())}, study.HeldClosed},
		{"dose before", &study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + 1).String()), At: study.InstantOf(at(cycle1+1, "00:30"))}, study.HeldClosed},
		{"dose after", &study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + 1).String()), At: study.InstantOf(at(cycle1+1, "01:30"))}, ""},
	} {
		r := enrolled(t)
		r.now = at(cycle1+1, "02:00")
		if c.dose != nil {
			r.must(*c.dose)
		}
		f := r.clocks(r.form("C1D1"), at(cycle1, "23:50"), done, r.now)
		receipt, err := r.send(f)
		if err != nil || receipt.HeldCause != c.cause {
			t.Errorf("%s: %+v, %v", c.name, receipt, details(err))
		}
	}
}

func TestWhatIsCompletedAfterLeavingIsHeldAndBeforeCounts(t *testing.T) {
	left := cycle1 + 22
	for _, c := range []struct {
		name   string
		facts  []study.RecordFact
		done   time.Time
		counts bool
	}{
		{"withdrawn, before", []study.RecordFact{withdrawal(left)}, at(left-1, "23:59"), true},
		{"withdrawn, that day before it was recorded", []study.RecordFact{withdrawal(left)}, at(left, "09:59"), true},
		{"withdrawn, that day after it was recorded", []study.RecordFact{withdrawal(left)}, at(left, "10:01"), false},
		{"withdrawn, after", []study.RecordFact{withdrawal(left)}, at(left+1, "00:00"), false},
		{"died, after", []study.RecordFact{death(left.String())}, at(left+1, "08:00"), false},
		{"died some time in March, in March before it was recorded", []study.RecordFact{death("2026-03")}, at(left, "09:59"), true},
		{"died some time in March, in March after it was recorded", []study.RecordFact{death("2026-03")}, at(left+1, "08:00"), false},
		{"died some time in February, in March", []study.RecordFact{death("2026-02")}, at(left-2, "08:00"), false},
		{"died some time in 2026 and withdrew before that was known", []study.RecordFact{withdrawal(left), death("2026")}, at(left+1, "08:00"), false},
		{"excluded", []study.RecordFact{{Kind: study.FactEnrolledInError, On: study.PartialDate(left.String()), Reason: "x"}}, at(left+1, "08:00"), false},
		{"lost to follow-up does not stop", []study.RecordFact{{Kind: study.FactLost, On: study.PartialDate(left.String()), Reason: "x"}}, at(left+1, "08:00"), true},
		{"end of treatment does not stop", []study.RecordFact{{Kind: study.FactTreatmentEnded, On: study.PartialDate(left.String())}}, at(left+1, "08:00"), true},
	} {
		r := enrolled(t)
		r.now = at(left, "10:00")
		for _, f := range c.facts {
			r.must(f)
		}
		r.now = at(left+3, "10:00")
		receipt, err := r.send(r.clocks(r.form("C2D1"), c.done, c.done, r.now))
		if err != nil || receipt.Counted != c.counts || !c.counts && receipt.HeldCause != study.HeldNotExpected {
			t.Errorf("%s: %+v, %v", c.name, receipt, details(err))
		}
	}
}

func withdrawal(on study.Date) study.RecordFact {
	return study.RecordFact{Kind: study.FactWithdrawn, On: study.PartialDate(on.String()), Level: study.LevelTrial, Reason: "wish"}
}

func death(on string) study.RecordFact {
	return study.RecordFact{Kind: study.FactDeceased, On: study.PartialDate(on), Reason: "reported"}
}

func TestAFormOfALockedSiteIsHeld(t *testing.T) {
	r := enrolled(t)
	r.site.Locked = true
	r.now = at(cycle1+21, "10:00")
	r.expectReceipt(r.form("C2D1"), study.HeldLocked)
}

func TestAFormAfterAStaffEntryIsHeld(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	r.must(r.paper("C2D1", r.now.Add(-time.Hour)))
	r.expectReceipt(r.form("C2D1"), study.HeldStaffEntry)
}

func TestAFormCompletedBeforeItsWindowOpenedIsHeld(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+18, "08:00")
	early := opens.Add(-time.Hour)
	r.expectReceipt(r.clocks(r.form("C2D1"), early, early, r.now), study.HeldEarly)
}

func TestAFormCompletedAfterClosingIsHeld(t *testing.T) {
	r := enrolled(t)
	r.now = closes.Add(3 * time.Hour)
	r.expectReceipt(r.form("C2D1"), study.HeldClosed)
	if got := r.status("C2D1"); got != study.Missed {
		t.Errorf("it is %s", got)
	}
}

func TestASupersededVisitHoldsItsForm(t *testing.T) {
	r := enrolled(t)
	r.must(move(2, cycle1+21+21, study.CyclePlanned))
	if _, err := r.send(r.form("C17D1")); study.CodeOf(err) != study.WindowNotOpen || strings.Contains(err.Error(), "opens at") {
		t.Errorf("a year before: %v", details(err)) // it never opens, so nothing may promise that
	}
	r.now = at(cycle1+357, "10:00")
	r.expectReceipt(r.form("C17D1"), study.HeldClosed)
}

func TestASecondElectronicFormIsRefused(t *testing.T) {
	r := enrolled(t)
	r.complete("C2D1", at(cycle1+20, "10:00"))
	if _, err := r.send(r.form("C2D1")); study.CodeOf(err) != study.AlreadySubmitted {
		t.Fatal(details(err))
	}
	tablet := r.paper("C2D1", r.now)
	tablet.Mode = study.ModeTablet
	r.refuse(tablet, study.AlreadySubmitted)

	r = enrolled(t) // beside one that is held as well
	r.now = closes.Add(3 * time.Hour)
	r.expectReceipt(r.form("C2D1"), study.HeldClosed)
	if _, err := r.send(r.form("C2D1")); study.CodeOf(err) != study.AlreadySubmitted {
		t.Fatal(details(err))
	}
}

func TestTheSameFormAgainIsAnsweredWithItsReceipt(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.form("C2D1")
	f.Skipped = map[string]string{"B1": "skipped", "GS7": "opt_out"}
	f.Answers = maps.Clone(f.Answers)
	delete(f.Answers, "B1")
	delete(f.Answers, "GS7")
	receipt := r.expectReceipt(f, "")

	again := f
	again.Answers, again.Skipped = maps.Clone(f.Answers), maps.Clone(f.Skipped)
	again.SentAt, again.App = study.InstantOf(r.now.Add(time.Hour)), study.App{Platform: "ios", Version: "2"}
	r.now = closes.Add(90 * 24 * time.Hour)
	r.must(withdrawal(cycle1 + 60))
	r.site.Locked = true
	for range 3 {
		done, err := r.do(testkit.Phone(personID), again)
		if done || err != nil {
			t.Fatalf("event %v, %v", done, details(err))
		}
	}
	got, _ := r.p.Receipt(f.ID)
	if !sameReceipt(got, receipt) {
		t.Errorf("receipt %+v, was %+v", got, receipt)
	}

	other := f
	other.Answers = maps.Clone(f.Answers)
	other.Answers["GP1"] = map[string]string{"0": "1"}[other.Answers["GP1"]] + "0"
	for name, change := range map[string]func(*study.SubmitForm){
		"another answer":     func(f *study.SubmitForm) { f.Answers = other.Answers },
		"another visit":      func(f *study.SubmitForm) { f.Assessment = study.AssessmentFor(personID, "C3D1") },
		"another time":       func(f *study.SubmitForm) { f.CompletedAt++ },
		"another start":      func(f *study.SubmitForm) { f.StartedAt-- },
		"another pack":       func(f *study.SubmitForm) { f.Pack = "other" },
		"another version":    func(f *study.SubmitForm) { f.Version = "5" },
		"an item not passed": func(f *study.SubmitForm) { f.Skipped = nil },
	} {
		changed := f
		change(&changed)
		if _, err := r.do(testkit.Phone(personID), changed); study.CodeOf(err) != study.Conflict {
			t.Errorf("%s: %v", name, details(err))
		}
	}
}

func sameReceipt(a, b study.Receipt) bool {
	same := slices.Equal(a.Flags, b.Flags)
	a.Flags, b.Flags = nil, nil
	return same && a.SubmissionID == b.SubmissionID && a.AssessmentID == b.AssessmentID && a.ReceivedAt == b.ReceivedAt &&
		a.Digest == b.Digest && a.Counted == b.Counted && a.HeldCause == b.HeldCause
}

func TestAnotherInstrumentVersionIsRefused(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	for _, ref := range []study.InstrumentRef{{ID: "fact-b", Version: "5"}, {ID: "fact-g", Version: "4"}, {}} {
		f := r.form("C2D1")
		f.Instrument, f.Version = ref.ID, ref.Version
		if _, err := r.send(f); study.CodeOf(err) != study.VersionMismatch || !strings.Contains(err.Error(), "fact-b version 4") {
			t.Errorf("%+v: %v", ref, details(err))
		}
	}
}

func TestInvalidAnswersAreAllNamedAtOnce(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.form("C2D1")
	f.Answers["GP1"], f.Answers["B3"], f.Answers["X9"], f.Answers["P2"] = "5", `"2"`, "1", "-1"
	f.Skipped = map[string]string{"GP2": "skipped", "B1": "opt_out"}
	_, err := r.send(f)
	e, ok := study.AsError(err)
	if !ok || e.Code != study.InvalidAnswers {
		t.Fatal(details(err))
	}
	var names []string
	for _, field := range e.Fields {
		names = append(names, strings.TrimPrefix(field.Name, "answers."))
	}
	slices.Sort(names)
	if want := []string{"B1", "B1", "B3", "GP1", "GP2", "P2", "X9"}; !slices.Equal(names, want) {
		t.Errorf("faults of %v, want %v", names, want)
	}
	if len(r.entries) != 1 {
		t.Error("something was stored")
	}
}

func TestAFormWithoutItsTimesIsRefused(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.form("C2D1")
	f.StartedAt, f.CompletedAt = 0, 0
	if _, err := r.send(f); study.CodeOf(err) != study.Invalid || !strings.Contains(details(err), "started_at") || !strings.Contains(details(err), "completed_at") {
		t.Error(details(err))
	}
	f = r.form("C2D1")
	f.StartedAt = f.CompletedAt + 1
	if _, err := r.send(f); study.CodeOf(err) != study.Invalid {
		t.Error(details(err))
	}
	f = r.form("C2D1")
	f.Mode = study.ModePaper
	if _, err := r.send(f); study.CodeOf(err) != study.Invalid {
		t.Errorf("a phone that says paper: %v", details(err))
	}
}

func TestSkippedAndUnreachedItemsAreKept(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.form("C2D1")
	f.Answers, f.Skipped = map[string]string{"GP1": "3"}, map[string]string{"GP2": "skipped", "GS7": "opt_out"}
	r.expectReceipt(f, "")
	s := r.visit("C2D1").Standing()
	if s.Answers[0] != 3 || s.Answers[1] != instruments.Skipped || s.Answers[2] != instruments.NotReached || s.Answers[13] != instruments.OptedOut {
		t.Errorf("answers %v", s.Answers)
	}
}

func TestACorrectionKeepsTheEarlierAnswersAndTheReceipt(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.paper("C2D1", r.now)
	f.Answers["GS7"], f.Skipped = "2", map[string]string{"GS7": "opt_out"}
	r.must(f)
	receipt, _ := r.p.Receipt(f.ID)
	if !slices.Contains(receipt.Flags, study.FlagQ1Conflict) {
		t.Fatalf("flags %v", receipt.Flags)
	}
	was := slices.Clone(r.visit("C2D1").Standing().Answers)

	fixed := maps.Clone(f.Answers)
	fixed["GP1"] = map[bool]string{true: "1", false: "0"}[fixed["GP1"] == "0"]
	r.refuse(study.CorrectForm{Form: f.ID, Answers: fixed, Cause: study.CauseEntryError}, study.Invalid, "reason")
	r.refuse(study.CorrectForm{Form: f.ID, Answers: fixed, Cause: "whim", Reason: "x"}, study.Invalid, "cause")
	r.refuse(study.CorrectForm{Form: f.ID, Answers: f.Answers, Skipped: f.Skipped, Cause: study.CauseEntryError, Reason: "x"}, study.Invalid, "at least one")
	r.refuse(study.CorrectForm{Form: f.ID, Answers: map[string]string{"GP1": "9"}, Cause: study.CauseEntryError, Reason: "x"}, study.InvalidAnswers)
	r.refuse(study.CorrectForm{Form: "other", Answers: fixed, Cause: study.CauseEntryError, Reason: "x"}, study.NotFound)
	r.must(study.CorrectForm{Form: f.ID, Answers: fixed, Cause: study.CauseEntryError, Reason: "typed wrongly"})
	s := r.visit("C2D1").Standing()
	if s.Revision != 2 || len(s.Earlier) != 1 || s.Earlier[0].Revision != 1 || !slices.Equal(s.Earlier[0].Answers, was) || slices.Equal(s.Answers, was) {
		t.Fatalf("form %+v", s)
	}
	if slices.Contains(s.Flags, study.FlagQ1Conflict) {
		t.Error("the flag outlives the conflict")
	}
	if again, _ := r.p.Receipt(f.ID); !sameReceipt(again, receipt) {
		t.Errorf("the receipt changed from %+v to %+v", receipt, again)
	}
	r.must(study.CorrectForm{Form: f.ID, Answers: f.Answers, Skipped: f.Skipped, Cause: study.CauseEntryError, Reason: "it was right"})
	if s := r.visit("C2D1").Standing(); s.Revision != 3 || len(s.Earlier) != 2 || !slices.Equal(s.Answers, was) {
		t.Errorf("form %+v", s)
	}
}

func TestAVoidedAssessmentIsOpenWhileItsWindowIs(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C2D1", at(cycle1+20, "10:00"))
	r.refuse(study.VoidForm{Form: id, Cause: study.CauseWrongPerson}, study.Invalid, "reason")
	r.must(study.VoidForm{Form: id, Cause: study.CauseWrongPerson, Reason: "her husband"})
	if got := r.status("C2D1"); got != study.Open {
		t.Errorf("it is %s", got)
	}
	r.refuse(study.VoidForm{Form: id, Cause: study.CauseWrongPerson, Reason: "x"}, study.Conflict)
	r.refuse(study.CorrectForm{Form: id, Answers: testkit.Answers(77), Cause: study.CauseOther, Reason: "x"}, study.Conflict)
	r.refuse(study.VerifyForm{Form: id}, study.Conflict)
	second := r.complete("C2D1", at(cycle1+21, "10:00"))
	if a := r.visit("C2D1"); len(a.Submissions) != 2 || a.Standing().ID != second || a.Submissions[0].Void != study.CauseWrongPerson {
		t.Errorf("forms %+v", a.Submissions)
	}
	r.now = closes
	r.must(study.VoidForm{Form: second, Cause: study.CauseTest, Reason: "x"})
	if got := r.status("C2D1"); got != study.Missed {
		t.Errorf("after closing it is %s", got)
	}
}

func TestTheOwnElectronicFormCountsBesideThePaper(t *testing.T) {
	r := enrolled(t)
	own := r.complete("C2D1", at(cycle1+20, "10:00"))
	paper := r.paper("C2D1", r.now)
	r.must(paper)
	receipt, _ := r.p.Receipt(paper.ID)
	if receipt.Counted || !slices.Contains(receipt.Flags, study.FlagElectronicExists) || receipt.HeldCause != "" {
		t.Errorf("receipt %+v", receipt)
	}
	if s := r.visit("C2D1").Standing(); s.ID != own {
		t.Errorf("the paper counts: %+v", s)
	}
	r.refuse(r.paper("C2D1", r.now), study.AlreadySubmitted)
}

func TestThePaperCountsOnceTheElectronicFormIsVoid(t *testing.T) {
	r := enrolled(t)
	own := r.complete("C2D1", at(cycle1+20, "10:00"))
	paper := r.paper("C2D1", r.now)
	r.must(paper)
	r.must(study.VoidForm{Form: own, Cause: study.CauseWrongPerson, Reason: "x"})
	if s := r.visit("C2D1").Standing(); s == nil || s.ID != paper.ID {
		t.Errorf("standing: %+v", s)
	}
}

func TestAnAcceptedFormOfThePatientCountsBeforeThePaper(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	paper := r.paper("C2D1", r.now.Add(-time.Hour))
	r.must(paper)
	own := r.form("C2D1")
	r.expectReceipt(own, study.HeldStaffEntry)
	if s := r.visit("C2D1").Standing(); s.ID != paper.ID {
		t.Fatal("a held form counts")
	}
	r.must(study.JudgeHeld{Form: own.ID, Accept: true, Reason: "hers"})
	if s := r.visit("C2D1").Standing(); s.ID != own.ID {
		t.Error("the accepted form does not count")
	}
	if receipt, _ := r.p.Receipt(own.ID); receipt.Counted || receipt.HeldCause != study.HeldStaffEntry {
		t.Errorf("the receipt changed: %+v", receipt)
	}
}

func TestAHeldFormWaitsUntilItIsAcceptedOrRejected(t *testing.T) {
	for _, accept := range []bool{true, false} {
		r := enrolled(t)
		r.now = closes.Add(3 * time.Hour)
		f := r.form("C2D1")
		r.expectReceipt(f, study.HeldClosed)
		if !r.visit("C2D1").Submissions[0].Held() {
			t.Fatal("it does not wait")
		}
		r.refuse(study.JudgeHeld{Form: f.ID, Accept: accept}, study.Invalid, "reason")
		r.must(study.JudgeHeld{Form: f.ID, Accept: accept, Reason: "telephone call"})
		if got := r.status("C2D1"); (got == study.Completed) != accept || r.visit("C2D1").Submissions[0].Held() {
			t.Errorf("accept %v: it is %s", accept, got)
		}
		if done, err := r.do(r.staff, study.JudgeHeld{Form: f.ID, Accept: accept, Reason: "again"}); done || err != nil {
			t.Errorf("the same again: event %v, %v", done, err)
		}
		r.refuse(study.JudgeHeld{Form: f.ID, Accept: !accept, Reason: "second thoughts"}, study.Conflict)
		if !accept {
			if _, err := r.send(r.form("C2D1")); err != nil {
				t.Errorf("after a rejection another form is refused: %v", details(err))
			}
		}
	}
	r := enrolled(t)
	id := r.complete("C2D1", at(cycle1+20, "10:00"))
	r.refuse(study.JudgeHeld{Form: id, Accept: true, Reason: "x"}, study.Conflict)
}

func TestVerificationNeedsASecondPerson(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	f := r.paper("C2D1", r.now)
	r.must(f)
	first, second := r.staff, testkit.Staff(study.RoleCoordinator, "coordinator-1", testkit.Site)
	r.refuse(study.VerifyForm{Form: f.ID}, study.Forbidden, "second person")
	if _, err := r.do(second, study.VerifyForm{Form: f.ID}); err != nil {
		t.Fatal(details(err))
	}
	if done, err := r.do(second, study.VerifyForm{Form: f.ID}); done || err != nil {
		t.Errorf("the same again: event %v, %v", done, err)
	}
	if _, err := r.do(second, study.CorrectForm{Form: f.ID, Answers: testkit.Answers(50), Cause: study.CauseEntryError, Reason: "x"}); err != nil {
		t.Fatal(details(err))
	}
	s := r.visit("C2D1").Standing()
	if s.Verified == s.Revision {
		t.Error("a correction left the form verified")
	}
	for _, by := range []study.Actor{first, second} { // one entered, the other corrected
		if _, err := r.do(by, study.VerifyForm{Form: f.ID}); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s: %v", by.Staff, details(err))
		}
	}
	third := testkit.Staff(study.RoleInvestigator, "investigator-3", testkit.Site)
	if _, err := r.do(third, study.VerifyForm{Form: f.ID}); err != nil || r.visit("C2D1").Standing().Verified != 2 {
		t.Errorf("a third person: %v", details(err))
	}
}

func TestStaffEntriesThatCannotCountAreRefused(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+40, "10:00")
	before := len(r.entries)
	for _, c := range []struct {
		name   string
		change func(*study.SubmitForm)
		code   study.Code
		words  string
	}{
		{"before the window", func(f *study.SubmitForm) { r.stamp(f, opens.Add(-time.Hour)) }, study.WindowNotOpen, "2026-03-20"},
		{"after the window", func(f *study.SubmitForm) { r.stamp(f, closes.Add(3*time.Hour)) }, study.WindowClosed, "2026-03-31"},
		{"in the future", func(f *study.SubmitForm) { r.stamp(f, r.now.Add(time.Minute)) }, study.Invalid, "completed_at"},
		{"no reason", func(f *study.SubmitForm) { f.Reason = " " }, study.Invalid, "reason"},
		{"an app", func(f *study.SubmitForm) { f.Mode = study.ModeApp }, study.Invalid, "mode"},
		{"no assistance said", func(f *study.SubmitForm) { f.Assistance = "" }, study.Invalid, "assistance"},
		{"no such visit", func(f *study.SubmitForm) { f.Assessment = study.AssessmentFor(personID, "C99D1") }, study.NotFound, ""},
	} {
		f := r.paper("C2D1", at(cycle1+21, "10:00"))
		c.change(&f)
		_, err := r.do(r.staff, f)
		if study.CodeOf(err) != c.code || !strings.Contains(details(err), c.words) {
			t.Errorf("%s: %v", c.name, details(err))
		}
	}
	r.must(withdrawal(cycle1 + 22))
	r.refuse(r.paper("C2D1", at(cycle1+23, "10:00")), study.NotExpected)
	r.site.Locked = true
	f := r.paper("C2D1", at(cycle1+21, "10:00"))
	r.refuse(f, study.Locked)
	r.site.Locked = false
	r.must(f) // completed before the withdrawal: counts
	r.site.Locked = true
	if done, err := r.do(r.staff, f); done || err != nil {
		t.Errorf("a retry under lock: event %v, %v", done, details(err))
	}
	if len(r.entries) != before+2 {
		t.Error("a refusal was stored")
	}
}

func (r *record) stamp(f *study.SubmitForm, completed time.Time) {
	f.StartedAt, f.CompletedAt = study.InstantOf(completed.Add(-time.Minute)), study.InstantOf(completed)
}

func TestALockStopsEveryStaffCommand(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C2D1", at(cycle1+21, "10:00"))
	r.site.Locked = true
	for _, c := range []study.Command{
		study.CorrectForm{Form: id, Answers: testkit.Answers(5), Cause: study.CauseTest, Reason: "x"}, study.VoidForm{Form: id, Cause: study.CauseTest, Reason: "x"},
		move(3, cycle1+50, study.CyclePlanned), withdrawal(cycle1), study.ChangeParticipant{Language: "zh", Reason: "x"},
		study.TransferTo{Site: testkit.OtherSite, On: cycle1, Reason: "x"}, study.IssueCode{ExpiresAt: 1}, study.RateECOG{Visit: "C1D1", On: cycle1},
	} {
		r.refuse(c, study.Locked)
	}
}

func TestStoredScoresAreTheScoresOfTheAnswers(t *testing.T) {
	r := enrolled(t)
	r.complete("C2D1", at(cycle1+20, "10:00"))
	if r.p.Mismatch != "" {
		t.Fatal(r.p.Mismatch)
	}
	scores, err := r.visit("C2D1").Standing().Scores(nil)
	if err != nil || len(scores) != len(study.ScoreCodes("fact-b", "4")) {
		t.Errorf("%v, %v", scores, err)
	}
}

func TestATickBesideAnAnswerOnPaperCanBeCorrected(t *testing.T) {
	r := enrolled(t)
	paper := r.paper("C2D1", at(cycle1+21, "09:00"))
	paper.Answers["GS7"], paper.Skipped = "2", map[string]string{"GS7": "opt_out"}
	r.now = at(cycle1+21, "10:00")
	r.must(paper)
	form := func() study.Submission { return r.visit("C2D1").Submissions[0] }
	same := study.CorrectForm{Form: paper.ID, Answers: paper.Answers, Skipped: paper.Skipped, Cause: study.CauseEntryError, Reason: "not ticked"}
	r.refuse(same, study.Invalid, "the answers that the form has")
	same.Skipped = nil
	r.must(same)
	if s := form(); slices.Contains(s.Flags, study.FlagQ1Conflict) || s.Revision != 2 {
		t.Errorf("flags %v of revision %d", s.Flags, s.Revision)
	}
	same.Skipped = paper.Skipped
	r.must(same)
	if s := form(); !slices.Contains(s.Flags, study.FlagQ1Conflict) || s.Revision != 3 {
		t.Errorf("flags %v of revision %d", s.Flags, s.Revision)
	}
	e, err := r.entries[len(r.entries)-1].Open()
	if err != nil {
		t.Fatal(err)
	}
	payload, err := study.PayloadOf(e)
	if v, ok := payload.(study.SubmissionCorrected); err != nil || !ok || v.Skipped["GS7"] != "opt_out" || v.Answers["GS7"] != 2 {
		t.Errorf("the event has lost the tick: %+v, %v", payload, err)
	}
}

// Of a death that is dated to the month a form of that month may have come
// before it, but not one that was completed when the death was known.
func TestWhatIsCompletedAfterADeathWasRecordedIsHeldWhateverItsDate(t *testing.T) {
	for _, date := range []string{"2026", "2026-03", "2026-03-22"} {
		r := enrolled(t)
		r.now = at(cycle1+20, "12:00") // 22 March
		r.must(death(date))
		before, after := at(cycle1+20, "11:00"), at(cycle1+20, "13:00")
		r.now = at(cycle1+20, "14:00")
		r.expectReceipt(r.clocks(r.form("C2D1"), after, after, r.now), study.HeldNotExpected)
		if got := r.status("C2D1"); got != study.Unexpected {
			t.Errorf("%s: C2D1 is %s", date, got)
		}
		form := r.visit("C2D1").Submissions[0].ID
		r.must(study.JudgeHeld{Form: form, Reason: "her sister filled it"})
		r.expectReceipt(r.clocks(r.form("C2D1"), before, before, r.now), "")
	}
}

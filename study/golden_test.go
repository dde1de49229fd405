package study_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"epro/internal/testkit"
	"epro/study"
)

// Golden files are the promise that what was ever stored can be read for ever.
// -update adds what is missing; it never writes over a file or a line that is
// there. A new version of Fold gets a new file for its States.
var update = flag.Bool("update", false, "add missing golden files and lines")

const golden = "testdata/golden"

// goldenText is the file, which -update makes when it is missing.
func goldenText(t *testing.T, name string, make func() string) string {
	t.Helper()
	path := filepath.Join(golden, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && *update {
		text = []byte(make())
		if err := os.MkdirAll(golden, 0o750); err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatalf("%v; run the test once with -update to make what is missing", err)
	}
	return string(text)
}

// samples are one payload of every type, no field without a value.
func samples() []study.Payload {
	value, hash := 21.5, study.ProtocolHash([]byte("golden"))
	score := map[string]study.StoredScore{"PWB": {Value: &value, Answered: 6, Items: 7, Prorated: true, Missing: "too_few_items"}}
	rights := study.Rights{Role: study.RoleMonitor, Sites: []study.SiteCode{"S01", "S02"}, AccessFrom: day("2026-01-01"), AccessUntil: day("2026-12-31")}
	when := study.InstantOf(time.Date(2026, 3, 23, 2, 0, 0, 5e6, time.UTC))
	consent := study.Consent{On: day("2026-02-20"), FormVersion: "2.0", Language: "zh"}
	return []study.Payload{
		study.ProtocolAdopted{Version: "1.0", Hash: hash, Text: "study: x\n", EffectiveOn: day("2026-03-01"), Simulated: true},
		study.DataExported{ExportID: "e1", Dataset: "qs", Format: "xpt", Options: map[string]string{"cut": "2026-03-01"}},
		study.WordingImported{Pack: "acme-en@1", Language: "en", Hash: hash, Text: "{}"}, study.WordingDecided{Pack: "acme-en@1", Hash: hash, Approve: true},
		study.AssessmentOpened{AssessmentID: "p1.C2D1", WordingPack: "acme-en@1", OpenedAt: when},
		study.SiteCreated{Code: "S01", Name: "医院", TimeZone: "Asia/Shanghai", Language: "zh"},
		study.SiteContactSet{Phone: "+86 21 5555 0100"}, study.SiteLocked{}, study.SiteUnlocked{},
		study.StaffCreated{Username: "ann", Rights: rights}, study.StaffChanged{Rights: rights, Disabled: true}, study.PasswordReset{},
		study.SiteChanged{Name: "医院", TimeZone: "Asia/Urumqi", Language: "en"}, study.SiteClosed{}, study.SiteReopened{}, study.StaffInvited{ExpiresAt: when}, study.SessionsEnded{Sessions: 2},
		study.NameClaimed{Kind: study.ClaimNumber, Owner: "participant/p1"},
		study.ParticipantEnrolled{Number: "001", Site: "S01", Regimen: "eribulin", Language: "zh", TimeZone: "Asia/Shanghai", Cycle1On: day("2026-03-02"), Consent: consent, Access: study.AccessPhone},
		study.ConsentRecorded{Consent: consent}, study.ConsentCorrected{N: 1, Consent: consent}, study.CodeIssued{ExpiresAt: when, Replace: true}, study.PhoneBound{Code: "c1"},
		study.SubmissionReceived{SubmissionID: "s1", AssessmentID: "p1.C2D1", Instrument: "fact-b", InstrumentVersion: "4", WordingPack: "demo-en", WordingHash: hash, Demonstration: true,
			Mode: study.ModeApp, Assistance: study.AssistanceRead, Answers: map[string]int{"GP1": 4}, Skipped: map[string]string{"GS7": "opt_out"}, Scores: score, ScoringVersion: "1",
			StartedAt: when, CompletedAt: when + 1, SentAt: when + 2, ReceivedAt: when + 3, CorrectedAt: when + 4, App: study.App{Platform: "android", Version: "1.0"},
			Digest: hash, Counted: true, HeldCause: study.HeldClosed, Flags: []study.Flag{study.FlagLateArrival}},
		study.HeldDecided{SubmissionID: "s1", Accept: true},
		study.SubmissionCorrected{SubmissionID: "s1", Revision: 2, Answers: map[string]int{"GP1": 3}, Skipped: map[string]string{"GP2": "skipped"}, Scores: score, ScoringVersion: "1", Cause: study.CauseEntryError, Flags: []study.Flag{study.FlagQ1Conflict}},
		study.SubmissionVoided{SubmissionID: "s1", Cause: study.CauseTest}, study.SubmissionVerified{SubmissionID: "s1", Revision: 2},
		study.CycleRecorded{N: 2, StartedOn: day("2026-03-23"), Kind: study.CycleGiven, DoseAt: when},
		study.FactRecorded{Kind: study.FactWithdrawn, On: "2026-03", At: when, Level: study.LevelTrial, Drugs: []string{"eribulin"}}, study.FactRetracted{Seq: 3},
		study.PerformanceRecorded{Visit: "C2D1", ECOG: 1, On: day("2026-03-23")},
		study.DetailsChanged{Language: "en", TimeZone: "Asia/Tokyo", Number: "002", Regimen: "eribulin", Access: study.AccessPaper},
		study.Transferred{Site: "S02", On: day("2026-03-23")},
		study.NotDoneRecorded{AssessmentID: "p1.C2D1", Reason: "other", HealthRelated: study.Unknown, Note: "snow"},
		study.ContactRecorded{AssessmentID: "p1.C2D1", Channel: "phone", Outcome: "no_answer", Note: "rang twice", NextOn: day("2026-03-24")},
		study.RemindersPaused{Paused: true}, study.AlertAcked{Alert: "p1.missed.C2D1", Note: "called"},
	}
}

// sampleLine is the sample as the canonical bytes of an event.
func sampleLine(t failer, i int, p study.Payload) string {
	t.Helper()
	e := study.Event{Stream: "participant/p1", Seq: uint64(i + 1), ID: study.EventID(fmt.Sprintf("e%d", i+1)), At: study.InstantOf(testkit.Start) + study.Instant(i),
		Actor: study.ActorRef{Role: study.RoleCoordinator, ID: "coordinator-1"}, Reason: "because", Prev: study.ProtocolHash([]byte{byte(i)})}
	return string(seal(t, e, p).Bytes)
}

func TestEverySampleHasEveryFieldFilled(t *testing.T) {
	for _, p := range samples() {
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%T.%s is empty", p, v.Type().Field(i).Name)
			}
		}
	}
}

// One line for every type: it opens, decodes, and encodes to the same bytes.
func TestGoldenEventsOfEveryTypeAreReadAndWrittenTheSameForEver(t *testing.T) {
	text := goldenText(t, "events.jsonl", func() string { return "" })
	have := map[study.EventType]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		e := eventOf(t, line)
		have[e.Type] = line
		payload, err := study.PayloadOf(e)
		if err != nil {
			t.Errorf("%s is not understood any more: %v", e.Type, err)
			continue
		}
		if again := seal(t, e, payload); string(again.Bytes) != line {
			t.Errorf("%s is written otherwise:\n%s\nwas\n%s", e.Type, again.Bytes, line)
		}
	}
	for i, p := range samples() {
		if _, ok := have[p.EventType()]; !ok && *update {
			line := sampleLine(t, i, p)
			have[p.EventType()], text = line, text+line+"\n"
		}
	}
	for _, typ := range study.EventTypes() {
		if _, ok := have[typ]; !ok {
			t.Errorf("event type %s has no golden line; give it a sample and run the test once with -update", typ)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(filepath.Join(golden, "events.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func eventOf(t *testing.T, line string) study.Event {
	t.Helper()
	var e study.Event
	if err := json.Unmarshal([]byte(line), &e, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

// life is a record with every type of event that a participant's record has.
func life(t failer) *record {
	c := testkit.NewParticipant("001")
	c.Consent = study.Consent{}
	r := enrolledUnder(t, historyOf(t, first()), c)
	r.must(study.RecordConsent{Consent: study.Consent{On: consented, FormVersion: "2.0", Language: "zh"}})
	r.must(study.IssueCode{ExpiresAt: study.InstantOf(r.now.Add(time.Hour))})
	if _, err := r.do(testkit.Phone(personID), study.BindPhone{Code: r.p.Code.Event}); err != nil {
		t.Fatalf("bind: %v", details(err))
	}
	r.complete("C1D1", at(cycle1-6, "10:00"))
	r.now = at(cycle1-5, "10:00")
	r.must(move(1, cycle1+12, study.CyclePlanned))
	r.complete("C1D1", at(cycle1+11, "10:00"))
	r.now = at(cycle1+12, "15:00")
	r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + 12).String()), At: study.InstantOf(at(cycle1+12, "11:00"))})
	r.must(study.RecordCycle{N: 1, StartedOn: cycle1 + 12, DoseAt: study.InstantOf(at(cycle1+12, "11:00"))})
	r.must(study.RateECOG{Visit: "C1D1", ECOG: 1, On: cycle1 + 12})
	paper := r.paper("C2D1", at(cycle1+33, "09:00"))
	paper.Answers["GS7"], paper.Skipped = "2", map[string]string{"GS7": "opt_out"}
	r.now = at(cycle1+34, "10:00")
	r.must(paper)
	if _, err := r.send(r.form("C2D1")); err != nil { // held: after a staff entry
		t.Fatalf("held: %v", details(err))
	}
	r.must(study.JudgeHeld{Form: r.visit("C2D1").Submissions[1].ID, Accept: false, Reason: "a test"})
	r.must(study.CorrectForm{Form: paper.ID, Answers: testkit.Answers(60), Cause: study.CauseEntryError, Reason: "typed wrongly"})
	second := testkit.Staff(study.RoleCoordinator, "coordinator-1", testkit.Site)
	if _, err := r.do(second, study.VerifyForm{Form: paper.ID}); err != nil {
		t.Fatalf("verify: %v", details(err))
	}
	r.now = at(cycle1+80, "10:00")
	r.must(study.CodeMissing{Assessment: study.AssessmentFor(personID, "C3D1"), Reason: "other", HealthRelated: study.No, Note: "snow"})
	r.must(study.RecordCycle{N: 4, Kind: study.CycleNotGiven, Reason: "neutropenia"})
	r.must(study.VoidForm{Form: paper.ID, Cause: study.CauseWrongPerson, Reason: "her sister"})
	r.must(study.ChangeParticipant{Language: "zh", TimeZone: "Asia/Urumqi", Number: "101", Regimen: "eribulin", Access: study.AccessPaper, Reason: "moved"})
	r.must(study.TransferTo{Site: testkit.OtherSite, On: cycle1 + 79, Reason: "moved"})
	r.must(withdrawal(cycle1 + 78))
	r.must(study.RetractFact{Seq: r.p.Seq, Reason: "misunderstood"})
	r.must(study.RecordFact{Kind: study.FactRegimenChanged, On: study.PartialDate((cycle1 + 79).String()), Drugs: []string{"gemcitabine", "carboplatin"}})
	r.must(death("2026-05"))
	return r
}

// reminded is a record with what reminders, contacts and alerts leave behind.
func reminded(t failer) *record {
	r := enrolledUnder(t, historyOf(t, first()), testkit.NewParticipant("001"))
	pause := func(paused bool) {
		if done, err := r.do(testkit.Phone(personID), study.PauseReminders{Paused: paused}); err != nil || !done {
			t.Fatalf("pause: %v", details(err))
		}
	}
	r.now = at(cycle1-5, "10:00")
	pause(true)
	r.now = at(cycle1-4, "10:00")
	pause(false)
	r.now = at(cycle1-1, "12:00")
	r.must(study.RecordContact{Assessment: study.AssessmentFor(personID, "C1D1"), Channel: "phone", Outcome: "no_answer", Note: "rang twice", NextOn: cycle1})
	r.must(study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead})
	r.now = at(cycle1, "12:00")
	r.must(study.RecordContact{Channel: "phone", Outcome: study.OutcomeReached})
	r.now = at(cycle1+2, "12:00")
	r.must(study.AcknowledgeAlert{Alert: study.AlertID(string(personID) + ".missed.C1D1"), Note: "she was in hospital"})
	return r
}

// mended is a record in which slips of the pen were corrected, of somebody who
// left in steps.
func mended(t failer) *record {
	r := enrolled(t)
	r.must(study.RecordConsent{Consent: study.Consent{On: consented - 2, FormVersion: "2.0", Language: "en"}, Corrects: 1, Reason: "typed wrongly"})
	paper := r.paper("C2D1", at(cycle1+21, "09:00"))
	paper.Answers["GS7"], paper.Skipped = "2", map[string]string{"GS7": "opt_out"}
	r.now = at(cycle1+22, "10:00")
	r.must(paper)
	r.must(study.CorrectForm{Form: paper.ID, Answers: paper.Answers, Cause: study.CauseEntryError, Reason: "not ticked"})
	r.now = at(cycle1+70, "10:00")
	for i, level := range study.Levels {
		r.must(study.RecordFact{Kind: study.FactWithdrawn, Level: level, On: study.PartialDate((cycle1 + 30 + study.Date(10*i)).String()), Reason: "told us"})
	}
	r.must(death("2026"))
	return r
}

// opened is a record with a form that was begun, one that was begun and
// received, and one that was shown in licensed wording.
func opened(t failer) *record {
	r := enrolled(t)
	r.wording = packs(t, testkit.WordingPack("acme-en", "1", "en"), approval(testkit.Start.AddDate(0, 0, 20)))
	for i, visit := range []string{"C1D1", "C2D1", "C3D1"} {
		r.now = at(cycle1+study.Date(21*i), "09:00")
		if done, err := r.do(testkit.Phone(personID), study.OpenAssessment{Assessment: study.AssessmentFor(personID, visit), OpenedAt: study.InstantOf(r.now)}); err != nil || !done {
			t.Fatalf("open %s: %v", visit, details(err))
		}
		if i < 2 {
			r.now = r.now.Add(10 * time.Minute)
			f := r.form(visit)
			f.Pack = ""
			if _, err := r.send(f); err != nil {
				t.Fatalf("send %s: %v", visit, details(err))
			}
		}
	}
	return r
}

func lines(entries []study.Entry) string {
	var out bytes.Buffer
	for _, n := range entries {
		out.Write(n.Bytes)
		out.WriteByte('\n')
	}
	return out.String()
}

// entriesOf turns golden lines back into entries.
func entriesOf(t *testing.T, text string) []study.Entry {
	t.Helper()
	var out []study.Entry
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		e := eventOf(t, line)
		out = append(out, study.Entry{Stream: e.Stream, Seq: e.Seq, ID: e.ID, At: e.At.Time(), Actor: e.Actor, Type: e.Type,
			Hash: study.ProtocolHash([]byte(line)), Bytes: []byte(line)})
	}
	return out
}

func TestGoldenRecordsFoldToTheSameStateForEver(t *testing.T) {
	protocol := goldenText(t, "study.jsonl", func() string {
		text := string(study.DefaultProtocolText())
		e := study.Event{Stream: study.StudyStream, Seq: 1, ID: "p1.0", At: study.InstantOf(first().adopted), Actor: study.System("test").Ref()}
		return lines([]study.Entry{seal(t, e, study.ProtocolAdopted{Version: "1.0", Hash: study.ProtocolHash([]byte(text)), Text: text})})
	})
	st, err := study.FoldStudy(nil, entriesOf(t, protocol)...)
	if err != nil {
		t.Fatal(err)
	}
	seen := []study.EventType{"protocol_adopted", "data_exported", "site_created", "site_contact_set", "site_locked", "site_unlocked", "staff_created", "staff_changed", "password_reset", "name_claimed", "site_changed", "site_closed", "site_reopened", "staff_invited", "sessions_ended", "wording_imported", "wording_decided"}
	for name, build := range map[string]func(failer) *record{"life": life, "year": year, "reminded": reminded, "opened": opened, "mended": mended} {
		entries := entriesOf(t, goldenText(t, name+".jsonl", func() string { return lines(build(t).entries) }))
		p, err := study.FoldParticipant(st.History, nil, entries...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Mismatch != "" {
			t.Errorf("%s: %s", name, p.Mismatch)
		}
		state := goldenText(t, name+".state-"+study.FoldVersion+".json", func() string { return stateJSON(t, p) + "\n" })
		if got := stateJSON(t, p) + "\n"; got != state {
			t.Errorf("%s folds to another State than fold version %s did. If that is meant, give foldVersion a new value and run the test once with -update "+
				"(before the first release: delete the file instead).\n%s\nwas\n%s", name, study.FoldVersion, got, state)
		}
		for _, n := range entries {
			seen = append(seen, n.Type)
		}
	}
	for _, typ := range study.EventTypes() {
		if !slices.Contains(seen, typ) {
			t.Errorf("no golden record has a %s", typ)
		}
	}
}

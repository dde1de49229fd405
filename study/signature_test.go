package study_test

import (
	"strings"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

// signing is a participant with a form, and the commands that are signed.
func signing(t *testing.T, f *testkit.Fixture, number string) (study.ParticipantID, map[study.Meaning]study.Command) {
	t.Helper()
	f.Clock.Set(at(cycle1, "09:00"))
	p := f.Enrol(t, number)
	form := f.Submit(t, p.ID, "C1D1", 1).SubmissionID
	return p.ID, map[study.Meaning]study.Command{
		study.MeansCorrection:    study.CorrectForm{Form: form, Answers: testkit.Answers(2), Cause: study.CauseEntryError, Reason: "as she said"},
		study.MeansTranscription: study.VerifyForm{Form: form},
		study.MeansVoiding:       study.VoidForm{Form: form, Cause: study.CauseTest, Reason: "a test"},
	}
}

func TestASignatureIsKeptWithItsMeaningAndNoOther(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, commands := signing(t, f, "1")
	by := func(m study.Meaning) study.Request { return study.Request{By: f.Investigator, Signature: m} }
	for _, means := range []study.Meaning{study.MeansCorrection, study.MeansTranscription, study.MeansVoiding} {
		c := commands[means]
		if means == study.MeansTranscription { // not by whoever corrected it
			by = func(m study.Meaning) study.Request { return study.Request{By: f.Coordinator, Signature: m} }
		}
		if _, err := f.Do(t.Context(), by(study.MeansLock), p, c); !strings.Contains(details(err), "signature.meaning") {
			t.Errorf("%s under another meaning: %v", means, details(err))
		}
		if _, err := f.Do(t.Context(), by(means), p, c); err != nil {
			t.Fatalf("%s: %v", means, details(err))
		}
		events, err := f.Record(t.Context(), f.Investigator, p, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := events[len(events)-1].Signature; got != means {
			t.Errorf("the record says %q, not %q", got, means)
		}
	}
	if _, err := f.Do(t.Context(), by(study.MeansVoiding), p, study.RateECOG{Visit: "C1D1", ECOG: 1, On: cycle1}); !strings.Contains(details(err), "leave the signature out") {
		t.Errorf("something that is not signed: %v", details(err))
	}
	_, err := f.LockSite(t.Context(), study.Request{By: f.Investigator, Signature: study.MeansUnlock}, testkit.Site, true, "final")
	if !strings.Contains(details(err), "signature.meaning") {
		t.Errorf("a lock signed as an unlock: %v", details(err))
	}
	if _, err := f.LockSite(t.Context(), study.Request{By: f.Investigator, Signature: study.MeansLock}, testkit.Site, true, "final"); err != nil {
		t.Error(details(err))
	}
}

func TestTheProtocolCanRequireSignatures(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, commands := signing(t, f, "1")
	text := strings.Replace(string(study.DefaultProtocolText()), `version: "1.0"`, "version: \"1.1\"\nsignatures: required", 1)
	if _, err := f.Adopt(t.Context(), study.Request{By: f.System}, []byte(text), cycle1+1, false); err != nil {
		t.Fatal(details(err))
	}
	for means, c := range commands {
		if _, err := f.Do(t.Context(), study.Request{By: f.Investigator}, p, c); !strings.Contains(details(err), "; signature: ") {
			t.Errorf("%s without a signature: %v", means, details(err))
		}
	}
	if _, err := f.LockSite(t.Context(), study.Request{By: f.Investigator}, testkit.Site, true, "final"); !strings.Contains(details(err), "; signature: ") {
		t.Errorf("a lock without a signature: %v", details(err))
	}
	if _, err := f.Do(t.Context(), study.Request{By: f.Investigator, Signature: study.MeansVoiding}, p, commands[study.MeansVoiding]); err != nil {
		t.Error(details(err))
	}
	bad := strings.Replace(text, "signatures: required", "signatures: sometimes", 1)
	if _, err := study.ParseProtocol([]byte(bad)); !strings.Contains(details(err), "write optional or required") {
		t.Errorf("got %v", details(err))
	}
}

func TestASignedEventIsReadAndWrittenTheSameForEver(t *testing.T) {
	line := strings.TrimSuffix(goldenText(t, "signed.jsonl", func() string {
		e := study.Event{Stream: "participant/p1", Seq: 9, ID: "e9", At: study.InstantOf(testkit.Start), Reason: "because",
			Actor: study.ActorRef{Role: study.RoleInvestigator, ID: "investigator-1"}, Prev: study.ProtocolHash([]byte("x")), Signature: study.MeansVoiding}
		return string(seal(t, e, study.SubmissionVoided{SubmissionID: "s1", Cause: study.CauseTest}).Bytes) + "\n"
	}), "\n")
	e := eventOf(t, line)
	payload, err := study.PayloadOf(e)
	if err != nil || e.Signature != study.MeansVoiding {
		t.Fatalf("%v, signed %q", err, e.Signature)
	}
	if again := seal(t, e, payload); string(again.Bytes) != line {
		t.Errorf("it is written otherwise:\n%s\nwas\n%s", again.Bytes, line)
	}
}

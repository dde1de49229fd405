package study_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"epro/internal/testkit"
	"epro/study"
)

// randomRecord is a record after some random commands, with an amendment in
// its second half.
func randomRecord(t *rapid.T, h *study.History, steps int) *record {
	r := enrolledUnder(t, h, testkit.NewParticipant("001"))
	c := commander{newID: r.newID, zones: someZones}
	for range steps {
		r.now = r.now.Add(time.Duration(rapid.IntRange(0, 12*24*60).Draw(t, "minutes")) * time.Minute)
		by, command := c.draw(t, r.p, r.now)
		_, _ = r.do(by, command)
	}
	return r
}

func amendedHistory(t failer) *study.History {
	return historyOf(t, first(), adoption{
		text:    amended(t, "2", "opens_days: -3, closes_days: 7}", "opens_days: -2, closes_days: 6}"),
		adopted: at(cycle1+100, "12:00"), effective: cycle1 + 110})
}

func TestCampaignFoldingFromAnySnapshotGivesTheSameState(t *testing.T) {
	checks(t, 25, 2000)
	h := amendedHistory(t)
	rapid.Check(t, func(t *rapid.T) {
		r := randomRecord(t, h, 25)
		want := stateJSON(t, r.p) // folded one by one
		whole, err := study.FoldParticipant(h, nil, r.entries...)
		if err != nil {
			t.Fatal(err)
		}
		if got := stateJSON(t, whole); got != want {
			t.Fatalf("folded at once:\n%s\none by one:\n%s", got, want)
		}
		k := rapid.IntRange(1, len(r.entries)).Draw(t, "snapshot after")
		early, err := study.FoldParticipant(h, nil, r.entries[:k]...)
		if err != nil {
			t.Fatal(err)
		}
		restored := &study.Participant{}
		if err := json.Unmarshal([]byte(stateJSON(t, early)), restored); err != nil {
			t.Fatal(err)
		}
		late, err := study.FoldParticipant(h, restored, r.entries[k:]...)
		if err != nil {
			t.Fatal(err)
		}
		if got := stateJSON(t, late); got != want {
			t.Fatalf("from a snapshot after %d of %d:\n%s\nwant\n%s", k, len(r.entries), got, want)
		}
	})
}

// Two different events after one State: neither fold may touch the State nor
// what the other one made of it.
func TestCampaignFoldNeverChangesWhatItWasGiven(t *testing.T) {
	checks(t, 20, 1000)
	h := amendedHistory(t)
	rapid.Check(t, func(t *rapid.T) {
		r := randomRecord(t, h, 12)
		c := commander{newID: r.newID, zones: someZones}
		given, before := r.p, stateJSON(t, r.p)
		var results []*study.Participant
		var texts []string
		for range 4 {
			branch := *r
			branch.entries = nil
			for range 3 {
				by, command := c.draw(t, branch.p, branch.now)
				_, _ = branch.do(by, command)
			}
			results, texts = append(results, branch.p), append(texts, stateJSON(t, branch.p))
			if got := stateJSON(t, given); got != before {
				t.Fatalf("the State changed:\n%s\nwas\n%s", got, before)
			}
		}
		for i, p := range results {
			if got := stateJSON(t, p); got != texts[i] {
				t.Fatalf("a later fold changed an earlier result:\n%s\nwas\n%s", got, texts[i])
			}
		}
	})
}

func TestCampaignDecidingChangesNothing(t *testing.T) {
	checks(t, 20, 1000)
	h := amendedHistory(t)
	rapid.Check(t, func(t *rapid.T) {
		r := randomRecord(t, h, 12)
		c := commander{newID: r.newID, zones: someZones}
		before := stateJSON(t, r.p)
		for range 6 {
			by, command := c.draw(t, r.p, r.now)
			one, err1 := study.Decide(r.p, command, r.situation(by))
			two, err2 := study.Decide(r.p, command, r.situation(by))
			if fmt.Sprintf("%+v %v", dump(one), details(err1)) != fmt.Sprintf("%+v %v", dump(two), details(err2)) {
				t.Fatalf("%T was decided on in two ways", command)
			}
		}
		if stateJSON(t, r.p) != before {
			t.Fatal("the State changed")
		}
	})
}

func dump(p study.Payload) string {
	raw, err := json.Marshal(p, json.Deterministic(true))
	return fmt.Sprint(string(raw), err)
}

// year is a record with a form at every visit and every cycle given.
func year(t failer) *record {
	r := enrolled(t)
	r.must(study.IssueCode{ExpiresAt: study.InstantOf(r.now.Add(72 * time.Hour))})
	if _, err := r.do(testkit.Phone(personID), study.BindPhone{Code: r.p.Code.Event}); err != nil {
		t.Fatalf("bind: %v", details(err))
	}
	r.complete("C1D1", at(cycle1-1, "10:00"))
	for n := 1; n <= 17; n++ {
		on := cycle1 + study.Date(21*(n-1))
		r.now = at(on, "11:00")
		r.must(study.RecordCycle{N: n, StartedOn: on, Kind: study.CycleGiven, DoseAt: study.InstantOf(at(on, "10:30"))})
		if n == 1 {
			r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate(on.String()), At: study.InstantOf(at(on, "10:30"))})
		} else {
			r.complete(cycleVisit(n), at(on, "12:00"))
		}
	}
	r.complete("W52", at(cycle1+364, "10:00"))
	return r
}

func expectFault(t *testing.T, err error, seq uint64, what string) {
	t.Helper()
	var f *study.Fault
	if !errors.As(err, &f) {
		t.Fatalf("%s: error %v is no Fault", what, err)
	}
	if f.Stream != personID.Stream() || f.Seq != seq {
		t.Fatalf("%s: the fault is at %s seq %d, want seq %d", what, f.Stream, f.Seq, seq)
	}
	if text := err.Error(); !strings.Contains(text, string(personID)) || !strings.Contains(text, fmt.Sprint(seq)) {
		t.Fatalf("%s: %q does not name the place", what, text)
	}
}

func TestABrokenChainIsAFaultAtItsPlace(t *testing.T) {
	r := year(t)
	other := enrolledUnder(t, r.h, testkit.NewParticipant("002"))
	other.now = other.now.Add(time.Hour)
	other.must(study.ChangeParticipant{Language: "zh", Reason: "x"})
	swap := append([]study.Entry{}, r.entries...)
	swap[4], swap[5] = swap[5], swap[4]
	for name, c := range map[string]struct {
		entries []study.Entry
		seq     uint64
	}{
		"a gap":                  {append(append([]study.Entry{}, r.entries[:5]...), r.entries[6:]...), 7},
		"swapped":                {swap, 6},
		"repeated":               {append(append([]study.Entry{}, r.entries[:5]...), r.entries[4:]...), 5},
		"the first is missing":   {r.entries[1:], 2},
		"another record's entry": {[]study.Entry{r.entries[0], other.entries[1]}, 2},
	} {
		p, err := study.FoldParticipant(r.h, nil, c.entries...)
		if p != nil {
			t.Errorf("%s: a State all the same", name)
		}
		expectFault(t, err, c.seq, name)
	}
}

func TestAnEntryDatedBeforeItsPredecessorIsAFault(t *testing.T) {
	r := enrolled(t)
	e := study.Event{Stream: personID.Stream(), Seq: 2, ID: "x", At: r.p.At - 1, Actor: r.staff.Ref(), Prev: r.p.Head}
	_, err := study.FoldParticipant(r.h, r.p, seal(t, e, study.CodeIssued{ExpiresAt: 1}))
	expectFault(t, err, 2, "dated back")
}

// Every byte of one event, and random ones of all others.
func TestAnEditedByteIsAFaultAtItsPlace(t *testing.T) {
	r := year(t)
	edit := func(i, k int, with byte) {
		t.Helper()
		entries := append([]study.Entry{}, r.entries...)
		entries[i].Bytes = bytes.Clone(entries[i].Bytes)
		entries[i].Bytes[k] ^= with
		_, err := study.FoldParticipant(r.h, nil, entries...)
		expectFault(t, err, uint64(i+1), fmt.Sprintf("byte %d of entry %d", k, i+1))
	}
	for k := range r.entries[3].Bytes {
		edit(3, k, 1)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range times(200, 5000) {
		i := rng.IntN(len(r.entries))
		edit(i, rng.IntN(len(r.entries[i].Bytes)), byte(1+rng.IntN(255)))
	}
}

// Whoever edits bytes and hash together is caught by the next entry's prev,
// and whoever edits a copied field by the bytes.
func TestAnEditThatMendsItsHashIsCaughtByTheNextEntry(t *testing.T) {
	r := year(t)
	entries := append([]study.Entry{}, r.entries...)
	e, err := entries[3].Open()
	if err != nil {
		t.Fatal(err)
	}
	e.Reason = "another reason"
	if entries[3], err = study.Seal(e); err != nil {
		t.Fatal(err)
	}
	_, err = study.FoldParticipant(r.h, nil, entries...)
	expectFault(t, err, 5, "resealed")

	for name, change := range map[string]func(*study.Entry){
		"id": func(n *study.Entry) { n.ID = "x" }, "at": func(n *study.Entry) { n.At = n.At.Add(time.Second) },
		"actor": func(n *study.Entry) { n.Actor.ID = "x" }, "role": func(n *study.Entry) { n.Actor.Role = study.RoleAdmin },
		"type": func(n *study.Entry) { n.Type = "fact_recorded" }, "hash": func(n *study.Entry) { n.Hash[0]++ },
	} {
		entries := append([]study.Entry{}, r.entries...)
		change(&entries[6])
		_, err := study.FoldParticipant(r.h, nil, entries...)
		expectFault(t, err, 7, name)
	}
}

func TestWhatTheProgramDoesNotUnderstandItRefuses(t *testing.T) {
	r := enrolled(t)
	good := study.Event{V: 1, Stream: personID.Stream(), Seq: 2, ID: "x", At: r.p.At, Actor: r.staff.Ref(), Prev: r.p.Head,
		Type: "code_issued", Payload: jsontext.Value(`{"expires_at":"2026-03-01T00:00:00.000Z"}`)}
	fold := func(e study.Event) error {
		entry, err := study.Seal(e)
		if err != nil {
			t.Fatal(err)
		}
		_, err = study.FoldParticipant(r.h, r.p, entry)
		return err
	}
	if err := fold(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*study.Event){
		"an unknown type": func(e *study.Event) { e.Type = "moon_landed" },
		"a later version": func(e *study.Event) { e.V = 2 },
		"no version":      func(e *study.Event) { e.V = 0 },
		"an unknown field": func(e *study.Event) {
			e.Payload = jsontext.Value(`{"expires_at":"2026-03-01T00:00:00.000Z","colour":1}`)
		},
		"another type's place": func(e *study.Event) { e.Type, e.Payload = "site_locked", jsontext.Value(`{}`) },
		"no such cycle": func(e *study.Event) {
			e.Type, e.Payload = "cycle_recorded", jsontext.Value(`{"n":99,"started_on":"2026-03-02","kind":"given"}`)
		},
		"cycle 0": func(e *study.Event) {
			e.Type, e.Payload = "cycle_recorded", jsontext.Value(`{"n":0,"started_on":"2026-03-02","kind":"given"}`)
		},
		"no such form": func(e *study.Event) {
			e.Type, e.Payload = "submission_voided", jsontext.Value(`{"submission_id":"x","cause":"test"}`)
		},
		"no such visit": func(e *study.Event) {
			e.Type, e.Payload = "not_done_recorded", jsontext.Value(`{"assessment_id":"x","reason":"forgot","health_related":"no"}`)
		},
		"enrolled twice": func(e *study.Event) {
			e.Type, e.Payload = "participant_enrolled", jsontext.Value(`{"number":"1","site":"S01","language":"en","time_zone":"UTC","cycle1_on":"2026-03-02","access":"phone"}`)
		},
	} {
		e := good
		change(&e)
		expectFault(t, fold(e), 2, name)
	}

	// An unknown field of the event itself, sealed by hand.
	entry, err := study.Seal(good)
	if err != nil {
		t.Fatal(err)
	}
	resealed := entry
	resealed.Bytes = bytes.Replace(bytes.Clone(entry.Bytes), []byte(`"at":`), []byte(`"as":1,"at":`), 1)
	resealed.Hash = study.ProtocolHash(resealed.Bytes)
	_, err = study.FoldParticipant(r.h, r.p, resealed)
	expectFault(t, err, 2, "an unknown member")
}

func TestAnEventHasOneCanonicalForm(t *testing.T) {
	r := year(t)
	for _, n := range r.entries {
		if !n.Canonical() {
			t.Fatalf("entry %d is not canonical: %s", n.Seq, n.Bytes)
		}
		e, err := n.Open()
		if err != nil {
			t.Fatal(err)
		}
		again, err := study.Seal(e)
		if err != nil || again.Hash != n.Hash || !bytes.Equal(again.Bytes, n.Bytes) {
			t.Fatalf("entry %d sealed again differs: %v", n.Seq, err)
		}
		loose := n
		loose.Bytes = append([]byte(" "), n.Bytes...)
		if loose.Canonical() {
			t.Fatal("a leading space is canonical")
		}
	}
}

func TestAStoredScoreThatTheAnswersDoNotGiveIsNoticed(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "10:00")
	payload, err := study.Decide(r.p, r.form("C2D1"), r.situation(testkit.Phone(personID)))
	if err != nil {
		t.Fatal(err)
	}
	received := payload.(study.SubmissionReceived)
	wrong := *received.Scores["PWB"].Value + 1
	score := received.Scores["PWB"]
	score.Value = &wrong
	received.Scores["PWB"] = score
	r.append(testkit.Phone(personID), received, "")
	if !strings.Contains(r.p.Mismatch, "PWB") || !strings.Contains(r.p.Mismatch, "seq 2") {
		t.Errorf("mismatch %q", r.p.Mismatch)
	}
}

// Lists that grow are where two folds from one State could meet in one array.
func TestTwoContinuationsOfOneStateShareNothing(t *testing.T) {
	r := enrolled(t)
	id := r.complete("C2D1", at(cycle1+20, "10:00"))
	for i := range 7 { // so that some length leaves room behind it, however arrays grow
		r.now = r.now.Add(time.Hour)
		r.must(study.CorrectForm{Form: id, Answers: testkit.Answers(uint64(100 + i)), Cause: study.CauseEntryError, Reason: "x"})
		r.must(move(5, cycle1+85+study.Date(i), study.CyclePlanned))
		branch := func(seed uint64, on study.Date) (*study.Participant, string) {
			b := *r
			b.now = b.now.Add(time.Duration(seed) * time.Minute)
			b.must(study.CorrectForm{Form: id, Answers: testkit.Answers(seed), Cause: study.CauseEntryError, Reason: "x"})
			b.must(move(5, on, study.CyclePlanned))
			b.now = b.now.Add(time.Hour)
			b.must(study.VoidForm{Form: id, Cause: study.CauseTest, Reason: "x"})
			return b.p, stateJSON(t, b.p)
		}
		before := stateJSON(t, r.p)
		one, text := branch(200, cycle1+100)
		two, other := branch(201, cycle1+101)
		if stateJSON(t, one) != text || stateJSON(t, two) != other || stateJSON(t, r.p) != before {
			t.Fatalf("after %d corrections one continuation changed another", i+1)
		}
	}
}

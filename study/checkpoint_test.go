package study_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"epro/internal/testkit"
	"epro/study"
)

// sign and believe stand in for package auth, which the study does not know.
func sign(statement []byte) (study.Signature, error) {
	sum := sha256.Sum256(append([]byte("secret"), statement...))
	return study.Signature{Key: []byte("key"), Sum: sum[:]}, nil
}

func believe(statement []byte, s study.Signature) error {
	if made, _ := sign(statement); !bytes.Equal(made.Key, s.Key) || !bytes.Equal(made.Sum, s.Sum) {
		return errors.New("not to be believed")
	}
	return nil
}

// busyStudy is a study with three participants, of whom two sent a form.
func busyStudy(t testing.TB, store study.Store) *testkit.Fixture {
	t.Helper()
	f := testkit.Study(t, store)
	var people []study.ParticipantID
	for i := range 3 {
		f.Clock.Advance(time.Second)
		people = append(people, f.Enrol(t, fmt.Sprintf("%03d", i+1)).ID)
	}
	f.Clock.Set(at(cycle1, "10:00"))
	for i, id := range people[:2] {
		f.Clock.Advance(time.Minute)
		f.Submit(t, id, "C1D1", uint64(i))
	}
	return f
}

func checkpoint(t testing.TB, svc *study.Service) (study.Checkpoint, string) {
	t.Helper()
	var text bytes.Buffer
	made, err := svc.WriteCheckpoint(context.Background(), &text, sign)
	if err != nil {
		t.Fatal(err)
	}
	return made, text.String()
}

func compareWith(t testing.TB, store study.Store, text string) study.Comparison {
	t.Helper()
	svc := study.NewService(store, testkit.NewClock(testkit.Start).Now, testkit.IDs(9))
	found, err := svc.CompareCheckpoint(context.Background(), strings.NewReader(text), believe)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func allEntries(t testing.TB, store study.Store) []study.Entry {
	t.Helper()
	var all []study.Entry
	for n, err := range store.Entries(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// storeOf is a store with these entries, however they were come by.
func storeOf(t testing.TB, entries []study.Entry) study.Store {
	t.Helper()
	store := testkit.SQLite(t)
	for _, n := range entries {
		if err := store.Append(context.Background(), n, nil); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestACheckpointOfTheSameStoreIsTheSameTextAndFindsNothing(t *testing.T) {
	f := busyStudy(t, testkit.SQLite(t))
	made, text := checkpoint(t, f.Service)
	if _, again := checkpoint(t, f.Service); again != text {
		t.Error("the same store gives two texts")
	}
	if made.Streams != strings.Count(text, "\n")-9 || made.Events != uint64(len(allEntries(t, f.Store))) {
		t.Errorf("%+v", made)
	}
	found := compareWith(t, f.Store, text)
	if found.Same != made.Streams || found.Grown+found.New+len(found.Differences) != 0 || found.LooksOlder() {
		t.Errorf("%+v", found)
	}
}

func TestGrowthSinceACheckpointIsNoDifference(t *testing.T) {
	f := busyStudy(t, testkit.SQLite(t))
	made, text := checkpoint(t, f.Service)
	f.Clock.Advance(time.Hour)
	late := f.Enrol(t, "004")
	f.Submit(t, late.ID, "C1D1", 7)
	people, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{})
	if err != nil {
		t.Fatal(err)
	}
	f.Submit(t, people[2].ID, "C1D1", 8)
	found := compareWith(t, f.Store, text)
	if found.New != 2 || found.Grown != 1 || found.Same != made.Streams-1 || len(found.Differences) != 0 {
		t.Errorf("%+v", found) // new are the participant and the claim of the number
	}
}

func TestWhatWasLostSinceACheckpointIsFoundByStreamAndSequence(t *testing.T) {
	f := busyStudy(t, testkit.SQLite(t))
	_, text := checkpoint(t, f.Service)
	all := allEntries(t, f.Store)
	form := all[slices.IndexFunc(all, func(n study.Entry) bool { return n.Type == "submission_received" && n.At.Equal(at(cycle1, "10:01")) })]
	old := slices.DeleteFunc(slices.Clone(all), func(n study.Entry) bool { return n.At.After(at(cycle1, "10:00")) })
	anew := rewritten(t, all, form.Stream)
	onwards := append(slices.Clone(anew), sealedAfter(t, anew, form.Stream))
	cases := []struct {
		name    string
		entries []study.Entry
		words   string
		older   bool
	}{
		{"a cut tail", slices.DeleteFunc(slices.Clone(all), func(n study.Entry) bool { return n.ID == form.ID }), "cut off", false},
		{"a stream that is gone", slices.DeleteFunc(slices.Clone(all), func(n study.Entry) bool { return n.Stream == form.Stream }), "gone", false},
		{"a stream written anew", anew, "another entry", false},
		{"a stream written anew and continued", onwards, "another entry", false},
		{"an older copy of everything", old, "cut off", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := compareWith(t, storeOf(t, c.entries), text)
			i := slices.IndexFunc(found.Differences, func(d study.Fault) bool { return d.Stream == form.Stream })
			if i < 0 || found.Differences[i].Seq != form.Seq || !strings.Contains(found.Differences[i].What, c.words) || found.LooksOlder() != c.older {
				t.Errorf("%+v, looks older %t", found, found.LooksOlder())
			}
		})
	}
	if found := compareWith(t, storeOf(t, old), text); len(found.Differences) != 2 || !found.Newest.Equal(old[len(old)-1].At) && found.Newest.After(at(cycle1, "10:00")) {
		t.Errorf("of an older copy: %+v", found)
	}
}

// rewritten gives the entries with the last of a stream replaced by another one
// that is sealed and chained as it should be.
func rewritten(t *testing.T, all []study.Entry, stream study.StreamID) []study.Entry {
	t.Helper()
	out := slices.Clone(all)
	for i := range slices.Backward(out) {
		if out[i].Stream != stream {
			continue
		}
		e, err := out[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		e.Reason = "it was never so"
		if out[i], err = study.Seal(e); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatal("no such stream")
	return nil
}

// sealedAfter is a sound entry behind the end of a stream.
func sealedAfter(t *testing.T, all []study.Entry, stream study.StreamID) study.Entry {
	t.Helper()
	var last study.Entry
	for _, n := range all {
		if n.Stream == stream {
			last = n
		}
	}
	e, err := last.Open()
	if err != nil {
		t.Fatal(err)
	}
	e.Seq, e.Prev, e.ID = last.Seq+1, last.Hash, study.EventID(testkit.IDs(77)())
	n, err := study.Seal(e)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestACheckpointOfAnotherStudyIsRefused(t *testing.T) {
	f := busyStudy(t, testkit.SQLite(t))
	heads := f.Store.Heads(t.Context(), time.Time{})
	var other bytes.Buffer
	if _, err := study.WriteCheckpoint(&other, study.Checkpoint{Study: "another", At: 1}, heads, sign); err != nil {
		t.Fatal(err)
	}
	_, err := f.CompareCheckpoint(t.Context(), &other, believe)
	if study.CodeOf(err) != study.Invalid || !strings.Contains(err.Error(), `"another"`) {
		t.Errorf("%v", err)
	}
}

func TestNoByteOfACheckpointCanChangeUnseen(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	_, text := checkpoint(t, f.Service)
	for i := range text {
		for _, flip := range []byte{1, 0x20, 0x80} {
			changed := []byte(text)
			changed[i] ^= flip
			if _, err := f.CompareCheckpoint(t.Context(), bytes.NewReader(changed), believe); err == nil {
				t.Fatalf("byte %d of %d changed by %#x is not noticed: %q", i, len(text), flip, changed[max(0, i-20):i+1])
			}
		}
	}
	for n := range len(text) {
		if _, err := f.CompareCheckpoint(t.Context(), strings.NewReader(text[:n]), believe); err == nil {
			t.Fatalf("cut to %d of %d bytes and not noticed", n, len(text))
		}
	}
}

// listOf yields heads in the order of their streams.
func listOf(heads map[study.StreamID]study.Head) iter.Seq2[study.Head, error] {
	return func(yield func(study.Head, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(heads)) {
			if !yield(heads[id], nil) {
				return
			}
		}
	}
}

// Whatever is in two stores, the comparison says of every stream what a plain
// look at both says.
func TestTheComparisonAgreesWithAPlainLookAtBothStores(t *testing.T) {
	checks(t, 300, 20_000)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-c é]{1,3}`), rapid.ID[string])
		draw := func(label string) map[study.StreamID]study.Head {
			out := map[study.StreamID]study.Head{}
			for _, name := range names.Draw(t, label) {
				seq := rapid.Uint64Range(1, 4).Draw(t, "seq")
				fork := rapid.Bool().Draw(t, "fork")
				out[study.StreamID(name)] = study.Head{Stream: study.StreamID(name), Seq: seq, Hash: hashAt(name, seq, fork), At: time.UnixMilli(int64(seq))}
			}
			return out
		}
		old, now := draw("old"), draw("now")
		var text bytes.Buffer
		if _, err := study.WriteCheckpoint(&text, study.Checkpoint{Study: "s", At: 1}, listOf(old), sign); err != nil {
			t.Fatal(err)
		}
		entry := func(id study.StreamID, seq uint64) (study.Entry, error) {
			return study.Entry{Hash: hashAt(string(id), seq, now[id].Hash != hashAt(string(id), now[id].Seq, false))}, nil
		}
		found, err := study.CompareCheckpoint(&text, believe, listOf(now), entry)
		if err != nil {
			t.Fatal(err)
		}
		lost := map[study.StreamID]bool{}
		for id, was := range old {
			fork := was.Hash != hashAt(string(id), was.Seq, false)
			forked := now[id].Hash != hashAt(string(id), now[id].Seq, false)
			lost[id] = now[id].Seq < was.Seq || fork != forked
		}
		for _, d := range found.Differences {
			if !lost[d.Stream] || d.Seq != old[d.Stream].Seq {
				t.Fatalf("%s is no loss", d.Error())
			}
			delete(lost, d.Stream)
		}
		for id, is := range lost {
			if is {
				t.Fatalf("the loss of %s is not found", id)
			}
		}
		if found.Same+found.Grown+len(found.Differences) != len(old) {
			t.Fatalf("%+v of %d streams", found, len(old))
		}
	})
}

func hashAt(name string, seq uint64, fork bool) study.Hash {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d %t", name, seq, fork))
}

// What the reader accepts is in its one form: written again it is the same.
func FuzzCheckpoint(f *testing.F) {
	heads := map[study.StreamID]study.Head{}
	for _, name := range []string{"participant/1", "study", "site/a b"} {
		heads[study.StreamID(name)] = study.Head{Stream: study.StreamID(name), Seq: 3, Hash: hashAt(name, 3, false)}
	}
	var text bytes.Buffer
	if _, err := study.WriteCheckpoint(&text, study.Checkpoint{Study: "S", At: study.InstantOf(testkit.Start)}, listOf(heads), sign); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte("epro checkpoint 1\nstudy \nat 1970-01-01T00:00:00.001Z\nstreams 0\nevents 0\nnewest \nroot \nkey \nsignature \n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var signed study.Signature
		anybody := func(_ []byte, s study.Signature) error { signed = s; return nil }
		found, err := study.CompareCheckpoint(bytes.NewReader(raw), anybody, listOf(nil), nil)
		if err != nil {
			return
		}
		heads := map[study.StreamID]study.Head{}
		for line := range strings.Lines(string(raw)) {
			var h study.Head
			if _, err := fmt.Sscanf(line, "%d ", &h.Seq); err == nil {
				sum, stream, _ := strings.Cut(strings.TrimSuffix(line, "\n")[strings.Index(line, " ")+1:], " ")
				_ = h.Hash.UnmarshalText([]byte(sum))
				h.Stream, h.At = study.StreamID(stream), found.Old.Newest.Time()
				heads[h.Stream] = h
			}
		}
		again := new(bytes.Buffer)
		_, err = study.WriteCheckpoint(again, study.Checkpoint{Study: found.Old.Study, At: found.Old.At}, listOf(heads),
			func([]byte) (study.Signature, error) { return signed, nil })
		if err != nil || !bytes.Equal(again.Bytes(), raw) {
			t.Fatalf("%v\n%q\n%q", err, raw, again)
		}
	})
}

package study_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/store/storetest"
	"epro/study"
)

// kinds are the kinds of records of these tests' stores.
var kinds = append([]study.RecordKind{"session", "code"}, study.RecordKinds...)

// fullStudy is a busy study with records beside the log.
func fullStudy(t testing.TB) *testkit.Fixture {
	t.Helper()
	f := busyStudy(t, testkit.SQLite(t))
	for i, key := range []string{"a", "b", "é $.\n"} {
		r := study.Record{Kind: kinds[i%2], Key: key, Owner: "owner " + key, At: testkit.Start.Add(time.Duration(i) * time.Second), Data: []byte(`{"text":"é \"<\n","n":1}`)}
		if i == 1 {
			r.ExpiresAt = testkit.Start.Add(time.Hour)
		}
		if err := f.Store.PutRecord(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func filling(to study.Store) *study.Filling {
	return &study.Filling{To: to, Now: testkit.NewClock(testkit.Start.AddDate(0, 1, 0)).Now, Kinds: kinds}
}

// sameContent fails unless both stores have the same entries and records, and
// the target's snapshots are what its log gives.
func sameContent(t *testing.T, from, to study.Store) {
	t.Helper()
	a, b := allEntries(t, from), allEntries(t, to)
	if !slices.EqualFunc(a, b, func(x, y study.Entry) bool {
		same := string(x.Bytes) == string(y.Bytes) && x.Hash == y.Hash && x.At.Equal(y.At)
		x.Bytes, y.Bytes, x.At, y.At = nil, nil, time.Time{}, time.Time{}
		return same && x.Stream == y.Stream && x.Seq == y.Seq && x.ID == y.ID && x.Actor == y.Actor && x.Type == y.Type
	}) {
		t.Errorf("%d entries became %d, or some differ", len(a), len(b))
	}
	for _, kind := range kinds[:2] {
		x, err := from.Records(t.Context(), kind, "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		y, err := to.Records(t.Context(), kind, "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(x, y, func(x, y study.Record) bool {
			return x.Key == y.Key && x.Owner == y.Owner && x.At.Equal(y.At) && x.ExpiresAt.Equal(y.ExpiresAt) && string(x.Data) == string(y.Data)
		}) {
			t.Errorf("records of kind %s: %+v became %+v", kind, x, y)
		}
	}
	report, err := study.NewService(to, testkit.NewClock(testkit.Start).Now, testkit.IDs(5)).Verify(t.Context())
	if err != nil || len(report.Faults) != 0 || report.Snapshots != report.Participants || report.Participants != 3 {
		t.Errorf("verify: %+v %v", report, err)
	}
}

// says wants an error of this code whose sentence has the words.
func says(t *testing.T, err error, code study.Code, words string) {
	t.Helper()
	e, ok := study.AsError(err)
	if !ok || e.Code != code || !strings.Contains(e.Message, words) {
		t.Errorf("got %v, wanted %s with %q", err, code, words)
	}
}

func TestACopyHasEverythingAndEndsTheMove(t *testing.T) {
	f, to := fullStudy(t), testkit.SQLite(t)
	counts, err := filling(to).Copy(t.Context(), f.Store)
	if err != nil {
		t.Fatal(details(err))
	}
	if n := len(allEntries(t, f.Store)); counts.Entries != n || counts.Records != 3 {
		t.Errorf("%+v of %d entries", counts, n)
	}
	sameContent(t, f.Store, to)
	if err := study.Unfinished(t.Context(), to); err != nil {
		t.Error(err)
	}
	if from, err := study.RestoredFrom(t.Context(), to); from != nil || err != nil {
		t.Errorf("a copy says it was restored: %+v %v", from, err)
	}
	_, err = filling(to).Copy(t.Context(), f.Store)
	says(t, err, study.Conflict, "ended")
}

func TestACopyIntoAStoreThatHoldsAnythingIsRefused(t *testing.T) {
	f := fullStudy(t)
	withEntry := busyStudy(t, testkit.SQLite(t)).Store
	withRecord := testkit.SQLite(t)
	if err := withRecord.PutRecord(t.Context(), study.Record{Kind: "session", Key: "x", At: testkit.Start, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]study.Store{"an entry": withEntry, "a record": withRecord, "itself": f.Store} {
		before := len(allEntries(t, to))
		_, err := filling(to).Copy(t.Context(), f.Store)
		says(t, err, study.Conflict, "not empty")
		if err := study.Unfinished(t.Context(), to); err != nil || len(allEntries(t, to)) != before {
			t.Errorf("%s: the target was changed: %v", name, err)
		}
	}
	_, err := filling(testkit.SQLite(t)).Copy(t.Context(), testkit.SQLite(t))
	says(t, err, study.Invalid, "nothing to copy")
}

// stopping ends a context when so many entries were appended.
type stopping struct {
	study.Store
	left atomic.Int64
	stop context.CancelFunc
}

func (s *stopping) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	if s.left.Add(-1) < 0 {
		s.stop()
	}
	return s.Store.Append(ctx, e, snap)
}

func TestACopyThatWasInterruptedAnywhereGoesOnAndEndsTheSame(t *testing.T) {
	f := fullStudy(t)
	for n := range len(allEntries(t, f.Store)) {
		to := testkit.SQLite(t)
		ctx, stop := context.WithCancel(t.Context())
		half := &stopping{Store: to, stop: stop}
		half.left.Store(int64(n))
		if _, err := filling(half).Copy(ctx, f.Store); err == nil {
			t.Fatalf("stopped after %d entries, and no error", n)
		}
		says(t, study.Unfinished(t.Context(), to), study.Unavailable, "Run the same command again")
		if n == 0 {
			other := busyStudyNamed(t, 2)
			_, err := filling(to).Copy(t.Context(), other)
			says(t, err, study.Conflict, "another copy")
		}
		if _, err := filling(to).Copy(t.Context(), f.Store); err != nil {
			t.Fatalf("stopped after %d entries: %s", n, details(err))
		}
		sameContent(t, f.Store, to)
	}
}

// busyStudyNamed is a study of other ids, and so of another first entry.
func busyStudyNamed(t *testing.T, seed uint64) study.Store {
	t.Helper()
	store := testkit.SQLite(t)
	svc := study.NewService(store, testkit.NewClock(testkit.Start).Now, testkit.IDs(seed))
	if _, err := svc.Adopt(t.Context(), study.Request{By: study.System("test")}, study.DefaultProtocolText(), 0, false); err != nil {
		t.Fatal(err)
	}
	return store
}

// growing has something happen in the source when it was read to the end.
type growing struct {
	study.Store
	then func()
}

func (g *growing) Records(ctx context.Context, kind study.RecordKind, owner string, since time.Time) ([]study.Record, error) {
	if then := g.then; then != nil {
		g.then = nil
		then()
	}
	return g.Store.Records(ctx, kind, owner, since)
}

func TestACopyOfAStoreInUseSaysSoAndFetchesTheRestWhenRunAgain(t *testing.T) {
	f, to := fullStudy(t), testkit.SQLite(t)
	source := &growing{Store: f.Store, then: func() { f.Enrol(t, "009") }}
	_, err := filling(to).Copy(t.Context(), source)
	says(t, err, study.Conflict, "changed while it was copied")
	// A session ends before the second attempt, and must not live on in the target.
	if err := f.Store.DeleteRecord(t.Context(), "session", "a"); err != nil {
		t.Fatal(err)
	}
	counts, err := filling(to).Copy(t.Context(), f.Store)
	if err != nil || counts.Records != 2 {
		t.Fatalf("%+v %s", counts, details(err))
	}
	if _, err := to.Record(t.Context(), "session", "a"); !errors.Is(err, study.ErrNotFound) {
		t.Errorf("the ended session: %v", err)
	}
}

func TestACopyWhoseAnswersGetLostEndsAllTheSame(t *testing.T) {
	f := fullStudy(t)
	to := storetest.Faulty(testkit.SQLite(t))
	to.FailNext(false) // the mark
	if _, err := filling(to).Copy(t.Context(), f.Store); err == nil {
		t.Log("the first write's lost answer was survived")
	}
	if _, err := filling(to).Copy(t.Context(), f.Store); err != nil {
		t.Fatal(details(err))
	}
	sameContent(t, f.Store, to)
}

func TestADamagedRecordIsNotPassedOn(t *testing.T) {
	f := fullStudy(t)
	all := allEntries(t, f.Store)
	all[len(all)-1].Actor.ID = "somebody else"
	from, to := storeOf(t, all), testkit.SQLite(t)
	_, err := filling(to).Copy(t.Context(), from)
	says(t, err, study.Unavailable, "epro verify")
	svc := study.NewService(from, f.Clock.Now, f.NewID)
	_, err = svc.WriteBackup(t.Context(), new(strings.Builder), study.BackupOptions{Kinds: kinds})
	says(t, err, study.Unavailable, "damaged")
}

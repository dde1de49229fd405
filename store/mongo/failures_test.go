package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/store/mongo/mongotest"
	"epro/study"
)

// soon is how long a call may take to notice that its time is over.
const soon = 3 * time.Second

// calls are calls that must fail when the server cannot be reached.
var calls = map[string]func(ctx context.Context, db *DB) error{
	"Append": func(ctx context.Context, db *DB) error {
		return db.Append(ctx, testEntry("site/new", 1), testSnapshot("site/new", 1))
	},
	"Stream":    func(ctx context.Context, db *DB) error { return second(db.Stream(ctx, "site/new", 0)) },
	"EntryByID": func(ctx context.Context, db *DB) error { return second(db.EntryByID(ctx, "missing")) },
	"Entries": func(ctx context.Context, db *DB) (last error) {
		for _, err := range db.Entries(ctx, "") {
			last = err
		}
		return last
	},
	"Heads": func(ctx context.Context, db *DB) (last error) {
		for _, err := range db.Heads(ctx, time.UnixMilli(1)) {
			last = err
		}
		return last
	},
	"Snapshot":     func(ctx context.Context, db *DB) error { return second(db.Snapshot(ctx, "site/new")) },
	"PutSnapshot":  func(ctx context.Context, db *DB) error { return db.PutSnapshot(ctx, *testSnapshot("site/new", 1)) },
	"InsertRecord": func(ctx context.Context, db *DB) error { return db.InsertRecord(ctx, study.Record{Key: "new"}) },
	"Record":       func(ctx context.Context, db *DB) error { return second(db.Record(ctx, "device", "missing")) },
	"RecordsBetween": func(ctx context.Context, db *DB) error {
		return second(db.RecordsBetween(ctx, "device", study.RecordPlace{}, time.UnixMilli(1), 1))
	},
	"RecordsUnder": func(ctx context.Context, db *DB) error {
		return second(db.RecordsUnder(ctx, "device", "o", time.UnixMilli(1)))
	},
	"PurgeRecords": func(ctx context.Context, db *DB) error { return second(db.PurgeRecords(ctx, time.UnixMilli(1))) },
	"Ready":        func(ctx context.Context, db *DB) error { return second(db.Ready(ctx)) },
}

func second[T any](_ T, err error) error { return err }

func refusedInTime(t *testing.T, db *DB) {
	t.Helper()
	var wg sync.WaitGroup
	for name, call := range calls {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := call(ctx, db)
			if took := time.Since(began); took > soon {
				t.Errorf("%s took %v", name, took)
			}
			if study.CodeOf(err) != study.Unavailable || errors.Is(err, study.ErrNotFound) || errors.Is(err, study.ErrExists) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
}

func TestACutConnectionIsUnavailableInTimeAndRecoversByItself(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db := openTest(t, p.URL, seams{})
	must(t, db.Append(t.Context(), testEntry("site/old", 1), nil))
	p.Cut()
	refusedInTime(t, db)
	p.Mend()
	// No call but this one: the driver finds the server again by itself.
	must(t, second(db.Ready(t.Context())))
	must(t, second(db.EntryByID(t.Context(), testEntry("site/old", 1).ID)))
	must(t, db.Append(t.Context(), testEntry("site/old", 2), nil))
}

func TestAServerThatDoesNotAnswerIsUnavailableInTime(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db := openTest(t, p.URL, seams{})
	release := make(chan struct{})
	p.Set(func(_ string, ask func() ([]byte, error)) ([]byte, error) {
		<-release
		return ask()
	})
	refusedInTime(t, db)
	p.Set(nil)
	close(release)
	must(t, second(db.Ready(t.Context())))
}

func TestOpeningIsUnavailableInTimeWhenNobodyAnswers(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	release := make(chan struct{})
	defer close(release)
	p.Set(func(string, func() ([]byte, error)) ([]byte, error) {
		<-release
		return nil, mongotest.ErrReset
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := Open(ctx, p.URL)
	refused(t, err)
	if took := time.Since(began); took > soon+shutTime {
		t.Errorf("it took %v", took)
	}
}

func TestAnInsertThatTheDriverSentTwiceIsNoConflict(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db := openTest(t, p.URL, seams{})
	var sent atomic.Int64
	p.Set(func(command string, ask func() ([]byte, error)) ([]byte, error) {
		if strings.HasPrefix(command, "insert ") { // the first answer is lost
			sent.Add(1)
			if _, err := ask(); err != nil {
				return nil, err
			}
		}
		return ask()
	})
	e, r := testEntry("site/S01", 1), study.Record{Kind: "delivery", Key: "1"}
	must(t, db.Append(t.Context(), e, nil))
	must(t, db.InsertRecord(t.Context(), r))
	if sent.Load() != 2 {
		t.Errorf("%d inserts were doubled, not 2", sent.Load())
	}
	// A second call is another insert, also of the very same.
	if err := db.Append(t.Context(), e, nil); !errors.Is(err, study.ErrExists) {
		t.Errorf("a second append of the same: %v", err)
	}
	if err := db.InsertRecord(t.Context(), r); !errors.Is(err, study.ErrExists) {
		t.Errorf("a second insert of the same: %v", err)
	}
}

func TestALostSnapshotDoesNotFailTheAppend(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db := openTest(t, p.URL, seams{})
	p.Set(func(command string, ask func() ([]byte, error)) ([]byte, error) {
		if strings.HasPrefix(command, "update ") {
			return nil, mongotest.ErrReset
		}
		return ask()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the driver may try the update again until then
	defer cancel()
	e, snap := testEntry("site/S01", 1), testSnapshot("site/S01", 1)
	must(t, db.Append(ctx, e, snap))
	p.Set(nil)
	must(t, second(db.EntryByID(t.Context(), e.ID)))
	if err := second(db.Snapshot(t.Context(), snap.Stream)); !errors.Is(err, study.ErrNotFound) {
		t.Errorf("the snapshot: %v", err)
	}
	must(t, db.PutSnapshot(t.Context(), *snap)) // as Repair does
	must(t, second(db.Snapshot(t.Context(), snap.Stream)))
}

// Some answers are lost before and some after the server has acted. Whoever
// was told of success must find it; whoever was not asks again, and nothing is
// there twice.
func TestNothingAcknowledgedIsLostWhenConnectionsAreReset(t *testing.T) {
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db := openTest(t, p.URL, seams{})
	var inserts atomic.Int64
	p.Set(func(command string, ask func() ([]byte, error)) ([]byte, error) {
		if !strings.HasPrefix(command, "insert ") {
			return ask()
		}
		switch inserts.Add(1) % 20 {
		case 7:
			return nil, mongotest.ErrReset
		case 14:
			return nil, errors.Join(mongotest.ErrReset, second(ask()))
		}
		return ask()
	})
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for seq := uint64(1); seq <= each; seq++ {
				if err := appendOnce(t.Context(), db, testEntry(fmt.Sprint("site/", w), seq)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	p.Set(nil)
	if inserts.Load() <= writers*each {
		t.Error("nothing had to be sent again")
	}
	for w := range writers {
		entries, err := db.Stream(t.Context(), study.StreamID(fmt.Sprint("site/", w)), 0)
		must(t, err)
		if len(entries) != each {
			t.Errorf("stream %d has %d entries, not %d", w, len(entries), each)
		}
	}
}

// appendOnce appends as study.Service does: an unknown outcome is read back.
func appendOnce(ctx context.Context, db *DB, e study.Entry) error {
	for {
		err := db.Append(ctx, e, nil)
		if err == nil {
			return nil
		}
		stored, readErr := db.EntryByID(ctx, e.ID)
		switch {
		case readErr == nil && stored.Hash == e.Hash:
			return nil
		case errors.Is(err, study.ErrExists):
			return fmt.Errorf("%s/%d reads as a conflict with itself", e.Stream, e.Seq)
		case study.CodeOf(err) != study.Unavailable, ctx.Err() != nil:
			return err
		}
	}
}

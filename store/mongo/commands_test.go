package mongo

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"epro/store/mongo/mongotest"
	"epro/study"
)

// recorder remembers the commands that were sent.
type recorder struct {
	mu   sync.Mutex
	sent []bson.Raw
}

func (r *recorder) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent = append(r.sent, append(bson.Raw{}, e.Command...))
	}}
}

// during gives the commands that were sent while do ran.
func (r *recorder) during(do func()) []bson.Raw {
	r.mu.Lock()
	r.sent = nil
	r.mu.Unlock()
	do()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// names are the commands with their collections: "insert events".
func names(t *testing.T, commands []bson.Raw) string {
	t.Helper()
	var said []string
	for _, c := range commands {
		first, err := c.IndexErr(0)
		must(t, err)
		said = append(said, first.Key()+" "+strings.Trim(first.Value().String(), `"`))
	}
	return strings.Join(said, ", ")
}

func TestACallTakesNoMoreCommandsThanItsBudget(t *testing.T) {
	var r recorder
	db := openTest(t, mongotest.Database(t), seams{monitor: r.monitor()})
	ctx := t.Context()
	appends := func(seq uint64) func() error {
		return func() error { return db.Append(ctx, testEntry("site/S01", seq), testSnapshot("site/S01", seq)) }
	}
	for _, c := range []struct {
		what, want string
		do         func() error
	}{
		{"the first append", "insert events, update snapshots", appends(1)},
		{"a later append", "insert events, update snapshots", appends(2)},
		{"an append without a snapshot", "insert events", func() error { return db.Append(ctx, testEntry("claim/1", 1), nil) }},
		{"a stream", "find events", func() error { return second(db.Stream(ctx, "site/S01", 0)) }},
		{"an entry", "find events", func() error { return second(db.EntryByID(ctx, testEntry("site/S01", 1).ID)) }},
		{"a snapshot", "find snapshots", func() error { return second(db.Snapshot(ctx, "site/S01")) }},
		{"a page of snapshots", "find snapshots", func() error { return second(db.Snapshots(ctx, study.SnapshotQuery{})) }},
		{"a new record", "insert records", func() error { return db.InsertRecord(ctx, study.Record{Key: "1"}) }},
		{"a replaced record", "update records", func() error { return db.PutRecord(ctx, study.Record{Key: "1"}) }},
	} {
		sent := r.during(func() { must(t, c.do()) })
		if got := names(t, sent); got != c.want {
			t.Errorf("%s takes %s, not %s", c.what, got, c.want)
		}
	}
}

func TestALongStreamIsOneRead(t *testing.T) {
	var r recorder
	db := openTest(t, mongotest.Database(t), seams{monitor: r.monitor()})
	const long = 300
	for seq := uint64(1); seq <= long; seq++ {
		must(t, db.Append(t.Context(), testEntry("site/S01", seq), nil))
	}
	sent := r.during(func() {
		entries, err := db.Stream(t.Context(), "site/S01", 0)
		must(t, err)
		if len(entries) != long {
			t.Errorf("%d entries, not %d", len(entries), long)
		}
	})
	if got := names(t, sent); got != "find events" {
		t.Errorf("%d entries take %s", long, got)
	}
}

func TestTheConcernsAreTheCodesWhateverTheURLSays(t *testing.T) {
	var r recorder
	url := mongotest.Database(t)
	join := "?"
	if strings.Contains(url, "?") {
		join = "&"
	}
	db := openTest(t, url+join+"w=1&journal=false&readConcernLevel=local&readPreference=nearest", seams{monitor: r.monitor()})
	sent := r.during(func() {
		must(t, db.Append(t.Context(), testEntry("site/S01", 1), testSnapshot("site/S01", 1)))
		must(t, db.PutRecord(t.Context(), study.Record{Key: "1"}))
		must(t, db.DeleteRecord(t.Context(), "", "1"))
		must(t, second(db.PurgeRecords(t.Context(), time.UnixMilli(1))))
		must(t, second(db.Stream(t.Context(), "site/S01", 0)))
		must(t, second(db.Snapshot(t.Context(), "site/S01")))
		for _, err := range db.Heads(t.Context(), time.UnixMilli(1)) {
			must(t, err)
		}
	})
	for i, c := range sent {
		concern := fmt.Sprint(c.Lookup("writeConcern"), c.Lookup("readConcern"))
		write := strings.Contains(concern, `"w": "majority"`) && strings.Contains(concern, `"j": true`)
		read := strings.Contains(concern, `"level": "majority"`)
		if !write && !read {
			t.Errorf("%s is sent with %s", names(t, sent[i:i+1]), concern)
		}
	}
}

func TestOfTwoStoresOnOneDatabaseOneWins(t *testing.T) {
	url := mongotest.Database(t)
	stores := []*DB{openTest(t, url, seams{}), openTest(t, url, seams{})}
	for seq := uint64(1); seq <= 20; seq++ {
		errs := make([]error, len(stores))
		var wg sync.WaitGroup
		for i, db := range stores {
			wg.Go(func() {
				e := testEntry("site/S01", seq)
				e.ID = study.EventID(fmt.Sprintf("rival %d at %d", i, seq))
				errs[i] = db.Append(t.Context(), e, nil)
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("at %d: %v and %v", seq, errs[0], errs[1])
		}
	}
	entries, err := stores[0].Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(entries) != 20 {
		t.Errorf("%d entries, not 20", len(entries))
	}
}

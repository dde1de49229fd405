package export_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"epro/export"
	"epro/internal/simulate"
	"epro/internal/testkit"
	"epro/study"
)

// TestCampaignAnExportOfMoreEventsNeedsNoMoreMemory exports a small store and
// one with many times as many events (in the campaign: a million) and compares
// the heap while it writes. What may grow is a key for each participant.
func TestCampaignAnExportOfMoreEventsNeedsNoMoreMemory(t *testing.T) {
	few, many := 400, 4_000
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		few, many = 20_000, 1_000_000
	}
	small, large := exportOf(t, few), exportOf(t, many)
	t.Logf("%d events, %d participants, %d rows: at most %.1f MB; %d events, %d participants, %d rows: at most %.1f MB",
		small.events, small.people, small.rows, mb(small.heap), large.events, large.people, large.rows, mb(large.heap))
	const perPerson = 400 // bytes: id, site and number, and the slice's spare room
	if room := uint64(4<<20 + perPerson*large.people); large.heap > small.heap+room {
		t.Errorf("the heap has grown by %.1f MB", mb(large.heap-small.heap))
	}
}

func mb(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

type exported struct {
	events, people, rows int
	heap                 uint64 // the most that lived on it
}

// exportOf fills a store with about so many events and exports all its forms.
func exportOf(t *testing.T, events int) exported {
	t.Helper()
	db := testkit.SQLite(t)
	made, clock := multiply(t, db, events)
	w := &heapWatcher{Store: db, every: max(1, made.people/20)}
	svc := study.NewService(w, clock, testkit.IDs(9))
	done, err := export.Write(context.Background(), svc, study.System("export"), export.Options{Dataset: "items_wide", Format: "csv",
		Demonstration: export.Include, Program: "test"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if w.looks < 10 {
		t.Errorf("the heap was looked at %d times only", w.looks)
	}
	made.rows, made.heap = done.Rows, w.most
	return made
}

// heapWatcher looks at the heap at every so manieth record that is read.
type heapWatcher struct {
	study.Store
	every, read, looks int
	most               uint64
}

// Stream is the store's.
func (w *heapWatcher) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	if w.read++; w.read%w.every == 0 {
		w.looks++
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return w.Store.Stream(ctx, id, after)
}

// original is a participant's record that copies are made of.
type original struct {
	simulate.Participant
	events []study.Event
}

// multiply simulates a few participants for a year, and then copies their
// records under other names until there are so many events. The new names go
// up, as those that a store gives do not: then a million rows go to the ends
// of the indexes instead of pages all over the file.
func multiply(t *testing.T, db study.Store, events int) (exported, func() time.Time) {
	t.Helper()
	ctx := context.Background()
	end := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	result, err := simulate.Run(ctx, simulate.Options{Store: db, Participants: 8, Seed: 1, Now: end})
	if err != nil {
		t.Fatal(err)
	}
	originals := make([]original, len(result.Participants))
	for i, p := range result.Participants {
		originals[i] = original{p, opened(t, db, p.ID.Stream())}
	}
	made := exported{}
	var copies sync.WaitGroup
	gate := make(chan struct{}, 512) // appends at the same time share a commit, so many at most
	for made.events < events {
		o := originals[made.people%len(originals)]
		made.events, made.people = made.events+len(o.events), made.people+1
		n := made.people
		gate <- struct{}{}
		copies.Go(func() {
			defer func() { <-gate }()
			if err := o.copyTo(ctx, db, n); err != nil {
				t.Error(err)
			}
		})
	}
	copies.Wait()
	return made, func() time.Time { return end }
}

func opened(t *testing.T, db study.Store, id study.StreamID) []study.Event {
	t.Helper()
	entries, err := db.Stream(context.Background(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]study.Event, len(entries))
	for i, n := range entries {
		if events[i], err = n.Open(); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// copyTo appends the record again as somebody else's, the nth.
func (o original) copyTo(ctx context.Context, db study.Store, n int) error {
	other := study.ParticipantID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", n))
	number, newNumber := fmt.Appendf(nil, `"number":%q`, o.Number), fmt.Appendf(nil, `"number":"9%07d"`, n)
	var prev study.Hash
	for i, e := range o.events {
		e.Stream, e.ID, e.Prev = other.Stream(), study.EventID(fmt.Sprintf("%08x-0000-4000-8000-%012x", n, i+1)), prev
		e.Payload = bytes.ReplaceAll(e.Payload, []byte(o.ID), []byte(other))
		e.Payload = bytes.ReplaceAll(e.Payload, number, newNumber)
		copied, err := study.Seal(e)
		if err != nil {
			return err
		}
		if err := db.Append(ctx, copied, nil); err != nil {
			return err
		}
		prev = copied.Hash
	}
	return nil
}

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

// multiply simulates two dozen participants for a year, and then copies their
// records under other names until there are so many events.
func multiply(t *testing.T, db study.Store, events int) (exported, func() time.Time) {
	t.Helper()
	ctx := context.Background()
	end := time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	result, err := simulate.Run(ctx, simulate.Options{Store: db, Participants: 8, Seed: 1, Now: end})
	if err != nil {
		t.Fatal(err)
	}
	made := exported{}
	newID := testkit.IDs(77)
	var copies sync.WaitGroup
	gate := make(chan struct{}, 64) // appends at the same time share a commit
	for made.events < events {
		for _, p := range result.Participants {
			entries, err := db.Stream(ctx, p.ID.Stream(), 0)
			if err != nil {
				t.Fatal(err)
			}
			made.events, made.people = made.events+len(entries), made.people+1
			other := study.ParticipantID(newID())
			number := fmt.Sprintf("9%07d", made.people)
			gate <- struct{}{}
			copies.Go(func() {
				defer func() { <-gate }()
				if err := copyRecord(ctx, db, entries, p, other, number, newID); err != nil {
					t.Error(err)
				}
			})
		}
	}
	copies.Wait()
	return made, func() time.Time { return end }
}

// copyRecord appends a participant's record again as somebody else's.
func copyRecord(ctx context.Context, db study.Store, entries []study.Entry, p simulate.Participant, other study.ParticipantID,
	number string, newID func() string) error {
	var prev study.Hash
	for _, n := range entries {
		e, err := n.Open()
		if err != nil {
			return err
		}
		e.Stream, e.ID, e.Prev = other.Stream(), study.EventID(newID()), prev
		e.Payload = bytes.ReplaceAll(bytes.Clone(e.Payload), []byte(p.ID), []byte(other))
		e.Payload = bytes.ReplaceAll(e.Payload, fmt.Appendf(nil, `"number":%q`, p.Number), fmt.Appendf(nil, `"number":%q`, number))
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

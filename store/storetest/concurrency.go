package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"epro/study"
)

// parallel calls do for 0 to n-1 from so many goroutines, and gives back the
// errors.
func parallel(goroutines, n int, do func(i int) error) []error {
	errs := make([]error, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
			}
		})
	}
	wg.Wait()
	return errs
}

// failed fails the test when one of the errors is one.
func failed(t *testing.T, errs []error) {
	t.Helper()
	must(t, errors.Join(errs...))
}

// winner is the one call that had no error; the others must say ErrExists.
func winner(t *testing.T, errs []error) int {
	t.Helper()
	first, won := -1, 0
	for i, err := range errs {
		if err == nil {
			first, won = i, won+1
		} else {
			mustBe(t, err, study.ErrExists)
		}
	}
	if won != 1 {
		t.Fatalf("%d of %d won, not one", won, len(errs))
	}
	return first
}

func oneEntryWinner(t *testing.T, h *harness) {
	const writers = 16
	for seq := uint64(1); seq <= 10; seq++ {
		rivals := make([]study.Entry, writers)
		for i := range rivals {
			rivals[i] = entry("site/S01", seq)
			rivals[i].ID = study.EventID(fmt.Sprintf("rival %d at %d", i, seq))
		}
		won := winner(t, parallel(writers, writers, func(i int) error {
			snap := snapshot("site/S01", seq)
			snap.Label = string(rivals[i].ID)
			return h.Append(t.Context(), rivals[i], &snap)
		}))
		kept, err := only(h.Stream(t.Context(), "site/S01", seq-1))
		must(t, err)
		snap, err := h.Snapshot(t.Context(), "site/S01")
		must(t, err)
		if want := rivals[won].ID; kept.ID != want || snap.Label != string(want) {
			t.Fatalf("the winner is %q, kept is %q with the snapshot of %q", want, kept.ID, snap.Label)
		}
	}
	winner(t, parallel(writers, writers, func(i int) error { // one id, many streams
		e := entry(study.StreamID(fmt.Sprint("claim/", i)), 1)
		e.ID = "the same"
		return h.Append(t.Context(), e, nil)
	}))
}

func oneRecordWinner(t *testing.T, h *harness) {
	for round := range 10 {
		key := fmt.Sprint("key ", round)
		won := winner(t, parallel(16, 16, func(i int) error {
			r := record("session", key)
			r.Owner = fmt.Sprint(i)
			return h.InsertRecord(t.Context(), r)
		}))
		kept, err := h.Record(t.Context(), "session", key)
		must(t, err)
		if kept.Owner != fmt.Sprint(won) {
			t.Fatalf("the winner is %d, kept is the record of %s", won, kept.Owner)
		}
	}
}

func manyWriters(t *testing.T, h *harness) {
	const writers, each = 64, 4
	stream := func(i int) study.StreamID { return study.StreamID(fmt.Sprint("participant/", i%writers)) }
	failed(t, parallel(writers, writers*each, func(i int) error {
		seq := uint64(i/writers + 1)
		snap := snapshot(stream(i), seq)
		if err := h.Append(t.Context(), entry(stream(i), seq), &snap); err != nil {
			return err
		}
		return h.InsertRecord(t.Context(), record("delivery", fmt.Sprint(i)))
	}))
	h.reopen()
	found := map[study.StreamID]uint64{}
	for e, err := range h.Entries(t.Context(), "participant/") {
		must(t, err)
		if found[e.Stream]++; e.Seq != found[e.Stream] {
			t.Errorf("%s has %d at %d", e.Stream, e.Seq, found[e.Stream])
		}
	}
	for i := range writers {
		if found[stream(i)] != each {
			t.Errorf("%s has %d entries, not %d", stream(i), found[stream(i)], each)
		}
		snap, err := h.Snapshot(t.Context(), stream(i))
		must(t, err)
		if snap.Seq != each {
			t.Errorf("the snapshot of %s is at %d, not %d", stream(i), snap.Seq, each)
		}
	}
	for i := range writers * each {
		must(t, second(h.Record(t.Context(), "delivery", fmt.Sprint(i))))
	}
}

// closeWaits: who was told nothing must find that nothing is missing, and who
// was told of success must find it.
func closeWaits(t *testing.T, h *harness) {
	var wg sync.WaitGroup
	begun, errs := make(chan struct{}, 64), make([]error, 64)
	for i := range errs {
		wg.Go(func() {
			begun <- struct{}{}
			errs[i] = h.Append(context.Background(), entry(study.StreamID(fmt.Sprint("site/", i)), 1), nil)
		})
	}
	for range len(errs) / 2 {
		<-begun
	}
	s := h.Store
	must(t, s.Close())
	wg.Wait()
	h.Store = nil
	h.reopen()
	for i, err := range errs {
		found, readErr := h.Stream(t.Context(), study.StreamID(fmt.Sprint("site/", i)), 0)
		must(t, readErr)
		if err == nil && len(found) != 1 {
			t.Errorf("append %d succeeded and is not there", i)
		} else if wrong := unavailable(err); err != nil && wrong != "" {
			t.Errorf("append %d: %s", i, wrong)
		}
	}
}

// many is more entries than memory should hold: 10 MB, and 2 for what is beside
// their bytes.
const many = 10_000

func appendMany(t *testing.T, h *harness) {
	t.Helper()
	padding := bytes.Repeat([]byte("x"), 1<<10)
	entries := make([]study.Entry, many)
	for i := range entries {
		entries[i] = entry(study.StreamID(fmt.Sprintf("participant/%05d", i/4)), uint64(i%4+1))
		entries[i].Bytes = padding
	}
	h.fill(entries, nil)
}

func heapBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

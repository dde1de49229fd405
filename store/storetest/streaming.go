package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"epro/study"
)

func streaming(t *testing.T, h *harness) {
	appendMany(t, h)
	const room = 5 << 20 // bytes; the entries have more than 10 MB
	before, seen := heapBytes(), 0
	for e, err := range h.Entries(t.Context(), "participant/") {
		must(t, err)
		if want := fmt.Sprintf("participant/%05d", seen/4); string(e.Stream) != want || e.Seq != uint64(seen%4+1) {
			t.Fatalf("entry %d is %s/%d", seen, e.Stream, e.Seq)
		}
		seen++
		if seen%1000 != 0 {
			continue
		}
		if now := heapBytes(); now > before+room {
			t.Fatalf("after %d entries the heap has grown by %d bytes", seen, now-before)
		}
		// The iteration must not keep anybody from writing.
		must(t, h.Append(t.Context(), entry("site/S01", uint64(seen)), nil))
		must(t, h.PutRecord(t.Context(), record("device", "1")))
	}
	if seen != many {
		t.Errorf("%d entries were seen, not %d", seen, many)
	}
	heads, err := all(h.Heads(t.Context(), time.Time{}))
	must(t, err)
	if want := many/4 + 1; len(heads) != want {
		t.Errorf("%d heads were seen, not %d", len(heads), want)
	}
}

func stopEarly(t *testing.T, h *harness) {
	for i := range 10 {
		must(t, h.Append(t.Context(), entry(study.StreamID(fmt.Sprint("site/", i)), 1), nil))
	}
	for range 20 { // more often than there are connections
		for e, err := range h.Entries(t.Context(), "") {
			must(t, err)
			if e.Stream == "site/3" {
				break
			}
		}
		for head, err := range h.Heads(t.Context(), time.Time{}) {
			must(t, err)
			if head.Stream == "site/3" {
				break
			}
		}
	}
	must(t, h.Append(t.Context(), entry("site/0", 2), nil))
}

func cancelIteration(t *testing.T, h *harness) {
	entries := make([]study.Entry, 2000)
	for i := range entries {
		entries[i] = entry(study.StreamID(fmt.Sprintf("site/%04d", i)), 1)
	}
	h.fill(entries, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	var end error
	for _, err := range h.Entries(ctx, "") {
		if end != nil {
			t.Fatal("the iteration went on behind its error")
		}
		seen, end = seen+1, err
		cancel()
	}
	mustBe(t, end, context.Canceled)
	if seen > 1999 {
		t.Errorf("all %d entries came in spite of the cancelled context", seen)
	}
}

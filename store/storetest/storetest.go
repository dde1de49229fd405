// Package storetest holds what study.Store promises, as tests that every
// backend passes, and stores that fail on purpose.
package storetest

import (
	"context"
	"errors"
	"testing"

	"epro/study"
)

// promiseTest is one promise in a sentence, with its test.
type promiseTest struct {
	sentence string
	test     func(t *testing.T, h *harness)
}

// contract is everything that a store promises.
var contract = []promiseTest{
	{"every field of an entry comes back", entryFields},
	{"every field of a snapshot comes back", snapshotFields},
	{"every field of a record comes back", recordFields},
	{"every field of a head comes back", headFields},
	{"instants are kept in UTC to the millisecond", instantsAreCut},
	{"no instant comes back as no instant", noInstant},
	{"text comes back byte for byte", textComesBack},
	{"what the caller does with its memory afterwards does not matter", memoryIsTheCallers},

	{"a taken sequence refuses another id", sequenceIsUnique},
	{"a taken id refuses another stream", idIsUnique},
	{"a refused entry changes nothing", refusedEntryChangesNothing},
	{"what is not there is not found or empty", absence},
	{"a stream is read in order behind a sequence", streamOrder},
	{"all entries come by stream bytewise and sequence", entriesOrder},
	{"recent entries come in the order of their places", recentOrder},
	{"heads are the ends of the streams that got an entry since", headsSince},

	{"a snapshot with a lower sequence does not replace", snapshotGuard},
	{"a page of snapshots is filtered and ordered bytewise", snapshotPages},
	{"a page of snapshots has at most a thousand", snapshotLimit},
	{"no sites at all match no snapshot", noSites},
	{"what somebody has to look at is found by its instant", toLookAt},

	{"a record's key is unique within its kind, expired or not", recordKeys},
	{"the last write of a record wins", putRecord},
	{"records are listed by owner, since and in order", recordsListed},
	{"the first records behind a place and up to an instant are listed, in order", recordsBetween},
	{"records are listed by the beginning of their owner, until and in order", recordsUnder},
	{"a deleted record is gone and may be deleted again", deleteRecord},
	{"a purge removes what expired before now and nothing else", purgeRecords},

	{"ten thousand entries stream in flat memory while writes go on", streaming},
	{"an iteration may be stopped early", stopEarly},
	{"an iteration ends with the error of its context", cancelIteration},
	{"of sixteen writers of one entry one wins", oneEntryWinner},
	{"of sixteen writers of one record one wins", oneRecordWinner},
	{"sixty-four writers of different keys all find theirs after a reopening", manyWriters},

	{"everything is there after closing and reopening", reopened},
	{"an open store is ready", ready},
	{"a closed store is unavailable to every call", closedStore},
	{"closing waits for what was accepted", closeWaits},
	{"a cancelled context is recognised in every call", cancelledContext},
}

// Run tests every promise on the stores that open gives. Stores opened with the
// same dir have the same data, and dir is empty at first. Run closes them.
func Run(t *testing.T, open func(t *testing.T, dir string) study.Store) {
	t.Helper()
	for _, c := range contract {
		t.Run(c.sentence, func(t *testing.T) {
			h := &harness{t: t, open: open, dir: t.TempDir()}
			h.Store = open(t, h.dir)
			t.Cleanup(h.close)
			c.test(t, h)
		})
	}
}

// Filler is a store that can be filled with many things at once, with the same
// result as by one write after the other. Where one is it, tests that need much
// to be there make it so.
type Filler interface {
	Fill(ctx context.Context, entries []study.Entry, snaps []study.Snapshot) error
}

// fill stores what a test needs to be there.
func (h *harness) fill(entries []study.Entry, snaps []study.Snapshot) {
	h.t.Helper()
	if f, ok := h.Store.(Filler); ok {
		must(h.t, f.Fill(h.t.Context(), entries, snaps))
		return
	}
	failed(h.t, parallel(64, len(entries), func(i int) error { return h.Append(h.t.Context(), entries[i], nil) }))
	failed(h.t, parallel(64, len(snaps), func(i int) error { return h.PutSnapshot(h.t.Context(), snaps[i]) }))
}

// harness is a store that can be closed and opened again.
type harness struct {
	study.Store
	t    *testing.T
	open func(t *testing.T, dir string) study.Store
	dir  string
}

func (h *harness) close() {
	h.t.Helper()
	if h.Store == nil {
		return
	}
	s := h.Store
	h.Store = nil
	if err := s.Close(); err != nil {
		h.t.Errorf("Close: %v", err)
	}
}

func (h *harness) reopen() {
	h.t.Helper()
	h.close()
	h.Store = h.open(h.t, h.dir)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, not %v", err, want)
	}
}

// unavailable says what is wrong with an error that should report a store
// that could not be used.
func unavailable(err error) string {
	switch {
	case err == nil:
		return "no error"
	case errors.Is(err, study.ErrNotFound), errors.Is(err, study.ErrExists):
		return "reads as an answer: " + err.Error()
	case study.CodeOf(err) != study.Unavailable:
		return "is not coded as unavailable: " + err.Error()
	}
	return ""
}

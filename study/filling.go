package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// The kinds of records that this package keeps about a store as a whole.
const (
	recordFilling  RecordKind = "filling"  // one: from where this store is being filled, or was
	recordRestored RecordKind = "restored" // one: this store came out of a backup
)

// RecordKinds are the kinds of records of this package that belong to the data.
// That a store is being filled does not: it says something about that store.
var RecordKinds = []RecordKind{recordRestored, recordDevice, recordTarget, recordDelivery, recordProgress, recordSettings}

// onlyKey is the key of a record that there is one of.
const onlyKey = "1"

// Counts say how much there is in a store, or how much was moved so far.
type Counts struct {
	Streams, Entries, Records int
}

// Filling fills an empty store with what is in another or in a backup. Entries
// arrive as they are, bytes and hashes; snapshots are made anew. Kinds are all
// kinds of records there are.
type Filling struct {
	To    Store
	Now   func() time.Time
	Kinds []RecordKind
	// Progress, if not nil, is told now and then what is being done.
	Progress func(doing string, done int)

	already Counts // entries that an earlier attempt had brought
}

// fillingMark says from where a store is filled. It makes a second attempt
// possible and any other one impossible.
type fillingMark struct {
	From    string  `json:"from"`
	BeganAt Instant `json:"began_at"`
	EndedAt Instant `json:"ended_at"` // none: it was interrupted, or is under way
}

// Unfinished is an error when the store was filled in part only: a server must
// not run on it.
func Unfinished(ctx context.Context, store Store) error {
	mark, err := readMark(ctx, store)
	if err != nil || mark == nil || !mark.EndedAt.IsZero() {
		return err
	}
	return Fail(Unavailable, "This store holds part of a "+mark.From+" that did not end. Run the same command again until it ends; it goes on where it stopped.")
}

func readMark(ctx context.Context, store Store) (*fillingMark, error) {
	r, err := store.Record(ctx, recordFilling, onlyKey)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	mark := &fillingMark{}
	if err := json.Unmarshal(r.Data, mark); err != nil {
		return nil, fmt.Errorf("the mark of a copy or restore cannot be read: %w", err)
	}
	return mark, nil
}

// begin marks an empty store as being filled from there, or finds the mark of
// an earlier attempt at the same.
func (t *Filling) begin(ctx context.Context, from string) (again bool, err error) {
	mark, err := readMark(ctx, t.To)
	if err != nil {
		return false, err
	}
	switch {
	case mark != nil && !mark.EndedAt.IsZero():
		return false, Fail(Conflict, "The target was filled by a "+mark.From+", which ended. Give a new store.")
	case mark != nil && mark.From != from:
		return false, Fail(Conflict, "The target holds part of another "+mark.From+". Finish that one, or give a new store.")
	case mark != nil:
		return true, nil
	}
	if err := t.empty(ctx); err != nil {
		return false, err
	}
	err = t.mark(ctx, from, 0, t.To.InsertRecord)
	if errors.Is(err, ErrExists) {
		return false, Fail(Conflict, "Somebody else began to fill the target just now.")
	}
	return false, err
}

func (t *Filling) mark(ctx context.Context, from string, ended Instant, put func(context.Context, Record) error) error {
	now := InstantOf(t.Now())
	mark := fillingMark{From: from, BeganAt: now, EndedAt: ended}
	if was, err := readMark(ctx, t.To); err == nil && was != nil {
		mark.BeganAt = was.BeganAt
	}
	raw, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	return put(ctx, Record{Kind: recordFilling, Key: onlyKey, At: now.Time(), Data: raw})
}

// empty refuses a target in which anything is.
func (t *Filling) empty(ctx context.Context) error {
	errFull := Fail(Conflict, "The target is not empty. Give a new store; nothing was changed.")
	for _, err := range t.To.Heads(ctx, time.Time{}) {
		if err != nil {
			return err
		}
		return errFull
	}
	for _, kind := range t.Kinds {
		found, err := t.To.Records(ctx, kind, "", time.Time{})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return errFull
		}
	}
	return nil
}

func (t *Filling) tell(doing string, done int) {
	if t.Progress != nil && done%1024 == 0 {
		t.Progress(doing, done)
	}
}

// side by side, appends share a durable commit; one by one each waits for the disk.
const sideBySide = 128

// feed calls work in many goroutines, for things of the same key in order. The
// error of end is the first that any of them met.
type feed[T any] struct {
	ctx   context.Context
	stop  context.CancelCauseFunc
	lanes []chan T
	wg    sync.WaitGroup
}

func newFeed[T any](ctx context.Context, work func(context.Context, T) error) *feed[T] {
	f := &feed[T]{lanes: make([]chan T, sideBySide)}
	f.ctx, f.stop = context.WithCancelCause(ctx)
	for i := range f.lanes {
		lane := make(chan T, 32)
		f.lanes[i] = lane
		f.wg.Go(func() {
			for thing := range lane {
				if f.ctx.Err() != nil {
					continue // somebody failed: run empty
				}
				if err := work(f.ctx, thing); err != nil {
					f.stop(err)
				}
			}
		})
	}
	return f
}

func (f *feed[T]) put(key string, thing T) error {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash never fails
	select {
	case f.lanes[h.Sum32()%sideBySide] <- thing:
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// end waits for everything that was put.
func (f *feed[T]) end(err error) error {
	if err != nil {
		f.stop(err)
	}
	for _, lane := range f.lanes {
		close(lane)
	}
	f.wg.Wait()
	err = context.Cause(f.ctx)
	f.stop(nil)
	return err
}

// entries appends what give yields, leaving out what an earlier attempt brought.
// Give calls back with entries by stream and sequence.
func (t *Filling) entries(ctx context.Context, give func(func(Entry) error) error) (err error) {
	present, err := startHeads(t.To.Heads(ctx, time.Time{}))
	defer present.stop()
	if err != nil {
		return err
	}
	writing := newFeed(ctx, t.append)
	defer func() { err = writing.end(err) }()
	done := 0
	return give(func(n Entry) error {
		done++
		t.tell("entries", done)
		head, err := present.of(n.Stream)
		switch {
		case err != nil:
			return err
		case n.Seq == head.Seq && n.Hash != head.Hash:
			return errOther(n)
		case n.Seq <= head.Seq:
			t.already.Entries++
			return nil
		}
		return writing.put(string(n.Stream), n)
	})
}

func (t *Filling) append(ctx context.Context, n Entry) error {
	err := t.To.Append(ctx, n, nil)
	if !errors.Is(err, ErrExists) {
		return err
	}
	// Brought by an earlier attempt that was stopped before it heard so.
	found, err := t.To.EntryByID(ctx, n.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil || found.Stream != n.Stream || found.Seq != n.Seq || !bytes.Equal(found.Bytes, n.Bytes) {
		return errOther(n)
	}
	return nil
}

func errOther(n Entry) error {
	return &Error{Code: Conflict, Err: n.fault("another entry is there"),
		Message: "The target holds something else than what is being brought. Give a new store."}
}

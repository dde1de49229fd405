package storetest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"epro/study"
)

// errBroken is what every method of Broken fails with.
var errBroken = &study.Error{
	Code:    study.Unavailable,
	Message: "The store cannot be reached; try again.",
	Err:     errors.New("storetest: this store is broken on purpose"),
}

// Broken gives a store whose every method fails with code Unavailable. Tests
// use it to prove that a failure never reads as "not found".
func Broken() study.Store { return broken{} }

type broken struct{}

func (broken) Append(context.Context, study.Entry, *study.Snapshot) error { return errBroken }

func (broken) Stream(context.Context, study.StreamID, uint64) ([]study.Entry, error) {
	return nil, errBroken
}

func (broken) EntryByID(context.Context, study.EventID) (study.Entry, error) {
	return study.Entry{}, errBroken
}

func (broken) Entries(context.Context, string) iter.Seq2[study.Entry, error] {
	return func(yield func(study.Entry, error) bool) { yield(study.Entry{}, errBroken) }
}

func (broken) Recent(context.Context, study.Place, int) ([]study.Entry, error) {
	return nil, errBroken
}

func (broken) Heads(context.Context, time.Time) iter.Seq2[study.Head, error] {
	return func(yield func(study.Head, error) bool) { yield(study.Head{}, errBroken) }
}

func (broken) Snapshot(context.Context, study.StreamID) (study.Snapshot, error) {
	return study.Snapshot{}, errBroken
}

func (broken) PutSnapshot(context.Context, study.Snapshot) error { return errBroken }

func (broken) Snapshots(context.Context, study.SnapshotQuery) ([]study.Snapshot, error) {
	return nil, errBroken
}

func (broken) InsertRecord(context.Context, study.Record) error { return errBroken }

func (broken) PutRecord(context.Context, study.Record) error { return errBroken }

func (broken) Record(context.Context, study.RecordKind, string) (study.Record, error) {
	return study.Record{}, errBroken
}

func (broken) Records(context.Context, study.RecordKind, string, time.Time) ([]study.Record, error) {
	return nil, errBroken
}

func (broken) RecordsBetween(context.Context, study.RecordKind, study.RecordPlace, time.Time, int) ([]study.Record, error) {
	return nil, errBroken
}

func (broken) RecordsUnder(context.Context, study.RecordKind, string, time.Time) ([]study.Record, error) {
	return nil, errBroken
}

func (broken) DeleteRecord(context.Context, study.RecordKind, string) error { return errBroken }

func (broken) PurgeRecords(context.Context, time.Time) (int, error) { return 0, errBroken }

func (broken) Ready(context.Context) (time.Duration, error) { return 0, errBroken }

func (broken) Close() error { return errBroken }

// FaultyStore is a store whose next appends can be made to fail.
type FaultyStore struct {
	study.Store

	mu    sync.Mutex
	fails []bool // for each coming failure: before it is written?
}

// Faulty wraps a store. Without FailNext it behaves as the inner one does.
func Faulty(inner study.Store) *FaultyStore { return &FaultyStore{Store: inner} }

// FailNext makes one coming Append fail with code Unavailable: before anything
// is written, or after it was written, so that the answer is lost. Several
// calls are used up one an Append, in their order.
func (f *FaultyStore) FailNext(before bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = append(f.fails, before)
}

// Append is the inner store's Append, unless it is to fail.
func (f *FaultyStore) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	before, fails := f.next()
	if fails && before {
		return errBroken
	}
	if err := f.Store.Append(ctx, e, snap); err != nil || !fails {
		return err
	}
	return errBroken
}

func (f *FaultyStore) next() (before, fails bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.fails) == 0 {
		return false, false
	}
	before, f.fails = f.fails[0], f.fails[1:]
	return before, true
}

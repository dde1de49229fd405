package auth

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"epro/study"
)

var errDown = &study.Error{Code: study.Unavailable, Message: "down", Err: errors.New("driver text")}

// failing is a store of which one call fails, counted from 1: before anything
// was written, or after, so that the answer is lost.
type failing struct {
	study.Store
	calls  atomic.Int64
	failAt int64
	mode   string // "before", "after", or "down" from there on
}

func (f *failing) count() int64 { return f.calls.Load() }

// run carries a call out, or not.
func (f *failing) run(call func() error) error {
	n := f.calls.Add(1)
	hit := n == f.failAt || f.mode == "down" && f.failAt > 0 && n > f.failAt
	switch {
	case !hit:
		return call()
	case f.mode == "after":
		_ = call()
		return errDown
	default:
		return errDown
	}
}

func value[T any](f *failing, call func() (T, error)) (v T, err error) {
	var got T
	err = f.run(func() (err error) { got, err = call(); return err })
	if err == nil {
		v = got
	}
	return v, err
}

func (f *failing) Append(ctx context.Context, e study.Entry, s *study.Snapshot) error {
	return f.run(func() error { return f.Store.Append(ctx, e, s) })
}

func (f *failing) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	return value(f, func() ([]study.Entry, error) { return f.Store.Stream(ctx, id, after) })
}

func (f *failing) EntryByID(ctx context.Context, id study.EventID) (study.Entry, error) {
	return value(f, func() (study.Entry, error) { return f.Store.EntryByID(ctx, id) })
}

func (f *failing) Snapshot(ctx context.Context, id study.StreamID) (study.Snapshot, error) {
	return value(f, func() (study.Snapshot, error) { return f.Store.Snapshot(ctx, id) })
}

func (f *failing) InsertRecord(ctx context.Context, r study.Record) error {
	return f.run(func() error { return f.Store.InsertRecord(ctx, r) })
}

func (f *failing) PutRecord(ctx context.Context, r study.Record) error {
	return f.run(func() error { return f.Store.PutRecord(ctx, r) })
}

func (f *failing) Record(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
	return value(f, func() (study.Record, error) { return f.Store.Record(ctx, kind, key) })
}

func (f *failing) Records(ctx context.Context, kind study.RecordKind, owner string, since time.Time) ([]study.Record, error) {
	return value(f, func() ([]study.Record, error) { return f.Store.Records(ctx, kind, owner, since) })
}

func (f *failing) DeleteRecord(ctx context.Context, kind study.RecordKind, key string) error {
	return f.run(func() error { return f.Store.DeleteRecord(ctx, kind, key) })
}

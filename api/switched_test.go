package api_test

import (
	"context"
	"sync/atomic"
	"time"

	"epro/study"
)

// switched is a store that can be exchanged for another while it is in use.
// What only loops and commands call stays the inner one's.
type switched struct {
	study.Store
	other atomic.Pointer[study.Store]
}

func (s *switched) breakWith(other study.Store) { s.other.Store(&other) }
func (s *switched) mend()                       { s.other.Store(nil) }

func (s *switched) now() study.Store {
	if other := s.other.Load(); other != nil {
		return *other
	}
	return s.Store
}

// Append is the store's in use.
func (s *switched) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	return s.now().Append(ctx, e, snap)
}

// Stream is the store's in use.
func (s *switched) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	return s.now().Stream(ctx, id, after)
}

// EntryByID is the store's in use.
func (s *switched) EntryByID(ctx context.Context, id study.EventID) (study.Entry, error) {
	return s.now().EntryByID(ctx, id)
}

// Recent is the store's in use.
func (s *switched) Recent(ctx context.Context, after study.Place, limit int) ([]study.Entry, error) {
	return s.now().Recent(ctx, after, limit)
}

// Snapshot is the store's in use.
func (s *switched) Snapshot(ctx context.Context, id study.StreamID) (study.Snapshot, error) {
	return s.now().Snapshot(ctx, id)
}

// PutSnapshot is the store's in use.
func (s *switched) PutSnapshot(ctx context.Context, snap study.Snapshot) error {
	return s.now().PutSnapshot(ctx, snap)
}

// Snapshots is the store's in use.
func (s *switched) Snapshots(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
	return s.now().Snapshots(ctx, q)
}

// InsertRecord is the store's in use.
func (s *switched) InsertRecord(ctx context.Context, r study.Record) error {
	return s.now().InsertRecord(ctx, r)
}

// PutRecord is the store's in use.
func (s *switched) PutRecord(ctx context.Context, r study.Record) error {
	return s.now().PutRecord(ctx, r)
}

// Record is the store's in use.
func (s *switched) Record(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
	return s.now().Record(ctx, kind, key)
}

// Records is the store's in use.
func (s *switched) Records(ctx context.Context, kind study.RecordKind, owner string, since time.Time) ([]study.Record, error) {
	return s.now().Records(ctx, kind, owner, since)
}

// DeleteRecord is the store's in use.
func (s *switched) DeleteRecord(ctx context.Context, kind study.RecordKind, key string) error {
	return s.now().DeleteRecord(ctx, kind, key)
}

// Ready is the store's in use.
func (s *switched) Ready(ctx context.Context) (time.Duration, error) {
	return s.now().Ready(ctx)
}

package storetest

import (
	"context"
	"iter"
	"time"

	"epro/study"
)

// calls is every method of a store but Close, called so that a store that
// works gives no error once prepare has run.
var calls = map[string]func(ctx context.Context, s study.Store) error{
	"Append": func(ctx context.Context, s study.Store) error {
		snap := snapshot("site/new", 1)
		return s.Append(ctx, entry("site/new", 1), &snap)
	},
	"Stream": func(ctx context.Context, s study.Store) error {
		return second(s.Stream(ctx, "site/old", 0))
	},
	"EntryByID": func(ctx context.Context, s study.Store) error {
		return second(s.EntryByID(ctx, entry("site/old", 1).ID))
	},
	"Entries": func(ctx context.Context, s study.Store) error {
		return last(s.Entries(ctx, ""))
	},
	"Recent": func(ctx context.Context, s study.Store) error {
		return second(s.Recent(ctx, study.Place{}, 10))
	},
	"Heads": func(ctx context.Context, s study.Store) error {
		return last(s.Heads(ctx, time.Time{}))
	},
	"Snapshot": func(ctx context.Context, s study.Store) error {
		return second(s.Snapshot(ctx, "site/old"))
	},
	"PutSnapshot": func(ctx context.Context, s study.Store) error {
		return s.PutSnapshot(ctx, snapshot("site/other", 1))
	},
	"Snapshots": func(ctx context.Context, s study.Store) error {
		return second(s.Snapshots(ctx, study.SnapshotQuery{}))
	},
	"InsertRecord": func(ctx context.Context, s study.Store) error {
		return s.InsertRecord(ctx, record("device", "new"))
	},
	"PutRecord": func(ctx context.Context, s study.Store) error {
		return s.PutRecord(ctx, record("device", "put"))
	},
	"Record": func(ctx context.Context, s study.Store) error {
		return second(s.Record(ctx, "device", "old"))
	},
	"Records": func(ctx context.Context, s study.Store) error {
		return second(s.Records(ctx, "device", "", time.Time{}))
	},
	"RecordsBetween": func(ctx context.Context, s study.Store) error {
		return second(s.RecordsBetween(ctx, "device", study.RecordPlace{}, start, 10))
	},
	"RecordsUnder": func(ctx context.Context, s study.Store) error {
		return second(s.RecordsUnder(ctx, "device", "", start))
	},
	"DeleteRecord": func(ctx context.Context, s study.Store) error {
		return s.DeleteRecord(ctx, "device", "missing")
	},
	"PurgeRecords": func(ctx context.Context, s study.Store) error {
		return second(s.PurgeRecords(ctx, start))
	},
	"Ready": func(ctx context.Context, s study.Store) error {
		return second(s.Ready(ctx))
	},
}

// prepare stores what the calls look for.
func prepare(ctx context.Context, s study.Store) error {
	snap := snapshot("site/old", 1)
	if err := s.Append(ctx, entry("site/old", 1), &snap); err != nil {
		return err
	}
	return s.InsertRecord(ctx, record("device", "old"))
}

func second[T any](_ T, err error) error { return err }

// last runs an iteration to its end and gives the error of its last pair.
func last[T any](pairs iter.Seq2[T, error]) error {
	var last error
	for _, err := range pairs {
		last = err
	}
	return last
}

// all runs an iteration to its end, or to its first error.
func all[T any](pairs iter.Seq2[T, error]) ([]T, error) {
	var found []T
	for value, err := range pairs {
		if err != nil {
			return found, err
		}
		found = append(found, value)
	}
	return found, nil
}

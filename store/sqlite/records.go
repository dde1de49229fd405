package sqlite

import (
	"context"
	"math"
	"time"

	"epro/study"
)

const recordColumns = "kind, key, owner, at, expires_at, data"

func recordArgs(r study.Record) []any {
	return []any{
		string(r.Kind), r.Key, r.Owner, int64(study.InstantOf(r.At)), int64(study.InstantOf(r.ExpiresAt)),
		string(r.Data),
	}
}

// InsertRecord adds a record unless its key is taken.
func (db *DB) InsertRecord(ctx context.Context, r study.Record) error {
	args := recordArgs(r)
	return db.writer.do(ctx, func(tx *tx) error {
		_, err := tx.exec("INSERT INTO records ("+recordColumns+") VALUES (?, ?, ?, ?, ?, ?)", args...)
		if isTaken(err) {
			return study.ErrExists
		}
		return err
	})
}

// PutRecord adds or replaces a record.
func (db *DB) PutRecord(ctx context.Context, r study.Record) error {
	args := recordArgs(r)
	return db.writer.do(ctx, func(tx *tx) error {
		_, err := tx.exec("INSERT INTO records ("+recordColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT (kind, key) DO UPDATE SET owner = ?3, at = ?4, expires_at = ?5, data = ?6`, args...)
		return err
	})
}

// Record returns one record, expired or not.
func (db *DB) Record(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
	return one(ctx, db, scanRecord, "SELECT "+recordColumns+" FROM records WHERE kind = ? AND key = ?",
		string(kind), key)
}

// Records returns the records of a kind and owner since an instant.
func (db *DB) Records(ctx context.Context, kind study.RecordKind, owner string, since time.Time) ([]study.Record, error) {
	at := int64(study.InstantOf(since))
	if since.IsZero() {
		at = math.MinInt64
	}
	if owner == "" {
		return list(ctx, db, scanRecord,
			"SELECT "+recordColumns+" FROM records WHERE kind = ? AND at >= ? ORDER BY at, key",
			string(kind), at)
	}
	return list(ctx, db, scanRecord,
		"SELECT "+recordColumns+" FROM records WHERE kind = ? AND owner = ? AND at >= ? ORDER BY at, key",
		string(kind), owner, at)
}

// RecordsBetween returns the first records of a kind behind a place and up to an
// instant; the index records_by_at leads to exactly these.
func (db *DB) RecordsBetween(ctx context.Context, kind study.RecordKind, after study.RecordPlace, until time.Time, limit int) ([]study.Record, error) {
	from := int64(study.InstantOf(after.At))
	if after == (study.RecordPlace{}) {
		from = math.MinInt64
	}
	return list(ctx, db, scanRecord, "SELECT "+recordColumns+` FROM records
		WHERE kind = ? AND (at, key) > (?, ?) AND at <= ? ORDER BY at, key LIMIT ?`,
		string(kind), from, after.Key, latest(until), max(limit, 0))
}

// latest is an instant up to which records are wanted; none: any.
func latest(until time.Time) int64 {
	if until.IsZero() {
		return math.MaxInt64
	}
	return int64(study.InstantOf(until))
}

// RecordsUnder returns the records of the owners that start with prefix; the
// index records_by_owner leads to exactly these owners.
func (db *DB) RecordsUnder(ctx context.Context, kind study.RecordKind, prefix string, until time.Time) ([]study.Record, error) {
	if end := behindPrefix(prefix); end != "" {
		return list(ctx, db, scanRecord, "SELECT "+recordColumns+` FROM records
			WHERE kind = ? AND owner >= ? AND owner < ? AND at <= ? ORDER BY owner, at, key`, string(kind), prefix, end, latest(until))
	}
	return list(ctx, db, scanRecord, "SELECT "+recordColumns+` FROM records
		WHERE kind = ? AND owner >= ? AND at <= ? ORDER BY owner, at, key`, string(kind), prefix, latest(until))
}

// DeleteRecord removes a record if it is there.
func (db *DB) DeleteRecord(ctx context.Context, kind study.RecordKind, key string) error {
	return db.writer.do(ctx, func(tx *tx) error {
		_, err := tx.exec("DELETE FROM records WHERE kind = ? AND key = ?", string(kind), key)
		return err
	})
}

// PurgeRecords removes the records that have expired before now.
func (db *DB) PurgeRecords(ctx context.Context, now time.Time) (int, error) {
	answer := make(chan int64, 1) // not a variable: the caller may have left
	err := db.writer.do(ctx, func(tx *tx) error {
		n, err := tx.exec("DELETE FROM records WHERE expires_at <> 0 AND expires_at < ?", int64(study.InstantOf(now)))
		answer <- n
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(<-answer), nil
}

func scanRecord(row scanner) (r study.Record, err error) {
	var at, expires int64
	err = row.Scan(&r.Kind, &r.Key, &r.Owner, &at, &expires, &r.Data)
	r.At, r.ExpiresAt = study.Instant(at).Time(), study.Instant(expires).Time()
	return r, err
}

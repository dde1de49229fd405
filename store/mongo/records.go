package mongo

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// InsertRecord adds a record unless its key is taken.
func (db *DB) InsertRecord(ctx context.Context, r study.Record) error {
	doc := recordOf(r)
	return db.do(ctx, func() error { return insert(ctx, db.records, doc.ID, doc.InsertID, doc) })
}

// putTries is how often a record is put that somebody else adds and deletes
// all the time.
const putTries = 5

// PutRecord adds or replaces a record.
func (db *DB) PutRecord(ctx context.Context, r study.Record) error {
	doc := recordOf(r)
	return db.do(ctx, func() (err error) {
		for range putTries {
			_, err = db.records.ReplaceOne(ctx, field("_id", doc.ID), doc, options.Replace().SetUpsert(true))
			if !mongo.IsDuplicateKeyError(err) {
				break // otherwise somebody added it at this very moment
			}
		}
		return err
	})
}

// Record returns one record, expired or not.
func (db *DB) Record(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
	return one[recordDoc](ctx, db, db.records, field("_id", recordID(kind, key)), options.FindOne())
}

// Records returns the records of a kind and owner since an instant.
func (db *DB) Records(ctx context.Context, kind study.RecordKind, owner string, since time.Time) ([]study.Record, error) {
	filter := field("kind", string(kind))
	if owner != "" {
		filter = append(filter, bson.E{Key: "owner", Value: owner})
	}
	if !since.IsZero() {
		filter = append(filter, bson.E{Key: "at", Value: field("$gte", instant(since))})
	}
	return list[recordDoc](ctx, db, db.records, filter, options.Find().SetSort(ascending("at", "key")))
}

// RecordsBetween returns the first records of a kind behind a place and up to an
// instant; the index by_at leads to exactly these.
func (db *DB) RecordsBetween(ctx context.Context, kind study.RecordKind, after study.RecordPlace, until time.Time, limit int) ([]study.Record, error) {
	if limit <= 0 { // to MongoDB a limit of 0 is none
		return []study.Record{}, db.do(ctx, func() error { return ctx.Err() })
	}
	conditions := []bson.D{field("kind", string(kind))}
	if after != (study.RecordPlace{}) {
		conditions = append(conditions, behind(bson.E{Key: "at", Value: instant(after.At)}, bson.E{Key: "key", Value: after.Key}))
	}
	if !until.IsZero() {
		conditions = append(conditions, field("at", field("$lte", instant(until))))
	}
	o := options.Find().SetSort(ascending("at", "key")).SetLimit(int64(limit))
	return list[recordDoc](ctx, db, db.records, all(conditions...), o)
}

// RecordsUnder returns the records of the owners that start with prefix; the
// index by_owner leads to exactly these owners.
func (db *DB) RecordsUnder(ctx context.Context, kind study.RecordKind, prefix string, until time.Time) ([]study.Record, error) {
	whole := validStart(prefix)
	filter := append(field("kind", string(kind)), bson.E{Key: "owner", Value: within(whole)})
	if !until.IsZero() {
		filter = append(filter, bson.E{Key: "at", Value: field("$lte", instant(until))})
	}
	found, err := list[recordDoc](ctx, db, db.records, filter, options.Find().SetSort(ascending("owner", "at", "key")))
	return slices.DeleteFunc(found, func(r study.Record) bool { return !strings.HasPrefix(r.Owner, prefix) }), err
}

// within selects the texts that start with prefix, which is whole characters.
func within(prefix string) bson.D {
	bounds := field("$gte", prefix)
	if end := behindPrefix(prefix); end != "" {
		bounds = append(bounds, bson.E{Key: "$lt", Value: end})
	}
	return bounds
}

// DeleteRecord removes a record if it is there.
func (db *DB) DeleteRecord(ctx context.Context, kind study.RecordKind, key string) error {
	return db.do(ctx, func() error {
		_, err := db.records.DeleteOne(ctx, field("_id", recordID(kind, key)))
		return err
	})
}

// PurgeRecords removes the records that have expired before now. One that
// never expires has null there, which is before no date.
func (db *DB) PurgeRecords(ctx context.Context, now time.Time) (int, error) {
	removed := 0
	err := db.do(ctx, func() error {
		result, err := db.records.DeleteMany(ctx, field("expires_at", field("$lt", instant(now))))
		if err == nil {
			removed = int(result.DeletedCount)
		}
		return err
	})
	return removed, err
}

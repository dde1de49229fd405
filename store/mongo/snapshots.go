package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// maxPage is the most snapshots that a page has.
const maxPage = 1000

// PutSnapshot stores the snapshot unless there is a later one.
func (db *DB) PutSnapshot(ctx context.Context, snap study.Snapshot) error {
	doc := snapshotOf(snap)
	return db.do(ctx, func() error { return db.putSnapshot(ctx, doc) })
}

// putSnapshot replaces an earlier or equal snapshot, or adds the first. A
// server that reads and writes in two steps may let the earlier of two win at
// the same moment: then the cache lags, which Repair finds.
func (db *DB) putSnapshot(ctx context.Context, doc snapshotDoc) error {
	filter := bson.D{{Key: "_id", Value: doc.Stream}, {Key: "seq", Value: field("$lte", doc.Seq)}}
	_, err := db.snapshots.ReplaceOne(ctx, filter, doc, options.Replace().SetUpsert(true))
	if !mongo.IsDuplicateKeyError(err) {
		return err
	}
	// There is one already: a later one, or one that was added a moment ago
	// and may be earlier. Then the filter finds it now.
	_, err = db.snapshots.ReplaceOne(ctx, filter, doc)
	return err
}

// Snapshot returns the snapshot of one stream.
func (db *DB) Snapshot(ctx context.Context, id study.StreamID) (study.Snapshot, error) {
	return one[snapshotDoc](ctx, db, db.snapshots, field("_id", string(id)), options.FindOne())
}

// Snapshots returns a page of the snapshots that match. Only conditions that
// restrict are asked, so that the server can choose an index by them.
func (db *DB) Snapshots(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
	limit := maxPage
	if q.Limit > 0 {
		limit = min(q.Limit, maxPage)
	}
	find := options.Find().SetSort(ascending("site", "label", "_id")).SetLimit(int64(limit))
	if q.Bare {
		find.SetProjection(field("state", 0))
	}
	return list[snapshotDoc](ctx, db, db.snapshots, snapshotFilter(q), find)
}

func snapshotFilter(q study.SnapshotQuery) bson.D {
	var conditions []bson.D
	if q.Kind != "" {
		conditions = append(conditions, field("kind", q.Kind))
	}
	if q.Sites != nil {
		sites := bson.A{}
		for _, site := range q.Sites {
			sites = append(sites, string(site))
		}
		conditions = append(conditions, field("site", field("$in", sites)))
	}
	if q.Label != "" {
		conditions = append(conditions, field("label", q.Label))
	}
	if q.Stale != "" {
		conditions = append(conditions, field("stamp", field("$ne", q.Stale)))
	}
	if !q.LookBefore.IsZero() {
		conditions = append(conditions, field("look_at", field("$lt", instant(q.LookBefore))))
	}
	if q.AfterSite != "" || q.AfterLabel != "" || q.AfterStream != "" {
		conditions = append(conditions, behind(bson.E{Key: "site", Value: string(q.AfterSite)},
			bson.E{Key: "label", Value: q.AfterLabel}, bson.E{Key: "_id", Value: string(q.AfterStream)}))
	}
	return all(conditions...)
}

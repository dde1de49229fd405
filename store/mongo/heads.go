package mongo

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// headPage is how many events are looked at at a time, for their heads only,
// which have about 150 bytes.
const headPage = 20_000

var headFields = bson.D{
	{Key: "_id", Value: 0}, {Key: "stream", Value: 1}, {Key: "seq", Value: 1}, {Key: "at", Value: 1}, {Key: "hash", Value: 1},
}

// Heads yields the ends of the streams that got an entry since.
func (db *DB) Heads(ctx context.Context, since time.Time) iter.Seq2[study.Head, error] {
	if since.IsZero() {
		return db.allHeads(ctx)
	}
	return func(yield func(study.Head, error) bool) {
		names, err := db.streamsSince(ctx, since)
		if err != nil {
			yield(study.Head{}, err)
			return
		}
		for _, name := range names {
			head, err := one[headDoc](ctx, db, db.events, field("stream", name),
				options.FindOne().SetProjection(headFields).SetSort(bson.D{{Key: "stream", Value: -1}, {Key: "seq", Value: -1}}))
			if !yield(head, err) || err != nil {
				return
			}
		}
	}
}

// allHeads walks the whole log, because who asks for all heads has read the
// log or is about to. A $group with $last would let the server send less, but
// not every server has it.
func (db *DB) allHeads(ctx context.Context) iter.Seq2[study.Head, error] {
	walked := pages(ctx, headPage, func(last *study.Head) ([]study.Head, error) {
		filter := bson.D{}
		if last != nil {
			filter = behind(bson.E{Key: "stream", Value: string(last.Stream)}, bson.E{Key: "seq", Value: bound(last.Seq)})
		}
		return list[headDoc](ctx, db, db.events, filter,
			options.Find().SetProjection(headFields).SetSort(ascending("stream", "seq")).SetLimit(headPage))
	})
	return func(yield func(study.Head, error) bool) {
		var end study.Head
		for head, err := range walked {
			switch {
			case err != nil:
				yield(study.Head{}, err)
				return
			case end.Seq != 0 && head.Stream != end.Stream && !yield(end, nil):
				return
			}
			end = head
		}
		if end.Seq != 0 {
			yield(end, nil)
		}
	}
}

// streamsSince names the streams that got an entry, in order. They are few when
// little time has passed, and small at any rate.
func (db *DB) streamsSince(ctx context.Context, since time.Time) (names []string, err error) {
	err = db.do(ctx, func() error {
		cursor, err := db.events.Aggregate(ctx, mongo.Pipeline{
			field("$match", field("at", field("$gte", instant(since)))),
			field("$group", field("_id", "$stream")),
			field("$sort", field("_id", 1)),
		}, options.Aggregate().SetBatchSize(batchSize))
		if err != nil {
			return err
		}
		for cursor.Next(ctx) {
			var group struct {
				Stream string `bson:"_id"`
			}
			if err := cursor.Decode(&group); err != nil {
				return errors.Join(err, cursor.Close(ctx))
			}
			names = append(names, group.Stream)
		}
		return errors.Join(cursor.Err(), cursor.Close(ctx))
	})
	return names, err
}

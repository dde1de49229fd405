package mongo

import (
	"context"
	"errors"
	"iter"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// batchSize is how many documents come with the first answer. The server's own
// default, 101, would need a second question for a long stream.
const batchSize = 1000

// list reads all documents of a query. None is an empty slice.
func list[D interface{ value() T }, T any](ctx context.Context, db *DB, c *mongo.Collection,
	filter bson.D, o *options.FindOptionsBuilder,
) ([]T, error) {
	values := []T{}
	err := db.do(ctx, func() error {
		cursor, err := c.Find(ctx, filter, o.SetBatchSize(batchSize))
		if err != nil {
			return err
		}
		for cursor.Next(ctx) {
			var doc D
			if err := cursor.Decode(&doc); err != nil {
				return errors.Join(err, cursor.Close(ctx))
			}
			values = append(values, doc.value())
		}
		return errors.Join(cursor.Err(), cursor.Close(ctx))
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// one reads the first document of a query, or gives ErrNotFound.
func one[D interface{ value() T }, T any](ctx context.Context, db *DB, c *mongo.Collection,
	filter bson.D, o *options.FindOneOptionsBuilder,
) (T, error) {
	var doc D
	err := db.do(ctx, func() error {
		err := c.FindOne(ctx, filter, o).Decode(&doc)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return study.ErrNotFound
		}
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return doc.value(), nil
}

// pages yields the values of page after page. A cursor would do with one
// query, but does not survive a fail-over, nor a consumer that takes its time.
func pages[T any](ctx context.Context, size int, page func(last *T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var last *T
		for {
			values, err := page(last)
			if err != nil {
				yield(none, err)
				return
			}
			for _, value := range values {
				if err := ctx.Err(); err != nil {
					yield(none, coded(ctx, err))
					return
				}
				if !yield(value, nil) {
					return
				}
			}
			if len(values) < size {
				return
			}
			end := values[len(values)-1] // a copy, so that the page is not kept
			last = &end
		}
	}
}

// behind selects what lies strictly behind a key of several fields. The first
// field's own condition lets the server begin at the right place of the index.
func behind(key ...bson.E) bson.D {
	var places bson.A
	for i := range key {
		place := append(bson.D{}, key[:i]...)
		places = append(places, append(place, compare("$gt", key[i])))
	}
	return bson.D{compare("$gte", key[0]), {Key: "$or", Value: places}}
}

func compare(operator string, e bson.E) bson.E {
	return bson.E{Key: e.Key, Value: bson.D{{Key: operator, Value: e.Value}}}
}

// all selects what fulfils every one of the conditions.
func all(conditions ...bson.D) bson.D {
	list := bson.A{}
	for _, c := range conditions {
		if len(c) > 0 {
			list = append(list, c)
		}
	}
	switch len(list) {
	case 0:
		return bson.D{}
	case 1:
		first, _ := list[0].(bson.D)
		return first
	}
	return bson.D{{Key: "$and", Value: list}}
}

func field(name string, value any) bson.D { return bson.D{{Key: name, Value: value}} }

// ascending sorts by the fields, in this order.
func ascending(fields ...string) bson.D {
	var order bson.D
	for _, name := range fields {
		order = append(order, bson.E{Key: name, Value: 1})
	}
	return order
}

// bound is a sequence as the database's integers can hold it.
func bound(seq uint64) int64 { return int64(min(seq, math.MaxInt64)) }

package mongo

import (
	"bytes"
	"context"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// copiesDoc is an event's bytes with the readable copies that no entry is made
// of.
type copiesDoc struct {
	Stream  string        `bson:"stream"`
	Seq     int64         `bson:"seq"`
	Payload bson.RawValue `bson:"payload"`
	Reason  string        `bson:"reason"`
	Bytes   text          `bson:"bytes"`
}

// value is the place of the event, and what is wrong with it, if anything is.
func (d copiesDoc) value() study.Fault {
	at := study.Fault{Stream: study.StreamID(d.Stream), Seq: uint64(d.Seq)}
	payload, reason := readable(d.Bytes)
	kind, want, err := bson.MarshalValue(payload)
	switch {
	case err != nil:
		at.What = "the stored bytes have no readable copy: " + err.Error()
	case kind != d.Payload.Type || !bytes.Equal(want, d.Payload.Value):
		at.What = "the readable payload differs from the stored bytes"
	case reason != d.Reason:
		at.What = "the readable reason differs from the stored bytes"
	}
	return at
}

// Compare yields a fault for every event whose readable payload or reason says
// something else than its bytes. What an entry is made of is compared by
// study.Entry.Open.
func (db *DB) Compare(ctx context.Context) iter.Seq2[study.Fault, error] {
	copies := bson.D{{Key: "stream", Value: 1}, {Key: "seq", Value: 1},
		{Key: "payload", Value: 1}, {Key: "reason", Value: 1}, {Key: "bytes", Value: 1}}
	all := pages(ctx, entryPage, func(last *study.Fault) ([]study.Fault, error) {
		filter := bson.D{}
		if last != nil {
			filter = behind(bson.E{Key: "stream", Value: string(last.Stream)}, bson.E{Key: "seq", Value: bound(last.Seq)})
		}
		return list[copiesDoc](ctx, db, db.events, filter,
			options.Find().SetProjection(copies).SetSort(ascending("stream", "seq")).SetLimit(entryPage))
	})
	return func(yield func(study.Fault, error) bool) {
		for at, err := range all {
			if (err != nil || at.What != "") && !yield(at, err) {
				return
			}
		}
	}
}

package mongo

import (
	"context"
	"errors"
	"iter"
	"strings"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// Append adds one entry, and then its snapshot.
func (db *DB) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	doc := eventOf(e)
	return db.do(ctx, func() error {
		if err := insert(ctx, db.events, doc.ID, doc.InsertID, doc); err != nil || snap == nil {
			return err
		}
		// The entry is durable, which is what the caller asked for: nobody may
		// be told that it failed because a cache lags. Repair finds the lag.
		_ = db.putSnapshot(ctx, snapshotOf(*snap))
		return nil
	})
}

// insert adds a document. When the driver lost the answer and sent it again,
// the key is taken by this very call; the insert id, made for it, tells so.
func insert(ctx context.Context, c *mongo.Collection, id string, insertID bson.ObjectID, doc any) error {
	_, err := c.InsertOne(ctx, doc)
	if !mongo.IsDuplicateKeyError(err) {
		return err
	}
	var held struct {
		InsertID bson.ObjectID `bson:"insert_id"`
	}
	err = c.FindOne(ctx, field("_id", id), options.FindOne().SetProjection(field("insert_id", 1))).Decode(&held)
	switch {
	case err == nil && held.InsertID == insertID:
		return nil
	case err == nil || errors.Is(err, mongo.ErrNoDocuments):
		return study.ErrExists // no document of that id: the place in the stream is taken
	default:
		return err
	}
}

// withoutCopies leaves out what an entry is not made of.
var withoutCopies = bson.D{{Key: "payload", Value: 0}, {Key: "reason", Value: 0}}

// Stream returns the entries of one stream behind a sequence.
func (db *DB) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	filter := bson.D{{Key: "stream", Value: string(id)}, {Key: "seq", Value: field("$gt", bound(after))}}
	return list[eventDoc](ctx, db, db.events, filter,
		options.Find().SetProjection(withoutCopies).SetSort(ascending("stream", "seq")))
}

// EntryByID returns the entry with this event id.
func (db *DB) EntryByID(ctx context.Context, id study.EventID) (study.Entry, error) {
	return one[eventDoc](ctx, db, db.events, field("_id", string(id)), options.FindOne().SetProjection(withoutCopies))
}

// entryPage is how many entries are read at a time, a kilobyte or two each.
const entryPage = 2500

// Entries yields the entries of all streams whose names start with prefix.
func (db *DB) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	whole := validStart(prefix)
	entries := pages(ctx, entryPage, func(last *study.Entry) ([]study.Entry, error) {
		o := options.Find().SetProjection(withoutCopies).SetSort(ascending("stream", "seq")).SetLimit(entryPage)
		return list[eventDoc](ctx, db, db.events, walk(whole, last), o)
	})
	if whole == prefix {
		return entries
	}
	return func(yield func(study.Entry, error) bool) {
		for e, err := range entries {
			if (err != nil || strings.HasPrefix(string(e.Stream), prefix)) && !yield(e, err) {
				return
			}
		}
	}
}

// walk selects the streams with the prefix, behind the last entry of the page
// before.
func walk(prefix string, last *study.Entry) bson.D {
	conditions := []bson.D{}
	if last != nil {
		conditions = append(conditions, behind(
			bson.E{Key: "stream", Value: string(last.Stream)}, bson.E{Key: "seq", Value: bound(last.Seq)}))
	} else if prefix != "" {
		conditions = append(conditions, field("stream", field("$gte", prefix)))
	}
	if end := behindPrefix(prefix); end != "" {
		conditions = append(conditions, field("stream", field("$lt", end)))
	}
	return all(conditions...)
}

// validStart is the longest beginning that is whole characters: a string in
// the database and in a query is UTF-8.
func validStart(prefix string) string {
	for i, r := range prefix {
		if _, size := utf8.DecodeRuneInString(prefix[i:]); r == utf8.RuneError && size == 1 {
			return prefix[:i]
		}
	}
	return prefix
}

// behindPrefix is the first text behind everything that starts with prefix,
// or empty when there is none. Code points and their bytes have one order.
func behindPrefix(prefix string) string {
	runes := []rune(prefix)
	for len(runes) > 0 {
		last := len(runes) - 1
		switch r := runes[last]; {
		case r == 0xD7FF: // the surrogates are no characters
			runes[last] = 0xE000
			return string(runes)
		case r < utf8.MaxRune:
			runes[last]++
			return string(runes)
		}
		runes = runes[:last]
	}
	return ""
}

// Recent returns entries in the order in which they were recorded.
func (db *DB) Recent(ctx context.Context, after study.Place, limit int) ([]study.Entry, error) {
	if limit <= 0 {
		if err := db.do(ctx, func() error { return nil }); err != nil {
			return nil, err
		}
		return []study.Entry{}, nil
	}
	filter := bson.D{}
	if after != (study.Place{}) {
		filter = behind(
			bson.E{Key: "at", Value: instant(after.At)}, bson.E{Key: "stream", Value: string(after.Stream)},
			bson.E{Key: "seq", Value: bound(after.Seq)})
	}
	return list[eventDoc](ctx, db, db.events, filter, options.Find().
		SetProjection(withoutCopies).SetSort(ascending("at", "stream", "seq")).SetLimit(int64(limit)))
}

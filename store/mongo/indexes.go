package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// index is one that the program relies on: all ascending, of every document.
type index struct {
	name   string
	keys   []string
	unique bool
}

// indexes are those of each collection besides the one of _id, which MongoDB
// makes itself: an event's id, a snapshot's stream, a record's kind and key.
//
// The keys of a sharded cluster are {stream: 1} for events and {_id: 1} for
// snapshots and records. A unique index must begin with the shard key there,
// which by_stream does.
var indexes = map[string][]index{
	"events": {
		{name: "by_stream", keys: []string{"stream", "seq"}, unique: true},
		{name: "by_at", keys: []string{"at", "stream", "seq"}},
	},
	// The stamp is in the first two so that a search for stale snapshots that
	// finds none reads the index only. None of these fields changes with an
	// ordinary event, so that writing a snapshot seldom writes an index.
	"snapshots": {
		{name: "by_kind", keys: []string{"kind", "site", "label", "_id", "stamp"}},
		{name: "by_site", keys: []string{"site", "label", "_id", "stamp"}},
		{name: "by_label", keys: []string{"label", "site", "_id"}},
	},
	"records": {
		{name: "by_owner", keys: []string{"kind", "owner", "at", "key"}},
		{name: "by_at", keys: []string{"kind", "at", "key"}},
		{name: "by_expiry", keys: []string{"expires_at"}},
	},
}

// makeIndexes makes the indexes that are missing, and looks at all of them as
// they are then: what was asked for is not always what there is.
func makeIndexes(ctx context.Context, c *mongo.Collection) error {
	have, err := listIndexes(ctx, c)
	if err != nil {
		return err
	}
	var missing []mongo.IndexModel
	for _, want := range indexes[c.Name()] {
		if _, is := have[want.name]; !is {
			o := options.Index().SetName(want.name)
			if want.unique {
				o.SetUnique(true)
			}
			missing = append(missing, mongo.IndexModel{Keys: ascending(want.keys...), Options: o})
		}
	}
	if len(missing) == 0 {
		return verifyIndexes(c.Name(), have)
	}
	_, failed := c.Indexes().CreateMany(ctx, missing)
	if mongo.IsDuplicateKeyError(failed) {
		return &study.Error{Code: study.Unavailable, Err: failed,
			Message: "The collection " + c.Name() + " has two documents with one key, so that a unique index cannot be made; restore a backup."}
	}
	// Another process may have made them at this very moment.
	if have, err = listIndexes(ctx, c); err != nil {
		return errors.Join(failed, err)
	}
	if err := verifyIndexes(c.Name(), have); err != nil {
		return cmp.Or(failed, err)
	}
	return nil
}

// found is an index as the server lists it.
type found struct {
	Name      string `bson:"name"`
	Key       bson.D `bson:"key"`
	Unique    bool   `bson:"unique"`
	Sparse    bool   `bson:"sparse"`
	Hidden    bool   `bson:"hidden"`
	Partial   bson.D `bson:"partialFilterExpression"`
	Collation bson.D `bson:"collation"`
	Expires   any    `bson:"expireAfterSeconds"`
}

// listIndexes gives the indexes of a collection by name.
func listIndexes(ctx context.Context, c *mongo.Collection) (map[string]found, error) {
	cursor, err := c.Indexes().List(ctx)
	if err != nil {
		return nil, err
	}
	var list []found
	if err := cursor.All(ctx, &list); err != nil {
		return nil, err
	}
	have := map[string]found{}
	for _, f := range list {
		have[f.Name] = f
	}
	return have, nil
}

// verifyIndexes refuses a collection whose indexes are not those wanted.
func verifyIndexes(collection string, have map[string]found) error {
	for _, want := range indexes[collection] {
		wrong := "is missing"
		if is, ok := have[want.name]; ok {
			wrong = want.difference(is)
		}
		if wrong != "" {
			return study.Fail(study.Unavailable, fmt.Sprintf(
				"The index %s of the collection %s %s; drop it, then start the program again, which makes it anew.",
				want.name, collection, wrong))
		}
	}
	return nil
}

// difference says in what an index differs from the one wanted, or nothing.
func (i index) difference(have found) string {
	sameKeys := slices.EqualFunc(i.keys, have.Key, func(key string, e bson.E) bool {
		return e.Key == key && fmt.Sprint(e.Value) == "1"
	})
	switch {
	case !sameKeys:
		return "has other keys"
	case i.unique && !have.Unique:
		return "is not unique"
	case !i.unique && have.Unique:
		return "is unique and must not be"
	case have.Sparse || have.Partial != nil:
		return "leaves documents out"
	case have.Collation != nil:
		return "does not compare byte by byte"
	case have.Hidden:
		return "is hidden"
	case have.Expires != nil:
		return "removes documents by itself"
	}
	return ""
}

package mongo

import (
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/store/mongo/mongotest"
)

func TestAnIndexThatSomebodyElseMadeIsNotTrusted(t *testing.T) {
	server := mongotest.Server(t)
	for words, model := range map[string]mongo.IndexModel{
		"is not unique":  {Keys: ascending("stream", "seq"), Options: options.Index().SetName("by_stream")},
		"has other keys": {Keys: ascending("stream", "at"), Options: options.Index().SetName("by_stream").SetUnique(true)},
	} {
		url := mongotest.Database(t)
		name, err := databaseName(url)
		must(t, err)
		events := mongotest.Client(t, server).Database(name).Collection("events")
		must(t, second(events.Indexes().CreateOne(t.Context(), model)))
		db, err := Open(t.Context(), url)
		if db != nil {
			t.Error("a store was opened")
		}
		refused(t, err, "by_stream", words, "drop it")

		must(t, events.Indexes().DropOne(t.Context(), "by_stream"))
		must(t, openTest(t, url, seams{}).Close())
	}
}

func TestAnIndexThatDiffersIsRecognised(t *testing.T) {
	want := index{name: "by_at", keys: []string{"at", "stream"}}
	same := found{Name: "by_at", Key: bson.D{{Key: "at", Value: int32(1)}, {Key: "stream", Value: float64(1)}}}
	if d := want.difference(same); d != "" {
		t.Errorf("the same index %s", d)
	}
	for words, change := range map[string]func(*found){
		"has other keys":            func(f *found) { f.Key = f.Key[:1] },
		"is unique and must not be": func(f *found) { f.Unique = true },
		"leaves documents out":      func(f *found) { f.Partial = field("at", 1) },
		"byte by byte":              func(f *found) { f.Collation = field("locale", "sv") },
		"is hidden":                 func(f *found) { f.Hidden = true },
		"by itself":                 func(f *found) { f.Expires = int32(60) },
	} {
		other := same
		change(&other)
		if d := want.difference(other); !strings.Contains(d, words) {
			t.Errorf("one that %s is said to be one that %q", words, d)
		}
	}
	descending := same
	descending.Key = bson.D{{Key: "at", Value: int32(1)}, {Key: "stream", Value: int32(-1)}}
	if want.difference(descending) == "" {
		t.Error("a descending key is not seen")
	}
}

func TestStoresMayBeOpenedAtOnce(t *testing.T) {
	url := mongotest.Database(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	server := mongotest.Server(t)
	url := mongotest.Database(t)
	must(t, openTest(t, url, seams{}).Close())
	name, err := databaseName(url)
	must(t, err)
	meta := mongotest.Client(t, server).Database(name).Collection("meta")
	must(t, second(meta.UpdateOne(t.Context(), field("_id", "schema"), field("$set", field("version", 2)))))
	_, err = Open(t.Context(), url)
	refused(t, err, "version 2")
}

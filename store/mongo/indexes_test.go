package mongo

import (
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/store/mongo/mongotest"
	"epro/study"
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

// TestQueriesAreServedByIndexes asks a server that can explain how it would
// find what lists, the walk, the audit page and the sweeps ask for.
func TestQueriesAreServedByIndexes(t *testing.T) {
	var r recorder
	url := mongotest.Database(t)
	db := openTest(t, url, seams{monitor: r.monitor()})
	ctx := t.Context()
	must(t, db.Append(ctx, testEntry("site/S01", 1), testSnapshot("site/S01", 1)))
	queries := r.during(func() {
		must(t, second(db.Stream(ctx, "site/S01", 1)))
		must(t, second(db.Recent(ctx, study.Place{At: time.UnixMilli(5), Stream: "a", Seq: 1}, 10)))
		must(t, second(db.Snapshots(ctx, study.SnapshotQuery{Kind: "participant", Sites: []study.SiteCode{"S01", "S02"}, AfterSite: "S01", Limit: 50})))
		must(t, second(db.Snapshots(ctx, study.SnapshotQuery{Kind: "participant", Stale: "2"})))
		must(t, second(db.Snapshots(ctx, study.SnapshotQuery{Kind: "staff", Label: "x"})))
		must(t, second(db.Records(ctx, "device", "o", time.UnixMilli(5))))
		must(t, second(db.Records(ctx, "device", "", time.Time{})))
		for _, err := range db.Entries(ctx, "site/") {
			must(t, err)
		}
		for _, err := range db.Heads(ctx, time.Time{}) {
			must(t, err)
		}
	})
	if strings.Contains(db.Verified()[0], "FerretDB") {
		t.Logf("%d queries were not explained: this server has no plans to tell", len(queries))
		return
	}
	for _, q := range queries {
		explain(t, db, q)
	}
}

// explain wants a plan that reads an index and sorts nothing.
func explain(t *testing.T, db *DB, query bson.Raw) {
	t.Helper()
	var command bson.D
	elements, err := query.Elements()
	must(t, err)
	for _, e := range elements {
		switch e.Key() {
		case "find", "filter", "sort", "projection", "limit":
			command = append(command, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	var plan struct {
		Planner struct {
			Winning bson.Raw `bson:"winningPlan"`
		} `bson:"queryPlanner"`
	}
	must(t, db.events.Database().RunCommand(t.Context(), bson.D{
		{Key: "explain", Value: command}, {Key: "verbosity", Value: "queryPlanner"}}).Decode(&plan))
	text := plan.Planner.Winning.String()
	if !strings.Contains(text, "IXSCAN") || strings.Contains(text, "COLLSCAN") || strings.Contains(text, `"stage": "SORT"`) {
		t.Errorf("%v is found by %s", command, text)
	}
}

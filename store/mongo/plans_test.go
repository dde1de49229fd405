package mongo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/store/mongo/mongotest"
	"epro/study"
)

// TestQueriesAreServedByIndexes looks for an index for what lists, the walk, the
// audit page and the sweeps ask for, by the rule of MongoDB's manual, and asks a
// server that can explain how it would find that.
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
		must(t, second(db.Snapshots(ctx, study.SnapshotQuery{Kind: "participant", Sites: []study.SiteCode{"S01"}, LookBefore: time.UnixMilli(5), Bare: true})))
		must(t, second(db.Records(ctx, "device", "o", time.UnixMilli(5))))
		must(t, second(db.RecordsBetween(ctx, "reminder_cursor", study.RecordPlace{}, time.UnixMilli(5), 10)))
		must(t, second(db.RecordsBetween(ctx, "delivery", study.RecordPlace{At: time.UnixMilli(5), Key: "a"}, time.Time{}, 10)))
		must(t, second(db.RecordsUnder(ctx, "delivery", "p.", time.UnixMilli(5))))
		must(t, second(db.Records(ctx, "device", "", time.Time{})))
		for _, err := range db.Entries(ctx, "site/") {
			must(t, err)
		}
		for _, err := range db.Heads(ctx, time.Time{}) {
			must(t, err)
		}
	})
	for _, q := range queries {
		if !servable(t, q) {
			t.Errorf("no index gives in its order what is asked for: %s", q)
		}
	}
	unserved, err := bson.Marshal(bson.D{{Key: "find", Value: "events"}, {Key: "filter", Value: field("stream", field("$gt", "x"))}, {Key: "sort", Value: ascending("type")}})
	must(t, err)
	if servable(t, unserved) {
		t.Error("a query that no index serves is not seen")
	}
	if strings.Contains(db.Verified()[0], "FerretDB") {
		t.Logf("%d queries were not explained: this server has no plans to tell", len(queries))
		return
	}
	for _, q := range queries {
		explain(t, db, q)
	}
}

// servable reports whether an index leads to what the query asks for, in the
// order that it asks for: its fields are those that must equal something, and
// then those of the sort.
func servable(t *testing.T, query bson.Raw) bool {
	t.Helper()
	var q struct {
		Find   string `bson:"find"`
		Filter bson.D `bson:"filter"`
		Sort   bson.D `bson:"sort"`
	}
	must(t, bson.Unmarshal(query, &q))
	asked, equal := map[string]bool{}, map[string]bool{}
	eachCondition(q.Filter, func(e bson.E) {
		_, bounds := e.Value.(bson.D)
		asked[e.Key], equal[e.Key] = true, equal[e.Key] || !bounds
	})
	order := slices.DeleteFunc(q.Sort, func(e bson.E) bool { return equal[e.Key] })
	for _, in := range append(slices.Clone(indexes[q.Find]), index{keys: []string{"_id"}}) {
		rest := order
		leads := asked[in.keys[0]] || len(rest) > 0 && rest[0].Key == in.keys[0]
		for _, key := range in.keys {
			if len(rest) > 0 && key == rest[0].Key {
				rest = rest[1:]
			} else if !equal[key] {
				break
			}
		}
		if leads && len(rest) == 0 {
			return true
		}
	}
	return q.Find == "" // an aggregation or a write
}

func eachCondition(filter bson.D, f func(bson.E)) {
	for _, e := range filter {
		if e.Key != "$and" {
			f(e)
			continue
		}
		all, _ := e.Value.(bson.A)
		for _, c := range all {
			if c, is := c.(bson.D); is {
				eachCondition(c, f)
			}
		}
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

package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/study"
)

func TestAnEventCannotBeChangedByAccident(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	e := testEntry("site/S01", 1)
	must(t, db.Append(t.Context(), e, nil))
	conn := shell(t, db.path)
	for _, statement := range []string{
		"UPDATE events SET actor_id = 'x'",
		"UPDATE events SET seq = seq + 1",
		"DELETE FROM events",
		"DELETE FROM events WHERE stream = 'site/S01'",
		"INSERT OR REPLACE INTO events SELECT stream, seq, 'x', at, actor_role, actor_id, type, hash, bytes FROM events",
		"REPLACE INTO events SELECT stream, seq + 1, event_id, at, actor_role, actor_id, type, hash, bytes FROM events",
		"INSERT INTO events SELECT stream, seq, 'y', at, actor_role, actor_id, type, hash, bytes FROM events " +
			"WHERE true ON CONFLICT DO UPDATE SET actor_id = 'y'",
	} {
		_, err := conn.ExecContext(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), "an event is never") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	found, err := db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 1 || found[0].Actor != e.Actor || found[0].ID != e.ID {
		t.Errorf("the log is now %v", found)
	}
}

func TestAPersonWithAShellCanReadTheRecord(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	must(t, db.Append(t.Context(), testEntry("site/S01", 7), benchSnapshot("site/S01", 7, 5)))
	conn := shell(t, db.path)
	for query, want := range map[string]string{
		"SELECT bytes FROM events":                                   `{"seq":7,"stream":"site/S01"}`,
		"SELECT json_extract(bytes, '$.stream') FROM events":         "site/S01",
		"SELECT datetime(at / 1000, 'unixepoch') FROM events":        "2023-11-14 22:13:20",
		"SELECT datetime(due_at / 1000, 'unixepoch') FROM snapshots": "2023-11-14 22:13:20",
		"SELECT typeof(bytes) FROM events":                           "text",
	} {
		if got := value(t, conn, query); got != want {
			t.Errorf("%s gives %s, not %s", query, got, want)
		}
	}
}

func TestMissingTablesNeverReadAsMissingThings(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	conn := shell(t, db.path)
	for _, table := range []string{"events", "snapshots", "records", "readiness"} {
		run(t, conn, "DROP TABLE "+table)
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Append":       func() error { return db.Append(ctx, testEntry("a", 1), nil) },
		"Stream":       func() error { _, err := db.Stream(ctx, "a", 0); return err },
		"EntryByID":    func() error { _, err := db.EntryByID(ctx, "a"); return err },
		"Recent":       func() error { _, err := db.Recent(ctx, study.Place{}, 1); return err },
		"Snapshot":     func() error { _, err := db.Snapshot(ctx, "a"); return err },
		"Snapshots":    func() error { _, err := db.Snapshots(ctx, study.SnapshotQuery{}); return err },
		"PutSnapshot":  func() error { return db.PutSnapshot(ctx, study.Snapshot{}) },
		"InsertRecord": func() error { return db.InsertRecord(ctx, study.Record{}) },
		"PutRecord":    func() error { return db.PutRecord(ctx, study.Record{}) },
		"Record":       func() error { _, err := db.Record(ctx, "a", "b"); return err },
		"Records":      func() error { _, err := db.Records(ctx, "a", "", time.Time{}); return err },
		"DeleteRecord": func() error { return db.DeleteRecord(ctx, "a", "b") },
		"PurgeRecords": func() error { _, err := db.PurgeRecords(ctx, benchStart); return err },
		"Ready":        func() error { _, err := db.Ready(ctx); return err },
		"Entries": func() (last error) {
			for _, last = range db.Entries(ctx, "") {
			}
			return last
		},
		"Heads": func() (last error) {
			for _, last = range db.Heads(ctx, time.Time{}) {
			}
			return last
		},
	} {
		t.Run(name, func(t *testing.T) { refused(t, call(), "could not be used") })
	}
}

// TestListsUseTheirIndexes fails when a query would read or sort a whole table.
func TestListsUseTheirIndexes(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	ctx := t.Context()
	for _, q := range []study.SnapshotQuery{
		{}, {Kind: "k"}, {Kind: "k", Sites: []study.SiteCode{"s"}}, {Label: "l"}, {Kind: "k", Label: "l"}, {Stale: "s"},
		{Kind: "k", Stale: "s"}, {Sites: []study.SiteCode{"s"}},
	} {
		_, err := db.Snapshots(ctx, q)
		must(t, err)
	}
	for _, owner := range []string{"", "o"} {
		_, err := db.Records(ctx, "k", owner, benchStart)
		must(t, err)
	}
	for _, prefix := range []string{"", "p"} {
		_, err := db.RecordsUnder(ctx, "k", prefix, benchStart)
		must(t, err)
	}
	_, err := db.RecordsBetween(ctx, "k", study.RecordPlace{}, benchStart, 1)
	must(t, err)
	_, err = db.Recent(ctx, study.Place{}, 1)
	must(t, err)
	for range db.Entries(ctx, "a") {
	}
	for range db.Heads(ctx, time.Time{}) {
	}
	for range db.Heads(ctx, benchStart) {
	}
	conn := shell(t, db.path)
	for query := range db.queries {
		rows, err := conn.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
		must(t, err)
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var detail string
			must(t, rows.Scan(&id, &parent, &unused, &detail))
			plan += fmt.Sprintln(detail)
		}
		must(t, rows.Err())
		must(t, rows.Close())
		for line := range strings.Lines(plan) {
			// To read an index from one end is right where no instant is given.
			whole := strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "subquery") &&
				(!strings.Contains(line, "INDEX") || strings.Contains(query, "at >="))
			sorts := strings.Contains(line, "USE TEMP B-TREE") && !strings.Contains(query, "DISTINCT")
			if whole || sorts {
				t.Errorf("%s\n%s", query, plan)
				break
			}
		}
	}
}

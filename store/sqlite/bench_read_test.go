package sqlite

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/study"
)

// populated is a store with many participants, two entries and a snapshot
// each, as many as EPRO_BENCH_ROWS says.
func populated(b *testing.B) (*DB, int) {
	b.Helper()
	rows, err := strconv.Atoi(os.Getenv("EPRO_BENCH_ROWS"))
	if err != nil {
		rows = 2_000
	}
	db := openBench(b)
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(rows); i = next.Add(1) - 1 {
				stream := benchStream(int(i))
				for seq := range uint64(2) {
					if err := db.Append(b.Context(), benchEntry(stream, seq+1, entryBytes), benchSnapshot(stream, seq+1, stateBytes)); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	return db, rows
}

func benchStream(i int) string { return fmt.Sprintf("participant/%08d", i) }

func BenchmarkRead(b *testing.B) {
	db, rows := populated(b)
	b.Run("the tail of a stream", func(b *testing.B) {
		for i := range b.N {
			found, err := db.Stream(b.Context(), study.StreamID(benchStream(i*7919%rows)), 1)
			if err != nil || len(found) != 1 {
				b.Fatal(len(found), err)
			}
		}
	})
	b.Run("a snapshot", func(b *testing.B) {
		for i := range b.N {
			if _, err := db.Snapshot(b.Context(), study.StreamID(benchStream(i*7919%rows))); err != nil {
				b.Fatal(err)
			}
		}
	})
	benchSnapshots(b, db, rows)
	benchWalks(b, db)
}

func benchSnapshots(b *testing.B, db *DB, rows int) {
	queries := map[string]study.SnapshotQuery{
		"fifty of a site":           {Kind: "participant", Sites: []study.SiteCode{"S03"}, AfterSite: "S03", AfterLabel: "participant/00001", Limit: 50},
		"a thousand of all sites":   {Kind: "participant", AfterSite: "S05"},
		"by label":                  {Kind: "participant", Label: benchStream(rows / 2)},
		"the stale ones, none":      {Stale: "1"},
		"the stale ones of a kind":  {Kind: "participant", Stale: "1"},
		"the stale ones, a page":    {Stale: "2", Limit: 50},
		"fifty of three sites":      {Kind: "participant", Sites: []study.SiteCode{"S03", "S04", "S05"}, Limit: 50},
		"a kind that few have":      {Kind: "staff"},
		"a label that nobody has":   {Kind: "staff", Label: "nobody"},
		"a site, of whatever kind":  {Sites: []study.SiteCode{"S03"}, Limit: 50},
		"a site and a missing kind": {Kind: "staff", Sites: []study.SiteCode{"S03"}, Limit: 50},
	}
	for name, q := range queries {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := db.Snapshots(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchWalks(b *testing.B, db *DB) {
	for name, since := range map[string]time.Time{
		"all heads": {}, "the heads since long ago": benchStart, "the heads since now": benchStart.Add(time.Hour),
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				for _, err := range db.Heads(b.Context(), since) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("every entry", func(b *testing.B) {
		for range b.N {
			for _, err := range db.Entries(b.Context(), "participant/") {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("the latest entries", func(b *testing.B) {
		for range b.N {
			if _, err := db.Recent(b.Context(), study.Place{At: benchStart.Add(2 * time.Millisecond)}, 100); err != nil {
				b.Fatal(err)
			}
		}
	})
}

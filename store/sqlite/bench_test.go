package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/study"
)

// A submitted FACT-B takes about so many bytes, and so does the state of a
// participant in the middle of the year.
const (
	entryBytes = 2_500
	stateBytes = 6_000
)

var benchStart = time.UnixMilli(1_700_000_000_000).UTC()

func benchEntry(stream string, seq uint64, size int) study.Entry {
	return study.Entry{
		Stream: study.StreamID(stream), Seq: seq,
		// Scattered, as the ids of events are.
		ID:    benchID(stream, seq),
		At:    benchStart.Add(time.Duration(seq) * time.Millisecond),
		Actor: study.ActorRef{Role: "participant", ID: stream}, Type: "submission_received",
		Hash: study.Hash{1}, Bytes: bytes.Repeat([]byte("x"), size),
	}
}

func benchSnapshot(stream string, seq uint64, size int) *study.Snapshot {
	return &study.Snapshot{
		Stream: study.StreamID(stream), Seq: seq, Stamp: "1", Kind: "participant",
		Site: study.SiteCode("S0" + stream[len(stream)-1:]), Label: stream, OpensAt: benchStart,
		DueAt: benchStart, ClosesAt: benchStart, State: bytes.Repeat([]byte("x"), size),
	}
}

func openBench(b *testing.B) *DB {
	b.Helper()
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "epro.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

// appends has so many writers append, and reports how many a second.
func appends(b *testing.B, writers, bytes, state int) {
	db := openBench(b)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				// Twenty events for each of many participants.
				stream := fmt.Sprintf("participant/%d-%d", i/int64(20*writers), w)
				e := benchEntry(stream, uint64(i), bytes)
				var snap *study.Snapshot
				if state > 0 {
					snap = benchSnapshot(stream, uint64(i), state)
				}
				if err := db.Append(b.Context(), e, snap); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(b.N)/float64(db.writer.commits.Load()), "appends/commit")
}

func BenchmarkAppend1(b *testing.B)       { appends(b, 1, entryBytes, stateBytes) }
func BenchmarkAppend64(b *testing.B)      { appends(b, 64, entryBytes, stateBytes) }
func BenchmarkAppend64Small(b *testing.B) { appends(b, 64, 200, 0) }

// benchID is as long as a UUID, and as scattered.
func benchID(stream string, seq uint64) study.EventID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", stream, seq))
	return study.EventID(hex.EncodeToString(sum[:18]))
}

package mongo

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/store/mongo/mongotest"
	"epro/study"
)

// BenchmarkAppend compares an append, which is an event and a snapshot, with
// the driver's bare InsertOne of the event's bytes on the same server.
func BenchmarkAppend(b *testing.B) {
	db := openTest(b, mongotest.Database(b), seams{})
	bare := db.client.Database(db.events.Database().Name()).Collection("bare")
	state := make([]byte, 0, 6000)
	for len(state) < cap(state) {
		state = append(state, 'x')
	}
	var run atomic.Int64
	for name, write := range map[string]func(e study.Entry) error{
		"append": func(e study.Entry) error {
			snap := testSnapshot(string(e.Stream), e.Seq)
			snap.State = state
			return db.Append(b.Context(), e, snap)
		},
		"bare": func(e study.Entry) error {
			return second(bare.InsertOne(b.Context(), bson.D{{Key: "_id", Value: string(e.ID)}, {Key: "bytes", Value: string(e.Bytes)}}))
		},
	} {
		b.Run(name, func(b *testing.B) {
			var next atomic.Int64
			var wg sync.WaitGroup
			round := run.Add(1)
			for range 64 {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						// Twenty events for each of many participants.
						if err := write(testEntry(fmt.Sprintf("participant/%d-%d", round, i/20), uint64(i%20+1))); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/api"
	"epro/internal/testkit"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// BenchmarkSubmitMongoDB sends forms of distinct participants from 64 clients to
// a server in this process on the MongoDB server for tests, and compares the
// rate with the driver's bare InsertOne of the events' bytes on the same
// server, with its own defaults. x-bare is the share of it that we reach.
func BenchmarkSubmitMongoDB(b *testing.B) {
	var took []time.Duration
	var forms float64
	var spent, spentBare time.Duration
	for range b.N {
		b.StopTimer()
		n := benchForms()
		s := build(b, testkit.MongoDB(b), func(o *api.Options) {
			o.Log, o.RequestTime = slog.New(slog.NewJSONHandler(io.Discard, nil)), time.Minute
		})
		all := prepareForms(b, s, n)
		s.listenLocal(b)
		each(b, n, func(i int) error {
			r, err := s.try("GET", "/v1/me/assessments", all[i].token, nil)
			if err == nil && r.status != 200 {
				err = fmt.Errorf("%d: %s", r.status, r.body)
			}
			return err
		})
		b.StartTimer()
		times, total := sendAll(b, s.url, all)
		b.StopTimer()
		took, spent, forms = append(took, times...), spent+total, forms+float64(n)
		event, _ := lastForm(b, s)
		s.stop()
		spentBare += insertAll(b, event, n)
		b.StartTimer()
	}
	slices.Sort(took)
	rate, bare := forms/spent.Seconds(), forms/spentBare.Seconds()
	b.ReportMetric(rate, "forms/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(bare, "bare-insert/s")
	b.ReportMetric(rate/bare, "x-bare")
	b.ReportMetric(0, "ns/op") // an iteration is many forms
}

// insertAll inserts as many bytes as the forms' events have, and nothing else.
func insertAll(b *testing.B, event study.Entry, n int) time.Duration {
	b.Helper()
	url := mongotest.Database(b)
	bare := mongotest.Client(b, url).Database(mongotest.Name(b, url)).Collection("bare")
	if _, err := bare.InsertOne(context.Background(), bson.D{{Key: "_id", Value: "first"}}); err != nil { // makes the collection
		b.Fatal(err)
	}
	begin := time.Now()
	each(b, n, func(i int) error {
		_, err := bare.InsertOne(context.Background(), bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "bytes", Value: string(event.Bytes)}})
		return err
	})
	return time.Since(begin)
}

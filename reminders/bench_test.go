package reminders_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/store/sqlite"
	"epro/study"
)

// BenchmarkAYearOfAParticipant plans all 18 ladders of a year, 72 steps.
func BenchmarkAYearOfAParticipant(b *testing.B) {
	f := testkit.Study(b, testkit.SQLite(b))
	p := f.Enrol(b, "001")
	h, err := f.History(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		steps := 0
		for i := range p.Assessments {
			steps += len(reminders.Ladder(h, &p.Assessments[i]))
		}
		if steps != 72 {
			b.Fatalf("%d steps", steps)
		}
	}
}

// BenchmarkPlan says what there is to do now: what a sweep asks for each
// participant who is due.
func BenchmarkPlan(b *testing.B) {
	f := testkit.Study(b, testkit.SQLite(b))
	p := f.Enrol(b, "001")
	h, err := f.History(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	devices := []study.Device{{ID: "d", SeenAt: study.InstantOf(waveStart), AddedAt: study.InstantOf(testkit.Start)}}
	b.ReportAllocs()
	for b.Loop() {
		if w := reminders.Plan(h, p, devices, nil, waveStart); len(w.Attempts) != 1 {
			b.Fatalf("%+v", w)
		}
	}
}

// BenchmarkDueAmong finds 10,000 due cursors among so many, in batches of 200,
// and moves each on, as a sweep does. The rest of a sweep (folding, claiming,
// sending) does not depend on who is not due. A participant has one cursor for
// all her assessments, so a million cursors are more than a million assessments
// need.
func BenchmarkDueAmong(b *testing.B) {
	for _, among := range []int{20_000, 1_000_000} {
		b.Run(fmt.Sprint(among), func(b *testing.B) { dueAmong(b, among) })
	}
}

const dueCount = 10_000

func dueAmong(b *testing.B, among int) {
	ctx := b.Context()
	st, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "epro.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	put := func(i int, at time.Time) {
		key := fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(i)*2654435761)
		if err := st.PutRecord(ctx, study.Record{Kind: reminders.CursorKind, Key: key, Owner: "participant/" + key, At: at, Data: []byte("{}")}); err != nil {
			b.Error(err)
		}
	}
	all := func(n int, f func(i int)) {
		var done sync.WaitGroup
		for w := range 64 {
			done.Go(func() {
				for i := w; i < n; i += 64 {
					f(i)
				}
			})
		}
		done.Wait()
	}
	later := waveStart.AddDate(0, 0, 3)
	all(among, func(i int) { put(i, later.Add(time.Duration(i)*time.Second)) })
	for b.Loop() {
		b.StopTimer()
		all(dueCount, func(i int) { put(i*(among/dueCount), waveStart.Add(time.Duration(i)*time.Millisecond)) })
		b.StartTimer()
		found := 0
		for {
			due, err := st.RecordsUntil(ctx, reminders.CursorKind, waveStart.Add(time.Hour), 200)
			if err != nil {
				b.Fatal(err)
			}
			if len(due) == 0 {
				break
			}
			found += len(due)
			all(len(due), func(i int) {
				r := due[i]
				r.At = later.Add(time.Duration(i) * time.Minute)
				if err := st.PutRecord(ctx, r); err != nil {
					b.Error(err)
				}
			})
		}
		if found != dueCount {
			b.Fatalf("%d were due", found)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/dueCount, "µs/due")
}

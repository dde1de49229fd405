package reminders_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
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

// BenchmarkDueAmong finds 10,000 due cursors, in batches of 200, and moves each
// on, as a sweep does: among 20,000 and among a million, in turns, so that a
// machine that slows down slows down both. The rest of a sweep (folding,
// claiming, sending) does not depend on who is not due. A participant has one
// cursor for all her assessments, so this is more than a million assessments need.
func BenchmarkDueAmong(b *testing.B) {
	few, many := newCursors(b, 20_000), newCursors(b, benchCursors())
	for b.Loop() {
		few.sweep(b)
		many.sweep(b)
	}
	b.ReportMetric(float64(few.took.Microseconds())/float64(b.N)/dueCount, "µs/due-of-20k")
	b.ReportMetric(float64(many.took.Microseconds())/float64(b.N)/dueCount, "µs/due-of-many")
	b.ReportMetric(float64(many.took)/float64(few.took), "ratio")
	b.ReportMetric(float64(many.cpu)/float64(few.cpu), "cpu-ratio") // what a busy machine leaves alone
}

const dueCount = 10_000

// benchCursors is how many cursors the larger store has: EPRO_BENCH_ROWS, such
// as 1000000, or few.
func benchCursors() int {
	if n, err := strconv.Atoi(os.Getenv("EPRO_BENCH_ROWS")); err == nil {
		return n
	}
	return 40_000
}

var dueLater = waveStart.AddDate(0, 0, 3)

// cursors is a store with so many cursors.
type cursors struct {
	*sqlite.DB
	among int
	took  time.Duration
	cpu   time.Duration // of this process, in and for it
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func newCursors(b *testing.B, among int) *cursors {
	b.Helper()
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "epro.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	c := &cursors{DB: st, among: among}
	c.each(among, func(i int) { c.put(b, i, dueLater.Add(time.Duration(i)*time.Second)) })
	return c
}

// each calls f from 64 goroutines, as the pool of a dispatcher does.
func (c *cursors) each(n int, f func(i int)) {
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

func (c *cursors) put(b *testing.B, i int, at time.Time) {
	id := study.ParticipantID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", uint32(i)*2654435761))
	if err := c.PutRecord(b.Context(), reminders.CursorAt(id, at)); err != nil {
		b.Error(err)
	}
}

func (c *cursors) sweep(b *testing.B) {
	// Who is due when is spread by a hash, so that the order in which they are due
	// is not the one in which they were enrolled.
	c.each(dueCount, func(i int) {
		c.put(b, i*(c.among/dueCount), waveStart.Add(time.Duration(i*7919%dueCount)*time.Millisecond))
	})
	began, cpu, found := time.Now(), cpuTime(b), 0
	for {
		due, err := c.RecordsBetween(b.Context(), reminders.CursorKind, study.RecordPlace{}, waveStart.Add(time.Hour), 200)
		if err != nil {
			b.Fatal(err)
		}
		if len(due) == 0 {
			break
		}
		found += len(due)
		c.each(len(due), func(i int) {
			r := due[i]
			r.At = dueLater.Add(time.Duration(i) * time.Minute)
			if err := c.PutRecord(b.Context(), r); err != nil {
				b.Error(err)
			}
		})
	}
	c.took += time.Since(began)
	c.cpu += cpuTime(b) - cpu
	if found != dueCount {
		b.Fatalf("%d were due", found)
	}
}

// BenchmarkSweep sends the opening reminder of 500 participants through the
// whole dispatcher on the embedded store: finding, folding, claiming, folding
// again, a sender that answers at once, the outcome and the next cursor.
func BenchmarkSweep(b *testing.B) {
	const people = 500
	var took time.Duration
	for b.Loop() {
		f := testkit.Study(b, testkit.SQLite(b))
		d := newDispatcher(b, f, nothing{})
		for i := range people {
			id := f.Enrol(b, fmt.Sprint(i)).ID
			err := f.RegisterDevice(b.Context(), testkit.Phone(id), study.Registration{ID: "d", Platform: "android",
				Target: study.PushTarget{Kind: study.TargetFCMToken, Value: fmt.Sprint("phone-", i)}})
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := d.Recompute(b.Context()); err != nil {
			b.Fatal(err)
		}
		f.Clock.Set(waveStart)
		began := time.Now()
		if n, err := d.Sweep(b.Context()); err != nil || n != people {
			b.Fatalf("%d, %v", n, err)
		}
		took += time.Since(began)
	}
	b.ReportMetric(float64(took.Microseconds())/float64(b.N)/people, "µs/reminder")
}

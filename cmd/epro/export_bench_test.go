package main

import (
	"io"
	"syscall"
	"testing"
	"time"

	"epro/export"
	"epro/internal/simulate"
	"epro/study"
)

// BenchmarkStudyZip writes everything of a simulated year of 500 participants
// from the embedded store into one archive.
func BenchmarkStudyZip(b *testing.B) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	svc, st, err := openAt(b.Context(), storeIn(b.TempDir()), func() time.Time { return now.Add(time.Hour) })
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	if _, err := simulate.Run(b.Context(), simulate.Options{Store: st, Participants: 500, Seed: 1, Now: now}); err != nil {
		b.Fatal(err)
	}
	o := export.Options{Dataset: export.Everything, Format: export.Zip, Cut: export.Cut{At: now, Final: true}}
	rows, before := 0, processor(b)
	for b.Loop() {
		s, err := export.Write(b.Context(), svc, study.System("bench"), o, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		rows = s.Rows
	}
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric((processor(b)-before).Seconds()/float64(b.N), "cpu-s/op")
}

// processor is the processor time that this program has taken so far, which
// other programs' work does not lengthen.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

package main

import (
	"io"
	"testing"
	"time"

	"epro/export"
	"epro/internal/simulate"
	"epro/internal/testkit"
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
	rows, before := 0, testkit.Processor(b)
	for b.Loop() {
		s, err := export.Write(b.Context(), svc, study.System("bench"), o, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		rows = s.Rows
	}
	b.ReportMetric(float64(rows), "rows")
	b.ReportMetric((testkit.Processor(b)-before).Seconds()/float64(b.N), "cpu-s/op")
}

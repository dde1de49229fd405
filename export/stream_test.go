package export

import (
	"context"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"epro/instruments/factb"
	"epro/store/sqlite"
	"epro/study"
)

// yearOf is a participant with a form at each of several visits, and the
// history that it was folded under.
func yearOf(t testing.TB, forms int) (*study.History, *study.Participant) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "epro.db"))
	must(err)
	defer func() { must(db.Close()) }()
	now, ids := time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC), 0
	svc := study.NewService(db, func() time.Time { return now }, func() string { ids++; return "id-" + strconv.Itoa(ids) })
	by := study.Request{By: study.System("test")}
	_, err = svc.Adopt(ctx, by, study.DefaultProtocolText(), 0, false)
	must(err)
	_, err = svc.CreateSite(ctx, by, study.CreateSite{Code: "S01", Name: "Site", TimeZone: "Asia/Shanghai", Language: "en"})
	must(err)
	first := study.DateOf(now)
	p, err := svc.Enrol(ctx, by, study.Enrol{Number: "1", Site: "S01", Regimen: "eribulin", Language: "en", TimeZone: "Asia/Shanghai",
		Cycle1On: first, Consent: study.Consent{On: first, FormVersion: "1", Language: "en"}})
	must(err)
	answers := map[string]string{}
	for _, item := range factb.FACTB.Items {
		answers[item.Code] = "2"
	}
	for n := range forms {
		visit := "C" + strconv.Itoa(n+1) + "D1"
		res, err := svc.Do(ctx, study.Request{By: study.Actor{Role: study.RoleParticipant, Participant: p.ID}}, p.ID, study.SubmitForm{
			ID: study.SubmissionID(visit), Assessment: study.AssessmentFor(p.ID, visit), Instrument: "fact-b", Version: "4",
			Answers: answers, StartedAt: study.InstantOf(now), CompletedAt: study.InstantOf(now), Mode: study.ModeApp})
		must(err)
		p, now = res.After, now.AddDate(0, 0, 21)
	}
	h, err := svc.History(ctx)
	must(err)
	return h, p
}

// Ten times as many rows take no more memory.
func TestMemoryDoesNotGrowWithRows(t *testing.T) {
	h, p := yearOf(t, 10)
	for _, d := range Datasets() {
		v := newView(Options{Demonstration: Include}, h, factb.FACTB)
		e := newCSV(io.Discard)
		if err := e.Begin(d); err != nil {
			t.Fatal(err)
		}
		write := func(rows int) uint64 {
			var got int
			var most uint64
			for got < rows {
				err := d.rows(v, p, func(cells []Value) error { got++; return e.Row(cells) })
				if err != nil {
					t.Fatal(err)
				}
				if got%1000 == 0 {
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
			}
			return most
		}
		few, many := write(1_000), write(10_000)
		if many > few+1<<20 {
			t.Errorf("%s: %d KB for 1,000 rows, %d KB for 10,000", d.Name, few>>10, many>>10)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	h, p := yearOf(b, 10)
	for _, d := range Datasets() {
		b.Run(d.Name, func(b *testing.B) {
			v := newView(Options{Demonstration: Include}, h, factb.FACTB)
			e := newCSV(io.Discard)
			if err := e.Begin(d); err != nil {
				b.Fatal(err)
			}
			rows := 0
			for b.Loop() {
				if err := d.rows(v, p, func(cells []Value) error { rows++; return e.Row(cells) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

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
	_, err = svc.Do(ctx, by, p.ID, study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate(first.String())})
	must(err)
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
		if d.person == nil || d.last != nil {
			continue // its rows do not come from one record
		}
		v := freshView(t, h)
		rows := func(take emit) error { return d.person(v, p, take) }
		if few, many := held(t, d, "csv", 1_000, rows), held(t, d, "csv", 10_000, rows); many > few+1<<20 {
			t.Errorf("%s: %d KB for 1,000 rows, %d KB for 10,000", d.Name, few>>10, many>>10)
		}
	}
}

// Excel's and Parquet's writers hold back a block of rows, so they are looked at
// after the first one.
func TestMemoryDoesNotGrowWithRowsInAnyFormat(t *testing.T) {
	s := samples(plain)[0]
	rows := func(take emit) error {
		for _, row := range s.rows {
			if err := take(row); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range Formats() {
		room := uint64(6 << 20)
		if f.Name == "xlsx" {
			room = 24 << 20 // its writer goes to a file once 16 MB are there
		}
		if few, many := held(t, s.Dataset, f.Name, 40_000, rows), held(t, s.Dataset, f.Name, 120_000, rows); many > few+room {
			t.Errorf("%s: %d KB for 40,000 rows, %d KB for 120,000", f.Name, few>>10, many>>10)
		}
	}
}

// held is the most that the heap holds while so many rows are written.
func held(t *testing.T, d Dataset, format string, rows int, each func(emit) error) (most uint64) {
	t.Helper()
	f, err := pickFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	e := f.New(io.Discard)
	defer func() { _ = closeEncoder(e, nil) }()
	if err := e.Begin(wideHead(d, rows)); err != nil {
		t.Fatal(err)
	}
	for got := 0; got < rows; {
		err := each(func(cells []Value) error {
			if got++; got%(rows/10) == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return e.Row(cells)
		})
		if err != nil || got == 0 {
			t.Fatalf("%s: %d rows, %v", d.Name, got, err)
		}
	}
	if err := e.End(); err != nil {
		t.Fatal(err)
	}
	return most
}

func freshView(t testing.TB, h *study.History) *view {
	t.Helper()
	v, err := newView(Options{Demonstration: Include, asOf: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, h)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wideHead is a head of a dataset whose texts may be as long as any.
func wideHead(d Dataset, rows int) Head {
	h := Head{Dataset: d, Study: "s", Protocol: "1", ExportID: "x", At: time.Unix(0, 0), Rows: rows, Widths: make([]int, len(d.Columns))}
	for i := range h.Widths {
		h.Widths[i] = 60
	}
	return h
}

func BenchmarkRows(b *testing.B) {
	h, p := yearOf(b, 10)
	for _, d := range Datasets() {
		if d.person == nil || d.last != nil {
			continue // its rows do not come from one record
		}
		b.Run(d.Name, func(b *testing.B) {
			v := freshView(b, h)
			e := newCSV(io.Discard)
			if err := e.Begin(wideHead(d, 0)); err != nil {
				b.Fatal(err)
			}
			rows := 0
			for b.Loop() {
				if err := d.person(v, p, func(cells []Value) error { rows++; return e.Row(cells) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

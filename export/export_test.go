package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/export"
	"epro/study"
)

func TestTheSameFinalCutGivesTheSameBytesAndID(t *testing.T) {
	w := newWorld(t, false, nil)
	first, _, _ := threePeople(t, w)
	w.at("2026-02-15 12:00")
	o := export.Options{Dataset: "items_wide", Cut: w.cutAt("2026-02-10"), Program: "1.0"}
	before, one := w.write(o)
	w.at("2026-02-23 12:00")
	w.send(first, all("form-c", first, "C3D1", 2, nil))
	w.at("2026-03-10 12:00")
	o.Cut = w.cutAt("2026-02-10")
	after, two := w.write(o)
	if before != after || one.ExportID != two.ExportID || one.SHA256 != two.SHA256 || !two.Cut.Final {
		t.Errorf("the cut of 10 February changed: %+v then %+v", one, two)
	}
	for name, other := range map[string]export.Options{
		"dataset": {Dataset: "scores_wide", Cut: o.Cut, Program: "1.0"}, "program": {Dataset: o.Dataset, Cut: o.Cut, Program: "1.1"},
		"cut":           {Dataset: o.Dataset, Cut: w.cutAt("2026-02-11"), Program: "1.0"},
		"through":       {Dataset: o.Dataset, Cut: o.Cut, Program: "1.0", Through: day("2026-02-01")},
		"demonstration": {Dataset: o.Dataset, Cut: o.Cut, Program: "1.0", Demonstration: export.Include},
	} {
		if _, s := w.write(other); s.ExportID == one.ExportID {
			t.Errorf("another %s has the same export id", name)
		}
	}
}

func TestACutLeavesOutWhatWasRecordedLater(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	w.at("2026-03-01 12:00")
	for cut, forms := range map[string][]string{
		"2026-01-05":           nil,
		"2026-01-11":           {"form-a"},
		"2026-01-12":           {"form-a", "form-p"},
		"2026-02-01T12:59:59Z": {"form-a", "form-p"},
		"2026-02-01T13:00:00Z": {"form-a", "form-b", "form-p", "form-x"},
		"":                     {"form-a", "form-b", "form-p", "form-x", "form-y"},
	} {
		text, s := w.write(export.Options{Dataset: "items_wide", Cut: w.cutAt(cut)})
		var got []string
		for _, row := range rows(t, text) {
			got = append(got, row["FORMID"])
		}
		if !slices.Equal(got, forms) || s.Rows != len(forms) {
			t.Errorf("cut %q: forms %v, want %v", cut, got, forms)
		}
	}
	text, _ := w.write(export.Options{Dataset: "items_wide", Cut: w.cutAt("2026-01-13")})
	want(t, rows(t, text)[1], map[string]string{"REVISION": "1", "GP1": "0", "B1": "", "B1_ST": "skipped", "VERIFYFL": "N"})
}

// The participant who forbade further use is out of a cut that lies before her
// withdrawal too, because the export is made after it.
func TestNoFurtherUseHoldsForOlderCuts(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	w.at("2026-03-01 12:00")
	_, after := w.write(export.Options{Dataset: "items_wide", Cut: w.cutAt("2026-01-11")})
	if after.LeftOut.NoFurtherUse != 1 || after.Rows != 1 {
		t.Errorf("after the withdrawal: %+v", after)
	}
}

func TestThroughLeavesOutLaterFormsAndFacts(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	text, s := w.write(export.Options{Dataset: "scores_wide", Through: day("2026-02-02")})
	got := rows(t, text)
	if len(got) != 3 || s.LeftOut.AfterThrough != 1 {
		t.Fatalf("%d rows, left out %+v", len(got), s.LeftOut)
	}
	want(t, got[0], map[string]string{"REGCURR": "gemcitabine"}) // the change is of 10 February
}

func TestDemonstrationFormsAreLeftOutOfARealStudyAndCounted(t *testing.T) {
	for _, c := range []struct {
		simulated bool
		choice    export.Demonstration
		forms     []string
		left      export.LeftOut
	}{
		{false, "", []string{"real"}, export.LeftOut{Demonstration: 1}},
		{false, export.Exclude, []string{"real"}, export.LeftOut{Demonstration: 1}},
		{false, export.Include, []string{"real", "demo"}, export.LeftOut{}},
		{false, export.Only, []string{"demo"}, export.LeftOut{Licensed: 1}},
		{true, "", []string{"real", "demo"}, export.LeftOut{}},
		{true, export.Exclude, []string{"real"}, export.LeftOut{Demonstration: 1}},
	} {
		w := newWorld(t, c.simulated, nil)
		w.at("2026-01-05 10:00")
		p, q := w.enrol("S01", "1"), w.enrol("S01", "2")
		w.at("2026-01-08 10:00")
		w.send(p, all("real", p, "C1D1", 1, nil))
		demo := all("demo", q, "C1D1", 1, nil)
		demo.Pack = "demo-1-en"
		w.send(q, demo)
		text, s := w.write(export.Options{Dataset: "items_wide", Demonstration: c.choice})
		var got []string
		for _, row := range rows(t, text) {
			got = append(got, row["FORMID"])
		}
		if !slices.Equal(got, c.forms) || s.LeftOut != c.left {
			t.Errorf("simulated %t, %q: %v, left out %+v", c.simulated, c.choice, got, s.LeftOut)
		}
	}
}

func TestLeftOutIsSaidInSentences(t *testing.T) {
	got := export.LeftOut{NoFurtherUse: 1, Demonstration: 12, AfterThrough: 2}.Sentences()
	want := []string{"1 participant who forbade further use", "12 forms shown without a licensed wording pack", "2 forms completed after the last day asked for"}
	if !slices.Equal(got, want) || export.LeftOut.Sentences(export.LeftOut{}) != nil {
		t.Errorf("got %q", got)
	}
}

func TestUnknownNamesAreAnsweredWithWhatThereIs(t *testing.T) {
	w := newWorld(t, false, nil)
	for _, c := range []struct {
		o    export.Options
		want string
	}{
		{export.Options{Dataset: "items", Format: "csv"}, "items_wide, scores_long, scores_wide"},
		{export.Options{Dataset: "items_wide", Format: "xls"}, "csv, xlsx"},
		{export.Options{Dataset: "items_wide", Format: "csv", Demonstration: "some"}, "exclude"},
	} {
		if _, err := export.Prepare(ctx, w.Service, analyst, c.o); study.CodeOf(err) != study.Invalid || !strings.Contains(wordsOf(err), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

// wordsOf is all that an error says to people.
func wordsOf(err error) string {
	var e *study.Error
	if !errors.As(err, &e) {
		return ""
	}
	words := e.Message
	for _, f := range e.Fields {
		words += " " + f.Reason
	}
	return words
}

func TestOnlyThoseWhoMayExportDo(t *testing.T) {
	w := newWorld(t, false, nil)
	var out bytes.Buffer
	_, err := export.Write(ctx, w.Service, investigate, export.Options{Dataset: "items_wide", Format: "csv"}, &out)
	if study.CodeOf(err) != study.Forbidden || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

func TestCutsAreReadInTheStudysZone(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	now := time.Date(2026, 3, 17, 4, 0, 0, 0, time.UTC)
	for text, want := range map[string]export.Cut{
		"":                          {At: now},
		"2026-03-16":                {At: time.Date(2026, 3, 16, 15, 59, 59, 999e6, time.UTC), Final: true},
		"2026-03-17":                {At: time.Date(2026, 3, 17, 15, 59, 59, 999e6, time.UTC)},
		"2026-03-17T03:59:30Z":      {At: now.Add(-30 * time.Second)},
		"2026-03-17T11:58:00+08:00": {At: now.Add(-2 * time.Minute), Final: true},
	} {
		got, err := export.ParseCut(text, zone, now)
		if err != nil || !got.At.Equal(want.At) || got.Final != want.Final {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "2026-13-01", "17/03/2026", "2026-03-17 10:00"} {
		if _, err := export.ParseCut(text, zone, now); study.CodeOf(err) != study.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// firstByte calls a function before the first byte is written.
type firstByte struct {
	io.Writer
	before func()
}

func (f *firstByte) Write(p []byte) (int, error) {
	if f.before != nil {
		f.before()
		f.before = nil
	}
	return f.Writer.Write(p)
}

func TestTheAuditTrailKnowsBeforeTheFirstByte(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	exports := func() (found []study.DataExported) {
		entries, err := w.store.Stream(ctx, study.StudyStream, 0)
		w.must(err)
		for _, n := range entries {
			e, err := n.Open()
			w.must(err)
			payload, err := study.PayloadOf(e)
			w.must(err)
			if d, ok := payload.(study.DataExported); ok {
				found = append(found, d)
			}
		}
		return found
	}
	var atFirst int
	out := &firstByte{Writer: io.Discard, before: func() { atFirst = len(exports()) }}
	s, err := export.Write(ctx, w.Service, analyst, export.Options{Dataset: "items_wide", Format: "csv", Through: day("2026-02-01")}, out)
	w.must(err)
	kept := exports()
	if atFirst != 1 || len(kept) != 1 || kept[0].ExportID != s.ExportID || kept[0].Options["through"] != "2026-02-01" || kept[0].Options["demonstration"] != "exclude" {
		t.Errorf("%d entries before the first byte, then %+v", atFirst, kept)
	}
}

// spoiled is a store in which a participant's last entry says something else.
type spoiled struct {
	study.Store
	old, new string
}

func (s *spoiled) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	entries, err := s.Store.Stream(ctx, id, after)
	if err != nil || s.old == "" || len(entries) == 0 || id.Kind() != "participant" {
		return entries, err
	}
	last := &entries[len(entries)-1]
	e, err := last.Open()
	if err != nil {
		return nil, err
	}
	e.Payload = []byte(strings.ReplaceAll(string(e.Payload), s.old, s.new))
	*last, err = study.Seal(e)
	return entries, err
}

func TestAFormThatDoesNotScoreAsStoredStopsTheExport(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"value":77`, `"value":78`, "FACTB"},
		{`"facit-1"`, `"facit-0"`, "facit-0"},
	} {
		var s *spoiled
		w := newWorld(t, false, func(store study.Store) study.Store { s = &spoiled{Store: store}; return s })
		w.at("2026-01-05 10:00")
		p := w.enrol("S01", "1")
		w.at("2026-01-08 10:00")
		w.send(p, all("form", p, "C1D1", 1, nil))
		s.old, s.new = c.old, c.new
		for _, dataset := range []string{"items_wide", "scores_wide"} {
			var out bytes.Buffer
			_, err := export.Write(ctx, w.Service, analyst, export.Options{Dataset: dataset, Format: "csv"}, &out)
			if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
				t.Errorf("%s: %v, %d bytes written", dataset, err, out.Len())
			}
		}
		entries, err := s.Store.Stream(ctx, study.StudyStream, 0)
		w.must(err)
		if slices.ContainsFunc(entries, func(n study.Entry) bool { return n.Type == "data_exported" }) {
			t.Error("an export that did not happen is in the audit trail")
		}
	}
}

// meddling is a store in which something else happens, once, when an export is
// recorded or when it reads the log for the audit trail.
type meddling struct {
	study.Store
	recorded, read func()
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

func (m *meddling) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	err := m.Store.Append(ctx, e, snap)
	if e.Type == (study.DataExported{}).EventType() {
		once(&m.recorded)
	}
	return err
}

func (m *meddling) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	if prefix == "" {
		once(&m.read)
	}
	return m.Store.Entries(ctx, prefix)
}

// The clock stands still, so that what is recorded meanwhile bears the cut's
// instant.
func TestWhatIsRecordedWhileAnExportRunsIsInNoneOfItsDatasets(t *testing.T) {
	var m *meddling
	w := newWorld(t, false, func(store study.Store) study.Store { m = &meddling{Store: store}; return m })
	w.at("2026-01-05 10:00")
	p, q := w.enrol("S01", "1"), w.enrol("S01", "2")
	w.at("2026-01-08 10:00")
	m.read = func() { w.send(p, all("form-p", p, "C1D1", 1, nil)) }
	m.recorded = func() { w.send(q, all("form-q", q, "C1D1", 1, nil)) }
	raw, _ := w.archive("")
	_, files := unpack(t, raw)
	for name, text := range files {
		if strings.HasPrefix(name, "csv/") && strings.Contains(string(text), "form-") {
			t.Errorf("%s knows of a form", name)
		}
	}
	if m.read != nil || m.recorded != nil || w.do(p, study.System("test"), study.RecordFact{Kind: study.FactFirstDose, On: "2026-01-08"}).Seq != 3 {
		t.Error("nothing was recorded meanwhile")
	}
}

// broken is a store whose records cannot be read after the first.
type broken struct {
	study.Store
	read int
}

func (b *broken) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	if id.Kind() == "participant" && after == 0 {
		if b.read++; b.read > 1 {
			return nil, study.Fail(study.Unavailable, "The store is away.")
		}
	}
	return b.Store.Stream(ctx, id, after)
}

func TestAStoreThatFailsHalfwayLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	t.Setenv("TMPDIR", t.TempDir())
	svc := study.NewService(&broken{Store: w.store}, func() time.Time { return w.now }, func() string { return "unused" })
	var out bytes.Buffer
	_, err := export.Write(ctx, svc, analyst, export.Options{Dataset: export.Everything, Format: export.Zip}, &out)
	if study.CodeOf(err) != study.Unavailable || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

package export_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"epro/analysis"
	"epro/export"
	"epro/internal/testkit"
	"epro/study"
)

// everything is the SHA-256 of every dataset in the formats, of the archive and
// of every table of package analysis, at a cut.
func (w *world) everything(svc *study.Service, cut string, formats ...export.Format) map[string]string {
	w.t.Helper()
	sums := map[string]string{}
	write := func(dataset, format string) {
		var out bytes.Buffer
		s, err := export.Write(ctx, svc, analyst, export.Options{Dataset: dataset, Format: format, Cut: w.cutAt(cut), Program: "1.0"}, &out)
		w.must(err)
		sums[dataset+"."+format] = s.ExportID + " " + s.SHA256
	}
	for _, d := range export.Datasets() {
		for _, f := range formats {
			write(d.Name, f.Name)
		}
	}
	write(export.Everything, export.Zip)
	d, err := export.Gather(ctx, svc, analyst, export.Question{Cut: w.cutAt(cut), Program: "1.0"})
	w.must(err)
	for name, table := range tablesOf(w.t, d) {
		raw, err := json.Marshal(table, json.Deterministic(true))
		w.must(err)
		sums["table "+name] = fmt.Sprintf("%x", sha256.Sum256(raw))
	}
	return sums
}

// tablesOf are all tables of package analysis.
func tablesOf(t *testing.T, d *analysis.Data) map[string]any {
	t.Helper()
	tables := map[string]any{}
	add := func(name string, table any, err error) {
		if err != nil {
			t.Fatal(name, err)
		}
		tables[name] = table
	}
	completion, err := d.CompletionTable(analysis.Ask{})
	add("completion", completion, err)
	scores, err := d.ScoreTable(analysis.Ask{})
	add("scores", scores, err)
	change, err := d.ChangeTable(analysis.Ask{Axis: analysis.ByCalendar})
	add("change", change, err)
	responders, err := d.ResponderTable(analysis.Ask{})
	add("responders", responders, err)
	deterioration, err := d.DeteriorationTable(analysis.Ask{})
	add("deterioration", deterioration, err)
	distribution, err := d.DistributionTable(analysis.Ask{})
	add("distribution", distribution, err)
	missing, err := d.MissingTable(analysis.Ask{})
	add("missing", missing, err)
	alpha, err := d.AlphaTable(analysis.Ask{})
	add("alpha", alpha, err)
	return tables
}

// amend puts in force a protocol with another visit, another name and other
// windows.
func (w *world) amend(version, from string) {
	w.t.Helper()
	text := string(study.DefaultProtocolText())
	for _, change := range [][2]string{
		{`version: "1.0"`, `version: "` + version + `"`}, {"names: {en: One year, zh: 一年}", "names: {en: A year, zh: 一年}"},
		{"opens_days: -3, closes_days: 7}", "opens_days: -2, closes_days: 5}"},
		{"  - {code: C8D1,", "  - {code: MID7, names: {en: Middle of cycle 7, zh: 第 7 周期中}, cycle: 7, offset_days: 10, opens_days: 0, closes_days: 5}\n  - {code: C8D1,"},
	} {
		if !strings.Contains(text, change[0]) {
			w.t.Fatalf("the protocol has no %s", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	if _, err := w.Adopt(ctx, study.Request{By: study.System("test")}, []byte(text), day(from), false); err != nil {
		w.t.Fatal(wordsOf(err))
	}
}

// restored is the study in another store, out of a backup.
func (w *world) restored() *study.Service {
	w.t.Helper()
	var file bytes.Buffer
	_, err := w.WriteBackup(ctx, &file, study.BackupOptions{Kinds: study.RecordKinds, Program: "test"})
	w.must(err)
	to := testkit.SQLite(w.t)
	now := func() time.Time { return w.now }
	filling := study.Filling{To: to, Now: now, Kinds: study.RecordKinds}
	_, err = filling.Restore(ctx, bytes.NewReader(file.Bytes()))
	w.must(err)
	return study.NewService(to, now, testkit.IDs(5))
}

// What was recorded by 28 February stays what it was: after a correction, a
// voiding, a later form, a death entered late, a cycle that moved, a transfer, a
// reminder whose outcome came late and an amended protocol; rebuilt, and restored elsewhere.
func TestTheSameFinalCutGivesTheSameBytesOfEveryDatasetInEveryFormat(t *testing.T) {
	w := newWorld(t, false, nil)
	first, second, _ := threePeople(t, w)
	underWay := w.reminded(first)
	w.at("2026-03-01 12:00")
	const cut = "2026-02-28"
	want := w.everything(w.Service, cut, export.Formats()...)
	if len(want) < len(export.Datasets())*len(export.Formats())+9 {
		t.Fatalf("only %d files", len(want))
	}
	same := func(when string, got map[string]string) {
		t.Helper()
		for name, sum := range got {
			if sum != want[name] {
				t.Errorf("%s: %s was %s and is %s", when, name, want[name], sum)
			}
		}
	}
	w.at("2026-03-05 12:00")
	w.send(second, all("form-late", second, "C3D1", 2, nil))
	fixed := all("form-y", second, "C2D1", 1, nil)
	w.do(second, investigate, study.CorrectForm{Form: "form-y", Answers: fixed.Answers, Cause: study.CauseEntryError, Reason: "again"})
	w.do(second, investigate, study.VoidForm{Form: "form-p", Cause: study.CauseTest, Reason: "a test after all"})
	w.do(second, investigate, study.RecordCycle{N: 4, StartedOn: day("2026-03-20"), Kind: study.CyclePlanned, Reason: "holiday"})
	w.do(second, investigate, study.TransferTo{Site: "S01", On: day("2026-03-04"), Reason: "moved house"})
	w.do(first, investigate, study.RecordFact{Kind: study.FactDeceased, On: "2026-02-15", Reason: "letter of the family"})
	w.must(w.SettleDelivery(ctx, underWay, study.DeliveryOutcome{Status: study.DeliveryAccepted, Reason: "accepted", At: study.InstantOf(w.now)}))
	same("after what was recorded later", w.everything(w.Service, cut))
	w.amend("2.0", "2026-03-10")
	w.now = w.now.Add(time.Minute) // the study is read anew
	_, err := w.Rebuild(ctx)
	w.must(err)
	same("after an amendment and a rebuild", w.everything(w.Service, cut, export.Formats()...))
	same("out of a backup", w.everything(w.restored(), cut, export.Formats()[0]))
}

// An amendment adds visits to the tables of later cuts, not to those of earlier.
func TestATableOfAnEarlierCutHasTheProtocolOfThatCut(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	w.at("2026-03-05 12:00")
	w.amend("2.0", "2026-03-10")
	w.at("2026-03-06 12:00")
	for cut, c := range map[string]struct {
		version string
		visits  int
	}{"2026-03-04": {"1.0", 18}, "2026-03-05": {"2.0", 19}, "": {"2.0", 19}} {
		d, err := export.Gather(ctx, w.Service, analyst, export.Question{Cut: w.cutAt(cut)})
		w.must(err)
		if d.Run.Protocol != c.version || len(d.Visits) != c.visits {
			t.Errorf("cut %q: protocol %s, %d visits", cut, d.Run.Protocol, len(d.Visits))
		}
		g, err := export.SiteCompletion(ctx, w.Service, investigate, "S01", w.cutAt(cut).At, "")
		w.must(err)
		if len(g.Rates) != c.visits {
			t.Errorf("cut %q: %d visits on the desk", cut, len(g.Rates))
		}
	}
	_, err := export.Gather(ctx, w.Service, analyst, export.Question{Cut: w.cutAt("2025-12-31")})
	if study.CodeOf(err) != study.Invalid || !strings.Contains(err.Error(), "No protocol was in force") {
		t.Errorf("before the first protocol: %v", err)
	}
}

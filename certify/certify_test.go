package certify_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"epro/certify"
	"epro/internal/testkit"
	"epro/study"
)

// droid has Chinese characters; Debian's package fonts-droid-fallback.
const droid = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

// pages is the text of a PDF, page by page, as Poppler reads it.
func pages(t *testing.T, pdf []byte) []string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not installed (Debian: poppler-utils)")
	}
	if dir := os.Getenv("EPRO_SHOTS"); dir != "" {
		name := strings.ReplaceAll(t.Name(), "/", "-") + ".pdf"
		if err := os.WriteFile(filepath.Join(dir, name), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "pdftotext", "-raw", "-enc", "UTF-8", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	var warned bytes.Buffer
	cmd.Stderr = &warned
	out, err := cmd.Output()
	if err != nil || warned.Len() > 0 {
		t.Fatalf("Poppler does not like the PDF: %v\n%s", err, warned.String())
	}
	return slices.DeleteFunc(strings.Split(string(out), "\f"), func(p string) bool { return strings.TrimSpace(p) == "" })
}

// solid is a text without spaces, so that no line break hides a word.
func solid(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

func requirePrinted(t *testing.T, printed string, wanted ...string) {
	t.Helper()
	found := solid(printed)
	for _, want := range wanted {
		if !strings.Contains(found, solid(want)) {
			t.Errorf("the copy does not say %q in\n%s", want, printed)
		}
	}
}

// record is a form with a history: sent by the participant, corrected and
// signed, then verified by a second person.
func record(t *testing.T, f *testkit.Fixture, why string) (*study.Participant, study.SubmissionID) {
	t.Helper()
	p := f.Enrol(t, "001")
	form := testkit.Form(p.ID, "C1D1", study.SubmissionID(f.NewID()), f.Clock.Now().AddDate(0, 0, 7), testkit.Answers(1))
	delete(form.Answers, "GS7")
	form.Answers["GP1"], form.Skipped = "3", map[string]string{"GS7": "opt_out"}
	f.Clock.Set(form.CompletedAt.Time())
	do := func(by study.Actor, signed study.Meaning, c study.Command) {
		t.Helper()
		f.Clock.Advance(1)
		if _, err := f.Do(t.Context(), study.Request{By: by, Signature: signed}, p.ID, c); err != nil {
			t.Fatal(err)
		}
	}
	do(testkit.Phone(p.ID), "", form)
	corrected := testkit.Answers(1)
	corrected["GP1"], corrected["GS7"] = "1", "2"
	delete(corrected, "GP2")
	do(f.Investigator, study.MeansCorrection, study.CorrectForm{Form: form.ID, Answers: corrected, Skipped: map[string]string{"GP2": "skipped"}, Cause: study.CauseParticipants, Reason: why})
	do(f.Coordinator, study.MeansTranscription, study.VerifyForm{Form: form.ID, Reason: "compared"})
	return p, form.ID
}

func gather(t *testing.T, f *testkit.Fixture, by study.Actor, p *study.Participant, form study.SubmissionID) *certify.Copy {
	t.Helper()
	c, err := certify.Gather(t.Context(), f.Service, certify.Request{By: by, Participant: p.ID, Form: form, Program: "v-test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func print(t *testing.T, fonts *certify.Fonts, c *certify.Copy) []byte {
	t.Helper()
	pdf, err := fonts.PDF(c)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

func TestACopySaysEverythingThatTheRecordSaysOfTheForm(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "she telephoned: it was 1, not 3")
	c := gather(t, f, f.Investigator, p, form)
	printed := pages(t, print(t, certify.DefaultFonts(), c))
	all := strings.Join(printed, "\n")
	for i, page := range printed {
		requirePrinted(t, page, fmt.Sprintf("page %d of %d", i+1, len(printed)), "Certified copy · inetetamab-pyrotinib · S01 · 001 · C1D1", string(form))
	}
	requirePrinted(t, all, string(p.ID), "Hospital S01", "Asia/Shanghai", "counts for its visit", "demo-1-en", "Scores (rules: version "+c.Scoring+")",
		"2026-02-27 09:00:00 +08:00", "2026-02-27T01:00:00.000Z", "on our own short labels, not on a licensed questionnaire", "investigator-1 (investigator)",
		"item GP1: 3 → 1", "item GS7: box ticked: does not answer → 2", "Why: she telephoned: it was 1, not 3", "participant request",
		"I am responsible for this correction", "I compared this transcription with its source and approve it", "coordinator-1 (coordinator)",
		c.Head.String(), c.ProtocolHash.String(), c.Digest.String(), "epro v-test", "1 to "+strconv.FormatUint(c.Seq, 10))
	if len(c.Items) != 37 || len(c.Scores) != 8 || len(c.Events) != 3 {
		t.Fatalf("%d items, %d scores, %d events", len(c.Items), len(c.Scores), len(c.Events))
	}
	for _, item := range c.Items {
		if item.Text == "" {
			t.Errorf("%s has no text", item.Code)
		}
		requirePrinted(t, all, item.Code+item.Text)
	}
	for _, e := range c.Events {
		requirePrinted(t, all, e.Hash.String())
	}
	for _, s := range c.Scores {
		if s.Value != nil {
			requirePrinted(t, all, s.Code+strconv.FormatFloat(*s.Value, 'g', -1, 64)+fmt.Sprintf("%d of %d", s.Answered, s.Items))
		}
	}
}

func TestTheSameRecordPrintsToTheSameBytes(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "ümläut, кириллица, Ω")
	c := gather(t, f, f.Investigator, p, form)
	first := print(t, certify.DefaultFonts(), c)
	for range 2 {
		if again := print(t, certify.DefaultFonts(), gather(t, f, f.Investigator, p, form)); !bytes.Equal(first, again) {
			t.Fatal("two copies made at the same time of the same record differ")
		}
	}
	if want := "D:" + c.LastAt.Time().Format("20060102150405"); !bytes.Contains(first, []byte(want)) {
		t.Errorf("the document does not date from the record's last event, %s", want)
	}
}

func TestWhoMayNotSeeAnswersGetsACopyWithoutThem(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "as she said")
	c := gather(t, f, f.Coordinator, p, form)
	if c.Complete || len(c.Items)+len(c.Scores) > 0 {
		t.Fatal("the coordinator got answers")
	}
	all := strings.Join(pages(t, print(t, certify.DefaultFonts(), c)), "\n")
	requirePrinted(t, all, "Copy of a form's record, without answers", "the protocol does not show them", c.Digest.String(), "Why: as she said")
	for _, hidden := range []string{"GP1", "FACTB", "Answers as they stand"} {
		if strings.Contains(all, hidden) {
			t.Errorf("the copy says %s", hidden)
		}
	}
	for _, by := range []study.Actor{f.Elsewhere, f.Admin, f.Analyst, testkit.Phone(p.ID)} {
		_, err := certify.Gather(t.Context(), f.Service, certify.Request{By: by, Participant: p.ID, Form: form})
		if code := study.CodeOf(err); code != study.NotFound && code != study.Forbidden {
			t.Errorf("%s got a copy: %v", by.Role, err)
		}
	}
}

func TestLicensedWordingIsPrintedOnlyWhileItsLicenceLasts(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	pack := testkit.UseWording(t, f.Service, testkit.WordingPack("made-up", "1", "en"))
	p := f.Enrol(t, "001")
	f.Clock.Set(testkit.Start.AddDate(0, 0, 7))
	form := testkit.Form(p.ID, "C1D1", study.SubmissionID(f.NewID()), f.Clock.Now(), testkit.Answers(1))
	form.Pack = pack
	if _, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form); err != nil {
		t.Fatal(err)
	}
	c := gather(t, f, f.Investigator, p, form.ID)
	requirePrinted(t, strings.Join(pages(t, print(t, certify.DefaultFonts(), c)), "\n"), "made-up words for GP1", "made-up choice", "made-up copyright line", c.WordingHash.String())
	f.Clock.Set(testkit.Start.AddDate(6, 0, 0))
	c = gather(t, f, f.Investigator, p, form.ID)
	all := strings.Join(pages(t, print(t, certify.DefaultFonts(), c)), "\n")
	requirePrinted(t, all, "The licence of the wording has ended", "made-up copyright line", c.WordingHash.String(), "GP1")
	if strings.Contains(all, "made-up words") || strings.Contains(all, "made-up choice") {
		t.Error("the text was printed after its licence")
	}
}

func TestChineseIsPrintedWithAFontAndMarkedWithoutOne(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "受试者来电更正 [U+ 🙂")
	c := gather(t, f, f.Investigator, p, form)
	c.SiteLanguage = "zh"
	all := strings.Join(pages(t, print(t, certify.DefaultFonts(), c)), "\n")
	requirePrinted(t, all, "In English, because this server has no font", "[U+53D7][U+8BD5][U+8005]", "[U+005B]U+", "[U+1F642]", "9 characters could not be printed here")
	fonts, err := certify.LoadFonts(droid)
	if err != nil {
		t.Skipf("the font is not installed (Debian: fonts-droid-fallback): %v", err)
	}
	pdf := print(t, fonts, c)
	all = strings.Join(pages(t, pdf), "\n")
	requirePrinted(t, all, "已填写问卷的核证副本", "第 1 页，共", "原因: 受试者来电更正 [U+005B]U+ [U+1F642]", "有 2 个字符无法在此打印", "条目 GP1: 3 → 1")
	if len(pdf) > 400<<10 {
		t.Errorf("%d bytes: the font is embedded whole", len(pdf))
	}
}

func TestAFontThatCannotBeUsedIsRefusedWithWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"cff.ttf": "OTTO\x00\x01", "collection.ttc": "ttcf\x00\x01", "cut.ttf": "\x00\x01\x00\x00\x00\x10", "empty.ttf": ""} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := certify.LoadFonts(file); err == nil || !strings.Contains(err.Error(), "name a TrueType font") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := certify.LoadFonts(filepath.Join(dir, "none.ttf")); err == nil {
		t.Error("a font that is not there")
	}
}

// A reason that is longer than a page goes on on the next, and is taken for
// nothing but text.
func TestAReasonLongerThanAPageIsPrintedWhole(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "plain")
	c := gather(t, f, f.Investigator, p, form)
	var some []string
	for _, text := range testkit.Hostile() {
		if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			some = append(some, text)
		}
	}
	c.Events[1].Reason = strings.Join(some, "\n")
	requirePrinted(t, strings.Join(pages(t, print(t, certify.DefaultFonts(), c)), "\n"), some...)
}

// A changed event makes no copy.
func TestABrokenRecordIsNotCertified(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, form := record(t, f, "as she said")
	lossy := study.NewService(without{f.Store, p.ID.Stream(), 2}, f.Clock.Now, f.NewID)
	_, err := certify.Gather(t.Context(), lossy, certify.Request{By: f.Investigator, Participant: p.ID, Form: form})
	if err == nil || !strings.Contains(err.Error(), "does not follow") {
		t.Fatalf("a record without its second event: %v", err)
	}
}

// without is a store that has lost one event from the middle of a stream, and
// whose snapshot hides it.
type without struct {
	study.Store
	stream study.StreamID
	seq    uint64
}

func (w without) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	all, err := w.Store.Stream(ctx, id, after)
	return slices.DeleteFunc(all, func(e study.Entry) bool { return e.Stream == w.stream && e.Seq == w.seq }), err
}

func TestEverySentenceOfTheCopyIsThereInChinese(t *testing.T) {
	known := map[string]bool{}
	words, err := parser.ParseFile(token.NewFileSet(), "words.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(words, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "labelsChinese" {
			for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
				key, _ := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				known[key] = true
			}
		}
		return true
	})
	asked := 0
	source, err := parser.ParseFile(token.NewFileSet(), "pdf.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(source, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "t" {
			sentence, _ := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
			asked++
			if !known[sentence] {
				t.Errorf("not in Chinese: %q", sentence)
			}
		}
		return true
	})
	if asked < 50 {
		t.Errorf("only %d sentences were found", asked)
	}
}

func BenchmarkPDF(b *testing.B) {
	f := testkit.Study(b, testkit.SQLite(b))
	p := f.Enrol(b, "001")
	f.Clock.Set(testkit.Start.AddDate(0, 0, 7))
	f.Submit(b, p.ID, "C1D1", 1)
	now, err := f.Participant(b.Context(), f.Investigator, p.ID)
	if err != nil {
		b.Fatal(err)
	}
	c, err := certify.Gather(b.Context(), f.Service, certify.Request{By: f.Investigator, Participant: p.ID, Form: now.AtVisit("C1D1").Submissions[0].ID})
	if err != nil {
		b.Fatal(err)
	}
	fonts := certify.DefaultFonts()
	for b.Loop() {
		if _, err := fonts.PDF(c); err != nil {
			b.Fatal(err)
		}
	}
}

package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"epro/export"
	"epro/study"
)

// archive writes everything at a cut.
func (w *world) archive(cut string) ([]byte, export.Summary) {
	w.t.Helper()
	text, s := w.write(export.Options{Dataset: export.Everything, Format: export.Zip, Cut: w.cutAt(cut), Program: "1.0"})
	return []byte(text), s
}

// unpack is the files of an archive by name, in their order.
func unpack(t *testing.T, raw []byte) (names []string, files map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r) // checks the CRC as well
		if err != nil {
			t.Fatal(err)
		}
		names, files[f.Name] = append(names, f.Name), text
	}
	return names, files
}

func TestTheArchiveHasEveryDatasetAsItsManifestSays(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	w.at("2026-03-01 12:00")
	raw, s := w.archive("2026-02-28")
	names, files := unpack(t, raw)
	var m export.Manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if m.ExportID != s.ExportID || !m.Final || m.Program != "1.0" || m.Participants != 2 || m.Scoring == "" || len(m.Protocols) != 1 ||
		!slices.Equal(m.LeftOut, []string{"1 participant who forbade further use"}) || len(m.NotWritten) != 0 || len(m.Packs) != 1 {
		t.Errorf("%+v", m)
	}
	for _, f := range m.Files {
		sum := sha256.Sum256(files[f.Name])
		if int64(len(files[f.Name])) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
		alone, one := w.write(export.Options{Dataset: f.Dataset, Format: f.Format, Cut: w.cutAt("2026-02-28"), Program: "1.0"})
		if f.Rows != one.Rows || f.Format == "csv" && alone != string(files[f.Name]) {
			t.Errorf("%s: %d rows in the archive, %d alone, or other bytes", f.Name, f.Rows, one.Rows)
		}
	}
	if want := 2*len(export.Datasets()) + 7; len(names) != want || len(m.Files) != want-7 {
		t.Errorf("%d files, %d in the manifest: %q", len(names), len(m.Files), names)
	}
}

// A SAS file cannot hold a number in Chinese. The archive says so and has the
// dataset as CSV; asked for alone, it is refused before the first byte.
func TestWhatASASFileCannotHoldIsSaid(t *testing.T) {
	w := newWorld(t, false, nil)
	w.at("2026-01-05 10:00")
	p := w.enrol("S01", "一号")
	w.at("2026-01-08 10:00")
	w.send(p, all("form", p, "C1D1", 1, nil))
	w.at("2026-01-09 10:00")
	var out bytes.Buffer
	_, err := export.Write(ctx, w.Service, analyst, export.Options{Dataset: "items_wide", Format: "xpt"}, &out)
	if study.CodeOf(err) != study.Invalid || !strings.Contains(err.Error(), "SUBJID in row 1") || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	raw, _ := w.archive("2026-01-08")
	_, files := unpack(t, raw)
	var m export.Manifest
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if files["csv/items_wide.csv"] == nil || files["xpt/itemsw.xpt"] != nil || files["xpt/qs.xpt"] == nil || len(m.NotWritten) == 0 {
		t.Errorf("not written: %+v", m.NotWritten)
	}
}

// The scripts run as they are, and print the same means.
func TestTheReadingScriptsRunUnedited(t *testing.T) {
	for _, program := range []string{"Rscript", "python3", "pspp"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not here: bash .ci/run readers installs what reads exported files", program)
		}
	}
	w := newWorld(t, false, nil)
	first, _, _ := threePeople(t, w)
	w.reminded(first)
	w.at("2026-03-01 12:00")
	raw, _ := w.archive("2026-02-28")
	_, files := unpack(t, raw)
	folder := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(program ...string) string {
		c := exec.Command(program[0], program[1:]...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	inR, inPython := run("Rscript", "--vanilla", "read.R"), run("python3", "read.py")
	// FACT-B at baseline: 77 and 68.
	if !strings.Contains(inR, "FACTB Baseline n=2 mean=72.5000000000\n") || sorted(inR) != sorted(inPython) {
		t.Errorf("R:\n%s\nPython:\n%s", inR, inPython)
	}
	loaded := run("Rscript", "--vanilla", "-e", "sink(nullfile()); source('read.R'); sink(); cat(class(items_wide$ADT), class(items_wide$RECVDTM)[1], items_wide$SUBJID[3], nrow(qs))")
	if loaded != "Date POSIXct =2+3 217" {
		t.Errorf("in R: %s", loaded)
	}
	// PSPP runs what is written for SPSS, and haven reads what it saved.
	if inSPSS := run("pspp", "-b", "read.sps"); !strings.Contains(inSPSS, "|FACTB  |Baseline|2|72.5000000000|") {
		t.Errorf("PSPP:\n%s", inSPSS)
	}
	compare, err := filepath.Abs("testdata/readers/sav.R")
	w.must(err)
	if equal := run("Rscript", "--vanilla", compare); !strings.HasSuffix(equal, " cells equal\n") {
		t.Errorf("in SPSS: %s", equal)
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

package main

import (
	"archive/zip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"epro/analysis"
)

// The means are made once more from the exported scores and baselines.
func TestAnalyseGivesTheMeansOfTheExportedScores(t *testing.T) {
	store := storeIn(t.TempDir())
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "12", "-now", "2026-06-01"); code != exitGood {
		t.Fatalf("simulate: %s", errs)
	}
	code, text, errs := runHere(t, "export", "scores_wide", "-store", store)
	if code != exitGood {
		t.Fatal(errs)
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	sum, n := map[string]float64{}, map[string]int{}
	for _, line := range lines[1:] {
		value, err := strconv.ParseFloat(line[at["TOI"]], 64)
		if err != nil || line[at["ASSIST"]] == "proxy" || line[at["TRTSDT"]] == "" {
			continue
		}
		sum[line[at["VISIT"]]] += value
		n[line[at["VISIT"]]]++
	}
	code, text, errs = runHere(t, "analyse", "-scale", "TOI", "-format", "json", "scores", "-store", store)
	if code != exitGood {
		t.Fatal(errs)
	}
	var table struct {
		Visits []struct {
			Visit string
			N     int
			Mean  *float64
		}
	}
	if err := json.Unmarshal([]byte(text), &table); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, v := range table.Visits {
		// A form that was accepted although it came too late stands in the
		// export and is not valid here; it makes n differ, then nothing is compared.
		if v.N == 0 || v.N != n[v.Visit] {
			continue
		}
		if compared++; math.Abs(*v.Mean-sum[v.Visit]/float64(v.N)) > 1e-9 {
			t.Errorf("%s: %v of %d, by hand %v", v.Visit, *v.Mean, v.N, sum[v.Visit]/float64(v.N))
		}
	}
	if compared < 10 {
		t.Errorf("only %d visits could be compared: %v, %+v", compared, n, table.Visits)
	}
}

func TestAnalysePrintsEveryTableAndWhatItIsAbout(t *testing.T) {
	dir := t.TempDir()
	store := storeIn(dir)
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "8", "-now", "2026-06-01"); code != exitGood {
		t.Fatalf("simulate: %s", errs)
	}
	for _, table := range tablers {
		code, out, errs := runHere(t, "analyse", table.name, "-strict-baseline", "-cut", "2026-05-31", "-store", store)
		if code != exitGood {
			t.Fatalf("%s: %d %s", table.name, code, errs)
		}
		for _, part := range []string{"cut 2026-05-31T15:59:59.999Z (final)", "protocol 1.0", "demonstration include", "PRO population", "sensitivity: "} {
			if !strings.Contains(out, part) {
				t.Errorf("%s does not say %q:\n%s", table.name, part, out)
			}
		}
		file := filepath.Join(dir, table.name+".json")
		if code, again, errs := runHere(t, "analyse", table.name, "-format", "json", "-out", file, "-store", store); code != exitGood || again != "" {
			t.Fatalf("%s to a file: %d %s", table.name, code, errs)
		}
		if raw, err := os.ReadFile(file); err != nil || !json.Valid(raw) {
			t.Errorf("%s: no JSON in the file: %v", table.name, err)
		}
	}
	for _, table := range []string{"completion", "change", "responders", "deterioration", "distribution", "items"} {
		if code, out, errs := runHere(t, "analyse", table, "-format", "svg", "-store", store); code != exitGood || !strings.HasPrefix(out, "<svg ") || !strings.Contains(out, "<desc ") {
			t.Errorf("%s as a plot: %d %s", table, code, errs)
		}
		code, out, errs := runHere(t, "analyse", table, "-format", "csv", "-store", store)
		if rows, err := csv.NewReader(strings.NewReader(out)).ReadAll(); code != exitGood || err != nil || len(rows) < 3 {
			t.Errorf("%s as numbers: %d %v %s", table, code, err, errs)
		}
	}
	_, out, _ := runHere(t, "analyse", "deterioration", "-variant", "definitive", "-death=event", "-gap", "event", "-progression", "censor", "-threshold", "5", "-store", store)
	if !strings.Contains(out, "fall of 5 points or more, definitive; death event, gap event, progression censor") {
		t.Errorf("the variant is not named:\n%s", out)
	}
}

func TestAnalyseSaysHowItIsUsed(t *testing.T) {
	store := storeIn(t.TempDir())
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "3", "-now", "2026-06-01"); code != exitGood {
		t.Fatalf("simulate: %s", errs)
	}
	for _, c := range []struct {
		args []string
		part string
	}{
		{[]string{"analyse"}, "name the table: completion"},
		{[]string{"analyse", "survival"}, "there is no table"},
		{[]string{"analyse", "-strict-baseline", "scores", "change"}, "one table at a time"},
		{[]string{"analyse", "scores", "-format", "xml"}, "table, json, svg or csv"},
		{[]string{"analyse", "alpha", "-format", "svg"}, "no plot of alpha"},
		{[]string{"analyse", "scores", "-scale", "QLQ", "-store", store}, "PWB, SWB"},
		{[]string{"analyse", "responders", "-scale", "SWB", "-store", store}, "No minimally important difference"},
		{[]string{"analyse", "change", "-axis", "calendar", "-visit", "C2D1", "-store", store}, "W0, W3"},
		{[]string{"analyse", "deterioration", "-visit", "C7D1", "-store", store}, "all visits of each participant together"},
		{[]string{"analyse", "missing", "-from", "C7D1", "-store", store}, "all visits of each participant together"},
		{[]string{"analyse", "change", "-from", "C7D1", "-to", "C2D1", "-store", store}, "C2D1 comes before C7D1"},
		{[]string{"analyse", "change", "-cut", "soon", "-store", store}, "neither a date nor an instant"},
		{[]string{"analyse", "change", "-demonstration", "all", "-store", store}, "exclude, include, only"},
	} {
		if code, out, errs := runHere(t, c.args...); code != exitUsage || !strings.Contains(errs, c.part) || out != "" {
			t.Errorf("%q: %d %q %s", c.args, code, out, errs)
		}
	}
}

// printed is a mean as a reading script prints it: PSPP in a frame, R and Python
// as a line.
var printed = regexp.MustCompile(`(?m)^(?:\|(\w+) *\|([^|]*?) *\| *(\d+)\| *(-?[0-9.]+)\||(\w+) (.*) n=(\d+) mean=(-?[0-9.]+))$`)

func TestTheReadingScriptsPrintTheMeansOfAnalyse(t *testing.T) {
	scripts := [][]string{{"Rscript", "--vanilla", "read.R"}, {"python3", "read.py"}, {"pspp", "-b", "read.sps"}}
	for _, script := range scripts {
		if _, err := exec.LookPath(script[0]); err != nil {
			t.Skipf("%s is not here: bash .ci/run readers installs what reads exported files", script[0])
		}
	}
	dir := t.TempDir()
	store, archive := storeIn(dir), filepath.Join(dir, "study.zip")
	for _, args := range [][]string{{"simulate", "-participants", "16", "-now", "2026-06-01"}, {"export", "study", "-cut", "2026-05-31", "-out", archive}} {
		if code, _, errs := runHere(t, append(args, "-store", store)...); code != exitGood {
			t.Fatalf("%q: %s", args, errs)
		}
	}
	want := map[string]string{} // score and visit → n and mean
	for _, scale := range []string{"PWB", "SWB", "EWB", "FWB", "BCS", "FACTG", "TOI", "FACTB"} {
		code, text, errs := runHere(t, "analyse", "scores", "-scale", scale, "-cut", "2026-05-31", "-format", "json", "-store", store)
		var table analysis.ScoreTable
		if err := json.Unmarshal([]byte(text), &table); code != exitGood || err != nil {
			t.Fatal(err, errs)
		}
		for _, v := range table.Visits {
			if v.N > 0 {
				want[scale+" "+v.Name] = fmt.Sprintf("%d %.8f", v.N, *v.Mean)
			}
		}
	}
	folder := unzipped(t, archive)
	for _, script := range scripts {
		c := exec.CommandContext(t.Context(), script[0], script[1:]...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", script, err, out)
		}
		got := map[string]string{}
		for _, m := range printed.FindAllStringSubmatch(string(out), -1) {
			mean, err := strconv.ParseFloat(m[4]+m[8], 64)
			if err != nil {
				t.Fatal(err)
			}
			got[m[1]+m[5]+" "+m[2]+m[6]] = fmt.Sprintf("%s %.8f", m[3]+m[7], mean)
		}
		if !maps.Equal(got, want) || len(got) < 50 {
			t.Errorf("%q prints %d means: %v\nanalyse %d: %v", script, len(got), got, len(want), want)
		}
	}
}

// unzipped is a folder with what is in the archive.
func unzipped(t *testing.T, archive string) string {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	folder := t.TempDir()
	if err := os.CopyFS(folder, z); err != nil {
		t.Fatal(err)
	}
	return folder
}

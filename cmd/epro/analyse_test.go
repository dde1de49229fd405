package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
	for _, table := range []string{"completion", "change", "responders", "deterioration", "distribution"} {
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
		{[]string{"analyse", "change", "-cut", "soon", "-store", store}, "neither a date nor an instant"},
		{[]string{"analyse", "change", "-demonstration", "all", "-store", store}, "exclude, include, only"},
	} {
		if code, out, errs := runHere(t, c.args...); code != exitUsage || !strings.Contains(errs, c.part) || out != "" {
			t.Errorf("%q: %d %q %s", c.args, code, out, errs)
		}
	}
}

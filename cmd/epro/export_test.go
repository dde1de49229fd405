package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExportTakesTheDatasetBeforeOrAfterFlags(t *testing.T) {
	for _, c := range []struct {
		args    []string
		dataset string
		rest    []string
	}{
		{[]string{"items_wide"}, "items_wide", []string{}},
		{[]string{"items_wide", "-cut", "2026-01-01"}, "items_wide", []string{"-cut", "2026-01-01"}},
		{[]string{"-cut", "2026-01-01", "items_wide"}, "items_wide", []string{"-cut", "2026-01-01"}},
		{[]string{"-cut=2026-01-01", "items_wide", "-out", "f"}, "items_wide", []string{"-cut=2026-01-01", "-out", "f"}},
		{[]string{"-h"}, "", []string{"-h"}},
		{[]string{"a", "b"}, "a", []string{"b"}},
	} {
		dataset, rest := takeWord(c.args)
		if dataset != c.dataset || !slices.Equal(rest, c.rest) {
			t.Errorf("%q: %q, %q", c.args, dataset, rest)
		}
	}
}

func TestExportWritesWhatWasSimulated(t *testing.T) {
	dir := t.TempDir()
	store, file := storeIn(dir), filepath.Join(dir, "items.csv")
	if code, out, errs := runHere(t, "simulate", "-store", store, "-participants", "3", "-now", "2026-06-01"); code != exitGood || !strings.Contains(out, "participants 3\n") {
		t.Fatalf("simulate: %d %s %s", code, out, errs)
	}
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "3"); code != exitFailed || !strings.Contains(errs, "empty store") {
		t.Errorf("simulate twice: %d %s", code, errs)
	}
	code, onStdout, errs := runHere(t, "export", "-format", "csv", "items_wide", "-cut", "2026-05-31", "-store", store)
	if code != exitGood || !strings.HasPrefix(onStdout, "STUDYID,") {
		t.Fatalf("export: %d %s", code, errs)
	}
	for _, part := range []string{"items_wide: ", "cut 2026-05-31T15:59:59.999Z", "final true", "demonstration include", "export id ", "sha256 "} {
		if !strings.Contains(errs, part) {
			t.Errorf("the summary does not say %q:\n%s", part, errs)
		}
	}
	if code, out, errs := runHere(t, "export", "items_wide", "-out", file, "-cut", "2026-05-31", "-store", store); code != exitGood || out != "" {
		t.Fatalf("export to a file: %d %q %s", code, out, errs)
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != onStdout {
		t.Errorf("the file is not what standard output was: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the file: %v %v", info.Mode(), err)
	}
	_, _, errs = runHere(t, "export", "scores_wide", "-demonstration", "exclude", "-store", store)
	if !strings.Contains(errs, "scores_wide: 0 rows") || !strings.Contains(errs, "shown without a licensed wording pack") {
		t.Errorf("nothing says what was left out:\n%s", errs)
	}
}

func TestExportSaysWhatThereIs(t *testing.T) {
	store := storeIn(t.TempDir())
	if code, _, errs := runHere(t, "simulate", "-store", store, "-participants", "1", "-now", "2026-06-01"); code != exitGood {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "items_wide, scores_long, scores_wide"},
		{[]string{"items"}, "items_wide, scores_long, scores_wide"},
		{[]string{"items_wide", "scores_wide"}, "one dataset at a time"},
		{[]string{"items_wide", "-format", "xls"}, "csv"},
		{[]string{"items_wide", "-cut", "soon"}, "2026-03-17"},
		{[]string{"items_wide", "-through", "soon"}, "2026-03-17"},
		{[]string{"items_wide", "-demonstration", "some"}, "exclude, include, only"},
	} {
		code, out, errs := runHere(t, append([]string{"export", "-store", store}, c.args...)...)
		if code != exitUsage || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %q, %q", c.args, code, out, errs)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// Every kind of record that the program declares is one that copies and backups
// take along: one that is missing in recordKinds would be left behind unseen.
func TestEveryKindOfRecordIsTakenAlong(t *testing.T) {
	declared := []study.RecordKind{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "storetest") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 && strings.HasSuffix(fmt.Sprint(typeName(spec.Type)), "RecordKind") {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					kind, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Error(err)
					}
					declared = append(declared, study.RecordKind(kind))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Two say something about one store only; a cursor is computed anew at every start.
	taken := append(recordKinds(), "filling", "repaired", "reminder_cursor")
	slices.Sort(declared)
	slices.Sort(taken)
	if !slices.Equal(declared, taken) {
		t.Errorf("declared %q\ntaken    %q", declared, taken)
	}
}

func typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return t.Sel.Name
	}
	return ""
}

func simulated(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mustRun(t, "simulate", "-store", storeIn(dir), "-participants", "3", "-now", "2026-06-01")
	write(t, filepath.Join(dir, "secret.key"), strings.Repeat("ab", 32)+"\n")
	return dir
}

func TestVerifyFindsACutTailAgainstACheckpointAndNotWithoutOne(t *testing.T) {
	dir := simulated(t)
	checkpoint := filepath.Join(t.TempDir(), "checkpoint")
	if out := mustRun(t, "verify", "-store", storeIn(dir), "-write-checkpoint", checkpoint); !strings.Contains(out, "root ") {
		t.Errorf("%s", out)
	}
	if out := mustRun(t, "verify", "-store", storeIn(dir), "-checkpoint", checkpoint); !strings.Contains(out, "differences 0\n") {
		t.Errorf("%s", out)
	}
	path := filepath.Join(dir, "epro.db")
	stream := queryText(t, path, "SELECT stream FROM events WHERE stream LIKE 'participant/%' LIMIT 1")
	seq := queryText(t, path, "SELECT max(seq) FROM events WHERE stream = '"+stream+"'")
	dropTriggers(t, path)
	execSQL(t, path, "DELETE FROM events WHERE stream = '"+stream+"' AND seq = "+seq, "DELETE FROM snapshots")
	mustRun(t, "verify", "-store", storeIn(dir))
	// Elsewhere, with the public key only.
	moved := t.TempDir()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(moved, "epro.db"), string(raw))
	for _, args := range [][]string{
		{"verify", "-store", storeIn(dir), "-checkpoint", checkpoint},
		{"verify", "-store", storeIn(moved), "-checkpoint", checkpoint, "-checkpoint-key", checkpoint + ".pub"},
	} {
		code, out, errs := runHere(t, args...)
		if code != exitFailed || !strings.Contains(out, stream+" seq "+seq+": the end is cut off") || !strings.Contains(errs, "1 stream(s) lost entries") {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
	}
	code, _, errs := runHere(t, "verify", "-store", storeIn(moved), "-checkpoint", checkpoint)
	if code != exitFailed || !strings.Contains(errs, "-checkpoint-key") {
		t.Errorf("without any key: exit %d %s", code, errs)
	}
	write(t, filepath.Join(moved, "secret.key"), strings.Repeat("cd", 32)+"\n")
	if code, out, errs := runHere(t, "verify", "-store", storeIn(moved), "-checkpoint", checkpoint); code != exitFailed || !strings.Contains(errs, "another key") || strings.Contains(out, "differences") {
		t.Errorf("another key: exit %d %s %s", code, out, errs)
	}
}

func TestNoCheckpointIsSignedOfADamagedRecord(t *testing.T) {
	dir := simulated(t)
	path := filepath.Join(dir, "epro.db")
	dropTriggers(t, path)
	execSQL(t, path, "UPDATE events SET actor_id = 'x' WHERE type = 'submission_received'")
	checkpoint := filepath.Join(t.TempDir(), "checkpoint")
	code, _, _ := runHere(t, "verify", "-store", storeIn(dir), "-write-checkpoint", checkpoint)
	if _, err := os.Stat(checkpoint); code != exitFailed || !os.IsNotExist(err) {
		t.Errorf("exit %d, %v", code, err)
	}
}

func TestCheckpointsOnAScheduleStopWhenSomethingWasLost(t *testing.T) {
	dir, kept := simulated(t), filepath.Join(t.TempDir(), "kept")
	clock := testkit.NewClock(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	svc, st, err := openAt(t.Context(), storeIn(dir), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := settings{checkpointDir: kept, checkpointEvery: time.Hour}
	next, err := s.checkpoints(svc, filepath.Join(dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := next(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
	}
	names, err := checkpointsIn(kept)
	if err != nil || len(names) != 3 || names[0] != "20260701T000000.000Z.checkpoint" {
		t.Fatalf("%q %v", names, err)
	}
	mustRun(t, "verify", "-store", storeIn(dir), "-checkpoint", filepath.Join(kept, names[2]), "-checkpoint-key", filepath.Join(kept, "checkpoint.pub"))
	path := filepath.Join(dir, "epro.db")
	dropTriggers(t, path)
	execSQL(t, path, "DELETE FROM events WHERE stream LIKE 'claim/%'")
	err = next(t.Context())
	if err == nil || !strings.Contains(err.Error(), "claim/") {
		t.Errorf("%v", err)
	}
	if names, err := checkpointsIn(kept); err != nil || len(names) != 3 {
		t.Errorf("a checkpoint of the loss was written: %q %v", names, err)
	}
}

func TestOfOldCheckpointsTheFirstOfEachDayIsKept(t *testing.T) {
	var names []string
	at := time.Date(2026, 7, 1, 0, 30, 0, 0, time.UTC)
	for range 100 {
		names = append(names, at.Format("20060102T150405.000Z")+checkpointSuffix)
		at = at.Add(time.Hour)
	}
	gone := spare(names)
	kept := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(gone, n) })
	if len(kept) != 48+3 || kept[0] != names[0] || kept[1] != names[24] || kept[2] != names[48] || kept[3] != names[52] {
		t.Errorf("%d kept: %q", len(kept), kept[:5])
	}
	if len(spare(names[:48])) != 0 || len(spare(kept)) != 0 {
		t.Error("too many are thrown away")
	}
}

func TestCopyGoesBetweenStoresAndRefusesAFullOne(t *testing.T) {
	dir, to := simulated(t), t.TempDir()
	code, out, errs := runHere(t, "copy", "-from", storeIn(dir), "-to", storeIn(to))
	if code != exitGood || !strings.Contains(out, "streams ") || !strings.Contains(errs, "secret file") {
		t.Fatalf("exit %d %s %s", code, out, errs)
	}
	mustRun(t, "verify", "-store", storeIn(to))
	for args, want := range map[string]string{
		"copy -from " + storeIn(dir) + " -to " + storeIn(to):          "ended",
		"copy -from " + storeIn(dir) + " -to " + storeIn(dir):         "not empty",
		"copy -from " + storeIn(t.TempDir()) + " -to " + storeIn(dir): "no store at",
	} {
		code, _, errs := runHere(t, strings.Fields(args)...)
		if code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d %s", args, code, errs)
		}
	}
}

func TestAServerDoesNotStartOnAStoreHalfFilled(t *testing.T) {
	dir, to := simulated(t), t.TempDir()
	_, from, err := openService(t.Context(), storeIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, target, err := openService(t.Context(), storeIn(to))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	half := study.Filling{To: target, Now: time.Now, Kinds: recordKinds(), Progress: func(string, int) { stop() }}
	if _, err := half.Copy(ctx, from); err == nil {
		t.Fatal("no error")
	}
	for _, st := range []study.Store{from, target} {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	code, _, errs := runHere(t, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(to))
	if code != exitFailed || !strings.Contains(errs, "did not end") {
		t.Errorf("exit %d %s", code, errs)
	}
	mustRun(t, "copy", "-from", storeIn(dir), "-to", storeIn(to))
	mustRun(t, "verify", "-store", storeIn(to))
}

func TestABackupGoesThroughAPipe(t *testing.T) {
	dir, to := simulated(t), t.TempDir()
	code, file, errs := runHere(t, "backup", "-", "-store", storeIn(dir))
	if code != exitGood || !strings.Contains(errs, "sha256 ") {
		t.Fatalf("exit %d %s", code, errs)
	}
	var out, said bytes.Buffer
	c := &cli{stdin: strings.NewReader(file), stdout: &out, stderr: &said}
	if code := run(t.Context(), []string{"restore", "-store", storeIn(to), "-"}, c); code != exitGood || !strings.Contains(said.String(), "Reminders stay off") {
		t.Fatalf("exit %d %s", code, said.String())
	}
	mustRun(t, "verify", "-store", storeIn(to))
}

func TestABackupIsItsOwnersAndADamagedOneChangesNothing(t *testing.T) {
	dir, to := simulated(t), t.TempDir()
	file := filepath.Join(t.TempDir(), "b")
	mustRun(t, "backup", "-store", storeIn(dir), file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(raw[:len(raw)-7]))
	if code, _, errs := runHere(t, "restore", file, "-store", storeIn(to)); code != exitFailed || !strings.Contains(errs, "nothing was stored") {
		t.Errorf("exit %d %s", code, errs)
	}
	write(t, file, string(raw))
	mustRun(t, "restore", file, "-store", storeIn(to))
}

func TestBackupTakesTheFileBeforeOrAfterFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		file string
		rest []string
	}{
		{[]string{"f", "-store", "x"}, "f", []string{"-store", "x"}},
		{[]string{"-store", "x", "f"}, "f", []string{"-store", "x"}},
		{[]string{"-store=x", "-"}, "-", []string{"-store=x"}},
		{[]string{"-h"}, "", []string{"-h"}},
	} {
		file, rest := takeFile(c.args)
		if file != c.file || !slices.Equal(rest, c.rest) {
			t.Errorf("%q: %q %q", c.args, file, rest)
		}
	}
	for _, args := range [][]string{{"backup"}, {"restore"}, {"backup", "a", "b"}, {"copy"}, {"copy", "-from", "x"}} {
		if code, _, errs := runHere(t, args...); code != exitUsage || errs == "" {
			t.Errorf("%q: exit %d %s", args, code, errs)
		}
	}
}

func TestHealthAsksWhetherTheServerIsReady(t *testing.T) {
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(t.TempDir()))
	url := p.serving(t)
	if out := mustRun(t, "health", "-url", url+"/readyz"); !strings.Contains(out, "ready") {
		t.Error(out)
	}
	if code, _, errs := runHere(t, "health", "-url", url+"/nothing"); code != exitFailed || !strings.Contains(errs, "404") {
		t.Errorf("exit %d %s", code, errs)
	}
	terminate(t, p)
	if code, _, _ := runHere(t, "health", "-url", url+"/readyz"); code != exitFailed {
		t.Errorf("exit %d of a server that is gone", code)
	}
}

// A container is asked with its own settings, and nothing else is in it to ask.
func TestHealthAsksWhereTheServerListens(t *testing.T) {
	for addr, want := range map[string]string{
		"":                "http://127.0.0.1:8080/readyz",
		"0.0.0.0:9000":    "http://127.0.0.1:9000/readyz",
		":9000":           "http://127.0.0.1:9000/readyz",
		"[::]:9000":       "http://127.0.0.1:9000/readyz",
		"10.1.2.3:80":     "http://10.1.2.3:80/readyz",
		"[::1]:9000":      "http://[::1]:9000/readyz",
		"not an address!": "http://127.0.0.1:8080/readyz",
	} {
		if got := readyURL(addr); got != want {
			t.Errorf("%q: %s, want %s", addr, got, want)
		}
	}
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(t.TempDir()))
	t.Setenv("EPRO_ADDR", strings.TrimPrefix(p.serving(t), "http://"))
	if out := mustRun(t, "health"); !strings.Contains(out, "ready") {
		t.Error(out)
	}
	terminate(t, p)
}

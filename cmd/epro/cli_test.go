package main

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to tamper with a store behind the program's back
)

func TestHelpIsOnEveryCommandAndExitsGood(t *testing.T) {
	for _, cmd := range commands() {
		code, out, errs := runHere(t, cmd.name, "-h")
		if code != exitGood || !strings.Contains(out, "Usage: epro "+cmd.name) {
			t.Errorf("epro %s -h: exit %d, stdout %q, stderr %q", cmd.name, code, out, errs)
		}
	}
}

func TestWrongUsageExitsTwoAndSaysHow(t *testing.T) {
	for _, args := range [][]string{{}, {"nonsense"}, {"serve", "-nonsense"}, {"score", "-nonsense"}, {"staff"}, {"staff", "fly"},
		{"staff", "add"}, {"protocol"}, {"protocol", "check"}, {"protocol", "amend", "x.yaml", "-effective", "soon"},
		{"demo", "-now", "2026-13-01"}, {"serve", "-rate-limit", "many"}} {
		code, _, errs := runHere(t, args...)
		if code != exitUsage || errs == "" {
			t.Errorf("epro %v: exit %d, stderr %q", args, code, errs)
		}
	}
}

// A server that cannot start says in one sentence what is wrong, and exits 1.
func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "this is no database, and no folder either; it is text of some length")
	badProtocol := filepath.Join(dir, "protocol.yaml")
	write(t, badProtocol, "study: X Y\nvisits: []\n")
	newer := filepath.Join(dir, "newer")
	serveOnce(t, newer)
	execSQL(t, filepath.Join(newer, "epro.db"), "PRAGMA user_version = 999")
	otherSecret := filepath.Join(dir, "other")
	serveOnce(t, otherSecret)
	write(t, filepath.Join(otherSecret, "secret.key"), strings.Repeat("ab", 32)+"\n")

	cases := []struct {
		name string
		args []string
		want string
	}{
		{"a taken port", []string{"-addr", taken.Addr().String(), "-store", storeIn(t.TempDir())}, "cannot listen on"},
		{"a file that is no database", []string{"-store", "sqlite:" + file}, "no database"},
		{"a folder that is a file", []string{"-store", "sqlite:" + filepath.Join(file, "epro.db")}, "folder"},
		{"a store of a newer program", []string{"-store", storeIn(newer)}, "upgrade the program"},
		{"a secret of another store", []string{"-store", storeIn(otherSecret)}, "secret"},
		{"a protocol with faults", []string{"-store", storeIn(t.TempDir()), "-protocol", badProtocol}, "study"},
		{"a protocol that is not there", []string{"-store", storeIn(t.TempDir()), "-protocol", filepath.Join(dir, "none")}, "none"},
		{"an unknown kind of store", []string{"-store", "postgres://x"}, "sqlite"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"serve", "-addr", "127.0.0.1:0"}, c.args...)
			code, _, errs := runHere(t, args...)
			if code != exitFailed || !strings.Contains(errs, c.want) || strings.Contains(errs, "goroutine") {
				t.Errorf("exit %d, stderr:\n%s", code, errs)
			}
		})
	}
}

// serveOnce makes a store as a first start does.
func serveOnce(t *testing.T, dir string) {
	t.Helper()
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir))
	p.serving(t)
	terminate(t, p)
}

func terminate(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != exitGood {
		t.Fatalf("exit %d after SIGTERM\n%s", code, p.stderr)
	}
}

func TestTheFirstStartPrintsASetUpLinkAndLaterOnesTheSame(t *testing.T) {
	dir := t.TempDir()
	link := func() string {
		p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir))
		p.serving(t)
		line := p.stdout.waitFor(t, "/setup?token=")
		terminate(t, p)
		_, token, _ := strings.Cut(strings.TrimSpace(line), "token=")
		return token
	}
	if first, second := link(), link(); first == "" || first != second {
		t.Errorf("tokens %q and %q", first, second)
	}
	if code, out, errs := runHere(t, "staff", "add", "-username", "root", "-role", "admin", "-store", storeIn(dir)); code != exitGood || !strings.Contains(out, "password ") {
		t.Fatalf("staff add: exit %d %s %s", code, out, errs)
	}
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir))
	p.serving(t)
	terminate(t, p)
	if strings.Contains(p.stdout.String(), "/setup") {
		t.Error("a set-up link was printed though there is an administrator")
	}
}

func TestTermStopsWithinTenSecondsInOrder(t *testing.T) {
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(t.TempDir()))
	p.serving(t)
	begun := time.Now()
	terminate(t, p)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if !strings.Contains(p.stderr.String(), `"msg":"stopped"`) {
		t.Errorf("the loops were not stopped:\n%s", p.stderr)
	}
}

func TestSettingsComeFromFlagsThenEnvironmentThenFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "epro.conf")
	write(t, file, "# settings\nlog-level nonsense-from-file\naddr 127.0.0.1:0\n")
	t.Setenv("EPRO_STORE", storeIn(dir))
	code, _, errs := runHere(t, "serve", "-config", file)
	if code != exitUsage || !strings.Contains(errs, "-log-level") {
		t.Errorf("file: exit %d %s", code, errs)
	}
	t.Setenv("EPRO_LOG_LEVEL", "warn")
	t.Setenv("EPRO_ADDR", "no-such-host.invalid:1")
	if code, _, errs = runHere(t, "serve", "-config", file); code != exitFailed || !strings.Contains(errs, "no-such-host.invalid") {
		t.Errorf("environment over file: exit %d %s", code, errs)
	}
	if code, _, errs = runHere(t, "serve", "-config", file, "-log-level", "loud"); code != exitUsage || !strings.Contains(errs, "-log-level") {
		t.Errorf("flag over environment: exit %d %s", code, errs)
	}
}

// Whatever byte of a stored event is changed, verify names its place.
func TestVerifyNamesTheStreamAndSequenceOfATamperedEvent(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := runHere(t, "simulate", "-store", storeIn(dir), "-participants", "3", "-now", "2026-06-01"); code != exitGood {
		t.Fatalf("simulate: %d %s", code, errs)
	}
	if code, out, errs := runHere(t, "verify", "-store", storeIn(dir)); code != exitGood || !strings.Contains(out, "faults 0") {
		t.Fatalf("verify of an untouched store: %d %s %s", code, out, errs)
	}
	path := filepath.Join(dir, "epro.db")
	stream := queryText(t, path, "SELECT stream FROM events WHERE type = 'submission_received' ORDER BY stream, seq LIMIT 1")
	dropTriggers(t, path)
	execSQL(t, path, "UPDATE events SET bytes = replace(bytes, '\"GP1\":', '\"GP2\":') WHERE type = 'submission_received' AND stream = '"+stream+"'")
	code, out, errs := runHere(t, "verify", "-store", storeIn(dir))
	if code != exitFailed || !strings.Contains(out, stream+" seq ") || !strings.Contains(errs, "fault") {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
}

func dropTriggers(t *testing.T, path string) {
	t.Helper()
	names := queryText(t, path, "SELECT group_concat(name) FROM sqlite_master WHERE type = 'trigger'")
	for name := range strings.SplitSeq(names, ",") {
		if name != "" {
			execSQL(t, path, "DROP TRIGGER "+name)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func execSQL(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func queryText(t *testing.T, path, query string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var text sql.NullString
	if err := db.QueryRow(query).Scan(&text); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text.String
}

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asMain makes the test binary behave as the program itself, so that tests can
// start, signal and kill real processes without building anything else.
const asMain = "EPRO_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is epro running as a process of its own.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *lines
	done           chan error
}

// launch starts epro with these arguments.
func launch(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...), stdout: newLines(), stderr: newLines(), done: make(chan error, 1)}
	p.cmd.Env = append(append(os.Environ(), asMain+"=1"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// wait is the exit code, once the process has ended.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		t.Fatalf("epro did not end within 30 s\n%s", p.stderr)
		return -1
	}
}

// serving waits until the server says where it serves, and is ready.
func (p *process) serving(t testing.TB) (url string) {
	t.Helper()
	const mark = `"msg":"serving","url":"`
	line := p.stderr.waitFor(t, mark)
	url, _, _ = strings.Cut(line[strings.Index(line, mark)+len(mark):], `"`)
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("not ready: %d", resp.StatusCode)
	}
	return url
}

// lines collects what a process writes and lets a test wait for a line.
type lines struct {
	in   chan []byte
	ask  chan chan string
	done chan struct{}
}

func newLines() *lines {
	l := &lines{in: make(chan []byte), ask: make(chan chan string), done: make(chan struct{})}
	go func() {
		var text bytes.Buffer
		for {
			select {
			case b := <-l.in:
				text.Write(b)
			case reply := <-l.ask:
				reply <- text.String()
			}
		}
	}()
	return l
}

func (l *lines) Write(b []byte) (int, error) {
	l.in <- bytes.Clone(b)
	return len(b), nil
}

// String is everything written so far.
func (l *lines) String() string {
	reply := make(chan string)
	l.ask <- reply
	return <-reply
}

// waitFor is the first line that contains the text.
func (l *lines) waitFor(t testing.TB, text string) string {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		for line := range strings.Lines(l.String()) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return line
			}
		}
		time.Sleep(2 * time.Millisecond) // another process writes: there is nothing to wait on
	}
	t.Fatalf("no line with %q in:\n%s", text, l)
	return ""
}

// runHere runs a command inside the test.
func runHere(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &cli{stdin: strings.NewReader(""), stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

func storeIn(dir string) string { return "sqlite:" + filepath.Join(dir, "epro.db") }

func campaign(few, full int) int {
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		return full
	}
	return few
}

package main

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkStart measures from starting the process on an existing store to
// the first ready answer, and the memory that it then holds while idle.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	var rss float64
	run := func() time.Duration {
		begun := time.Now()
		p := launch(b, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir))
		url := p.serving(b)
		took := time.Since(begun)
		resp, err := http.Get(url + "/healthz")
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
		rss = residentMB(b, p.cmd.Process.Pid)
		_ = p.cmd.Process.Signal(os.Interrupt)
		<-p.done
		p.done <- nil
		return took
	}
	run() // the first start makes store and secret
	var total time.Duration
	for b.Loop() {
		total += run()
	}
	b.ReportMetric(float64(total.Milliseconds())/float64(b.N), "ms-to-ready")
	b.ReportMetric(rss, "MB-resident")
}

// residentMB is the resident memory of a process, or 0 where /proc is not there.
func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1024
}

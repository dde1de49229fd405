package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"epro/internal/testkit"
)

// benchRows is how many score rows a benchmark writes: EPRO_BENCH_ROWS, or few.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("EPRO_BENCH_ROWS")); err == nil {
		return n
	}
	return 20_000
}

// yearOfScores is a participant's year as scores_long has it.
func yearOfScores(b *testing.B) (d Dataset, rows [][]Value, look survey) {
	b.Helper()
	h, p := yearOf(b, 10)
	d, err := pick(Datasets(), "scores_long")
	if err != nil {
		b.Fatal(err)
	}
	look = newSurvey(d, nil)
	err = d.person(freshView(b, h), p, func(cells []Value) error {
		look.add(d, cells)
		rows = append(rows, slices.Clone(cells))
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return d, rows, look
}

// BenchmarkFormats writes score rows in every format into a file, and as many
// bytes by a bare writer in the same run: for CSV the library's, given the texts
// of cells ready made, for the others a buffer before a file, given rows ready
// made.
func BenchmarkFormats(b *testing.B) {
	d, rows, look := yearOfScores(b)
	n := benchRows()
	for _, f := range Formats() {
		b.Run(f.Name, func(b *testing.B) {
			var ours, bare, oursCPU, bareCPU time.Duration
			var most uint64
			for b.Loop() {
				start, used := time.Now(), testkit.Processor(b)
				out := newFile(b)
				most = max(most, writeScores(b, f, Head{Dataset: d, At: start, Rows: n, Widths: look.widths}, rows, n, out))
				ours, oursCPU = ours+time.Since(start), oursCPU+testkit.Processor(b)-used
				info, err := out.Stat()
				if err != nil {
					b.Fatal(err)
				}
				start, used = time.Now(), testkit.Processor(b)
				if f.Name == "csv" {
					bareCSV(b, rows, n)
				} else {
					bareBytes(b, int(info.Size())/n, n)
				}
				bare, bareCPU = bare+time.Since(start), bareCPU+testkit.Processor(b)-used
			}
			b.ReportMetric(float64(n)*float64(b.N)/ours.Seconds(), "rows/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
			b.ReportMetric(bareCPU.Seconds()/oursCPU.Seconds(), "of-bare-cpu")
			b.ReportMetric(float64(most)/1e6, "MB-heap")
		})
	}
}

// writeScores is the most that the heap held, looked at ten times.
func writeScores(b *testing.B, f Format, h Head, rows [][]Value, n int, out io.Writer) (most uint64) {
	b.Helper()
	e := f.New(out)
	defer func() { _ = closeEncoder(e, nil) }()
	err := e.Begin(h)
	for i := 0; i < n && err == nil; i++ {
		err = e.Row(rows[i%len(rows)])
		if i%(n/10+1) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	if err == nil {
		err = e.End()
	}
	if err != nil {
		b.Fatal(err)
	}
	return most
}

func bareCSV(b *testing.B, rows [][]Value, n int) {
	b.Helper()
	ready := make([][]string, len(rows))
	for i, row := range rows {
		for _, v := range row {
			ready[i] = append(ready[i], v.String())
		}
	}
	w := csv.NewWriter(bufio.NewWriterSize(newFile(b), 64<<10))
	for i := range n {
		if err := w.Write(ready[i%len(ready)]); err != nil {
			b.Fatal(err)
		}
	}
	w.Flush()
}

func bareBytes(b *testing.B, size, n int) {
	b.Helper()
	row := bytes.Repeat([]byte{'x'}, size)
	w := bufio.NewWriterSize(newFile(b), 64<<10)
	for range n {
		if _, err := w.Write(row); err != nil {
			b.Fatal(err)
		}
	}
}

// newFile is a file that goes away with the benchmark.
func newFile(b *testing.B) *os.File {
	b.Helper()
	f, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	return f
}

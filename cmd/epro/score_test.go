package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/instruments/factb"
)

const (
	scoreTestItems = "GP1,GP2,GP3,GP4,GP5,GP6,GP7,GS1,GS2,GS3,GS4,GS5,GS6,GS7,GE1,GE2,GE3,GE4,GE5,GE6," +
		"GF1,GF2,GF3,GF4,GF5,GF6,GF7,B1,B2,B3,B4,B5,B6,B7,B8,B9,P2"
	scoreTestAdded = "PWB,SWB,EWB,FWB,BCS,FACTG,TOI,FACTB,PWB_N,SWB_N,EWB_N,FWB_N,BCS_N,FACTG_N,FACTB_N,error"
	// All best, all two, and one gap of each kind of missing code.
	scoreTestBest = "0,0,0,0,0,0,0,4,4,4,4,4,4,4,0,4,0,0,0,0,4,4,4,4,4,4,4,0,0,0,4,0,0,0,0,4,0"
	scoreTestTwo  = "2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2,2"
	scoreTestGaps = "1,2,2,2,2,2,,2,2,2,2,2,2,NA,2,2,2,2,2,8,2,2,2,2,2,2,9,2,2,2,2,2,2,2,2,2,"
	scoredBest    = "28,28,24,28,40,108,96,148,7,7,6,7,10,27,37,"
	scoredTwo     = "14,14,12,14,20,54,48,74,7,7,6,7,10,27,37,"
	scoredGaps    = "15.166666666666666,14,12,14,20,55.166666666666664,49.166666666666664,75.16666666666666,6,6,5,6,9,23,32,"
	scoredNothing = ",,,,,,,,,,,,,,,"
)

func scoreText(t testing.TB, in string) (out string, rows, refused int, err error) {
	t.Helper()
	var buf bytes.Buffer
	rows, refused, err = scoreCSV(context.Background(), strings.NewReader(in), &buf, nil)
	return buf.String(), rows, refused, err
}

// scoreLines scores and compares the whole output, line by line.
func scoreLines(t *testing.T, in, wantRefused string, want ...string) {
	t.Helper()
	out, rows, refused, err := scoreText(t, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(refused, " of ", rows); got != wantRefused {
		t.Errorf("refused %s, want %s", got, wantRefused)
	}
	if all := strings.Join(want, "\n") + "\n"; out != all {
		t.Errorf("got\n%s\nwant\n%s", out, all)
	}
}

func TestScoresStandBesideTheOtherColumns(t *testing.T) {
	scoreLines(t, "id,"+scoreTestItems+",Q1\nP1,"+scoreTestBest+",1\nP2,"+scoreTestTwo+",\nP3,"+scoreTestGaps+",x\n", "0 of 3",
		"id,Q1,"+scoreTestAdded, "P1,1,"+scoredBest, "P2,,"+scoredTwo, "P3,x,"+scoredGaps)
}

func TestColumnsAreFoundByCodeInAnyOrder(t *testing.T) {
	names, cells := strings.Split(scoreTestItems, ","), strings.Split(scoreTestGaps, ",")
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(names), func(i, j int) {
		names[i], names[j] = names[j], names[i]
		cells[i], cells[j] = cells[j], cells[i]
	})
	scoreLines(t, strings.Join(names, ",")+"\n"+strings.Join(cells, ",")+"\n", "0 of 1", scoreTestAdded, scoredGaps)
}

func TestByteOrderMarkAndWindowsLineEndsAreTolerated(t *testing.T) {
	scoreLines(t, "\uFEFF"+scoreTestItems+"\r\n"+scoreTestBest+"\r\n"+scoreTestTwo, "0 of 2", scoreTestAdded, scoredBest, scoredTwo)
}

func TestMissingScoresAreEmptyAndCountsAreNot(t *testing.T) {
	scoreLines(t, scoreTestItems+"\n"+strings.Repeat(",", 36)+"\n0,0,0,0"+strings.Repeat(",NA", 33)+"\n", "0 of 2", scoreTestAdded,
		",,,,,,,,0,0,0,0,0,0,0,", "28,,,,,,,,4,0,0,0,0,4,4,")
}

func TestABadRowIsNamedInFullAndTheOthersAreScored(t *testing.T) {
	cells := strings.Split(scoreTestTwo, ",")
	cells[0], cells[29] = "7", "x"
	scoreLines(t, "id,"+scoreTestItems+"\nP1,"+scoreTestBest+"\nP2,"+strings.Join(cells, ",")+"\nP3,"+scoreTestTwo+"\n", "1 of 3",
		"id,"+scoreTestAdded, "P1,"+scoredBest,
		"P2,"+scoredNothing+`"GP1: ""7"" is not 0-4, empty, NA, 8 or 9; B3: ""x"" is not 0-4, empty, NA, 8 or 9"`, "P3,"+scoredTwo)
}

func TestOnlyTheAgreedCellsAreRead(t *testing.T) {
	for _, cell := range []string{"5", "6", "7", "10", "99", "-1", "2.0", "2.5", " 2", "2 ", "02", "+2", "na", "N/A", "NaN", "TRUE", "３", "88", "."} {
		out, _, refused, err := scoreText(t, scoreTestItems+"\n"+strings.Replace(scoreTestTwo, "2", cell, 1)+"\n")
		if err != nil || refused != 1 || !strings.Contains(out, fmt.Sprintf(`GP1: ""%s"" is not`, cell)) {
			t.Errorf("%q: %v, %s", cell, err, out)
		}
	}
}

func TestLongBadCellsAreCut(t *testing.T) {
	out, _, _, _ := scoreText(t, scoreTestItems+"\n"+strings.Replace(scoreTestTwo, "2", strings.Repeat("q", 5000), 1)+"\n")
	if strings.Count(out, "q") != 40 {
		t.Errorf("got %s", out)
	}
}

func TestRaggedAndMisquotedRowsAreRefusedAlone(t *testing.T) {
	scoreLines(t, "id,"+scoreTestItems+",note\nP1,1,2\nP2,"+scoreTestTwo+",a,b\nP3,b\"c,1\n\nP4,"+scoreTestBest+",n\n", "3 of 4",
		"id,note,"+scoreTestAdded,
		"P1,,"+scoredNothing+`"the row has 3 fields, the header has 39"`,
		"P2,a,"+scoredNothing+`"the row has 40 fields, the header has 39"`,
		"P3,,"+scoredNothing+`"line 4 cannot be read: bare "" in non-quoted-field near column 5"`,
		"P4,n,"+scoredBest)
}

func TestPassedColumnsComeBackAsTheyWere(t *testing.T) {
	cells := []string{"=1+1", "+49", "-x", "@a", "a,b", `say "so"`, "two\nlines", " lead", `\.`, "", "患者", "\xff"}
	var in bytes.Buffer
	w := csv.NewWriter(&in)
	row := append([]string{}, cells...)
	header := make([]string, len(cells))
	for i := range header {
		header[i] = fmt.Sprintf("c%d", i%11) // one name twice: not ours to refuse
	}
	_ = w.WriteAll([][]string{slices.Concat(header, strings.Split(scoreTestItems, ",")), append(row, strings.Split(scoreTestTwo, ",")...)})
	out, _, _, err := scoreText(t, in.String())
	if err != nil {
		t.Fatal(err)
	}
	back, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(back) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	for i, cell := range cells {
		if back[1][i] != cell {
			t.Errorf("%q came back as %q", cell, back[1][i])
		}
	}
}

func TestAHeaderThatCannotServeStopsBeforeAnyRow(t *testing.T) {
	for name, c := range map[string]struct{ header, says string }{
		"two missing":       {strings.Replace(strings.Replace(scoreTestItems, "GP1,", "", 1), ",P2", "", 1), "missing item columns: GP1, P2"},
		"wrong case":        {strings.Replace(scoreTestItems, "GS7", "gs7", 1), "missing item columns: GS7"},
		"item twice":        {scoreTestItems + ",B3", "item columns given twice: B3"},
		"result in the way": {scoreTestItems + ",PWB,FACTB_N,error", "rename them: PWB, FACTB_N, error"},
		"semicolons":        {strings.ReplaceAll(scoreTestItems, ",", ";"), "separated by commas"},
	} {
		t.Run(name, func(t *testing.T) {
			out, rows, refused, err := scoreText(t, c.header+"\n"+scoreTestTwo+"\n")
			if err == nil || !strings.Contains(err.Error(), c.says) || out != "" || rows+refused != 0 {
				t.Errorf("%v; out %q", err, out)
			}
		})
	}
	if _, _, _, err := scoreText(t, ""); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("empty file: %v", err)
	}
}

func TestAHeaderAloneGivesAHeader(t *testing.T) {
	scoreLines(t, scoreTestItems, "0 of 0", scoreTestAdded)
}

func TestAQuoteLeftOpenIsAnErrorAndNotManyLostRows(t *testing.T) {
	out, _, _, err := scoreText(t, "id,"+scoreTestItems+"\nP1,"+scoreTestTwo+"\nP2,\"2,2\nP3,"+scoreTestTwo+"\nP4\n")
	if err == nil || !strings.Contains(err.Error(), "line 3") || !strings.Contains(out, "P1,"+scoredTwo) {
		t.Errorf("%v: %s", err, out)
	}
}

// scoreEndless is a CSV that never ends, so that nothing can hold it whole.
type scoreEndless struct{ head, tail string }

func (e *scoreEndless) Read(p []byte) (int, error) {
	if e.head == "" {
		e.head = e.tail
	}
	n := copy(p, e.head)
	e.head = e.head[n:]
	return n, nil
}

func TestARowWithoutEndIsAnError(t *testing.T) {
	_, _, err := scoreCSV(context.Background(), &scoreEndless{scoreTestItems + "\n\"", "zzzzzzzz\n"}, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), "quote never closed") {
		t.Errorf("got %v", err)
	}
}

func TestMemoryDoesNotGrowWithRows(t *testing.T) {
	var most, first uint64
	ctx, stop := context.WithCancel(context.Background())
	rows, _, err := scoreCSV(ctx, &scoreEndless{scoreTestItems + "\n", scoreTestGaps + "\n"}, io.Discard, func(rows int) {
		if rows%(8*scorePause) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if most = max(most, m.HeapAlloc); first == 0 {
				first = m.HeapAlloc
			}
		}
		if rows >= 32*scorePause {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || rows != 32*scorePause {
		t.Fatalf("%d rows, %v", rows, err)
	}
	if most > first+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes", first, most)
	}
}

type scoreBrokenWriter struct{}

func (scoreBrokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestAFailedWriteIsReported(t *testing.T) {
	in := scoreTestItems + "\n" + scoreTestTwo + "\n"
	for _, in := range []string{in, in + strings.Repeat(scoreTestTwo+"\n", 10_000)} {
		if _, _, err := scoreCSV(context.Background(), strings.NewReader(in), scoreBrokenWriter{}, nil); !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAFailedRunLeavesTheOldFileAndNoOther(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.csv")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err := writeWhole(name, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return failed
	})
	if got, _ := os.ReadFile(name); !errors.Is(err, failed) || string(got) != "old" {
		t.Errorf("%v, %q", err, got)
	}
	if err := writeWhole(name, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Error(err)
	}
	entries, _ := os.ReadDir(filepath.Dir(name))
	if got, _ := os.ReadFile(name); string(got) != "new" || len(entries) != 1 {
		t.Errorf("%q and %d files", got, len(entries))
	}
}

func TestTheCommandWritesItsFileAndSaysWhatWasRefused(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	good := scoreTestItems + "\n" + scoreTestTwo + "\n"
	var stdout, stderr bytes.Buffer
	c := &cli{stdin: strings.NewReader(good), stdout: &stdout, stderr: &stderr}
	if err := runScore(context.Background(), c, nil); err != nil || stdout.String() != scoreTestAdded+"\n"+scoredTwo+"\n" {
		t.Errorf("through standard input: %v, %s", err, stdout.String())
	}
	if err := os.WriteFile(in, []byte(good+"1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout.Reset()
	stderr.Reset()
	err := runScore(context.Background(), c, []string{"-in", in, "-out", out})
	if !errors.Is(err, errRefused) || stdout.Len() != 0 || stderr.String() != "2 rows read, 1 of them refused\n" {
		t.Errorf("%v; %s; %s", err, stdout.String(), stderr.String())
	}
	if got, _ := os.ReadFile(out); !strings.HasPrefix(string(got), scoreTestAdded+"\n"+scoredTwo+"\n"+scoredNothing) {
		t.Errorf("got %s", got)
	}
	var usage usageError
	if err := runScore(context.Background(), c, []string{in}); !errors.As(err, &usage) {
		t.Errorf("a stray argument: %v", err)
	}
	if err := runScore(context.Background(), c, []string{"-in", in + "x", "-out", in}); err == nil || errors.Is(err, errRefused) {
		t.Errorf("no such file: %v", err)
	}
}

// scoreBenchFile is n forms with an identifier; every fifth has gaps.
func scoreBenchFile(n int) []byte {
	var b bytes.Buffer
	random := rand.New(rand.NewPCG(3, 4))
	b.WriteString("USUBJID,VISIT," + scoreTestItems + "\n")
	for row := range n {
		fmt.Fprintf(&b, "SITE01-%06d,C%dD1", row, row%17+1)
		for range factb.FACTB.Items {
			b.WriteByte(',')
			if row%5 != 0 || random.IntN(6) != 0 {
				b.WriteByte('0' + byte(random.IntN(5)))
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// scoreCopy reads and writes the same file with encoding/csv, without scoring.
func scoreCopy(in io.Reader, out io.Writer) error {
	r, w := csv.NewReader(in), csv.NewWriter(out)
	r.ReuseRecord = true
	for {
		record, err := r.Read()
		if err == io.EOF {
			w.Flush()
			return w.Error()
		}
		if err != nil {
			return err
		}
		if err := w.Write(record); err != nil {
			return err
		}
	}
}

// BenchmarkScoreCSV scores 20,000 rows a turn and reports the fastest turn
// against the fastest of copying the same rows with encoding/csv.
func BenchmarkScoreCSV(b *testing.B) {
	const rows = 20_000
	file := scoreBenchFile(rows)
	b.SetBytes(int64(len(file)))
	copying, scored := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		if err := scoreCopy(bytes.NewReader(file), io.Discard); err != nil {
			b.Fatal(err)
		}
		copying = min(copying, time.Since(start))
		start = time.Now()
		if _, refused, err := scoreCSV(context.Background(), bytes.NewReader(file), io.Discard, nil); err != nil || refused != 0 {
			b.Fatal(refused, err)
		}
		scored = min(scored, time.Since(start))
	}
	b.ReportMetric(float64(scored)/float64(copying), "x-copy")
	b.ReportMetric(rows/scored.Seconds(), "rows/s")
}

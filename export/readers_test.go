package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"epro/study"
)

// The tests below have programs that are not ours read what we wrote. .ci/run
// installs them, and fails when one of these tests is skipped.

// sample is a dataset with rows, for the encoders alone.
type sample struct {
	Dataset
	rows [][]Value
}

// hostile is what a participant's number or a drug's name could be.
var hostile = []string{"=HYPERLINK(\"http://example.org\",\"x\")", "line\nbreak \"quoted\", 'single'", "nul\x00 bell\a", "基线 – ünïcode 𝛼", "-1", "+2", "@x", "\ttab",
	"'=1", "_x0041_", "</t><v>&amp;", "a\r\nb\rc", "N/A", "NA", "null", "0", "1e5", "2026-01-01", " spaces ", "\xff\xfe"}

var plain = []string{"plain", "=1+1", "-5", "quote\"s", "semi;colon, comma", "it's", "TRUE", "0012"}

// samples are tables with every kind of column and everything that may go wrong.
func samples(texts []string) []sample {
	d := Dataset{Name: "sample", Label: "All kinds of cells", Member: "SAMPLE", Keys: []string{"ID"}, Columns: []Column{
		{Name: "ID", Label: "Row", Kind: Integer}, {Name: "TXT", Label: "A text"}, {Name: "NUM", Label: "A number", Kind: Number},
		{Name: "WHOLE", Label: "A whole number", Kind: Integer}, {Name: "DAY", Label: "A date", Kind: Date}, {Name: "DTM", Label: "An instant", Kind: Instant},
		{Name: "FL", Label: "A flag", Kind: Flag}, {Name: "NONE", Label: "Always missing"}, {Name: "NONUM", Label: "Always missing", Kind: Number}}}
	numbers := []float64{0, 1, -1, 0.1, -0.1, 148, 70.0 / 3, -23.333333333333332, 1e-70, 1e60, 1.0 / 3, math.Pi, 5e-5, -4.9999, 123456789.125}
	all := sample{Dataset: d}
	for i := range max(len(numbers), len(texts)) {
		row := []Value{IntegerOf(i + 1), TextOf(texts[i%len(texts)]), NumberOf(numbers[i%len(numbers)]), IntegerOf(i*i - 50),
			DateOf(study.NewDate(1959+i*7, time.March, 17)), InstantOf(study.Instant(1_772_841_600_001 + int64(i)*86_399_987)), FlagOf(i%2 == 0), {}, {}}
		if i%4 == 3 {
			for c := 1; c < len(row); c++ {
				row[c] = Value{}
			}
		}
		all.rows = append(all.rows, row)
	}
	empty := sample{Dataset: d}
	empty.Name, empty.Member = "empty", "EMPTY"
	return []sample{all, empty}
}

// encodeTo writes the sample into a file of the folder.
func (s sample) encodeTo(t *testing.T, folder, format string) string {
	t.Helper()
	f, err := pickFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	look := newSurvey(s.Dataset, []Format{f})
	for _, row := range s.rows {
		look.add(s.Dataset, row)
	}
	if why := look.cannot[format]; why != "" {
		t.Fatal(why)
	}
	var out bytes.Buffer
	e := f.New(&out)
	defer func() { _ = closeEncoder(e, nil) }()
	errs := []error{e.Begin(Head{Dataset: s.Dataset, Study: "S1", Protocol: "1.0", Program: "test", ExportID: "x1",
		At: time.Date(2026, 3, 17, 9, 30, 0, 0, time.UTC), Rows: look.rows, Widths: look.widths})}
	for _, row := range s.rows {
		errs = append(errs, e.Row(row))
	}
	for _, err := range append(errs, e.End()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(folder, strings.ToLower(s.Member)+"."+format)
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// table is what a reader found in a file: nil, float64 or string in each cell.
type tableRead struct {
	reader, file string
	columns      []string
	rows         [][]any
}

// readR has R's packages read the files.
func readR(t *testing.T, files ...string) []tableRead {
	t.Helper()
	const absent = "R with haven, foreign and readxl is not here: install r-base-core r-cran-haven r-cran-foreign r-cran-readxl"
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip(absent)
	}
	out := output(t, exec.Command("Rscript", append([]string{"--vanilla", "testdata/readers/read.R"}, files...)...), absent)
	var tables []tableRead
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == "==" {
			tables = append(tables, tableRead{reader: words[1], file: words[2]})
			continue
		}
		last := &tables[len(tables)-1]
		if last.columns == nil {
			last.columns = words
			continue
		}
		row := make([]any, len(words))
		for i, w := range words {
			row[i] = cellR(t, w)
		}
		last.rows = append(last.rows, row)
	}
	return tables
}

func cellR(t *testing.T, word string) any {
	t.Helper()
	switch word[0] {
	case 't':
		text, err := hex.DecodeString(word[1:])
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case 'n':
		number, err := strconv.ParseFloat(word[1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		return number
	}
	return nil
}

// nodeFolder is where .ci/run installs the npm packages.
const nodeFolder = "../.ci/tools/readers"

// readNode has packages from npm read the files.
func readNode(t *testing.T, files ...string) []tableRead {
	t.Helper()
	folder, err := filepath.Abs(nodeFolder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "hyparquet")); err != nil {
		t.Skip("hyparquet, ajv and js-stream-dataset-json are not here: bash .ci/run readers installs them")
	}
	out := output(t, exec.Command("node", append([]string{"testdata/readers/read.mjs", folder, "testdata/readers/dataset-json.schema.json"}, files...)...), "")
	var tables []tableRead
	lines := json.NewDecoder(bytes.NewReader(out))
	for {
		var raw json.RawMessage
		if err := lines.Decode(&raw); err == io.EOF {
			return tables
		} else if err != nil {
			t.Fatal(err)
		}
		if raw[0] == '{' {
			var head struct {
				Reader, File string
				Columns      []string
			}
			if err := json.Unmarshal(raw, &head); err != nil {
				t.Fatal(err)
			}
			tables = append(tables, tableRead{reader: head.Reader, file: head.File, columns: head.Columns})
			continue
		}
		var row []any
		if err := json.Unmarshal(raw, &row); err != nil {
			t.Fatal(err)
		}
		last := &tables[len(tables)-1]
		last.rows = append(last.rows, row)
	}
}

// output is what a program prints. One that ends with status 3 has not found what
// it needs, and the test is skipped.
func output(t *testing.T, c *exec.Cmd, absent string) []byte {
	t.Helper()
	var wrong bytes.Buffer
	c.Stderr = &wrong
	out, err := c.Output()
	if c.ProcessState != nil && c.ProcessState.ExitCode() == 3 {
		t.Skip(absent)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, wrong.String())
	}
	return out
}

// compare compares a table with the CSV of the same rows, cell by cell. want
// says what the reader must give for a cell of the CSV.
func (got tableRead) compare(t *testing.T, d Dataset, rows [][]string, want func(Column, string) any) {
	t.Helper()
	if len(got.columns) != len(d.Columns) || len(got.rows) != len(rows) {
		t.Fatalf("%s of %s: %d columns and %d rows, want %d and %d", got.reader, got.file, len(got.columns), len(got.rows), len(d.Columns), len(rows))
	}
	for i, c := range d.Columns {
		if got.columns[i] != c.Name {
			t.Errorf("%s of %s: column %d is %s, want %s", got.reader, got.file, i, got.columns[i], c.Name)
		}
		for r, row := range rows {
			if w := want(c, row[i]); !sameCell(c, got.rows[r][i], w) {
				t.Errorf("%s of %s: %s in row %d is %#v, want %#v", got.reader, got.file, c.Name, r+1, got.rows[r][i], w)
			}
		}
	}
}

// sameCell compares exactly but for instants, which formats keep as fractions of
// seconds or days: those to the millisecond.
func sameCell(c Column, got, want any) bool {
	if x, ok := got.(float64); ok && c.Kind == Instant {
		y, ok := want.(float64)
		return ok && math.Abs(x-y) < 0.0006
	}
	return got == want
}

// csvRows are the cells of the CSV of a sample, as any CSV reader gives them.
func csvRows(t *testing.T, file string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// guard is the apostrophe that CSV has before some texts.
var guard = regexp.MustCompile(`^'('*[-=+@\t\r\n])`)

// fromCSV turns a cell of CSV into what it means: nil, a text, or a number;
// dates as days and instants as seconds from 1970.
func fromCSV(t *testing.T) func(Column, string) any {
	return func(c Column, cell string) any {
		if cell == "" {
			return nil
		}
		switch c.Kind {
		case Integer, Number:
			number, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				t.Error(err)
			}
			return number
		case Date:
			at, err := time.Parse(time.DateOnly, cell)
			if err != nil {
				t.Error(err)
			}
			return float64(at.Unix() / 86400)
		case Instant:
			at, err := time.Parse(time.RFC3339, cell)
			if err != nil {
				t.Error(err)
			}
			return float64(at.UnixMilli()) / 1000
		case Flag:
			return cell
		default:
			return guard.ReplaceAllString(cell, "$1")
		}
	}
}

func TestRReadsSASTransportFilesBitByBit(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var files []string
	all := samples(plain)
	for _, s := range all {
		files = append(files, s.encodeTo(t, folder, "xpt"))
	}
	for i, got := range readR(t, files...) {
		s := all[i/2]
		want := fromCSV(t)
		if got.reader == "foreign" { // knows no dates: days and seconds since 1960
			want = since1960(want)
		}
		got.compare(t, s.Dataset, csvRows(t, s.encodeTo(t, folder, "csv")), want)
	}
}

func since1960(want func(Column, string) any) func(Column, string) any {
	return func(c Column, cell string) any {
		w, ok := want(c, cell).(float64)
		switch {
		case ok && c.Kind == Date:
			return w + 3653
		case ok && c.Kind == Instant:
			return w + 3653*86400
		}
		return want(c, cell)
	}
}

func TestRReadsExcelWorkbooks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var files []string
	all := samples(hostile)
	for _, s := range all {
		files = append(files, s.encodeTo(t, folder, "xlsx"))
	}
	for i, got := range readR(t, files...) {
		want := fromCSV(t)
		got.compare(t, all[i].Dataset, csvRows(t, all[i].encodeTo(t, folder, "csv")), func(c Column, cell string) any {
			if days, ok := want(c, cell).(float64); ok && c.Kind == Date {
				return days * 86400 // readxl has instants only
			}
			return want(c, cell)
		})
	}
}

func TestHyparquetReadsParquet(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var files []string
	all := samples(hostile)
	for _, s := range all {
		files = append(files, s.encodeTo(t, folder, "parquet"))
	}
	for i, got := range readNode(t, files...) {
		want := fromCSV(t)
		got.compare(t, all[i].Dataset, csvRows(t, all[i].encodeTo(t, folder, "csv")), func(c Column, cell string) any {
			if seconds, ok := want(c, cell).(float64); ok && c.Kind == Instant {
				return math.Round(seconds * 1000)
			}
			return want(c, cell)
		})
	}
}

// The schema sees neither the number of records nor the order of members; the
// reader counts the first, and streams by the second.
func TestDatasetJSONIsReadByItsSchemaAndByAReader(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var files []string
	all := samples(hostile)
	for _, s := range all {
		files = append(files, s.encodeTo(t, folder, "json"))
	}
	for i, got := range readNode(t, files...) {
		want := fromCSV(t)
		got.compare(t, all[i].Dataset, csvRows(t, all[i].encodeTo(t, folder, "csv")), func(c Column, cell string) any {
			if cell != "" && (c.Kind == Date || c.Kind == Instant) {
				return cell
			}
			return want(c, cell)
		})
	}
}

// readstat prints six decimals.
func TestReadStatReadsSASTransportFiles(t *testing.T) {
	if _, err := exec.LookPath("readstat"); err != nil {
		t.Skip("readstat is not here: install the Debian package readstat")
	}
	folder := t.TempDir()
	s := samples(plain)[0]
	s.rows = s.rows[:8] // its six decimals do not suit very large or small numbers
	records, err := csv.NewReader(bytes.NewReader(output(t, exec.Command("readstat", s.encodeTo(t, folder, "xpt"), "-"), ""))).ReadAll()
	if err != nil || len(records) != 9 {
		t.Fatalf("%v, %d lines", err, len(records))
	}
	for r, row := range csvRows(t, s.encodeTo(t, folder, "csv")) {
		for i, c := range s.Columns {
			got, want := records[r+1][i], since1960(fromCSV(t))(c, row[i])
			if want == nil {
				want = ""
			}
			if number, ok := want.(float64); ok {
				if x, err := strconv.ParseFloat(got, 64); err != nil || math.Abs(x-number) > 1e-6 {
					t.Errorf("%s in row %d is %s, want %v", c.Name, r+1, got, number)
				}
				continue
			}
			if got != want {
				t.Errorf("%s in row %d is %q, want %q", c.Name, r+1, got, want)
			}
		}
	}
	if about := string(output(t, exec.Command("readstat", filepath.Join(folder, "sample.xpt")), "")); !strings.Contains(about, "Columns: 9") ||
		!strings.Contains(about, "All kinds of cells") {
		t.Errorf("readstat says %s", about)
	}
}

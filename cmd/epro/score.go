package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

const (
	// scoreMaxRow bounds memory: a quote that is never closed would otherwise turn
	// the rest of the file into one row.
	scoreMaxRow = 4 << 20
	// scorePause is the number of rows between looks at the context.
	scorePause = 4096
)

// scoreCounted are the scores whose count of answered items is written too, in
// the order of CONTRACT.md. TOI has no rule about its own items and no count.
var scoreCounted = []string{"PWB", "SWB", "EWB", "FWB", "BCS", "FACTG", "FACTB"}

// scoreCSV scores FACT-B forms, a row each, as CONTRACT.md ("epro score") says.
// rows counts the data rows read, refused those among them that were written
// without scores and with an error text; neither makes err. err is for a file
// that cannot be scored at all (unreadable, no header, columns missing, twice or
// in the way), for a failed write and for ctx being done; out then holds what
// had been written. progress, if not nil, is told the rows so far now and then.
func scoreCSV(ctx context.Context, in io.Reader, out io.Writer, progress func(rows int)) (rows, refused int, err error) {
	input := newScoreInput(in)
	header, err := input.read()
	if errors.Is(err, io.EOF) {
		return 0, 0, errors.New("the file is empty; it needs a header")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("reading the header: %w", err)
	}
	table, err := newScoreTable(header)
	if err != nil {
		return 0, 0, err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	line := table.header(nil, header)
	for {
		// A failed Write is kept by w and comes back from Flush or the next Write.
		if _, err := w.Write(line); err != nil {
			return rows, refused, err
		}
		record, err := input.read()
		if errors.Is(err, io.EOF) {
			return rows, refused, w.Flush()
		}
		fault, err := scoreFault(err)
		if err != nil {
			return rows, refused, errors.Join(err, w.Flush())
		}
		var ok bool
		if line, ok = table.row(line[:0], record, fault); !ok {
			refused++
		}
		if rows++; rows%scorePause == 0 {
			if progress != nil {
				progress(rows)
			}
			if ctx.Err() != nil {
				return rows, refused, errors.Join(context.Cause(ctx), w.Flush())
			}
		}
	}
}

// scoreFault sorts a reading error: a fault within one line refuses that row,
// and the next line starts afresh; over several lines nobody can say where rows
// begin, and scoring on would lose them silently.
func scoreFault(err error) (refusal string, fatal error) {
	var parse *csv.ParseError
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &parse):
		return "", err
	case parse.StartLine != parse.Line:
		return "", fmt.Errorf("the quote opened in the row of line %d is not closed properly by line %d; nothing after it was scored", parse.StartLine, parse.Line)
	}
	return fmt.Sprintf("line %d cannot be read: %v near column %d", parse.Line, parse.Err, parse.Column), nil
}

// scoreInput reads CSV rows in bounded memory.
type scoreInput struct {
	csv  *csv.Reader
	from io.Reader
	left int
}

func newScoreInput(in io.Reader) *scoreInput {
	input := &scoreInput{from: in, left: scoreMaxRow}
	buffered := bufio.NewReaderSize(input, 64<<10)
	bom := []byte("\uFEFF")
	// Excel puts a byte-order mark before the first column's name.
	if head, _ := buffered.Peek(len(bom)); bytes.Equal(head, bom) {
		_, _ = buffered.Discard(len(bom))
	}
	input.csv = csv.NewReader(buffered)
	input.csv.ReuseRecord = true
	input.csv.FieldsPerRecord = -1
	return input
}

// read gives back the next row, valid until the next call.
func (in *scoreInput) read() ([]string, error) {
	in.left = scoreMaxRow
	return in.csv.Read()
}

// Read implements io.Reader for the CSV reader, and stops a row without end.
func (in *scoreInput) Read(p []byte) (int, error) {
	if in.left <= 0 {
		return 0, fmt.Errorf("a row is longer than %d MiB; is a quote never closed?", scoreMaxRow>>20)
	}
	n, err := in.from.Read(p)
	in.left -= n
	return n, err
}

// scoreTable knows which column is what, and holds what is reused row by row.
type scoreTable struct {
	width   int
	items   []int // by place in the instrument: the column
	others  []int
	counted []int // places among the scores
	codes   []string
	scorer  *scoring.Scorer
	answers instruments.Answers
	scores  []scoring.Score
}

// newScoreTable says everything that is wrong with a header at once.
func newScoreTable(header []string) (*scoreTable, error) {
	ins := factb.FACTB
	scorer, err := scoring.New(ins)
	if err != nil {
		return nil, err
	}
	t := &scoreTable{width: len(header), scorer: scorer, codes: scorer.Codes(),
		items: make([]int, len(ins.Items)), answers: make(instruments.Answers, len(ins.Items))}
	for _, code := range scoreCounted {
		t.counted = append(t.counted, slices.Index(t.codes, code))
	}
	var missing, twice, taken []string
	for i := range t.items {
		t.items[i] = -1
	}
	ours := t.columns()
	for column, name := range header {
		at, isItem := ins.Index(name)
		switch {
		case isItem && t.items[at] >= 0:
			twice = append(twice, name)
		case isItem:
			t.items[at] = column
		default:
			t.others = append(t.others, column)
			if slices.Contains(ours, name) {
				taken = append(taken, name)
			}
		}
	}
	for i, column := range t.items {
		if column < 0 {
			missing = append(missing, ins.Items[i].Code)
		}
	}
	return t, scoreHeaderFault(header, missing, twice, taken)
}

func scoreHeaderFault(header, missing, twice, taken []string) error {
	var faults []string
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		faults = append(faults, "the columns must be separated by commas")
	}
	if len(missing) > 0 {
		faults = append(faults, "missing item columns: "+strings.Join(missing, ", "))
	}
	if len(twice) > 0 {
		faults = append(faults, "item columns given twice: "+strings.Join(twice, ", "))
	}
	if len(taken) > 0 {
		faults = append(faults, "columns named like a result, rename them: "+strings.Join(taken, ", "))
	}
	if faults == nil {
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

// columns are the names of the columns that scoring adds.
func (t *scoreTable) columns() []string {
	names := slices.Clone(t.codes)
	for _, code := range scoreCounted {
		names = append(names, code+"_N")
	}
	return append(names, "error")
}

func (t *scoreTable) header(dst []byte, header []string) []byte {
	dst = t.passOn(dst, header)
	return append(append(dst, strings.Join(t.columns(), ",")...), '\n')
}

// passOn writes the other columns. Cells that a spreadsheet would take for a
// formula (=, +, -, @) stay as they are, unlike in exports: the file is the
// analyst's own and has to come back with the very same identifiers.
func (t *scoreTable) passOn(dst []byte, record []string) []byte {
	for _, column := range t.others {
		if column < len(record) {
			dst = appendCSV(dst, record[column])
		}
		dst = append(dst, ',')
	}
	return dst
}

// row appends the line for one record; false when it was refused, for the fault
// that reading met or for one of its own.
func (t *scoreTable) row(dst []byte, record []string, fault string) ([]byte, bool) {
	dst = t.passOn(dst, record)
	if fault == "" && len(record) != t.width {
		fault = fmt.Sprintf("the row has %d fields, the header has %d", len(record), t.width)
	}
	if fault == "" && !t.parse(record) {
		fault = t.badCells(record)
	}
	if fault != "" {
		for range len(t.codes) + len(t.counted) {
			dst = append(dst, ',')
		}
		return append(appendCSV(dst, fault), '\n'), false
	}
	t.scores = t.scorer.Score(t.scores[:0], t.answers)
	for _, score := range t.scores {
		if score.Missing == scoring.NotMissing {
			dst = appendPoints(dst, score.Value)
		}
		dst = append(dst, ',')
	}
	for _, at := range t.counted {
		dst = strconv.AppendUint(dst, uint64(t.scores[at].Answered), 10)
		dst = append(dst, ',')
	}
	return append(dst, '\n'), true
}

// parse fills in the answers; false when a cell is neither answer nor missing.
func (t *scoreTable) parse(record []string) bool {
	good := true
	for i, column := range t.items {
		answer, ok := scoreCell(record[column])
		t.answers[i] = answer
		good = good && ok
	}
	return good
}

// scoreCell reads one cell by FACIT's data-file convention: 0 to 4 is an answer;
// empty, NA, 8 and 9 are missing.
func scoreCell(cell string) (instruments.Answer, bool) {
	switch {
	case len(cell) == 1 && cell[0] >= '0' && cell[0] <= '4':
		return instruments.Answer(cell[0] - '0'), true
	case cell == "" || cell == "NA" || cell == "8" || cell == "9":
		return instruments.NotReached, true
	}
	return instruments.NotReached, false
}

// badCells names every bad cell of a row, in the order of the instrument.
func (t *scoreTable) badCells(record []string) string {
	var faults []string
	for i, column := range t.items {
		cell := record[column]
		if _, ok := scoreCell(cell); ok {
			continue
		}
		if letters := []rune(cell); len(letters) > 40 {
			cell = string(letters[:40]) + "…"
		}
		faults = append(faults, fmt.Sprintf("%s: %q is not 0-4, empty, NA, 8 or 9", factb.FACTB.Items[i].Code, cell))
	}
	return strings.Join(faults, "; ")
}

// appendPoints writes the shortest decimal that reads back to the same double.
func appendPoints(dst []byte, points float64) []byte {
	// Most forms are complete and most scores whole, where this is much quicker.
	if whole := int64(points); float64(whole) == points {
		return strconv.AppendInt(dst, whole, 10)
	}
	return strconv.AppendFloat(dst, points, 'f', -1, 64)
}

// appendCSV writes a field, quoted where a reader would otherwise misread it.
func appendCSV(dst []byte, field string) []byte {
	// PostgreSQL takes a bare \. for the end of the data; encoding/csv quotes it too.
	if !strings.ContainsAny(field, "\",\r\n") && !strings.HasPrefix(field, " ") && field != `\.` {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for i := range len(field) {
		if field[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, field[i])
	}
	return append(dst, '"')
}

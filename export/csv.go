package export

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"
)

// csvEncoder writes UTF-8 with LF line ends, a header, and nothing at all for a
// missing cell.
type csvEncoder struct {
	buffer *bufio.Writer
	out    *csv.Writer
	cells  []string
	open   []bool // columns whose texts people have written: no closed list
}

func newCSV(w io.Writer) Encoder {
	buffer := bufio.NewWriterSize(w, 64<<10)
	return &csvEncoder{buffer: buffer, out: csv.NewWriter(buffer)}
}

// Begin writes the header.
func (e *csvEncoder) Begin(h Head) error {
	e.cells, e.open = make([]string, len(h.Columns)), make([]bool, len(h.Columns))
	for i, c := range h.Columns {
		e.cells[i], e.open[i] = c.Name, c.Kind == Text && c.Codes == nil
	}
	return e.out.Write(e.cells)
}

// Row writes one line.
func (e *csvEncoder) Row(cells []Value) error {
	for i, v := range cells {
		e.cells[i] = v.String()
		if e.open[i] {
			e.cells[i] = harmless(e.cells[i])
		}
	}
	return e.out.Write(e.cells)
}

// End writes what is still held back.
func (e *csvEncoder) End() error {
	e.out.Flush()
	if err := e.out.Error(); err != nil {
		return err
	}
	return e.buffer.Flush()
}

// harmless puts an apostrophe before a text that a spreadsheet would take for a
// formula and run. Numbers are no texts, so a negative one stays a number. A text
// that has apostrophes there already gets one more, so that whoever takes one
// away always has the text as it was.
func harmless(s string) string {
	if bare := strings.TrimLeft(s, "'"); bare != "" && strings.ContainsRune("=+-@\t\r\n", rune(bare[0])) {
		return "'" + s
	}
	return s
}

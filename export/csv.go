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
}

func newCSV(w io.Writer) Encoder {
	buffer := bufio.NewWriterSize(w, 64<<10)
	return &csvEncoder{buffer: buffer, out: csv.NewWriter(buffer)}
}

// Begin writes the header.
func (e *csvEncoder) Begin(d Dataset) error {
	e.cells = make([]string, len(d.Columns))
	for i, c := range d.Columns {
		e.cells[i] = c.Name
	}
	return e.out.Write(e.cells)
}

// Row writes one line.
func (e *csvEncoder) Row(cells []Value) error {
	for i, v := range cells {
		e.cells[i] = v.String()
		if v.kind == Text {
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
// formula and run. Numbers are no texts, so a negative one stays a number.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

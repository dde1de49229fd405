package export

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// csvEncoder writes UTF-8 with LF line ends, a header, and nothing at all for a
// missing cell. It quotes what the library's writer quotes; that one takes texts
// only, and making one of every number takes as long as the writing.
type csvEncoder struct {
	out  *bufio.Writer
	line []byte
	open []bool // columns whose texts people have written: no closed list
}

func newCSV(w io.Writer) Encoder { return &csvEncoder{out: bufio.NewWriterSize(w, 64<<10)} }

// Begin writes the header.
func (e *csvEncoder) Begin(h Head) error {
	e.open = make([]bool, len(h.Columns))
	for i, c := range h.Columns {
		e.open[i] = c.open()
		e.line = append(appendCSV(e.line, c.Name), ',')
	}
	return e.flush()
}

// Row writes one line.
func (e *csvEncoder) Row(cells []Value) error {
	for i := range cells {
		switch v := &cells[i]; {
		case v.kind != Text:
			e.line = v.append(e.line)
		case e.open[i]:
			e.line = appendCSV(e.line, harmless(v.text))
		default:
			e.line = appendCSV(e.line, v.text)
		}
		e.line = append(e.line, ',')
	}
	return e.flush()
}

// flush ends the line, of which the last comma is one too many.
func (e *csvEncoder) flush() error {
	e.line[len(e.line)-1] = '\n'
	_, err := e.out.Write(e.line)
	e.line = e.line[:0]
	return err
}

// End writes what is still held back.
func (e *csvEncoder) End() error { return e.out.Flush() }

// appendCSV adds a text, in quotes where a reader would misread it bare.
func appendCSV(b []byte, s string) []byte {
	if !quotedCSV(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// quotedCSV reports whether the text must stand in quotes: because of what is in
// it, because it begins with a space, or because it is the end-of-data mark of
// some readers.
func quotedCSV(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case ',', '"', '\n', '\r':
			return true
		}
	}
	if s == "" {
		return false
	}
	if s[0] > ' ' && s[0] < utf8.RuneSelf {
		return s == `\.`
	}
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(first)
}

// harmless puts an apostrophe before a text that a spreadsheet would take for a
// formula and run. Numbers are no texts, so a negative one stays a number. A text
// that has apostrophes there already gets one more, so that whoever takes one
// away always has the text as it was.
func harmless(s string) string {
	if bare := strings.TrimLeft(s, "'"); bare != "" && strings.IndexByte("=+-@\t\r\n", bare[0]) >= 0 {
		return "'" + s
	}
	return s
}

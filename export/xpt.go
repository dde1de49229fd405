package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"epro/study"
)

// The limits of SAS transport files, version 5 (SAS technical note TS-140).
const (
	maxNameXPT  = 8
	maxLabelXPT = 40
	maxTextXPT  = 200
	recordXPT   = 80
	namestrXPT  = 140
)

// xptEncoder writes SAS transport files, version 5: records of 80 bytes, text
// in US-ASCII, numbers in the floating point of IBM's System/360.
type xptEncoder struct {
	out     *bufio.Writer
	columns []Column
	text    []bool  // of each column: stored as text
	widths  []int   // of each column in a row, bytes
	row     []byte  // the last one written
	last    []Value // what it holds
	written int64
	allText bool // no column has numbers
}

func newXPT(w io.Writer) Encoder { return &xptEncoder{out: bufio.NewWriterSize(w, 64<<10)} }

// xptName is what a dataset or variable may be called.
var xptName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,7}$`)

// Begin writes everything in front of the first row.
func (e *xptEncoder) Begin(h Head) error {
	if err := fitsXPT(h.Dataset); err != nil {
		return err
	}
	e.columns, e.text, e.widths = h.Columns, make([]bool, len(h.Columns)), make([]int, len(h.Columns))
	size := 0
	for i, c := range h.Columns {
		switch c.Kind {
		case Text:
			e.widths[i] = max(h.Widths[i], 1)
		case Flag:
			e.widths[i] = 1
		default:
			e.widths[i] = 8
		}
		e.text[i] = c.Kind == Text || c.Kind == Flag
		size += e.widths[i]
	}
	e.row, e.last = bytes.Repeat([]byte{' '}, size), nil
	e.allText = !slices.Contains(e.text, false)
	var b bytes.Buffer
	e.headers(&b, h)
	position := 0
	for i, c := range h.Columns {
		b.Write(namestr(i, c, e.widths[i], position))
		position += e.widths[i]
	}
	fill(&b)
	b.WriteString(header("OBS     ", strings.Repeat("0", 30)))
	return e.write(b.Bytes())
}

// headers writes the records in front of the description of the variables.
func (e *xptEncoder) headers(b *bytes.Buffer, h Head) {
	const zeros = "000000000000000000000000000000"
	stamp := strings.ToUpper(h.At.UTC().Format("02Jan06:15:04:05"))
	system := fmt.Sprintf("%-8s%-8s%24s%16s", "9.4", "X64_10PR", "", stamp)
	b.WriteString(header("LIBRARY ", zeros))
	b.WriteString("SAS     SAS     SASLIB  " + system)
	fmt.Fprintf(b, "%-80s", stamp)
	b.WriteString(header("MEMBER  ", "000000000000000001600000000140"))
	b.WriteString(header("DSCRPTR ", zeros))
	fmt.Fprintf(b, "SAS     %-8sSASDATA %s", h.Member, system)
	fmt.Fprintf(b, "%16s%16s%-40s%8s", stamp, "", h.Label, "")
	b.WriteString(header("NAMESTR ", fmt.Sprintf("000000%04d%020d", len(h.Columns), 0)))
}

func header(kind, tail string) string {
	return "HEADER RECORD*******" + kind + "HEADER RECORD!!!!!!!" + tail + "  "
}

// fill adds blanks up to a whole record.
func fill(b *bytes.Buffer) {
	for b.Len()%recordXPT != 0 {
		b.WriteByte(' ')
	}
}

// namestr describes one variable.
func namestr(i int, c Column, width, position int) []byte {
	n := make([]byte, namestrXPT)
	put := func(at, value int) { binary.BigEndian.PutUint16(n[at:], uint16(value)) }
	kind, format, formatWidth, decimals := 1, "", 0, 0
	switch c.Kind {
	case Text, Flag:
		kind = 2
	case Date:
		format, formatWidth = "DATE", 9
	case Instant:
		format, formatWidth, decimals = "DATETIME", 23, 3
	}
	put(0, kind)
	put(4, width)
	put(6, i+1)
	copy(n[8:], fmt.Sprintf("%-8s%-40s%-8s", c.Name, c.Label, format))
	put(64, formatWidth)
	put(66, decimals)
	copy(n[72:], "        ")
	binary.BigEndian.PutUint32(n[84:], uint32(position))
	return n
}

// Row writes one row. Most cells are as in the row before, and stay as they are.
func (e *xptEncoder) Row(cells []Value) error {
	first, at := e.last == nil, 0
	if first {
		e.last = make([]Value, len(cells))
	}
	for i, width := range e.widths {
		if v, last := &cells[i], &e.last[i]; first || !v.same(last) {
			if err := e.cell(e.row[at:at+width], v, i); err != nil {
				return err
			}
			*last = *v
		}
		at += width
	}
	if e.allText && len(bytes.Trim(e.row, " ")) == 0 {
		return fmt.Errorf("a row without any value cannot be told from the end of a SAS transport file")
	}
	return e.write(e.row)
}

// cell writes one cell into its place in the row.
func (e *xptEncoder) cell(cell []byte, v *Value, i int) error {
	switch {
	case e.text[i]:
		text := v.String()
		if len(text) > len(cell) {
			return fmt.Errorf("column %s: a text of %d bytes in a column of %d", e.columns[i].Name, len(text), len(cell))
		}
		for j := copy(cell, text); j < len(cell); j++ {
			cell[j] = ' '
		}
	case v.Missing():
		binary.BigEndian.PutUint64(cell, missingXPT)
	default:
		bits, ok := ibm(numberXPT(v))
		if !ok {
			return fmt.Errorf("column %s: %s does not fit into a SAS transport file", e.columns[i].Name, v)
		}
		binary.BigEndian.PutUint64(cell, bits)
	}
	return nil
}

// missingXPT is a number that is missing: a full stop and zeros.
const missingXPT = '.' << 56

var (
	epochXPT       = study.NewDate(1960, time.January, 1)
	epochXPTMillis = epochXPT.UTC().UnixMilli()
)

// numberXPT is a cell as SAS counts: days or seconds since 1960.
func numberXPT(v *Value) float64 {
	switch v.Kind() {
	case Integer:
		return float64(v.Whole())
	case Date:
		return float64(v.Day() - epochXPT)
	case Instant:
		return float64(v.Whole()-epochXPTMillis) / 1000
	default:
		return v.Number()
	}
}

// ibm is the number in the double of IBM's System/360: a sign, seven bits of
// exponent to the base 16, and 56 bits of fraction, into which the 53 of an IEEE
// double fit without loss. False for what is too large, too small or no number.
func ibm(f float64) (uint64, bool) {
	if f == 0 {
		return 0, true
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	exponent, fraction := split(f) // f is fraction * 2^(exponent-53), the fraction of 53 bits
	base16 := (exponent + 3) >> 2  // rounded up
	bits := fraction << 3 >> uint(4*base16-exponent)
	if base16 < -64 || base16 > 63 {
		return 0, false
	}
	bits |= uint64(base16+64) << 56
	if f < 0 {
		bits |= 1 << 63
	}
	return bits, true
}

// split takes a number that is not 0 apart, without its sign.
func split(f float64) (exponent int, fraction uint64) {
	bits := math.Float64bits(f)
	exponent, fraction = int(bits>>52&0x7FF)-1022, bits&(1<<52-1)|1<<52
	if exponent == -1022 { // too small for a leading 1
		part, small := math.Frexp(math.Abs(f))
		return small, uint64(math.Ldexp(part, 53))
	}
	return exponent, fraction
}

func (e *xptEncoder) write(b []byte) error {
	n, err := e.out.Write(b)
	e.written += int64(n)
	return err
}

// End fills the last record.
func (e *xptEncoder) End() error {
	if rest := e.written % recordXPT; rest != 0 {
		if err := e.write(bytes.Repeat([]byte{' '}, int(recordXPT-rest))); err != nil {
			return err
		}
	}
	return e.out.Flush()
}

// fitsXPT refuses a dataset whose names or labels are too long.
func fitsXPT(d Dataset) error {
	refuse := func(what, reason string) error {
		return study.Fail(study.Invalid, "A SAS transport file cannot hold this dataset: "+what+" "+reason+". Choose another format.",
			study.Field{Name: "format", Reason: what + " " + reason})
	}
	const names, labels = "is no name of at most 8 letters, digits or underscores", "has a label that is not at most 40 ASCII characters"
	if !xptName.MatchString(d.Member) {
		return refuse(fmt.Sprintf("%q", d.Member), names)
	}
	if len(d.Label) > maxLabelXPT || notASCII(d.Label) {
		return refuse(d.Member, labels)
	}
	for _, c := range d.Columns {
		if !xptName.MatchString(c.Name) {
			return refuse(fmt.Sprintf("%q", c.Name), names)
		}
		if len(c.Label) > maxLabelXPT || notASCII(c.Label) {
			return refuse(c.Name, labels)
		}
	}
	return nil
}

// notInXPT says why a cell cannot stand in a SAS transport file.
func notInXPT(v Value) string {
	switch {
	case v.kind != Text:
		return ""
	case notASCII(v.text):
		return "holds a character that is not plain ASCII, which a SAS transport file cannot hold"
	case len(v.text) > maxTextXPT:
		return fmt.Sprintf("is longer than the %d bytes that a SAS transport file can hold", maxTextXPT)
	}
	return ""
}

func notASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return true
		}
	}
	return false
}

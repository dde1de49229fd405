package export

import (
	"math"
	"strconv"
	"strings"

	"epro/study"
)

// Kind is what a column holds. Each file format has its own way of writing
// each kind.
type Kind uint8

// The kinds of columns.
const (
	Text    Kind = iota // any text
	Integer             // a whole number
	Number              // a number in full double precision
	Date                // a calendar date without time or zone
	Instant             // a point in time, UTC, to the millisecond
	Flag                // Y or N
)

// kindNames are the words of the data dictionary.
var kindNames = [...]string{"text", "integer", "number", "date", "instant", "flag"}

// String is the kind's word in the data dictionary.
func (k Kind) String() string { return kindNames[k] }

// Value is one cell. The zero Value is missing, in every kind of column: an
// empty text, no date and no instant are missing too, so that no format has to
// tell an empty cell from an absent one.
type Value struct {
	present bool
	kind    Kind
	text    string
	whole   int64 // Integer; Date and Instant as package study counts them; Flag as 0 or 1; the bits of a Number
}

// TextOf is a text cell. What no file can carry in a text is replaced: a line
// break of any kind becomes a line feed, and any other control character, and
// what is no UTF-8, becomes U+FFFD.
func TextOf[T ~string](s T) Value {
	return Value{present: s != "", kind: Text, text: writable(string(s))}
}

func writable(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return cleaned(s)
		}
	}
	return s
}

func cleaned(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
			return 0xFFFD
		}
		return r
	}, s)
}

// IntegerOf is a cell with a whole number.
func IntegerOf(n int) Value { return Value{present: true, kind: Integer, whole: int64(n)} }

// NumberOf is a cell with a number.
func NumberOf(f float64) Value {
	return Value{present: true, kind: Number, whole: int64(math.Float64bits(f))}
}

// DateOf is a cell with a date; no date is missing.
func DateOf(d study.Date) Value { return Value{present: d != 0, kind: Date, whole: int64(d)} }

// InstantOf is a cell with an instant; no instant is missing.
func InstantOf(i study.Instant) Value {
	return Value{present: !i.IsZero(), kind: Instant, whole: int64(i)}
}

// FlagOf is a cell with Y or N.
func FlagOf(yes bool) Value {
	v := Value{present: true, kind: Flag}
	if yes {
		v.whole = 1
	}
	return v
}

// Missing reports whether the cell is empty.
func (v Value) Missing() bool { return !v.present }

// Kind is what the cell holds; a missing cell fits every column.
func (v Value) Kind() Kind { return v.kind }

// Whole is the value of an Integer cell.
func (v Value) Whole() int64 { return v.whole }

// Number is the value of a Number cell.
func (v Value) Number() float64 { return math.Float64frombits(uint64(v.whole)) }

// Day is the value of a Date cell.
func (v Value) Day() study.Date { return study.Date(v.whole) }

// At is the value of an Instant cell.
func (v Value) At() study.Instant { return study.Instant(v.whole) }

// Yes is the value of a Flag cell.
func (v Value) Yes() bool { return v.whole != 0 }

// String is the cell as text formats write it: numbers as the shortest decimal
// that reads back to the same double, dates as YYYY-MM-DD, instants in RFC 3339
// and UTC, flags as Y or N, and nothing for a missing one.
func (v Value) String() string {
	switch {
	case !v.present:
		return ""
	case v.kind == Text:
		return v.text
	case v.kind == Flag && v.Yes():
		return "Y"
	case v.kind == Flag:
		return "N"
	default:
		return string(v.append(make([]byte, 0, 24)))
	}
}

// append adds what String gives.
func (v *Value) append(b []byte) []byte {
	if !v.present {
		return b
	}
	switch v.kind {
	case Integer:
		return strconv.AppendInt(b, v.whole, 10)
	case Number:
		return strconv.AppendFloat(b, v.Number(), 'f', -1, 64)
	case Date:
		return appendDate(b, v.Day())
	case Instant:
		return append(b, v.At().String()...)
	default:
		return append(b, v.String()...)
	}
}

// appendDate adds YYYY-MM-DD; several stand in every row, and the library's own
// formatting is five times slower.
func appendDate(b []byte, d study.Date) []byte {
	year, month, day := d.UTC().Date()
	return append(b, digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day))
}

func digit(n int) byte { return '0' + byte(n%10) }

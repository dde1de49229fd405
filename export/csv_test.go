package export

import (
	"bytes"
	"strings"
	"testing"

	"epro/study"
)

// encode writes one row of columns a, b, … in CSV and gives back its line.
func encode(t *testing.T, cells ...Value) string {
	t.Helper()
	var out bytes.Buffer
	e := newCSV(&out)
	d := Dataset{Columns: make([]Column, len(cells))}
	for i := range d.Columns {
		d.Columns[i].Name = string(rune('a' + i))
	}
	for _, err := range []error{e.Begin(d), e.Row(cells), e.End()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, line, _ := strings.Cut(out.String(), "\n")
	return line
}

func TestTextThatASpreadsheetWouldRunGetsAnApostrophe(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1":              "'=1+1",
		"+cmd":              "'+cmd",
		"-1":                "'-1",
		"@SUM(A1)":          "'@SUM(A1)",
		"\tx":               "'\tx",
		"\rx":               "\"'\rx\"",
		"\nx":               "\"'\nx\"",
		`=HYPERLINK("x,y")`: `"'=HYPERLINK(""x,y"")"`,
		"a=1":               "a=1",
		" =1":               `" =1"`,
		"基线":                "基线",
		"-":                 "'-",
	} {
		if got := encode(t, TextOf(text)); got != want+"\n" {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCellsThatAreNoTextStayAsTheyAre(t *testing.T) {
	got := encode(t, IntegerOf(-3), NumberOf(-0.5), NumberOf(70.0/3), NumberOf(1e21), DateOf(study.NewDate(2026, 3, 7)),
		InstantOf(study.Instant(1_772_841_600_001)), FlagOf(true), FlagOf(false))
	if want := "-3,-0.5,23.333333333333332,1000000000000000000000,2026-03-07,2026-03-07T00:00:00.001Z,Y,N\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMissingIsEmptyInEveryKind(t *testing.T) {
	if got := encode(t, Value{}, TextOf(""), DateOf(0), InstantOf(0), IntegerOf(0)); got != ",,,,0\n" {
		t.Errorf("got %q", got)
	}
	for _, v := range []Value{{}, TextOf(""), DateOf(0), InstantOf(0)} {
		if !v.Missing() {
			t.Errorf("%+v is not missing", v)
		}
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	e := newCSV(full{})
	d := Dataset{Columns: make([]Column, 1)}
	err := e.Begin(d)
	for range 100_000 {
		if err != nil {
			break
		}
		err = e.Row([]Value{TextOf("some text")})
	}
	if err == nil {
		t.Error("nobody noticed")
	}
	short := newCSV(full{})
	if err := short.Begin(d); err == nil && short.End() == nil {
		t.Error("nobody noticed at the end")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

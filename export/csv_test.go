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
	h := Head{Dataset: Dataset{Columns: make([]Column, len(cells))}}
	for i := range h.Columns {
		h.Columns[i].Name, h.Columns[i].Kind = string(rune('a'+i)), cells[i].Kind()
	}
	for _, err := range []error{e.Begin(h), e.Row(cells), e.End()} {
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
		"\rx":               "\"'\nx\"", // any line break is a line feed
		"\nx":               "\"'\nx\"",
		`=HYPERLINK("x,y")`: `"'=HYPERLINK(""x,y"")"`,
		"a=1":               "a=1",
		" =1":               `" =1"`,
		"基线":                "基线",
		"-":                 "'-",
		"'=1":               "''=1",
		"it's":              "it's",
		"'":                 "'",
	} {
		if got := encode(t, TextOf(text)); got != want+"\n" {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// -P7D is a value of ours, and analysts compare with it.
func TestAValueOfAClosedListStaysAsItIs(t *testing.T) {
	var out bytes.Buffer
	e := newCSV(&out)
	h := Head{Dataset: Dataset{Columns: []Column{{Name: "a", Codes: []Code{{"-P7D", "a week"}}}}}}
	for _, err := range []error{e.Begin(h), e.Row([]Value{TextOf("-P7D")}), e.End()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "a\n-P7D\n" {
		t.Errorf("got %q", out.String())
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
	h := Head{Dataset: Dataset{Columns: make([]Column, 1)}}
	err := e.Begin(h)
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
	if err := short.Begin(h); err == nil && short.End() == nil {
		t.Error("nobody noticed at the end")
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

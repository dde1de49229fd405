package export

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/study"
)

func TestIBMNumbersAreThoseOfTheStandard(t *testing.T) {
	for f, want := range map[float64]string{0: "0000000000000000", 1: "4110000000000000", -1: "c110000000000000",
		0.1: "401999999999999a", 148: "4294000000000000", 16: "4210000000000000", 0.0625: "4010000000000000"} {
		if bits, ok := ibm(f); !ok || fmt.Sprintf("%016x", bits) != want {
			t.Errorf("%v is %016x, want %s", f, bits, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e76, 1e-80, 5e-324} {
		if _, ok := ibm(f); ok {
			t.Errorf("%v has a form", f)
		}
	}
}

func TestIBMNumbersLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(-1e60, 1e60).Draw(t, "number")
		bits, ok := ibm(f)
		if !ok {
			if math.Abs(f) > 1e-78 {
				t.Fatalf("%v has no form", f)
			}
			return
		}
		back := math.Ldexp(float64(bits&(1<<56-1)), 4*(int(bits>>56&0x7F)-64)-56) // 53 bits of them at most
		if bits>>63 == 1 {
			back = -back
		}
		if back != f {
			t.Fatalf("%v came back as %v", f, back)
		}
	})
}

func TestDatesAreWrittenAsTheLibraryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := study.NewDate(1900, time.January, 1) + study.Date(rapid.IntRange(0, 110_000).Draw(t, "day"))
		if got := string(appendDate(nil, d)); got != d.String() {
			t.Fatalf("%s, want %s", got, d)
		}
	})
}

// Every record has 80 bytes, and the head stands where the note says.
func TestASASFileIsLaidOutAsTheNoteSays(t *testing.T) {
	var out bytes.Buffer
	e := newXPT(&out)
	d := Dataset{Name: "d", Label: "A label", Member: "ADX", Columns: []Column{{Name: "NUM", Label: "A number", Kind: Number}, {Name: "TXT", Label: "A text"}, {Name: "DAY", Label: "A day", Kind: Date}}}
	h := Head{Dataset: d, At: time.Date(2026, 3, 17, 9, 5, 4, 0, time.UTC), Rows: 1, Widths: []int{0, 5, 0}}
	for _, err := range []error{e.Begin(h), e.Row([]Value{{}, TextOf("abc"), DateOf(study.NewDate(2026, time.March, 17))}), e.End()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := out.Bytes()
	if len(b)%80 != 0 || string(b[400:416]) != "SAS     ADX     " || string(b[144:160]) != "17MAR26:09:05:04" || string(b[512:519]) != "A label" ||
		string(b[614:618]) != "0003" || string(b[648:656]) != "NUM     " || !strings.HasPrefix(string(b[656:696]), "A number  ") {
		t.Errorf("%q", b)
	}
	row := b[len(b)-80:]
	if want := "\x2e\x00\x00\x00\x00\x00\x00\x00abc  \x44\x5e\x76\x00\x00\x00\x00\x00"; string(row[:21]) != want {
		t.Errorf("the row is %q, want %q", row[:21], want) // 24182 days since 1960
	}
}

func TestWhatASASFileCannotNameIsRefused(t *testing.T) {
	column := Column{Name: "A", Label: "a"}
	for what, d := range map[string]Dataset{
		"long name":        {Member: "TOOLONGNAME", Label: "x", Columns: []Column{column}},
		"long label":       {Member: "X", Label: strings.Repeat("x", 41), Columns: []Column{column}},
		"foreign label":    {Member: "X", Label: "é", Columns: []Column{column}},
		"long column":      {Member: "X", Label: "x", Columns: []Column{{Name: "ABCDEFGHI", Label: "x"}}},
		"small letters":    {Member: "X", Label: "x", Columns: []Column{{Name: "abc", Label: "x"}}},
		"long column text": {Member: "X", Label: "x", Columns: []Column{{Name: "A", Label: strings.Repeat("x", 41)}}},
	} {
		err := newXPT(&bytes.Buffer{}).Begin(Head{Dataset: d, Widths: make([]int, 1)})
		if study.CodeOf(err) != study.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	for text, refused := range map[string]bool{strings.Repeat("x", 200): false, strings.Repeat("x", 201): true, "é": true, "a\nb": true, "x ~": false} {
		if why := notInXPT(TextOf(text)); (why != "") != refused {
			t.Errorf("%.10q: %q", text, why)
		}
	}
}

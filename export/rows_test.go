package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"epro/study"
)

// anyCell is a cell of any kind, now and then a missing one.
func anyCell() *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		switch Kind(rapid.IntRange(0, 7).Draw(t, "kind")) {
		case Text:
			return TextOf(rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile), rapid.SampledFrom(plain), rapid.SampledFrom([]string{`\.`, " x", "\u00a0x", "\u2003", "a,b"})).Draw(t, "text"))
		case Integer:
			return IntegerOf(rapid.Int().Draw(t, "whole"))
		case Number:
			return NumberOf(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1)})).Draw(t, "number"))
		case Date:
			return DateOf(study.Date(rapid.IntRange(1, 3_000_000).Draw(t, "day")))
		case Instant:
			return InstantOf(study.Instant(rapid.Int64Range(-1e13, 1e14).Draw(t, "instant")))
		case Flag:
			return FlagOf(rapid.Bool().Draw(t, "flag"))
		default:
			return Value{}
		}
	})
}

func TestKeptRowsComeBackAsTheyWereToSeveralReadersAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 20).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(anyCell(), columns, columns), 0, 12).Draw(t, "rows")
		for i := 1; i < len(rows); i++ { // most cells are as in the row before
			for c := range rows[i] {
				if rapid.IntRange(0, 2).Draw(t, "again") > 0 {
					rows[i][c] = rows[i-1][c]
				}
			}
		}
		if long := rapid.IntRange(-20, len(rows)-1).Draw(t, "long"); long >= 0 { // does not fit into memory
			rows[long][0] = TextOf(strings.Repeat("x", keptInMemory))
		}
		k := newKeptRows(columns)
		defer func() { _ = k.Close() }()
		for _, row := range rows {
			if err := k.add(row); err != nil {
				t.Fatal(err)
			}
		}
		var readers sync.WaitGroup
		got := make([][][]Value, 3)
		errs := make([]error, len(got))
		for i := range got {
			readers.Go(func() {
				errs[i] = k.each(func(cells []Value) error { got[i] = append(got[i], slices.Clone(cells)); return nil })
			})
		}
		readers.Wait()
		for i := range got {
			same := slices.EqualFunc(got[i], rows, func(a, b []Value) bool {
				return slices.EqualFunc(a, b, func(x, y Value) bool { return x.same(&y) })
			})
			if errs[i] != nil || !same {
				t.Fatalf("%v\n%v\nwere\n%v", errs[i], got[i], rows)
			}
		}
		if err := errors.Join(k.Close(), k.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

// Every byte is the one that the library's writer gives for the same texts.
func TestCSVIsWrittenAsTheLibraryDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(anyCell(), 3, 3), 0, 6).Draw(t, "rows")
		d := Dataset{Columns: []Column{{Name: "OPEN"}, {Name: "CLOSED", Codes: onlyY}, {Name: "NUMBER", Kind: Number}}}
		var got, want bytes.Buffer
		e, w := newCSV(&got), csv.NewWriter(&want)
		errs := []error{e.Begin(Head{Dataset: d}), w.Write([]string{"OPEN", "CLOSED", "NUMBER"})}
		for _, row := range rows {
			texts := []string{row[0].String(), row[1].String(), row[2].String()}
			if row[0].kind == Text {
				texts[0] = harmless(texts[0])
			}
			errs = append(errs, e.Row(row), w.Write(texts))
		}
		w.Flush()
		if err := errors.Join(append(errs, e.End())...); err != nil || got.String() != want.String() {
			t.Fatalf("%v\n%q\n%q", err, got.String(), want.String())
		}
	})
}

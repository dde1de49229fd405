package plot_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/web/plot"
)

// element is one element of a drawing, with its attributes and text.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// read takes a drawing apart, or fails on one that is not well-formed.
func read(t interface {
	Helper()
	Fatalf(string, ...any)
}, svg []byte) []*element {
	t.Helper()
	var all, open []*element
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			e := &element{name: x.Name.Local, attrs: map[string]string{}}
			for _, a := range x.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(x)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

func TestADrawingSaysWhatItShowsToWhoDoesNotSeeIt(t *testing.T) {
	all := read(t, plot.Chart{ID: "change", Title: "Mean change", Description: "It falls.", X: plot.Around("visit", 4, 0, 4), Y: plot.Around("points", 4, -5, 5)}.SVG())
	svg, title, desc := all[0], all[1], all[2]
	if svg.name != "svg" || svg.attrs["role"] != "img" || svg.attrs["aria-labelledby"] != "change-t change-d" {
		t.Errorf("%+v", svg)
	}
	if title.name != "title" || title.attrs["id"] != "change-t" || title.text != "Mean change" || desc.name != "desc" || desc.attrs["id"] != "change-d" || desc.text != "It falls." {
		t.Errorf("%+v %+v", title, desc)
	}
}

func TestWhatIsHigherIsDrawnHigherAndWhatIsLaterFurtherRight(t *testing.T) {
	low, high := -4.0, 2.0
	c := plot.Chart{ID: "c", X: plot.Around("x", 4, 0, 10), Y: plot.Around("y", 4, -10, 10), Lines: []plot.Line{{Colour: plot.Blue, Points: []plot.Point{
		{X: 1, Y: -1, Low: &low, High: &high, Dot: true, Label: "one"}, {X: 5, Y: 8, Dot: true, Faint: true, Label: "two"}}}}}
	var dots []*element
	for _, e := range read(t, c.SVG()) {
		if e.name == "circle" {
			dots = append(dots, e)
		}
	}
	number := func(e *element, name string) float64 {
		x, err := strconv.ParseFloat(e.attrs[name], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if len(dots) != 2 || number(dots[0], "cx") >= number(dots[1], "cx") || number(dots[0], "cy") <= number(dots[1], "cy") {
		t.Errorf("%+v %+v", dots[0], dots[1])
	}
	if dots[0].attrs["opacity"] != "" || dots[1].attrs["opacity"] == "" {
		t.Error("what rests on few numbers looks like the rest")
	}
}

// Any text at all, also one that tries to leave its place.
func TestNoTextBreaksADrawing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"><script>alert(1)</script>`, "</desc>", "\x00\x1b\ufffe", "]]>", "&amp;"})).Draw(t, "text")
		ticks := []plot.Tick{{At: 0, Label: word}}
		v := rapid.Float64Range(-1e6, 1e6).Draw(t, "value")
		c := plot.Chart{ID: "c", Title: word, Description: word, Legend: []plot.Key{{Colour: plot.Red, Label: word}}, X: plot.Axis{Label: word, Max: 1, Ticks: ticks}, Y: plot.Around(word, 5, v, v/3),
			Rules: []plot.Rule{{At: v, Label: word}}, Bars: []plot.Bar{{At: 0.5, To: v, Width: 0.2, Label: word}},
			Lines: []plot.Line{{Steps: true, Points: []plot.Point{{X: 0, Y: v, Dot: true, Tick: true, Label: word}, {X: 1, Y: v / 2}}}},
			Rows:  []plot.Row{{Label: word, Cells: ticks}}}
		svg := c.SVG()
		allowed := []string{"svg", "title", "desc", "rect", "text", "path", "circle"}
		for _, e := range read(t, svg) {
			if !slices.Contains(allowed, e.name) || e.attrs["style"] != "" || e.attrs["onload"] != "" {
				t.Fatalf("%+v", e)
			}
		}
		if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
			t.Fatalf("a number that is none:\n%s", svg)
		}
	})
}

func TestAnAxisHoldsItsValuesBetweenRoundTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-500, 500), 0, 20).Draw(t, "values")
		a := plot.Around("y", 5, values...)
		for _, v := range values {
			if v < a.Min-1e-9 || v > a.Max+1e-9 {
				t.Fatalf("%v is outside %v to %v", v, a.Min, a.Max)
			}
		}
		if len(a.Ticks) < 2 || len(a.Ticks) > 9 {
			t.Fatalf("%d ticks: %v", len(a.Ticks), a.Ticks)
		}
	})
	if got := plot.Around("y", 6, 7e-12, -2e-12).Ticks; len(got) > 9 {
		t.Errorf("values that rounding made unequal have the ticks %v", got)
	}
	got := plot.Around("y", 4, -7, 12.5)
	var labels []string
	for _, tick := range got.Ticks {
		labels = append(labels, tick.Label)
	}
	if strings.Join(labels, " ") != "-10 -5 0 5 10 15" {
		t.Errorf("%v", labels)
	}
}

// Package plot draws the few charts of the analyst's page as SVG: lines with
// intervals, steps, bars and heat maps, over numbers that stand under the axis. It knows
// nothing of studies. The same chart gives the same bytes.
//
// A drawing carries its title and description for readers who do not see it,
// and nothing in it needs a style sheet or a script, so that a file of it looks
// like the page.
package plot

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
)

// Chart is what is to be drawn. Positions are in the units of its axes.
type Chart struct {
	ID          string // unique on the page: letters, digits, hyphens
	Title       string
	Description string // what it shows, in sentences, with its figures
	Legend      []Key
	X, Y        Axis
	Rules       []Rule
	Bars        []Bar
	Lines       []Line
	Rows        []Row
	Heat        []HeatRow // where it has rows, the chart is a heat map: X has its columns
}

// Axis runs from Min to Max; marks outside are not drawn.
type Axis struct {
	Label    string
	Min, Max float64
	Ticks    []Tick
}

// Tick is a labelled place on an axis.
type Tick struct {
	At    float64
	Label string
}

// Key says what a colour stands for.
type Key struct {
	Colour Colour
	Label  string
}

// Rule is a dashed line across the chart, at a value of Y, with a label.
type Rule struct {
	At    float64
	Label string
}

// Bar is a column from From to To around a place on X.
type Bar struct {
	At, From, To float64
	Width        float64 // in units of X
	Colour       Colour
	Faint        bool // rests on few numbers
	Label        string
}

// Line joins points, straight or as steps that hold until the next.
type Line struct {
	Colour Colour
	Steps  bool
	Faint  bool // rests on few numbers
	Points []Point
}

// Point is a value, with its interval where it has one.
type Point struct {
	X, Y      float64
	Low, High *float64
	Dot       bool // draw a dot
	Tick      bool // draw a short upright stroke, for a censored time
	Faint     bool // rests on few numbers
	Label     string
}

// Row is a line of numbers under the axis, each at its place on X.
type Row struct {
	Label string
	Cells []Tick
}

// Colour is one that people with colour blindness can tell from the others.
type Colour string

// The colours, dark enough on white.
const (
	Blue  Colour = "#0072b2"
	Red   Colour = "#c04e00"
	Green Colour = "#007a59"
	Grey  Colour = "#767676"
)

// The frame, in pixels.
const (
	width, height = 760, 350
	left, right   = 74, 16
	top, bottom   = 54, 52
	rowHeight     = 18
	fontSize      = 13
)

// drawing writes one chart.
type drawing struct {
	Chart
	bytes.Buffer
}

// SVG is the drawing.
func (c Chart) SVG() []byte {
	d := &drawing{Chart: c}
	tall := d.tall()
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="%s-t %s-d" font-family="system-ui, sans-serif" font-size="%d" fill="#1a1a1a">`,
		width, tall, width, tall, html.EscapeString(c.ID), html.EscapeString(c.ID), fontSize)
	d.put(`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, html.EscapeString(c.ID), text(c.Title), html.EscapeString(c.ID), text(c.Description))
	d.put(`<rect width="%d" height="%d" fill="#ffffff"/>`, width, tall)
	d.put(`<text x="%d" y="20" font-weight="600" font-size="15">%s</text>`, left, text(c.Title))
	if len(c.Heat) > 0 {
		d.heat()
	} else {
		d.marks()
	}
	d.put("</svg>\n")
	return d.Bytes()
}

// marks draws everything between the axes.
func (d *drawing) marks() {
	d.legend()
	d.axes()
	for _, r := range d.Rules {
		d.rule(r)
	}
	for _, b := range d.Bars {
		d.bar(b)
	}
	for _, l := range d.Lines {
		d.line(l)
	}
	for _, r := range d.Rules {
		d.ruleLabel(r) // over the lines
	}
	for i, r := range d.Rows {
		d.row(i, r)
	}
}

func (d *drawing) put(format string, args ...any) { fmt.Fprintf(&d.Buffer, format, args...) }

// text is text between tags: what XML cannot hold is left out.
func text(s string) string {
	clean := bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, bytes.ToValidUTF8([]byte(s), nil))
	return html.EscapeString(string(clean))
}

// place is a position in pixels, to a tenth.
func place(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// x and y turn values into pixels.
func (d *drawing) x(v float64) float64 {
	return left + (v-d.X.Min)/span(d.X)*(width-left-right)
}

func (d *drawing) y(v float64) float64 {
	return height - bottom - (v-d.Y.Min)/span(d.Y)*(height-top-bottom)
}

// span is never nothing.
func span(a Axis) float64 {
	if a.Max > a.Min {
		return a.Max - a.Min
	}
	return 1
}

func (a Axis) holds(v float64) bool { return v >= a.Min && v <= a.Max }

// clamp keeps an interval's end inside the frame.
func (a Axis) clamp(v float64) float64 { return min(max(v, a.Min), a.Max) }

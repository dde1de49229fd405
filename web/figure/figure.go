// Package figure turns the tables of package analysis into what a paper shows:
// a plot, the numbers that it was drawn from, and the notes that belong under
// it. Pages and files show the same figures.
package figure

import (
	"fmt"
	"strconv"
	"strings"

	"epro/web/plot"
)

// Figure is a plot with the numbers that it was drawn from.
type Figure struct {
	Name  string // for addresses and files: letters only
	Title string
	Chart plot.Chart
	Table [][]string // the first row is the heading; numbers unrounded
	Notes []string   // what a reader must know besides
}

// few is the note under a plot with greyed marks.
const few = "Pale: fewer than ten people."

// number is a figure in full; none is empty.
func number(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', -1, 64)
}

// short rounds for the eye.
func short(x *float64, digits int) string {
	if x == nil {
		return "none"
	}
	return strconv.FormatFloat(*x, 'f', digits, 64)
}

func percent(x *float64) string {
	if x == nil {
		return "none"
	}
	return strconv.FormatFloat(100**x, 'f', 0, 64) + " %"
}

// visitAxis has a place for each visit: 0, 1, 2 …
func visitAxis(codes []string) plot.Axis {
	a := plot.Axis{Label: "Visit", Min: -0.6, Max: float64(max(len(codes), 1)) - 0.4}
	for i, code := range codes {
		a.Ticks = append(a.Ticks, plot.Tick{At: float64(i), Label: strings.TrimSuffix(code, "D1")})
	}
	return a
}

// rateAxis is from nobody to everybody.
func rateAxis(label string) plot.Axis {
	a := plot.Axis{Label: label, Max: 1}
	for i := 0; i <= 4; i++ {
		a.Ticks = append(a.Ticks, plot.Tick{At: float64(i) / 4, Label: fmt.Sprintf("%d %%", 25*i)})
	}
	return a
}

// sentence is a description: what it is, then its figures.
func sentence(what string, figures []string) string {
	if len(figures) == 0 {
		return what + " There are no figures yet."
	}
	return what + " " + strings.Join(figures, "; ") + "."
}

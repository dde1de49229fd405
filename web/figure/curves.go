package figure

import (
	"fmt"
	"strconv"
	"strings"

	"epro/analysis"
	"epro/web/plot"
)

// Deterioration draws the Kaplan–Meier curve with the numbers at risk.
func Deterioration(t analysis.DeteriorationTable) Figure {
	r := t.Rule
	f := Figure{Name: "deterioration", Title: "Time to deterioration of " + t.Scale, Notes: []string{
		fmt.Sprintf("Fall of %s points or more, %s; death: %s; two or more missed: %s; progression: %s.", short(&r.Threshold, 1), r.Variant, r.Death, r.Gap, r.Progression),
		"Upright strokes: censored. " + few}}
	f.Table = [][]string{strings.Fields("days n_risk n_event n_censor survival se ci_low ci_high")}
	last := 1
	line := plot.Line{Colour: plot.Blue, Steps: true, Points: []plot.Point{{X: 0, Y: 1}}}
	rest := plot.Line{Colour: plot.Blue, Steps: true, Faint: true} // with few at risk
	for _, s := range t.Curve.Steps {
		last = max(last, s.Days)
		f.Table = append(f.Table, []string{strconv.Itoa(s.Days), strconv.Itoa(s.AtRisk), strconv.Itoa(s.Events), strconv.Itoa(s.Censored),
			number(&s.Survival), number(&s.SE), number(s.Low), number(s.High)})
		point := plot.Point{X: float64(s.Days), Y: s.Survival, Tick: s.Censored > 0}
		if s.AtRisk >= analysis.Few {
			line.Points = append(line.Points, point)
			continue
		}
		if len(rest.Points) == 0 {
			rest.Points = append(rest.Points, line.Points[len(line.Points)-1])
		}
		point.Faint = true
		rest.Points = append(rest.Points, point)
	}
	risk, axis := plot.Row{Label: "at risk"}, plot.Axis{Label: "Weeks from the first dose", Max: float64(last)}
	for day := 0; day <= last; day += 42 {
		axis.Ticks = append(axis.Ticks, plot.Tick{At: float64(day), Label: strconv.Itoa(day / 7)})
		risk.Cells = append(risk.Cells, plot.Tick{At: float64(day), Label: strconv.Itoa(t.Curve.AtRisk(day))})
	}
	median := fmt.Sprintf("%d people, %d deteriorated; median %s days (%s to %s).", t.Curve.N, t.Curve.Events,
		short(t.Curve.Median, 0), short(t.Curve.MedianLow, 0), short(t.Curve.MedianHigh, 0))
	f.Notes = append(f.Notes, median)
	f.Chart = plot.Chart{ID: f.Name, Title: f.Title, Description: "Kaplan–Meier estimate of the share without deterioration. " + median,
		X: axis, Y: rateAxis("Without deterioration"), Rules: []plot.Rule{{At: 0.5, Label: "half"}}, Lines: []plot.Line{line, rest}, Rows: []plot.Row{risk}}
	return f
}

// Distribution draws the cumulative distribution of the change.
func Distribution(t analysis.DistributionTable) Figure {
	f := Figure{Name: "distribution", Title: "Cumulative distribution of the change of " + t.Scale}
	f.Table = [][]string{strings.Fields("visit n change share")}
	chart := plot.Chart{ID: f.Name, Title: f.Title, Y: rateAxis("People with this change or less")}
	var values []float64
	var said []string
	for _, v := range t.Visits {
		line := plot.Line{Colour: plot.Blue, Steps: true, Faint: v.Few}
		f.Notes = []string{few}
		before := 0.0
		for _, s := range v.Steps {
			f.Table = append(f.Table, []string{v.Code, strconv.Itoa(v.N), number(&s.Change), number(&s.Share)})
			if len(line.Points) == 0 {
				line.Points = append(line.Points, plot.Point{X: s.Change, Y: before})
			}
			line.Points = append(line.Points, plot.Point{X: s.Change, Y: s.Share})
			values = append(values, s.Change)
		}
		chart.Lines = append(chart.Lines, line)
		said = append(said, fmt.Sprintf("%s: %d people", v.Name, v.N))
	}
	if t.MID != nil {
		values = append(values, -*t.MID, *t.MID)
	}
	chart.Title += " at " + strings.Join(said, "; ")
	chart.Description = sentence("Share of people with a change of so many points or less.", said)
	chart.X = plot.Around("Change in points", 8, values...)
	f.Chart = chart
	return f
}

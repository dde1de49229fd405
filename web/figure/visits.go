package figure

import (
	"fmt"
	"strconv"
	"strings"

	"epro/analysis"
	"epro/web/plot"
)

// Completion draws the rates by visit.
func Completion(t analysis.CompletionTable) Figure {
	f := Figure{Name: "completion", Title: "Completion of " + t.Scale, Notes: []string{few,
		"Fixed: valid forms of everybody in the PRO population whose window has closed. Variable: of those who were alive and in the trial."}}
	f.Table = [][]string{strings.Fields("visit n_pop n_dead n_off n_off_pro n_expected n_received n_valid n_received_not_valid n_missing n_superseded rate_fixed rate_variable rate_variable_on_pro")}
	var codes, said []string
	expected := plot.Row{Label: "expected"}
	variable, fixed := plot.Line{Colour: plot.Blue}, plot.Line{Colour: plot.Red}
	for i, r := range t.Visits {
		at := float64(i)
		codes = append(codes, r.Visit)
		expected.Cells = append(expected.Cells, plot.Tick{At: at, Label: strconv.Itoa(r.NExpected)})
		row := []string{r.Visit}
		for _, n := range []int{r.NPop, r.NDead, r.NOff, r.NOffPRO, r.NExpected, r.NReceived, r.NValid, r.NReceivedNotValid, r.NMissing, r.NSuperseded} {
			row = append(row, strconv.Itoa(n))
		}
		f.Table = append(f.Table, append(row, number(r.RateFixed), number(r.RateVariable), number(r.RateVariableOnPRO)))
		if r.RateVariable == nil {
			continue
		}
		label := fmt.Sprintf("%s: %s of %d expected, %s of %d in the population", r.Visit, percent(r.RateVariable), r.NExpected, percent(r.RateFixed), r.NPop)
		said = append(said, label)
		variable.Points = append(variable.Points, plot.Point{X: at, Y: *r.RateVariable, Dot: true, Faint: r.NExpected < analysis.Few, Label: label})
		fixed.Points = append(fixed.Points, plot.Point{X: at, Y: *r.RateFixed, Dot: true, Faint: r.NPop < analysis.Few, Label: label})
	}
	f.Chart = plot.Chart{ID: f.Name, Title: f.Title, Description: sentence("Valid forms by visit.", said),
		Legend: []plot.Key{{Colour: plot.Blue, Label: "variable rate"}, {Colour: plot.Red, Label: "fixed rate"}},
		X:      visitAxis(codes), Y: rateAxis("Valid forms"), Lines: []plot.Line{fixed, variable}, Rows: []plot.Row{expected}}
	return f
}

// Change draws the mean change by visit, with its interval and the MID.
func Change(t analysis.ScoreTable) Figure {
	f := Figure{Name: "change", Title: "Mean change of " + t.Scale + " from baseline", Notes: []string{few, "Bars: 95 % t interval. Higher is better."}}
	f.Table = [][]string{strings.Fields("visit n mean sd ci_low ci_high min q1 median q3 max")}
	var codes, said []string
	var values []float64
	n, line := plot.Row{Label: "n"}, plot.Line{Colour: plot.Blue}
	for i, r := range t.Visits {
		codes = append(codes, r.Code)
		n.Cells = append(n.Cells, plot.Tick{At: float64(i), Label: strconv.Itoa(r.N)})
		f.Table = append(f.Table, []string{r.Code, strconv.Itoa(r.N), number(r.Mean), number(r.SD), number(r.Low), number(r.High),
			number(r.Min), number(r.Q1), number(r.Median), number(r.Q3), number(r.Max)})
		if r.Mean == nil {
			continue
		}
		label := fmt.Sprintf("%s: %s (%s to %s), n %d", r.Code, short(r.Mean, 1), short(r.Low, 1), short(r.High, 1), r.N)
		said = append(said, label)
		line.Points = append(line.Points, plot.Point{X: float64(i), Y: *r.Mean, Low: r.Low, High: r.High, Dot: true, Faint: r.Few, Label: label})
		if values = append(values, *r.Mean); !r.Few && r.Low != nil {
			values = append(values, *r.Low, *r.High)
		}
	}
	rules := []plot.Rule{{At: 0, Label: "no change"}}
	if t.MID != nil {
		rules = append(rules, plot.Rule{At: -*t.MID, Label: "−MID " + short(t.MID, 0)}, plot.Rule{At: *t.MID, Label: "+MID " + short(t.MID, 0)})
		values = append(values, *t.MID*1.2, -*t.MID*1.2)
	}
	f.Chart = plot.Chart{ID: f.Name, Title: f.Title, Description: sentence("Mean change by visit with its 95 % interval.", said),
		X: visitAxis(codes), Y: plot.Around("Points", 6, values...), Rules: rules, Lines: []plot.Line{line}, Rows: []plot.Row{n}}
	return f
}

// Responders draws who improved, stayed and worsened, by visit.
func Responders(t analysis.ResponderTable) Figure {
	f := Figure{Name: "responders", Title: fmt.Sprintf("Change of %s by %s points or more", t.Scale, short(&t.Threshold, 1)),
		Notes: []string{few, "Among those with a valid form at the visit and a baseline. Threshold: " + t.Source + "."}}
	f.Table = [][]string{strings.Fields("visit among of improved improved_rate improved_low improved_high stable stable_rate worsened worsened_rate worsened_low worsened_high")}
	var codes, said []string
	var bars []plot.Bar
	n := plot.Row{Label: "n"}
	row := func(visit, among string, r analysis.Response) {
		f.Table = append(f.Table, []string{visit, among, strconv.Itoa(r.Improved.Of), strconv.Itoa(r.Improved.N), number(r.Improved.Rate), number(r.Improved.Low), number(r.Improved.High),
			strconv.Itoa(r.Stable.N), number(r.Stable.Rate), strconv.Itoa(r.Worsened.N), number(r.Worsened.Rate), number(r.Worsened.Low), number(r.Worsened.High)})
	}
	for i, r := range t.Visits {
		at, v := float64(i), r.AmongValid
		codes = append(codes, r.Code)
		n.Cells = append(n.Cells, plot.Tick{At: at, Label: strconv.Itoa(v.Improved.Of)})
		row(r.Code, "valid", v)
		row(r.Code, "all", r.AmongAll)
		if v.Improved.Rate == nil {
			continue
		}
		label := fmt.Sprintf("%s: %s improved, %s stable, %s worsened of %d", r.Code, percent(v.Improved.Rate), percent(v.Stable.Rate), percent(v.Worsened.Rate), v.Improved.Of)
		said = append(said, label)
		from := 0.0
		for _, part := range []struct {
			rate   float64
			colour plot.Colour
		}{{*v.Improved.Rate, plot.Green}, {*v.Stable.Rate, plot.Grey}, {*v.Worsened.Rate, plot.Red}} {
			bars = append(bars, plot.Bar{At: at, From: from, To: from + part.rate, Width: 0.7, Colour: part.colour, Faint: r.Few, Label: label})
			from += part.rate
		}
	}
	f.Chart = plot.Chart{ID: f.Name, Title: f.Title, Description: sentence("Share of people by visit.", said),
		Legend: []plot.Key{{Colour: plot.Red, Label: "worsened"}, {Colour: plot.Grey, Label: "stable"}, {Colour: plot.Green, Label: "improved"}},
		X:      visitAxis(codes), Y: rateAxis("People"), Bars: bars, Rows: []plot.Row{n}}
	return f
}

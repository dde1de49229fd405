package figure_test

import (
	"slices"
	"strings"
	"testing"

	"epro/analysis"
	"epro/web/figure"
)

func p(x float64) *float64 { return &x }

func point(code string) analysis.Point { return analysis.Point{Code: code, Name: code} }

func TestAFigureHasItsNumbersUnroundedAndInWords(t *testing.T) {
	f := figure.Change(analysis.ScoreTable{About: analysis.About{Scale: "TOI"}, MID: p(5), Visits: []analysis.ScoreRow{
		{Point: point("C2D1"), Summary: analysis.Summary{N: 12, Mean: p(-1.0 / 3), SD: p(2), Low: p(-1.5), High: p(0.75), Min: p(-4), Q1: p(-2), Median: p(0), Q3: p(1), Max: p(3)}},
		{Point: point("C3D1"), Summary: analysis.Summary{N: 1, Few: true, Mean: p(2), Min: p(2), Q1: p(2), Median: p(2), Q3: p(2), Max: p(2)}},
		{Point: point("C4D1"), Summary: analysis.Summary{Few: true}},
	}})
	want := [][]string{
		strings.Fields("visit n mean sd ci_low ci_high min q1 median q3 max"),
		{"C2D1", "12", "-0.3333333333333333", "2", "-1.5", "0.75", "-4", "-2", "0", "1", "3"},
		{"C3D1", "1", "2", "", "", "", "2", "2", "2", "2", "2"}, // neither deviation nor interval
		{"C4D1", "0", "", "", "", "", "", "", "", "", ""},
	}
	for i := range want {
		if !slices.Equal(f.Table[i], want[i]) {
			t.Errorf("row %d: %q", i, f.Table[i])
		}
	}
	for _, part := range []string{"C2D1: -0.3 (-1.5 to 0.8), n 12", "C3D1: 2.0 (none to none), n 1"} {
		if !strings.Contains(f.Chart.Description, part) {
			t.Errorf("%q is not in %q", part, f.Chart.Description)
		}
	}
	line := f.Chart.Lines[0].Points
	if len(line) != 2 || line[0].Faint || !line[1].Faint || line[1].Low != nil {
		t.Errorf("%+v", line)
	}
	if len(f.Chart.Rules) != 3 || f.Chart.Rules[1].At != -5 || f.Chart.Rules[2].At != 5 {
		t.Errorf("the MID is not marked: %+v", f.Chart.Rules)
	}
}

func TestThePartsOfABarAreWorsenedOverStableOverImproved(t *testing.T) {
	share := func(n int) analysis.Share { return analysis.Share{N: n, Of: 20, Rate: p(float64(n) / 20)} }
	f := figure.Responders(analysis.ResponderTable{About: analysis.About{Scale: "PWB"}, Threshold: 2,
		Visits: []analysis.ResponseRow{{Point: point("C2D1"), AmongValid: analysis.Response{Improved: share(5), Stable: share(9), Worsened: share(6)}}}})
	var ends []float64
	for _, b := range f.Chart.Bars {
		ends = append(ends, b.From, b.To)
	}
	if len(ends) != 6 || ends[0] != 0 || ends[1] != 0.25 || ends[2] != 0.25 || ends[4] != ends[3] || ends[5] < 0.999 || ends[5] > 1.001 {
		t.Errorf("%v", ends)
	}
}

func TestACurveGoesPaleWhereFewAreLeftAndShowsWhoIsAtRisk(t *testing.T) {
	var times []analysis.Time
	for day := 1; day <= 60; day += 3 { // twenty people
		times = append(times, analysis.Time{Days: day, Event: day%2 == 1})
	}
	c := analysis.KaplanMeier(times)
	f := figure.Deterioration(analysis.DeteriorationTable{About: analysis.About{Scale: "FACTB"}, Rule: analysis.Rule{Threshold: 7, Variant: analysis.FirstFall}, Curve: c})
	firm, pale := f.Chart.Lines[0], f.Chart.Lines[1]
	if firm.Faint || !pale.Faint || len(firm.Points) != 12 || len(pale.Points) != 10 || pale.Points[0] != firm.Points[11] {
		t.Errorf("%d firm, %d pale points", len(firm.Points), len(pale.Points))
	}
	cells := f.Chart.Rows[0].Cells
	if len(cells) != 2 || cells[0].Label != "20" || cells[1].Label != "6" { // day 42: those of day 43 and later
		t.Errorf("at risk: %+v", cells)
	}
	if !strings.Contains(f.Chart.Description, "20 people, 10 deteriorated; median ") {
		t.Errorf("%s", f.Chart.Description)
	}
}

func TestEveryFigureCanBeDrawnOfNothing(t *testing.T) {
	for _, f := range []figure.Figure{figure.Completion(analysis.CompletionTable{}), figure.Change(analysis.ScoreTable{}),
		figure.Responders(analysis.ResponderTable{}), figure.Deterioration(analysis.DeteriorationTable{}), figure.Distribution(analysis.DistributionTable{}), figure.Items(analysis.ItemTable{})} {
		if svg := string(f.Chart.SVG()); !strings.HasSuffix(svg, "</svg>\n") || strings.Contains(svg, "NaN") || f.Name == "" || len(f.Table) != 1 {
			t.Errorf("%s: %s", f.Name, svg)
		}
	}
}

func TestAHeatMapHasAShadeForEachMeanAndGreyForFew(t *testing.T) {
	f := figure.Items(analysis.ItemTable{About: analysis.About{Scale: "PWB"}, Low: 0, High: 4, Visits: []analysis.Point{point("C1D1"), point("C2D1"), point("C3D1")},
		Items: []analysis.ItemRow{{Item: "GP1", Label: "energy", Reversed: true, Cells: []analysis.ItemCell{{N: 20, Mean: p(0.25)}, {N: 3, Few: true, Mean: p(4)}, {Few: true}}},
			{Item: "GF1", Label: "work", Cells: []analysis.ItemCell{{N: 20, Mean: p(4)}, {N: 20, Mean: p(2)}, {Few: true}}}}})
	if len(f.Table) != 7 || !slices.Equal(f.Table[1], []string{"GP1", "energy", "true", "C1D1", "20", "0.25"}) || f.Table[3][5] != "" {
		t.Errorf("%q", f.Table)
	}
	if said := f.Chart.Description; !strings.Contains(said, "GP1 energy (r) at C1D1: 0.25, n 20; GF1 work at C2D1: 2.00, n 20; GF1 work at C1D1: 4.00, n 20.") {
		t.Errorf("%s", said)
	}
	svg := string(f.Chart.SVG())
	for _, shade := range []string{"#b34700", "#f5f0e6", "#00629b"} {
		if strings.Count(svg, `fill="`+shade+`"`) != 2 { // in the key, and once in the map
			t.Errorf("%d of %s", strings.Count(svg, shade), shade)
		}
	}
	if strings.Count(svg, "#ececec") != 1 || strings.Count(svg, "<g>") != 4 || strings.Contains(svg, "NaN") {
		t.Errorf("%s", svg)
	}
}

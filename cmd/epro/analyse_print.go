package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"epro/analysis"
)

// The tables as text. JSON has the same figures unrounded.

// printRun says what the figures are about.
func printRun(w io.Writer, r analysis.Run) {
	final := "not final"
	if r.Final {
		final = "final"
	}
	fmt.Fprintf(w, "study %s, protocol %s, %s, scoring %s, program %s\n", r.Study, r.Protocol, r.Instrument, r.Scoring, r.Program)
	fmt.Fprintf(w, "cut %s (%s), through %s, demonstration %s\n", r.Cut, final, cmp.Or(r.Through, "no limit"), r.Demonstration)
	fmt.Fprintf(w, "site %s, regimen %s, calendar from %s\n", cmp.Or(string(r.Site), "all"), cmp.Or(r.Regimen, "all"), r.Origin)
	if r.StrictBaseline {
		fmt.Fprintln(w, "sensitivity: without baseline forms whose order to the first dose is unknown")
	}
	if r.PreDose {
		fmt.Fprintln(w, "sensitivity: only forms certainly completed before the dose")
	}
	fmt.Fprintf(w, "%d participants, %d in the PRO population\n", r.Participants, r.Population)
	l := r.LeftOut
	for _, left := range []struct {
		n    int
		what string
	}{{r.NoFurtherUse, "participants who forbade further use"}, {l.Demonstration, "forms shown without a licensed wording pack"},
		{l.Licensed, "forms shown with a licensed wording pack"}, {l.AfterThrough, "forms completed after the last day asked for"},
		{l.NotPreDose, "forms not certainly before the dose"}} {
		if left.n > 0 {
			fmt.Fprintf(w, "left out: %d %s\n", left.n, left.what)
		}
	}
}

func printAbout(w io.Writer, a analysis.About) {
	printRun(w, a.Run)
	fmt.Fprintf(w, "%s by %s\n\n", a.Scale, a.Axis)
}

// columns prints rows under a heading, aligned.
func columns(w io.Writer, heading string, rows func(row func(cells ...any))) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, strings.ReplaceAll(heading, " ", "\t")+"\t")
	rows(func(cells ...any) {
		for _, cell := range cells {
			fmt.Fprintf(t, "%v\t", shown(cell))
		}
		fmt.Fprintln(t)
	})
	_ = t.Flush() // the writer below keeps its error
}

// shown rounds a figure for the eye; none is a dash.
func shown(cell any) any {
	switch x := cell.(type) {
	case *float64:
		if x == nil {
			return "-"
		}
		return strconv.FormatFloat(*x, 'f', 2, 64)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		return cell
	}
}

// percent is a rate for the eye.
func percent(rate *float64) string {
	if rate == nil {
		return "-"
	}
	return strconv.FormatFloat(100**rate, 'f', 1, 64) + "%"
}

func printCompletion(w io.Writer, t analysis.CompletionTable) {
	printAbout(w, t.About)
	columns(w, "visit pop dead off off_pro expected received valid not_valid missing superseded not_yet fixed variable on_pro", func(row func(...any)) {
		for _, r := range t.Visits {
			row(r.Visit, r.NPop, r.NDead, r.NOff, r.NOffPRO, r.NExpected, r.NReceived, r.NValid, r.NReceivedNotValid, r.NMissing,
				r.NSuperseded, r.NNotYet, percent(r.RateFixed), percent(r.RateVariable), percent(r.RateVariableOnPRO))
		}
	})
}

func printScores(w io.Writer, t analysis.ScoreTable) {
	printAbout(w, t.About)
	columns(w, "visit n mean sd ci_low ci_high min q1 median q3 max", func(row func(...any)) {
		for _, r := range t.Visits {
			row(r.Code, r.N, r.Mean, r.SD, r.Low, r.High, r.Min, r.Q1, r.Median, r.Q3, r.Max)
		}
	})
}

func printResponders(w io.Writer, t analysis.ResponderTable) {
	printAbout(w, t.About)
	fmt.Fprintf(w, "threshold %v points (%s)\n\n", t.Threshold, t.Source)
	line := func(row func(...any), where, among string, improved, stable, worsened analysis.Share) {
		cells := []any{where, among, improved.Of}
		for _, s := range []analysis.Share{improved, stable, worsened} {
			cells = append(cells, s.N, percent(s.Rate), percent(s.Low), percent(s.High))
		}
		row(cells...)
	}
	columns(w, "visit among of improved rate low high stable rate low high worsened rate low high", func(row func(...any)) {
		for _, r := range t.Visits {
			line(row, r.Code, "valid", r.AmongValid.Improved, r.AmongValid.Stable, r.AmongValid.Worsened)
			line(row, r.Code, "all", r.AmongAll.Improved, r.AmongAll.Stable, r.AmongAll.Worsened)
		}
		ever := func(name string, e analysis.EverRow) {
			line(row, name, "valid", e.ImprovedAmongValid, analysis.Share{}, e.WorsenedAmongValid)
			line(row, name, "all", e.ImprovedAmongAll, analysis.Share{}, e.WorsenedAmongAll)
		}
		ever("any", t.Any)
		ever("sustained", t.Sustained)
	})
}

func printDeterioration(w io.Writer, t analysis.DeteriorationTable) {
	printAbout(w, t.About)
	r := t.Rule
	fmt.Fprintf(w, "fall of %v points or more, %s; death %s, gap %s, progression %s\n", r.Threshold, r.Variant, r.Death, r.Gap, r.Progression)
	fmt.Fprintf(w, "%d people, %d events, median %v days (%v to %v), %v months\n", t.Curve.N, t.Curve.Events, shown(t.Curve.Median),
		shown(t.Curve.MedianLow), shown(t.Curve.MedianHigh), shown(months(t.Curve.Median)))
	fmt.Fprintf(w, "%d start too low to fall so far; %d falls that only the last form shows\n", t.CannotFall, t.SingleLast)
	for _, e := range t.Endings {
		fmt.Fprintf(w, "%d ended with CNSR %d: %s\n", e.N, e.Censor, e.Description)
	}
	fmt.Fprintln(w)
	columns(w, "days at_risk events censored survival se ci_low ci_high", func(row func(...any)) {
		for _, s := range t.Curve.Steps {
			row(s.Days, s.AtRisk, s.Events, s.Censored, &s.Survival, &s.SE, s.Low, s.High)
		}
	})
}

// months are days in months, for the eye.
func months(days *float64) *float64 {
	if days == nil {
		return nil
	}
	m := *days / analysis.DaysPerMonth
	return &m
}

func printDistribution(w io.Writer, t analysis.DistributionTable) {
	printAbout(w, t.About)
	columns(w, "visit n change share", func(row func(...any)) {
		for _, v := range t.Visits {
			for _, s := range v.Steps {
				row(v.Code, v.N, &s.Change, percent(&s.Share))
			}
		}
	})
}

func printItems(w io.Writer, t analysis.ItemTable) {
	printAbout(w, t.About)
	columns(w, "visit item label n mean", func(row func(...any)) {
		for i, v := range t.Visits {
			for _, item := range t.Items {
				row(v.Code, item.Item, item.Label, item.Cells[i].N, item.Cells[i].Mean)
			}
		}
	})
}

func printMissing(w io.Writer, t analysis.MissingTable) {
	printAbout(w, t.About)
	for _, kind := range slices.Sorted(maps.Keys(t.Kinds)) {
		fmt.Fprintf(w, "%s: %d\n", kind, t.Kinds[kind])
	}
	fmt.Fprintln(w, "\nX valid, O expected and not valid, - not expected, . outside the table")
	columns(w, "visits pattern n", func(row func(...any)) {
		for _, p := range t.Patterns {
			row(p.Visits, p.Kind, p.N)
		}
	})
}

func printAlpha(w io.Writer, t analysis.AlphaTable) {
	printRun(w, t.Run)
	fmt.Fprintln(w)
	columns(w, "visit scale n items alpha", func(row func(...any)) {
		for _, r := range t.Rows {
			row(r.Code, r.Scale, r.N, r.Items, r.Alpha)
		}
	})
}

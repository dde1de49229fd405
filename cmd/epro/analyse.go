package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"epro/analysis"
	"epro/export"
	"epro/study"
	"epro/web/figure"
)

// tabler computes a table, and prints it as text.
type tabler struct {
	name, about string
	build       func(*analysis.Data, analysis.Ask) (result, error)
	drawn       bool // there is a figure of it
}

// result is a table in every form that it can be printed in; figure is nil where
// there is none.
type result struct {
	table  any
	print  func(io.Writer)
	figure func() figure.Figure
}

// tablers are all tables, by the word on the command line.
var tablers = []tabler{
	tableOf("completion", "who was expected and who sent a valid form", (*analysis.Data).CompletionTable, printCompletion, figure.Completion),
	tableOf("scores", "a score at each visit", (*analysis.Data).ScoreTable, printScores, nil),
	tableOf("change", "its change from baseline", (*analysis.Data).ChangeTable, printScores, figure.Change),
	tableOf("responders", "who changed by a threshold", (*analysis.Data).ResponderTable, printResponders, figure.Responders),
	tableOf("deterioration", "time to deterioration", (*analysis.Data).DeteriorationTable, printDeterioration, figure.Deterioration),
	tableOf("distribution", "cumulative distribution of the change", (*analysis.Data).DistributionTable, printDistribution, figure.Distribution),
	tableOf("items", "the items of a score at each visit", (*analysis.Data).ItemTable, printItems, figure.Items),
	tableOf("missing", "patterns of missing forms", (*analysis.Data).MissingTable, printMissing, nil),
	tableOf("alpha", "Cronbach's alpha of each subscale", (*analysis.Data).AlphaTable, printAlpha, nil),
}

func tableOf[T any](name, about string, build func(*analysis.Data, analysis.Ask) (T, error), text func(io.Writer, T), draw func(T) figure.Figure) tabler {
	return tabler{name: name, about: about, drawn: draw != nil, build: func(d *analysis.Data, a analysis.Ask) (result, error) {
		t, err := build(d, a)
		return result{t, func(w io.Writer) { text(w, t) }, func() figure.Figure { return draw(t) }}, err
	}}
}

// write writes the result in a format.
func (r result) write(w io.Writer, format string) error {
	switch format {
	case "json":
		return json.MarshalWrite(w, r.table, jsontext.WithIndent("  "))
	case "svg":
		_, err := w.Write(r.figure().Chart.SVG())
		return err
	case "csv":
		return csv.NewWriter(w).WriteAll(r.figure().Table)
	default:
		k := &keepError{Writer: w}
		r.print(k)
		return k.err
	}
}

// analyseFlags is what a person says on the command line.
type analyseFlags struct {
	table                             tabler
	store, format, cut, through, out  string
	axis, demonstration, origin, site string
	variant, death, gap, progression  string
	scale, visit, from, to, regimen   string
	threshold                         float64
	strictBaseline, preDose           bool
}

// runAnalyse computes one table of the study and prints it.
func runAnalyse(ctx context.Context, c *cli, args []string) (err error) {
	f, err := c.parseAnalyse(args)
	if err != nil {
		return err
	}
	svc, st, err := openService(ctx, f.store)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	q := export.Question{Demonstration: analysis.Demonstration(f.demonstration), Origin: analysis.Origin(f.origin),
		StrictBaseline: f.strictBaseline, PreDose: f.preDose, Site: study.SiteCode(f.site), Regimen: f.regimen, Program: buildVersion()}
	if q.Cut, q.Through, err = cutAndThrough(ctx, svc, f.cut, f.through); err != nil {
		return saidWrongly(err)
	}
	data, err := export.Gather(ctx, svc, study.System("analyse"), q)
	if err != nil {
		return saidWrongly(err)
	}
	result, err := f.table.build(data, f.ask())
	if err != nil {
		return saidWrongly(err)
	}
	write := func(w io.Writer) error { return result.write(w, f.format) }
	if f.out == "" {
		return write(c.stdout)
	}
	return writeWhole(f.out, write)
}

// ask is the question about the table.
func (f analyseFlags) ask() analysis.Ask {
	return analysis.Ask{Scale: f.scale, Axis: analysis.Axis(f.axis), Visit: f.visit, From: f.from, To: f.to, Threshold: f.threshold,
		Rule: analysis.Rule{Threshold: f.threshold, Variant: analysis.Variant(f.variant), Death: analysis.Handling(f.death),
			Gap: analysis.Handling(f.gap), Progression: analysis.Handling(f.progression)}}
}

// parseAnalyse reads the table, which stands before the flags or after them.
func (c *cli) parseAnalyse(args []string) (analyseFlags, error) {
	var f analyseFlags
	var names []string
	explained := make([]string, 0, len(tablers))
	for _, t := range tablers {
		names = append(names, t.name)
		explained = append(explained, "  "+t.name+": "+t.about)
	}
	fs := c.flags("analyse", "analyse TABLE [flags]: computes a table of the study, which is one of\n\n"+strings.Join(explained, "\n"))
	storeURL := storeFlag(fs, c)
	fs.StringVar(&f.format, "format", "table", "`table|json`, or svg|csv for the plot and its numbers")
	fs.StringVar(&f.scale, "scale", "", "`CODE` of a score; empty: the instrument's total")
	fs.StringVar(&f.visit, "visit", "", "`CODE` of a visit, such as C7D1, or W18 by the calendar; empty: all")
	fs.StringVar(&f.from, "from", "", "`CODE` of the first visit; empty: the first of all")
	fs.StringVar(&f.to, "to", "", "`CODE` of the last visit; empty: the last of all")
	fs.StringVar(&f.axis, "axis", "", "visits by `cycle|calendar`; empty: cycle")
	fs.StringVar(&f.cut, "cut", "", "what was recorded by then: a `DATE` (its end in the study's zone) or an instant; empty: now")
	fs.StringVar(&f.through, "through", "", "only forms and facts dated on or before this `DATE`")
	fs.StringVar(&f.demonstration, "demonstration", "", "demonstration data: `exclude|include|only`; empty: include in a simulated study, else exclude")
	fs.StringVar(&f.origin, "origin", "", "day that calendar visits are counted from: `first_dose|enrolment`; empty: first_dose")
	fs.StringVar(&f.site, "site", "", "only this `SITE`; empty: all")
	fs.StringVar(&f.regimen, "regimen", "", "only this `REGIMEN` at first dose; empty: all")
	fs.BoolVar(&f.strictBaseline, "strict-baseline", false, "leave out baseline forms whose order to the first dose is unknown")
	fs.BoolVar(&f.preDose, "pre-dose", false, "leave out later forms that were not certainly completed before their cycle's dose")
	fs.Float64Var(&f.threshold, "threshold", 0, "`POINTS` that count as a change; 0: the published minimally important difference")
	fs.StringVar(&f.variant, "variant", "", "deterioration is the `first|confirmed|definitive` fall; empty: first")
	fs.StringVar(&f.death, "death", "", "a death is `censor|event` (within 42 days of the last valid form); empty: censor")
	fs.StringVar(&f.gap, "gap", "", "two or more missed: `censor|event` (what follows counts); empty: censor")
	fs.StringVar(&f.progression, "progression", "", "progression or new therapy: `ignore|censor`; empty: ignore")
	fs.StringVar(&f.out, "out", "", "`FILE` to write, replaced only when the run went well; standard output when empty")
	word, args := takeWord(args, "-strict-baseline", "-pre-dose")
	if err := c.parseSettings(fs, args); err != nil {
		return f, err
	}
	f.store = *storeURL
	i := slices.Index(names, word)
	switch {
	case word == "":
		return f, usageError{"name the table: " + strings.Join(names, ", ")}
	case i < 0:
		return f, usageError{fmt.Sprintf("there is no table %q; there is: %s", word, strings.Join(names, ", "))}
	case fs.NArg() > 0:
		return f, usageError{fmt.Sprintf("one table at a time; what is %q?", fs.Arg(0))}
	case !slices.Contains([]string{"table", "json", "svg", "csv"}, f.format):
		return f, usageError{"-format is table, json, svg or csv"}
	case !tablers[i].drawn && (f.format == "svg" || f.format == "csv"):
		return f, usageError{"there is no plot of " + word + "; -format is table or json"}
	}
	f.table = tablers[i]
	return f, nil
}

// keepError is a writer that remembers the first error.
type keepError struct {
	io.Writer
	err error
}

// Write writes, unless a write failed before.
func (k *keepError) Write(b []byte) (int, error) {
	if k.err != nil {
		return 0, k.err
	}
	n, err := k.Writer.Write(b)
	k.err = err
	return n, err
}

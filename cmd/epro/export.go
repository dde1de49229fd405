package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"epro/analysis"
	"epro/export"
	"epro/study"
)

// exportFlags is what a person says on the command line.
type exportFlags struct {
	dataset, store, format, cut, through, demonstration, out string
	rule                                                     analysis.Rule
}

// runExport writes a dataset.
func runExport(ctx context.Context, c *cli, args []string) (err error) {
	f, err := c.parseExport(args)
	if err != nil {
		return err
	}
	svc, st, err := openService(ctx, f.store)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	o, err := f.options(ctx, svc)
	if err != nil {
		return saidWrongly(err)
	}
	show := c.progress()
	o.Progress = func(doing string, done, of int) {
		if of > 0 {
			doing = fmt.Sprintf("%s, of %d", doing, of)
		}
		show(doing+":", done)
	}
	prepared, err := export.Prepare(ctx, svc, study.System("export"), o)
	if err != nil {
		return saidWrongly(err)
	}
	var done export.Summary
	write := func(w io.Writer) (err error) {
		done, err = prepared.Write(ctx, w)
		return err
	}
	if f.out == "" {
		err = write(c.stdout)
	} else {
		err = writeWhole(f.out, write)
	}
	if err == nil {
		c.tellExport(done)
	}
	return err
}

// parseExport reads the dataset, which stands before the flags or after them.
func (c *cli) parseExport(args []string) (exportFlags, error) {
	var f exportFlags
	var names, formats []string
	for _, d := range export.Datasets() {
		names = append(names, d.Name)
	}
	names = append(names, export.Everything)
	for _, format := range export.Formats() {
		formats = append(formats, format.Name)
	}
	fs := c.flags("export", "export DATASET [flags]: writes a dataset ("+strings.Join(names, ", ")+"); "+export.Everything+" is all of them, as zip")
	storeURL := storeFlag(fs, c)
	fs.StringVar(&f.format, "format", "", "the file's `FORMAT`: "+strings.Join(formats, ", ")+"; "+export.Zip+" for "+export.Everything+"; empty: csv, or zip")
	fs.StringVar(&f.cut, "cut", "", "what was recorded by then: a `DATE` (its end in the study's zone) or an instant; empty: now")
	fs.StringVar(&f.through, "through", "", "only forms and facts dated on or before this `DATE`")
	fs.StringVar(&f.demonstration, "demonstration", "", "demonstration data: `exclude|include|only`; empty: include in a simulated study, else exclude")
	f.ruleFlags(fs)
	fs.StringVar(&f.out, "out", "", "`FILE` to write, replaced only when the run went well; standard output when empty")
	f.dataset, args = takeWord(args)
	if err := c.parseSettings(fs, args); err != nil {
		return f, err
	}
	f.store = *storeURL
	if f.format == "" {
		if f.format = "csv"; f.dataset == export.Everything {
			f.format = export.Zip
		}
	}
	switch {
	case f.dataset != "" && !slices.Contains(names, f.dataset):
		return f, usageError{fmt.Sprintf("there is no dataset %q; there is: %s", f.dataset, strings.Join(names, ", "))}
	case f.dataset == "":
		return f, usageError{"name the dataset: " + strings.Join(names, ", ")}
	case fs.NArg() > 0:
		return f, usageError{fmt.Sprintf("one dataset at a time; what is %q?", fs.Arg(0))}
	}
	return f, nil
}

// ruleFlags are how tte counts.
func (f *exportFlags) ruleFlags(fs *flag.FlagSet) {
	fs.Float64Var(&f.rule.Threshold, "threshold", 0, "of tte: `POINTS` that count as a fall, for every score; 0: each score's published minimally important difference")
	fs.StringVar((*string)(&f.rule.Death), "death", "", "of tte: a death is `censor|event` (within 42 days of the last valid form); empty: censor")
	fs.StringVar((*string)(&f.rule.Gap), "gap", "", "of tte: two or more missed: `censor|event` (what follows counts); empty: censor")
	fs.StringVar((*string)(&f.rule.Progression), "progression", "", "of tte: progression or new therapy: `ignore|censor`; empty: ignore")
}

// takeWord takes the first word that is neither a flag nor a flag's value;
// every flag has a value but the switches that are named.
func takeWord(args []string, switches ...string) (word string, rest []string) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case !strings.HasPrefix(a, "-"):
			return a, slices.Concat(args[:i], args[i+1:])
		case !strings.Contains(a, "=") && !slices.Contains(switches, strings.Replace(a, "--", "-", 1)):
			i++
		}
	}
	return "", args
}

// saidWrongly is the error of somebody who wrote something that does not exist.
func saidWrongly(err error) error {
	if study.CodeOf(err) == study.Invalid {
		return usageError{explain(err)}
	}
	return err
}

// options turns the words into what package export takes.
func (f exportFlags) options(ctx context.Context, svc *study.Service) (export.Options, error) {
	o := export.Options{Dataset: f.dataset, Format: f.format, Demonstration: export.Demonstration(f.demonstration), Deterioration: f.rule, Program: buildVersion()}
	var err error
	o.Cut, o.Through, err = cutAndThrough(ctx, svc, f.cut, f.through)
	return o, err
}

// cutAndThrough reads the two cuts as a person writes them.
func cutAndThrough(ctx context.Context, svc *study.Service, cutText, throughText string) (cut export.Cut, through study.Date, err error) {
	history, err := svc.History(ctx)
	if err != nil {
		return cut, 0, err
	}
	zone, err := study.LoadZone(history.Current().TimeZone)
	if err != nil {
		return cut, 0, err
	}
	if cut, err = export.ParseCut(cutText, zone, svc.Now()); err != nil {
		return cut, 0, err
	}
	through, err = export.ParseThrough(throughText)
	return cut, through, err
}

// tellExport says what was written and what was left out.
func (c *cli) tellExport(s export.Summary) {
	fmt.Fprintf(c.stderr, "%s: %d rows of %d participants\n", s.Dataset, s.Rows, s.Participants)
	for _, line := range s.LeftOut.Sentences() {
		fmt.Fprintf(c.stderr, "left out: %s\n", line)
	}
	through := "no limit"
	if s.Through != 0 {
		through = s.Through.String()
	}
	fmt.Fprintf(c.stderr, "cut %s\nfinal %t\nthrough %s\ndemonstration %s\nprotocol %s\nprogram %s\nexport id %s\nsha256 %s\n",
		study.InstantOf(s.Cut.At), s.Cut.Final, through, s.Demonstration, s.Protocol, s.Program, s.ExportID, s.SHA256)
}

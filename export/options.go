package export

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"epro/analysis"
	"epro/study"
)

// Demonstration says what happens to forms that were shown without a licensed
// wording pack.
type Demonstration = analysis.Demonstration

// The three choices; an empty one is Include for a simulated study and Exclude
// for a real one.
const (
	Exclude = analysis.Exclude
	Include = analysis.Include
	Only    = analysis.Only
)

// Demonstrations are the choices that a person has.
var Demonstrations = []Demonstration{Exclude, Include, Only}

// Options say what to export.
type Options struct {
	Dataset string
	Format  string
	Cut     Cut
	// Through is the last day of the forms and facts that count; none: no limit.
	Through       study.Date
	Demonstration Demonstration
	// Deterioration is how tte counts time to deterioration: threshold (0: each
	// score's published one), deaths, gaps and progression. Its variant stays
	// empty, for tte has all of them.
	Deterioration analysis.Rule
	// Program is the version of this program; it is part of the export's id.
	Program string
	// Progress is told how many records were read (of 0: nobody knows how many),
	// and then how many rows were written, of how many; one call at a time. May be
	// nil.
	Progress func(doing string, done, of int)

	// asOf is the cut, or now where the cut lies ahead: no window has closed
	// that closes later.
	asOf time.Time
}

// Everything is the name of the dataset that is all datasets together, and only
// exists as an archive.
const Everything = "study"

// settle checks the options and fills in what was left to the default.
func (o Options) settle(st *study.Study) (Options, error) {
	if o.Demonstration == "" {
		o.Demonstration = Exclude
		if st.Simulated {
			o.Demonstration = Include
		}
	}
	if !slices.Contains(Demonstrations, o.Demonstration) {
		return o, study.Fail(study.Invalid, "Demonstration data can be excluded, included or exported alone.",
			study.Field{Name: "demonstration", Reason: "use one of: exclude, include, only"})
	}
	return o, o.settleRule()
}

// defaultRule is how time to deterioration is counted unless asked otherwise.
var defaultRule = analysis.Rule{Death: analysis.AsCensored, Gap: analysis.AsCensored, Progression: analysis.AsNothing}

// settleRule does the same for how time to deterioration is counted.
func (o *Options) settleRule() error {
	asked := o.Deterioration
	r, err := asked.Settled()
	switch r.Variant = ""; {
	case err != nil:
		return err
	case asked.Variant != "":
		return study.Fail(study.Invalid, "The dataset tte has every variant of deterioration.",
			study.Field{Name: "variant", Reason: "leave it out, and take the rows whose VARIANT it is"})
	case !(asked.Threshold >= 0):
		return study.Fail(study.Invalid, "A threshold is a number of points above 0.", study.Field{Name: "threshold", Reason: "give a number above 0"})
	case r != defaultRule && o.Dataset != timeDataset && o.Dataset != Everything:
		return study.Fail(study.Invalid, "Only time to deterioration is counted in more than one way.",
			study.Field{Name: "dataset", Reason: "ask for " + timeDataset + " or " + Everything + ", or leave threshold, death, gap and progression out"})
	}
	o.Deterioration = r
	return nil
}

// ruleText says how time to deterioration is counted; empty: by the default.
func (o Options) ruleText() string {
	r := o.Deterioration
	if r == defaultRule {
		return ""
	}
	return fmt.Sprintf("threshold %s, death %s, gap %s, progression %s", thresholdText(r), r.Death, r.Gap, r.Progression)
}

func thresholdText(r analysis.Rule) string {
	if r.Threshold == 0 {
		return "published"
	}
	return strconv.FormatFloat(r.Threshold, 'f', -1, 64)
}

// recorded is how the audit trail keeps the options.
func (o Options) recorded() map[string]string {
	out := map[string]string{
		"cut":           study.InstantOf(o.Cut.At).String(),
		"demonstration": string(o.Demonstration),
		"program":       o.Program,
	}
	if rule := o.ruleText(); rule != "" {
		out["deterioration"] = rule
	}
	if o.Through != 0 {
		out["through"] = o.Through.String()
	}
	return out
}

// LeftOut counts what an export does not contain.
type LeftOut struct {
	// NoFurtherUse are the participants who forbade any further use.
	NoFurtherUse int
	// Demonstration and Licensed are the forms that the choice on demonstration
	// data leaves out; AfterThrough those completed later than asked for.
	Demonstration int
	Licensed      int
	AfterThrough  int
}

// atLeast is the larger of both counts, one by one.
func (l LeftOut) atLeast(other LeftOut) LeftOut {
	return LeftOut{NoFurtherUse: max(l.NoFurtherUse, other.NoFurtherUse), Demonstration: max(l.Demonstration, other.Demonstration),
		Licensed: max(l.Licensed, other.Licensed), AfterThrough: max(l.AfterThrough, other.AfterThrough)}
}

// Sentences say what was left out and why; none when nothing was.
func (l LeftOut) Sentences() []string {
	var out []string
	say := func(n int, one, many, why string) {
		switch {
		case n == 1:
			out = append(out, "1 "+one+" "+why)
		case n > 1:
			out = append(out, strconv.Itoa(n)+" "+many+" "+why)
		}
	}
	say(l.NoFurtherUse, "participant", "participants", "who forbade further use")
	say(l.Demonstration, "form", "forms", "shown without a licensed wording pack")
	say(l.Licensed, "form", "forms", "shown with a licensed wording pack")
	say(l.AfterThrough, "form", "forms", "completed after the last day asked for")
	return out
}

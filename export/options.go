package export

import (
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
	// Program is the version of this program; it is part of the export's id.
	Program string
	// Progress is told how many participants' records were read, and of how many
	// in both readings together (0 while that is not known). May be nil.
	Progress func(done, of int)

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
	return o, nil
}

// recorded is how the audit trail keeps the options.
func (o Options) recorded() map[string]string {
	out := map[string]string{
		"cut":           study.InstantOf(o.Cut.At).String(),
		"demonstration": string(o.Demonstration),
		"program":       o.Program,
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

package export

import (
	"slices"

	"epro/analysis"
	"epro/study"
)

// standings are where a visit can stand in the table of completion.
var standings = []Code{
	{string(analysis.NotYet), "the window has not closed at the cut"}, {string(analysis.Superseded), "a later visit took its place"},
	{string(analysis.Received), "a form in time, not by a proxy, with an item answered"}, {string(analysis.Dead), "no such form; died on or before closing"},
	{string(analysis.Off), "no such form; had left the trial"}, {string(analysis.OffPRO), "no such form; had left the questionnaires, also missing"},
	{string(analysis.Missing), "no such form, and expected"}}

// missing has a row for every visit without a form that was received in time.
func missing() Dataset {
	d := Dataset{
		Name: "missing", Label: "Visits without a form", Member: "MISSING",
		Row:  "a visit whose window has closed, or that a later one took the place of, without a form received in time",
		Keys: []string{"SITEID", "SUBJID", "VISITNUM"},
	}
	fields := slices.Concat(identity[*visitRow](), visits[*visitRow](), whyMissing())
	return table(d, fields, func(v *view, p *study.Participant, each func(*visitRow) error) error {
		return v.asked(p, func(r *visitRow) error {
			if r.of.Standing == analysis.Received || r.of.Standing == analysis.NotYet {
				return nil
			}
			return each(r)
		})
	})
}

func whyMissing() []field[*visitRow] {
	coded := func(f func(*study.NotDone) Value) func(*visitRow) Value {
		return func(r *visitRow) Value {
			if r.of.NotDone == nil {
				return Value{}
			}
			return f(r.of.NotDone)
		}
	}
	return []field[*visitRow]{
		{Column{Name: "PROFL", Label: "PRO Population", Kind: Flag, Note: "Consented, at least one dose, not enrolled in error; only those are counted in completion."},
			func(r *visitRow) Value { return FlagOf(r.person.InPopulation) }},
		{Column{Name: "COMPSTAT", Label: "Where the Visit Stands", Codes: standings}, func(r *visitRow) Value { return TextOf(r.of.Standing) }},
		{Column{Name: "AREASND", Label: "Reason Why the Form Is Missing", Codes: missingForms, Note: "As site staff coded it last; empty: not coded."},
			coded(func(n *study.NotDone) Value { return TextOf(n.Reason) })},
		{Column{Name: "HEALTHRL", Label: "Related to Health", Codes: []Code{{"yes", ""}, {"no", ""}, {"unknown", ""}}}, coded(func(n *study.NotDone) Value { return TextOf(n.HealthRelated) })},
		{Column{Name: "CODEDDTM", Label: "Reason Recorded", Kind: Instant}, coded(func(n *study.NotDone) Value { return InstantOf(n.At) })},
		{Column{Name: "CODEDBY", Label: "Id of the Staff Who Coded It", Note: "An opaque id."}, coded(func(n *study.NotDone) Value { return TextOf(n.By.ID) })},
		{Column{Name: "NOTGIVFL", Label: "The Cycle Was Not Given", Kind: Flag, Note: "The visit stays due at its planned date."}, func(r *visitRow) Value { return FlagOf(r.assessment.NotGiven) }},
		{Column{Name: "LATEFL", Label: "A Form Stands That Was Not in Time", Kind: Flag, Note: "Or was filled by a proxy, or has no answer."}, func(r *visitRow) Value { return FlagOf(r.of.Form != nil) }},
		{Column{Name: "TRTSDT", Label: "Date of First Dose", Kind: Date}, func(r *visitRow) Value { return DateOf(r.person.FirstDose.On) }},
		{Column{Name: "DTHDT", Label: "Date of Death", Kind: Date, Note: "Of a partial date the earliest day that it can mean on which nothing later shows her alive."}, func(r *visitRow) Value { return DateOf(r.person.DiedOn) }},
		{Column{Name: "OFFDT", Label: "Date of Leaving the Trial", Kind: Date}, func(r *visitRow) Value { return DateOf(r.person.OffOn) }},
		{Column{Name: "OFFPRODT", Label: "Date of Leaving the Questionnaires", Kind: Date}, func(r *visitRow) Value { return DateOf(r.person.OffPROOn) }},
		{Column{Name: "PDDT", Label: "Date of Progression", Kind: Date}, func(r *visitRow) Value { return DateOf(r.person.ProgressedOn) }},
		{Column{Name: "REGIMEN", Label: "Regimen at First Dose"}, func(r *visitRow) Value { return TextOf(r.person.Regimen) }},
	}
}

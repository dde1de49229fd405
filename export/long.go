package export

import (
	"slices"

	"epro/analysis"
	"epro/instruments"
	"epro/scoring"
	"epro/study"
)

// scoreRow is one score at one visit of one participant: of a form that stands,
// or expected and missing.
type scoreRow struct {
	*visitRow
	score int // its place in Plan.Scores
	form  *analysis.Form
}

// points are the form's score; none where no form stands.
func (r *scoreRow) points() *scoring.Score {
	if r.form == nil {
		return nil
	}
	return &r.form.Points[r.score]
}

// scoresLong is ADaM's shape of the scores: a row for every score of every form
// that stands, and one for every score of every form that was expected and is
// missing.
func scoresLong(ins *instruments.Instrument) Dataset {
	d := Dataset{
		Name: "scores_long", Label: "Scores by visit, for analysis", Member: "ADFACTB",
		Row:  "a score at a visit with a form that stands, or (DTYPE is PHANTOM) at a visit whose form was expected and is missing",
		Keys: []string{"SITEID", "USUBJID", "AVISITN", "PARAMCD"},
	}
	if ins.ID != "fact-b" {
		d.Member = "ADSCORES"
	}
	fields := slices.Concat(identity[*scoreRow](), longParameter(ins), longVisit(), longValue(), longTiming(), longForm())
	return table(d, fields, func(v *view, p *study.Participant, each func(*scoreRow) error) error {
		return v.asked(p, func(r *visitRow) error {
			missing := r.of.Standing == analysis.Missing || r.of.Standing == analysis.OffPRO
			switch {
			case r.of.Form != nil:
				v.packs[r.of.Form.Pack] = true
			case !missing, !r.person.InPopulation:
				return nil
			}
			for score := range v.plan.Scores {
				if err := each(&scoreRow{r, score, r.of.Form}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// yes is Y, or missing, as ADaM's flags are.
func yes(is bool) Value {
	if !is {
		return Value{}
	}
	return TextOf("Y")
}

// onlyY is the closed list of such a flag.
var onlyY = []Code{{"Y", "yes; empty: no"}}

func longParameter(ins *instruments.Instrument) []field[*scoreRow] {
	names := make([]string, 0, 8)
	for _, s := range ins.Subscales {
		names = append(names, s.Code+" "+s.Name)
	}
	for _, s := range ins.Totals {
		names = append(names, s.Code+" "+s.Name)
	}
	return []field[*scoreRow]{
		{Column{Name: "PARAMCD", Label: "Parameter Code", Note: "The score's code."}, func(r *scoreRow) Value { return TextOf(r.view.plan.Scores[r.score]) }},
		{Column{Name: "PARAM", Label: "Parameter"}, func(r *scoreRow) Value { return TextOf(names[r.score]) }},
		{Column{Name: "PARAMN", Label: "Parameter Number", Kind: Integer}, func(r *scoreRow) Value { return IntegerOf(r.score + 1) }},
		{Column{Name: "PROFL", Label: "PRO Population", Kind: Flag, Note: "Consented, at least one dose, not enrolled in error."},
			func(r *scoreRow) Value { return FlagOf(r.person.InPopulation) }},
	}
}

func longVisit() []field[*scoreRow] {
	week := func(r *scoreRow) bool { return r.form != nil && r.view.plan.OriginOf(r.person) != 0 }
	return []field[*scoreRow]{
		{Column{Name: "VISIT", Label: "Visit Code"}, func(r *scoreRow) Value { return TextOf(r.Code) }},
		{Column{Name: "AVISIT", Label: "Analysis Visit", Note: "By cycle: the visit that the form was filled for."}, func(r *scoreRow) Value { return TextOf(r.Name) }},
		{Column{Name: "AVISITN", Label: "Analysis Visit Number", Kind: Integer, Note: "0 for baseline, then the visits in the order of the protocol."},
			func(r *scoreRow) Value { return IntegerOf(r.Number - 1) }},
		{Column{Name: "ADT", Label: "Analysis Date", Kind: Date, Note: "The day of completion where the participant lives; empty in PHANTOM rows."}, func(r *scoreRow) Value {
			if r.form == nil {
				return Value{}
			}
			return DateOf(r.form.CompletedOn)
		}},
		{Column{Name: "ADY", Label: "Analysis Relative Day", Kind: Integer, Unit: "days", Note: "The first dose is day 1, the day before it day -1; there is no day 0."}, func(r *scoreRow) Value {
			if r.form == nil {
				return Value{}
			}
			return unlessZero(r.form.StudyDay)
		}},
		{Column{Name: "AVISITW", Label: "Analysis Visit by Calendar", Note: "The multiple of a cycle's length from TRTSDT that is nearest, of two the earlier."}, func(r *scoreRow) Value {
			if !week(r) {
				return Value{}
			}
			return TextOf(analysis.WeekName(r.form.Week.Target))
		}},
		{Column{Name: "AWTARGET", Label: "Analysis Window Target", Kind: Integer, Unit: "days", Note: "Days from TRTSDT."}, func(r *scoreRow) Value {
			if !week(r) {
				return Value{}
			}
			return IntegerOf(r.form.Week.Target)
		}},
		{Column{Name: "AWTDIFF", Label: "Analysis Window Diff from Target", Kind: Integer, Unit: "days", Note: "Negative before the target."}, func(r *scoreRow) Value {
			if !week(r) {
				return Value{}
			}
			return IntegerOf(r.form.Week.Diff)
		}},
	}
}

func longValue() []field[*scoreRow] {
	counted := func(f func(*scoring.Score) Value) func(*scoreRow) Value {
		return func(r *scoreRow) Value {
			if s := r.points(); s != nil {
				return f(s)
			}
			return Value{}
		}
	}
	baseline := func(r *scoreRow) analysis.Baseline { return r.person.Baselines[r.score] }
	return []field[*scoreRow]{
		{Column{Name: "AVAL", Label: "Analysis Value", Kind: Number, Unit: "points", Note: "Unrounded; higher is better."}, counted(func(s *scoring.Score) Value {
			if s.Missing != scoring.NotMissing {
				return Value{}
			}
			return NumberOf(s.Value)
		})},
		{Column{Name: "BASE", Label: "Baseline Value", Kind: Number, Unit: "points", Note: "The last valid form completed before the first dose and not too old at it."}, func(r *scoreRow) Value {
			if b := baseline(r); b.Form != nil {
				return NumberOf(b.Value)
			}
			return Value{}
		}},
		{Column{Name: "CHG", Label: "Change from Baseline", Kind: Number, Unit: "points", Note: "Of valid forms completed after the baseline."}, func(r *scoreRow) Value {
			if change, ok := r.person.Change(r.form, r.score); ok {
				return NumberOf(change)
			}
			return Value{}
		}},
		{Column{Name: "ABLFL", Label: "Baseline Record Flag", Codes: onlyY}, func(r *scoreRow) Value { return yes(r.form != nil && baseline(r).Form == r.form) }},
		{Column{Name: "BLORDFL", Label: "Order of Baseline and Dose Unknown", Codes: onlyY, Note: "The baseline form was completed on the day of the first dose, and nobody knows which came first."},
			func(r *scoreRow) Value { return yes(baseline(r).OrderUnknown) }},
		{Column{Name: "ANL01FL", Label: "Analysis Flag 01", Codes: onlyY, Note: "Valid: in time, not by a proxy, in the PRO population, and the score is there. The record for AVISIT."},
			func(r *scoreRow) Value { return yes(r.valid()) }},
		{Column{Name: "ANL02FL", Label: "Analysis Flag 02", Codes: onlyY, Note: "Of the valid ones the record for AVISITW."}, func(r *scoreRow) Value {
			return yes(r.valid() && r.person.AtWeek(r.form.Week.Target, r.score) == r.form)
		}},
		{Column{Name: "NANS", Label: "Items Answered", Kind: Integer, Unit: "items"}, counted(func(s *scoring.Score) Value { return IntegerOf(int(s.Answered)) })},
		{Column{Name: "NITEM", Label: "Items in the Scale", Kind: Integer, Unit: "items"}, counted(func(s *scoring.Score) Value { return IntegerOf(int(s.Items)) })},
		{Column{Name: "PRORFL", Label: "Prorated", Codes: onlyY, Note: "For a total: one of its parts is."}, func(r *scoreRow) Value { return yes(r.form != nil && r.points().Prorated) }},
		{Column{Name: "NRREAS", Label: "Score Is Missing Because", Codes: missingReasons}, counted(func(s *scoring.Score) Value { return TextOf(s.Missing.String()) })},
		{Column{Name: "DTYPE", Label: "Derivation Type", Codes: []Code{{"PHANTOM", "the form was expected and is missing"}}}, func(r *scoreRow) Value {
			if r.form == nil {
				return TextOf("PHANTOM")
			}
			return Value{}
		}},
		{Column{Name: "AREASND", Label: "Reason Why the Form Is Missing", Codes: missingForms}, func(r *scoreRow) Value {
			if r.form != nil || r.of.NotDone == nil {
				return Value{}
			}
			return TextOf(r.of.NotDone.Reason)
		}},
		{Column{Name: "COMPSTAT", Label: "Where the Visit Stands", Codes: standings, Note: "In the table of completion; see there."}, func(r *scoreRow) Value { return TextOf(r.of.Standing) }},
	}
}

// valid reports whether the row's form is valid for its score.
func (r *scoreRow) valid() bool {
	if r.form == nil || !r.person.InPopulation {
		return false
	}
	_, valid := r.form.Value(r.score)
	return valid
}

func longTiming() []field[*scoreRow] {
	dose := func(r *scoreRow) analysis.Dose {
		return analysis.CycleDose(r.participant, r.protocol.Cycle, r.view.options.Through)
	}
	return []field[*scoreRow]{
		{Column{Name: "ENRLDT", Label: "Date of Enrolment", Kind: Date}, func(r *scoreRow) Value { return DateOf(r.person.EnrolledOn) }},
		{Column{Name: "TRTSDT", Label: "Date of First Dose", Kind: Date}, func(r *scoreRow) Value { return DateOf(r.person.FirstDose.On) }},
		{Column{Name: "TRTEDT", Label: "Date of the End of Treatment", Kind: Date}, func(r *scoreRow) Value { return DateOf(r.person.EndedOn) }},
		{Column{Name: "CYCSTDT", Label: "Actual First Day of the Cycle", Kind: Date, Note: "Empty unless the cycle was given; for cycle 1 the first dose."},
			func(r *scoreRow) Value { return DateOf(dose(r).On) }},
		{Column{Name: "RELDOSE", Label: "Before or After the Cycle's Dose", Codes: doseTimings}, func(r *scoreRow) Value {
			if r.form == nil {
				return Value{}
			}
			return TextOf(r.form.Timing)
		}},
		{Column{Name: "ONTRTFL", Label: "On Treatment Record Flag", Codes: onlyY, Note: "From the first dose to the end of treatment."},
			func(r *scoreRow) Value { return yes(r.form != nil && r.form.OnTreatment) }},
	}
}

func longForm() []field[*scoreRow] {
	of := func(f func(*analysis.Form) Value) func(*scoreRow) Value {
		return func(r *scoreRow) Value {
			if r.form == nil {
				return Value{}
			}
			return f(r.form)
		}
	}
	return []field[*scoreRow]{
		{Column{Name: "MODE", Label: "Mode of Administration", Codes: modes}, of(func(f *analysis.Form) Value { return TextOf(f.Mode) })},
		{Column{Name: "LANG", Label: "Language of the Participant", Note: "As at the cut; the wording shown on the form is PACK in scores_wide."},
			func(r *scoreRow) Value { return TextOf(r.participant.Language) }},
		{Column{Name: "REGIMEN", Label: "Regimen at First Dose"}, func(r *scoreRow) Value { return TextOf(r.person.Regimen) }},
		{Column{Name: "REGCURR", Label: "Current Regimen", Note: "At the cut, of changes dated on or before the last day asked for."}, func(r *scoreRow) Value { return TextOf(r.person.Current) }},
		{Column{Name: "DEMOFL", Label: "Demonstration Wording", Kind: Flag, Note: "Y: shown without a licensed wording pack."}, of(func(f *analysis.Form) Value { return FlagOf(f.Demonstration) })},
		{Column{Name: "SCOREVER", Label: "Scoring Version"}, of(func(f *analysis.Form) Value { return TextOf(f.Scoring) })},
		{Column{Name: "FORMID", Label: "Form Identifier"}, of(func(f *analysis.Form) Value { return TextOf(f.ID) })},
	}
}

package export

import (
	"fmt"
	"slices"

	"epro/analysis"
	"epro/instruments"
	"epro/study"
)

// timeRow is one person's time to deterioration of one score in one variant.
type timeRow struct {
	view        *view
	participant *study.Participant
	person      *analysis.Person
	score       int
	rule        analysis.Rule
	analysis.Deterioration
}

func (r *timeRow) who() (*view, *study.Participant) { return r.view, r.participant }

// timeDataset is the name of tte.
const timeDataset = "tte"

// tte is time to deterioration of every score that has a published minimally
// important difference, or of every score where a threshold was asked for, in
// every variant.
func tte(ins *instruments.Instrument) Dataset {
	d := Dataset{
		Name: timeDataset, Label: "Time to deterioration", Member: "ADTTE",
		Row:  "a score with a threshold and a variant, of a participant of the PRO population",
		Keys: []string{"USUBJID", "PARAMCD", "VARIANT"},
	}
	fields := slices.Concat(identity[*timeRow](), timeRule(ins), timeValue())
	return table(d, fields, func(v *view, p *study.Participant, each func(*timeRow) error) error {
		person, err := v.plan.Person(p)
		if err != nil || !person.InPopulation {
			return stopped(err)
		}
		for score := range v.plan.Scores {
			rule := v.options.Deterioration
			if rule.Threshold == 0 && v.plan.MID(score).Low == 0 {
				continue
			}
			for _, rule.Variant = range analysis.Variants {
				rule, err := v.plan.Settle(rule, score)
				if err != nil {
					return err
				}
				if err := each(&timeRow{v, p, person, score, rule, v.plan.TimeToDeterioration(person, score, rule)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func timeRule(ins *instruments.Instrument) []field[*timeRow] {
	variants := []Code{{string(analysis.FirstFall), "the first form that fell from baseline by the threshold or more"},
		{string(analysis.ConfirmedFall), "the first with the next valid form fallen too, or death within 42 days of it as the last"},
		{string(analysis.DefinitiveFall), "the first with every later form fallen too; a single last one counts"}}
	return []field[*timeRow]{
		{Column{Name: "PARAMCD", Label: "Parameter Code", Note: "TTD and the score's code."}, func(r *timeRow) Value { return TextOf("TTD" + r.view.plan.Scores[r.score]) }},
		{Column{Name: "PARAM", Label: "Parameter"}, func(r *timeRow) Value {
			return TextOf(fmt.Sprintf("Time to deterioration of %s by %g points", r.view.plan.Scores[r.score], r.rule.Threshold))
		}},
		{Column{Name: "SCORE", Label: "Score of " + ins.Name}, func(r *timeRow) Value { return TextOf(r.view.plan.Scores[r.score]) }},
		{Column{Name: "THRESH", Label: "Threshold", Kind: Number, Unit: "points", Note: "The lower end of the published minimally important difference, unless another was asked for."},
			func(r *timeRow) Value { return NumberOf(r.rule.Threshold) }},
		{Column{Name: "VARIANT", Label: "Variant of Deterioration", Codes: variants}, func(r *timeRow) Value { return TextOf(r.rule.Variant) }},
		{Column{Name: "DEATHBY", Label: "Death Is", Codes: []Code{{"censor", "censored at the last valid form"}, {"event", "an event within 42 days of the last valid form"}}},
			func(r *timeRow) Value { return TextOf(r.rule.Death) }},
		{Column{Name: "GAPBY", Label: "Two or More Missed in a Row Are", Codes: []Code{{"censor", "censored before them"}, {"event", "no matter: what comes after counts"}}},
			func(r *timeRow) Value { return TextOf(r.rule.Gap) }},
		{Column{Name: "PDBY", Label: "Progression or New Therapy Is", Codes: []Code{{"ignore", "no matter: treatment policy"}, {"censor", "censored before it"}}},
			func(r *timeRow) Value { return TextOf(r.rule.Progression) }},
	}
}

func timeValue() []field[*timeRow] {
	var codes []Code
	for _, e := range analysis.Endings {
		codes = append(codes, Code{fmt.Sprint(int(e)), e.String()})
	}
	describe := func(when bool) func(r *timeRow) Value {
		return func(r *timeRow) Value {
			if r.Event != when {
				return Value{}
			}
			return TextOf(r.Description)
		}
	}
	number := func(x *float64) Value {
		if x == nil {
			return Value{}
		}
		return NumberOf(*x)
	}
	return []field[*timeRow]{
		{Column{Name: "STARTDT", Label: "Time to Event Origin Date", Kind: Date, Note: "The first dose."}, func(r *timeRow) Value { return DateOf(r.OriginOn) }},
		{Column{Name: "ADT", Label: "Analysis Date", Kind: Date, Note: "Of the event, or of censoring."}, func(r *timeRow) Value { return DateOf(r.On) }},
		{Column{Name: "AVAL", Label: "Analysis Value", Kind: Integer, Unit: "days", Note: "ADT - STARTDT + 1."}, func(r *timeRow) Value { return IntegerOf(r.Days) }},
		{Column{Name: "AVALM", Label: "Analysis Value in Months", Kind: Number, Unit: "months", Note: "AVAL / 30.4375."}, func(r *timeRow) Value { return NumberOf(r.Months()) }},
		{Column{Name: "EVENT", Label: "Event", Kind: Integer, Codes: []Code{{"0", "censored"}, {"1", "event"}}, Note: "As R and most statistics programs have it."},
			func(r *timeRow) Value {
				if r.Event {
					return IntegerOf(1)
				}
				return IntegerOf(0)
			}},
		{Column{Name: "CNSR", Label: "Censor", Kind: Integer, Codes: codes, Note: "As CDISC has it: 0 is an event."}, func(r *timeRow) Value { return IntegerOf(int(r.Censor)) }},
		{Column{Name: "EVNTDESC", Label: "Event Description"}, describe(true)},
		{Column{Name: "CNSDTDSC", Label: "Censor Date Description"}, describe(false)},
		{Column{Name: "BASE", Label: "Baseline Value", Kind: Number, Unit: "points"}, func(r *timeRow) Value { return number(r.Baseline) }},
		{Column{Name: "EVNTVAL", Label: "Value of the Form That Fell", Kind: Number, Unit: "points"}, func(r *timeRow) Value { return number(r.Value) }},
		{Column{Name: "LASTFL", Label: "A Fall That Only the Last Form Shows", Codes: onlyY, Note: "In the definitive variant."}, func(r *timeRow) Value { return yes(r.SingleLast) }},
		{Column{Name: "NOFALLFL", Label: "Baseline Too Low to Fall by Threshold", Codes: onlyY, Note: "Stays in; to be left out in a sensitivity run."}, func(r *timeRow) Value { return yes(r.CannotFall) }},
		{Column{Name: "REGIMEN", Label: "Regimen at First Dose"}, func(r *timeRow) Value { return TextOf(r.person.Regimen) }},
	}
}

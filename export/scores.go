package export

import (
	"fmt"
	"slices"

	"epro/instruments"
	"epro/scoring"
	"epro/study"
)

// scoresWide has a row for every visit with a form that stands.
func scoresWide(ins *instruments.Instrument) Dataset {
	d := Dataset{
		Name: "scores_wide", Label: "Scores of the forms that stand",
		Member: "SCORESW",
		Row:    "a participant's visit with a form that stands for it",
		Keys:   []string{"SITEID", "SUBJID", "VISITNUM"},
	}
	codes := study.ScoreCodes(ins.ID, ins.Version)
	fields := slices.Concat(identity[*form](), visits[*form](), filled(), regimens(), timing(),
		points(ins, codes), counts(codes), prorations(codes), reasons(codes))
	return table(d, fields, func(v *view, p *study.Participant, each func(*form) error) error {
		return v.forms(p, func(f *form) error {
			if !f.standing {
				return nil
			}
			return each(f)
		})
	})
}

// regimens has the treatment that tables are split by.
func regimens() []field[*form] {
	return []field[*form]{
		{Column{Name: "REGDOSE", Label: "Regimen at First Dose", Note: "Regimen tables use this one."}, func(f *form) Value {
			if f.view.fact(f.participant, study.FactFirstDose) == nil {
				return Value{}
			}
			return TextOf(f.participant.RegimenAtDose)
		}},
		{Column{Name: "REGCURR", Label: "Current Regimen", Note: "At the cut, of changes dated on or before the last day asked for."}, func(f *form) Value {
			return TextOf(f.participant.RegimenOn(f.view.options.Through))
		}},
	}
}

// perScore makes a column for every score.
func perScore(codes []string, column func(code string) Column, value func(scoring.Score) Value) []field[*form] {
	fields := make([]field[*form], len(codes))
	for i, code := range codes {
		fields[i] = field[*form]{column(code), func(f *form) Value { return value(f.scores[i]) }}
	}
	return fields
}

func points(ins *instruments.Instrument, codes []string) []field[*form] {
	return perScore(codes, func(code string) Column {
		low, high, _ := ins.Range(code)
		return Column{Name: code, Label: code + " score", Kind: Number, Unit: "points",
			Note: fmt.Sprintf("%d to %d, higher is better, unrounded.", low, high)}
	}, func(s scoring.Score) Value {
		if s.Missing != scoring.NotMissing {
			return Value{}
		}
		return NumberOf(s.Value)
	})
}

func counts(codes []string) []field[*form] {
	return perScore(codes, func(code string) Column {
		return Column{Name: code + "_N", Label: code + " items answered", Kind: Integer, Unit: "items"}
	}, func(s scoring.Score) Value { return IntegerOf(int(s.Answered)) })
}

func prorations(codes []string) []field[*form] {
	return perScore(codes, func(code string) Column {
		return Column{Name: code + "_PF", Label: code + " prorated", Kind: Flag, Note: "For a total: one of its parts is."}
	}, func(s scoring.Score) Value { return FlagOf(s.Prorated) })
}

var missingReasons = []Code{
	{scoring.TooFewAnswered.String(), "too few of its items are answered"},
	{scoring.ComponentMissing.String(), "a part of the total is missing"},
	{scoring.TooFewOverall.String(), "all parts are there, but too few items over all"},
}

func reasons(codes []string) []field[*form] {
	return perScore(codes, func(code string) Column {
		return Column{Name: code + "_NR", Label: code + " missing because", Codes: missingReasons, Note: "Empty where the score is there."}
	}, func(s scoring.Score) Value { return TextOf(s.Missing.String()) })
}

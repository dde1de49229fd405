package scoring

import (
	"slices"

	"epro/instruments"
)

// total adds subscales, which are named by their place among the scores.
type total struct {
	parts       []uint8
	items, need uint8
}

func newTotal(ins *instruments.Instrument, t instruments.Total) total {
	items := len(ins.ItemsOf(t.Code))
	made := total{items: uint8(items), need: uint8(fewest(t.Needs, items))}
	for _, part := range t.Parts {
		made.parts = append(made.parts, uint8(slices.IndexFunc(ins.Subscales, func(s instruments.Subscale) bool { return s.Code == part })))
	}
	return made
}

// scoreTotals fills in the totals: each the sum of its parts' values, which carry
// their proration in them, so that the sum is not prorated again.
func scoreTotals(parts, into []Score, totals []total) {
	into = into[:len(totals)]
	for i := range totals {
		t := &totals[i]
		value, answered, gap := 0.0, uint8(0), NotMissing
		for _, at := range t.parts {
			part := &parts[at]
			value += part.Value
			answered += part.Answered
			gap |= part.Missing
		}
		if gap != NotMissing {
			into[i] = Score{Answered: answered, Items: t.items, Missing: ComponentMissing}
		} else if answered < t.need {
			into[i] = Score{Answered: answered, Items: t.items, Missing: TooFewOverall}
		} else {
			into[i] = Score{Value: value, Answered: answered, Items: t.items, Prorated: answered < t.items}
		}
	}
}

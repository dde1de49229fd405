package scoring

import "epro/instruments"

// total adds subscales, which are named by their place among the scores.
type total struct {
	parts       []uint8
	items, need uint8
}

func newTotal(ins *instruments.Instrument, t instruments.Total) total {
	var made total
	items := 0
	for _, part := range t.Parts {
		for i, sub := range ins.Subscales {
			if sub.Code == part {
				made.parts = append(made.parts, uint8(i))
				items += len(sub.Items)
			}
		}
	}
	made.items = uint8(items)
	made.need = uint8(fewest(t.Needs, items))
	return made
}

// add writes the sum of the parts, in their order, field by field: building a
// Score and copying it costs more than the arithmetic. The parts carry their
// proration in them, so the sum is not prorated again.
func (t *total) add(into *Score, scores []Score) {
	value, answered, gap := 0.0, uint8(0), NotMissing
	for _, at := range t.parts {
		part := &scores[at]
		value += part.Value
		answered += part.Answered
		gap |= part.Missing
	}
	into.Answered, into.Items = answered, t.items
	switch {
	case gap != NotMissing:
		into.Value, into.Prorated, into.Missing = 0, false, ComponentMissing
	case answered < t.need:
		into.Value, into.Prorated, into.Missing = 0, false, TooFewOverall
	default:
		into.Value, into.Prorated, into.Missing = value, answered < t.items, NotMissing
	}
}

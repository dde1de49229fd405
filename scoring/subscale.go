package scoring

import (
	"math/bits"

	"epro/instruments"
)

// A look-up row has a slot for every answer from OptedOut (−3) to 12, found at
// answer + slotOfZero. Choices are 0 to 9; all other slots add nothing.
const (
	slots      = 16
	slotOfZero = -int(instruments.OptedOut)
)

// word adds up several subscales in one integer. Row i says what an answer to
// item i adds: its score and one count, in the bits of every subscale that has
// the item. One addition an item is then all the arithmetic there is, and an
// unanswered item adds nothing anywhere.
type word struct {
	rows  [][slots]uint64
	lanes []lane
}

// add gives back the packed sums and counts of a form.
func (w *word) add(a instruments.Answers) uint64 {
	rows := w.rows[:min(len(w.rows), len(a))]
	// Cutting both to one length spares a bounds check on every item.
	a = a[:len(rows)]
	var sums uint64
	var seen uint8
	for i := range rows {
		slot := uint8(a[i]) + uint8(slotOfZero)
		seen |= slot
		sums += rows[i][slot%slots]
	}
	if seen >= slots {
		return w.addStrange(a)
	}
	return sums
}

// addStrange is add for answers that no check let through: it looks at each one
// before using it, which costs a branch an item that add does without.
func (w *word) addStrange(a instruments.Answers) uint64 {
	var sums uint64
	for i, answer := range a {
		if slot := int(answer) + slotOfZero; slot >= 0 && slot < slots {
			sums += w.rows[i][slot]
		}
	}
	return sums
}

// lane is the place of one subscale inside a word: its count of answered items
// in the low bits, their sum above. Every score that count and sum can make is
// worked out beforehand, so that scoring neither branches nor divides.
type lane struct {
	shift  uint8
	mask   uint64
	scores []Score
}

// read takes a subscale's score out of the packed sums.
func (l *lane) read(sums uint64) *Score {
	return &l.scores[sums>>(l.shift%64)&l.mask]
}

// subscaleScore is the rule for one subscale: sum of the answered items' scores,
// number of them answered.
func subscaleScore(sub instruments.Subscale, sum, answered int) Score {
	items := len(sub.Items)
	score := Score{Answered: uint8(answered), Items: uint8(items)}
	if answered < fewest(sub.Needs, items) {
		score.Missing = TooFewAnswered
		return score
	}
	// The product is a whole number and the division the only rounding, so that a
	// best possible form with gaps scores exactly the maximum.
	score.Value = float64(sum*items) / float64(answered)
	score.Prorated = answered < items
	return score
}

// fewest is the smallest count that meets the threshold, at least one because
// nothing can be made of no answers at all.
func fewest(t instruments.Threshold, items int) int {
	n := 1
	for n < items && !t.Met(n, items) {
		n++
	}
	return n
}

// pack lays the subscales out, in order, in as few words as hold them. The FACIT
// family fits in one.
func pack(ins *instruments.Instrument) []word {
	var words []word
	used := 64
	for _, sub := range ins.Subscales {
		items := len(sub.Items)
		countBits := bits.Len(uint(items))
		width := countBits + bits.Len(uint(items*ins.Highest()))
		if used+width > 64 {
			words = append(words, word{rows: make([][slots]uint64, len(ins.Items))})
			used = 0
		}
		w := &words[len(words)-1]
		w.enter(ins, sub, used, used+countBits)
		w.lanes = append(w.lanes, newLane(sub, used, countBits, width))
		used += width
	}
	return words
}

func newLane(sub instruments.Subscale, shift, countBits, width int) lane {
	l := lane{shift: uint8(shift), mask: 1<<width - 1, scores: make([]Score, 1<<width)}
	for at := range l.scores {
		l.scores[at] = subscaleScore(sub, at>>countBits, at&(1<<countBits-1))
	}
	return l
}

// enter writes what each answer to a subscale's items adds at two places.
func (w *word) enter(ins *instruments.Instrument, sub instruments.Subscale, countShift, sumShift int) {
	for _, code := range sub.Items {
		at, _ := ins.Index(code)
		for _, choice := range ins.Choices {
			score := choice.Value
			if ins.Items[at].Reversed {
				score = ins.Lowest() + ins.Highest() - choice.Value
			}
			w.rows[at][choice.Value+slotOfZero] += uint64(score)<<sumShift | 1<<countShift
		}
	}
}

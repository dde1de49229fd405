// Package scoring turns the answers of one form into scores. It is pure: no
// clock, no input or output, nothing remembered between forms, and nothing is
// allocated while scoring. All that is particular to a questionnaire comes from
// its instruments.Instrument.
package scoring

import (
	"fmt"
	"slices"

	"epro/instruments"
)

// Version names the rules of this package. It is stored with every score; a
// change that alters any score or its reason for being missing needs a new one.
const Version = "facit-1"

// Missing is why a score has no value.
type Missing uint8

// The reasons; where several hold for a total, the first in this order is given.
const (
	// NotMissing: the score has a value.
	NotMissing Missing = iota
	// TooFewAnswered: too few of a subscale's items are answered.
	TooFewAnswered
	// ComponentMissing: a subscale that the total adds is missing.
	ComponentMissing
	// TooFewOverall: all parts are there, but too few of the total's own items
	// are answered.
	TooFewOverall
)

// String gives back the stored name of the reason: "", "too_few_answered",
// "component_missing" or "too_few_overall".
func (m Missing) String() string {
	switch m {
	case NotMissing:
		return ""
	case TooFewAnswered:
		return "too_few_answered"
	case ComponentMissing:
		return "component_missing"
	case TooFewOverall:
		return "too_few_overall"
	}
	return fmt.Sprintf("missing(%d)", uint8(m))
}

// Score is one subscale or total of one form.
type Score struct {
	// Value is the score in points, unrounded; 0 when it is missing, so look at
	// Missing first.
	Value float64
	// Answered is the number of the scale's items that were answered, Items the
	// number it has. Both are given for a missing score too.
	Answered, Items uint8
	// Prorated reports that the score stands although an item is unanswered; for
	// a total, that one of its parts is prorated.
	Prorated bool
	// Missing is why there is no value, or NotMissing.
	Missing Missing
}

// Scorer scores one instrument. It is read-only and may be used by several
// goroutines at once.
type Scorer struct {
	codes  []string
	limits limits
	chunks []chunk // of the subscales, in order
	totals []total
	items  int // answers that are needed to look at eight at a time
}

// New prepares a Scorer; an instrument that fails Validate is an error.
func New(ins *instruments.Instrument) (*Scorer, error) {
	if err := ins.Validate(); err != nil {
		return nil, fmt.Errorf("scoring: %w", err)
	}
	s := &Scorer{limits: limitsOf(ins), items: max(width, len(ins.Items))}
	for _, sub := range ins.Subscales {
		s.chunks = append(s.chunks, chunksOf(ins, sub)...)
		s.codes = append(s.codes, sub.Code)
	}
	for _, t := range ins.Totals {
		s.totals = append(s.totals, newTotal(ins, t))
		s.codes = append(s.codes, t.Code)
	}
	return s, nil
}

// Codes gives back the codes of the scores in the order in which Score appends
// them: subscales, then totals. The list is the caller's own.
func (s *Scorer) Codes() []string { return slices.Clone(s.codes) }

// Score appends one Score a code to dst and gives back the longer slice; with
// room in dst nothing is allocated. The answers are not changed.
//
// Answers are those that Instrument.Check gave back. Anything else is taken
// without panic: a value that is no choice counts as unanswered, items beyond
// the end of a are unanswered, and answers beyond the last item are ignored.
func (s *Scorer) Score(dst []Score, a instruments.Answers) []Score {
	if len(a) < s.items {
		return s.scoreShort(dst, a)
	}
	start := len(dst)
	dst = slices.Grow(dst, len(s.codes))[:start+len(s.codes)]
	scores := dst[start:]
	next := scoreSubscales(scores, s.limits, s.chunks, a)
	scoreTotals(scores, scores[next:], s.totals)
	return dst
}

// scoreShort scores a form that lacks its last items, as if they were there and
// not reached.
func (s *Scorer) scoreShort(dst []Score, a instruments.Answers) []Score {
	var long [256]instruments.Answer // no instrument has more items
	for i := copy(long[:], a); i < s.items; i++ {
		long[i] = instruments.NotReached
	}
	return s.Score(dst, long[:s.items])
}

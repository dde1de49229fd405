package instruments

import (
	"fmt"
	"log/slog"
)

// Answer is what is known about one item of one form: the value of the
// choice that was made (0 or more, always as given and never reversed), or one
// of NotReached, Skipped and OptedOut.
type Answer int8

// The three ways in which an item can be without a value. All three score as
// missing; they are kept apart because reports on missing data tell them apart.
const (
	// NotReached: the form says nothing about the item.
	NotReached Answer = -1
	// Skipped: the person saw the item and chose to pass it.
	Skipped Answer = -2
	// OptedOut: the person ticked the box that excuses them from the item.
	OptedOut Answer = -3
)

// Answered reports whether the item carries a choice.
func (a Answer) Answered() bool { return a >= 0 }

// Answers holds one Answer an item, in the order of Instrument.Items.
type Answers []Answer

// Count gives back the number of items that carry a choice.
func (a Answers) Count() int {
	n := 0
	for _, v := range a {
		if v.Answered() {
			n++
		}
	}
	return n
}

// The characters of the text form that stand for an item without a value.
const (
	notReachedText = '.'
	skippedText    = 's'
	optedOutText   = 'o'
)

// MarshalText writes one character an item: the digit of the choice, '.' for
// not reached, 's' for skipped, 'o' for opted out. The form is stored, so it
// never changes. An answer that has no such character (10 or more, below
// OptedOut) is an error that names its position, counted from 1.
func (a Answers) MarshalText() ([]byte, error) {
	text := make([]byte, len(a))
	for i, v := range a {
		switch {
		case v >= 0 && v <= 9:
			text[i] = '0' + byte(v)
		case v == NotReached:
			text[i] = notReachedText
		case v == Skipped:
			text[i] = skippedText
		case v == OptedOut:
			text[i] = optedOutText
		default:
			return nil, fmt.Errorf("instruments: answer %d of %d cannot be written as one character", i+1, len(a))
		}
	}
	return text, nil
}

// UnmarshalText reads what MarshalText writes. Any other character is an error
// that names its position, counted from 1; a is then left as it was. Whether
// the length and the digits suit an instrument is not looked at here.
func (a *Answers) UnmarshalText(text []byte) error {
	read := make(Answers, len(text))
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9':
			read[i] = Answer(c - '0')
		case c == notReachedText:
			read[i] = NotReached
		case c == skippedText:
			read[i] = Skipped
		case c == optedOutText:
			read[i] = OptedOut
		default:
			return fmt.Errorf("instruments: character %d of %d stands for no answer", i+1, len(text))
		}
	}
	*a = read
	return nil
}

// LogValue keeps a person's answers out of logs: only the counts are written.
func (a Answers) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("items", len(a)), slog.Int("answered", a.Count()))
}

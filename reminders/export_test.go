package reminders

import "time"

// What the tests outside the package need to see of its inside.
var (
	Leaves   = leaves
	SpreadOf = spreadOf
	Wanted   = wanted
	CursorAt = cursorAt
)

// CursorKind is the kind of the cursors' records.
const CursorKind = recordCursor

// Texts are the languages that there are texts in.
func Texts() []string {
	var out []string
	for lang := range texts {
		out = append(out, lang)
	}
	return out
}

// Reserve is the pace at which messages leave: each call takes the next place and
// says how far away it is.
func Reserve(perSecond float64, ramp time.Duration, now func() time.Time) func() time.Duration {
	p := &pace{perSecond: perSecond, ramp: ramp, now: now}
	return p.reserve
}

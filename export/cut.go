package export

import (
	"time"

	"epro/study"
)

// settledAfter is how far a cut must lie back before nothing can be recorded
// before it any more: an event carries the instant just before its insert.
const settledAfter = time.Minute

// Cut is the instant up to which records count, by the server's clock.
type Cut struct {
	At time.Time
	// Final says that nothing can be recorded before the cut any more, so that
	// the same cut always gives the same bytes.
	Final bool
}

// ParseCut reads a cut: nothing is now, a date is its end in the study's zone,
// anything else an RFC 3339 instant.
func ParseCut(text string, zone *time.Location, now time.Time) (Cut, error) {
	at := now
	if text != "" {
		day, err := study.ParseDate(text)
		if err == nil {
			at = study.StartOfDay(day+1, zone).Add(-time.Millisecond)
		} else if at, err = time.Parse(time.RFC3339, text); err != nil {
			return Cut{}, study.Fail(study.Invalid, "The cut is neither a date nor an instant.",
				study.Field{Name: "cut", Reason: "write a date (2026-03-17: its end in the study's time zone) or an instant (2026-03-17T09:30:00Z)"})
		}
	}
	at = study.InstantOf(at).Time()
	return Cut{At: at, Final: now.Sub(at) > settledAfter}, nil
}

// ParseThrough reads the last day of the forms and facts that count; nothing
// is no limit.
func ParseThrough(text string) (study.Date, error) {
	if text == "" {
		return 0, nil
	}
	day, err := study.ParseDate(text)
	if err != nil {
		return 0, study.Fail(study.Invalid, "That is no date.", study.Field{Name: "through", Reason: "write a date such as 2026-03-17"})
	}
	return day, nil
}

package reminders

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	"epro/study"
)

// Step is one reminder of an assessment's ladder.
type Step struct {
	// Key is the step's name and day, such as "due+2@2026-03-25". A step that
	// has left never leaves again for the same day; one that a delayed cycle
	// moves to another day is another step, and counts towards the most.
	Key     string
	Nominal time.Time // as the protocol says, by the clock of the window's zone
	// At is when it leaves: Nominal, moved out of the quiet hours, and spread.
	At time.Time
}

// Times around a message.
const (
	spreadFrom = 150 // seconds after the minute, so that full minutes stay free
	spreadTo   = 750
	quarter    = 900

	longest  = 12 * time.Hour   // that a message may wait for a phone
	shortest = 10 * time.Minute // a message with less to live does not leave
)

// Ladder are the steps of an assessment, as its protocol and window have them,
// in the order in which they leave. A step that would leave outside the window
// does not exist: a cut window has fewer.
func Ladder(h *study.History, a *study.Assessment) []Step {
	rules, ladder := h.RemindersFor(a)
	zone, err := study.LoadZone(a.Window.Zone)
	if err != nil {
		zone = time.UTC
	}
	opens, closes := a.Window.OpensAt().Time(), a.Window.ClosesAt().Time()
	steps := make([]Step, 0, len(ladder.Steps))
	for _, m := range ladder.Steps {
		on := m.On(a.Window)
		s := Step{Key: m.Name() + "@" + on.String(), Nominal: study.WallTime(on, m.At.Minutes(), zone)}
		s.At = leaves(rules.Quiet, s.Nominal, zone, spreadOf(a.ID, s.Key))
		if on >= a.Window.OpensOn && on <= a.Window.ClosesOn && !s.At.Before(opens) && s.At.Before(closes) {
			steps = append(steps, s)
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return steps
}

// spreadOf is a number that every process finds for the step, and that is
// another one for every step.
func spreadOf(a study.AssessmentID, key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(a))
	h.Write([]byte{0})
	h.Write([]byte(key))
	sum := h.Sum64()
	// The last bytes of FNV mix badly, and ids differ in a few letters.
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd
	return sum ^ sum>>33
}

// leaves is when a message leaves that is meant for an instant: not in the quiet
// hours, and spread over the minutes after it.
func leaves(q study.QuietHours, nominal time.Time, zone *time.Location, hash uint64) time.Time {
	base := nominal
	for range 3 { // at most twice: out of the quiet hours, and again where the clocks leap
		at := base.Add(spread(base.In(zone), hash))
		if !isQuiet(q, base, zone) && !isQuiet(q, at, zone) {
			return at
		}
		base = quietEnds(q, base, zone)
	}
	return base.Add(spread(base.In(zone), hash))
}

// spread is how long after its minute a message leaves: 2½ to 12½ minutes, and
// never within 2½ minutes of a full quarter of an hour, when everybody's
// programs wake up.
func spread(local time.Time, hash uint64) time.Duration {
	next := quarter - 60*(local.Minute()%15) - local.Second() // seconds to the next full quarter
	before := max(min(spreadTo, next-spreadFrom)-spreadFrom+1, 0)
	from := max(spreadFrom, next+spreadFrom)
	after := max(spreadTo-from+1, 0)
	n := int(hash % uint64(before+after))
	if n < before {
		return time.Duration(spreadFrom+n) * time.Second
	}
	return time.Duration(from+n-before) * time.Second
}

func isQuiet(q study.QuietHours, at time.Time, zone *time.Location) bool {
	local := at.In(zone)
	return q.Contains(60*local.Hour() + local.Minute())
}

// quietEnds is the first end of quiet hours after an instant.
func quietEnds(q study.QuietHours, at time.Time, zone *time.Location) time.Time {
	return nextClock(q.Until, at, zone)
}

// nextClock is the first instant after at that begins this time of day.
func nextClock(c study.ClockTime, at time.Time, zone *time.Location) time.Time {
	for day := study.DateOf(at.In(zone)); ; day++ {
		if t := study.WallTime(day, c.Minutes(), zone); t.After(at) {
			return t
		}
	}
}

// expiry is when a message of a step that leaves now is of no use any more: the
// window closes, the next step leaves, the quiet hours begin, or it is old.
func expiry(q study.QuietHours, a *study.Assessment, steps []Step, i int, now time.Time) time.Time {
	zone, err := study.LoadZone(a.Window.Zone)
	if err != nil {
		zone = time.UTC
	}
	until := now.Add(longest)
	earlier := func(t time.Time) {
		if t.Before(until) {
			until = t
		}
	}
	earlier(a.Window.ClosesAt().Time())
	if i+1 < len(steps) {
		earlier(steps[i+1].At)
	}
	if q.From != q.Until {
		earlier(nextClock(q.From, now, zone))
	}
	return until
}

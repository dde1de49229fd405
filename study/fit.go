package study

import (
	"slices"
	"time"
)

// readings are the two times at which a form may have been completed: by the
// phone's clock, and by the server's when the phone's was off.
type readings struct {
	said, corrected       Instant // corrected is zero when the clocks agree
	started, startedFixed Instant
}

// readings corrects the phone's clock by how far it was off when it sent.
func (c SubmitForm) readings(now Instant, rules FormRules) readings {
	r := readings{said: c.CompletedAt, started: c.StartedAt, startedFixed: c.StartedAt}
	tolerance := Instant(rules.ClockToleranceMinutes) * Instant(time.Minute/time.Millisecond)
	isOff := func(off Instant) bool { return off > tolerance || off < -tolerance }
	var off Instant
	if !c.SentAt.IsZero() {
		off = now - c.SentAt
	}
	if !isOff(off) && c.CompletedAt > now {
		off = now - c.CompletedAt // it cannot be completed after it arrived
	}
	if isOff(off) {
		r.corrected = min(c.CompletedAt+off, now)
		r.startedFixed = min(c.StartedAt+off, r.corrected)
	}
	return r
}

func (r readings) flags() []Flag {
	if r.corrected.IsZero() {
		return nil
	}
	return []Flag{FlagTimeUncertain}
}

// best is the completion by the server's clock.
func (r readings) best() Instant {
	if r.corrected.IsZero() {
		return r.said
	}
	return r.corrected
}

// fit is the window that a form was completed in, if any.
type fit struct {
	ok     bool
	window Window
	moved  bool // the window as it was at completion, not as it is now
	grace  bool // finished within the grace time after closing
}

func (f fit) flags(received Instant) []Flag {
	var flags []Flag
	if f.moved {
		flags = append(flags, FlagWindowMoved)
	}
	if f.grace {
		flags = append(flags, FlagFinishedAfterClose)
	}
	if received >= f.window.ClosesAt() {
		flags = append(flags, FlagLateArrival)
	}
	return flags
}

// reading is when a form was started and completed by one clock.
type reading struct{ started, completed Instant }

// fit looks for a window that the form was completed in: the one in force now
// before the one at completion, inside before the grace time; either reading
// of the clocks will do.
func (c SubmitForm) fit(p *Participant, a *Assessment, protocol *Protocol, r readings, now Instant) fit {
	both := []reading{{r.started, min(r.said, now)}} // a clock that runs ahead opens no window early
	if !r.corrected.IsZero() {
		both = append(both, reading{r.startedFixed, r.corrected})
	}
	grace := Instant(protocol.Forms.GraceMinutes) * Instant(time.Minute/time.Millisecond)
	for _, late := range []Instant{0, grace} {
		for _, then := range []when{asItIsNow, asAtCompletion, asAtStart} {
			for _, t := range both {
				w, inForce := a.windowAs(then, t)
				inside := inForce && w.Contains(t.completed)
				after := inForce && late > 0 && w.Contains(t.started) && t.completed >= w.ClosesAt() &&
					t.completed < w.ClosesAt()+late && !p.dosedBefore(a, protocol, t.completed)
				if inside || after {
					return fit{ok: true, window: w, moved: then != asItIsNow, grace: after}
				}
			}
		}
	}
	return fit{window: a.Window}
}

// when says at which moment a window is looked at. A form that was begun in a
// window is not lost because the desk moved the visit before it was finished.
type when int

const (
	asItIsNow when = iota
	asAtCompletion
	asAtStart
)

// windowAs is the window in force now, or as it was at the form's completion
// or start, and whether there was one.
func (a *Assessment) windowAs(then when, t reading) (Window, bool) {
	switch then {
	case asAtCompletion:
		return a.windowAt(t.completed)
	case asAtStart:
		return a.windowAt(t.started)
	default:
		return a.Window, !a.Superseded
	}
}

// windowAt is the window as it was at the instant, and whether there was one.
func (a *Assessment) windowAt(at Instant) (Window, bool) {
	for _, past := range a.Past {
		if at < past.Until {
			return past.Window, true
		}
	}
	return a.Window, !a.Superseded
}

// dosedBefore reports whether the form is a baseline form completed after the
// first dose, which no grace can save.
func (p *Participant) dosedBefore(a *Assessment, protocol *Protocol, completed Instant) bool {
	v, _, _ := protocol.Visit(a.Visit)
	dose := p.Fact(FactFirstDose)
	if !v.Baseline || dose == nil {
		return false
	}
	if !dose.At.IsZero() {
		return completed >= dose.At
	}
	return completed >= InstantOf(StartOfDay(dose.On.First(), p.Zone()))
}

// leftBefore reports whether the participant had left, died or been excluded
// when the form was completed: on a later day than it can have been, or after
// it was recorded, for nothing is recorded that lies ahead.
func (p *Participant) leftBefore(completed Instant) bool {
	day := DateOf(completed.Time().In(p.Zone()))
	return slices.ContainsFunc(p.Facts, func(f Fact) bool {
		return f.Kind.stops() && !f.Retracted && (day > f.On.Last() || completed > f.RecordedAt)
	})
}

package analysis

import "epro/study"

// Standing is where one visit of one person stands in the completion table.
type Standing string

// A visit enters the table once its window has closed at the cut. Who sent a
// form that was received is expected, whatever happened later.
const (
	NotAsked   Standing = ""           // her protocol versions do not have the visit
	NotYet     Standing = "not_yet"    // its window has not closed at the cut
	Superseded Standing = "superseded" // a later visit took its place; left out of the table and counted apart
	Received   Standing = "received"   // a counted form, in time, not by a proxy, with an item answered
	Dead       Standing = "dead"       // no such form, died on or before closing
	Off        Standing = "off"        // no such form, left the trial on or before closing
	OffPRO     Standing = "off_pro"    // no such form, left the questionnaires on or before closing; also missing
	Missing    Standing = "missing"    // no such form, and expected
)

// standing decides on a visit; the first match wins.
func (p *Plan) standing(q *Person, v *VisitOf) Standing {
	by := func(day study.Date) bool { return day != 0 && day <= v.Window.ClosesOn }
	switch {
	case !v.Asked:
		return NotAsked
	case v.Superseded:
		return Superseded
	case !p.closed(v.Window):
		return NotYet
	case v.Form.Received():
		return Received
	case by(q.DiedOn):
		return Dead
	case by(q.OffOn):
		return Off
	case by(q.OffPROOn):
		return OffPRO
	default:
		return Missing
	}
}

// Entered reports whether the visit is in the completion table.
func (s Standing) Entered() bool { return s != NotAsked && s != NotYet && s != Superseded }

// Expected reports whether a form was expected.
func (s Standing) Expected() bool { return s == Received || s == OffPRO || s == Missing }

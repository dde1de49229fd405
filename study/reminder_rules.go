package study

import (
	"fmt"
	"regexp"
	"slices"
)

// ReminderRules say when participants are reminded. A protocol without them
// reminds nobody: what a participant reads on her phone was approved with the
// protocol, so a newer program must not begin to send by itself.
type ReminderRules struct {
	Quiet QuietHours `yaml:"quiet_hours"`
	Most  int        `yaml:"most"` // messages for one visit, to each phone
	// Steps and Calls are the ladder of every visit without one of its own.
	Steps []Moment `yaml:"steps"`
	Calls []Moment `yaml:"calls"`
	// CallsWithoutRoute stand in the place of Steps for a participant whom no
	// message can reach.
	CallsWithoutRoute []Moment `yaml:"calls_without_route"`
}

// Ladder is when messages leave and when the site is asked to telephone.
type Ladder struct {
	Steps []Moment `yaml:"steps"`
	Calls []Moment `yaml:"calls"`
}

// QuietHours are the hours in which no message leaves, by the clock where the
// participant lives, from From (included) to Until (not included), usually over
// midnight. Both the same: none are quiet.
type QuietHours struct {
	From  ClockTime `yaml:"from"`
	Until ClockTime `yaml:"until"`
}

// Moment is a time of day, so many days after an anchor of a visit's window.
type Moment struct {
	From Anchor    `yaml:"from"`
	Days int       `yaml:"days"`
	At   ClockTime `yaml:"at"`
}

// Anchor is a day of a window that other days are counted from.
type Anchor string

// The day on which a window opens, on which the visit is due, and the last day.
const (
	AnchorOpens  Anchor = "opens"
	AnchorDue    Anchor = "due"
	AnchorCloses Anchor = "closes"
)

// Name is what the moment is called within its ladder, such as "due+2".
func (m Moment) Name() string {
	if m.Days == 0 {
		return string(m.From)
	}
	return fmt.Sprintf("%s%+d", m.From, m.Days)
}

// On is the moment's day in a window.
func (m Moment) On(w Window) Date {
	switch m.From {
	case AnchorOpens:
		return w.OpensOn + Date(m.Days)
	case AnchorCloses:
		return w.ClosesOn + Date(m.Days)
	default:
		return w.DueOn + Date(m.Days)
	}
}

// ClockTime is a time of day, HH:MM from 00:00 to 23:59.
type ClockTime string

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// Minutes after midnight; 0 for what is no time of day.
func (c ClockTime) Minutes() int {
	if len(c) != len("21:00") {
		return 0
	}
	digit := func(i int) int { return int(c[i] - '0') } // the validator let digits through only; a plan asks often
	return 60*(10*digit(0)+digit(1)) + 10*digit(3) + digit(4)
}

// Contains reports whether so many minutes after midnight are quiet.
func (q QuietHours) Contains(minutes int) bool {
	from, until := q.From.Minutes(), q.Until.Minutes()
	if from <= until {
		return minutes >= from && minutes < until
	}
	return minutes >= from || minutes < until
}

// SpreadMinutes is how long after its minute a message leaves at most: those of
// many participants are spread over this time.
const SpreadMinutes = 13

// settles is the day and minute at which a message of that minute leaves at the
// earliest: later when it, or what it is spread over, would be quiet.
func (q QuietHours) settles(day, minute int) (int, int) {
	if !q.Contains(minute) && !q.Contains((minute+SpreadMinutes)%(24*60)) {
		return day, minute
	}
	if until := q.Until.Minutes(); until <= minute {
		return day + 1, until
	}
	return day, q.Until.Minutes()
}

func (l Ladder) written() bool { return len(l.Steps)+len(l.Calls) > 0 }

// LadderOf is the ladder of the visit: its own or the general one.
func (p *Protocol) LadderOf(v Visit) Ladder {
	if v.Reminders.written() {
		return v.Reminders
	}
	return Ladder{Steps: p.Reminders.Steps, Calls: p.Reminders.Calls}
}

// RemindersFor are the rules that the assessment is reminded by, and its
// ladder: those of the protocol version that its window was made from.
func (h *History) RemindersFor(a *Assessment) (ReminderRules, Ladder) {
	p := h.protocol(a.Protocol)
	v, _, _ := p.Visit(a.Visit)
	return p.Reminders, p.LadderOf(v)
}

func (r ReminderRules) written() bool {
	return r.Quiet != QuietHours{} || r.Most != 0 || len(r.Steps)+len(r.Calls)+len(r.CallsWithoutRoute) > 0
}

// mostSteps is the most that a protocol may ask for: more would be ignored by
// people, and the promise to participants is four.
const mostSteps = 4

// checkReminders looks at the ladders as they fall into the planned windows.
func (p *Protocol) checkReminders(l *faultList) {
	r := p.Reminders
	own := slices.ContainsFunc(p.Visits, func(v Visit) bool { return v.Reminders.written() })
	if !r.written() && !own {
		return
	}
	const hhmm = `write a time of day as HH:MM in quotes, such as "21:00"`
	l.need(clockTime.MatchString(string(r.Quiet.From)), "reminders.quiet_hours.from", hhmm)
	l.need(clockTime.MatchString(string(r.Quiet.Until)), "reminders.quiet_hours.until", hhmm)
	l.between(r.Most, 1, mostSteps, "reminders.most")
	general := p.checkLadder(l, "reminders", Ladder{r.Steps, r.Calls})
	calls := p.checkMoments(l, "reminders.calls_without_route", r.CallsWithoutRoute)
	for i, v := range p.Visits {
		path := fmt.Sprintf("visits[%d].reminders", i)
		if calls {
			p.checkInside(l, i, "reminders.calls_without_route", r.CallsWithoutRoute, false)
		}
		ladder, at := p.LadderOf(v), "reminders"
		sound := general
		if v.Reminders.written() {
			at, sound = path, p.checkLadder(l, path, ladder)
		}
		if sound {
			p.checkInside(l, i, at+".steps", ladder.Steps, true)
			p.checkInside(l, i, at+".calls", ladder.Calls, false)
		}
	}
}

// checkLadder looks at a ladder by itself.
func (p *Protocol) checkLadder(l *faultList, path string, ladder Ladder) bool {
	steps := p.checkMoments(l, path+".steps", ladder.Steps)
	calls := p.checkMoments(l, path+".calls", ladder.Calls)
	most := p.Reminders.Most
	few := most < 1 || most > mostSteps || len(ladder.Steps) <= most
	return l.need(few, path+".steps", "list at most %d steps, as many as reminders.most says", most) && steps && calls
}

func (p *Protocol) checkMoments(l *faultList, path string, moments []Moment) bool {
	sound := true
	seen := map[string]bool{}
	for i, m := range moments {
		at := fmt.Sprintf("%s[%d]", path, i)
		known := m.From == AnchorOpens || m.From == AnchorDue || m.From == AnchorCloses
		sound = l.need(known, at+".from", "write opens, due or closes: the day of the window that is counted from") && sound
		sound = l.between(m.Days, -maxWindow, maxWindow, at+".days") && sound
		sound = l.need(clockTime.MatchString(string(m.At)), at+".at", `write a time of day as HH:MM in quotes, such as "09:00"`) && sound
		sound = l.need(!seen[m.Name()], at, "an earlier one is on the same day; remove one of the two") && sound
		seen[m.Name()] = true
	}
	return sound
}

// checkInside refuses moments that fall outside the visit's planned window, a
// message also where the quiet hours or the spreading would move it out. The
// fault stands with the end of the window that it passes.
func (p *Protocol) checkInside(l *faultList, i int, path string, moments []Moment, message bool) {
	v := p.Visits[i]
	var wrong faultList
	if p.checkWindow(&wrong, v, ""); len(wrong) > 0 {
		return
	}
	w := Window{OpensOn: Date(v.OpensDays), ClosesOn: Date(v.ClosesDays)}
	for j, m := range moments {
		day, minute := int(m.On(w)), m.At.Minutes()
		if message {
			day, minute = p.Reminders.Quiet.settles(day, minute)
			minute += SpreadMinutes
		}
		const advice = "%s[%d], day %d from the due day, lies outside the window of visit %s; move it, or give the visit reminders of its own"
		l.need(day >= v.OpensDays, fmt.Sprintf("visits[%d].opens_days", i), advice, path, j, day, v.Code)
		l.need(day <= v.ClosesDays && minute <= 24*60, fmt.Sprintf("visits[%d].closes_days", i), advice, path, j, day, v.Code)
	}
}

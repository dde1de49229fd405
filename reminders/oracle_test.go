package reminders_test

import (
	"fmt"
	"slices"
	"time"

	"epro/reminders"
	"epro/study"
)

// rung is a step of the default ladder as the rules of the field have it,
// written here a second time.
type rung struct {
	name   string
	anchor func(study.Window) study.Date
	clock  int // minutes after midnight
}

func opens(w study.Window) study.Date { return w.OpensOn }

func due(days study.Date) func(study.Window) study.Date {
	return func(w study.Window) study.Date { return w.DueOn + days }
}

func closes(days study.Date) func(study.Window) study.Date {
	return func(w study.Window) study.Date { return w.ClosesOn + days }
}

var (
	usualLadder    = []rung{{"opens", opens, 9 * 60}, {"due", due(0), 9 * 60}, {"due+2", due(2), 9 * 60}, {"closes-1", closes(-1), 18 * 60}}
	baselineLadder = []rung{{"opens", opens, 9 * 60}, {"due-2", due(-2), 9 * 60}, {"due-1", due(-1), 18 * 60}, {"due", due(0), 8 * 60}}
)

// expected is a step that should leave at an instant.
type expected struct {
	key string
	at  time.Time
}

var quietNights = study.QuietHours{From: "21:00", Until: "08:00"}

// rungsOf are the steps of the window, in the order in which they leave. Only
// where in its ten minutes a message leaves is taken from the program; that it
// is in them is a property of its own.
func rungsOf(a *study.Assessment) []expected {
	ladder := usualLadder
	if a.Visit == "C1D1" {
		ladder = baselineLadder
	}
	loc, err := time.LoadLocation(a.Window.Zone)
	if err != nil {
		panic(err)
	}
	var out []expected
	for _, r := range ladder {
		on := r.anchor(a.Window)
		if on < a.Window.OpensOn || on > a.Window.ClosesOn {
			continue
		}
		y, m, d := on.UTC().Date()
		nominal := time.Date(y, m, d, r.clock/60, r.clock%60, 0, 0, loc) // no zone of the test leaps at these hours
		key := r.name + "@" + on.String()
		out = append(out, expected{key, reminders.Leaves(study.QuietHours{}, nominal, loc, reminders.SpreadOf(a.ID, key))})
	}
	slices.SortStableFunc(out, func(a, b expected) int { return a.at.Compare(b.at) })
	return out
}

// believer is the oracle for one participant: it goes from tick to tick and
// asks of each State what the rules of the field ask.
type believer struct {
	w       *yearWorld
	l       *life
	settled map[study.AssessmentID]map[string]bool // steps that have left, were merged or skipped
	left    map[study.AssessmentID]int
	lost    map[string]bool // phones whose token was found dead
	out     []string
}

// expect is what should have left for a participant.
func (w *yearWorld) expect(l *life) []string {
	b := &believer{w: w, l: l, settled: map[study.AssessmentID]map[string]bool{}, left: map[study.AssessmentID]int{}, lost: map[string]bool{}}
	for _, at := range b.ticks() {
		b.tick(at)
	}
	return b.out
}

// ticks are the ticks at which anything can happen to her: after each step of
// each State, after each event, when quiet hours and outages end.
func (b *believer) ticks() []time.Time {
	var out []time.Time
	add := func(at time.Time) {
		at = onGrid(at)
		for b.w.down(at) {
			at = at.Add(tick)
		}
		out = append(out, at)
	}
	for _, s := range b.l.states {
		add(s.from)
		for i := range s.p.Assessments {
			a := &s.p.Assessments[i]
			for _, r := range rungsOf(a) {
				add(r.at)
			}
		}
	}
	for _, o := range b.w.outages {
		// What the night holds back after an outage leaves in the morning.
		for at := onGrid(o[1]); at.Before(o[1].Add(14 * time.Hour)); at = at.Add(tick) {
			add(at)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// since is from when reminders of the assessment may leave: nothing leaves for
// what was moved, stopped or paused when it would have.
func (b *believer) since(id study.AssessmentID, at time.Time) time.Time {
	var from time.Time
	var was *study.Participant
	for _, s := range b.l.states {
		if s.from.After(at) {
			break
		}
		now, before := s.p.Assessment(id), (*study.Assessment)(nil)
		if was != nil {
			before = was.Assessment(id)
		}
		switch {
		case before == nil, before.Window != now.Window || before.Superseded && !now.Superseded:
			from = s.from
		case was.Stop() != nil && s.p.Stop() == nil, !was.PausedAt.IsZero() && s.p.PausedAt.IsZero(), was.ReportedDead() != nil && s.p.ReportedDead() == nil:
			from = s.from
		}
		was = s.p
	}
	return from
}

func (b *believer) tick(at time.Time) {
	p := b.l.at(at)
	if p == nil || p.Stop() != nil {
		return
	}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		open := !a.Superseded && a.Standing() == nil && !at.Before(a.Window.OpensAt().Time()) && at.Before(a.Window.ClosesAt().Time())
		if open {
			b.assessment(p, a, at)
		}
	}
}

func (b *believer) assessment(p *study.Participant, a *study.Assessment, at time.Time) {
	rungs := rungsOf(a)
	last := -1
	for i, r := range rungs {
		if !r.at.After(at) {
			last = i
		}
	}
	if last < 0 || rungs[last].at.Before(b.since(a.ID, at)) || b.settled[a.ID][rungs[last].key] {
		return
	}
	local := at.In(p.Zone())
	if h := local.Hour(); h >= 21 || h < 8 {
		return // the night holds it back
	}
	if at.Before(b.morning(a.ID, rungs[last], local)) {
		return
	}
	b.settle(a.ID, rungs[:last+1])
	until := at.Add(12 * time.Hour)
	for _, end := range []time.Time{a.Window.ClosesAt().Time(), tonight(local)} {
		if end.Before(until) {
			until = end
		}
	}
	if last+1 < len(rungs) && rungs[last+1].at.Before(until) {
		until = rungs[last+1].at
	}
	if held := slices.ContainsFunc(a.Submissions, func(s study.Submission) bool { return s.Held() }); held || !p.PausedAt.IsZero() || p.ReportedDead() != nil || b.left[a.ID] >= 4 || until.Sub(at) < 10*time.Minute {
		return
	}
	left := false
	for _, d := range b.l.devices {
		if !b.registered(d, at) {
			continue
		}
		left = true
		collapse := study.OpaqueID("step", string(a.ID), rungs[last].key)
		b.out = append(b.out, fmt.Sprintf("%s %s to %s", at.UTC().Format(time.DateTime), collapse, d.token))
		if died, dies := b.w.dead[d.token]; dies && !at.Before(died) {
			b.lost[d.token] = true
		}
	}
	if left {
		b.left[a.ID]++
	}
}

// morning is when a step leaves that was seen to be due at night: some minutes
// after the night. One that nobody saw then leaves as soon as it is seen.
func (b *believer) morning(id study.AssessmentID, r expected, local time.Time) time.Time {
	y, m, d := local.Date()
	eight := time.Date(y, m, d, 8, 0, 0, 0, local.Location())
	night := onGrid(eight).Add(-tick)
	if b.w.down(night) || r.at.After(night) {
		return eight
	}
	return reminders.Leaves(quietNights, night, local.Location(), reminders.SpreadOf(id, r.key))
}

func (b *believer) settle(id study.AssessmentID, rungs []expected) {
	if b.settled[id] == nil {
		b.settled[id] = map[string]bool{}
	}
	for _, r := range rungs {
		b.settled[id][r.key] = true
	}
}

func tonight(local time.Time) time.Time {
	y, m, d := local.Date()
	return time.Date(y, m, d, 21, 0, 0, 0, local.Location())
}

// registered reports whether messages go to the phone: it has registered in the
// last 60 days, its token was not found dead, and she has not withdrawn since.
func (b *believer) registered(d phoneAt, at time.Time) bool {
	var seen time.Time
	for _, s := range d.seen {
		if !s.After(at) {
			seen = s
		}
	}
	if seen.IsZero() || at.Sub(seen) > 60*24*time.Hour || b.lost[d.token] {
		return false
	}
	for _, s := range b.l.states {
		if s.from.After(seen) && !s.from.After(at) && s.p.Fact(study.FactWithdrawn) != nil {
			return false
		}
	}
	return true
}

package study

import (
	"slices"
	"time"
)

// mustZone is the location of a zone that was checked before it was stored.
// One that this machine's zone data have dropped since reads as UTC, so that a
// record stays readable.
func mustZone(name string) *time.Location {
	loc, err := LoadZone(name)
	if err != nil {
		return time.UTC
	}
	return loc
}

// planCycles lays out the cycles as planned from the first day of cycle 1.
func planCycles(rules CycleRules, first Date) []Cycle {
	cycles := make([]Cycle, rules.Count)
	for i := range cycles {
		cycles[i] = Cycle{N: i + 1, StartsOn: first + Date(i*rules.LengthDays), Kind: CyclePlanned}
	}
	return cycles
}

// shiftCycles moves cycle n to a day, and with it the cycles after it up to
// the next whose date is a fact.
func shiftCycles(cycles []Cycle, n int, to Date) {
	shift := to - cycles[n-1].StartsOn
	cycles[n-1].StartsOn, cycles[n-1].Postponed = to, 0
	for i := n; i < len(cycles) && !cycles[i].settled(); i++ {
		cycles[i].StartsOn += shift
		if cycles[i].Postponed != 0 {
			cycles[i].Postponed += shift
		}
	}
}

// followLastGiven lays out the cycles that will not be given any more because
// treatment has ended: their visits count on from the last given one, whatever
// had been planned for them.
func followLastGiven(cycles []Cycle, lengthDays int) {
	given, settled := -1, -1
	for i, c := range cycles {
		if c.settled() {
			settled = i
		}
		if c.Kind == CycleGiven {
			given = i
		}
	}
	if given < 0 {
		return
	}
	for i := settled + 1; i < len(cycles); i++ {
		c := &cycles[i]
		on := cycles[given].StartsOn + Date((i-given)*lengthDays)
		on = max(on, cycles[i-1].StartsOn+1) // behind one that was postponed and then not given
		if c.Postponed == 0 && on != c.StartsOn {
			c.Postponed = c.StartsOn
		}
		c.StartsOn = on
	}
}

// asPlanned takes followLastGiven back: treatment goes on.
func asPlanned(cycles []Cycle) {
	for i := range cycles {
		if c := &cycles[i]; c.Postponed != 0 {
			c.StartsOn, c.Postponed = c.Postponed, 0
		}
	}
}

// PlannedOn is the day on which the cycle would start had none been delayed
// since cycle 1.
func (p *Participant) PlannedOn(n, lengthDays int) Date {
	if n == 1 {
		return p.FirstCycle
	}
	return p.Cycles[0].StartsOn + Date((n-1)*lengthDays)
}

// DoseOn is the day of the first dose: as recorded, else the provisional first
// day of cycle 1.
func (p *Participant) DoseOn() Date {
	if f := p.Fact(FactFirstDose); f != nil {
		return f.On.First()
	}
	return p.Cycles[0].StartsOn
}

// reschedule lays the windows anew after the event at the instant at. A visit
// with a standing form keeps the window that the form was filled in.
func (p *Participant) reschedule(h *History, at Instant) {
	if len(h.versions) == 0 {
		return
	}
	p.ageBaseline(h)
	fresh := p.layWindows(h)
	for i := range fresh {
		old := p.AtVisit(fresh[i].Visit)
		if old == nil {
			continue
		}
		keepForms(&fresh[i], old, at)
	}
	p.Assessments = p.keepDropped(fresh)
	p.settleOverlaps(h)
	for i := range p.Assessments {
		p.Assessments[i].forgetStep(at)
	}
}

// forgetStep takes back the step of history that this instant added where the
// window is cut back to where it was: nothing moved. What was superseded was in
// force until now, so its step stays.
func (a *Assessment) forgetStep(at Instant) {
	last := len(a.Past) - 1
	if last < 0 || a.Superseded || a.Past[last].Until != at || a.Past[last].Window != a.Window {
		return
	}
	a.Past = a.Past[:last]
	if last == 0 {
		a.Past = nil // as if there had never been one, in a snapshot too
	}
}

// keepDropped adds the assessments that no version asks for any more but that
// something was received or said about: nothing of that is ever lost.
func (p *Participant) keepDropped(fresh []Assessment) []Assessment {
	for _, old := range p.Assessments {
		known := slices.ContainsFunc(fresh, func(a Assessment) bool { return a.ID == old.ID })
		if !known && (len(old.Submissions) > 0 || old.NotDone != nil || old.Opening != nil) {
			old.Superseded = old.Standing() == nil
			fresh = append(fresh, old)
		}
	}
	return fresh
}

// layWindows makes an empty assessment for every visit of the protocol
// versions that apply, windows uncut, in order of the protocol.
func (p *Participant) layWindows(h *History) []Assessment {
	codes := h.visitCodes()
	out := make([]Assessment, 0, len(codes))
	for _, code := range codes {
		v, version, ok := h.visitFor(code, p)
		if !ok {
			continue
		}
		cycle := p.Cycles[v.Cycle-1]
		out = append(out, Assessment{
			ID: AssessmentFor(p.ID, v.Code), Visit: v.Code, Protocol: version,
			Window: p.window(v), NotGiven: cycle.Kind == CycleNotGiven,
		})
	}
	return out
}

// window is the visit's window in the current schedule, not yet cut by its
// neighbours. It never opens before consent.
func (p *Participant) window(v Visit) Window {
	due := p.Cycles[v.Cycle-1].StartsOn + Date(v.OffsetDays)
	w := Window{OpensOn: due + Date(v.OpensDays), DueOn: due, ClosesOn: due + Date(v.ClosesDays), Zone: p.TimeZone}
	w.OpensOn = max(w.OpensOn, p.ConsentedOn())
	return w
}

// keepForms carries over what was received for the visit, and its window when
// a form stands.
func keepForms(fresh, old *Assessment, at Instant) {
	fresh.Submissions, fresh.NotDone, fresh.Opening, fresh.Past = old.Submissions, old.NotDone, old.Opening, old.Past
	if s := old.Standing(); s != nil {
		// As it was when the form came: a repeated baseline may since have moved
		// away from under a form that now counts again.
		fresh.Window, _ = old.windowAt(s.ReceivedAt)
		fresh.Protocol = old.Protocol
		return
	}
	for i := range old.Submissions {
		fresh.Repeat = fresh.Repeat || old.Submissions[i].Stale
	}
	last := len(old.Past) - 1
	if old.Superseded || last >= 0 && old.Past[last].Until == at {
		return // it was in nobody's way, or this instant has its step of history already
	}
	fresh.Past = append(slices.Clip(old.Past), PastWindow{Window: old.Window, Until: at})
}

// settleOverlaps cuts every window without a form where the next one opens,
// and takes out what the final visit supersedes.
func (p *Participant) settleOverlaps(h *History) {
	order := make([]*Assessment, len(p.Assessments))
	for i := range p.Assessments {
		order[i] = &p.Assessments[i]
	}
	slices.SortStableFunc(order, func(a, b *Assessment) int { return int(a.Window.DueOn - b.Window.DueOn) })
	finalOpens := p.finalOpens(h)
	var next Date // the day on which the nearest later window opens
	for i := len(order) - 1; i >= 0; i-- {
		a := order[i]
		if a.Standing() != nil {
			next = a.Window.OpensOn
			continue
		}
		v, _, wanted := h.visitFor(a.Visit, p)
		if !wanted {
			continue // kept for what was said about it; in nobody's way
		}
		if finalOpens != 0 && !v.Final && a.Window.DueOn >= finalOpens {
			a.Superseded = true
			continue
		}
		if next != 0 {
			a.Window.ClosesOn = min(a.Window.ClosesOn, next-1)
		}
		if a.Window.ClosesOn < a.Window.OpensOn {
			a.Superseded = true
			continue
		}
		next = a.Window.OpensOn
	}
}

// finalOpens is the day on which the final visit opens, or no date.
func (p *Participant) finalOpens(h *History) Date {
	for i := range p.Assessments {
		if v, _, _ := h.visitFor(p.Assessments[i].Visit, p); v.Final {
			return p.Assessments[i].Window.OpensOn
		}
	}
	return 0
}

// ageBaseline marks the baseline forms that would be too old at the first dose.
func (p *Participant) ageBaseline(h *History) {
	dose := p.DoseOn()
	for i := range p.Assessments {
		a := &p.Assessments[i]
		v, version, ok := h.visitFor(a.Visit, p)
		if !ok || !v.Baseline {
			continue
		}
		oldest := dose - Date(h.protocol(version).Forms.BaselineMaxAgeDays)
		for j := range a.Submissions {
			s := &a.Submissions[j]
			s.Stale = DateOf(s.CompletedAt.Time().In(mustZone(a.Window.Zone))) < oldest
		}
	}
}

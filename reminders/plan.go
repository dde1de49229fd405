package reminders

import (
	"time"

	"epro/study"
)

// Attempt is a message that has to leave now, to one device.
type Attempt struct {
	Claim  study.Claim // without its lease
	Device study.Device
	Burned int // attempts that count, of the same step to the same device
	Doubt  int // of which it is not known whether they arrived
}

// Work is what there is to do for a participant at an instant.
type Work struct {
	Attempts []Attempt
	// Rows are steps that do not leave, with the reason.
	Rows []study.Claim
	// Lost are attempts whose dispatcher did not come back within its lease.
	Lost []study.Delivery
	// NextAt is when to look again; zero: there is nothing more to come.
	NextAt time.Time
}

func (w *Work) at(t time.Time) {
	if !t.IsZero() && (w.NextAt.IsZero() || t.Before(w.NextAt)) {
		w.NextAt = t
	}
}

// Plan says what there is to do for a participant now. It is pure: the rules in
// force, her State, her live devices, what the ledger holds of an assessment,
// and now decide, so that every dispatcher comes to the same answer.
func Plan(h *study.History, p *study.Participant, devices []study.Device, ledger map[study.AssessmentID][]study.Delivery, now time.Time) Work {
	var w Work
	if p.Access == study.AccessPaper {
		return w
	}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		switch p.AssessmentStatus(a, now) {
		case study.Upcoming, study.Open, study.Overdue:
			newPlanner(&w, h, p, a, devices, ledger[a.ID], now).plan()
		}
	}
	return w
}

// Open are the assessments whose ledger Plan needs: those that can be filled now.
func Open(p *study.Participant, now time.Time) []study.AssessmentID {
	var out []study.AssessmentID
	for i := range p.Assessments {
		a := &p.Assessments[i]
		if s := p.AssessmentStatus(a, now); s == study.Open || s == study.Overdue {
			out = append(out, a.ID)
		}
	}
	return out
}

// planner plans one assessment.
type planner struct {
	*Work
	h       *study.History
	p       *study.Participant
	a       *study.Assessment
	devices []study.Device
	ledger  []study.Delivery
	now     time.Time

	rules study.ReminderRules
	steps []Step
}

func newPlanner(w *Work, h *study.History, p *study.Participant, a *study.Assessment, devices []study.Device, ledger []study.Delivery, now time.Time) *planner {
	rules, _ := h.RemindersFor(a)
	return &planner{Work: w, h: h, p: p, a: a, devices: devices, ledger: ledger, now: now, rules: rules, steps: Ladder(h, a)}
}

// since is the instant before which no step of the assessment leaves: it was
// laid, or was let go on, only then. What would have left before is past.
func since(p *study.Participant, a *study.Assessment) time.Time {
	from := max(p.EnrolledAt, p.RemindFrom)
	if n := len(a.Past); n > 0 {
		from = max(from, a.Past[n-1].Until)
	}
	return from.Time()
}

func (l *planner) plan() {
	current := -1
	for i, s := range l.steps {
		if s.At.After(l.now) {
			l.at(s.At)
			break
		}
		current = i
	}
	if current < 0 {
		return
	}
	if rows := l.of(l.steps[current].Key); len(rows) > 0 {
		l.goOn(current, rows)
		return
	}
	if !l.steps[current].At.Before(since(l.p, l.a)) {
		l.begin(current)
	}
}

// of are the rows of a step.
func (l *planner) of(key string) []study.Delivery {
	var rows []study.Delivery
	for _, d := range l.ledger {
		if d.Step == key {
			rows = append(rows, d)
		}
	}
	return rows
}

// begin lets a step leave, and merges into it those before it that have not.
func (l *planner) begin(i int) {
	if why := l.withheld(); why != "" {
		l.skip(i, why)
		return
	}
	if zone := l.a.Window.Zone; l.quietNow(zone) {
		l.at(l.afterQuiet(i, zone))
		return
	}
	until := expiry(l.rules.Quiet, l.a, l.steps, i, l.now)
	switch live := l.live(study.InstantOf(l.now)); {
	case until.Sub(l.now) < shortest:
		l.skip(i, "too_late")
	case len(live) == 0:
		l.skip(i, "no_route")
	default:
		l.merge(i)
		for _, d := range live {
			l.attempt(i, d, nil, until)
		}
	}
}

// withheld says why no step leaves, though the assessment waits for its form.
func (l *planner) withheld() string {
	left := map[string]bool{}
	for _, d := range l.ledger {
		if d.Device != "" {
			left[d.Step] = true
		}
	}
	switch {
	case l.a.HeldForm() != nil:
		return "held"
	case l.p.ReportedDead() != nil:
		return "reported_dead"
	case !l.p.PausedAt.IsZero():
		return "paused"
	case len(left) >= l.rules.Most:
		return "enough"
	}
	return ""
}

func (l *planner) quietNow(zone string) bool {
	loc, err := study.LoadZone(zone)
	return err == nil && isQuiet(l.rules.Quiet, l.now, loc)
}

// afterQuiet is when a step leaves that the quiet hours hold back now.
func (l *planner) afterQuiet(i int, zone string) time.Time {
	loc, err := study.LoadZone(zone)
	if err != nil {
		loc = time.UTC
	}
	return leaves(l.rules.Quiet, l.now, loc, spreadOf(l.a.ID, l.steps[i].Key))
}

func (l *planner) row(i int, status study.DeliveryStatus, why string) {
	l.Rows = append(l.Rows, study.Claim{Participant: l.p.ID, Assessment: l.a.ID, Step: l.steps[i].Key,
		StepAt: study.InstantOf(l.steps[i].At), Status: status, Reason: why})
}

func (l *planner) skip(i int, why string) { l.row(i, study.DeliverySkipped, why) }

// merge records the steps before this one that an outage held back.
func (l *planner) merge(i int) {
	from := since(l.p, l.a)
	for j := range i {
		if !l.steps[j].At.Before(from) && len(l.of(l.steps[j].Key)) == 0 {
			l.row(j, study.DeliveryMerged, l.steps[i].Key)
		}
	}
}

// live are the devices that messages go to, and that were there at the instant.
func (l *planner) live(at study.Instant) []study.Device {
	var out []study.Device
	for _, d := range l.devices {
		if d.Live(l.now) && d.AddedAt <= at {
			out = append(out, d)
		}
	}
	return out
}

// attempt lets a message leave to a device that has had these attempts.
func (l *planner) attempt(i int, d study.Device, before []study.Delivery, until time.Time) {
	a := Attempt{Device: d, Claim: study.Claim{Participant: l.p.ID, Assessment: l.a.ID, Step: l.steps[i].Key,
		StepAt: study.InstantOf(l.steps[i].At), Device: d.ID, Platform: d.Platform, Kind: d.Target.Kind,
		Attempt: len(before) + 1, ExpiresAt: study.InstantOf(until)}}
	for j := range before {
		if o := before[j].Outcome; o != nil && o.Burned {
			a.Burned++
		}
		if before[j].StatusAt(study.InstantOf(l.now)) == study.DeliveryUnknown {
			a.Doubt++
		}
	}
	l.Attempts = append(l.Attempts, a)
}

// goOn brings a step to its end that has left to some device already.
func (l *planner) goOn(i int, rows []study.Delivery) {
	byDevice := map[study.DeviceID][]study.Delivery{}
	var first *study.Delivery
	for j := range rows {
		if rows[j].Device == "" {
			continue // merged or skipped
		}
		if first == nil {
			first = &rows[j]
		}
		byDevice[rows[j].Device] = append(byDevice[rows[j].Device], rows[j])
	}
	for _, attempts := range byDevice {
		if last := &attempts[len(attempts)-1]; last.Outcome == nil && last.StatusAt(study.InstantOf(l.now)) == study.DeliveryUnknown {
			l.Lost = append(l.Lost, *last)
		}
	}
	past := l.steps[i].At.Before(since(l.p, l.a))
	if first == nil || past || l.a.HeldForm() != nil || l.p.ReportedDead() != nil || !l.p.PausedAt.IsZero() {
		return
	}
	until := first.ExpiresAt.Time()
	for _, d := range l.live(first.At) {
		at, again := l.again(byDevice[d.ID])
		switch {
		case !again || until.Sub(maxTime(at, l.now)) < shortest:
		case at.After(l.now):
			l.at(at)
		default:
			l.attempt(i, d, byDevice[d.ID], until)
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// resend is how long after an attempt in doubt the one further attempt leaves.
const resend = time.Minute

// again is when a device that has had these attempts gets another one.
func (l *planner) again(attempts []study.Delivery) (at time.Time, again bool) {
	if len(attempts) == 0 {
		return l.now, true // a crash came between two devices
	}
	now, doubt := study.InstantOf(l.now), 0
	for i := range attempts {
		if attempts[i].StatusAt(now) == study.DeliveryUnknown {
			doubt++
		}
	}
	last := &attempts[len(attempts)-1]
	switch last.StatusAt(now) {
	case study.DeliverySending:
		l.at(last.LeaseUntil.Time())
	case study.DeliveryUnknown:
		return last.At.Time().Add(resend), doubt < 2
	case study.DeliveryRetry:
		return last.Outcome.RetryAt.Time(), !last.Outcome.RetryAt.IsZero()
	}
	return time.Time{}, false
}

// Ahead are the instants at which the assessment's reminders leave from now on,
// for an app that reminds by itself: many phones cannot be reached by a push.
// There are none while reminders are paused or stopped, or her form is held.
func Ahead(h *study.History, p *study.Participant, a *study.Assessment, now time.Time) []study.Instant {
	out := []study.Instant{}
	switch p.AssessmentStatus(a, now) {
	case study.Upcoming, study.Open, study.Overdue:
	default:
		return out
	}
	if a.HeldForm() != nil || p.ReportedDead() != nil || !p.PausedAt.IsZero() {
		return out
	}
	from := maxTime(since(p, a), now)
	for _, s := range Ladder(h, a) {
		if !s.At.Before(from) {
			out = append(out, study.InstantOf(s.At))
		}
	}
	return out
}

// wanted says why a message must not leave any more, asked with the State as it
// is just before; empty: it may.
func wanted(h *study.History, p *study.Participant, c study.Claim, now time.Time) string {
	a := p.Assessment(c.Assessment)
	if a == nil {
		return "dropped"
	}
	switch s := p.AssessmentStatus(a, now); {
	case s != study.Open && s != study.Overdue:
		return string(s)
	case a.HeldForm() != nil:
		return "held"
	case p.ReportedDead() != nil:
		return "reported_dead"
	case !p.PausedAt.IsZero():
		return "paused"
	case p.Access == study.AccessPaper:
		return "paper"
	}
	for _, s := range Ladder(h, a) {
		if s.Key == c.Step && !s.At.After(now) && !s.At.Before(since(p, a)) {
			return ""
		}
	}
	return "moved"
}

package simulate

import (
	"context"
	"slices"
	"time"

	"epro/study"
)

// life is one participant's year. Its clock stands still except between steps,
// and its steps are taken in the order of time.
type life struct {
	*world
	who  person
	at   *site
	luck chance
	ids  chance
	now  time.Time
	svc  *study.Service
	p    *study.Participant
	zone *time.Location
	lang string

	steps  []step // by time
	goneOn study.Date
	body   body

	starts  []study.Date    // by cycle: the day on which it will be given, as chance has it
	ends    int             // the last cycle that is given
	sent    map[string]bool // visits whose form is filled, whether or not it has arrived
	forms   int             // that have arrived
	adheres float64         // the chance that she fills a form that is due
	optsOut bool            // of the item that has a box for it
	skips   float64         // the chance that she passes an item
	phone   phone
}

// step is something that will happen.
type step struct {
	at time.Time
	do func(context.Context) error
}

func newLife(w *world, who person) *life {
	stream := uint64(streamPeople + 2*who.index)
	l := &life{world: w, who: who, at: &w.sites[who.site], sent: map[string]bool{},
		luck: newChance(w.seed, stream), ids: newChance(w.seed, stream+1)}
	l.svc = study.NewService(w.store, func() time.Time { return l.now }, l.ids.newID)
	return l
}

// run takes one step after the other, up to today.
func (l *life) run(ctx context.Context) error {
	if err := l.begin(ctx); err != nil {
		return err
	}
	for len(l.steps) > 0 {
		next := l.steps[0]
		l.steps = l.steps[1:]
		if !next.at.Before(l.horizon) {
			return nil
		}
		if next.at.After(l.now) {
			l.now = next.at
		}
		if err := next.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// plan puts a step in its place; among equals the first planned is the first taken.
func (l *life) plan(at time.Time, do func(context.Context) error) {
	i, _ := slices.BinarySearchFunc(l.steps, at, func(s step, at time.Time) int {
		if s.at.After(at) {
			return 1
		}
		return -1
	})
	l.steps = slices.Insert(l.steps, i, step{at, do})
}

// planCommand puts a command in its place, unless she has left by then.
func (l *life) planCommand(at time.Time, by study.Actor, c study.Command) {
	l.plan(at, func(ctx context.Context) error {
		if l.gone() {
			return nil
		}
		return l.do(ctx, by, c)
	})
}

// do carries a command out.
func (l *life) do(ctx context.Context, by study.Actor, c study.Command) error {
	res, err := l.svc.Do(ctx, study.Request{By: by}, l.p.ID, c)
	if err == nil {
		l.p = res.After
	}
	return err
}

// pass lets time go by within a step, though never into today.
func (l *life) pass(d time.Duration) {
	if later := l.now.Add(d); later.Before(l.horizon) {
		l.now = later
	}
}

// gone reports whether she has left or died by today's date of the story.
func (l *life) gone() bool { return l.goneOn != 0 && l.day() >= l.goneOn }

// day is the date where she lives.
func (l *life) day() study.Date { return study.DateOf(l.now.In(l.zone)) }

// self is the participant as an actor.
func (l *life) self() study.Actor {
	return study.Actor{Role: study.RoleParticipant, Participant: l.p.ID}
}

// clinic is a moment in the clinic's hours of the day.
func (l *life) clinic(d study.Date) time.Time {
	return study.StartOfDay(d, l.zone).Add(l.luck.span(8*time.Hour+30*time.Minute, 16*time.Hour+30*time.Minute))
}

// afternoon is when the desk catches up with the day.
func (l *life) afternoon(d study.Date) time.Time {
	return study.StartOfDay(d, l.zone).Add(l.luck.span(13*time.Hour, 17*time.Hour+30*time.Minute))
}

// leisure is a time of day at which people fill a form: after breakfast, at
// noon, and mostly in the evening.
func (l *life) leisure(d study.Date) time.Time {
	from := weighted(l.luck, []time.Duration{7 * time.Hour, 12 * time.Hour, 15 * time.Hour, 18*time.Hour + 30*time.Minute}, []int{28, 14, 14, 44})
	return study.StartOfDay(d, l.zone).Add(from + l.luck.span(0, 3*time.Hour+10*time.Minute))
}

// begin enrols her: consent, a code unless the demonstration is to issue it,
// and the plan of her treatment.
func (l *life) begin(ctx context.Context) error {
	zone := weighted(l.luck, l.at.zones, []int{84, 10, 6})
	l.lang = weighted(l.luck, l.at.languages, []int{94, 6})
	var err error
	if l.zone, err = study.LoadZone(zone); err != nil {
		return err
	}
	l.now = l.clinic(l.who.enrolsOn)
	enrol := study.Enrol{
		Number: l.who.number, Site: l.at.Code, Regimen: pick(l.luck, l.protocol.Regimens...), Language: l.lang,
		TimeZone: zone, Cycle1On: l.who.firstPlan,
		Consent: study.Consent{On: l.who.enrolsOn, FormVersion: "ICF 2.1", Language: l.lang},
	}
	if l.who.onPaper {
		enrol.Access = study.AccessPaper
	}
	if l.p, err = l.svc.Enrol(ctx, study.Request{By: l.at.coordinator}, enrol); err != nil {
		return err
	}
	l.traits()
	if !l.who.onPaper && l.who.fresh == 0 {
		l.bind()
	}
	l.planTreatment()
	l.planForms()
	l.planLeaving()
	return nil
}

// traits are what stays the same about her.
func (l *life) traits() {
	c := l.luck
	l.body = newBody(c, l.ins)
	l.adheres = 0.80 + 0.17*c.Float64()
	l.optsOut = c.happens(0.15)
	l.skips = weighted(c, []float64{0.006, 0.03, 0.11}, []int{50, 35, 15})
	l.phone = newPhone(c, l.who.wrongClock)
}

// bind gives her a code, which she uses soon after.
func (l *life) bind() {
	issued := l.now.Add(l.luck.span(4*time.Minute, 25*time.Minute))
	used := issued.Add(l.luck.span(time.Minute, 40*time.Minute))
	if l.luck.happens(0.2) { // at home in the evening
		used = study.StartOfDay(l.day(), l.zone).Add(l.luck.span(19*time.Hour, 22*time.Hour))
	}
	l.planCommand(issued, l.at.coordinator, study.IssueCode{ExpiresAt: study.InstantOf(issued.Add(72 * time.Hour))})
	l.plan(used, func(ctx context.Context) error {
		return l.do(ctx, l.self(), study.BindPhone{Code: l.p.Code.Event})
	})
}

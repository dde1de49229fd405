// Package simulate fills a store with an invented study: two sites, people who
// enrol over fifteen months, their treatment with its delays, their forms with
// all that goes wrong with forms, and their leaving.
//
// Everything goes through the same commands as in real use, so a simulated
// record obeys every rule of package study. It is a function of the number of
// participants, the seed and the date: everybody has her own source of chance
// and her own clock, so that neither goroutines nor the time of day show.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"epro/study"
)

// Options say what to simulate, and where.
type Options struct {
	Store        study.Store
	Participants int
	Seed         uint64
	// Now is when the story ends. Only its date in the study's zone matters:
	// nothing is recorded on that day, so that it is not over for anybody.
	Now time.Time
	// Protocol is the text of the protocol; none: the embedded default.
	Protocol []byte
}

// maxParticipants keeps numbers at a site to three digits and the cast in memory.
const maxParticipants = 1000

// Result says what was simulated.
type Result struct {
	Study        string
	Sites        []study.CreateSite
	Staff        []Account
	Participants []Participant // in the order of enrolment
	// Fresh are the participants who have not been given a code, and have an
	// assessment open now and another upcoming.
	Fresh  []study.ParticipantID
	Counts Counts
}

// Account is a member of staff who wrote in the records. It has no password.
type Account struct {
	ID       study.StaffID
	Username string
	Role     study.Role
	Sites    []study.SiteCode
}

// Participant is who was simulated.
type Participant struct {
	ID     study.ParticipantID
	Site   study.SiteCode
	Number string
}

// Counts are the figures of a simulated study.
type Counts struct {
	Forms, Counted, Held, Voided int
	Withdrawn, Died              int
}

func (c *Counts) add(o Counts) {
	c.Forms += o.Forms
	c.Counted += o.Counted
	c.Held += o.Held
	c.Voided += o.Voided
	c.Withdrawn += o.Withdrawn
	c.Died += o.Died
}

// Run simulates a study. The store must not hold a real one, nor any
// participant.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Participants < 1 || o.Participants > maxParticipants {
		return Result{}, study.Fail(study.Invalid, fmt.Sprintf("Simulate between 1 and %d participants.", maxParticipants),
			study.Field{Name: "participants", Reason: "outside that range"})
	}
	if o.Protocol == nil {
		o.Protocol = study.DefaultProtocolText()
	}
	t, err := newTimetable(o.Protocol, o.Now)
	if err != nil {
		return Result{}, err
	}
	if err := refuseOthers(ctx, o); err != nil {
		return Result{}, err
	}
	w := &world{timetable: t, store: newMemory(o.Store), seed: o.Seed}
	people := castOf(newChance(o.Seed, streamCast), o.Participants, t)
	if err := w.open(ctx, o, people[0].enrolsOn); err != nil {
		return Result{}, err
	}
	lives, err := w.live(ctx, people)
	if err != nil {
		return Result{}, err
	}
	return w.result(lives, o.Now)
}

// The streams of chance that are not a participant's.
const (
	streamCast = iota
	streamSites
	streamPeople // and up: two for each participant
)

// refuseOthers refuses a store that holds a real study or any participant.
func refuseOthers(ctx context.Context, o Options) error {
	for _, err := range o.Store.Entries(ctx, "participant/") {
		if err != nil {
			return err
		}
		return study.Fail(study.Conflict, "This store holds participants already. Simulate into an empty store.")
	}
	svc := study.NewService(o.Store, func() time.Time { return o.Now }, newChance(o.Seed, streamCast).newID)
	st, err := svc.Study(ctx)
	if err != nil {
		return err
	}
	if st.Seq > 0 && !st.Simulated {
		return study.Fail(study.Conflict, "This store holds a real study. Simulate into an empty store.")
	}
	return nil
}

// atOnce is how many participants live at the same time: enough for a store
// that writes what waits in one transaction to have something to gather.
const atOnce = 64

// live lets everybody live her year.
func (w *world) live(ctx context.Context, people []person) ([]*life, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lives, faults := make([]*life, len(people)), make([]error, len(people))
	room := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range people {
		lives[i] = newLife(w, people[i])
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			if faults[i] = lives[i].run(ctx); faults[i] != nil {
				stop()
			}
		})
	}
	all.Wait()
	for i, err := range faults {
		// Those who were stopped say less than the one who failed.
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, fmt.Errorf("participant %s of site %s: %w", people[i].number, w.sites[people[i].site].Code, err)
		}
	}
	return lives, errors.Join(faults...)
}

// result gathers what was simulated, and checks what it promises.
func (w *world) result(lives []*life, now time.Time) (Result, error) {
	r := Result{Study: w.protocol.Study, Staff: w.accounts}
	for _, s := range w.sites {
		r.Sites = append(r.Sites, s.CreateSite)
	}
	for _, l := range lives {
		r.Participants = append(r.Participants, Participant{ID: l.p.ID, Site: l.p.Site, Number: l.p.Number})
		r.Counts.add(countsOf(l.p))
		if l.who.fresh == 0 {
			continue
		}
		if !isFresh(l.p, now) {
			return r, study.Fail(study.Invalid, "With this protocol nobody could have an assessment open now and another upcoming.")
		}
		r.Fresh = append(r.Fresh, l.p.ID)
	}
	return r, nil
}

// isFresh reports whether she could use a code now and find a form to fill.
func isFresh(p *study.Participant, now time.Time) bool {
	var open, upcoming bool
	for i := range p.Assessments {
		switch p.AssessmentStatus(&p.Assessments[i], now) {
		case study.Open, study.Overdue:
			open = true
		case study.Upcoming:
			upcoming = true
		}
	}
	return open && upcoming && p.Code == nil && p.BoundAt.IsZero()
}

func countsOf(p *study.Participant) Counts {
	var c Counts
	for i := range p.Assessments {
		for j := range p.Assessments[i].Submissions {
			s := &p.Assessments[i].Submissions[j]
			c.Forms++
			if s.Counted {
				c.Counted++
			}
			if s.HeldCause != "" {
				c.Held++
			}
			if s.Void != "" {
				c.Voided++
			}
		}
	}
	if p.Fact(study.FactWithdrawn) != nil {
		c.Withdrawn++
	}
	if p.Fact(study.FactDeceased) != nil {
		c.Died++
	}
	return c
}

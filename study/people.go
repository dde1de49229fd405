package study

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
)

// Result is a participant's record before and after a command.
type Result struct {
	Before, After *Participant
	// Event is the event that was appended, or empty when the record said so
	// already.
	Event EventID
}

// Enrol opens a participant's record: it claims the number within the site,
// then writes the first event.
func (s *Service) Enrol(ctx context.Context, r Request, c Enrol) (*Participant, error) {
	if err := permit(r.By, EnrolPeople); err != nil {
		return nil, err
	}
	site, err := s.loadSite(ctx, c.Site, false)
	if err != nil {
		return nil, err
	}
	if site == nil || !r.By.Sees(c.Site) {
		return nil, invalid("site", "this site does not exist, or is not yours")
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	r.Reason = c.Reason
	done, err := s.repeated(ctx, r)
	if err != nil {
		return nil, err
	}
	if done != "" {
		return s.enrolledBefore(ctx, r, h, done)
	}
	if err := site.takesIn(); err != nil {
		return nil, err
	}
	first, err := c.decide(&Situation{History: h, Site: site, By: r.By, Now: InstantOf(s.now())})
	if err != nil {
		return nil, err
	}
	owner, err := s.claim(ctx, r, ClaimNumber, ParticipantID(s.newID()).Stream(), string(c.Site), c.Number)
	if err != nil {
		return nil, err
	}
	id := ParticipantID(owner.Key())
	return change(ctx, s, r, s.participantStream(h, id), func(p *Participant) (Payload, error) {
		if p != nil {
			return nil, Fail(Conflict, "This site has a participant with this number.")
		}
		return first, nil
	})
}

// enrolledBefore is the record that an earlier attempt of this request opened.
func (s *Service) enrolledBefore(ctx context.Context, r Request, h *History, done StreamID) (*Participant, error) {
	if done.Kind() != "participant" {
		return nil, errUsed()
	}
	p, err := s.load(ctx, h, ParticipantID(done.Key()))
	if err != nil {
		return nil, err
	}
	if err := permitFor(r.By, EnrolPeople, p); err != nil {
		return nil, err
	}
	return p, nil
}

// participantStream is how a participant's stream is read and kept.
func (s *Service) participantStream(h *History, id ParticipantID) stream[*Participant] {
	return stream[*Participant]{
		id:     id.Stream(),
		load:   func(ctx context.Context) (*Participant, error) { return s.load(ctx, h, id) },
		recall: func(ctx context.Context) (*Participant, bool, error) { return s.recall(ctx, h, id) },
		tip:    func(p *Participant) Tip { return tipOf(p, func(x *Participant) Tip { return x.Tip }) },
		step: func(p *Participant, n Entry, e Event, payload Payload) (*Participant, error) {
			return p.with(h, n, e, payload)
		},
		snapshot: func(p *Participant) (*Snapshot, error) {
			return p.snapshot(h)
		},
		keep: func(p *Participant) { s.people.Add(id, folded{p, h.stamp()}) },
	}
}

// snapshot is the State with what lists are queried by.
func (p *Participant) snapshot(h *History) (*Snapshot, error) {
	snap, err := snapshotOf(p.ID.Stream(), p.Tip, h.stamp(), p.Site, p.Number, p)
	if err != nil {
		return nil, err
	}
	earliest := func(t *time.Time, i Instant) {
		if at := i.Time(); t.IsZero() || at.Before(*t) {
			*t = at
		}
	}
	if p.neverBound() {
		earliest(&snap.LookAt, p.EnrolledAt)
	}
	for _, alert := range Alerts(h, p, PushSummary{}, p.At.Time()) {
		if alert.Ack == nil {
			earliest(&snap.LookAt, alert.RaisedAt)
		}
	}
	stop := p.Stop()
	for i := range p.Assessments {
		a := &p.Assessments[i]
		for j := range a.Submissions {
			if f := &a.Submissions[j]; f.Held() {
				earliest(&snap.LookAt, f.ReceivedAt)
			}
		}
		if a.Superseded || a.Standing() != nil {
			continue
		}
		over := a.Window.ClosesAt() <= p.At
		if (a.NotDone == nil || !over) && (stop == nil || a.Window.ClosesOn < p.StopsOn(stop)) {
			earliest(&snap.LookAt, a.Window.OpensAt())
		}
		if stop != nil || over {
			continue
		}
		earliest(&snap.OpensAt, a.Window.OpensAt())
		earliest(&snap.DueAt, a.Window.DueAt())
		earliest(&snap.ClosesAt, a.Window.ClosesAt())
	}
	return snap, nil
}

// neverBound reports whether the participant waits for her phone to be bound.
func (p *Participant) neverBound() bool {
	return len(p.Consents) > 0 && p.Stop() == nil && p.BoundAt.IsZero() && p.Access == AccessPhone
}

// load is the participant's current State, or nil if there is none: what is
// known from memory or the snapshot, and every newer event.
func (s *Service) load(ctx context.Context, h *History, id ParticipantID) (*Participant, error) {
	p, known := s.remembered(h, id)
	if !known {
		var err error
		if p, err = s.fromSnapshot(ctx, h, id); err != nil {
			return nil, err
		}
	}
	after := uint64(0)
	if p != nil {
		after = p.Seq
	}
	newer, err := s.store.Stream(ctx, id.Stream(), after)
	if err != nil {
		return nil, err
	}
	if p, err = FoldParticipant(h, p, newer...); err != nil {
		return nil, err
	}
	if p != nil && (!known || len(newer) > 0) {
		s.people.Add(id, folded{p, h.stamp()})
	}
	return p, nil
}

// recall is the State in memory or else in the snapshot. Either may have grown
// old.
func (s *Service) recall(ctx context.Context, h *History, id ParticipantID) (*Participant, bool, error) {
	if p, ok := s.remembered(h, id); ok {
		return p, true, nil
	}
	p, err := s.fromSnapshot(ctx, h, id)
	if p != nil {
		s.people.Add(id, folded{p, h.stamp()})
	}
	return p, p != nil, err
}

// remembered is the State in memory, if it was folded under this history.
func (s *Service) remembered(h *History, id ParticipantID) (*Participant, bool) {
	known, ok := s.people.Get(id)
	if !ok || known.stamp != h.stamp() {
		return nil, false
	}
	return known.state, true
}

// fromSnapshot is the State that a usable snapshot holds, or nil.
func (s *Service) fromSnapshot(ctx context.Context, h *History, id ParticipantID) (*Participant, error) {
	snap, err := s.store.Snapshot(ctx, id.Stream())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return decodeSnapshot(h, snap), nil
}

// decodeSnapshot is the State in the snapshot, or nil when it must be made anew.
func decodeSnapshot(h *History, snap Snapshot) *Participant {
	if snap.Stamp != h.stamp() {
		return nil
	}
	p := &Participant{}
	if err := json.Unmarshal(snap.State, p); err != nil {
		return nil // a cache that cannot be read is as good as none
	}
	return p
}

// Do carries out a command on one participant's record.
func (s *Service) Do(ctx context.Context, r Request, id ParticipantID, c Command) (Result, error) {
	h, err := s.History(ctx)
	if err != nil {
		return Result{}, err
	}
	if r.EventID == "" {
		r.EventID, r.fresh = EventID(s.newID()), true
	} else if done, err := s.repeated(ctx, r); err != nil || done == id.Stream() {
		if err != nil {
			return Result{}, err
		}
		return s.doneBefore(ctx, r, h, id, c)
	}
	r.Reason = c.why()
	res, decided := Result{}, false
	after, err := change(ctx, s, r, s.participantStream(h, id), func(p *Participant) (Payload, error) {
		res.Before, res.Event, decided = p, "", true
		situation, err := s.situation(ctx, h, r.By, p)
		if err != nil {
			return nil, err
		}
		situation.Signed = r.Signature
		if _, asks := c.(AcknowledgeAlert); asks && p != nil {
			if situation.Pushes, err = s.pushesOf(ctx, p, situation.Now.Time()); err != nil {
				return nil, err
			}
		}
		payload, err := Decide(p, c, situation)
		if err != nil || payload == nil {
			return nil, err
		}
		res.Event = r.EventID
		return payload, s.claimFor(ctx, r, p, payload)
	})
	switch {
	case err != nil:
		return Result{}, err
	case !decided: // an attempt of this very request came first
		return s.doneBefore(ctx, r, h, id, c)
	}
	res.After = after
	return res, nil
}

// doneBefore answers the repetition of a request that is in the record; who
// may not make the request may not read its outcome either.
func (s *Service) doneBefore(ctx context.Context, r Request, h *History, id ParticipantID, c Command) (Result, error) {
	p, err := s.load(ctx, h, id)
	if err != nil {
		return Result{}, err
	}
	if err := permitFor(r.By, c.action(), p); err != nil {
		return Result{}, err
	}
	return Result{Before: p, After: p, Event: r.EventID}, nil
}

func (s *Service) situation(ctx context.Context, h *History, by Actor, p *Participant) (*Situation, error) {
	st, err := s.Study(ctx)
	if err != nil {
		return nil, err
	}
	now := &Situation{History: h, Wording: st.Wording, By: by, Now: InstantOf(s.now())}
	if p == nil {
		return now, nil
	}
	now.Now = max(now.Now, p.At) // another process's clock may be a little ahead
	now.Site, err = s.loadSite(ctx, p.Site, false)
	return now, err
}

// claimFor claims the number that an event is about to give a participant, at
// the site where it will count.
func (s *Service) claimFor(ctx context.Context, r Request, p *Participant, payload Payload) error {
	site, number := p.Site, p.Number
	switch v := payload.(type) {
	case DetailsChanged:
		number = v.Number
	case Transferred:
		site = v.Site
		if _, err := s.receiving(ctx, site); err != nil {
			return err
		}
	default:
		return nil
	}
	if number == "" {
		return nil
	}
	owner, err := s.claim(ctx, r, ClaimNumber, p.ID.Stream(), string(site), number)
	if err == nil && owner != p.ID.Stream() {
		return errNumberTaken()
	}
	return err
}

// Participant is the participant's State, if the actor may see it.
func (s *Service) Participant(ctx context.Context, by Actor, id ParticipantID) (*Participant, error) {
	action := ReadParticipants
	if by.Role == RoleParticipant {
		action = ReadOwn
	}
	if err := permit(by, action); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.load(ctx, h, id)
	if err != nil {
		return nil, err
	}
	if err := permitFor(by, action, p); err != nil {
		return nil, err
	}
	return p, nil
}

// PreviewCycle says what a cycle's move would change, and what the person
// should know before making it. Nothing is stored.
func (s *Service) PreviewCycle(ctx context.Context, by Actor, id ParticipantID, c RecordCycle) ([]Change, []string, error) {
	h, err := s.History(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.load(ctx, h, id)
	if err != nil {
		return nil, nil, err
	}
	if err := permitFor(by, RecordCycles, p); err != nil {
		return nil, nil, err
	}
	situation, err := s.situation(ctx, h, by, p)
	if err != nil {
		return nil, nil, err
	}
	recorded, warnings, err := c.plan(p, situation)
	if err != nil {
		return nil, nil, err
	}
	after := p.clone()
	after.cycleRecorded(Event{Seq: p.Seq + 1}, recorded)
	after.reschedule(h, situation.Now)
	return changes(p, after, situation.Now), warnings, nil
}

// Changes are the assessments that a command moved or closed.
func (s *Service) Changes(res Result) []Change {
	if res.Before == nil {
		return []Change{}
	}
	return changes(res.Before, res.After, InstantOf(s.now()))
}

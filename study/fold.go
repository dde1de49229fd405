package study

import (
	"fmt"
	"slices"

	"epro/instruments"
)

// FoldParticipant adds entries to a participant's State and returns the new
// one; the given one (nil before the first entry) is left as it was. It is
// pure: the same entries under the same history give the same State, from any
// State in between. It fails on an entry that does not continue the chain or
// that this program does not understand.
func FoldParticipant(h *History, p *Participant, entries ...Entry) (*Participant, error) {
	if len(entries) == 0 {
		return p, nil
	}
	next := &Participant{}
	if p != nil {
		next = p.clone()
	}
	for _, n := range entries {
		e, payload, err := next.follow(n)
		if err != nil {
			return nil, err
		}
		if err := next.apply(h, e, payload); err != nil {
			return nil, &Fault{Stream: e.Stream, Seq: e.Seq, What: err.Error()}
		}
	}
	return next, nil
}

// follow opens the entry and checks that it continues the stream.
func (t *Tip) follow(n Entry) (Event, Payload, error) {
	e, err := n.Open()
	if err != nil {
		return Event{}, nil, err
	}
	payload, err := PayloadOf(e)
	if err != nil {
		return Event{}, nil, n.fault(err.Error())
	}
	switch {
	case e.Seq != t.Seq+1:
		return Event{}, nil, n.fault(fmt.Sprintf("follows seq %d: an entry is missing or repeated", t.Seq))
	case e.Prev != t.Head:
		return Event{}, nil, n.fault("does not carry the hash of the entry before it")
	case e.At < t.At:
		return Event{}, nil, n.fault("is dated before the entry before it")
	}
	t.Seq, t.Head, t.At = n.Seq, n.Hash, e.At
	return e, payload, nil
}

// with is the State after an entry that this program has made just now: what
// it says is at hand and need not be read out of its bytes.
func (p *Participant) with(h *History, n Entry, e Event, payload Payload) (*Participant, error) {
	next := &Participant{}
	if p != nil {
		next = p.clone()
	}
	next.Tip = Tip{Seq: n.Seq, Head: n.Hash, At: e.At}
	return next, next.apply(h, e, payload)
}

// apply changes the State by one event.
func (p *Participant) apply(h *History, e Event, payload Payload) error {
	if first := e.Seq == 1; first != (e.Type == ParticipantEnrolled{}.EventType()) {
		return fmt.Errorf("a record begins with participant_enrolled, once")
	}
	switch v := payload.(type) {
	case ParticipantEnrolled:
		return p.enrolled(h, e, v)
	case ConsentRecorded:
		p.Consents = append(p.Consents, v.Consent)
	case ConsentCorrected:
		if v.N < 1 || v.N > len(p.Consents) {
			return fmt.Errorf("consent %d does not exist", v.N)
		}
		p.Consents[v.N-1] = v.Consent
	case CodeIssued:
		p.Code = &IssuedCode{Event: e.ID, IssuedAt: e.At, ExpiresAt: v.ExpiresAt, Replace: v.Replace}
		return nil
	case PhoneBound:
		p.BoundAt = e.At
		if p.Code != nil && p.Code.Event == v.Code {
			p.Code.UsedAt = e.At
		}
		return nil
	case AssessmentOpened:
		return p.opened(h, v)
	case CycleRecorded:
		if v.N < 1 || v.N > len(p.Cycles) {
			return fmt.Errorf("cycle %d does not exist", v.N)
		}
		p.cycleRecorded(e, v)
	case FactRecorded:
		p.factRecorded(h, e, v)
	case FactRetracted:
		p.factRetracted(e, v)
	case PerformanceRecorded:
		p.Performance = append(p.Performance, Performance{Visit: v.Visit, ECOG: v.ECOG, On: v.On, Rater: e.Actor})
		return nil
	case DetailsChanged:
		p.detailsChanged(v)
	case Transferred:
		p.Site = v.Site
		return nil
	case NotDoneRecorded:
		return p.notDone(h, e, v)
	case ContactRecorded:
		p.contactRecorded(e, v)
		return nil
	case RemindersPaused:
		p.remindersPaused(e, v)
		return nil
	case AlertAcked:
		p.Acknowledged = append(p.Acknowledged, Acknowledged{Alert: v.Alert, At: e.At, By: e.Actor, Note: v.Note})
		return nil
	default:
		if err := p.applyForm(h, e, payload); err != nil {
			return err
		}
	}
	p.RegimenAtDose = p.regimenAtDose()
	p.reschedule(h, e.At)
	return nil
}

func (p *Participant) enrolled(h *History, e Event, v ParticipantEnrolled) error {
	p.ID = ParticipantID(e.Stream.Key())
	p.Number, p.Site, p.Regimen, p.Language = v.Number, v.Site, v.Regimen, v.Language
	p.TimeZone, p.Access, p.EnrolledAt, p.FirstCycle = v.TimeZone, v.Access, e.At, v.Cycle1On
	if v.Consent.On != 0 {
		p.Consents = []Consent{v.Consent}
	}
	current := h.Current()
	if current == nil {
		return fmt.Errorf("no protocol is in force")
	}
	rules := current.Cycles
	for _, in := range h.versions {
		rules.Count = max(rules.Count, in.Cycles.Count) // a later version may have dropped cycles that are in use
	}
	p.Cycles = planCycles(rules, v.Cycle1On)
	p.reschedule(h, e.At)
	return nil
}

func (p *Participant) cycleRecorded(e Event, v CycleRecorded) {
	shiftCycles(p.Cycles, v.N, v.StartedOn)
	c := &p.Cycles[v.N-1]
	c.Kind, c.DoseAt, c.Seq = v.Kind, v.DoseAt, e.Seq
}

func (p *Participant) factRecorded(h *History, e Event, v FactRecorded) {
	p.Facts = append(p.Facts, Fact{Seq: e.Seq, Kind: v.Kind, On: v.On, At: v.At, Level: v.Level, Drugs: v.Drugs, RecordedAt: e.At})
	if v.Kind == FactTreatmentEnded && h.Current() != nil {
		followLastGiven(p.Cycles, h.Current().Cycles.LengthDays)
	}
}

// factRetracted takes a fact back. What it had stopped goes on, without the
// reminders that would have left meanwhile.
func (p *Participant) factRetracted(e Event, v FactRetracted) {
	for i := range p.Facts {
		if f := &p.Facts[i]; f.Seq == v.Seq {
			f.Retracted = true
			if f.Kind.stops() {
				p.RemindFrom = e.At
			}
		}
	}
	if p.Fact(FactTreatmentEnded) == nil {
		asPlanned(p.Cycles)
	}
}

func (p *Participant) detailsChanged(v DetailsChanged) {
	for _, f := range []struct {
		to  *string
		new string
	}{{&p.Language, v.Language}, {&p.TimeZone, v.TimeZone}, {&p.Number, v.Number}, {&p.Regimen, v.Regimen}} {
		if f.new != "" {
			*f.to = f.new
		}
	}
	if v.Access != "" {
		p.Access = v.Access
	}
}

func (p *Participant) notDone(h *History, e Event, v NotDoneRecorded) error {
	a, err := p.asked(h, v.AssessmentID)
	if err != nil {
		return err
	}
	a.NotDone = &NotDone{Reason: v.Reason, HealthRelated: v.HealthRelated, Note: v.Note, At: e.At, By: e.Actor}
	return nil
}

// asked is the assessment that an event names. One that a later amendment
// dropped comes back, superseded: what was recorded when it was asked for must
// go on folding.
func (p *Participant) asked(h *History, id AssessmentID) (*Assessment, error) {
	if a := p.Assessment(id); a != nil {
		return a, nil
	}
	for _, in := range h.versions {
		for _, v := range in.Visits {
			if AssessmentFor(p.ID, v.Code) == id && v.Cycle <= len(p.Cycles) {
				p.Assessments = append(p.Assessments, Assessment{ID: id, Visit: v.Code, Protocol: in.Version, Window: p.window(v), Superseded: true})
				return &p.Assessments[len(p.Assessments)-1], nil
			}
		}
	}
	return nil, fmt.Errorf("assessment %s does not exist", id)
}

// applyForm changes the State by an event that is about a form.
func (p *Participant) applyForm(h *History, e Event, payload Payload) error {
	if v, ok := payload.(SubmissionReceived); ok {
		return p.received(h, e, v)
	}
	var id SubmissionID
	var change func(*Submission) error
	switch v := payload.(type) {
	case HeldDecided:
		id, change = v.SubmissionID, func(s *Submission) error {
			s.Decision = Rejected
			if v.Accept {
				s.Decision = Accepted
			}
			return nil
		}
	case SubmissionVoided:
		id, change = v.SubmissionID, func(s *Submission) error { s.Void = v.Cause; return nil }
	case SubmissionVerified:
		id, change = v.SubmissionID, func(s *Submission) error { s.Verified = v.Revision; return nil }
	case SubmissionCorrected:
		id, change = v.SubmissionID, func(s *Submission) error { return p.corrected(e, v, s) }
	default:
		return fmt.Errorf("event %s does not belong in a participant's record", e.Type)
	}
	_, s := p.Submission(id)
	if s == nil {
		return fmt.Errorf("form %s does not exist", id)
	}
	return change(s)
}

func (p *Participant) received(h *History, e Event, v SubmissionReceived) error {
	a, err := p.asked(h, v.AssessmentID)
	if err != nil {
		return err
	}
	k, ok := kits[InstrumentRef{ID: v.Instrument, Version: v.InstrumentVersion}]
	if !ok {
		return fmt.Errorf("instrument %s %s is unknown to this program: upgrade it", v.Instrument, v.InstrumentVersion)
	}
	answers, err := sheet(k, v.Answers, v.Skipped)
	if err != nil {
		return err
	}
	completed := v.CompletedAt
	if !v.CorrectedAt.IsZero() {
		completed = v.CorrectedAt
	}
	a.Submissions = append(a.Submissions, Submission{
		ID: v.SubmissionID, Seq: e.Seq, Revision: 1, Instrument: v.Instrument, Version: v.InstrumentVersion,
		Pack: v.WordingPack, PackHash: v.WordingHash, Demonstration: v.Demonstration, Mode: v.Mode, Assistance: v.Assistance,
		Answers: answers, Scoring: v.ScoringVersion, StartedAt: v.StartedAt, CompletedAt: completed,
		SaidAt: v.CompletedAt, SentAt: v.SentAt, ReceivedAt: v.ReceivedAt, App: v.App, Digest: v.Digest,
		Counted: v.Counted, HeldCause: v.HeldCause, Flags: v.Flags, By: e.Actor,
	})
	if v.Mode.Electronic() {
		a.Opening = nil // the next form, should there be one, is opened anew
	}
	p.checkScores(k, e, answers, v.Scores)
	return nil
}

func (p *Participant) corrected(e Event, v SubmissionCorrected, s *Submission) error {
	k, ok := kits[InstrumentRef{ID: s.Instrument, Version: s.Version}]
	if !ok {
		return fmt.Errorf("instrument %s %s is unknown to this program: upgrade it", s.Instrument, s.Version)
	}
	answers, err := sheet(k, v.Answers, v.Skipped)
	if err != nil {
		return err
	}
	s.Earlier = append(slices.Clip(s.Earlier), Revision{Revision: s.Revision, Answers: s.Answers, Flags: s.Flags, Until: e.At, Cause: v.Cause})
	s.Answers, s.Revision, s.Scoring, s.RevisedBy = answers, v.Revision, v.ScoringVersion, e.Actor
	s.Flags = setFlag(s.Flags, FlagQ1Conflict, slices.Contains(v.Flags, FlagQ1Conflict))
	p.checkScores(k, e, answers, v.Scores)
	return nil
}

// checkScores remembers the first stored score that its answers do not give:
// verify and every export then fail loudly.
func (p *Participant) checkScores(k kit, e Event, answers instruments.Answers, stored Scores) {
	if code := mismatch(k, answers, stored); code != "" && p.Mismatch == "" {
		p.Mismatch = fmt.Sprintf("seq %d: the stored %s is not what the answers give", e.Seq, code)
	}
}

// setFlag adds or removes a flag.
func setFlag(flags []Flag, flag Flag, on bool) []Flag {
	rest := slices.DeleteFunc(slices.Clone(flags), func(f Flag) bool { return f == flag })
	if on {
		rest = append(rest, flag)
	}
	return rest
}

package study

import (
	"slices"

	"epro/instruments"
)

// Window is the time in which a form counts: whole calendar days in a zone,
// from the start of OpensOn to the end of ClosesOn.
type Window struct {
	OpensOn  Date   `json:"opens_on"`
	DueOn    Date   `json:"due_on"`
	ClosesOn Date   `json:"closes_on"`
	Zone     string `json:"zone"`
}

// OpensAt is the first instant of the window.
func (w Window) OpensAt() Instant { return InstantOf(StartOfDay(w.OpensOn, mustZone(w.Zone))) }

// DueAt is the first instant after the due day: from then on a form is overdue.
func (w Window) DueAt() Instant { return InstantOf(StartOfDay(w.DueOn+1, mustZone(w.Zone))) }

// ClosesAt is the first instant after the window.
func (w Window) ClosesAt() Instant { return InstantOf(StartOfDay(w.ClosesOn+1, mustZone(w.Zone))) }

// Contains reports whether the instant lies in the window.
func (w Window) Contains(at Instant) bool {
	return w.ClosesOn >= w.OpensOn && at >= w.OpensAt() && at < w.ClosesAt()
}

// PastWindow is a window as it was until an event moved it.
type PastWindow struct {
	Window
	Until Instant `json:"until"`
}

// Assessment is one instrument due from one participant at one visit.
type Assessment struct {
	ID       AssessmentID `json:"id"`
	Visit    string       `json:"visit"`
	Protocol string       `json:"protocol"` // the protocol version that the window was made from
	Window   Window       `json:"window"`
	Past     []PastWindow `json:"past,omitzero"`
	// Superseded: a later visit's window took this one's place.
	Superseded bool `json:"superseded,omitzero"`
	// NotGiven: the cycle was not given; the visit stays due at its planned date.
	NotGiven bool `json:"not_given,omitzero"`
	// Repeat: the baseline form grew too old and is asked for again.
	Repeat      bool         `json:"repeat,omitzero"`
	NotDone     *NotDone     `json:"not_done,omitzero"`
	Opening     *Opening     `json:"opening,omitzero"`
	Submissions []Submission `json:"submissions,omitzero"`
}

// NotDone is the latest reason why a form is missing.
type NotDone struct {
	Reason        MissingReason `json:"reason"`
	HealthRelated Tristate      `json:"health_related"`
	Note          string        `json:"note,omitzero"`
	At            Instant       `json:"at"`
	By            ActorRef      `json:"by"`
}

// Submission is a form that was received, as it stands now.
type Submission struct {
	ID            SubmissionID        `json:"id"`
	Seq           uint64              `json:"seq"`
	Revision      int                 `json:"revision"` // 1, and one more for each correction
	Instrument    string              `json:"instrument"`
	Version       string              `json:"version"` // of the instrument
	Pack          string              `json:"pack"`
	PackHash      Hash                `json:"pack_hash,omitzero"` // of a licensed pack
	Demonstration bool                `json:"demonstration,omitzero"`
	Mode          Mode                `json:"mode"`
	Assistance    Assistance          `json:"assistance,omitzero"`
	Answers       instruments.Answers `json:"answers"`
	Scoring       string              `json:"scoring"` // scoring version
	StartedAt     Instant             `json:"started_at"`
	CompletedAt   Instant             `json:"completed_at"` // by the server's clock
	SaidAt        Instant             `json:"said_at"`      // completion as the phone said
	SentAt        Instant             `json:"sent_at,omitzero"`
	ReceivedAt    Instant             `json:"received_at"`
	App           App                 `json:"app,omitzero"`
	Digest        Hash                `json:"digest"`
	Counted       bool                `json:"counted"` // as the receipt said
	HeldCause     HeldCause           `json:"held_cause,omitzero"`
	Decision      Decision            `json:"decision,omitzero"` // on a held form
	Flags         []Flag              `json:"flags,omitzero"`
	Void          Cause               `json:"void,omitzero"`
	Stale         bool                `json:"stale,omitzero"`      // a baseline form too old for the first dose
	By            ActorRef            `json:"by"`                  // who sent or entered it
	RevisedBy     ActorRef            `json:"revised_by,omitzero"` // who stated the answers that stand, after a correction
	Verified      int                 `json:"verified,omitzero"`   // the revision that was verified
	Earlier       []Revision          `json:"earlier,omitzero"`
}

// Revision is a form's answers before a correction.
type Revision struct {
	Revision int                 `json:"revision"`
	Answers  instruments.Answers `json:"answers"`
	Flags    []Flag              `json:"flags,omitzero"`
	Until    Instant             `json:"until"`
	Cause    Cause               `json:"cause"` // of the correction that replaced it
}

// Decision is what staff said of a held form.
type Decision string

// A held form waits, counts, or stays out.
const (
	Waiting  Decision = ""
	Accepted Decision = "accepted"
	Rejected Decision = "rejected"
)

// Held reports whether the form waits for a decision.
func (s *Submission) Held() bool {
	return s.HeldCause != "" && s.Decision == Waiting && s.Void == ""
}

// valid reports whether the form may stand for its visit.
func (s *Submission) valid() bool {
	return s.Void == "" && !s.Stale && (s.HeldCause == "" || s.Decision == Accepted)
}

// Standing is the form that counts for the visit, or nil: the participant's
// own electronic form before an entry by staff, the later one among equals.
func (a *Assessment) Standing() *Submission {
	var best *Submission
	for i := range a.Submissions {
		s := &a.Submissions[i]
		if s.valid() && (best == nil || s.Mode.Electronic() || !best.Mode.Electronic()) {
			best = s
		}
	}
	return best
}

// InTime reports whether the form was completed inside a window of the visit:
// the one in force, or as it was at completion. A held form that was accepted
// counts for the site although it may not have been.
func (a *Assessment) InTime(s *Submission) bool {
	switch s.HeldCause {
	case "", HeldArrivedLate:
		return true // that was judged when it came
	case HeldEarly, HeldClosed:
		return false
	}
	if slices.Contains(s.Flags, FlagWindowMoved) || slices.Contains(s.Flags, FlagFinishedAfterClose) {
		return true
	}
	w, _ := a.windowAt(s.ReceivedAt)
	return w.Contains(s.CompletedAt) || w.Contains(s.SaidAt)
}

// HeldForm is the form that waits for a decision, or nil. As long as it waits
// she has done her part: nobody asks her for the form again.
func (a *Assessment) HeldForm() *Submission {
	for i := range a.Submissions {
		if s := &a.Submissions[i]; s.Held() && !s.Stale {
			return s
		}
	}
	return nil
}

// electronic is the electronic form that another one may not be sent beside.
func (a *Assessment) electronic() *Submission {
	for i := range a.Submissions {
		s := &a.Submissions[i]
		if s.Mode.Electronic() && s.Void == "" && !s.Stale && s.Decision != Rejected {
			return s
		}
	}
	return nil
}

package study

import (
	"slices"
	"strings"
	"time"

	"epro/instruments"
)

// foldVersion changes whenever Fold computes something else from the same
// events, so that older snapshots are ignored and made anew.
const foldVersion = "4"

// Tip is where a stream stood when its state was computed.
type Tip struct {
	Seq  uint64  `json:"seq"`
	Head Hash    `json:"head"`
	At   Instant `json:"at"`
}

// Participant is the State of one participant's stream: what the events add up
// to. It is a value that is computed, never edited: Fold returns a new one.
type Participant struct {
	Tip
	ID          ParticipantID `json:"id"`
	Number      string        `json:"number"`
	Site        SiteCode      `json:"site"`
	Regimen     string        `json:"regimen"` // at enrolment, or as corrected since
	Language    string        `json:"language"`
	TimeZone    string        `json:"time_zone"`
	Access      Access        `json:"access"`
	EnrolledAt  Instant       `json:"enrolled_at"`
	Consents    []Consent     `json:"consents,omitzero"`
	Code        *IssuedCode   `json:"code,omitzero"`
	BoundAt     Instant       `json:"bound_at,omitzero"`
	FirstCycle  Date          `json:"first_cycle"` // cycle 1 as planned at enrolment
	Cycles      []Cycle       `json:"cycles"`
	Facts       []Fact        `json:"facts,omitzero"`
	Performance []Performance `json:"performance,omitzero"`
	Assessments []Assessment  `json:"assessments"`
	// RegimenAtDose is the regimen on the day of the first dose, as known today.
	RegimenAtDose string `json:"regimen_at_dose,omitzero"`
	// Contacts are the attempts to reach her, oldest first.
	Contacts []Contact `json:"contacts,omitzero"`
	// PausedAt is since when she wants no reminders; none: she gets them.
	PausedAt Instant `json:"paused_at,omitzero"`
	// RemindFrom is since when reminders may leave again after they were
	// stopped: one whose time was before it never leaves.
	RemindFrom Instant `json:"remind_from,omitzero"`
	// Acknowledged are the alerts that somebody looked at.
	Acknowledged []Acknowledged `json:"acknowledged,omitzero"`
	// Mismatch names the first stored score that a recomputation did not give.
	Mismatch string `json:"mismatch,omitzero"`
}

// IssuedCode is the latest enrolment code, by the event that issued it.
type IssuedCode struct {
	Event     EventID `json:"event"`
	IssuedAt  Instant `json:"issued_at"`
	ExpiresAt Instant `json:"expires_at"`
	Replace   bool    `json:"replace,omitzero"`
	UsedAt    Instant `json:"used_at,omitzero"`
}

// Cycle is a treatment cycle in the current schedule. N counts from 1.
type Cycle struct {
	N        int       `json:"n"`
	StartsOn Date      `json:"starts_on"`
	Kind     CycleKind `json:"kind"`
	DoseAt   Instant   `json:"dose_at,omitzero"`
	Seq      uint64    `json:"seq,omitzero"` // of the event that said so last; 0: by plan
	// Postponed is the start that was planned until treatment ended, should the
	// end be retracted; no date where it is StartsOn.
	Postponed Date `json:"postponed,omitzero"`
}

// settled reports whether the cycle's date is a fact that shifts stop at.
func (c Cycle) settled() bool { return c.Kind == CycleGiven || c.Kind == CycleNotGiven }

// Fact is a dated fact, named by the sequence of its event.
type Fact struct {
	Seq        uint64      `json:"seq"`
	Kind       FactKind    `json:"kind"`
	On         PartialDate `json:"on"`
	At         Instant     `json:"at,omitzero"`
	Level      Level       `json:"level,omitzero"`
	Drugs      []string    `json:"drugs,omitzero"`
	RecordedAt Instant     `json:"recorded_at"`
	Retracted  bool        `json:"retracted,omitzero"`
}

// Performance is an ECOG performance status, 0 to 4.
type Performance struct {
	Visit string   `json:"visit"`
	ECOG  int      `json:"ecog"`
	On    Date     `json:"on"`
	Rater ActorRef `json:"rater"`
}

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

// Assessment is the assessment with this id, or nil.
func (p *Participant) Assessment(id AssessmentID) *Assessment {
	for i := range p.Assessments {
		if p.Assessments[i].ID == id {
			return &p.Assessments[i]
		}
	}
	return nil
}

// AtVisit is the assessment of this visit, or nil.
func (p *Participant) AtVisit(code string) *Assessment {
	return p.Assessment(AssessmentFor(p.ID, code))
}

// Submission is the form with this id and its assessment, or nils.
func (p *Participant) Submission(id SubmissionID) (*Assessment, *Submission) {
	for i := range p.Assessments {
		a := &p.Assessments[i]
		for j := range a.Submissions {
			if a.Submissions[j].ID == id {
				return a, &a.Submissions[j]
			}
		}
	}
	return nil, nil
}

// Fact is the latest fact of this kind that was not retracted, or nil.
func (p *Participant) Fact(kind FactKind) *Fact { return p.FactBy(kind, 0) }

// FactBy is the latest fact of this kind that was not retracted and is dated on
// or before the last day that is looked at (none: no limit), or nil.
func (p *Participant) FactBy(kind FactKind, through Date) *Fact {
	for i := len(p.Facts) - 1; i >= 0; i-- {
		if f := &p.Facts[i]; f.Kind == kind && !f.Retracted && (through == 0 || f.On.First() <= through) {
			return f
		}
	}
	return nil
}

// Stop is the fact after which nothing more is expected, or nil: the earliest
// of those that stand.
func (p *Participant) Stop() *Fact {
	var stop *Fact
	for i := range p.Facts {
		f := &p.Facts[i]
		if f.Kind.stops() && !f.Retracted && (stop == nil || p.StopsOn(f) < p.StopsOn(stop)) {
			stop = f
		}
	}
	return stop
}

// StopsOn is the day from which the fact stops her part. Of a death dated in
// part it is the earliest day that the date can mean, but none on which her
// record shows her alive afterwards: nobody died before the form that she filled.
func (p *Participant) StopsOn(f *Fact) Date {
	if f.On.Exact() {
		return f.On.First()
	}
	return max(f.On.First(), p.lastAlive(f.On.Last()))
}

// lastAlive is the last day up to a limit on which she consented, had a dose or
// filled a form herself, or no date.
func (p *Participant) lastAlive(limit Date) (last Date) {
	seen := func(on Date) {
		if on <= limit {
			last = max(last, on)
		}
	}
	for _, c := range p.Consents {
		seen(c.On)
	}
	if dose := p.Fact(FactFirstDose); dose != nil {
		seen(dose.On.First())
	}
	for _, c := range p.Cycles {
		if c.Kind == CycleGiven {
			seen(c.StartsOn)
		}
	}
	for i := range p.Assessments {
		for j := range p.Assessments[i].Submissions {
			if s := &p.Assessments[i].Submissions[j]; s.showsAlive() {
				seen(DateOf(s.CompletedAt.Time().In(p.Zone())))
			}
		}
	}
	return last
}

// showsAlive reports whether she filled the form herself, as far as is known: one
// that came after she was said to have left or died shows it only once the site
// has accepted it.
func (s *Submission) showsAlive() bool {
	doubted := s.HeldCause == HeldNotExpected && s.Decision != Accepted
	return s.Void == "" && s.Decision != Rejected && s.Assistance != AssistanceProxy && !doubted
}

// CurrentRegimen is the regimen that she is on.
func (p *Participant) CurrentRegimen() string { return p.RegimenOn(0) }

// RegimenOn is the regimen on a day (none: after all changes): that of the
// latest change dated on or before it, in whatever order they were recorded,
// else the one at enrolment.
func (p *Participant) RegimenOn(day Date) string {
	regimen, since := p.Regimen, Date(0)
	for _, f := range p.Facts {
		if on := f.On.First(); f.Kind == FactRegimenChanged && !f.Retracted && len(f.Drugs) > 0 && (day == 0 || on <= day) && on >= since {
			regimen, since = strings.Join(f.Drugs, "+"), on
		}
	}
	return regimen
}

// regimenAtDose is the regimen on the day of the first dose; empty before a
// first dose.
func (p *Participant) regimenAtDose() string {
	dose := p.Fact(FactFirstDose)
	if dose == nil {
		return ""
	}
	return p.RegimenOn(dose.On.First())
}

// ConsentedOn is the day of the first consent, or no date.
func (p *Participant) ConsentedOn() Date {
	if len(p.Consents) == 0 {
		return 0
	}
	return p.Consents[0].On
}

// Zone is the participant's home zone.
func (p *Participant) Zone() *time.Location { return mustZone(p.TimeZone) }

// Status is the one word for where the participant stands at now.
func (p *Participant) Status(now time.Time) ParticipantStatus {
	switch {
	case p.Fact(FactScreenFailure) != nil, p.Fact(FactEnrolledInError) != nil:
		return StatusExcluded
	case p.Fact(FactDeceased) != nil:
		return StatusDeceased
	case p.Fact(FactWithdrawn) != nil:
		return StatusWithdrawn
	case len(p.Consents) == 0:
		return StatusScreened
	case p.Fact(FactEndOfFollowUp) != nil, p.yearIsOver(now):
		return StatusCompleted
	case !p.BoundAt.IsZero(), p.Access == AccessPaper:
		return StatusActive
	default:
		return StatusEnrolled
	}
}

// yearIsOver reports whether no assessment can be filled any more.
func (p *Participant) yearIsOver(now time.Time) bool {
	for i := range p.Assessments {
		switch p.AssessmentStatus(&p.Assessments[i], now) {
		case Upcoming, Open, Overdue:
			return false
		}
	}
	return len(p.Assessments) > 0
}

// AssessmentStatus is the one word for where the assessment stands at now.
func (p *Participant) AssessmentStatus(a *Assessment, now time.Time) AssessmentStatus {
	at := InstantOf(now)
	switch stop := p.Stop(); {
	case a.Standing() != nil:
		return Completed
	case stop != nil && a.Window.ClosesOn >= p.StopsOn(stop):
		return Unexpected
	case a.Superseded:
		return Superseded
	case len(p.Consents) == 0:
		return Unexpected
	case at < a.Window.OpensAt():
		return Upcoming
	case at >= a.Window.ClosesAt():
		return Missed
	case at >= a.Window.DueAt():
		return Overdue
	default:
		return Open
	}
}

// clone copies everything that a further event may change in place.
func (p *Participant) clone() *Participant {
	c := *p
	c.Consents = slices.Clone(p.Consents)
	c.Cycles = slices.Clone(p.Cycles)
	c.Facts = slices.Clone(p.Facts)
	c.Performance = slices.Clone(p.Performance)
	c.Assessments = slices.Clone(p.Assessments)
	c.Contacts = slices.Clone(p.Contacts)
	c.Acknowledged = slices.Clone(p.Acknowledged)
	if p.Code != nil {
		code := *p.Code
		c.Code = &code
	}
	for i := range c.Assessments {
		c.Assessments[i].Submissions = slices.Clone(p.Assessments[i].Submissions)
	}
	return &c
}

package study

import (
	"slices"
	"strings"
	"time"
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

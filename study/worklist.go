package study

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// ClosingSoon is how near the end of a window has to be for the worklist to
// say so.
const ClosingSoon = 48 * time.Hour

// WorkItem is one line of a worklist: who, which visit, and how much time is
// left. What a list does not need is left out.
type WorkItem struct {
	ParticipantID ParticipantID    `json:"participant_id"`
	Number        string           `json:"number"`
	Site          SiteCode         `json:"site"`
	TimeZone      string           `json:"time_zone"`
	AssessmentID  AssessmentID     `json:"assessment_id,omitzero"`
	Visit         string           `json:"visit,omitzero"`
	VisitName     string           `json:"visit_name,omitzero"`
	Status        AssessmentStatus `json:"status,omitzero"`
	Baseline      bool             `json:"baseline,omitzero"`
	OpensOn       Date             `json:"opens_on,omitzero"`
	DueOn         Date             `json:"due_on,omitzero"`
	ClosesOn      Date             `json:"closes_on,omitzero"`
	ClosesAt      Instant          `json:"closes_at,omitzero"`
	// DaysOverdue counts calendar days at the participant's home since the due
	// day; DaysLeft those until the last day of the window, 0 on that day.
	DaysOverdue int `json:"days_overdue"`
	DaysLeft    int `json:"days_left"`
	// HoursLeft are whole hours until the window closes.
	HoursLeft int `json:"hours_left"`

	SubmissionID SubmissionID `json:"submission_id,omitzero"` // of a held form
	HeldCause    HeldCause    `json:"held_cause,omitzero"`
	Since        Instant      `json:"since,omitzero"` // from when it waits
	CodeUntil    Instant      `json:"code_expires_at,omitzero"`
}

// Worklist is what site staff have to do, at one moment.
type Worklist struct {
	AsOf         Instant    `json:"as_of"`
	Overdue      []WorkItem `json:"overdue"`       // past due, window open
	ClosingSoon  []WorkItem `json:"closing_soon"`  // open, and closes within ClosingSoon
	Today        []WorkItem `json:"today"`         // due today and not completed, a baseline first
	Held         []WorkItem `json:"held"`          // forms that wait for a decision
	NotActivated []WorkItem `json:"not_activated"` // enrolled, phone never bound
	Unexplained  []WorkItem `json:"unexplained"`   // missed without a reason
}

// Worklist is the worklist of the sites that the actor may see, or of one of
// them. It reads only the participants whom somebody has to look at.
func (s *Service) Worklist(ctx context.Context, by Actor, site SiteCode) (*Worklist, error) {
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	w := &Worklist{AsOf: InstantOf(now), Overdue: []WorkItem{}, ClosingSoon: []WorkItem{}, Today: []WorkItem{},
		Held: []WorkItem{}, NotActivated: []WorkItem{}, Unexplained: []WorkItem{}}
	sites, none, err := sitesFor(by, site)
	if err != nil || none {
		return w, err
	}
	q := SnapshotQuery{Kind: "participant", Sites: sites, LookBefore: now.Add(time.Millisecond), Bare: true}
	err = s.eachSnapshot(ctx, q, func(snap Snapshot) error {
		p, err := s.listed(ctx, h, snap)
		if err == nil && p != nil && by.Sees(p.Site) {
			w.add(h, p, now)
		}
		return err
	})
	w.sort()
	return w, err
}

// sitesFor are the sites to ask a list for: nil is every site; none says that
// the list is empty.
func sitesFor(by Actor, site SiteCode) (sites []SiteCode, none bool, err error) {
	if err := permit(by, ReadParticipants); err != nil {
		return nil, false, err
	}
	switch {
	case site != "":
		return []SiteCode{site}, !by.Sees(site), nil
	case by.Role == RoleSystem:
		return nil, false, nil
	default:
		return by.Sites, len(by.Sites) == 0, nil
	}
}

// add adds what there is to do for one participant.
func (w *Worklist) add(h *History, p *Participant, now time.Time) {
	today := DateOf(now.In(p.Zone()))
	if p.neverBound() {
		item := WorkItem{ParticipantID: p.ID, Number: p.Number, Site: p.Site, TimeZone: p.TimeZone, Since: p.EnrolledAt}
		if p.Code != nil && p.Code.UsedAt.IsZero() {
			item.CodeUntil = p.Code.ExpiresAt
		}
		w.NotActivated = append(w.NotActivated, item)
	}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		item := h.workItem(p, a, now, today)
		for j := range a.Submissions {
			if f := &a.Submissions[j]; f.Held() {
				held := item
				held.SubmissionID, held.HeldCause, held.Since = f.ID, f.HeldCause, f.ReceivedAt
				w.Held = append(w.Held, held)
			}
		}
		switch item.Status {
		case Overdue, Open:
			if item.Status == Overdue {
				w.Overdue = append(w.Overdue, item)
			}
			if a.Window.ClosesAt().Time().Sub(now) <= ClosingSoon {
				w.ClosingSoon = append(w.ClosingSoon, item)
			}
			if a.Window.DueOn == today {
				w.Today = append(w.Today, item)
			}
		case Missed:
			if a.NotDone == nil {
				w.Unexplained = append(w.Unexplained, item)
			}
		}
	}
}

// workItem is the line about one assessment.
func (h *History) workItem(p *Participant, a *Assessment, now time.Time, today Date) WorkItem {
	v, _, _ := h.protocol(a.Protocol).Visit(a.Visit)
	closes := a.Window.ClosesAt()
	return WorkItem{ParticipantID: p.ID, Number: p.Number, Site: p.Site, TimeZone: p.TimeZone,
		AssessmentID: a.ID, Visit: a.Visit, VisitName: h.VisitName(p, a, "en"), Status: p.AssessmentStatus(a, now), Baseline: v.Baseline,
		OpensOn: a.Window.OpensOn, DueOn: a.Window.DueOn, ClosesOn: a.Window.ClosesOn, ClosesAt: closes,
		DaysOverdue: max(0, int(today-a.Window.DueOn)), DaysLeft: max(0, int(a.Window.ClosesOn-today)),
		HoursLeft: max(0, int(closes.Time().Sub(now)/time.Hour))}
}

// sort puts first what is most urgent.
func (w *Worklist) sort() {
	byClosing := func(a, b WorkItem) int {
		return cmp.Or(cmp.Compare(a.ClosesAt, b.ClosesAt), cmp.Compare(a.Number, b.Number))
	}
	bySince := func(a, b WorkItem) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Number, b.Number))
	}
	slices.SortStableFunc(w.Overdue, byClosing)
	slices.SortStableFunc(w.ClosingSoon, byClosing)
	slices.SortStableFunc(w.Unexplained, byClosing)
	slices.SortStableFunc(w.Held, bySince)
	slices.SortStableFunc(w.NotActivated, bySince)
	slices.SortStableFunc(w.Today, func(a, b WorkItem) int {
		if a.Baseline != b.Baseline {
			if a.Baseline {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Number, b.Number)
	})
}

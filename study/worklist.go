package study

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// ClosingSoon is how near the end of a window has to be for the worklist to
// say so.
const ClosingSoon = 48 * time.Hour

// WorkItem is one line of a worklist: who, which visit, and how much time is
// left. What a list does not need is left out.
type WorkItem struct {
	ParticipantID ParticipantID
	Number        string
	Site          SiteCode
	TimeZone      string
	AssessmentID  AssessmentID
	Visit         string
	VisitName     string
	Status        AssessmentStatus
	Baseline      bool
	OpensOn       Date
	DueOn         Date
	ClosesOn      Date
	ClosesAt      Instant
	// DaysOverdue counts calendar days at the participant's home since the due
	// day; DaysLeft those until the last day of the window, 0 on that day.
	DaysOverdue int
	DaysLeft    int
	// HoursLeft are whole hours until the window closes.
	HoursLeft int

	SubmissionID SubmissionID // of a held form
	HeldCause    HeldCause
	Since        Instant // from when it waits
	CodeUntil    Instant

	AlertID AlertID
	Rule    AlertRule // of an alert
	About   string
	// Escalated: nobody has acknowledged the alert for too long.
	Escalated bool

	// NoRoute: the call came up because no message can reach her.
	NoRoute     bool
	LastContact *Contact
}

// RouteAhead is how long before a window opens a participant whom no message
// can reach is on the worklist.
const RouteAhead = 7 * 24 * time.Hour

// Worklist is what site staff have to do, at one moment.
type Worklist struct {
	AsOf         Instant
	Overdue      []WorkItem // past due, window open
	ClosingSoon  []WorkItem // open, and closes within ClosingSoon
	Today        []WorkItem // due today and not completed, a baseline first
	Held         []WorkItem // forms that wait for a decision
	NotActivated []WorkItem // enrolled, phone never bound
	Unexplained  []WorkItem // missed without a reason
	CallTasks    []WorkItem // whom to telephone
	Alerts       []WorkItem // not acknowledged, the escalated first
	NoRoute      []WorkItem // no message can reach her, and a window is open or opens within RouteAhead

	// More: there are others to look at behind Last, the last who was read.
	More bool
	Last PeoplePlace
}

// WorklistQuery says whose work is asked for.
type WorklistQuery struct {
	Site  SiteCode    // empty: every site that the actor may see
	After PeoplePlace // the page starts behind this participant
	Limit int         // of participants whom somebody has to look at; zero: all
}

// Worklist is the worklist of the sites that the actor may see, or of one of
// them. It reads only the participants whom somebody has to look at.
func (s *Service) Worklist(ctx context.Context, by Actor, site SiteCode) (*Worklist, error) {
	return s.WorklistPage(ctx, by, WorklistQuery{Site: site})
}

// WorklistPage is the worklist of a page of the participants whom somebody has
// to look at, by site and number.
func (s *Service) WorklistPage(ctx context.Context, by Actor, wq WorklistQuery) (*Worklist, error) {
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	w := &Worklist{AsOf: InstantOf(now), Overdue: []WorkItem{}, ClosingSoon: []WorkItem{}, Today: []WorkItem{},
		Held: []WorkItem{}, NotActivated: []WorkItem{}, Unexplained: []WorkItem{}, CallTasks: []WorkItem{}, Alerts: []WorkItem{}, NoRoute: []WorkItem{}}
	sites, none, err := sitesFor(by, wq.Site)
	if err != nil || none {
		return w, err
	}
	q := SnapshotQuery{Kind: "participant", Sites: sites, LookBefore: now.Add(RouteAhead), Bare: true,
		AfterSite: wq.After.Site, AfterLabel: wq.After.Number, AfterStream: wq.After.stream()}
	read := 0
	err = s.eachListed(ctx, h, q, func(snap Snapshot, p *Participant) error {
		if w.More = wq.Limit > 0 && read == wq.Limit; w.More {
			return errEnough
		}
		read++
		w.Last = PeoplePlace{Site: snap.Site, Number: snap.Label, ID: ParticipantID(snap.Stream.Key())}
		if p == nil || !by.Sees(p.Site) {
			return nil
		}
		w.add(h, p, now)
		watched, err := s.Watch(ctx, h, p)
		if err == nil {
			w.addWatched(h, watched, now)
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	w.sort()
	return w, err
}

// sitesFor are the sites to ask a list for: nil is every site; none says that
// the actor has none.
func sitesFor(by Actor, site SiteCode) (sites []SiteCode, none bool, err error) {
	if err := permit(by, ReadParticipants); err != nil {
		return nil, false, err
	}
	switch {
	case site != "" && !by.Sees(site):
		return nil, true, notFound("site")
	case site != "":
		return []SiteCode{site}, false, nil
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

// addWatched adds what the rules say of a participant: alerts, calls, no route.
func (w *Worklist) addWatched(h *History, p Watched, now time.Time) {
	today := DateOf(now.In(p.Zone()))
	item := func(id AssessmentID) WorkItem {
		if a := p.Assessment(id); a != nil {
			return h.workItem(p.Participant, a, now, today)
		}
		return WorkItem{ParticipantID: p.ID, Number: p.Number, Site: p.Site, TimeZone: p.TimeZone}
	}
	for _, a := range p.Alerts {
		if a.State == AlertAcknowledged {
			continue
		}
		i := item(a.Assessment)
		i.AlertID, i.Rule, i.About, i.Since, i.SubmissionID, i.Escalated = a.ID, a.Rule, a.About, a.RaisedAt, a.Form, a.State == AlertEscalated
		w.Alerts = append(w.Alerts, i)
	}
	for _, c := range p.Calls {
		i := item(c.Assessment)
		i.Since, i.NoRoute, i.LastContact = c.Since, c.NoRoute, c.Last
		w.CallTasks = append(w.CallTasks, i)
	}
	if next := p.Next(now); p.NoRoute && next != nil && len(p.Consents) > 0 && !p.BoundAt.IsZero() && next.Window.OpensAt().Time().Before(now.Add(RouteAhead)) {
		w.NoRoute = append(w.NoRoute, item(next.ID))
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
	slices.SortStableFunc(w.CallTasks, byClosing)
	slices.SortStableFunc(w.NoRoute, byClosing)
	slices.SortStableFunc(w.Alerts, func(a, b WorkItem) int {
		if a.Escalated != b.Escalated {
			if a.Escalated {
				return -1
			}
			return 1
		}
		return bySince(a, b)
	})
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

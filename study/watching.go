package study

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Watched is a participant with what the morning page asks about her.
type Watched struct {
	*Participant
	Devices []Device
	Alerts  []Alert
	Calls   []CallTask
	NoRoute bool
}

// Watch is what the rules say of a participant now: her alerts, whom to
// telephone, and whether messages reach her.
func (s *Service) Watch(ctx context.Context, h *History, p *Participant) (Watched, error) {
	now := s.now()
	w := Watched{Participant: p}
	var err error
	if w.Devices, err = s.Devices(ctx, p.ID); err != nil {
		return w, err
	}
	pushes, err := s.pushesOf(ctx, p, now)
	if err != nil {
		return w, err
	}
	w.Alerts = Alerts(h, p, pushes, now)
	w.NoRoute = p.Stop() == nil && p.NoRoute(w.Devices, now)
	w.Calls = CallTasks(h, p, w.NoRoute, now)
	return w, nil
}

// pushesOf looks at the assessment whose window is open, or was the last to
// be: the ledger of earlier ones says nothing about today.
func (s *Service) pushesOf(ctx context.Context, p *Participant, now time.Time) (PushSummary, error) {
	var latest *Assessment
	for i := range p.Assessments {
		a := &p.Assessments[i]
		if a.Superseded || a.Window.OpensAt() > InstantOf(now) {
			continue
		}
		if latest == nil || a.Window.OpensOn > latest.Window.OpensOn {
			latest = a
		}
	}
	if latest == nil {
		return PushSummary{}, nil
	}
	deliveries, err := s.Deliveries(ctx, latest.ID)
	if err != nil {
		return PushSummary{}, err
	}
	return Pushes(latest.ID, deliveries), nil
}

// AlertsQuery selects alerts. Zero fields do not restrict.
type AlertsQuery struct {
	Site  SiteCode
	State AlertState
	After AlertPlace // the page starts behind this one
	Limit int        // zero: all
}

// AlertPlace is an alert's place in lists. It stands also when the alert is
// there no more, because somebody mended what it was about.
type AlertPlace struct {
	Participant PeoplePlace `json:"participant"`
	RaisedAt    Instant     `json:"raised_at"`
	ID          AlertID     `json:"id"`
}

// AlertOf is an alert with the participant's place.
type AlertOf struct {
	Alert
	Participant PeoplePlace
}

// Place is the alert's place in lists.
func (a AlertOf) Place() AlertPlace { return AlertPlace{a.Participant, a.RaisedAt, a.ID} }

// SiteAlerts is a page of the alerts of the participants whom the actor may see,
// by site and number, each one's oldest first, and whether there are more behind
// it. It reads nobody before the page and, once it is full, nobody behind it.
func (s *Service) SiteAlerts(ctx context.Context, by Actor, q AlertsQuery) (page []AlertOf, more bool, err error) {
	if err := permit(by, ReadAlerts); err != nil {
		return nil, false, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, false, err
	}
	err = s.eachFrom(ctx, by, q.Site, q.After.Participant, func(p *Participant) error {
		w, err := s.Watch(ctx, h, p)
		if err != nil {
			return err
		}
		for _, a := range w.Alerts {
			switch {
			case q.State != "" && a.State != q.State, !q.After.before(p, a):
			case q.Limit > 0 && len(page) == q.Limit:
				more = true
				return errEnough
			default:
				page = append(page, AlertOf{a, p.Place()})
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return page, more, err
}

// before reports whether a participant's alert lies behind the place. Others
// than the place's own participant are not asked for unless they do.
func (at AlertPlace) before(p *Participant, a Alert) bool {
	return at.Participant.ID != p.ID || cmp.Or(cmp.Compare(a.RaisedAt, at.RaisedAt), cmp.Compare(a.ID, at.ID)) > 0
}

// eachFrom calls f for the participant of a place (zero: none) if she is still
// there, and for everybody behind it whom the actor may see.
func (s *Service) eachFrom(ctx context.Context, by Actor, site SiteCode, from PeoplePlace, f func(*Participant) error) error {
	if from.ID != "" {
		p, err := s.Participant(ctx, by, from.ID)
		if err != nil && CodeOf(err) != NotFound {
			return err
		}
		if p != nil && p.Place() == from && (site == "" || p.Site == site) {
			if err := f(p); err != nil {
				return err
			}
		}
	}
	return s.eachOf(ctx, by, site, from, f)
}

// eachOf calls f for every participant behind the place whom the actor may see,
// by site and number.
func (s *Service) eachOf(ctx context.Context, by Actor, site SiteCode, after PeoplePlace, f func(*Participant) error) error {
	q := PeopleQuery{Site: site, After: after, Limit: 200}
	for {
		page, more, err := s.Participants(ctx, by, q)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := f(p); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		q.After = page[len(page)-1].Place()
	}
}

// AlertsOf are the alerts of participants whom the actor may see, in the order
// of the participants, each one's oldest first.
func (s *Service) AlertsOf(ctx context.Context, by Actor, people []*Participant) ([]AlertOf, error) {
	if err := permit(by, ReadAlerts); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	var out []AlertOf
	for _, p := range people {
		w, err := s.Watch(ctx, h, p)
		if err != nil {
			return nil, err
		}
		for _, a := range w.Alerts {
			out = append(out, AlertOf{a, p.Place()})
		}
	}
	return out, nil
}

package study

import (
	"context"
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
}

// AlertOf is an alert with the participant's place.
type AlertOf struct {
	Alert
	Participant PeoplePlace
}

// SiteAlerts are the alerts of the participants whom the actor may see, by site
// and number, each one's oldest first.
func (s *Service) SiteAlerts(ctx context.Context, by Actor, q AlertsQuery) ([]AlertOf, error) {
	if err := permit(by, ReadAlerts); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	var out []AlertOf
	err = s.eachOf(ctx, by, q.Site, func(p *Participant) error {
		w, err := s.Watch(ctx, h, p)
		if err != nil {
			return err
		}
		for _, a := range w.Alerts {
			if q.State == "" || a.State == q.State {
				out = append(out, AlertOf{a, p.Place()})
			}
		}
		return nil
	})
	return out, err
}

// eachOf calls f for every participant whom the actor may see, by site and number.
func (s *Service) eachOf(ctx context.Context, by Actor, site SiteCode, f func(*Participant) error) error {
	q := PeopleQuery{Site: site, Limit: 200}
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

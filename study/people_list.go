package study

import (
	"context"
	"errors"
)

// PeopleQuery selects participants. Zero fields do not restrict.
type PeopleQuery struct {
	Site   SiteCode
	Number string // exactly this one
	Status ParticipantStatus
	After  PeoplePlace // the page starts behind this one
	Limit  int         // at most 500; zero is 50
}

// PeoplePlace is a participant's place in lists: by site, number, id.
type PeoplePlace struct {
	Site   SiteCode      `json:"site"`
	Number string        `json:"number"`
	ID     ParticipantID `json:"id"`
}

// stream is the place's stream; empty for a place before everybody.
func (at PeoplePlace) stream() StreamID {
	if at.ID == "" {
		return ""
	}
	return at.ID.Stream()
}

// Participants is a page of the participants that the actor may see, by site
// and number, and whether there are more behind it.
func (s *Service) Participants(ctx context.Context, by Actor, q PeopleQuery) (page []*Participant, more bool, err error) {
	sites, none, err := sitesFor(by, q.Site)
	if err != nil || none {
		return nil, false, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, false, err
	}
	limit := min(max(q.Limit, 0), 500)
	if limit == 0 {
		limit = 50
	}
	sq := SnapshotQuery{Kind: "participant", Sites: sites, Label: q.Number, Bare: true,
		AfterSite: q.After.Site, AfterLabel: q.After.Number, AfterStream: q.After.stream()}
	if q.Status == "" {
		sq.Limit = limit + 1
	}
	err = s.eachListed(ctx, h, sq, func(_ Snapshot, p *Participant) error {
		if q.Status != "" && p.Status(s.now()) != q.Status || !by.Sees(p.Site) {
			return nil // the second: moved away since the row was written
		}
		if len(page) == limit {
			more = true
			return errEnough
		}
		page = append(page, p)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return page, more, err
}

// eachListed calls f for every snapshot that matches and the State behind it,
// page by page. States that are in memory are not read; of a page of which most
// are not, all are read at once.
func (s *Service) eachListed(ctx context.Context, h *History, q SnapshotQuery, f func(Snapshot, *Participant) error) error {
	q.Bare = true
	if q.Limit == 0 {
		q.Limit = listPage
	}
	for {
		page, err := s.store.Snapshots(ctx, q)
		if err != nil {
			return err
		}
		if page, err = s.withStates(ctx, h, q, page); err != nil {
			return err
		}
		for _, snap := range page {
			p, err := s.listed(ctx, h, snap)
			if err == nil {
				err = f(snap, p)
			}
			if err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		last := page[len(page)-1]
		q.AfterSite, q.AfterLabel, q.AfterStream = last.Site, last.Label, last.Stream
	}
}

// withStates is the page, read again with the States if memory has few of them.
func (s *Service) withStates(ctx context.Context, h *History, q SnapshotQuery, page []Snapshot) ([]Snapshot, error) {
	unknown := 0
	for _, snap := range page {
		if p, ok := s.remembered(h, ParticipantID(snap.Stream.Key())); !ok || p.Seq < snap.Seq {
			unknown++
		}
	}
	if unknown < 2 || unknown <= len(page)/2 {
		return page, nil
	}
	q.Bare = false
	return s.store.Snapshots(ctx, q)
}

// listPage is how many snapshots a list reads at a time.
const listPage = 500

// errEnough stops eachSnapshot and eachFrom.
var errEnough = errors.New("enough")

// listed is the State behind a row of a list; a snapshot of another fold
// version is made anew.
func (s *Service) listed(ctx context.Context, h *History, snap Snapshot) (*Participant, error) {
	id := ParticipantID(snap.Stream.Key())
	if p, ok := s.remembered(h, id); ok && p.Seq >= snap.Seq {
		return p, nil
	}
	if len(snap.State) > 0 {
		if p := decodeSnapshot(h, snap); p != nil {
			s.people.Add(id, folded{p, h.stamp()})
			return p, nil
		}
	}
	if p, err := s.fromSnapshot(ctx, h, id); err != nil || p != nil {
		if p != nil {
			s.people.Add(id, folded{p, h.stamp()})
		}
		return p, err
	}
	return s.load(ctx, h, id)
}

// Place is the participant's place in lists.
func (p *Participant) Place() PeoplePlace {
	return PeoplePlace{Site: p.Site, Number: p.Number, ID: p.ID}
}

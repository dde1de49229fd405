package study

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// PeopleAt folds every participant's record as it was recorded up to the cut
// (zero: all of it), in the order of site, number and id at that time, and
// calls f with each. Memory grows only with the number of participants' keys.
func (s *Service) PeopleAt(ctx context.Context, by Actor, cut time.Time, f func(*Participant) error) error {
	if err := permit(by, ExportData); err != nil {
		return err
	}
	return s.peopleAt(ctx, cut, func(PeoplePlace) bool { return true }, f)
}

// SitePeopleAt is PeopleAt for the staff of sites: it calls f with the
// participants who were at the site at the cut (empty: at any of the actor's
// own). A site that is not the actor's has nobody. A zero cut is now, and is
// read from what is kept of each record, without folding it anew.
func (s *Service) SitePeopleAt(ctx context.Context, by Actor, site SiteCode, cut time.Time, f func(*Participant) error) error {
	if err := permit(by, ReadParticipants); err != nil {
		return err
	}
	if cut.IsZero() {
		return s.peopleNow(ctx, by, site, f)
	}
	return s.peopleAt(ctx, cut, func(place PeoplePlace) bool {
		return by.Sees(place.Site) && (site == "" || site == place.Site)
	}, f)
}

// peopleNow pages through the list of participants.
func (s *Service) peopleNow(ctx context.Context, by Actor, site SiteCode, f func(*Participant) error) error {
	for q := (PeopleQuery{Site: site, Limit: 200}); ; {
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

// peopleAt folds the records of those whose place at the cut is wanted.
func (s *Service) peopleAt(ctx context.Context, cut time.Time, wanted func(PeoplePlace) bool, f func(*Participant) error) error {
	h, err := s.History(ctx)
	if err != nil {
		return err
	}
	h = h.UpTo(cut)
	places, err := s.placesAt(ctx, cut)
	if err != nil {
		return err
	}
	for _, place := range places {
		if !wanted(place) {
			continue
		}
		entries, err := s.store.Stream(ctx, place.ID.Stream(), 0)
		if err != nil {
			return err
		}
		p, err := FoldParticipant(h, nil, upTo(entries, cut)...)
		if err != nil {
			return err
		}
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func upTo(entries []Entry, cut time.Time) []Entry {
	for i, n := range entries {
		if !cut.IsZero() && n.At.After(cut) {
			return entries[:i]
		}
	}
	return entries
}

// placesAt are the places in lists of everybody who was enrolled by the cut, as
// they were then.
func (s *Service) placesAt(ctx context.Context, cut time.Time) ([]PeoplePlace, error) {
	var places []PeoplePlace
	for n, err := range s.store.Entries(ctx, "participant/") {
		if err != nil {
			return nil, err
		}
		if !keyed(n.Type) || !cut.IsZero() && n.At.After(cut) {
			continue
		}
		if n.Seq == 1 {
			places = append(places, PeoplePlace{ID: ParticipantID(n.Stream.Key())})
		}
		if len(places) == 0 || places[len(places)-1].ID.Stream() != n.Stream {
			return nil, n.fault("the stream does not begin with its first entry")
		}
		if err := places[len(places)-1].move(n); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(places, func(a, b PeoplePlace) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	})
	return places, nil
}

// keyed reports whether events of this type can change a place in lists.
func keyed(t EventType) bool {
	return t == ParticipantEnrolled{}.EventType() || t == DetailsChanged{}.EventType() || t == Transferred{}.EventType()
}

// move follows one event that can change the place.
func (at *PeoplePlace) move(n Entry) error {
	e, err := n.Open()
	if err != nil {
		return err
	}
	payload, err := PayloadOf(e)
	if err != nil {
		return err
	}
	switch v := payload.(type) {
	case ParticipantEnrolled:
		at.Site, at.Number = v.Site, v.Number
	case DetailsChanged:
		at.Number = cmp.Or(v.Number, at.Number)
	case Transferred:
		at.Site = v.Site
	}
	return nil
}

// EventsAt calls f with every event that was recorded up to the cut (zero: all
// of them), stream by stream in the order of the streams' names, and each
// stream in its own order. Claims are left out: they say only that a name is
// taken. Memory does not grow with their number.
func (s *Service) EventsAt(ctx context.Context, by Actor, cut time.Time, f func(Event) error) error {
	if err := permit(by, ExportData); err != nil {
		return err
	}
	for n, err := range s.store.Entries(ctx, "") {
		if err != nil {
			return err
		}
		if n.Stream.Kind() == "claim" || !cut.IsZero() && n.At.After(cut) {
			continue
		}
		e, err := n.Open()
		if err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

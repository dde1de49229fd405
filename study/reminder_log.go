package study

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Sent is a delivery with the participant's place, for the reminder log.
type Sent struct {
	Delivery
	Number string
	Site   SiteCode
	Visit  string
}

// SentQuery selects from the reminder log.
type SentQuery struct {
	Site  SiteCode // empty: every site of the actor
	Since time.Time
	After SentPlace // the page starts behind this one
	Limit int       // at most 200; zero is 50
}

// SentPlace is a delivery's place in the reminder log.
type SentPlace struct {
	At Instant    `json:"at"`
	ID DeliveryID `json:"id"`
}

// ledgerPage is how many rows of the ledger are read at a time.
const ledgerPage = 500

// DeliveriesSince is a page of the reminder log of the actor's sites, oldest
// first, and whether there are more behind it. It reads the ledger from where
// the page begins to where it ends.
func (s *Service) DeliveriesSince(ctx context.Context, by Actor, q SentQuery) (page []Sent, more bool, err error) {
	if err := permit(by, ReadDeliveries); err != nil {
		return nil, false, err
	}
	sites, none, err := sitesFor(by, q.Site)
	if err != nil || none {
		return nil, false, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, false, err
	}
	theirs, err := s.fewOf(ctx, sites)
	if err != nil {
		return nil, false, err
	}
	limit := cmp.Or(min(max(q.Limit, 0), 200), 50)
	l := logReader{Service: s, h: h, by: by, site: q.Site, people: map[ParticipantID]*Participant{}, ledgers: map[AssessmentID][]Delivery{}}
	place := RecordPlace{At: q.Since}
	if at := q.After.At.Time(); q.After.ID != "" && !at.Before(q.Since) {
		place = RecordPlace{At: at, Key: string(q.After.ID)}
	}
	for {
		rows, err := s.store.RecordsBetween(ctx, recordDelivery, place, time.Time{}, ledgerPage)
		if err != nil {
			return nil, false, err
		}
		for _, r := range rows {
			place = RecordPlace{At: r.At, Key: r.Key}
			if whose, _, _ := strings.Cut(r.Owner, "."); theirs != nil && !theirs[ParticipantID(whose)] {
				continue
			}
			sent, is, err := l.read(ctx, r)
			switch {
			case err != nil:
				return nil, false, err
			case is && len(page) == limit:
				return page, true, nil
			case is:
				page = append(page, sent)
			}
		}
		if len(rows) < ledgerPage {
			return page, false, nil
		}
	}
}

// fewOf are the participants of some sites. None are given when everybody is
// asked for, or so many that most of the ledger is theirs.
func (s *Service) fewOf(ctx context.Context, sites []SiteCode) (map[ParticipantID]bool, error) {
	if sites == nil {
		return nil, nil
	}
	page, err := s.store.Snapshots(ctx, SnapshotQuery{Kind: "participant", Sites: sites, Bare: true, Limit: 1000})
	if err != nil || len(page) == 1000 {
		return nil, err
	}
	few := make(map[ParticipantID]bool, len(page))
	for _, snap := range page {
		few[ParticipantID(snap.Stream.Key())] = true
	}
	return few, nil
}

// logReader reads the lines of one page, each participant and each assessment's
// ledger once.
type logReader struct {
	*Service
	h       *History
	by      Actor
	site    SiteCode
	people  map[ParticipantID]*Participant
	ledgers map[AssessmentID][]Delivery
}

// read is the line of a claim; false if the row is none, or not for this actor.
func (l *logReader) read(ctx context.Context, r Record) (Sent, bool, error) {
	var row deliveryRow
	if err := json.Unmarshal(r.Data, &row); err != nil {
		return Sent{}, false, fmt.Errorf("a row of the reminder ledger cannot be read: %w", err)
	}
	if row.Claim == nil {
		return Sent{}, false, nil
	}
	p, err := l.person(ctx, row.Claim.Participant)
	if err != nil || p == nil || !l.by.Sees(p.Site) || l.site != "" && p.Site != l.site {
		return Sent{}, false, err
	}
	d, err := l.delivery(ctx, row)
	_, visit, _ := strings.Cut(string(row.Claim.Assessment), ".")
	return Sent{Delivery: d, Number: p.Number, Site: p.Site, Visit: visit}, err == nil, err
}

func (l *logReader) person(ctx context.Context, id ParticipantID) (*Participant, error) {
	if p, known := l.people[id]; known {
		return p, nil
	}
	p, err := l.load(ctx, l.h, id)
	l.people[id] = p
	return p, err
}

// delivery is the attempt with its outcome. A claim that came after its
// assessment's ledger was read has the ledger read again.
func (l *logReader) delivery(ctx context.Context, row deliveryRow) (Delivery, error) {
	is := func(d Delivery) bool { return d.ID == row.ID }
	ledger := l.ledgers[row.Claim.Assessment]
	if !slices.ContainsFunc(ledger, is) {
		var err error
		if ledger, err = l.Deliveries(ctx, row.Claim.Assessment); err != nil {
			return Delivery{}, err
		}
		l.ledgers[row.Claim.Assessment] = ledger
	}
	i := slices.IndexFunc(ledger, is)
	if i < 0 {
		return Delivery{}, fmt.Errorf("the claim %s is not in the ledger of %s", row.ID, row.Claim.Assessment)
	}
	return ledger[i], nil
}

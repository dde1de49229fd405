package study

import (
	"context"
)

// TransferTo moves the participant to another site. Service.Do claims the
// number there first.
type TransferTo struct {
	Site   SiteCode
	On     Date
	Reason string
}

func (TransferTo) action() Action { return Transfer }
func (c TransferTo) why() string  { return c.Reason }
func (c TransferTo) decide(p *Participant, s *Situation) (Payload, error) {
	var f faults
	f.addReason(c.Reason)
	f.add(c.On == 0, "on", "give the day of the transfer as YYYY-MM-DD")
	f.add(c.On > s.today(p), "on", "a transfer cannot lie in the future")
	if err := f.err(); err != nil {
		return nil, err
	}
	if c.Site == p.Site {
		return nil, nil
	}
	return Transferred{Site: c.Site, On: c.On}, nil
}

// receiving is the site that a participant is to come to, if it takes her in.
func (s *Service) receiving(ctx context.Context, code SiteCode) (*Site, error) {
	to, err := s.loadSite(ctx, code, true)
	if err != nil {
		return nil, err
	}
	if to == nil {
		return nil, invalid("site", "this site does not exist")
	}
	return to, to.takesIn()
}

// PreviewTransfer says which site a transfer leads to, or why it cannot be
// made: everything but the reason, which nobody has typed yet, is checked, and
// nothing is stored.
func (s *Service) PreviewTransfer(ctx context.Context, by Actor, id ParticipantID, c TransferTo) (*Site, error) {
	p, err := s.Participant(ctx, by, id)
	if err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	situation, err := s.situation(ctx, h, by, p)
	if err != nil {
		return nil, err
	}
	c.Reason = "to be given"
	decided, err := Decide(p, c, situation)
	switch {
	case err != nil:
		return nil, err
	case decided == nil:
		return nil, invalid("site", "she is at this site already")
	}
	to, err := s.receiving(ctx, c.Site)
	if err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, claimStream(ClaimNumber, string(c.Site), p.Number))
	switch {
	case CodeOf(err) == NotFound:
		return to, nil
	case err != nil:
		return nil, err
	case owner != p.ID.Stream():
		return nil, errNumberTaken()
	}
	return to, nil
}

func errNumberTaken() error {
	return Fail(Conflict, "That site has given this number to another participant. Change her number first.")
}

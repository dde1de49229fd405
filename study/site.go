package study

import (
	"context"
	"fmt"
	"regexp"
	"slices"
)

// Site is the State of a site's stream.
type Site struct {
	Tip
	Code     SiteCode `json:"code"`
	Name     string   `json:"name"`
	TimeZone string   `json:"time_zone"`
	Language string   `json:"language"`
	Phone    string   `json:"phone,omitzero"` // that participants call for help
	Locked   bool     `json:"locked,omitzero"`
	Closed   bool     `json:"closed,omitzero"` // takes nobody in; whoever is there goes on
}

// foldSite adds entries to a site's State.
func foldSite(site *Site, entries ...Entry) (*Site, error) {
	next := &Site{}
	if site != nil {
		*next = *site
	}
	for _, n := range entries {
		_, payload, err := next.follow(n)
		if err != nil {
			return nil, err
		}
		switch v := payload.(type) {
		case SiteCreated:
			next.Code, next.Name, next.TimeZone, next.Language = v.Code, v.Name, v.TimeZone, v.Language
		case SiteContactSet:
			next.Phone = v.Phone
		case SiteLocked:
			next.Locked = true
		case SiteUnlocked:
			next.Locked = false
		case SiteChanged:
			next.changed(v)
		case SiteClosed:
			next.Closed = true
		case SiteReopened:
			next.Closed = false
		default:
			return nil, n.fault(fmt.Sprintf("event %s does not belong in a site's record", n.Type))
		}
	}
	if next.Seq == 0 {
		return nil, nil
	}
	return next, nil
}

// CreateSite opens a site.
type CreateSite struct {
	Code     SiteCode
	Name     string
	TimeZone string
	Language string
}

var siteCode = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,15}$`)

func (c CreateSite) check(protocol *Protocol) error {
	var f faults
	f.add(!siteCode.MatchString(string(c.Code)), "code", "1 to 16 upper-case letters, digits or hyphens, such as S01")
	f.add(!plainText(c.Name, 120), "name", "1 to 120 characters, no line breaks")
	_, err := LoadZone(c.TimeZone)
	f.add(err != nil, "time_zone", "give an IANA zone such as Asia/Shanghai")
	f.add(!slices.Contains(protocol.Languages, c.Language), "language", oneOf(protocol.Languages))
	return f.err()
}

// CreateSite opens a site; a code is given once and for ever.
func (s *Service) CreateSite(ctx context.Context, r Request, c CreateSite) (*Site, error) {
	if err := permit(r.By, ManageSites); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.check(h.Current().Protocol); err != nil {
		return nil, err
	}
	return s.changeSite(ctx, r, c.Code, func(site *Site) (Payload, error) {
		if site != nil {
			return nil, Fail(Conflict, "There is a site with this code already.")
		}
		return SiteCreated(c), nil
	})
}

var phoneNumber = regexp.MustCompile(`^\+?[0-9(][0-9 ()/.-]{2,38}[0-9]$`)

// SetSiteContact says which number the site's participants call for help; it
// stands on every screen of their app. Empty: there is none.
func (s *Service) SetSiteContact(ctx context.Context, r Request, code SiteCode, phone string) (*Site, error) {
	if err := permit(r.By, ManageSites); err != nil {
		return nil, err
	}
	if !r.By.Sees(code) {
		return nil, notFound("site")
	}
	var f faults
	f.add(phone != "" && !phoneNumber.MatchString(phone), "phone", "4 to 40 digits, spaces and hyphens, such as +86 21 5555 0100")
	if err := f.err(); err != nil {
		return nil, err
	}
	return s.changeSite(ctx, r, code, func(site *Site) (Payload, error) {
		switch {
		case site == nil:
			return nil, notFound("site")
		case site.Phone == phone:
			return nil, nil
		default:
			return SiteContactSet{Phone: phone}, nil
		}
	})
}

// HelpLine is the number that a participant calls, or empty where her site has
// given none.
func (s *Service) HelpLine(ctx context.Context, p *Participant) (string, error) {
	site, err := s.loadSite(ctx, p.Site, false)
	if err != nil || site == nil {
		return "", err
	}
	return site.Phone, nil
}

// LockSite locks or unlocks a site's data.
func (s *Service) LockSite(ctx context.Context, r Request, code SiteCode, lock bool, reason string) (*Site, error) {
	if err := permit(r.By, LockSites); err != nil {
		return nil, err
	}
	if !r.By.Sees(code) {
		return nil, notFound("site")
	}
	if err := needReason(reason); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkSignature(h.Current(), r.By, r.Signature, LockMeaning(lock)); err != nil {
		return nil, err
	}
	r.Reason = reason
	return s.changeSite(ctx, r, code, func(site *Site) (Payload, error) {
		switch {
		case site == nil:
			return nil, notFound("site")
		case site.Locked == lock:
			return nil, nil
		case lock:
			return SiteLocked{}, nil
		default:
			return SiteUnlocked{}, nil
		}
	})
}

func (s *Service) changeSite(ctx context.Context, r Request, code SiteCode, decide func(*Site) (Payload, error)) (*Site, error) {
	return change(ctx, s, r, stream[*Site]{
		id: code.Stream(), load: func(ctx context.Context) (*Site, error) { return s.loadSite(ctx, code, true) },
		tip:  func(site *Site) Tip { return tipOf(site, func(x *Site) Tip { return x.Tip }) },
		step: byFold(foldSite),
		snapshot: func(site *Site) (*Snapshot, error) {
			return snapshotOf(code.Stream(), site.Tip, foldVersion, code, string(code), site)
		},
		keep: func(site *Site) { s.sites.Add(code, fresh[*Site]{site, s.now()}) },
	}, decide)
}

// Site is the site with this code, if the actor may see it.
func (s *Service) Site(ctx context.Context, by Actor, code SiteCode) (*Site, error) {
	if err := permit(by, ReadSites); err != nil {
		return nil, err
	}
	site, err := s.loadSite(ctx, code, false)
	if err != nil {
		return nil, err
	}
	if site == nil || !by.Sees(code) {
		return nil, notFound("site")
	}
	return site, nil
}

// Sites are the sites that the actor may see, by code.
func (s *Service) Sites(ctx context.Context, by Actor) ([]*Site, error) {
	if err := permit(by, ReadSites); err != nil {
		return nil, err
	}
	var out []*Site
	err := s.eachSnapshot(ctx, SnapshotQuery{Kind: "site"}, func(snap Snapshot) error {
		if !by.Sees(snap.Site) {
			return nil
		}
		site, err := s.loadSite(ctx, snap.Site, false)
		out = append(out, site)
		return err
	})
	return out, err
}

// loadSite reads what was added to a site since it was read last; unless
// current is asked for, a State read in the last few seconds will do.
func (s *Service) loadSite(ctx context.Context, code SiteCode, current bool) (*Site, error) {
	known, ok := s.sites.Get(code)
	if ok && !current && s.recent(known.readAt) {
		return known.state, nil
	}
	entries, err := s.store.Stream(ctx, code.Stream(), tipOf(known.state, func(x *Site) Tip { return x.Tip }).Seq)
	if err != nil {
		return nil, err
	}
	site, err := foldSite(known.state, entries...)
	if err == nil && site != nil {
		s.sites.Add(code, fresh[*Site]{site, s.now()})
	}
	return site, err
}

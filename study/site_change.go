package study

import (
	"cmp"
	"context"
	"slices"
)

func (site *Site) changed(v SiteChanged) {
	site.Name, site.TimeZone, site.Language = cmp.Or(v.Name, site.Name), cmp.Or(v.TimeZone, site.TimeZone), cmp.Or(v.Language, site.Language)
}

// ChangeSite states a site's details anew; empty ones stay. A participant keeps
// her own time zone and language: a site's are what new ones begin with, and
// what its lists are dated by.
func (s *Service) ChangeSite(ctx context.Context, r Request, code SiteCode, c SiteChanged) (*Site, error) {
	if err := permit(r.By, ManageSites); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	var f faults
	f.add(c.Name != "" && !plainText(c.Name, 120), "name", "1 to 120 characters, no line breaks")
	f.add(c.Language != "" && !slices.Contains(h.Current().Languages, c.Language), "language", oneOf(h.Current().Languages))
	if c.TimeZone != "" {
		_, err := LoadZone(c.TimeZone)
		f.add(err != nil, "time_zone", "give an IANA zone such as Asia/Shanghai")
	}
	f.addReason(r.Reason)
	if err := f.err(); err != nil {
		return nil, err
	}
	return s.changeSite(ctx, r, code, func(site *Site) (Payload, error) {
		if site == nil {
			return nil, notFound("site")
		}
		keepNew(&c.Name, site.Name)
		keepNew(&c.TimeZone, site.TimeZone)
		keepNew(&c.Language, site.Language)
		if c == (SiteChanged{}) {
			return nil, nil
		}
		return c, nil
	})
}

// CloseSite closes a site to new participants, by enrolment or transfer, or
// opens it to them again. Whoever is there goes on; LockSite is what stops that.
func (s *Service) CloseSite(ctx context.Context, r Request, code SiteCode, closed bool) (*Site, error) {
	if err := permit(r.By, ManageSites); err != nil {
		return nil, err
	}
	var f faults
	f.addReason(r.Reason)
	if err := f.err(); err != nil {
		return nil, err
	}
	return s.changeSite(ctx, r, code, func(site *Site) (Payload, error) {
		switch {
		case site == nil:
			return nil, notFound("site")
		case site.Closed == closed:
			return nil, nil
		case closed:
			return SiteClosed{}, nil
		default:
			return SiteReopened{}, nil
		}
	})
}

// takesIn refuses a site that a participant cannot come to.
func (site *Site) takesIn() error {
	switch {
	case site.Locked:
		return errLocked()
	case site.Closed:
		return Fail(Conflict, "This site is closed and takes nobody in. Ask the study's administrator to open it again if it should.")
	}
	return nil
}

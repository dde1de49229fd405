package auth

import (
	"context"
	"log/slog"
	"time"

	"epro/study"
)

// A page is left open on a desk: after an hour without a click it asks for the
// password again, and after twelve whatever was clicked.
const (
	pageIdle     = time.Hour
	pageAbsolute = 12 * time.Hour
	pageRenew    = time.Minute // a token older than this is replaced
)

// Page is a browser's session with the pages for staff. Its token is kept in a
// cookie that no script reads, so it needs no rotation: it names the session,
// and says when it was used last.
type Page struct {
	Token   string // for the cookie
	Renewed bool   // the cookie has to be set
	Session string // the session's id, as Sessions lists it
	EndsAt  time.Time
	Staff   *study.Staff
}

// Actor is who sits in front of the page.
func (p Page) Actor() study.Actor { return p.Staff.Actor() }

// LogValue is whose page it is, without its token.
func (p Page) LogValue() slog.Value { return slog.StringValue(string(p.Staff.ID.Stream())) }

// OpenPage is Login for a browser.
func (a *Auth) OpenPage(ctx context.Context, c Credentials) (Page, error) {
	s, err := a.Login(ctx, c)
	if err != nil {
		return Page{}, err
	}
	id, g, _ := a.readRefreshToken(s.RefreshToken) // we made it
	f := family{id: id, owner: s.Staff.ID.Stream(), startAt: g.issuedAt.Time()}
	return a.page(f, s.Staff), nil
}

func (a *Auth) page(f family, staff *study.Staff) Page {
	now := study.InstantOf(a.now())
	return Page{Token: a.signedToken(pageVersion, f.id, generation{issuedAt: now}), Renewed: true, Session: f.id,
		EndsAt: f.startAt.Add(pageAbsolute), Staff: staff}
}

// Page says who a page's cookie belongs to, with the rights of now. A cookie
// that is not ours, is older than an hour, or whose session is over is
// Unauthenticated.
func (a *Auth) Page(ctx context.Context, token string) (Page, error) {
	id, g, ok := a.readSigned(pageVersion, token)
	age := a.now().Sub(g.issuedAt.Time())
	if !ok || age < -time.Minute || age >= pageIdle {
		return Page{}, errSession()
	}
	f, alive, err := a.family(ctx, id)
	if err != nil {
		return Page{}, err
	}
	if !alive || a.now().Sub(f.startAt) >= pageAbsolute {
		return Page{}, errSession()
	}
	staff, err := a.accountOf(ctx, f.owner)
	if err != nil {
		return Page{}, err
	}
	if staff == nil {
		return Page{}, errSession()
	}
	p := a.page(f, staff)
	if age < pageRenew {
		p.Token, p.Renewed = token, false
	}
	return p, nil
}

// OpenSession is one sign-in that has not ended.
type OpenSession struct {
	ID               string
	StartedAt, EndAt time.Time
}

// Sessions are the sessions of an account that have not ended, the latest first.
func (a *Auth) Sessions(ctx context.Context, id study.StaffID) ([]OpenSession, error) {
	records, err := a.store.Records(ctx, kindSession, string(id.Stream()), a.now().Add(-staffLifetime.absolute-day))
	if err != nil {
		return nil, storeError(err)
	}
	var out []OpenSession
	for i := len(records) - 1; i >= 0; i-- {
		f, alive, err := a.family(ctx, records[i].Key)
		if err != nil {
			return nil, err
		}
		if alive {
			out = append(out, OpenSession{ID: f.id, StartedAt: f.startAt, EndAt: f.endsAt()})
		}
	}
	return out, nil
}

// EndSession ends one session of an account. One of somebody else's is NotFound.
func (a *Auth) EndSession(ctx context.Context, id study.StaffID, session string) error {
	f, alive, err := a.family(ctx, session)
	if err != nil {
		return err
	}
	if f.owner != id.Stream() {
		return study.Fail(study.NotFound, "There is no such session, or it is not yours to end.")
	}
	if !alive {
		return nil
	}
	return a.end(ctx, f.id, f.owner, ending{Why: "signed out"})
}

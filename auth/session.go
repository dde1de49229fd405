package auth

import (
	"context"
	"encoding/base64"
	"log/slog"
	"time"

	"epro/study"
)

// lifetime says how long a session lasts: sliding after its last refresh, and
// absolute after it began.
type lifetime struct{ sliding, absolute time.Duration }

const day = 24 * time.Hour

var (
	// A phone stays signed in for the whole of a participant's year, because a
	// sick person who must ask for a new code fills no form. The year can
	// stretch: W52 closes 14 days after day 364 of a cycle 1 that may have been
	// moved by 180 days, which is day 558, and the phone may be bound some weeks
	// before cycle 1. Reminders come every 21 days, so a phone that was silent
	// for 90 has missed four and is most likely lost.
	participantLifetime = lifetime{sliding: 90 * day, absolute: 600 * day}
	// Staff sign in once a working day. An idle page locks itself sooner; that
	// is the page's affair.
	staffLifetime = lifetime{sliding: 12 * time.Hour, absolute: 24 * time.Hour}
)

func lifetimeOf(owner study.StreamID) lifetime {
	if owner.Kind() == "participant" {
		return participantLifetime
	}
	return staffLifetime
}

// Session is what signing in gives.
type Session struct {
	AccessToken  string
	TokenType    string // "Bearer"
	RefreshToken string
	ExpiresIn    int           // seconds until the access token expires
	RefreshIn    time.Duration // how long the refresh token lasts, unless it is used before
	Participant  study.ParticipantID
	Staff        *study.Staff // set for staff only
}

// LogValue is whose session it is, without its tokens.
func (s Session) LogValue() slog.Value {
	if s.Staff != nil {
		return slog.StringValue(string(s.Staff.ID.Stream()))
	}
	return slog.StringValue(string(s.Participant.Stream()))
}

// family is one sign-in and all the tokens that follow from it.
type family struct {
	id      string
	owner   study.StreamID
	startAt time.Time
}

func (f family) endsAt() time.Time { return f.startAt.Add(lifetimeOf(f.owner).absolute) }

// familyBytes is the size of a family's id: 128 bits (ASVS 5.0 V7.2.3), though
// the id alone opens nothing.
const familyBytes = 16

// newFamily is an id that nobody else has.
func (a *Auth) newFamily() (string, error) {
	b, err := a.fresh(familyBytes)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// opening is how a family began.
type opening struct {
	User string `json:"user,omitzero"` // the key of the Firebase user
}

// userOf is the key of the Firebase user whose session it is, if any. A record
// that cannot be read is nobody's.
func userOf(session study.Record) string {
	var o opening
	_ = decode(session, &o)
	return o.User
}

// begin stores a family, unless it is there already.
func (a *Auth) begin(ctx context.Context, id string, owner study.StreamID, user string) (family, error) {
	// The record outlives the family by a day: clocks differ.
	r, err := a.record(kindSession, id, string(owner), lifetimeOf(owner).absolute+day, opening{User: user})
	if err != nil {
		return family{}, err
	}
	first, err := a.insert(ctx, r)
	if err != nil {
		return family{}, err
	}
	if first {
		return familyOf(r), nil
	}
	f, _, err := a.family(ctx, id)
	return f, err
}

func familyOf(r study.Record) family {
	return family{id: r.Key, owner: study.StreamID(r.Owner), startAt: r.At}
}

// family finds a family that has not ended.
func (a *Auth) family(ctx context.Context, id string) (f family, alive bool, err error) {
	r, found, err := a.read(ctx, kindSession, id, nil)
	if err != nil || !found {
		return family{}, false, err
	}
	f = familyOf(r)
	_, ended, err := a.read(ctx, kindEnded, id, nil)
	return f, err == nil && !ended && a.now().Before(f.endsAt()), err
}

// end ends a family for ever. The phone's push targets go first: were we
// interrupted between the two, a phone that is signed out must not be reminded.
func (a *Auth) end(ctx context.Context, id string, owner study.StreamID, why ending) error {
	if owner.Kind() == "participant" {
		if err := study.ForgetDevices(ctx, a.store, study.ParticipantID(owner.Key()), id); err != nil {
			return storeError(err)
		}
	}
	r, err := a.record(kindEnded, id, string(owner), lifetimeOf(owner).absolute+2*day, why)
	if err != nil {
		return err
	}
	if _, err := a.insert(ctx, r); err != nil {
		return err
	}
	a.families.noteEnd(id)
	return nil
}

// ending is why a family ended, for whoever looks into it later.
type ending struct {
	Why     string `json:"why"`
	Address string `json:"address,omitzero"` // that brought a token for the second time
}

// issue makes the tokens of a family's generation.
func (a *Auth) issue(ctx context.Context, f family, g generation, staff *study.Staff) (Session, error) {
	now := a.now()
	s := Session{TokenType: "Bearer", Staff: staff}
	c := &claims{Issuer: a.issuer, Subject: f.owner, Audience: []string{audience}, Family: f.id, Role: study.RoleParticipant,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), ExpiresAt: min(now.Add(accessLifetime).Unix(), f.endsAt().Unix())}
	if staff != nil {
		c.Role = staff.Role
	} else {
		s.Participant = study.ParticipantID(f.owner.Key())
	}
	s.ExpiresIn = int(c.ExpiresAt - now.Unix())
	var err error
	if s.AccessToken, err = a.sign(ctx, c); err != nil {
		return Session{}, err
	}
	s.RefreshToken = a.refreshToken(f.id, g)
	s.RefreshIn = min(g.issuedAt.Time().Add(lifetimeOf(f.owner).sliding).Sub(now), f.endsAt().Sub(now))
	return s, nil
}

// Logout ends the session that a refresh token belongs to. A token that is not
// ours, or whose session is over, is no error.
func (a *Auth) Logout(ctx context.Context, refreshToken string) error {
	id, _, ok := a.readRefreshToken(refreshToken)
	if !ok {
		return nil
	}
	f, alive, err := a.family(ctx, id)
	if err != nil || !alive {
		return err
	}
	return a.end(ctx, id, f.owner, ending{Why: "signed out"})
}

// LogoutSession does the same by an access token, also by one that has expired
// in the last day: somebody who leaves after a quarter of an hour means it too.
func (a *Auth) LogoutSession(ctx context.Context, accessToken string) error {
	c, err := a.parse(ctx, a.lax, accessToken)
	if study.CodeOf(err) == study.Unauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	return a.end(ctx, c.Family, c.Subject, ending{Why: "signed out"})
}

// EndSessions ends every session of a staff account or a participant, and with
// them what would open another without a code.
func (a *Auth) EndSessions(ctx context.Context, owner study.StreamID) error {
	if _, err := a.unbindUsers(ctx, owner, func(study.Record) bool { return true }); err != nil {
		return err
	}
	return a.endWhere(ctx, owner, "ended by staff", func(study.Record) bool { return true })
}

// endWhere ends the owner's sessions that match.
func (a *Auth) endWhere(ctx context.Context, owner study.StreamID, why string, matches func(study.Record) bool) error {
	since := a.now().Add(-lifetimeOf(owner).absolute - day)
	sessions, err := a.store.Records(ctx, kindSession, string(owner), since)
	if err != nil {
		return storeError(err)
	}
	for _, r := range sessions {
		if !matches(r) {
			continue
		}
		if err := a.end(ctx, r.Key, owner, ending{Why: why}); err != nil {
			return err
		}
	}
	return nil
}

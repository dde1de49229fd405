package auth

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"epro/study"
)

// trust is how long this process takes its own word for a signature it has
// checked and for a session that was alive. A session that another process
// ended is refused after at most so long.
const trust = 5 * time.Second

// verified is an access token whose signature was checked.
type verified struct {
	claims *claims
	at     time.Time
}

// Verify says who sends a request. Rights are those of the account's record
// now, not those in the token; a participant's stay as they are after leaving
// the study, because what was filled before may still arrive: study decides
// what counts.
func (a *Auth) Verify(ctx context.Context, accessToken string) (study.Actor, error) {
	c, err := a.check(ctx, accessToken)
	if err != nil {
		return study.Actor{}, err
	}
	alive, err := a.isAlive(ctx, c.Family)
	if err != nil {
		return study.Actor{}, err
	}
	if !alive {
		return study.Actor{}, errSession()
	}
	staff, err := a.accountOf(ctx, c.Subject)
	switch {
	case err != nil:
		return study.Actor{}, err
	case staff != nil:
		return staff.Actor(), nil
	default:
		return study.Actor{Role: study.RoleParticipant, Participant: study.ParticipantID(c.Subject.Key()), Session: c.Family}, nil
	}
}

// check is parse, remembered for a few seconds: a phone that opens sends a
// burst of requests with one token.
func (a *Auth) check(ctx context.Context, token string) (*claims, error) {
	if len(token) > maxToken {
		return nil, errSession()
	}
	key, now := sha256.Sum256([]byte(token)), a.now()
	if v, ok := a.verified.Get(key); ok {
		if age := now.Sub(v.at); age >= 0 && age < trust && now.Unix() < v.claims.ExpiresAt {
			return v.claims, nil
		}
	}
	c, err := a.parse(ctx, a.parser, token)
	if err == nil {
		a.verified.Add(key, verified{claims: c, at: now})
	}
	return c, err
}

// accountOf is the staff account behind a session, nil for a participant's. An
// account that may not sign in is Unauthenticated.
func (a *Auth) accountOf(ctx context.Context, owner study.StreamID) (*study.Staff, error) {
	if owner.Kind() == "participant" {
		return nil, nil
	}
	staff, err := a.study.Staff(ctx, study.StaffID(owner.Key()))
	switch {
	case study.CodeOf(err) == study.NotFound:
		return nil, errSession()
	case err != nil:
		return nil, err
	case !staff.Live(a.now()):
		return nil, errSession()
	}
	return staff, nil
}

// isAlive reports whether a session has not been ended.
func (a *Auth) isAlive(ctx context.Context, id string) (bool, error) {
	if known, alive := a.families.know(id, a.now()); known {
		return alive, nil
	}
	_, ended, err := a.read(ctx, kindEnded, id, nil)
	if err != nil {
		return false, err
	}
	if ended {
		a.families.noteEnd(id)
		return false, nil
	}
	return a.families.noteAlive(id, a.now()), nil
}

// liveness remembers which families were alive when, and which have ended.
type liveness struct {
	mu   sync.Mutex // a late "alive" must not cover an "ended"
	seen *lru.Cache[string, lastSeen]
}

type lastSeen struct {
	at    time.Time
	ended bool
}

func newLiveness() *liveness {
	seen, _ := lru.New[string, lastSeen](8192) // the only error is a size below 1
	return &liveness{seen: seen}
}

func (l *liveness) know(id string, now time.Time) (known, alive bool) {
	last, ok := l.seen.Get(id)
	age := now.Sub(last.at)
	return ok && (last.ended || age >= 0 && age < trust), !last.ended
}

func (l *liveness) noteEnd(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen.Add(id, lastSeen{ended: true})
}

// noteAlive remembers that the family was alive, unless this process has ended
// it since it asked.
func (l *liveness) noteAlive(id string, now time.Time) (alive bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.seen.Peek(id); ok && last.ended {
		return false
	}
	l.seen.Add(id, lastSeen{at: now})
	return true
}

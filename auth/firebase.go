package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"

	"epro/study"
)

// Users says whose an ID token of Firebase is; see package auth/firebase.
type Users interface {
	// User checks a token and is the one name that its user has for ever. A
	// token that is not good is Unauthenticated.
	User(ctx context.Context, idToken string) (string, error)
}

// FirebaseSignIn is a phone that shows a Firebase ID token.
type FirebaseSignIn struct {
	IDToken string
	Code    string // the enrolment code, at the first time only
	Address string // that the request came from
}

// LogValue says nothing of it.
func (FirebaseSignIn) LogValue() slog.Value { return slog.StringValue("firebase sign-in") }

// maxIDToken bounds what is read of an ID token; they have about 1 KB.
const maxIDToken = 4096

// SignInByFirebase gives a session for an ID token. The first time an enrolment
// code says which participant the Firebase user is; from then on the token
// alone does, until another phone takes its place or the participant leaves.
// What a token claims gives no rights.
func (a *Auth) SignInByFirebase(ctx context.Context, s FirebaseSignIn) (Session, error) {
	if a.users == nil {
		return Session{}, study.Fail(study.NotFound, "This study does not sign in by Firebase. Use the code of your letter.")
	}
	var code string
	if s.Code != "" {
		var err error
		if code, err = parseCode(s.Code); err != nil {
			return Session{}, err // not counted: a slip of the finger is no attack
		}
	}
	return a.guarded(ctx, s.Address, func() (Session, error) {
		if len(s.IDToken) > maxIDToken {
			return Session{}, errUnknownUser()
		}
		user, err := a.users.User(ctx, s.IDToken)
		if err != nil {
			return Session{}, err
		}
		if code != "" {
			return a.firstSignIn(ctx, user, code)
		}
		return a.knownSignIn(ctx, a.userKey(user))
	})
}

// userKey is what a Firebase user is kept under.
func (a *Auth) userKey(user string) string {
	sum := mac(a.secrets.lookups, "firebase", user)
	return hex.EncodeToString(sum[:])
}

// firstSignIn uses the code and keeps whose it was. The attempt's id follows
// from the user, so that a lost answer is repeated as it is with Enrol.
func (a *Auth) firstSignIn(ctx context.Context, user, code string) (Session, error) {
	key := a.userKey(user)
	issued, err := a.issued(ctx, code)
	if err != nil {
		return Session{}, err
	}
	owner := issued.Participant.Stream()
	before, found, err := a.read(ctx, kindFirebase, key, nil)
	if err != nil {
		return Session{}, err
	}
	if found && before.Owner != string(owner) && a.now().Before(before.ExpiresAt) {
		return Session{}, study.Fail(study.Conflict, "This sign-in belongs to somebody else already. Sign in to the app with your own account; your code is still good.")
	}
	s, err := a.useCode(ctx, use{code: code, attempt: uuidFrom(mac(a.secrets.families, "firebase", user)), user: key})
	if err != nil {
		return Session{}, err
	}
	r, err := a.record(kindFirebase, key, string(owner), participantLifetime.absolute, struct{}{})
	if err != nil {
		return Session{}, err
	}
	return s, storeError(a.store.PutRecord(ctx, r))
}

// knownSignIn opens a session for a user that a code has bound.
func (a *Auth) knownSignIn(ctx context.Context, key string) (Session, error) {
	bound, err := a.boundUser(ctx, key)
	if err != nil {
		return Session{}, err
	}
	id, err := a.newFamily()
	if err != nil {
		return Session{}, err
	}
	f, err := a.begin(ctx, id, study.StreamID(bound.Owner), key)
	if err != nil {
		return Session{}, err
	}
	// Whoever ends the binding meanwhile has ended only the sessions it could see.
	again, err := a.boundUser(ctx, key)
	if err == nil && again.Owner != bound.Owner {
		err = errUnknownUser()
	}
	if err != nil {
		return Session{}, errors.Join(err, a.end(ctx, f.id, f.owner, ending{Why: "the sign-in was ended"}))
	}
	return a.issue(ctx, f, generation{0, study.InstantOf(f.startAt)}, nil)
}

// boundUser is the binding of a user who may sign in: one that has not been
// ended, of a participant who has not left.
func (a *Auth) boundUser(ctx context.Context, key string) (study.Record, error) {
	r, found, err := a.read(ctx, kindFirebase, key, nil)
	if err != nil {
		return r, err
	}
	if !found || !a.now().Before(r.ExpiresAt) {
		return r, errUnknownUser()
	}
	id := study.ParticipantID(study.StreamID(r.Owner).Key())
	p, err := a.study.Participant(ctx, phoneOf(id), id)
	if err != nil {
		return r, err
	}
	if p.Stop() != nil {
		return r, errUnknownUser()
	}
	return r, nil
}

// unbindUsers ends the owner's bindings that match, and says which they were.
func (a *Auth) unbindUsers(ctx context.Context, owner study.StreamID, matches func(study.Record) bool) (map[string]bool, error) {
	bound, err := a.store.Records(ctx, kindFirebase, string(owner), a.now().Add(-participantLifetime.absolute-day))
	if err != nil {
		return nil, storeError(err)
	}
	ended := map[string]bool{}
	for _, r := range bound {
		if !matches(r) {
			continue
		}
		if err := a.store.DeleteRecord(ctx, r.Kind, r.Key); err != nil {
			return nil, storeError(err)
		}
		ended[r.Key] = true
	}
	return ended, nil
}

func errUnknownUser() error {
	return study.Fail(study.Unauthenticated, "This sign-in is not known here. Enter the code of your letter once, or ask your study team for a new one.")
}

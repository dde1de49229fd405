package auth

import (
	"context"
	"log/slog"
	"strings"

	"epro/study"
)

// Enrolment is a phone that wants to be bound to a participant.
type Enrolment struct {
	Code      string // as typed
	AttemptID string // a UUID that the phone keeps; empty: the attempt cannot be repeated
	Address   string // that the request came from
}

// LogValue is the attempt, without the code.
func (e Enrolment) LogValue() slog.Value { return slog.StringValue("enrolment " + e.AttemptID) }

// Enrol exchanges an enrolment code for a session. A code works once; the same
// attempt gets its session again for a day, and so finishes what a crash or a
// lost answer left half done.
func (a *Auth) Enrol(ctx context.Context, e Enrolment) (Session, error) {
	code, err := parseCode(e.Code)
	if err != nil {
		return Session{}, err // not counted: a slip of the finger is no attack
	}
	attempt, err := a.attempt(e.AttemptID)
	if err != nil {
		return Session{}, err
	}
	return a.guarded(ctx, e.Address, func() (Session, error) { return a.useCode(ctx, use{code: code, attempt: attempt}) })
}

// guarded makes an attempt within the limits of guessing.
func (a *Auth) guarded(ctx context.Context, address string, attempt func() (Session, error)) (Session, error) {
	if err := a.enrolling.enter(ctx); err != nil {
		return Session{}, err
	}
	defer a.enrolling.leave()
	try, err := a.admit(ctx, enrolLimits(address)...)
	if err != nil {
		return Session{}, err
	}
	s, err := attempt()
	if err == nil || study.CodeOf(err) != study.Unauthenticated {
		try.forgive(ctx)
	}
	return s, err
}

// attempt is the attempt's id, or a new one.
func (a *Auth) attempt(id string) (string, error) {
	if id == "" {
		b, err := a.fresh(32)
		if err != nil {
			return "", err
		}
		return uuidFrom([32]byte(b)), nil
	}
	if !isUUID(id) {
		return "", study.Fail(study.Invalid, "Some fields need another value.",
			study.Field{Name: "attempt_id", Reason: "give a UUID, the same for every try, or leave it out"})
	}
	return strings.ToLower(id), nil
}

// use is an attempt to use a code.
type use struct {
	code, attempt string
	user          string // the key of the Firebase user who does; empty: none
}

func (a *Auth) useCode(ctx context.Context, u use) (Session, error) {
	issued, err := a.issued(ctx, u.code)
	if err != nil {
		return Session{}, err
	}
	key := a.codeKey(u.code)
	claimed, err := a.claimCode(ctx, key, issued, u)
	if err != nil {
		return Session{}, err
	}
	if err := a.bind(ctx, key, issued, u.attempt); err != nil {
		return Session{}, err
	}
	if issued.Replace {
		if err := a.replace(ctx, issued.Participant.Stream(), claimed, u.user); err != nil {
			return Session{}, err
		}
	}
	return a.resume(ctx, claimed.Family)
}

// issued is what is kept of a code.
func (a *Auth) issued(ctx context.Context, code string) (issued issuedCode, err error) {
	_, found, err := a.read(ctx, kindCode, a.codeKey(code), &issued)
	if err == nil && !found {
		err = errCode()
	}
	return issued, err
}

// replace ends what other phones had before this use of a code.
func (a *Auth) replace(ctx context.Context, owner study.StreamID, claimed codeUse, user string) error {
	ended, err := a.unbindUsers(ctx, owner, func(b study.Record) bool { return b.Key != user && !b.At.After(claimed.at) })
	if err != nil {
		return err
	}
	return a.endWhere(ctx, owner, "another phone took its place", func(s study.Record) bool {
		return s.Key != claimed.Family && (!s.At.After(claimed.at) || ended[userOf(s)])
	})
}

// bind records that the phone is bound, once: the event's id follows from the
// code and the attempt.
func (a *Auth) bind(ctx context.Context, key string, issued issuedCode, attempt string) error {
	r := study.Request{By: phoneOf(issued.Participant), EventID: study.EventID(uuidFrom(mac(a.secrets.families, "bind", key, attempt)))}
	_, err := a.study.Do(ctx, r, issued.Participant, study.BindPhone{Code: issued.Event})
	return codeError(err)
}

// resume gives the session that a use of a code gave before, unless it has
// been ended since.
func (a *Auth) resume(ctx context.Context, id string) (Session, error) {
	f, alive, err := a.family(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if !alive {
		return Session{}, errCode()
	}
	g, err := a.current(ctx, f)
	if err != nil {
		return Session{}, err
	}
	return a.issue(ctx, f, g, nil)
}

func phoneOf(id study.ParticipantID) study.Actor {
	return study.Actor{Role: study.RoleParticipant, Participant: id}
}

// codeError gives study's refusals the one sentence that all have.
func codeError(err error) error {
	switch {
	case err == nil:
		return nil
	case study.CodeOf(err) == study.Unauthenticated, study.CodeOf(err) == study.NotFound:
		return errCode()
	default:
		return err
	}
}

// errCode is the same whether a code never was, was used, was replaced or has
// expired: none of that is a stranger's to know.
func errCode() error {
	return study.Fail(study.Unauthenticated, "This code cannot be used. Check it letter by letter, or ask your study team for a new one.")
}

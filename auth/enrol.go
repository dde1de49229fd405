package auth

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"epro/study"
)

// useAgain is how long the phone that used a code may use it again: its first
// answer may have been lost.
const useAgain = 24 * time.Hour

// Enrolment is a phone that wants to be bound to a participant.
type Enrolment struct {
	Code       string // as typed
	DeviceName string
	AttemptID  string // a UUID that the phone keeps; empty: the attempt cannot be repeated
	Address    string // that the request came from
}

// LogValue is the attempt, without the code.
func (e Enrolment) LogValue() slog.Value { return slog.StringValue("enrolment " + e.AttemptID) }

// codeUse says which attempt used a code, and the session that it got.
type codeUse struct {
	Attempt string    `json:"attempt_id"`
	Family  string    `json:"family"`
	at      time.Time // of the record
}

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
	try, err := a.admit(ctx, enrolLimits(e.Address)...)
	if err != nil {
		return Session{}, err
	}
	s, err := a.useCode(ctx, code, attempt, deviceName(e.DeviceName))
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

// maxDeviceName is how many characters of a phone's name are kept.
const maxDeviceName = 64

// deviceName is a phone's name without what a list cannot show. Nobody chooses
// it for us, so it is cut rather than refused.
func deviceName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if runes := []rune(name); len(runes) > maxDeviceName {
		name = string(runes[:maxDeviceName])
	}
	return strings.TrimSpace(name)
}

func (a *Auth) useCode(ctx context.Context, code, attempt, device string) (Session, error) {
	key := a.codeKey(code)
	var issued issuedCode
	_, found, err := a.read(ctx, kindCode, key, &issued)
	if err != nil {
		return Session{}, err
	}
	if !found {
		return Session{}, errCode()
	}
	use, err := a.claimCode(ctx, key, issued, attempt)
	if err != nil {
		return Session{}, err
	}
	if err := a.bind(ctx, key, issued, attempt, device); err != nil {
		return Session{}, err
	}
	owner := issued.Participant.Stream()
	if issued.Replace {
		earlier := func(s study.Record) bool { return s.Key != use.Family && !s.At.After(use.at) }
		if err := a.endWhere(ctx, owner, "another phone took its place", earlier); err != nil {
			return Session{}, err
		}
	}
	return a.resume(ctx, use.Family)
}

// claimCode makes the code this attempt's, or refuses.
func (a *Auth) claimCode(ctx context.Context, key string, issued issuedCode, attempt string) (codeUse, error) {
	use, used, err := a.usedBy(ctx, key, attempt)
	if used || err != nil {
		return use, err
	}
	if err := a.usable(ctx, issued); err != nil {
		return codeUse{}, err
	}
	// The session is stored before the use, so that whoever ends this
	// participant's sessions finds every one that a use can give.
	sum := mac(a.secrets.families, "family", key, attempt)
	use.Attempt, use.Family = attempt, base64.RawURLEncoding.EncodeToString(sum[:familyBytes])
	if _, err := a.begin(ctx, use.Family, issued.Participant.Stream()); err != nil {
		return codeUse{}, err
	}
	r, err := a.record(kindCodeUse, key, string(issued.Participant.Stream()), 0, use)
	if err != nil {
		return codeUse{}, err
	}
	r.ExpiresAt = issued.ExpiresAt.Time().Add(useAgain + day) // never before the code's record
	first, err := a.insert(ctx, r)
	if err != nil {
		return codeUse{}, err
	}
	if first {
		use.at = r.At
		return use, nil
	}
	use, used, err = a.usedBy(ctx, key, attempt)
	if err == nil && !used {
		err = errCode()
	}
	return use, err
}

// usedBy is the code's use; one by another attempt, or too long ago, is an
// error.
func (a *Auth) usedBy(ctx context.Context, key, attempt string) (use codeUse, used bool, err error) {
	r, used, err := a.read(ctx, kindCodeUse, key, &use)
	if err != nil || !used {
		return codeUse{}, false, err
	}
	use.at = r.At
	if use.Attempt != attempt || a.now().Sub(use.at) >= useAgain {
		return codeUse{}, true, errCode()
	}
	return use, true, nil
}

// usable refuses a code that has expired, or that is not the participant's
// latest.
func (a *Auth) usable(ctx context.Context, issued issuedCode) error {
	p, err := a.study.Participant(ctx, phoneOf(issued.Participant), issued.Participant)
	if err != nil {
		return codeError(err)
	}
	latest := p.Code != nil && p.Code.Event == issued.Event && p.Code.UsedAt.IsZero()
	if !latest || !a.now().Before(issued.ExpiresAt.Time()) {
		return errCode()
	}
	return nil
}

// bind records that the phone is bound, once: the event's id follows from the
// code and the attempt.
func (a *Auth) bind(ctx context.Context, key string, issued issuedCode, attempt, device string) error {
	r := study.Request{By: phoneOf(issued.Participant), EventID: study.EventID(uuidFrom(mac(a.secrets.families, "bind", key, attempt)))}
	_, err := a.study.Do(ctx, r, issued.Participant, study.BindPhone{Code: issued.Event, DeviceName: device})
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

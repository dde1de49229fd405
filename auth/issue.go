package auth

import (
	"context"
	"encoding/hex"
	"log/slog"
	"time"

	"epro/study"
)

// codeLifetime is how long an enrolment code can be used: the 21 days that
// NIST SP 800-63A gives a code sent by post.
const codeLifetime = 21 * day

// Code is an enrolment code, for the participant's eyes only.
type Code struct {
	Code      string // such as 4NP5D-3NWX7-9
	ExpiresAt time.Time
}

// LogValue is when it expires, without the code.
func (c Code) LogValue() slog.Value { return slog.TimeValue(c.ExpiresAt) }

// issuedCode is what is kept of a code, under its HMAC.
type issuedCode struct {
	Event       study.EventID       `json:"event_id"`
	Participant study.ParticipantID `json:"participant"`
	Replace     bool                `json:"replace,omitzero"`
	ExpiresAt   study.Instant       `json:"expires_at"`
}

// codeKey is what a code is stored under.
func (a *Auth) codeKey(code string) string {
	sum := mac(a.secrets.lookups, "code", code)
	return hex.EncodeToString(sum[:])
}

// IssueCode makes an enrolment code; an older unused one dies. A repeated
// request, one with the same event id, gives the same code.
func (a *Auth) IssueCode(ctx context.Context, r study.Request, id study.ParticipantID, replace bool) (Code, error) {
	// A repeated request is answered with what its event did, so who asks is
	// looked at first: event ids are not secret.
	if !r.By.May(study.IssueCodes) {
		return Code{}, errForbidden()
	}
	if _, err := a.study.Participant(ctx, r.By, id); err != nil {
		return Code{}, err
	}
	until := study.InstantOf(a.now().Add(codeLifetime))
	result, err := a.study.Do(ctx, r, id, study.IssueCode{ExpiresAt: until, Replace: replace})
	if err != nil {
		return Code{}, err
	}
	issued := result.After.Code
	if issued == nil || issued.Event != result.Event {
		return Code{}, study.Fail(study.Conflict, "A newer code has been issued since. Issue another one if it was not handed out.")
	}
	code := codeFrom(mac(a.secrets.codes, string(issued.Event)))
	stored := issuedCode{Event: issued.Event, Participant: id, Replace: issued.Replace, ExpiresAt: issued.ExpiresAt}
	if err := a.keepCode(ctx, code, stored); err != nil {
		return Code{}, err
	}
	return Code{Code: display(code), ExpiresAt: issued.ExpiresAt.Time()}, nil
}

// keepCode stores a code's HMAC. It stays a day longer than the code itself,
// so that a phone which lost the answer on the last day can ask again.
func (a *Auth) keepCode(ctx context.Context, code string, stored issuedCode) error {
	key := a.codeKey(code)
	r, err := a.record(kindCode, key, string(stored.Participant.Stream()), 0, stored)
	if err != nil {
		return err
	}
	r.ExpiresAt = stored.ExpiresAt.Time().Add(useAgain)
	first, err := a.insert(ctx, r)
	if err != nil || first {
		return err
	}
	var before issuedCode
	if _, _, err := a.read(ctx, kindCode, key, &before); err != nil {
		return err
	}
	if before.Event != stored.Event { // two events with the same 50 bits
		return study.Fail(study.Conflict, "This code could not be made. Issue another one.")
	}
	return nil
}

func errForbidden() error {
	return study.Fail(study.Forbidden, "Your role does not allow this. Ask the study's administrator if it should.")
}

package auth

import (
	"context"
	"encoding/base64"
	"time"
)

// useAgain is how long the phone that used a code may use it again: its first
// answer may have been lost.
const useAgain = 24 * time.Hour

// codeUse says which attempt used a code, and the session that it got.
type codeUse struct {
	Attempt string    `json:"attempt_id"`
	Family  string    `json:"family"`
	at      time.Time // of the record
}

// claimCode makes the code this attempt's, or refuses.
func (a *Auth) claimCode(ctx context.Context, key string, issued issuedCode, by use) (codeUse, error) {
	attempt := by.attempt
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
	if _, err := a.begin(ctx, use.Family, issued.Participant.Stream(), by.user); err != nil {
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

package auth

import (
	"context"
	"time"

	"epro/study"
)

// EndStaffSessions ends sessions of somebody else's account for an
// administrator: one by its id, or all when that is empty. The record keeps who
// did so and why.
func (a *Auth) EndStaffSessions(ctx context.Context, r study.Request, id study.StaffID, session string) error {
	if !r.By.May(study.ManageStaff) {
		return errForbidden()
	}
	open, err := a.Sessions(ctx, id)
	if err != nil {
		return err
	}
	n := len(open)
	if session != "" {
		n = 1
	}
	if n == 0 {
		return nil
	}
	if err := a.study.RecordSessionsEnded(ctx, r, id, n); err != nil {
		return err
	}
	if session != "" {
		return a.EndSession(ctx, id, session)
	}
	return a.EndSessions(ctx, id.Stream())
}

// SigningKey is a key that signs access tokens, as an administrator sees it.
type SigningKey struct {
	ID      string // its thumbprint, as in the published key set
	MadeAt  time.Time
	SignsAt time.Time // zero: from the beginning
	Signs   bool      // this is the one that signs now
	Taken   bool      // tokens that it signed are accepted
}

// SigningKeys are all generations of the signing key, the newest first.
func (a *Auth) SigningKeys(ctx context.Context, by study.Actor) ([]SigningKey, error) {
	if !by.May(study.ManageStaff) {
		return nil, errForbidden()
	}
	set, err := a.keys(ctx, time.Minute)
	if err != nil {
		return nil, err
	}
	now := a.now()
	signer, out := set.signer(now).kid, make([]SigningKey, len(set))
	for i, k := range set {
		_, taken := set.find(k.kid, now)
		out[len(set)-1-i] = SigningKey{ID: k.kid, MadeAt: k.madeAt, SignsAt: set.signsAt(i), Signs: k.kid == signer, Taken: taken}
	}
	return out, nil
}

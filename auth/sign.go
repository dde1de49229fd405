package auth

import (
	"context"

	"epro/study"
)

// Sign checks the password that a member of staff gives again to sign a change
// (21 CFR 11.200: an electronic signature needs a component that only the signer
// knows, at each signing). Guesses are slowed down as at the sign-in.
func (a *Auth) Sign(ctx context.Context, by study.Actor, password, address string) error {
	if by.Staff == "" || by.Role == study.RoleSystem {
		return errForbidden()
	}
	staff, err := a.study.Staff(ctx, by.Staff)
	if err != nil {
		return err
	}
	_, err = a.checkPasswordOf(ctx, Credentials{Username: staff.Username, Password: password, Address: address})
	if study.CodeOf(err) == study.Unauthenticated { // the session is sound; only this field is not
		return study.Fail(study.Invalid, "Nothing was signed and nothing was changed.",
			study.Field{Name: "signature.password", Reason: "this is not your password; type it again to sign"})
	}
	return err
}

// checkPasswordOf is the account whose password these credentials hold. Every
// other outcome reads and costs the same.
func (a *Auth) checkPasswordOf(ctx context.Context, c Credentials) (*study.Staff, error) {
	if err := a.signingIn.enter(ctx); err != nil {
		return nil, err
	}
	defer a.signingIn.leave()
	t, err := a.admit(ctx, a.loginLimits(c.Username, c.Address)...)
	if err != nil {
		return nil, err
	}
	staff, err := a.byUsername(ctx, c.Username)
	if err != nil {
		t.forgive(ctx)
		return nil, err
	}
	right, _, err := a.isPassword(ctx, staff, c.Password)
	if err != nil {
		t.forgive(ctx)
		return nil, err
	}
	if !right || !staff.Live(a.now()) {
		return nil, errLogin()
	}
	t.forgive(ctx)
	return staff, nil
}

package auth

import (
	"bytes"
	"context"
	"log/slog"

	"epro/study"
)

// Credentials are what a member of staff signs in with.
type Credentials struct {
	Username, Password string
	TOTP               string // six digits, when the account has an authenticator app
	Address            string // that the request came from
}

// LogValue says nothing of them: even the user name may be a password that was
// typed in the wrong place.
func (Credentials) LogValue() slog.Value { return slog.StringValue("credentials") }

// credential is what is kept of a password.
type credential struct {
	Hash string `json:"hash"` // PHC form
}

// Login opens a session for a member of staff. Whatever is wrong, the sentence
// is the same and so is the work, but for a missing second factor: whoever
// gets to hear of that knows the password.
func (a *Auth) Login(ctx context.Context, c Credentials) (Session, error) {
	if err := a.signingIn.enter(ctx); err != nil {
		return Session{}, err
	}
	defer a.signingIn.leave()
	t, err := a.admit(ctx, a.loginLimits(c.Username, c.Address)...)
	if err != nil {
		return Session{}, err
	}
	s, err := a.login(ctx, c)
	switch {
	case err == nil:
		a.forgiveAccount(ctx, c.Username)
		t.forgive(ctx)
	case study.CodeOf(err) != study.Unauthenticated, isSecondFactorMissing(err):
		t.forgive(ctx) // no guess was made, or it was a good one
	}
	return s, err
}

func (a *Auth) login(ctx context.Context, c Credentials) (Session, error) {
	staff, err := a.byUsername(ctx, c.Username)
	if err != nil {
		return Session{}, err
	}
	right, stored, err := a.isPassword(ctx, staff, c.Password)
	if err != nil {
		return Session{}, err
	}
	if !right || !staff.Live(a.now()) {
		return Session{}, errLogin()
	}
	if err := a.checkSecondFactor(ctx, staff.ID, c.TOTP); err != nil {
		return Session{}, err
	}
	return a.open(ctx, staff, stored)
}

// open begins a session, and ends it at once when the password was changed
// meanwhile: that change has ended only the sessions it could see.
func (a *Auth) open(ctx context.Context, staff *study.Staff, checked study.Record) (Session, error) {
	id, err := a.newFamily()
	if err != nil {
		return Session{}, err
	}
	f, err := a.begin(ctx, id, staff.ID.Stream(), "")
	if err != nil {
		return Session{}, err
	}
	now, _, err := a.read(ctx, kindCredential, string(staff.ID), nil)
	if err != nil {
		return Session{}, err
	}
	if !bytes.Equal(now.Data, checked.Data) {
		if err := a.end(ctx, f.id, f.owner, ending{Why: "the password was changed"}); err != nil {
			return Session{}, err
		}
		return Session{}, errLogin()
	}
	return a.issue(ctx, f, generation{0, study.InstantOf(f.startAt)}, staff)
}

// byUsername is the account, or nil when there is none.
func (a *Auth) byUsername(ctx context.Context, username string) (*study.Staff, error) {
	staff, err := a.study.StaffByUsername(ctx, username)
	if study.CodeOf(err) == study.NotFound {
		return nil, nil
	}
	return staff, err
}

// isPassword reports whether the account (nil: nobody's) has the password, with
// the same work in every case.
func (a *Auth) isPassword(ctx context.Context, staff *study.Staff, password string) (bool, study.Record, error) {
	id := "nobody"
	if staff != nil {
		id = string(staff.ID)
	}
	var known credential
	stored, found, err := a.read(ctx, kindCredential, id, &known)
	if err != nil {
		return false, stored, err
	}
	if len(password) > maxPassword*4 { // longer than any password in bytes; hashing is not for free
		found, password, known.Hash = false, "", ""
	}
	right, err := a.passwords.verify(ctx, known.Hash, password)
	return right && found && staff != nil, stored, err
}

func errLogin() error {
	return study.Fail(study.Unauthenticated, "These details open no account. Check user name, password and code, or ask your administrator.")
}

package auth

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"regexp"
	"time"

	"epro/study"
)

// onlyKey is the key of the two records of which there is one at most.
const onlyKey = "admin"

// setupSalt is what the link is made from besides the secret file, so that the
// link of one store does not open another.
type setupSalt struct {
	Salt []byte `json:"salt"`
}

// setupUse says who the first administrator is.
type setupUse struct {
	Username string `json:"username"`
}

// SetupToken is the token of the one-time link that makes the first
// administrator, the same from every process; empty once anybody can sign in.
// It is offered again after a crash that left an account without a password.
func (a *Auth) SetupToken(ctx context.Context) (string, error) {
	open, err := a.needsSetup(ctx)
	if err != nil || !open {
		return "", err
	}
	salt, err := a.fresh(16)
	if err != nil {
		return "", err
	}
	r, err := a.record(kindSetup, onlyKey, "", 0, setupSalt{Salt: salt})
	if err != nil {
		return "", err
	}
	if _, err := a.insert(ctx, r); err != nil {
		return "", err
	}
	token, _, err := a.setupToken(ctx)
	return token, err
}

// needsSetup reports whether no account has a password yet.
func (a *Auth) needsSetup(ctx context.Context) (bool, error) {
	accounts, err := a.store.Records(ctx, kindCredential, "", time.Time{})
	return len(accounts) == 0, storeError(err)
}

// setupToken is the token, if one was ever made.
func (a *Auth) setupToken(ctx context.Context) (string, bool, error) {
	var s setupSalt
	_, found, err := a.read(ctx, kindSetup, onlyKey, &s)
	if err != nil || !found {
		return "", false, err
	}
	sum := mac(a.secrets.setup, "link", string(s.Salt))
	return base64.RawURLEncoding.EncodeToString(sum[:]), true, nil
}

// Setup makes the first administrator, once ever. Whoever comes second is
// refused; the same user name and password again finish what a crash left
// half done.
func (a *Auth) Setup(ctx context.Context, token, username, password, address string) (*study.Staff, error) {
	t, err := a.admit(ctx, limit{kindLoginFailure, addressKey(address), 15 * time.Minute, atMost(30, 15*time.Minute)})
	if err != nil {
		return nil, err
	}
	staff, err := a.setup(ctx, token, username, password)
	if err == nil || study.CodeOf(err) != study.Unauthenticated {
		t.forgive(ctx)
	}
	return staff, err
}

func (a *Auth) setup(ctx context.Context, token, username, password string) (*study.Staff, error) {
	want, made, err := a.setupToken(ctx)
	if err != nil {
		return nil, err
	}
	if !made || !hmac.Equal([]byte(token), []byte(want)) {
		return nil, errSetup()
	}
	// Both are checked before the link is used up: it cannot be used again.
	if err := checkUsername(username); err != nil {
		return nil, err
	}
	if err := checkPassword(username, password); err != nil {
		return nil, err
	}
	if err := a.claimSetup(ctx, username); err != nil {
		return nil, err
	}
	r := study.Request{By: study.System("setup"), EventID: study.EventID(uuidFrom(mac(a.secrets.setup, "account", token, foldName(username))))}
	staff, err := a.study.CreateStaff(ctx, r, study.CreateStaff{Username: username, Rights: study.Rights{Role: study.RoleAdmin}})
	if err != nil {
		return nil, err
	}
	same, err := a.firstPassword(ctx, staff, password)
	if err == nil && !same {
		err = errSetup()
	}
	if err != nil {
		return nil, err
	}
	return staff, nil
}

// claimSetup makes the link this user name's, or refuses.
func (a *Auth) claimSetup(ctx context.Context, username string) error {
	var use setupUse
	_, used, err := a.read(ctx, kindSetupUsed, onlyKey, &use)
	if err != nil {
		return err
	}
	if !used {
		open, err := a.needsSetup(ctx)
		if err != nil {
			return err
		}
		if !open {
			return errSetup()
		}
		r, err := a.record(kindSetupUsed, onlyKey, "", 0, setupUse{Username: foldName(username)})
		if err != nil {
			return err
		}
		first, err := a.insert(ctx, r)
		if err != nil || first {
			return err
		}
		if _, _, err := a.read(ctx, kindSetupUsed, onlyKey, &use); err != nil {
			return err
		}
	}
	if use.Username != foldName(username) {
		return errSetup()
	}
	return nil
}

// usernameForm is study's rule. It is repeated here because the link must not
// be used up by a name that study then refuses; a test compares the two.
var usernameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$`)

func checkUsername(username string) error {
	if usernameForm.MatchString(username) {
		return nil
	}
	return study.Fail(study.Invalid, "Some fields need another value.",
		study.Field{Name: "username", Reason: "2 to 64 letters, digits or . _ @ -, beginning with a letter or digit"})
}

func errSetup() error {
	return study.Fail(study.Unauthenticated, "This link cannot be used. If nobody can sign in yet, start the server again and take the link it prints.")
}

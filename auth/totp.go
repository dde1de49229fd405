package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"epro/study"
)

// timeStep is RFC 6238's default (§5.2); a code of the step before or after
// the server's is taken too, the one step of delay that it recommends at most.
const timeStep = 30 * time.Second

// Authenticator is what an authenticator app is set up with.
type Authenticator struct {
	Secret string // to be typed
	URL    string // otpauth://, to be shown as a QR code
}

// LogValue says nothing of it.
func (Authenticator) LogValue() slog.Value { return slog.StringValue("authenticator") }

// authenticator is the secret as it is stored, in a record of its own: were it
// with the password, writing one could undo a change of the other.
type authenticator struct {
	Sealed []byte `json:"sealed"`
}

func authenticatorName(id study.StaffID) string { return "authenticator of " + string(id) }

// EnableTOTP makes the secret of an account's authenticator app. It is asked
// for once a code of it was given, to ConfirmTOTP or, while the account has no
// other, when signing in. Who may do this for whom is the caller's to check.
func (a *Auth) EnableTOTP(ctx context.Context, id study.StaffID) (Authenticator, error) {
	staff, err := a.study.Staff(ctx, id)
	if err != nil {
		return Authenticator{}, err
	}
	made, r, err := a.newAuthenticator(staff)
	if err != nil {
		return Authenticator{}, err
	}
	return made, storeError(a.store.PutRecord(ctx, r))
}

// newAuthenticator makes a secret and the record that keeps it until its first
// code was given.
func (a *Auth) newAuthenticator(staff *study.Staff) (Authenticator, study.Record, error) {
	secret, err := a.fresh(20) // RFC 4226, §4 R6: 160 bits
	if err != nil {
		return Authenticator{}, study.Record{}, err
	}
	made, err := authenticatorOf(staff.Username, secret)
	if err != nil {
		return Authenticator{}, study.Record{}, err
	}
	sealed, err := a.seal([]byte(made.Secret), authenticatorName(staff.ID))
	if err != nil {
		return Authenticator{}, study.Record{}, err
	}
	r, err := a.record(kindTOTPPending, string(staff.ID), string(staff.ID.Stream()), 0, authenticator{Sealed: sealed})
	return made, r, err
}

func authenticatorOf(username string, secret []byte) (Authenticator, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "epro", AccountName: username, Secret: secret})
	if err != nil {
		return Authenticator{}, fmt.Errorf("make an authenticator secret: %w", err)
	}
	return Authenticator{Secret: key.Secret(), URL: key.URL()}, nil
}

// SetUpAuthenticator makes the secret of the authenticator app of somebody who
// has none yet and knows the account's password. Until its first code was given
// the same one is shown again.
func (a *Auth) SetUpAuthenticator(ctx context.Context, c Credentials) (Authenticator, error) {
	staff, err := a.checkPasswordOf(ctx, c)
	if err != nil {
		return Authenticator{}, err
	}
	_, found, err := a.read(ctx, kindTOTP, string(staff.ID), nil)
	if err != nil {
		return Authenticator{}, err
	}
	if found {
		return Authenticator{}, study.Fail(study.Conflict, "This account has an authenticator app. If it is lost, use a recovery code, or ask your administrator to take it away.")
	}
	made, r, err := a.newAuthenticator(staff)
	if err != nil {
		return Authenticator{}, err
	}
	first, err := a.insert(ctx, r)
	if err != nil || first {
		return made, err
	}
	return a.pendingAuthenticator(ctx, staff)
}

// pendingAuthenticator is one that was shown before and not confirmed yet.
func (a *Auth) pendingAuthenticator(ctx context.Context, staff *study.Staff) (Authenticator, error) {
	var stored authenticator
	_, found, err := a.read(ctx, kindTOTPPending, string(staff.ID), &stored)
	if err != nil {
		return Authenticator{}, err
	}
	if !found {
		return Authenticator{}, study.Fail(study.Conflict, "The authenticator app was confirmed a moment ago. Sign in with its code.")
	}
	text, err := a.unseal(stored.Sealed, authenticatorName(staff.ID))
	if err != nil {
		return Authenticator{}, err
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(string(text))
	if err != nil {
		return Authenticator{}, err
	}
	return authenticatorOf(staff.Username, secret)
}

// HasAuthenticator reports whether codes of an authenticator app are asked for.
func (a *Auth) HasAuthenticator(ctx context.Context, id study.StaffID) (bool, error) {
	_, found, err := a.read(ctx, kindTOTP, string(id), nil)
	return found, err
}

// ConfirmTOTP puts the secret in force that EnableTOTP made, by a code of it.
func (a *Auth) ConfirmTOTP(ctx context.Context, id study.StaffID, code string) error {
	pending, found, err := a.read(ctx, kindTOTPPending, string(id), nil)
	if err != nil {
		return err
	}
	if !found {
		return study.Fail(study.Conflict, "There is no authenticator app to confirm. Set it up anew.")
	}
	return a.confirm(ctx, id, pending, code)
}

func (a *Auth) confirm(ctx context.Context, id study.StaffID, pending study.Record, code string) error {
	if err := a.useTOTP(ctx, id, pending, code); err != nil {
		return err
	}
	pending.Kind = kindTOTP
	if err := a.store.PutRecord(ctx, pending); err != nil {
		return storeError(err)
	}
	return storeError(a.store.DeleteRecord(ctx, kindTOTPPending, string(id)))
}

// RemoveTOTP takes an authenticator away that was lost, and its recovery codes.
func (a *Auth) RemoveTOTP(ctx context.Context, id study.StaffID) error {
	return storeError(errors.Join(
		a.dropRecovery(ctx, id),
		a.store.DeleteRecord(ctx, kindTOTPPending, string(id)),
		a.store.DeleteRecord(ctx, kindTOTP, string(id))))
}

// checkSecondFactor checks the code of an account whose password was right.
func (a *Auth) checkSecondFactor(ctx context.Context, id study.StaffID, code string) error {
	confirmed, found, err := a.read(ctx, kindTOTP, string(id), nil)
	switch {
	case err != nil:
		return err
	case found && code == "":
		return errSecondFactor()
	case found && isRecoveryCode(code):
		return a.useRecovery(ctx, id, code)
	case found:
		return a.useTOTP(ctx, id, confirmed, code)
	case !a.secondFactor:
		return nil
	}
	pending, found, err := a.read(ctx, kindTOTPPending, string(id), nil)
	switch {
	case err != nil:
		return err
	case !found:
		return study.Fail(study.Forbidden, "This account needs an authenticator app first. Set it up on the sign-in page of /desk, or with POST /v1/auth/authenticator.")
	case code == "":
		return errSecondFactor()
	default:
		return a.confirm(ctx, id, pending, code)
	}
}

// useTOTP accepts a code once.
func (a *Auth) useTOTP(ctx context.Context, id study.StaffID, r study.Record, code string) error {
	var stored authenticator
	if err := decode(r, &stored); err != nil {
		return err
	}
	secret, err := a.unseal(stored.Sealed, authenticatorName(id))
	if err != nil {
		return &study.Error{Code: study.Internal, Message: "The authenticator app of this account must be set up anew. Ask your administrator.", Err: err}
	}
	step, ok, err := matchTOTP(string(secret), code, a.now())
	if err != nil {
		return err
	}
	if !ok {
		return errLogin()
	}
	used, err := a.record(kindTOTPUsed, fmt.Sprintf("%s/%d", id, step), string(id.Stream()), 10*timeStep, struct{}{})
	if err != nil {
		return err
	}
	first, err := a.insert(ctx, used)
	if err == nil && !first {
		err = errLogin()
	}
	return err
}

// matchTOTP is the time step that the code belongs to.
func matchTOTP(secret, code string, now time.Time) (step uint64, ok bool, err error) {
	current := uint64(now.Unix()) / uint64(timeStep/time.Second)
	for step := current - 1; step <= current+1; step++ {
		want, err := hotp.GenerateCodeCustom(secret, step, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("compute a one-time code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true, nil
		}
	}
	return 0, false, nil
}

const fieldTOTP = "totp"

func errSecondFactor() error {
	return study.Fail(study.Unauthenticated, "Enter the code that your authenticator app shows.",
		study.Field{Name: fieldTOTP, Reason: "six digits from your authenticator app"})
}

func isSecondFactorMissing(err error) bool {
	var e *study.Error
	return errors.As(err, &e) && e.Code == study.Unauthenticated && len(e.Fields) == 1 && e.Fields[0].Name == fieldTOTP
}

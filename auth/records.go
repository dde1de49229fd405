package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"epro/study"
)

// The kinds of records that this package keeps.
const (
	kindSigningKey     study.RecordKind = "signing_key"     // by generation; never expires
	kindSession        study.RecordKind = "session"         // by family, of a stream: when it began
	kindEnded          study.RecordKind = "ended"           // by family: it is over
	kindRotation       study.RecordKind = "rotation"        // by family and generation: that refresh token was used
	kindCode           study.RecordKind = "code"            // by the code's HMAC, of a participant
	kindCodeUse        study.RecordKind = "code_use"        // by the code's HMAC: who used it
	kindEnrolFailure   study.RecordKind = "enrol_failure"   // of an address
	kindLoginFailure   study.RecordKind = "login_failure"   // of an address, or of an account
	kindCredential     study.RecordKind = "credential"      // by staff id: the password's hash
	kindTOTP           study.RecordKind = "totp"            // by staff id: the authenticator's secret
	kindTOTPPending    study.RecordKind = "totp_pending"    // the same, not confirmed yet
	kindTOTPUsed       study.RecordKind = "totp_used"       // by staff id and time step
	kindRecovery       study.RecordKind = "recovery"        // by staff id and the code's HMAC
	kindRecoveryUsed   study.RecordKind = "recovery_used"   // the same: it was used
	kindFirebase       study.RecordKind = "firebase"        // by the HMAC of a Firebase user, of the participant it is
	kindSetup          study.RecordKind = "setup"           // one: what the set-up link is made from
	kindInvitation     study.RecordKind = "invitation"      // by the code's HMAC, of the account that it is for
	kindInvitationUsed study.RecordKind = "invitation_used" // the same: it was used
	kindSetupUsed      study.RecordKind = "setup_used"      // one: who the first administrator is
)

// Kinds are the kinds of all records of this package, for whoever moves a
// store's content to another store.
var Kinds = []study.RecordKind{
	kindSigningKey, kindSession, kindEnded, kindRotation, kindCode, kindCodeUse, kindEnrolFailure, kindLoginFailure,
	kindCredential, kindTOTP, kindTOTPPending, kindTOTPUsed, kindRecovery, kindRecoveryUsed, kindSetup, kindSetupUsed,
	kindFirebase, kindInvitation, kindInvitationUsed,
}

// record makes a record of now. It lives for the given time; zero is for ever.
func (a *Auth) record(kind study.RecordKind, key, owner string, life time.Duration, data any) (study.Record, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return study.Record{}, fmt.Errorf("encode a %s: %w", kind, err)
	}
	r := study.Record{Kind: kind, Key: key, Owner: owner, At: study.InstantOf(a.now()).Time(), Data: raw}
	if life > 0 {
		r.ExpiresAt = r.At.Add(life)
	}
	return r, nil
}

// insert adds a record unless its key is taken; first says whether it was the
// first.
func (a *Auth) insert(ctx context.Context, r study.Record) (first bool, err error) {
	err = a.store.InsertRecord(ctx, r)
	if errors.Is(err, study.ErrExists) {
		return false, nil
	}
	return err == nil, storeError(err)
}

// read finds a record and decodes its data into into, unless that is nil.
// Found is false only when the store answered that there is none.
func (a *Auth) read(ctx context.Context, kind study.RecordKind, key string, into any) (r study.Record, found bool, err error) {
	r, err = a.store.Record(ctx, kind, key)
	switch {
	case errors.Is(err, study.ErrNotFound):
		return study.Record{}, false, nil
	case err != nil:
		return study.Record{}, false, storeError(err)
	case into == nil:
		return r, true, nil
	}
	return r, true, decode(r, into)
}

func decode(r study.Record, into any) error {
	if err := json.Unmarshal(r.Data, into); err != nil {
		return fmt.Errorf("a %s record cannot be read: %w", r.Kind, err)
	}
	return nil
}

// storeError gives an error of the store a code, if it has none: whatever went
// wrong there must never read as a wrong password or an unknown code.
func storeError(err error) error {
	var coded *study.Error
	if err == nil || errors.As(err, &coded) {
		return err
	}
	return &study.Error{Code: study.Unavailable, Message: "The store cannot be used just now; try again in a moment.", Err: err}
}

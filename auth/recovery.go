package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"epro/study"
)

// A recovery code stands in once for the authenticator app: ten characters, 50
// bits, shown in two groups of five.
const (
	recoveryCodes  = 10
	recoveryLength = 10
)

// isRecoveryCode tells it from the six digits of an app.
func isRecoveryCode(code string) bool { return len(foldRecovery(code)) == recoveryLength }

func foldRecovery(code string) string {
	return strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
}

// NewRecoveryCodes makes an account's recovery codes and forgets the earlier
// ones. They are shown this once: only their HMACs are kept. Who may do this for
// whom is the caller's to check.
func (a *Auth) NewRecoveryCodes(ctx context.Context, id study.StaffID) ([]string, error) {
	if err := a.dropRecovery(ctx, id); err != nil {
		return nil, err
	}
	var codes []string
	for range recoveryCodes {
		code, err := a.randomText(recoveryLength)
		if err != nil {
			return nil, err
		}
		r, err := a.record(kindRecovery, a.recoveryKey(id, code), string(id.Stream()), 0, struct{}{})
		if err != nil {
			return nil, err
		}
		if _, err := a.insert(ctx, r); err != nil {
			return nil, err
		}
		codes = append(codes, code[:5]+"-"+code[5:])
	}
	return codes, nil
}

// RecoveryCodesLeft is how many recovery codes an account has not used.
func (a *Auth) RecoveryCodesLeft(ctx context.Context, id study.StaffID) (int, error) {
	codes, err := a.store.Records(ctx, kindRecovery, string(id.Stream()), time.Time{})
	if err != nil {
		return 0, storeError(err)
	}
	left := 0
	for _, r := range codes {
		_, used, err := a.read(ctx, kindRecoveryUsed, r.Key, nil)
		if err != nil {
			return 0, err
		}
		if !used {
			left++
		}
	}
	return left, nil
}

func (a *Auth) recoveryKey(id study.StaffID, code string) string {
	sum := mac(a.secrets.lookups, "recovery", string(id), code)
	return hex.EncodeToString(sum[:])
}

// useRecovery accepts a recovery code once.
func (a *Auth) useRecovery(ctx context.Context, id study.StaffID, code string) error {
	key := a.recoveryKey(id, foldRecovery(code))
	_, found, err := a.read(ctx, kindRecovery, key, nil)
	if err != nil {
		return err
	}
	if !found {
		return errLogin()
	}
	used, err := a.record(kindRecoveryUsed, key, string(id.Stream()), 0, struct{}{})
	if err != nil {
		return err
	}
	first, err := a.insert(ctx, used)
	if err == nil && !first {
		err = errLogin()
	}
	return err
}

func (a *Auth) dropRecovery(ctx context.Context, id study.StaffID) error {
	codes, err := a.store.Records(ctx, kindRecovery, string(id.Stream()), time.Time{})
	for _, r := range codes {
		err = errors.Join(err, a.store.DeleteRecord(ctx, kindRecovery, r.Key))
	}
	return storeError(err)
}

package auth

import (
	"context"
	"errors"

	"epro/study"
)

// CreateStaff opens an account with a password; an empty one is generated and
// given back, this once. A repeated request, one with the same event id,
// gives the same answer.
func (a *Auth) CreateStaff(ctx context.Context, r study.Request, c study.CreateStaff, password string) (*study.Staff, string, error) {
	if !r.By.May(study.ManageStaff) { // before the work of a hash
		return nil, "", errForbidden()
	}
	generated, err := a.chooseFor(c.Username, &password, "create", r.EventID)
	if err != nil {
		return nil, "", err
	}
	staff, err := a.study.CreateStaff(ctx, r, c)
	if err != nil {
		return nil, "", err
	}
	same, err := a.firstPassword(ctx, staff, password)
	if err != nil {
		return nil, "", err
	}
	if !same {
		return nil, "", study.Fail(study.Conflict, "This account has been given another password since. Reset it if it is not known.")
	}
	return staff, generated, nil
}

// chooseFor checks a chosen password, or generates one in its place and gives
// it back.
func (a *Auth) chooseFor(username string, password *string, purpose string, event study.EventID) (generated string, err error) {
	if *password != "" {
		return "", checkPassword(username, *password)
	}
	*password, err = a.generate(purpose, event)
	return *password, err
}

// firstPassword stores an account's first password. One that is there already
// is left alone; same says whether it is this one.
func (a *Auth) firstPassword(ctx context.Context, staff *study.Staff, password string) (same bool, err error) {
	r, err := a.credential(ctx, staff.ID, password)
	if err != nil {
		return false, err
	}
	first, err := a.insert(ctx, r)
	if err != nil || first {
		return first, err
	}
	same, _, err = a.isPassword(ctx, staff, password)
	return same, err
}

// credential hashes a password into a record.
func (a *Auth) credential(ctx context.Context, id study.StaffID, password string) (study.Record, error) {
	hash, err := a.passwords.hash(ctx, password)
	if err != nil {
		return study.Record{}, err
	}
	return a.record(kindCredential, string(id), string(id.Stream()), 0, credential{Hash: hash})
}

// ResetPassword gives an account a new password, generated if empty, and ends
// all its sessions. A repeated request gives the same answer and changes
// nothing again.
func (a *Auth) ResetPassword(ctx context.Context, r study.Request, id study.StaffID, password string) (string, error) {
	if !r.By.May(study.ManageStaff) {
		return "", errForbidden()
	}
	staff, err := a.study.Staff(ctx, id)
	if err != nil {
		return "", err
	}
	generated, err := a.chooseFor(staff.Username, &password, "reset", r.EventID)
	if err != nil {
		return "", err
	}
	done, err := a.wasReset(ctx, r, staff, password)
	if err != nil || done {
		return generated, err
	}
	return generated, a.replacePassword(ctx, r, staff, password)
}

// wasReset reports whether this very request has been carried out. Then it must
// not be again: it would undo every change since.
func (a *Auth) wasReset(ctx context.Context, r study.Request, staff *study.Staff, password string) (bool, error) {
	if r.EventID == "" {
		return false, nil
	}
	entry, err := a.store.EntryByID(ctx, r.EventID)
	if errors.Is(err, study.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, storeError(err)
	}
	same, _, err := a.isPassword(ctx, staff, password)
	if err != nil {
		return false, err
	}
	if entry.Stream != staff.ID.Stream() || !same {
		return false, study.Fail(study.Conflict, "This request was carried out before, and the password has been changed since.")
	}
	before := func(s study.Record) bool { return !s.At.After(entry.At) }
	return true, a.endWhere(ctx, staff.ID.Stream(), "the password was changed", before)
}

// replacePassword stores the password first: whatever fails then, the old one
// is worth nothing any more, and the request can be repeated.
func (a *Auth) replacePassword(ctx context.Context, r study.Request, staff *study.Staff, password string) error {
	stored, err := a.credential(ctx, staff.ID, password)
	if err != nil {
		return err
	}
	if err := a.store.PutRecord(ctx, stored); err != nil {
		return storeError(err)
	}
	if err := a.dropInvitations(ctx, staff.ID); err != nil {
		return err
	}
	if err := a.study.RecordPasswordReset(ctx, r, staff.ID); err != nil {
		return err
	}
	a.forgiveAccount(ctx, staff.Username)
	return a.endWhere(ctx, staff.ID.Stream(), "the password was changed", func(study.Record) bool { return true })
}

// ChangePassword lets members of staff change their own password. They give the
// old one again, because an unlocked screen is not a person (ASVS 5.0 V6.2.3),
// and sign in anew everywhere.
func (a *Auth) ChangePassword(ctx context.Context, by study.Actor, current, next, address string) error {
	staff, err := a.study.Staff(ctx, by.Staff)
	if err != nil {
		return err
	}
	if err := checkPassword(staff.Username, next); err != nil {
		return err
	}
	t, err := a.admit(ctx, a.loginLimits(staff.Username, address)...)
	if err != nil {
		return err
	}
	right, _, err := a.isPassword(ctx, staff, current)
	if err != nil {
		t.forgive(ctx)
		return err
	}
	if !right {
		return study.Fail(study.Invalid, "Some fields need another value.",
			study.Field{Name: "current_password", Reason: "this is not your present password"})
	}
	t.forgive(ctx)
	return a.replacePassword(ctx, study.Request{By: by}, staff, next)
}

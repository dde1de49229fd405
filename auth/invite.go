package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"epro/study"
)

// An invitation's code has sixteen characters, 80 bits, shown in groups of four.
// It is for one account and works once, for a week.
const (
	invitationLength   = 16
	invitationLifetime = 7 * day
)

// Invitation is what the letter to a member of staff bears.
type Invitation struct {
	Code      string // in four groups of four
	ExpiresAt time.Time
	Staff     *study.Staff
}

// LogValue is whose it is, without the code.
func (i Invitation) LogValue() slog.Value { return slog.StringValue(string(i.Staff.ID.Stream())) }

// InviteStaff opens an account that nobody can sign in to before the code was
// used that is given back, this once.
func (a *Auth) InviteStaff(ctx context.Context, r study.Request, c study.CreateStaff) (Invitation, error) {
	if err := a.notDone(ctx, r); err != nil {
		return Invitation{}, err
	}
	staff, err := a.study.CreateStaff(ctx, r, c)
	if err != nil {
		return Invitation{}, err
	}
	return a.Invite(ctx, study.Request{By: r.By, Reason: r.Reason}, staff.ID)
}

// Invite takes an account's password, second factor and sessions away, and
// makes a code by which its owner sets up new ones. An earlier code dies. The
// same request again is refused: it would undo what was set up since.
func (a *Auth) Invite(ctx context.Context, r study.Request, id study.StaffID) (Invitation, error) {
	if !r.By.May(study.ManageStaff) {
		return Invitation{}, errForbidden()
	}
	staff, err := a.study.Staff(ctx, id)
	if err != nil {
		return Invitation{}, err
	}
	if staff.Disabled {
		return Invitation{}, study.Fail(study.Conflict, "This account is disabled. Enable it first, then make the letter.")
	}
	if r.By.Staff == id {
		return Invitation{}, study.Fail(study.Conflict, "This is your own account. Change your password on “My account”; ask another administrator if your authenticator app is lost.")
	}
	if err := a.notDone(ctx, r); err != nil {
		return Invitation{}, err
	}
	made := Invitation{ExpiresAt: study.InstantOf(a.now().Add(invitationLifetime)).Time(), Staff: staff}
	// First the record says so, then the old ways in are shut, then the new one
	// opens: whatever fails between, nobody gets in, and another letter mends it.
	if err := a.study.RecordInvitation(ctx, r, id, study.InstantOf(made.ExpiresAt)); err != nil {
		return Invitation{}, err
	}
	if err := a.shut(ctx, staff); err != nil {
		return Invitation{}, err
	}
	code, err := a.randomText(invitationLength)
	if err != nil {
		return Invitation{}, err
	}
	kept, err := a.record(kindInvitation, a.invitationKey(code), string(id.Stream()), invitationLifetime, struct{}{})
	if err != nil {
		return Invitation{}, err
	}
	_, err = a.insert(ctx, kept)
	made.Code = code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
	return made, err
}

// notDone refuses a request whose event is in the record.
func (a *Auth) notDone(ctx context.Context, r study.Request) error {
	if r.EventID == "" {
		return nil
	}
	_, err := a.store.EntryByID(ctx, r.EventID)
	switch {
	case errors.Is(err, study.ErrNotFound):
		return nil
	case err != nil:
		return storeError(err)
	}
	return study.Fail(study.Conflict, "This letter was made before, and is shown once. Make another from the page of the account.")
}

// shut leaves no way to sign in to an account.
func (a *Auth) shut(ctx context.Context, staff *study.Staff) error {
	nobodys, err := a.randomText(2 * invitationLength)
	if err != nil {
		return err
	}
	stored, err := a.credential(ctx, staff.ID, nobodys)
	if err != nil {
		return err
	}
	if err := a.store.PutRecord(ctx, stored); err != nil {
		return storeError(err)
	}
	if err := a.RemoveTOTP(ctx, staff.ID); err != nil {
		return err
	}
	if err := a.dropInvitations(ctx, staff.ID); err != nil {
		return err
	}
	return a.EndSessions(ctx, staff.ID.Stream())
}

// randomText is so many characters of the alphabet, each as likely as another.
func (a *Auth) randomText(length int) (string, error) {
	b, err := a.fresh(length)
	if err != nil {
		return "", err
	}
	for i := range b {
		b[i] = alphabet[b[i]%32] // 256 is a multiple of 32
	}
	return string(b), nil
}

func (a *Auth) invitationKey(code string) string {
	sum := mac(a.secrets.lookups, "invitation", code)
	return hex.EncodeToString(sum[:])
}

func (a *Auth) dropInvitations(ctx context.Context, id study.StaffID) error {
	open, err := a.store.Records(ctx, kindInvitation, string(id.Stream()), time.Time{})
	if err != nil {
		return storeError(err)
	}
	for _, r := range open {
		if err := a.store.DeleteRecord(ctx, kindInvitation, r.Key); err != nil {
			return storeError(err)
		}
	}
	return nil
}

// Join lets the owner of an invitation's code choose a password, once. The
// authenticator app is set up at the first sign-in.
func (a *Auth) Join(ctx context.Context, code, password, address string) (*study.Staff, error) {
	t, err := a.admit(ctx, limit{kindLoginFailure, addressKey(address), 15 * time.Minute, atMost(30, 15*time.Minute)})
	if err != nil {
		return nil, err
	}
	staff, err := a.join(ctx, code, password)
	if err == nil || study.CodeOf(err) != study.Unauthenticated {
		t.forgive(ctx)
	}
	return staff, err
}

func (a *Auth) join(ctx context.Context, code, password string) (*study.Staff, error) {
	if len(code) > maxTyped {
		return nil, errInvitation()
	}
	r, found, err := a.read(ctx, kindInvitation, a.invitationKey(foldRecovery(code)), nil)
	if err != nil {
		return nil, err
	}
	if !found || !a.now().Before(r.ExpiresAt) {
		return nil, errInvitation()
	}
	staff, err := a.accountOf(ctx, study.StreamID(r.Owner))
	if study.CodeOf(err) == study.Unauthenticated || err == nil && staff == nil {
		return nil, errInvitation() // disabled since, or not to be used yet
	}
	if err != nil {
		return nil, err
	}
	// Before the code is used up: it cannot be used again.
	if err := checkPassword(staff.Username, password); err != nil {
		return nil, err
	}
	used, err := a.record(kindInvitationUsed, r.Key, r.Owner, 2*invitationLifetime, struct{}{})
	if err != nil {
		return nil, err
	}
	first, err := a.insert(ctx, used)
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, errInvitation()
	}
	return staff, a.replacePassword(ctx, study.Request{By: staff.Actor()}, staff, password)
}

func errInvitation() error {
	return study.Fail(study.Unauthenticated, "This code cannot be used. Type it as your letter has it. A code works once and for a week; "+
		"if yours is older or was used, ask your administrator for another letter.")
}

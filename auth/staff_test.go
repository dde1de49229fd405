package auth

import (
	"context"
	"strings"
	"testing"
	"time"

	"epro/study"
)

var analyst = study.CreateStaff{Username: "anna", Rights: study.Rights{Role: study.RoleAnalyst}}

func TestAGeneratedPasswordIsGivenOnceAndOpensTheAccount(t *testing.T) {
	w := newWorld(t)
	_, password, err := w.CreateStaff(t.Context(), w.by(w.admin), analyst, "")
	w.must(err)
	if len(password) != 23 || checkPassword("anna", password) != nil {
		t.Errorf("got %q", password)
	}
	_, err = w.login("anna", password)
	w.must(err)
	_, _, err = w.CreateStaff(t.Context(), w.by(w.admin), analyst, "")
	w.refused(err, study.Conflict)
	c := analyst
	c.Username = "berta"
	_, chosen, err := w.CreateStaff(t.Context(), w.by(w.admin), c, goodPassword)
	w.must(err)
	if chosen != "" {
		t.Error("a chosen password was given back")
	}
}

func TestARepeatedRequestForAnAccountGivesTheSameAnswer(t *testing.T) {
	w := newWorld(t)
	r := study.Request{By: w.admin, EventID: study.EventID(uuid(1))}
	one, password, err := w.CreateStaff(t.Context(), r, analyst, "")
	w.must(err)
	two, again, err := w.CreateStaff(t.Context(), r, analyst, "")
	w.must(err)
	if one.ID != two.ID || password != again {
		t.Error("the answers differ")
	}
	r.EventID = study.EventID(uuid(2))
	reset, err := w.ResetPassword(t.Context(), r, one.ID, "")
	w.must(err)
	again, err = w.ResetPassword(t.Context(), r, one.ID, "")
	w.must(err)
	if reset == password || reset != again {
		t.Error("the resets differ")
	}
	w.must(second(w.ResetPassword(t.Context(), w.by(w.admin), one.ID, goodPassword)))
	_, err = w.ResetPassword(t.Context(), r, one.ID, "") // an old request does not undo a newer one
	w.refused(err, study.Conflict)
	r.EventID = study.EventID(uuid(1))
	_, _, err = w.CreateStaff(t.Context(), r, analyst, "")
	w.refused(err, study.Conflict)
	_, err = w.login("anna", goodPassword)
	w.must(err)
}

func TestAResetEndsEverySessionAndTheBackOff(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	s, err := w.login("anna", goodPassword)
	w.must(err)
	for range 6 {
		_, _ = w.login("anna", "wrong")
	}
	password, err := w.ResetPassword(t.Context(), w.by(w.admin), staff.ID, "")
	w.must(err)
	w.works(w.Auth, s, false)
	_, err = w.login("anna", goodPassword)
	w.refused(err, study.Unauthenticated)
	_, err = w.login("anna", password)
	w.must(err)
}

func TestOnlyAdministratorsMakeAccountsAndResetPasswords(t *testing.T) {
	w := newWorld(t)
	staff := w.account("berta", study.RoleAnalyst)
	for _, role := range []study.Role{study.RoleCoordinator, study.RoleInvestigator, study.RoleMonitor, study.RoleAnalyst, study.RoleParticipant} {
		by := w.by(study.Actor{Role: role, Staff: staff.ID, Sites: []study.SiteCode{"S01"}})
		_, _, err := w.CreateStaff(t.Context(), by, analyst, goodPassword)
		w.refused(err, study.Forbidden)
		_, err = w.ResetPassword(t.Context(), by, staff.ID, goodPassword)
		w.refused(err, study.Forbidden)
	}
	_, err := w.ResetPassword(t.Context(), w.by(w.admin), "nobody", "")
	w.refused(err, study.NotFound)
}

func TestStaffChangeTheirPasswordWithThePresentOne(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	s, err := w.login("anna", goodPassword)
	w.must(err)
	const next = "another good pass phrase"
	err = w.ChangePassword(t.Context(), staff.Actor(), "wrong", next, "192.0.2.1")
	if w.refused(err, study.Invalid); !hasField(err, "current_password") {
		t.Error(err)
	}
	w.refused(w.ChangePassword(t.Context(), staff.Actor(), goodPassword, "short", ""), study.Invalid)
	w.must(w.ChangePassword(t.Context(), staff.Actor(), goodPassword, next, ""))
	w.works(w.Auth, s, false)
	_, err = w.login("anna", next)
	w.must(err)
}

// between is a store that does something once, right after a session began.
type between struct {
	study.Store
	do func()
}

func (b *between) InsertRecord(ctx context.Context, r study.Record) error {
	err := b.Store.InsertRecord(ctx, r)
	if do := b.do; r.Kind == kindSession && do != nil {
		b.do = nil
		do()
	}
	return err
}

func TestASignInThatCrossesAResetIsRefused(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	slow := w.process(&between{Store: w.store, do: func() {
		w.must(second(w.ResetPassword(t.Context(), w.by(w.admin), staff.ID, "")))
	}}, Options{})
	_, err := slow.Login(t.Context(), Credentials{Username: "anna", Password: goodPassword})
	w.refused(err, study.Unauthenticated)
	sessions, err := w.store.Records(t.Context(), kindSession, "", time.Time{})
	w.must(err)
	for _, r := range sessions {
		if _, alive, err := w.family(t.Context(), r.Key); alive || err != nil {
			t.Errorf("session alive: %v, %v", alive, err)
		}
	}
}

func TestAHashIsInPHCFormAndSlowEnough(t *testing.T) {
	if DefaultCost != (Cost{64 << 10, 3, 1}) {
		t.Errorf("the default cost is %+v", DefaultCost)
	}
	w := newWorld(t)
	hash, err := w.passwords.hash(t.Context(), goodPassword)
	w.must(err)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("got %s", hash)
	}
	for password, want := range map[string]bool{goodPassword: true, goodPassword + " ": false, "": false} {
		if got, err := w.passwords.verify(t.Context(), hash, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ", strings.Replace(hash, "m=64", "m=99999999", 1),
		strings.Replace(hash, "t=1", "t=0", 1), strings.Replace(hash, "p=1", "p=0", 1), strings.Replace(hash, "v=19", "v=16", 1), hash[:len(hash)-4]} {
		_, err := w.passwords.verify(t.Context(), bad, goodPassword)
		w.refused(err, study.Internal)
	}
}

func TestOnlySoManyHashesAreMadeAtOnce(t *testing.T) {
	w := newWorld(t)
	for range hashesAtOnce {
		w.passwords.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.passwords.hash(ctx, goodPassword)
	w.refused(err, study.Unavailable)
}

func TestAChosenPasswordIsLongAndNotObvious(t *testing.T) {
	for password, good := range map[string]bool{
		goodPassword: true, "correct horse battery": true, "пароль из четырёх слов": true, "三个不相关的词语组成一个很长的密码": true,
		"fifteen chars!!": true, "fourteen chars": false, "": false, strings.Repeat("ab cd ef ", 28): true, strings.Repeat("abcdefgh ", 29): false,
		"passwordpassword": false, "Password123456789": false, "aaaaaaaaaaaaaaaaaaaa": false, "qwertyuiopasdfghjkl": false,
		"my name is Anna.K indeed": false, "\xff\xfe 0123456789 abc": false,
	} {
		if err := checkPassword("anna.k", password); (err == nil) != good || err != nil && !hasField(err, "password") {
			t.Errorf("%q: %v", password, err)
		}
	}
}

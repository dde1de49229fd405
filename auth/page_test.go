package auth

import (
	"strings"
	"testing"
	"time"

	"epro/study"
)

func TestAPageLivesWhileItIsUsedAndNoLongerThanADay(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	p, err := w.OpenPage(t.Context(), Credentials{Username: "anna", Password: goodPassword})
	w.must(err)
	if p.Staff.ID != staff.ID || !p.Renewed {
		t.Fatalf("got %+v", p)
	}
	token := p.Token
	same, err := w.Page(t.Context(), token)
	w.must(err)
	if same.Renewed || same.Token != token {
		t.Error("a cookie of just now is set again")
	}
	for range 12 { // eleven hours and a little more, always used
		w.clock.pass(58 * time.Minute)
		next, err := w.Page(t.Context(), token)
		w.must(err)
		if !next.Renewed || next.Token == token {
			t.Error("a used page is not carried on")
		}
		token = next.Token
	}
	w.clock.pass(30 * time.Minute)
	w.refused(second(w.Page(t.Context(), token)), study.Unauthenticated) // twelve hours

	p, err = w.OpenPage(t.Context(), Credentials{Username: "anna", Password: goodPassword})
	w.must(err)
	w.clock.pass(time.Hour)
	w.refused(second(w.Page(t.Context(), p.Token)), study.Unauthenticated) // left alone
}

func TestAPagesCookieIsGoodForPagesOnly(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	p, err := w.OpenPage(t.Context(), Credentials{Username: "anna", Password: goodPassword})
	w.must(err)
	s, err := w.login("anna", goodPassword)
	w.must(err)
	w.refused(second(w.Refresh(t.Context(), p.Token, "")), study.Unauthenticated)
	w.refused(second(w.Verify(t.Context(), p.Token)), study.Unauthenticated)
	w.refused(second(w.Page(t.Context(), s.RefreshToken)), study.Unauthenticated)
	for i := range len(p.Token) {
		for _, c := range []string{"A", "_"} {
			if forged := p.Token[:i] + c + p.Token[i+1:]; forged != p.Token {
				w.refused(second(w.Page(t.Context(), forged)), study.Unauthenticated)
			}
		}
	}
}

func TestSessionsAreListedAndEndedByTheirOwnerOnly(t *testing.T) {
	w := newWorld(t)
	anna, ben := w.account("anna", study.RoleAnalyst), w.account("ben", study.RoleAnalyst)
	open := func() Page {
		p, err := w.OpenPage(t.Context(), Credentials{Username: "anna", Password: goodPassword})
		w.must(err)
		w.clock.pass(time.Minute)
		return p
	}
	first, later := open(), open()
	list, err := w.Sessions(t.Context(), anna.ID)
	w.must(err)
	if len(list) != 2 || list[0].ID != later.Session || list[1].ID != first.Session {
		t.Fatalf("got %+v", list)
	}
	w.refused(w.EndSession(t.Context(), ben.ID, first.Session), study.NotFound)
	w.must(w.EndSession(t.Context(), anna.ID, first.Session))
	w.must(w.EndSession(t.Context(), anna.ID, first.Session))
	w.refused(second(w.Page(t.Context(), first.Token)), study.Unauthenticated)
	w.must(second(w.Page(t.Context(), later.Token)))
	if list, err = w.Sessions(t.Context(), anna.ID); err != nil || len(list) != 1 {
		t.Errorf("got %+v %v", list, err)
	}
	w.must(second(w.ResetPassword(t.Context(), w.by(w.admin), anna.ID, "")))
	w.refused(second(w.Page(t.Context(), later.Token)), study.Unauthenticated)
}

func TestARecoveryCodeStandsInForTheAppOnce(t *testing.T) {
	w := newWorld(t)
	anna := w.account("anna", study.RoleAnalyst)
	strict := w.process(w.store, Options{SecondFactor: true})
	login := func(code string) error {
		return second(strict.OpenPage(t.Context(), Credentials{Username: "anna", Password: goodPassword, TOTP: code}))
	}
	w.refused(second(strict.SetUpAuthenticator(t.Context(), Credentials{Username: "anna", Password: "not this one, surely"})), study.Unauthenticated)
	app, err := strict.SetUpAuthenticator(t.Context(), Credentials{Username: "anna", Password: goodPassword})
	w.must(err)
	w.must(login(w.oneTime(app)))
	w.refused(second(strict.SetUpAuthenticator(t.Context(), Credentials{Username: "anna", Password: goodPassword})), study.Conflict)

	codes, err := strict.NewRecoveryCodes(t.Context(), anna.ID)
	w.must(err)
	if len(codes) != 10 || len(codes[0]) != 11 {
		t.Fatalf("got %q", codes)
	}
	w.must(login(strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))))
	w.refused(login(codes[0]), study.Unauthenticated)
	w.refused(login("AAAAA-AAAAA"), study.Unauthenticated)
	left, err := strict.RecoveryCodesLeft(t.Context(), anna.ID)
	w.must(err)
	if left != 9 {
		t.Errorf("%d left", left)
	}
	fresh, err := strict.NewRecoveryCodes(t.Context(), anna.ID)
	w.must(err)
	w.refused(login(codes[1]), study.Unauthenticated)
	w.must(login(fresh[0]))
	w.must(strict.RemoveTOTP(t.Context(), anna.ID))
	w.refused(login(fresh[1]), study.Forbidden)
}

func TestASignatureNeedsTheSignersOwnPassword(t *testing.T) {
	w := newWorld(t)
	anna := w.account("anna", study.RoleAnalyst)
	w.must(w.Sign(t.Context(), anna.Actor(), goodPassword, "192.0.2.1"))
	err := w.Sign(t.Context(), anna.Actor(), "another one of these", "192.0.2.1")
	if w.refused(err, study.Invalid); !hasField(err, "signature.password") {
		t.Errorf("got %v", err)
	}
	w.refused(w.Sign(t.Context(), study.System("test"), goodPassword, ""), study.Forbidden)
	for range 4 {
		w.refused(w.Sign(t.Context(), anna.Actor(), "another one of these", "192.0.2.1"), study.Invalid)
	}
	waitOf(t, w.Sign(t.Context(), anna.Actor(), "another one of these", "192.0.2.1"))
}

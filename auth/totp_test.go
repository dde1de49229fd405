package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"epro/study"
)

func (w *world) oneTime(app Authenticator) string {
	w.t.Helper()
	code, err := totp.GenerateCode(app.Secret, w.clock.now())
	w.must(err)
	return code
}

func TestAConfirmedAuthenticatorIsAskedFor(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	login := func(code string) error {
		return second(w.Login(t.Context(), Credentials{Username: "anna", Password: goodPassword, TOTP: code}))
	}
	app, err := w.EnableTOTP(t.Context(), staff.ID)
	w.must(err)
	if !strings.HasPrefix(app.URL, "otpauth://totp/epro:anna?") || len(app.Secret) != 32 {
		t.Errorf("got %+v", app.URL)
	}
	w.must(login("")) // not confirmed yet
	w.refused(w.ConfirmTOTP(t.Context(), staff.ID, "000000"), study.Unauthenticated)
	w.must(w.ConfirmTOTP(t.Context(), staff.ID, w.oneTime(app)))
	w.refused(w.ConfirmTOTP(t.Context(), staff.ID, w.oneTime(app)), study.Conflict)
	err = login("")
	if w.refused(err, study.Unauthenticated); !hasField(err, "totp") {
		t.Error("nobody says that a code is missing")
	}
	w.refused(login(w.oneTime(app)), study.Unauthenticated) // used to confirm
	w.clock.pass(timeStep)
	good := w.oneTime(app)
	w.must(login(good))
	w.refused(login(good), study.Unauthenticated)
	w.clock.pass(2 * timeStep)
	late := w.oneTime(app)
	w.clock.pass(timeStep)
	w.must(login(late))
	late = w.oneTime(app)
	w.clock.pass(2 * timeStep)
	w.refused(login(late), study.Unauthenticated)
	w.must(w.RemoveTOTP(t.Context(), staff.ID))
	w.must(login(""))
}

func TestAMissingCodeDoesNotCountAsAFailure(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	app, err := w.EnableTOTP(t.Context(), staff.ID)
	w.must(err)
	w.must(w.ConfirmTOTP(t.Context(), staff.ID, w.oneTime(app)))
	for range 10 {
		_, err := w.login("anna", goodPassword)
		w.refused(err, study.Unauthenticated)
	}
	for range 5 {
		_, err := w.Login(t.Context(), Credentials{Username: "anna", Password: goodPassword, TOTP: "000000"})
		w.refused(err, study.Unauthenticated)
	}
	_, err = w.login("anna", goodPassword)
	waitOf(t, err)
}

func TestWithAMandatorySecondFactorTheFirstCodeConfirms(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleAnalyst)
	strict := w.process(w.store, Options{SecondFactor: true})
	login := func(code string) error {
		return second(strict.Login(t.Context(), Credentials{Username: "anna", Password: goodPassword, TOTP: code}))
	}
	w.refused(login(""), study.Forbidden)
	app, err := strict.EnableTOTP(t.Context(), staff.ID)
	w.must(err)
	if err := login(""); !hasField(err, "totp") {
		t.Errorf("got %v", err)
	}
	w.refused(login("000000"), study.Unauthenticated)
	w.must(login(w.oneTime(app)))
	w.clock.pass(time.Minute)
	err = second(w.login("anna", goodPassword))
	if !hasField(err, "totp") {
		t.Errorf("it is not confirmed: %v", err)
	}
}

// RFC 6238, appendix B, in SHA-1 with six of the eight digits.
func TestOneTimeCodesAreThoseOfTheStandard(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // "12345678901234567890" in Base 32
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if step, ok, err := matchTOTP(secret, code, time.Unix(at, 0)); !ok || err != nil || step != uint64(at)/30 {
			t.Errorf("at %d: %v, %v", at, ok, err)
		}
	}
}

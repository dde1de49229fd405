package auth

import (
	"errors"
	"testing"
	"time"

	"epro/store/storetest"
	"epro/study"
)

// requests are what people ask for, each made ready on a store that works;
// what comes back can be repeated as a client would.
var requests = map[string]func(w *world) func(a *Auth) error{
	"enrol": func(w *world) func(*Auth) error {
		w.phone(w.participant())
		e := Enrolment{Code: w.code(w.participant(), true), AttemptID: uuid(1), Address: "192.0.2.1"}
		return func(a *Auth) error { return second(a.Enrol(w.t.Context(), e)) }
	},
	"first firebase sign-in": func(w *world) func(*Auth) error {
		w.phone(w.participant())
		f := FirebaseSignIn{IDToken: "token of mei", Code: w.code(w.participant(), true), Address: "192.0.2.1"}
		return func(a *Auth) error { return second(a.SignInByFirebase(w.t.Context(), f)) }
	},
	"firebase sign-in": func(w *world) func(*Auth) error {
		w.must(second(w.firebase("mei", w.code(w.participant(), false))))
		f := FirebaseSignIn{IDToken: "token of mei", Address: "192.0.2.1"}
		return func(a *Auth) error { return second(a.SignInByFirebase(w.t.Context(), f)) }
	},
	"login": func(w *world) func(*Auth) error {
		w.account("anna", study.RoleAnalyst)
		c := Credentials{Username: "anna", Password: goodPassword, Address: "192.0.2.1"}
		return func(a *Auth) error { return second(a.Login(w.t.Context(), c)) }
	},
	"refresh": func(w *world) func(*Auth) error {
		w.account("anna", study.RoleAnalyst)
		s, err := w.login("anna", goodPassword)
		w.must(err)
		return func(a *Auth) error { return second(a.Refresh(w.t.Context(), s.RefreshToken, "")) }
	},
	"verify": func(w *world) func(*Auth) error {
		w.account("anna", study.RoleAnalyst)
		s, err := w.login("anna", goodPassword)
		w.must(err)
		return func(a *Auth) error { return second(a.Verify(w.t.Context(), s.AccessToken)) }
	},
	"logout": func(w *world) func(*Auth) error {
		s := w.phone(w.participant())
		return func(a *Auth) error {
			return errors.Join(a.Logout(w.t.Context(), s.RefreshToken), a.LogoutSession(w.t.Context(), s.AccessToken))
		}
	},
	"issue": func(w *world) func(*Auth) error {
		id, r := w.participant(), study.Request{By: w.site, EventID: study.EventID(uuid(2))}
		return func(a *Auth) error { return second(a.IssueCode(w.t.Context(), r, id, false)) }
	},
	"create": func(w *world) func(*Auth) error {
		r := study.Request{By: w.admin, EventID: study.EventID(uuid(3))}
		c := study.CreateStaff{Username: "new", Rights: study.Rights{Role: study.RoleAnalyst}}
		return func(a *Auth) error {
			_, password, err := a.CreateStaff(w.t.Context(), r, c, "")
			if err == nil {
				_, err = w.login("new", password)
			}
			return err
		}
	},
	"reset": func(w *world) func(*Auth) error {
		staff, r := w.account("anna", study.RoleAnalyst), study.Request{By: w.admin, EventID: study.EventID(uuid(4))}
		old, err := w.login("anna", goodPassword)
		w.must(err)
		w.clock.pass(time.Second)
		return func(a *Auth) error {
			password, err := a.ResetPassword(w.t.Context(), r, staff.ID, "")
			if err == nil {
				w.clock.pass(trust)
				w.works(w.Auth, old, false)
				_, err = w.login("anna", password)
			}
			return err
		}
	},
	"setup": func(w *world) func(*Auth) error {
		return func(a *Auth) error {
			token, err := a.SetupToken(w.t.Context())
			if token == "" || err != nil {
				return err
			}
			return second(a.Setup(w.t.Context(), token, "root", goodPassword, "192.0.2.1"))
		}
	},
	"end": func(w *world) func(*Auth) error {
		s := w.phone(w.participant())
		return func(a *Auth) error { return a.EndSessions(w.t.Context(), s.Participant.Stream()) }
	},
	"rotate": func(w *world) func(*Auth) error { return func(a *Auth) error { return a.Rotate(w.t.Context()) } },
}

// At whatever step the store fails, the answer is that it failed, and the same
// request again does what was asked.
func TestAStoreThatFailsAtAnyStepReadsAsUnavailable(t *testing.T) {
	for name, prepare := range requests {
		for _, mode := range []string{"before", "after", "down"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				n := int64(1)
				for failsAt(t, prepare, mode, n) {
					n++
				}
				if n < 3 {
					t.Errorf("only %d calls were made to fail", n-1)
				}
			})
		}
	}
}

// failsAt makes a request whose n-th call fails, then the same again; it
// reports whether there was such a call.
func failsAt(t *testing.T, prepare func(*world) func(*Auth) error, mode string, n int64) bool {
	t.Helper()
	w := newWorld(t)
	request := prepare(w)
	store := &failing{Store: w.store, mode: mode}
	a := w.process(store, Options{})
	store.failAt = store.count() + n
	err := request(a)
	if store.count() < store.failAt {
		w.must(err)
		return false
	}
	if err != nil && study.CodeOf(err) != study.Unavailable {
		t.Errorf("call %d: %v", n, err)
	}
	store.failAt = 0
	if err := request(a); err != nil {
		t.Errorf("after call %d failed: %v", n, err)
	}
	return true
}

func TestABrokenStoreReadsAsUnavailable(t *testing.T) {
	w := newWorld(t)
	_, err := w.tryProcess(storetest.Broken(), Options{})
	w.refused(err, study.Unavailable)
	for name, prepare := range requests {
		w := newWorld(t)
		request := prepare(w)
		a := w.process(w.store, Options{})
		a.store, a.study = storetest.Broken(), study.NewService(storetest.Broken(), w.clock.now, w.newID)
		if err := request(a); study.CodeOf(err) != study.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnErrorWithoutACodeIsUnavailable(t *testing.T) {
	err := storeError(errors.New("dial tcp: driver text"))
	if study.CodeOf(err) != study.Unavailable || message(err) == "" {
		t.Error(err)
	}
	if storeError(nil) != nil || !errors.Is(storeError(errDown), errDown) {
		t.Error("other errors change")
	}
}

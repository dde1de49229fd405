package auth

import (
	"context"
	"strings"
	"testing"
	"time"

	"epro/study"
)

// users believes tokens that name their user; package auth/firebase checks real
// ones, in its own tests.
type users struct{}

// User reads "token of NAME".
func (users) User(_ context.Context, idToken string) (string, error) {
	name, ok := strings.CutPrefix(idToken, "token of ")
	if !ok {
		return "", study.Fail(study.Unauthenticated, "This sign-in is not valid any more. Sign in again in the app.")
	}
	if name == "nobody can ask" {
		return "", study.Fail(study.Unavailable, "Try again in a moment.")
	}
	return "epro-test/" + name, nil
}

// firebase signs a user in, with a code or without.
func (w *world) firebase(user, code string) (Session, error) {
	return w.SignInByFirebase(w.t.Context(), FirebaseSignIn{IDToken: "token of " + user, Code: code, Address: "192.0.2.1"})
}

func TestACodeBindsAFirebaseUserOnceAndThenTheTokenIsEnough(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	_, err := w.firebase("mei", "")
	w.refused(err, study.Unauthenticated)
	code := w.code(id, false)
	first, err := w.firebase("mei", code)
	w.must(err)
	w.clock.pass(400 * day)
	later, err := w.firebase("mei", "")
	w.must(err)
	for _, s := range []Session{first, later} {
		if s.Participant != id || s.Staff != nil {
			t.Errorf("got %+v", s)
		}
	}
	if first.RefreshToken == later.RefreshToken {
		t.Error("two sign-ins got one session")
	}
	actor, err := w.Verify(t.Context(), later.AccessToken)
	w.must(err)
	if actor.Role != study.RoleParticipant || actor.Participant != id {
		t.Errorf("got %+v", actor)
	}
	_, err = w.firebase("another", code)
	w.refused(err, study.Unauthenticated)
	_, err = w.firebase("another", "")
	w.refused(err, study.Unauthenticated)
	if strings.Contains(w.everything(), "mei") {
		t.Error("the store names the Firebase user")
	}
}

func TestALostAnswerToTheFirstSignInIsRepeated(t *testing.T) {
	w := newWorld(t)
	code := w.code(w.participant(), false)
	first, err := w.firebase("mei", code)
	w.must(err)
	w.clock.pass(23 * time.Hour)
	again, err := w.firebase("mei", code)
	w.must(err)
	if again.RefreshToken != first.RefreshToken {
		t.Error("the same user with the same code got another session")
	}
	w.clock.pass(time.Hour)
	_, err = w.firebase("mei", code)
	w.refused(err, study.Unauthenticated)
}

func TestAFirebaseUserIsOneParticipant(t *testing.T) {
	w := newWorld(t)
	w.must(second(w.firebase("mei", w.code(w.participant(), false))))
	other := w.participant()
	code := w.code(other, false)
	_, err := w.firebase("mei", code)
	w.refused(err, study.Conflict)
	s, err := w.enrol(code, "") // the code was not used up
	w.must(err)
	if s.Participant != other {
		t.Errorf("got %+v", s)
	}
}

func TestAnotherPhoneTakesTheFirebaseUsersPlace(t *testing.T) {
	for name, replace := range map[string]func(*world, string) (Session, error){
		"by code":     func(w *world, code string) (Session, error) { return w.enrol(code, "") },
		"by firebase": func(w *world, code string) (Session, error) { return w.firebase("new", code) },
	} {
		w := newWorld(t)
		id := w.participant()
		old, err := w.firebase("old", w.code(id, false))
		w.must(err)
		w.clock.pass(time.Hour)
		s, err := replace(w, w.code(id, true))
		w.must(err)
		w.works(w.Auth, s, true)
		w.works(w.process(w.store, Options{}), old, false)
		if _, err = w.firebase("old", ""); study.CodeOf(err) != study.Unauthenticated {
			t.Errorf("%s: the old user signs in: %v", name, err)
		}
	}
	w := newWorld(t)
	id := w.participant()
	w.must(second(w.firebase("mei", w.code(id, false))))
	w.must(second(w.firebase("mei", w.code(id, true)))) // the same user, a new phone
	w.must(second(w.firebase("mei", "")))
}

func TestWhoHasLeftOpensNoSessionByFirebaseUntilThatIsRetracted(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	running, err := w.firebase("mei", w.code(id, false))
	w.must(err)
	on := study.PartialDate(study.DateOf(w.clock.now()).String())
	done, err := w.study.Do(t.Context(), w.by(w.site), id, study.RecordFact{Kind: study.FactWithdrawn, On: on, Level: study.LevelTrial, Reason: "moved away"})
	w.must(err)
	_, err = w.firebase("mei", "")
	w.refused(err, study.Unauthenticated)
	w.works(w.Auth, running, true) // a form that was filled before may still arrive
	w.must(second(w.study.Do(t.Context(), w.by(w.site), id, study.RetractFact{Seq: done.After.Seq, Reason: "wrong person"})))
	w.must(second(w.firebase("mei", "")))
}

func TestEndingSessionsEndsTheFirebaseUserToo(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	w.must(second(w.firebase("mei", w.code(id, false))))
	w.must(w.EndSessions(t.Context(), id.Stream()))
	_, err := w.firebase("mei", "")
	w.refused(err, study.Unauthenticated)
}

func TestABindingEndsWithTheYear(t *testing.T) {
	w := newWorld(t)
	w.must(second(w.firebase("mei", w.code(w.participant(), false))))
	w.clock.pass(participantLifetime.absolute)
	_, err := w.firebase("mei", "")
	w.refused(err, study.Unauthenticated)
}

func TestGuessingByFirebaseIsCountedAndOutagesAreNot(t *testing.T) {
	w := newWorld(t)
	for range 30 {
		_, err := w.firebase("nobody can ask", "")
		w.refused(err, study.Unavailable)
	}
	_, err := w.firebase("mei", "00000-00000-1")
	w.refused(err, study.Invalid)
	for range 20 {
		_, err = w.firebase("mei", "")
		w.refused(err, study.Unauthenticated)
	}
	_, err = w.firebase("mei", "")
	w.refused(err, study.TooMany)
	_, err = w.enrol(w.code(w.participant(), false), "")
	w.refused(err, study.TooMany) // the two doors share one count
}

func TestATokenThatIsNoneIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"", "role=admin", strings.Repeat("a", maxIDToken+1)} {
		_, err := w.SignInByFirebase(t.Context(), FirebaseSignIn{IDToken: token, Address: "192.0.2.1"})
		w.refused(err, study.Unauthenticated)
	}
}

func TestWithoutTheSettingNobodySignsInByFirebase(t *testing.T) {
	w := newWorld(t)
	w.users = nil
	_, err := w.firebase("mei", w.code(w.participant(), false))
	w.refused(err, study.NotFound)
}

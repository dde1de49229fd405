package auth

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func TestARefreshGivesANewPair(t *testing.T) {
	w := newWorld(t)
	s := w.phone(w.participant())
	w.clock.pass(time.Hour)
	w.works(w.Auth, s, false)
	next, err := w.Refresh(t.Context(), s.RefreshToken, "")
	w.must(err)
	if next.RefreshToken == s.RefreshToken || next.Participant != s.Participant || next.ExpiresIn != 600 {
		t.Errorf("got %+v", next)
	}
	w.works(w.Auth, next, true)
}

func TestFiftyParallelRefreshesGiveOneSuccessor(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	desk, err := w.login("anna", goodPassword)
	w.must(err)
	other := w.process(w.store, Options{})
	for _, s := range []Session{w.phone(w.participant()), desk} {
		var wg sync.WaitGroup
		tokens := make([]string, 50)
		for i := range tokens {
			wg.Go(func() {
				next, err := []*Auth{w.Auth, other}[i%2].Refresh(t.Context(), s.RefreshToken, "")
				if err != nil {
					t.Error(err)
				}
				tokens[i] = next.RefreshToken
			})
		}
		wg.Wait()
		for _, token := range tokens {
			if token != tokens[0] || token == s.RefreshToken {
				t.Fatal("the successors differ")
			}
		}
		next, err := w.Refresh(t.Context(), tokens[0], "")
		w.must(err)
		w.works(w.Auth, next, true)
	}
}

// steal plays a token that two people hold: the first of them refreshes it and
// uses what came of it, then the second comes.
func TestAStolenTokenEndsTheFamilyInEitherOrder(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	desk, err := w.login("anna", goodPassword)
	w.must(err)
	for _, s := range []Session{w.phone(w.participant()), desk} {
		first, err := w.Refresh(t.Context(), s.RefreshToken, "")
		w.must(err)
		second, err := w.Refresh(t.Context(), first.RefreshToken, "")
		w.must(err)
		w.works(w.Auth, second, true)
		_, err = w.Refresh(t.Context(), s.RefreshToken, "203.0.113.9")
		w.refused(err, study.Unauthenticated)
		w.works(w.Auth, second, false) // whoever of the two it is
		for _, token := range []string{s.RefreshToken, first.RefreshToken, second.RefreshToken} {
			_, err = w.Refresh(t.Context(), token, "")
			w.refused(err, study.Unauthenticated)
		}
	}
}

func TestALostAnswerIsGivenAgain(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	phone := w.phone(w.participant())
	lost, err := w.Refresh(t.Context(), phone.RefreshToken, "")
	w.must(err)
	w.clock.pass(60 * day)
	again, err := w.Refresh(t.Context(), phone.RefreshToken, "")
	w.must(err)
	if again.RefreshToken != lost.RefreshToken {
		t.Error("the phone got another successor")
	}
	desk, err := w.login("anna", goodPassword)
	w.must(err)
	lost, err = w.Refresh(t.Context(), desk.RefreshToken, "")
	w.must(err)
	w.clock.pass(60 * time.Second)
	again, err = w.Refresh(t.Context(), desk.RefreshToken, "")
	w.must(err)
	if again.RefreshToken != lost.RefreshToken {
		t.Error("staff got another successor")
	}
	w.clock.pass(time.Millisecond)
	_, err = w.Refresh(t.Context(), desk.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
	_, err = w.Refresh(t.Context(), lost.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
}

func TestSessionsEndWhenNobodyRefreshesThemAndInTheEnd(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	desk := func() Session {
		s, err := w.login("anna", goodPassword)
		w.must(err)
		return s
	}
	for _, c := range []struct {
		begin func() Session
		life  lifetime
	}{{func() Session { return w.phone(w.participant()) }, lifetime{90 * day, 600 * day}}, {desk, lifetime{12 * time.Hour, 24 * time.Hour}}} {
		began, token := w.clock.now(), c.begin().RefreshToken
		for step := c.life.sliding - time.Millisecond; ; {
			if w.clock.pass(step); w.clock.now().Sub(began) >= c.life.absolute {
				break
			}
			_, err := w.store.PurgeRecords(t.Context(), w.clock.now())
			w.must(err)
			next, err := w.Refresh(t.Context(), token, "")
			w.must(err)
			token = next.RefreshToken
			if left := began.Add(c.life.absolute).Sub(w.clock.now()); time.Duration(next.ExpiresIn)*time.Second > left+time.Second {
				t.Errorf("an access token outlives its session by %d s", next.ExpiresIn)
			}
		}
		_, err := w.Refresh(t.Context(), token, "")
		w.refused(err, study.Unauthenticated)
	}
	s := w.phone(w.participant())
	w.clock.pass(90 * day)
	_, err := w.Refresh(t.Context(), s.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
}

func TestAPurgeNeverMakesAUsedTokenGoodAgain(t *testing.T) {
	w := newWorld(t)
	s := w.phone(w.participant())
	old := s.RefreshToken
	next, err := w.Refresh(t.Context(), old, "")
	w.must(err)
	for range 12 {
		w.clock.pass(29 * day)
		_, err := w.store.PurgeRecords(t.Context(), w.clock.now())
		w.must(err)
		next, err = w.Refresh(t.Context(), next.RefreshToken, "")
		w.must(err)
	}
	_, err = w.Refresh(t.Context(), old, "") // expired, so it proves no theft
	w.refused(err, study.Unauthenticated)
	w.works(w.Auth, next, true)
}

func TestATokenThatIsNotOursIsRefused(t *testing.T) {
	w := newWorld(t)
	s := w.phone(w.participant())
	good, err := base64.RawURLEncoding.DecodeString(s.RefreshToken)
	w.must(err)
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		_, err := w.Refresh(t.Context(), base64.RawURLEncoding.EncodeToString(bad), "")
		w.refused(err, study.Unauthenticated)
	}
	elsewhere := &Auth{secrets: w.secrets}
	elsewhere.secrets.refresh[0] ^= 1
	id, g, _ := w.readRefreshToken(s.RefreshToken)
	for _, token := range []string{"", "x", strings.Repeat("\n", len(s.RefreshToken)), s.RefreshToken[1:] + "\n", s.AccessToken, s.RefreshToken + "A", s.RefreshToken[1:], elsewhere.refreshToken(id, g)} {
		_, err := w.Refresh(t.Context(), token, "")
		w.refused(err, study.Unauthenticated)
		w.must(w.Logout(t.Context(), token))
	}
	_, err = w.Refresh(t.Context(), s.RefreshToken, "")
	w.must(err)
}

func TestSigningOutEndsTheFamily(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	one, two, three := w.phone(id), w.phone(id), w.phone(id)
	w.must(w.Logout(t.Context(), one.RefreshToken))
	w.must(w.Logout(t.Context(), one.RefreshToken))
	w.works(w.Auth, one, false)
	w.works(w.Auth, two, true)
	w.clock.pass(time.Hour) // the access token has expired, the person is leaving all the same
	w.must(w.LogoutSession(t.Context(), two.AccessToken))
	w.must(w.LogoutSession(t.Context(), "nonsense"))
	_, err := w.Refresh(t.Context(), two.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
	w.must(w.EndSessions(t.Context(), id.Stream()))
	_, err = w.Refresh(t.Context(), three.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
}

func TestAnotherProcessLearnsOfTheEndWithinFiveSeconds(t *testing.T) {
	w := newWorld(t)
	other := w.process(w.store, Options{})
	s := w.phone(w.participant())
	w.works(w.Auth, s, true)
	w.works(other, s, true)
	w.must(w.Logout(t.Context(), s.RefreshToken))
	w.works(w.Auth, s, false)
	w.clock.pass(5 * time.Second)
	w.works(other, s, false)
	w.clock.pass(-time.Minute) // a clock that is set back revives nobody
	w.works(w.Auth, s, false)
	w.works(other, s, false)
}

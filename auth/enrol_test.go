package auth

import (
	"strings"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func TestACodeGivesAPhoneItsParticipant(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	s, err := w.enrol(w.code(id, false), uuid(1))
	w.must(err)
	if s.Participant != id || s.TokenType != "Bearer" || s.ExpiresIn != 600 || s.Staff != nil {
		t.Errorf("got %+v", s)
	}
	actor, err := w.Verify(t.Context(), s.AccessToken)
	w.must(err)
	if actor.Role != study.RoleParticipant || actor.Participant != id {
		t.Errorf("got %+v", actor)
	}
	p, err := w.study.Participant(t.Context(), actor, id)
	w.must(err)
	if p.BoundAt.IsZero() {
		t.Error("the record does not say that the phone was bound")
	}
}

func TestACodeWorksOnceButForTheSameAttempt(t *testing.T) {
	w := newWorld(t)
	code := w.code(w.participant(), false)
	first, err := w.enrol(code, uuid(1))
	w.must(err)
	w.clock.pass(23 * time.Hour)
	again, err := w.enrol(strings.ToLower(code), strings.ToUpper(uuid(1)))
	w.must(err)
	if again.RefreshToken != first.RefreshToken {
		t.Error("the same attempt got another session")
	}
	next, err := w.Refresh(t.Context(), first.RefreshToken, "")
	w.must(err)
	if again, err = w.enrol(code, uuid(1)); err != nil || again.RefreshToken != next.RefreshToken {
		t.Errorf("after a refresh the attempt did not get the current token: %v", err)
	}
	_, err = w.enrol(code, uuid(2))
	w.refused(err, study.Unauthenticated)
	_, err = w.enrol(code, "")
	w.refused(err, study.Unauthenticated)
	w.clock.pass(time.Hour)
	_, err = w.enrol(code, uuid(1))
	w.refused(err, study.Unauthenticated)
}

func TestTheSameAttemptDoesNotReviveASessionThatWasEnded(t *testing.T) {
	w := newWorld(t)
	code := w.code(w.participant(), false)
	s, err := w.enrol(code, uuid(1))
	w.must(err)
	w.must(w.Logout(t.Context(), s.RefreshToken))
	_, err = w.enrol(code, uuid(1))
	w.refused(err, study.Unauthenticated)
	w.works(w.Auth, s, false)
}

func TestNobodyLearnsWhyACodeCannotBeUsed(t *testing.T) {
	w := newWorld(t)
	used, expired, replaced := w.participant(), w.participant(), w.participant()
	usedCode, expiredCode, replacedCode := w.code(used, false), w.code(expired, false), w.code(replaced, false)
	w.code(replaced, false)
	_, err := w.enrol(usedCode, uuid(1))
	w.must(err)
	unknown := codeFrom(mac([32]byte{9}, "unknown"))
	var texts []string
	try := func(code string) {
		_, err := w.enrol(code, uuid(2))
		w.refused(err, study.Unauthenticated)
		texts = append(texts, err.Error())
	}
	try(usedCode)
	try(replacedCode)
	try(unknown)
	w.clock.pass(codeLifetime)
	try(expiredCode)
	try(usedCode)
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%q is not %q", text, texts[0])
		}
	}
}

func TestACodeLastsTwentyOneDays(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	c, err := w.IssueCode(t.Context(), w.by(w.site), id, false)
	w.must(err)
	if !c.ExpiresAt.Equal(w.clock.now().Add(21 * 24 * time.Hour)) {
		t.Errorf("it expires at %v", c.ExpiresAt)
	}
	w.clock.pass(21*24*time.Hour - time.Millisecond)
	_, err = w.store.PurgeRecords(t.Context(), w.clock.now())
	w.must(err)
	_, err = w.enrol(c.Code, uuid(1))
	w.must(err)
	w.clock.pass(time.Hour)
	_, err = w.store.PurgeRecords(t.Context(), w.clock.now())
	w.must(err)
	if _, err = w.enrol(c.Code, uuid(1)); err != nil {
		t.Errorf("the phone that used it on the last day cannot ask again: %v", err)
	}
}

func TestARepeatedRequestGivesTheSameCode(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	r := study.Request{By: w.site, EventID: "20000000-0000-4000-8000-000000000001"}
	one, err := w.IssueCode(t.Context(), r, id, true)
	w.must(err)
	w.clock.pass(time.Minute)
	two, err := w.IssueCode(t.Context(), r, id, true)
	w.must(err)
	if one != two {
		t.Errorf("%v, then %v", one, two)
	}
	w.code(id, false)
	_, err = w.IssueCode(t.Context(), r, id, true)
	w.refused(err, study.Conflict)
}

func TestOnlyTheSiteGetsACodeEvenByRepeatingARequest(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	r := study.Request{By: w.site, EventID: "20000000-0000-4000-8000-000000000001"}
	_, err := w.IssueCode(t.Context(), r, id, false)
	w.must(err)
	for actor, want := range map[study.Role]study.Code{
		study.RoleMonitor: study.Forbidden, study.RoleAnalyst: study.Forbidden, study.RoleAdmin: study.Forbidden,
		study.RoleParticipant: study.Forbidden, study.RoleCoordinator: study.NotFound,
	} {
		r.By = study.Actor{Role: actor, Staff: "x", Participant: id, Sites: []study.SiteCode{"S02"}}
		_, err := w.IssueCode(t.Context(), r, id, false)
		w.refused(err, want)
	}
}

func TestAReplacingCodeEndsEarlierSessionsWhenItIsUsed(t *testing.T) {
	w := newWorld(t)
	id, other := w.participant(), w.participant()
	lost, bystander := w.phone(id), w.phone(other)
	code := w.code(id, true)
	w.works(w.Auth, lost, true)
	w.clock.pass(time.Second)
	replacement, err := w.enrol(code, uuid(1))
	w.must(err)
	w.works(w.Auth, lost, false)
	w.works(w.Auth, replacement, true)
	w.works(w.Auth, bystander, true)
	_, err = w.Refresh(t.Context(), lost.RefreshToken, "")
	w.refused(err, study.Unauthenticated)

	w.clock.pass(time.Second)
	second := w.phone(id)
	_, err = w.enrol(code, uuid(1))
	w.must(err)
	w.works(w.Auth, second, true) // repeating the attempt ends nothing that came later
}

func TestOneOfManyPhonesGetsTheCode(t *testing.T) {
	w := newWorld(t)
	code := w.code(w.participant(), false)
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = w.Enrol(t.Context(), Enrolment{Code: code, AttemptID: uuid(i), Address: "192.0.2." + string(rune('1'+i%9))})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if study.CodeOf(err) != study.Unauthenticated {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d phones got a session", won)
	}
}

func TestAnAttemptIsAUUID(t *testing.T) {
	w := newWorld(t)
	code := w.code(w.participant(), false)
	for _, id := range []string{"1", strings.Repeat("x", 36), uuid(1) + "0", strings.ReplaceAll(uuid(1), "-", "0")} {
		_, err := w.enrol(code, id)
		w.refused(err, study.Invalid)
		if !hasField(err, "attempt_id") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestASessionOutlivesTheParticipantsTimeInTheStudy(t *testing.T) {
	w := newWorld(t)
	id := w.participant()
	s := w.phone(id)
	on := study.PartialDate(study.DateOf(w.clock.now()).String())
	withdrawal := study.RecordFact{Kind: study.FactWithdrawn, On: on, Level: study.LevelTrial, Reason: "moved away"}
	w.must(second(w.study.Do(t.Context(), w.by(w.site), id, withdrawal)))
	w.works(w.Auth, s, true) // a form that was filled before may still arrive
	s, err := w.Refresh(t.Context(), s.RefreshToken, "")
	w.must(err)
	w.works(w.Auth, s, true)
	_, err = w.IssueCode(t.Context(), w.by(w.site), id, false)
	w.refused(err, study.NotExpected)
}

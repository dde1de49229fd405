package auth

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"epro/study"
)

func TestStaffSignInWithNameAndPassword(t *testing.T) {
	w := newWorld(t)
	staff := w.account("Anna.K", study.RoleCoordinator)
	s, err := w.login(" anna.k ", goodPassword)
	w.must(err)
	if s.Staff == nil || s.Staff.ID != staff.ID || s.Participant != "" {
		t.Errorf("got %+v", s)
	}
	actor, err := w.Verify(t.Context(), s.AccessToken)
	w.must(err)
	if actor.Role != study.RoleCoordinator || actor.Staff != staff.ID || len(actor.Sites) != 1 {
		t.Errorf("got %+v", actor)
	}
}

func TestNobodyLearnsWhyASignInFailed(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	gone := w.account("gone", study.RoleAnalyst)
	_, err := w.study.ChangeStaff(t.Context(), w.by(w.admin), gone.ID, study.StaffChanged{Rights: gone.Rights, Disabled: true})
	w.must(err)
	var texts []string
	for _, c := range []Credentials{{Username: "anna", Password: "wrong"}, {Username: "nobody", Password: goodPassword},
		{Username: "gone", Password: goodPassword}, {Username: "anna", Password: strings.Repeat("x", 1<<16)}, {}} {
		_, err := w.Login(t.Context(), c)
		w.refused(err, study.Unauthenticated)
		texts = append(texts, err.Error())
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%q is not %q", text, texts[0])
		}
	}
}

func TestRightsAreThoseOfTheRecordAtEachRequest(t *testing.T) {
	w := newWorld(t)
	staff := w.account("anna", study.RoleCoordinator)
	s, err := w.login("anna", goodPassword)
	w.must(err)
	change := func(c study.StaffChanged) {
		_, err := w.study.ChangeStaff(t.Context(), w.by(w.admin), staff.ID, c)
		w.must(err)
	}
	change(study.StaffChanged{Rights: study.Rights{Role: study.RoleAnalyst}})
	if actor, err := w.Verify(t.Context(), s.AccessToken); err != nil || actor.Role != study.RoleAnalyst || actor.Sites != nil {
		t.Errorf("got %+v, %v", actor, err)
	}
	monitor := study.Rights{Role: study.RoleMonitor, Sites: []study.SiteCode{"S01"}, AccessUntil: study.DateOf(w.clock.now())}
	change(study.StaffChanged{Rights: monitor})
	w.works(w.Auth, s, true)
	change(study.StaffChanged{Rights: monitor, Disabled: true})
	w.works(w.Auth, s, false)
	_, err = w.Refresh(t.Context(), s.RefreshToken, "")
	w.refused(err, study.Unauthenticated)
	change(study.StaffChanged{Rights: monitor})
	w.works(w.Auth, s, false) // a session that was refused stays dead
	s, err = w.login("anna", goodPassword)
	w.must(err)
	w.clock.pass(17 * time.Hour) // into the day after the grant
	w.works(w.Auth, s, false)
}

func TestNothingThatIsLoggedOrStoredShowsASecret(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	s, err := w.login("anna", goodPassword)
	w.must(err)
	code, err := w.IssueCode(t.Context(), w.by(w.site), w.participant(), false)
	w.must(err)
	phone, err := w.enrol(code.Code, uuid(1))
	w.must(err)
	app, err := w.EnableTOTP(t.Context(), s.Staff.ID)
	w.must(err)
	_, err = w.login("my very secret password", "x")
	w.refused(err, study.Unauthenticated)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "session", s, "phone", phone, "code", code, "app", app,
		"credentials", Credentials{Username: "anna", Password: goodPassword, TOTP: "123456"}, "enrolment", Enrolment{Code: code.Code, AttemptID: uuid(1)})
	bare := strings.ReplaceAll(code.Code, "-", "")
	for _, secret := range []string{s.AccessToken, s.RefreshToken, phone.AccessToken, phone.RefreshToken, code.Code, bare, bare[:10],
		goodPassword, app.Secret, "123456", "my very secret"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, &log)
		}
		if strings.Contains(w.everything(), secret) {
			t.Errorf("%q is in the store", secret)
		}
	}
}

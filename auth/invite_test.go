package auth

import (
	"testing"
	"time"

	"epro/study"
)

func because(by study.Actor) study.Request { return study.Request{By: by, Reason: "her phone is lost"} }

func TestALetterIsTheOnlyWayInToAnAccountAndWorksOnce(t *testing.T) {
	w := newWorld(t)
	made, err := w.InviteStaff(t.Context(), because(w.admin), analyst)
	w.must(err)
	_, err = w.login("anna", goodPassword)
	w.refused(err, study.Unauthenticated)
	_, err = w.Join(t.Context(), made.Code, "short", "192.0.2.1")
	w.refused(err, study.Invalid) // the code is not used up by that
	joined, err := w.Join(t.Context(), made.Code, goodPassword, "192.0.2.1")
	w.must(err)
	if joined.ID != made.Staff.ID {
		t.Errorf("the code opened %s", joined.ID)
	}
	_, err = w.login("anna", goodPassword)
	w.must(err)
	_, err = w.Join(t.Context(), made.Code, goodPassword+" again", "192.0.2.1")
	w.refused(err, study.Unauthenticated)
	_, err = w.login("anna", goodPassword)
	w.must(err)
}

func TestALetterShutsTheOldWaysIn(t *testing.T) {
	w := newWorld(t)
	staff, _, err := w.CreateStaff(t.Context(), w.by(w.admin), analyst, goodPassword)
	w.must(err)
	w.must(second(w.EnableTOTP(t.Context(), staff.ID)))
	w.must(second(w.NewRecoveryCodes(t.Context(), staff.ID)))
	session, err := w.login("anna", goodPassword)
	w.must(err)
	first, err := w.Invite(t.Context(), because(w.admin), staff.ID)
	w.must(err)
	_, err = w.Refresh(t.Context(), session.RefreshToken, "192.0.2.1")
	w.refused(err, study.Unauthenticated)
	_, err = w.login("anna", goodPassword)
	w.refused(err, study.Unauthenticated)
	if n, err := w.RecoveryCodesLeft(t.Context(), staff.ID); err != nil || n != 0 {
		t.Errorf("%d recovery codes are left, %v", n, err)
	}
	second, err := w.Invite(t.Context(), because(w.admin), staff.ID)
	w.must(err)
	_, err = w.Join(t.Context(), first.Code, goodPassword, "192.0.2.1")
	w.refused(err, study.Unauthenticated)
	w.clock.pass(invitationLifetime - time.Second)
	_, err = w.ResetPassword(t.Context(), w.by(w.admin), staff.ID, "another good password")
	w.must(err)
	_, err = w.Join(t.Context(), second.Code, goodPassword, "192.0.2.1") // a newer password has taken its place
	w.refused(err, study.Unauthenticated)
	third, err := w.Invite(t.Context(), because(w.admin), staff.ID)
	w.must(err)
	w.clock.pass(invitationLifetime)
	_, err = w.Join(t.Context(), third.Code, goodPassword, "192.0.2.1")
	w.refused(err, study.Unauthenticated)
}

func TestALetterIsMadeByAnAdministratorWithAReasonAndOnceForARequest(t *testing.T) {
	w := newWorld(t)
	staff, _, err := w.CreateStaff(t.Context(), w.by(w.admin), analyst, goodPassword)
	w.must(err)
	_, err = w.Invite(t.Context(), because(w.site), staff.ID)
	w.refused(err, study.Forbidden)
	_, err = w.Invite(t.Context(), w.by(w.admin), staff.ID)
	w.refused(err, study.Invalid)
	_, err = w.login("anna", goodPassword) // nothing was done
	w.must(err)
	r := because(w.admin)
	r.EventID = study.EventID(uuid(7))
	made, err := w.Invite(t.Context(), r, staff.ID)
	w.must(err)
	w.must(second(w.Join(t.Context(), made.Code, goodPassword, "192.0.2.1")))
	_, err = w.Invite(t.Context(), r, staff.ID) // the page was loaded again
	w.refused(err, study.Conflict)
	_, err = w.login("anna", goodPassword)
	w.must(err)
	_, err = w.study.ChangeStaff(t.Context(), w.by(w.admin), staff.ID, study.StaffChanged{Rights: staff.Rights, Disabled: true})
	w.must(err)
	_, err = w.Invite(t.Context(), because(w.admin), staff.ID)
	w.refused(err, study.Conflict)
}

func TestAnAdministratorEndsSessionsAndTheRecordSaysSo(t *testing.T) {
	w := newWorld(t)
	staff, _, err := w.CreateStaff(t.Context(), w.by(w.admin), analyst, goodPassword)
	w.must(err)
	for range 3 {
		w.must(second(w.login("anna", goodPassword)))
	}
	open, err := w.Sessions(t.Context(), staff.ID)
	w.must(err)
	w.refused(w.EndStaffSessions(t.Context(), because(w.site), staff.ID, ""), study.Forbidden)
	w.refused(w.EndStaffSessions(t.Context(), w.by(w.admin), staff.ID, ""), study.Invalid)
	w.must(w.EndStaffSessions(t.Context(), because(w.admin), staff.ID, open[0].ID))
	if now, err := w.Sessions(t.Context(), staff.ID); err != nil || len(now) != 2 {
		t.Errorf("%d sessions are open, %v", len(now), err)
	}
	w.must(w.EndStaffSessions(t.Context(), because(w.admin), staff.ID, ""))
	w.must(w.EndStaffSessions(t.Context(), because(w.admin), staff.ID, "")) // none is open: nothing to record
	now, err := w.study.AuditOf(t.Context(), w.admin, staff.ID.Stream(), 0)
	w.must(err)
	var ended []string
	for _, e := range now {
		if e.Type == "sessions_ended" {
			ended = append(ended, string(e.Payload)+e.Reason)
		}
	}
	if len(ended) != 2 || ended[0] != `{"sessions":1}her phone is lost` || ended[1] != `{"sessions":2}her phone is lost` {
		t.Errorf("the record says %q", ended)
	}
}

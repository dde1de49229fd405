package study_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

// allowed is who may do what, one line an action, written here a second time:
// a slip in the code's table shows as a difference.
const allowed = `alerts.acknowledge: coordinator investigator
alerts.read: coordinator investigator monitor
answers.read: coordinator investigator monitor
audit.read: admin monitor
codes.issue: coordinator investigator
contacts.record: coordinator investigator
cycles.record: coordinator investigator
data.export: analyst
deliveries.read: coordinator investigator monitor
devices.count: admin monitor
devices.remove: coordinator investigator
ecog.record: coordinator investigator
facts.record: coordinator investigator
forms.correct: coordinator investigator
forms.decide: coordinator investigator
forms.enter: coordinator investigator
forms.verify: coordinator investigator
forms.void: coordinator investigator
history.read: coordinator investigator monitor
not_done.record: coordinator investigator
own.bind: participant
own.deliveries: participant
own.devices: participant
own.pause: participant
own.read: participant
own.submit: participant
participants.change: coordinator investigator
participants.enrol: coordinator investigator
participants.read: coordinator investigator monitor
participants.transfer: coordinator investigator
protocol.adopt:
questionnaire.read: admin analyst coordinator investigator monitor participant
sites.lock: investigator
sites.manage: admin
sites.read: admin coordinator investigator monitor
staff.manage: admin
study.read: admin analyst coordinator investigator monitor
view.export: coordinator investigator monitor
wording.manage: admin
`

func TestPermissionsAreThoseOfTheTable(t *testing.T) {
	var out strings.Builder
	for _, action := range slices.Sorted(maps.Keys(study.Permissions())) {
		var roles []string
		for _, role := range study.Roles {
			may := study.Actor{Role: role}.May(action)
			if role == study.RoleSystem {
				if !may {
					t.Errorf("the system may not %s", action)
				}
				continue
			}
			if may {
				roles = append(roles, string(role))
			}
		}
		slices.Sort(roles)
		fmt.Fprintln(&out, strings.TrimSpace(string(action)+": "+strings.Join(roles, " ")))
	}
	if out.String() != allowed {
		t.Errorf("got\n%s\nwant\n%s", out.String(), allowed)
	}
	for _, role := range append(study.Roles, "", "root") {
		if a := (study.Actor{Role: role}); a.May("moon.land") {
			t.Errorf("%q may do what there is not", role)
		}
		if known := slices.Contains(study.Roles, role); !known && (study.Actor{Role: role}).May(study.ReadStudy) {
			t.Errorf("%q is no role and may do something", role)
		}
	}
}

// Every command by every role on every record: what the table does not allow
// is forbidden, and what is somebody else's is as if it did not exist.
func TestEveryCommandIsRefusedToWhoMayNotGiveIt(t *testing.T) {
	r := enrolled(t)
	commands := []study.Command{study.SubmitForm{}, study.SubmitForm{ByStaff: true}, study.BindPhone{}, study.IssueCode{}, study.RecordConsent{},
		study.ChangeParticipant{}, study.TransferTo{}, study.RateECOG{}, study.CodeMissing{}, study.JudgeHeld{}, study.CorrectForm{}, study.VoidForm{},
		study.VerifyForm{}, study.RecordFact{}, study.RetractFact{}, study.RecordCycle{},
		study.RecordContact{}, study.PauseReminders{}, study.AcknowledgeAlert{}}
	table := study.Permissions()
	for _, c := range commands {
		action := study.ActionOf(c)
		if _, listed := table[action]; !listed {
			t.Errorf("%T asks for %q, which is not in the table", c, action)
		}
		for _, role := range study.Roles {
			if role == study.RoleSystem {
				continue
			}
			may := slices.Contains(table[action], role)
			own := study.Actor{Role: role, Staff: "x", Participant: personID, Sites: []study.SiteCode{testkit.Site}}
			other := study.Actor{Role: role, Staff: "x", Participant: "somebody", Sites: []study.SiteCode{testkit.OtherSite}}
			_, err := study.Decide(r.p, c, r.situation(own))
			if !may && study.CodeOf(err) != study.Forbidden {
				t.Errorf("%T by %s: %v", c, role, details(err))
			}
			if may && err != nil && (study.CodeOf(err) == study.Forbidden || strings.Contains(err.Error(), "no such participant")) {
				t.Errorf("%T by %s, who may: %v", c, role, details(err))
			}
			_, foreign := study.Decide(r.p, c, r.situation(other))
			_, missing := study.Decide(nil, c, r.situation(other))
			want := study.NotFound
			if !may {
				want = study.Forbidden
			}
			if study.CodeOf(foreign) != want || foreign.Error() != missing.Error() {
				t.Errorf("%T by %s: somebody else's %v, nobody's %v", c, role, foreign, missing)
			}
		}
	}
}

func TestReadingSomebodyElsesRecordIsAsIfItDidNotExist(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	for name, by := range map[string]study.Actor{"another site": f.Elsewhere, "another person": testkit.Phone("x")} {
		got, err := f.Participant(t.Context(), by, p.ID)
		none, missing := f.Participant(t.Context(), by, "nobody")
		if got != nil || none != nil || study.CodeOf(err) != study.NotFound || err.Error() != missing.Error() {
			t.Errorf("%s: %v, %v, %v", name, got, err, missing)
		}
		if events, err := f.Record(t.Context(), by, p.ID, 0); err == nil || events != nil {
			t.Errorf("%s: history: %v", name, err)
		}
	}
	if _, _, err := f.PreviewCycle(t.Context(), f.Elsewhere, p.ID, move(2, cycle1+22, "")); study.CodeOf(err) != study.NotFound {
		t.Error(err)
	}
	for _, by := range []study.Actor{f.Analyst, f.Admin} {
		if got, err := f.Participant(t.Context(), by, p.ID); study.CodeOf(err) != study.Forbidden || got != nil {
			t.Errorf("%s reads a record: %v", by.Role, err)
		}
		if _, _, err := f.Participants(t.Context(), by, study.PeopleQuery{}); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s reads the list: %v", by.Role, err)
		}
	}
	if got, err := f.Participant(t.Context(), testkit.Phone(p.ID), p.ID); err != nil || got.ID != p.ID {
		t.Errorf("her own: %v", err)
	}
	if _, err := f.Record(t.Context(), testkit.Phone(p.ID), p.ID, 0); study.CodeOf(err) != study.Forbidden {
		t.Errorf("her own history: %v", err)
	}
	for _, code := range []study.SiteCode{testkit.OtherSite, "S99"} {
		if _, err := f.Site(t.Context(), f.Coordinator, code); study.CodeOf(err) != study.NotFound {
			t.Errorf("site %s: %v", code, err)
		}
	}
	if _, err := f.LockSite(t.Context(), study.Request{By: f.Investigator}, testkit.OtherSite, true, "x"); study.CodeOf(err) != study.NotFound {
		t.Errorf("lock of another's site: %v", err)
	}
}

func TestAnswersAreReadOnlyByWhomTheProtocolNames(t *testing.T) {
	for roles, want := range map[string][]study.Role{
		"[investigator, monitor]": {study.RoleInvestigator, study.RoleMonitor}, "[coordinator]": {study.RoleInvestigator, study.RoleCoordinator}, "[]": {study.RoleInvestigator},
	} {
		h := historyOf(t, adoption{text: amended(t, "2", "answers_for: [investigator, monitor]", "answers_for: "+roles), adopted: testkit.Start})
		for _, role := range study.Roles {
			if got := h.SeesAnswers(study.Actor{Role: role}); got != (slices.Contains(want, role) || role == study.RoleSystem) {
				t.Errorf("%s: %s sees answers: %v", roles, role, got)
			}
		}
	}
}

func TestHistoryShowsAnswersOnlyToWhoMaySeeThem(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	f.Clock.Set(at(cycle1+21, "10:00"))
	receipt := f.Submit(t, p.ID, "C2D1", 1)
	if _, err := f.Do(t.Context(), study.Request{By: f.Investigator}, p.ID,
		study.CorrectForm{Form: receipt.SubmissionID, Answers: testkit.Answers(2), Cause: study.CauseEntryError, Reason: "x"}); err != nil {
		t.Fatal(details(err))
	}
	for _, c := range []struct {
		by   study.Actor
		sees bool
	}{{f.Investigator, true}, {f.Monitor, true}, {f.Coordinator, false}} {
		events, err := f.Record(t.Context(), c.by, p.ID, 1)
		if err != nil || len(events) != 2 {
			t.Fatalf("%s: %d events, %v", c.by.Role, len(events), err)
		}
		for _, e := range events {
			for _, word := range []string{`"answers"`, `"scores"`, `"skipped"`, `"GP1"`, `"PWB"`} {
				if strings.Contains(string(e.Payload), word) != c.sees {
					t.Errorf("%s reads %s of %s", c.by.Role, word, e.Type)
				}
			}
		}
		if !strings.Contains(string(events[0].Payload), receipt.Digest.String()) {
			t.Errorf("%s does not see the digest", c.by.Role)
		}
	}
}

package study_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"epro/internal/testkit"
	"epro/study"
)

// commander makes random commands: every kind of command, by every kind of
// actor, mostly sensible and sometimes not.
type commander struct {
	newID func() string
	zones []string
}

// actor is mostly one of the site's staff, sometimes somebody who may not.
func (commander) actor(t *rapid.T) study.Actor {
	return rapid.SampledFrom([]study.Actor{
		testkit.Staff(study.RoleCoordinator, "coordinator-1", testkit.Site, testkit.OtherSite),
		testkit.Staff(study.RoleCoordinator, "coordinator-1", testkit.Site, testkit.OtherSite),
		testkit.Staff(study.RoleInvestigator, "investigator-1", testkit.Site, testkit.OtherSite),
		testkit.Staff(study.RoleInvestigator, "investigator-1", testkit.Site, testkit.OtherSite),
		testkit.Staff(study.RoleInvestigator, "investigator-2", testkit.Site, testkit.OtherSite),
		testkit.Staff(study.RoleCoordinator, "coordinator-2", testkit.OtherSite),
		testkit.Staff(study.RoleMonitor, "monitor-1", testkit.Site),
		testkit.Staff(study.RoleAnalyst, "analyst-1"),
	}).Draw(t, "actor")
}

// draw makes a command for this State and moment, and says who gives it.
func (c commander) draw(t *rapid.T, p *study.Participant, now time.Time) (study.Actor, study.Command) {
	by := c.actor(t)
	forms, facts := formsOf(p), p.Facts
	switch kind := rapid.IntRange(0, 25).Draw(t, "command"); kind {
	case 0, 1, 2, 3, 4, 5:
		return testkit.Phone(p.ID), c.phoneForm(t, p, now)
	case 6, 7:
		f := c.phoneForm(t, p, now)
		f.ByStaff, f.SentAt, f.Reason, f.Assistance = true, 0, "on paper", study.AssistanceRead
		f.Mode = rapid.SampledFrom([]study.Mode{study.ModePaper, study.ModeInterview, study.ModeTablet}).Draw(t, "mode")
		return by, f
	case 8, 9, 10:
		n := rapid.IntRange(1, len(p.Cycles)).Draw(t, "n")
		m := move(n, p.Cycles[n-1].StartsOn+study.Date(rapid.IntRange(-10, 25).Draw(t, "by")), "")
		m.Kind = rapid.SampledFrom([]study.CycleKind{"", study.CyclePlanned, study.CycleGiven, study.CycleNotGiven}).Draw(t, "kind")
		m.Confirm = rapid.IntRange(0, 3).Draw(t, "confirm") > 0
		if m.Kind == study.CycleNotGiven {
			m.StartedOn = 0
		}
		return by, m
	case 11:
		return by, c.fact(t, p, now)
	case 12:
		if len(facts) > 0 {
			return by, study.RetractFact{Seq: facts[rapid.IntRange(0, len(facts)-1).Draw(t, "fact")].Seq, Reason: "error"}
		}
		return by, study.RetractFact{Seq: 1, Reason: "error"}
	case 13:
		return by, study.ChangeParticipant{TimeZone: rapid.SampledFrom(c.zones).Draw(t, "zone"), Language: rapid.SampledFrom([]string{"", "zh", "en"}).Draw(t, "language"), Reason: "moved"}
	case 14:
		return by, study.ChangeParticipant{Number: fmt.Sprintf("%03d", rapid.IntRange(1, 4).Draw(t, "number")), Regimen: "eribulin", Reason: "typed wrongly"}
	case 15:
		return by, study.TransferTo{Site: rapid.SampledFrom([]study.SiteCode{testkit.Site, testkit.OtherSite, "S99"}).Draw(t, "site"), On: study.DateOf(now) - 1, Reason: "moved"}
	case 16:
		return c.codes(t, p, by, now)
	case 17:
		return by, study.RateECOG{Visit: c.visit(t, p), ECOG: rapid.IntRange(0, 5).Draw(t, "ecog"), On: study.DateOf(now) - 1}
	case 18:
		return by, study.CodeMissing{Assessment: study.AssessmentFor(p.ID, c.visit(t, p)), Reason: "too_ill", HealthRelated: study.Yes}
	case 19:
		if rapid.IntRange(0, 2).Draw(t, "corrects") == 0 {
			consent := study.Consent{On: study.DateOf(now) - study.Date(rapid.IntRange(0, 30).Draw(t, "consent")), FormVersion: "2.1", Language: "en"}
			return by, study.RecordConsent{Consent: consent, Corrects: rapid.IntRange(1, 2).Draw(t, "which consent"), Reason: "typed wrongly"}
		}
		return by, study.RecordConsent{Consent: study.Consent{On: study.DateOf(now) - 1, FormVersion: "3.0", Language: "en"}}
	case 20:
		id := study.AssessmentFor(p.ID, c.visit(t, p))
		return by, study.RecordContact{Assessment: id, Channel: "phone", Outcome: rapid.SampledFrom(study.ContactOutcomes).Draw(t, "outcome"), Note: "x", NextOn: study.DateOf(now) + 2}
	case 21:
		return testkit.Phone(p.ID), study.PauseReminders{Paused: rapid.Bool().Draw(t, "paused")}
	case 22:
		rule := rapid.SampledFrom([]study.AlertRule{study.AlertMissed, study.AlertMissedInARow, study.AlertPushesFailing}).Draw(t, "rule")
		return by, study.AcknowledgeAlert{Alert: study.AlertID(string(p.ID) + "." + string(rule) + "." + c.visit(t, p)), Note: "looked"}
	case 23:
		f := c.phoneForm(t, p, now) // begun, not sent
		return testkit.Phone(p.ID), study.OpenAssessment{Assessment: f.Assessment, Pack: f.Pack, OpenedAt: f.StartedAt}
	default:
		if len(forms) == 0 {
			return testkit.Phone(p.ID), c.phoneForm(t, p, now)
		}
		return by, c.onForm(t, forms[rapid.IntRange(0, len(forms)-1).Draw(t, "form")].ID)
	}
}

func formsOf(p *study.Participant) []*study.Submission {
	var out []*study.Submission
	for i := range p.Assessments {
		for j := range p.Assessments[i].Submissions {
			out = append(out, &p.Assessments[i].Submissions[j])
		}
	}
	return out
}

func (commander) visit(t *rapid.T, p *study.Participant) string {
	return p.Assessments[rapid.IntRange(0, len(p.Assessments)-1).Draw(t, "visit")].Visit
}

// phoneForm is mostly for a visit whose window is near, with clocks that are
// mostly right.
func (c commander) phoneForm(t *rapid.T, p *study.Participant, now time.Time) study.SubmitForm {
	var near []string
	for i := range p.Assessments {
		w := p.Assessments[i].Window
		if w.OpensAt().Time().Add(-72*time.Hour).Before(now) && w.ClosesAt().Time().Add(40*24*time.Hour).After(now) {
			near = append(near, p.Assessments[i].Visit)
		}
	}
	visit := "C1D1"
	if len(near) > 0 {
		visit = rapid.SampledFrom(near).Draw(t, "near")
	}
	completed := now
	if rapid.IntRange(0, 2).Draw(t, "late") == 0 {
		completed = now.Add(-time.Duration(rapid.IntRange(0, 24*20).Draw(t, "hours late")) * time.Hour)
	}
	f := testkit.Form(p.ID, visit, study.SubmissionID(c.newID()), completed, testkit.Answers(rapid.Uint64Range(0, 9).Draw(t, "answers")))
	f.SentAt = study.InstantOf(now)
	if rapid.IntRange(0, 5).Draw(t, "clock") == 0 {
		off := study.Instant(rapid.IntRange(-48, 48).Draw(t, "off")) * 3600_000
		f.StartedAt, f.CompletedAt, f.SentAt = f.StartedAt+off, f.CompletedAt+off, f.SentAt+off
	}
	if known := formsOf(p); len(known) > 0 && rapid.IntRange(0, 9).Draw(t, "known id") == 0 {
		f.ID = known[rapid.IntRange(0, len(known)-1).Draw(t, "which")].ID
	}
	if rapid.IntRange(0, 4).Draw(t, "skips") == 0 {
		delete(f.Answers, "GS7")
		f.Skipped = map[string]string{"GS7": "opt_out"}
	}
	return f
}

func (commander) fact(t *rapid.T, _ *study.Participant, now time.Time) study.Command {
	f := study.RecordFact{Reason: "reported"}
	kinds := append(append([]study.FactKind{}, study.TreatmentFacts...), study.FactLost, study.FactWithdrawn, study.FactDeceased, study.FactEndOfFollowUp)
	f.Kind = rapid.SampledFrom(kinds).Draw(t, "fact kind")
	f.On = study.PartialDate((study.DateOf(now) - study.Date(rapid.IntRange(0, 20).Draw(t, "days ago"))).String())
	switch f.Kind {
	case study.FactWithdrawn:
		f.Level = rapid.SampledFrom(study.Levels).Draw(t, "level")
	case study.FactRegimenChanged:
		f.Drugs = []string{"eribulin", "pyrotinib"}
	case study.FactDeceased:
		if rapid.Bool().Draw(t, "partial") {
			f.On = f.On[:7]
		}
	}
	return f
}

func (commander) codes(t *rapid.T, p *study.Participant, by study.Actor, now time.Time) (study.Actor, study.Command) {
	if p.Code != nil && rapid.Bool().Draw(t, "bind") {
		return testkit.Phone(p.ID), study.BindPhone{Code: p.Code.Event}
	}
	return by, study.IssueCode{ExpiresAt: study.InstantOf(now.Add(72 * time.Hour))}
}

func (commander) onForm(t *rapid.T, id study.SubmissionID) study.Command {
	return rapid.SampledFrom([]study.Command{
		study.JudgeHeld{Form: id, Accept: true, Reason: "called"}, study.JudgeHeld{Form: id, Accept: false, Reason: "called"},
		study.CorrectForm{Form: id, Answers: testkit.Answers(rapid.Uint64Range(10, 14).Draw(t, "corrected")), Cause: study.CauseEntryError, Reason: "source"},
		study.VoidForm{Form: id, Cause: study.CauseTest, Reason: "test"}, study.VerifyForm{Form: id},
	}).Draw(t, "on form")
}

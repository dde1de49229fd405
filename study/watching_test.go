package study_test

import (
	"slices"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// failPush lets one message to the participant's only phone fail for good.
func failPush(t *testing.T, f *testkit.Fixture, p *study.Participant, visit string) study.AlertID {
	t.Helper()
	now := study.InstantOf(f.Clock.Now())
	c := study.Claim{Participant: p.ID, Assessment: study.AssessmentFor(p.ID, visit), Step: "opens", StepAt: now, Device: "d", Attempt: 1, LeaseUntil: now + 120_000}
	_, err := f.ClaimDelivery(t.Context(), c)
	must(t, err)
	must(t, f.SettleDelivery(t.Context(), c, study.DeliveryOutcome{Status: study.DeliveryRejectedTarget, Reason: "unregistered", At: now}))
	return study.AlertID(string(p.ID) + ".pushes_failing." + visit)
}

func TestAnAlertAboutMessagesIsAcknowledgedOnlyWhereTheLedgerRaisesIt(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, other := f.Enrol(t, "001"), f.Enrol(t, "002")
	f.Clock.Set(study.StartOfDay(testkit.Cycle1-7, p.Zone()).Add(10 * time.Hour))
	id := failPush(t, f, p, "C1D1")
	acknowledge := func(p *study.Participant, id study.AlertID) error {
		_, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.AcknowledgeAlert{Alert: id, Note: "gave her a new phone"})
		return err
	}
	for who, wrong := range map[*study.Participant]study.AlertID{
		p: study.AlertID(string(p.ID) + ".pushes_failing.C2D1"), other: study.AlertID(string(other.ID) + ".pushes_failing.C1D1"),
	} {
		if err := acknowledge(who, wrong); study.CodeOf(err) != study.NotFound {
			t.Errorf("%s, for which no message failed: %v", wrong, err)
		}
	}
	must(t, acknowledge(p, id))
	if page, _, err := f.SiteAlerts(t.Context(), f.Coordinator, study.AlertsQuery{}); err != nil || len(page) != 1 || page[0].ID != id || page[0].State != study.AlertAcknowledged {
		t.Errorf("%+v %v", page, err)
	}
	if err := acknowledge(p, id); study.CodeOf(err) != study.Conflict {
		t.Errorf("a second time: %v", err)
	}
}

func TestAlertsAreReadPageByPageThoughOneIsMendedMeanwhile(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	var want []study.AlertID
	people := map[study.AlertID]*study.Participant{}
	for _, number := range []string{"001", "002", "003"} {
		p := f.Enrol(t, number)
		want = append(want, study.AlertID(string(p.ID)+".missed.C1D1"))
		people[want[len(want)-1]] = p
	}
	f.Clock.Set(study.StartOfDay(testkit.Cycle1+19, people[want[0]].Zone()).Add(10 * time.Hour)) // the window of C2D1 is open
	for _, p := range people {
		id := failPush(t, f, p, "C2D1")
		want = slices.Insert(want, slices.Index(want, study.AlertID(string(p.ID)+".missed.C1D1"))+1, id)
	}
	q := study.AlertsQuery{State: study.AlertEscalated, Limit: 1}
	if page, more, err := f.SiteAlerts(t.Context(), f.Coordinator, q); err != nil || more != (len(page) == 1) {
		t.Errorf("%v %v %v", page, more, err)
	}
	q = study.AlertsQuery{Limit: 1}
	var got []study.AlertID
	for {
		page, more, err := f.SiteAlerts(t.Context(), f.Coordinator, q)
		must(t, err)
		for _, a := range page {
			got = append(got, a.ID)
			q.After = a.Place()
			if a.Rule == study.AlertPushesFailing { // and is raised no more, so that the place is nobody's
				now := study.InstantOf(f.Clock.Now())
				_, err := f.ClaimDelivery(t.Context(), study.Claim{Participant: a.Participant.ID, Assessment: a.Assessment, Step: "due", StepAt: now, Device: "d", Attempt: 1})
				must(t, err)
			}
		}
		if !more {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("page by page %v, want %v", got, want)
	}
	if _, _, err := f.SiteAlerts(t.Context(), f.Analyst, q); study.CodeOf(err) != study.Forbidden {
		t.Errorf("an analyst: %v", err)
	}
}

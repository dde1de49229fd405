package analysis_test

import (
	"context"
	"testing"
	"time"

	"epro/analysis"
	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/study"
)

var ctx = context.Background()

// world is a study whose clock the test sets.
type world struct {
	*testkit.Fixture
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{testkit.Study(t, testkit.SQLite(t)), t}
}

// on sets the clock to noon of a day in Shanghai.
func (w *world) on(day string) {
	w.t.Helper()
	w.Clock.Set(study.StartOfDay(testkit.Day(day), w.zone()).Add(12 * time.Hour))
}

func (w *world) zone() *time.Location {
	w.t.Helper()
	zone, err := study.LoadZone(testkit.Zone)
	if err != nil {
		w.t.Fatal(err)
	}
	return zone
}

func (w *world) do(by study.Actor, id study.ParticipantID, c study.Command) {
	w.t.Helper()
	if _, err := w.Do(ctx, study.Request{By: by}, id, c); err != nil {
		w.t.Fatal(err)
	}
}

// answers are the same answer to everything but the items that are skipped.
func answers(answer string, skip ...string) (given, skipped map[string]string) {
	given, skipped = map[string]string{}, map[string]string{}
	for _, item := range factb.FACTB.Items {
		given[item.Code] = answer
	}
	for _, code := range skip {
		delete(given, code)
		skipped[code] = "skipped"
	}
	return given, skipped
}

// send has the participant send a form that she finished just now.
func (w *world) send(id study.ParticipantID, visit, answer string, skip ...string) study.SubmissionID {
	w.t.Helper()
	form := testkit.Form(id, visit, study.SubmissionID(w.NewID()), w.Clock.Now(), nil)
	form.Answers, form.Skipped = answers(answer, skip...)
	w.do(testkit.Phone(id), id, form)
	return form.ID
}

// proxy enters a form that somebody else answered.
func (w *world) proxy(id study.ParticipantID, visit string) {
	w.t.Helper()
	form := testkit.Form(id, visit, study.SubmissionID(w.NewID()), w.Clock.Now(), nil)
	form.Answers, _ = answers("2")
	form.Mode, form.ByStaff, form.Assistance, form.Reason = study.ModePaper, true, study.AssistanceProxy, "her son filled it"
	form.SentAt, form.App = 0, study.App{}
	w.do(w.Coordinator, id, form)
}

func (w *world) fact(id study.ParticipantID, kind study.FactKind, on string, level study.Level) {
	w.t.Helper()
	w.do(w.Coordinator, id, study.RecordFact{Kind: kind, On: study.PartialDate(on), Level: level, Reason: "as the site says"})
}

// everyone reads the study at the cut.
func (w *world) everyone(s analysis.Selection) (*analysis.Plan, []*analysis.Person) {
	w.t.Helper()
	h, err := w.History(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	plan, err := analysis.NewPlan(h, s)
	if err != nil {
		w.t.Fatal(err)
	}
	var people []*analysis.Person
	err = w.PeopleAt(ctx, w.Analyst, s.Cut.Time(), func(p *study.Participant) error {
		q, err := plan.Person(p)
		people = append(people, q)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return plan, people
}

// codes are the items whose codes begin so.
func codes(prefix string, n int) []string {
	var out []string
	for _, item := range factb.FACTB.Items {
		if len(out) < n && len(item.Code) >= len(prefix) && item.Code[:len(prefix)] == prefix {
			out = append(out, item.Code)
		}
	}
	return out
}

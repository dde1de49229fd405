package study_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// show is a worklist in words.
func show(w *study.Worklist) string {
	var out []string
	for _, l := range []struct {
		name  string
		items []study.WorkItem
	}{{"overdue", w.Overdue}, {"soon", w.ClosingSoon}, {"today", w.Today}, {"held", w.Held}, {"inactive", w.NotActivated}, {"unexplained", w.Unexplained}} {
		for _, i := range l.items {
			out = append(out, fmt.Sprintf("%s %s %s +%d -%d", l.name, i.Number, i.Visit, i.DaysOverdue, i.DaysLeft))
		}
	}
	return strings.Join(out, "\n")
}

func TestTheWorklistFollowsAVisitThroughItsWindow(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	code, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.IssueCode{ExpiresAt: study.InstantOf(f.Clock.Now().Add(time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	want := func(when time.Time, lines ...string) {
		t.Helper()
		f.Clock.Set(when)
		w, err := f.Worklist(t.Context(), f.Coordinator, testkit.Site)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(w); got != strings.Join(lines, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", when.In(shanghai).Format(time.DateTime), got, strings.Join(lines, "\n"))
		}
	}
	want(f.Clock.Now(), "inactive 001  +0 -0")
	if _, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, study.BindPhone{Code: code.Event}); err != nil {
		t.Fatal(err)
	}
	want(f.Clock.Now())
	want(at(cycle1-2, "23:30"))                                              // open, two and a half days to go
	want(at(cycle1-1, "00:30"), "soon 001 C1D1 +0 -1")                       // closes with the day after
	want(at(cycle1, "09:00"), "soon 001 C1D1 +0 -0", "today 001 C1D1 +0 -0") // in clinic
	want(at(cycle1+1, "00:00"), "unexplained 001 C1D1 +1 -0")
	if _, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID,
		study.CodeMissing{Assessment: study.AssessmentFor(p.ID, "C1D1"), Reason: "too_ill", HealthRelated: study.Yes}); err != nil {
		t.Fatal(err)
	}
	want(at(cycle1+1, "10:00"))
	due := cycle1 + 21
	want(at(due, "10:00"), "today 001 C2D1 +0 -7")
	want(at(due+3, "10:00"), "overdue 001 C2D1 +3 -4")
	want(at(due+6, "10:00"), "overdue 001 C2D1 +6 -1", "soon 001 C2D1 +6 -1")
	f.Submit(t, p.ID, "C2D1", 1)
	want(at(due+6, "10:01"))
}

func TestTheWorklistShowsAHeldFormUntilItIsDecided(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	f.Clock.Set(at(cycle1+2, "09:00"))
	form := testkit.Form(p.ID, "C1D1", "s1", f.Clock.Now(), testkit.Answers(1))
	if _, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form); err != nil {
		t.Fatal(err)
	}
	held := func() []study.WorkItem {
		w, err := f.Worklist(t.Context(), f.Coordinator, "")
		if err != nil {
			t.Fatal(err)
		}
		return w.Held
	}
	if got := held(); len(got) != 1 || got[0].SubmissionID != "s1" || got[0].HeldCause != study.HeldClosed || got[0].Since.IsZero() {
		t.Fatalf("got %+v", got)
	}
	if _, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.JudgeHeld{Form: "s1", Reason: "too late"}); err != nil {
		t.Fatal(err)
	}
	if got := held(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAWorklistHasOnesOwnSitesOnly(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	f.Enrol(t, "001")
	for who, c := range map[string]struct {
		by    study.Actor
		site  study.SiteCode
		lines int
	}{
		"own": {f.Coordinator, testkit.Site, 1}, "all of one's own": {f.Coordinator, "", 1}, "elsewhere, all": {f.Elsewhere, "", 0}, "everywhere": {f.System, "", 1},
		"nowhere": {testkit.Staff(study.RoleCoordinator, "x"), "", 0},
	} {
		w, err := f.Worklist(t.Context(), c.by, c.site)
		if err != nil || len(w.NotActivated) != c.lines {
			t.Errorf("%s: %v, %s", who, err, show(w))
		}
	}
	if _, err := f.Worklist(t.Context(), f.Coordinator, testkit.OtherSite); study.CodeOf(err) != study.NotFound {
		t.Errorf("another's: %v", err)
	}
	for _, by := range []study.Actor{f.Analyst, f.Admin} {
		if _, err := f.Worklist(t.Context(), by, ""); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s: %v", by.Role, err)
		}
	}
}

// What the query leaves out has nothing to do: the list that it gives is the
// one that a look at everybody gives.
func TestTheWorklistMissesNobody(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	for i := range 12 {
		p := f.Enrol(t, fmt.Sprintf("%03d", i))
		f.Clock.Set(at(cycle1, "09:00"))
		if i%3 > 0 {
			f.Submit(t, p.ID, "C1D1", uint64(i))
		}
		if i%4 == 0 {
			if _, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.RecordFact{Kind: study.FactWithdrawn, On: study.PartialDate(cycle1.String()), Level: study.LevelTrial, Reason: "moved"}); err != nil {
				t.Fatal(details(err))
			}
		}
		f.Clock.Set(testkit.Start)
	}
	for _, days := range []study.Date{0, 1, 18, 21, 26, 28, 29, 60, 364, 400} {
		f.Clock.Set(at(cycle1+days, "12:00"))
		got, err := f.Worklist(t.Context(), f.Coordinator, "")
		if err != nil {
			t.Fatal(err)
		}
		people, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, p := range people {
			for i := range p.Assessments {
				a := &p.Assessments[i]
				switch s := p.AssessmentStatus(a, f.Clock.Now()); {
				case s == study.Overdue, s == study.Missed && a.NotDone == nil:
					lines++
				}
			}
		}
		if len(got.Overdue)+len(got.Unexplained) != lines {
			t.Errorf("day %d: %d lines, want %d:\n%s", days, len(got.Overdue)+len(got.Unexplained), lines, show(got))
		}
	}
}

// Page by page the worklist says what it says at once, of the same people.
func TestTheWorklistInPagesIsTheWholeWorklist(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	for i := range 5 {
		f.Enrol(t, fmt.Sprintf("%03d", i))
	}
	f.Clock.Set(at(cycle1+22, "09:00"))
	whole, err := f.Worklist(t.Context(), f.Coordinator, testkit.Site)
	if err != nil || whole.More {
		t.Fatal(whole, err)
	}
	var paged []string
	q := study.WorklistQuery{Site: testkit.Site, Limit: 2}
	for pages := 1; ; pages++ {
		w, err := f.WorklistPage(t.Context(), f.Coordinator, q)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, strings.Split(show(w), "\n")...)
		if q.After = w.Last; !w.More {
			if pages != 3 {
				t.Errorf("%d pages of two for five people", pages)
			}
			break
		}
	}
	want := strings.Split(show(whole), "\n")
	slices.Sort(want)
	slices.Sort(paged)
	if len(want) < 10 || !slices.Equal(want, paged) {
		t.Errorf("in pages:\n%s\nat once:\n%s", strings.Join(paged, "\n"), strings.Join(want, "\n"))
	}
	if _, err := f.WorklistPage(t.Context(), f.Elsewhere, study.WorklistQuery{Site: testkit.Site, After: q.After}); study.CodeOf(err) != study.NotFound {
		t.Errorf("another site's staff with a place of this one: %v", err)
	}
	page, more, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Number: "003"})
	if err != nil || more || len(page) != 1 || page[0].Number != "003" {
		t.Errorf("by number: %v %v %v", page, more, err)
	}
	if page, _, err := f.Participants(t.Context(), f.Elsewhere, study.PeopleQuery{Number: "003"}); err != nil || len(page) != 0 {
		t.Errorf("another site's, by number: %v %v", page, err)
	}
	alerts, err := f.AlertsOf(t.Context(), f.Coordinator, page)
	all, _, err2 := f.SiteAlerts(t.Context(), f.Coordinator, study.AlertsQuery{Site: testkit.Site})
	mine := slices.DeleteFunc(all, func(a study.AlertOf) bool { return a.Participant.Number != "003" })
	if err != nil || err2 != nil || len(alerts) == 0 || len(alerts) != len(mine) || alerts[0].ID != mine[0].ID {
		t.Errorf("her alerts: %v %v, of the site's %v %v", alerts, err, mine, err2)
	}
}

// countingReads counts how often a snapshot is read by itself.
type countingReads struct {
	study.Store
	single int
}

func (c *countingReads) Snapshot(ctx context.Context, id study.StreamID) (study.Snapshot, error) {
	c.single++
	return c.Store.Snapshot(ctx, id)
}

// A process that knows nobody yet reads a list's people together, not one by
// one, and says of them what a process says that knows them.
func TestAListOfUnknownPeopleIsReadAtOnce(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	for i := range 12 {
		f.Enrol(t, fmt.Sprintf("%03d", i))
	}
	f.Clock.Set(at(cycle1+22, "09:00"))
	store := &countingReads{Store: f.Store}
	for _, limit := range []int{5, 50} {
		cold := study.NewService(store, f.Clock.Now, f.NewID)
		page, more, err := cold.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Limit: limit})
		known, moreKnown, err2 := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Limit: limit})
		if err != nil || err2 != nil || more != moreKnown || len(page) != min(limit, 12) || !reflect.DeepEqual(page, known) {
			t.Errorf("limit %d: %d people, more %v, %v; known: %d, %v, %v", limit, len(page), more, err, len(known), moreKnown, err2)
		}
	}
	w, err := study.NewService(store, f.Clock.Now, f.NewID).Worklist(t.Context(), f.Coordinator, testkit.Site)
	known, err2 := f.Worklist(t.Context(), f.Coordinator, testkit.Site)
	if err != nil || err2 != nil || show(w) != show(known) {
		t.Errorf("%v %v\n%s\nwant\n%s", err, err2, show(w), show(known))
	}
	if store.single > 2 {
		t.Errorf("%d participants were read one by one", store.single)
	}
}

package api_test

import (
	"slices"
	"testing"
	"time"

	"epro/study"
)

// rates are the rates at a visit of a completion answer.
func rates(t testing.TB, body map[string]any, visit string) map[string]any {
	t.Helper()
	rows, _ := body["rates"].([]any)
	if rows == nil {
		rows, _ = body["visits"].([]any)
	}
	for _, row := range rows {
		if r, ok := row.(map[string]any); ok && r["visit"] == visit {
			return r
		}
	}
	t.Fatalf("no rates of %s in %v", visit, body)
	return nil
}

func TestACoordinatorReadsTheCompletionOfHerOwnSiteNowAndInThePast(t *testing.T) {
	d := newDesk(t)
	full := d.someone(t)
	d.s.Submit(t, full.ID, "C1D1", 1)
	d.s.Clock.Set(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))
	for _, id := range []study.ParticipantID{full.ID, d.p.ID} {
		if _, err := d.s.Do(t.Context(), study.Request{By: d.s.Coordinator}, id, study.RecordFact{Kind: study.FactFirstDose, On: "2026-03-02"}); err != nil {
			t.Fatal(err)
		}
	}
	d.s.Clock.Set(time.Date(2026, 3, 3, 4, 0, 0, 0, time.UTC))
	again := d.here[study.RoleCoordinator]
	d.s.signIn(t, &again)
	anna := again.token
	body := d.s.call(t, "GET", "/v1/completion?site=S01", anna, nil).want(t, 200).json(t)
	visits, _ := body["visits"].([]any)
	people, _ := body["participants"].([]any)
	if len(visits) != 18 || len(people) != 3 || body["scale"] != "FACTB" {
		t.Fatalf("%d visits, %d participants, scale %v", len(visits), len(people), body["scale"])
	}
	for _, row := range people {
		p, _ := row.(map[string]any)
		cells, _ := p["cells"].(map[string]any)
		want := "missed"
		if p["id"] == string(full.ID) {
			want = "completed"
		}
		if len(cells) != 18 || cells["C1D1"] != want || cells["C2D1"] != "upcoming" {
			t.Errorf("%v: %v", p["number"], cells)
		}
	}
	// Of the two who had a dose one sent a valid form; the third is not in the population.
	if r := rates(t, body, "C1D1"); r["n_pop"] != 2.0 || r["n_valid"] != 1.0 || r["n_missing"] != 1.0 || r["rate_fixed"] != 0.5 || r["rate_variable"] != 0.5 {
		t.Errorf("C1D1: %v", r)
	}
	if r := rates(t, body, "C2D1"); r["n_pop"] != 0.0 || r["rate_fixed"] != nil {
		t.Errorf("C2D1: %v", r)
	}
	// As it was the day before, while the baseline was open.
	past := d.s.call(t, "GET", "/v1/completion?as_of="+"2026-03-02T02:00:00Z", anna, nil).want(t, 200).json(t)
	if r := rates(t, past, "C1D1"); r["n_pop"] != 0.0 {
		t.Errorf("in the past C1D1: %v", r)
	}
	if then, _ := past["participants"].([]any); len(then) != 3 {
		t.Errorf("in the past there are %d participants", len(then))
	}
	if r := d.s.call(t, "GET", "/v1/completion?as_of=yesterday", anna, nil); !named(t, r, "as_of") {
		t.Errorf("%s", r.body)
	}
	if r := d.s.call(t, "GET", "/v1/completion?scale=QLQ", anna, nil); !named(t, r, "scale") {
		t.Errorf("%s", r.body)
	}
}

func TestACoordinatorElsewhereSeesNobodyOfThisSite(t *testing.T) {
	d := newDesk(t)
	there := d.there[study.RoleCoordinator].token
	for _, path := range []string{"/v1/completion", "/v1/completion?as_of=2026-02-21"} {
		body := d.s.call(t, "GET", path, there, nil).want(t, 200).json(t)
		if people, _ := body["participants"].([]any); len(people) != 0 {
			t.Errorf("%s: %v", path, people)
		}
	}
	d.s.call(t, "GET", "/v1/completion?site=S01", there, nil).refused(t, 404, study.NotFound)
	d.s.call(t, "GET", "/v1/completion?site=S01&as_of=2026-02-21", there, nil).refused(t, 404, study.NotFound)
}

func TestTheAnalystsTablesNameWhatIsWrongWithAQuestion(t *testing.T) {
	d := newDesk(t)
	token := d.here[study.RoleAnalyst].token
	for path, field := range map[string]string{
		"/v1/analysis/change?scale=QLQ":                "scale",
		"/v1/analysis/change?visit=C99D1":              "visit",
		"/v1/analysis/change?visit=C2D1&axis=calendar": "visit",
		"/v1/analysis/change?axis=week":                "axis",
		"/v1/analysis/responders?scale=SWB":            "threshold",
		"/v1/analysis/responders?threshold=-1":         "threshold",
		"/v1/analysis/deterioration?variant=worst":     "variant",
		"/v1/analysis/completion?cut=soon":             "cut",
		"/v1/analysis/completion?through=soon":         "through",
		"/v1/analysis/completion?demonstration=all":    "demonstration",
	} {
		if r := d.s.call(t, "GET", path, token, nil); r.status != 400 || !named(t, r, field) && !named(t, r, "query."+field) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	for _, role := range []study.Role{study.RoleCoordinator, study.RoleInvestigator, study.RoleMonitor, study.RoleAdmin} {
		d.s.call(t, "GET", "/v1/analysis/scores", d.here[role].token, nil).refused(t, 403, study.Forbidden)
	}
	body := d.s.call(t, "GET", "/v1/analysis/deterioration?scale=PWB&variant=confirmed&death=event&cut=2026-02-20", token, nil).want(t, 200).json(t)
	run, _ := body["run"].(map[string]any)
	rule, _ := body["rule"].(map[string]any)
	if run["cut"] != "2026-02-20T15:59:59.999Z" || run["final"] != true || rule["variant"] != "confirmed" || rule["threshold"] != 2.0 || body["scale"] != "PWB" {
		t.Errorf("%v %v", run, rule)
	}
	roles := study.RolesFor(study.ExportData)
	if !slices.Equal(roles, []study.Role{study.RoleAnalyst}) {
		t.Errorf("tables are for %v", roles)
	}
}

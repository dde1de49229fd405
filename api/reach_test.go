package api_test

import (
	"strings"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

// devicesOf are the ids of the participant's devices, as the staff see them.
func devicesOf(t *testing.T, w *world, p *study.Participant) string {
	t.Helper()
	var ids []string
	for _, d := range w.s.call(t, "GET", "/v1/participants/"+string(p.ID)+"/devices", w.here[study.RoleCoordinator].token, nil).want(t, 200).items(t) {
		ids = append(ids, d["id"].(string))
	}
	return strings.Join(ids, " ")
}

func TestSigningOutForgetsThatPhoneAndNoOther(t *testing.T) {
	w := newWorld(t)
	second := w.s.bind(t, w.p)["access_token"].(string)
	w.s.call(t, "PUT", "/v1/me/devices/a", w.phone, registration(canary)).want(t, 204)
	w.s.Clock.Advance(1e9)
	w.s.call(t, "PUT", "/v1/me/devices/b", second, registration("b-token")).want(t, 204)
	if got := devicesOf(t, w, w.p); got != "b a" {
		t.Fatalf("devices %q", got)
	}
	w.s.call(t, "POST", "/v1/auth/logout", w.phone, nil).want(t, 204)
	if got := devicesOf(t, w, w.p); got != "b" {
		t.Errorf("after signing out on the first: %q", got)
	}
	w.s.call(t, "DELETE", "/v1/me/devices/b", second, nil).want(t, 204)
	w.s.call(t, "DELETE", "/v1/me/devices/b", second, nil).want(t, 204)
	if got := devicesOf(t, w, w.p); got != "" {
		t.Errorf("after taking the second away: %q", got)
	}
}

func TestAPhoneThatTakesAnothersPlaceTakesItsRemindersToo(t *testing.T) {
	w := newWorld(t)
	w.s.call(t, "PUT", "/v1/me/devices/a", w.phone, registration("a-token")).want(t, 204)
	code := w.s.call(t, "POST", "/v1/participants/"+string(w.p.ID)+"/enrolment-codes", w.here[study.RoleCoordinator].token,
		map[string]any{"replace": true}).want(t, 201).json(t)["code"]
	w.s.Clock.Advance(1e9)
	w.s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": code}).want(t, 201)
	if got := devicesOf(t, w, w.p); got != "" {
		t.Errorf("the old phone is still reminded: %q", got)
	}
}

func TestAContactAPauseAndAReportOfDeathShowOnTheRecord(t *testing.T) {
	w := newWorld(t)
	anna, person := w.here[study.RoleCoordinator].token, "/v1/participants/"+string(w.p.ID)
	w.s.call(t, "PUT", "/v1/me/reminders", w.phone, map[string]any{"paused": true}).want(t, 204)
	got := w.s.call(t, "POST", person+"/contacts", anna, map[string]any{"channel": "relative", "outcome": "reported_dead", "note": "by her daughter"}).want(t, 201).json(t)
	contacts, _ := got["contacts"].([]any)
	if len(contacts) != 1 || got["reported_dead_at"] == nil || got["reminders_paused_at"] == nil {
		t.Errorf("%v", got)
	}
	w.s.call(t, "PUT", "/v1/me/reminders", w.phone, map[string]any{"paused": false}).want(t, 204)
	w.s.call(t, "POST", person+"/contacts", anna, map[string]any{"channel": "phone", "outcome": "reached"}).want(t, 201)
	got = w.s.call(t, "GET", person, anna, nil).want(t, 200).json(t)
	if got["reported_dead_at"] != nil || got["reminders_paused_at"] != nil {
		t.Errorf("%v", got)
	}
}

func TestAnAlertIsListedFilteredAndAcknowledged(t *testing.T) {
	w := newWorld(t)
	w.s.Clock.Set(testkit.Cycle1.UTC().AddDate(0, 0, 3))
	a := w.here[study.RoleCoordinator]
	w.s.signIn(t, &a)
	anna := a.token
	list := func(query string) []map[string]any {
		return w.s.call(t, "GET", "/v1/alerts"+query, anna, nil).want(t, 200).items(t)
	}
	all := list("")
	if len(all) != 2 || len(list("?state=escalated")) != 2 || len(list("?state=open")) != 0 {
		t.Fatalf("alerts %v", all)
	}
	next, _ := w.s.call(t, "GET", "/v1/alerts?limit=1", anna, nil).want(t, 200).json(t)["next"].(string)
	if second := list("?limit=1&cursor=" + next); len(second) != 1 || second[0]["id"] != all[1]["id"] {
		t.Errorf("the second page is %v", second)
	}
	id, _ := all[0]["id"].(string)
	path := "/v1/alerts/" + id + "/acknowledgement"
	w.s.call(t, "POST", path, anna, map[string]any{"note": " "}).refused(t, 400, study.Invalid)
	w.s.call(t, "POST", path, anna, map[string]any{"note": "rang her"}).want(t, 201)
	w.s.call(t, "POST", path, anna, map[string]any{"note": "rang her"}).refused(t, 409, study.Conflict)
	if got := list("?state=acknowledged"); len(got) != 1 || got[0]["id"] != id {
		t.Errorf("acknowledged are %v", got)
	}
}

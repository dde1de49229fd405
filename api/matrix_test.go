package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/study"
)

// publicRoutes need no token. A route that is added to them is added here, on
// purpose.
var publicRoutes = []string{"POST /v1/auth/authenticator", "POST /v1/auth/enrol", "POST /v1/auth/firebase", "POST /v1/auth/login", "POST /v1/auth/refresh", "POST /v1/auth/logout", "POST /v1/auth/setup"}

func TestTheRoutesThatNeedNoTokenAreTheseAndNoOthers(t *testing.T) {
	w := newWorld(t)
	var open []string
	for _, r := range w.s.api.Routes() {
		if r.Action == "" {
			open = append(open, r.Method+" "+r.Path)
		}
	}
	if slices.Sort(open); !slices.Equal(open, slices.Sorted(slices.Values(publicRoutes))) {
		t.Errorf("open are %v", open)
	}
}

func TestEveryRouteCanBeExercisedAndNothingElseIs(t *testing.T) {
	w := newWorld(t)
	left := map[string]bool{}
	for name := range exercises {
		left[name] = true
	}
	for _, r := range w.s.api.Routes() {
		name := r.Method + " " + r.Path
		if !left[name] {
			t.Errorf("%s: say in exercises how it is used", name)
		}
		delete(left, name)
		if r.Action != "" && len(study.RolesFor(r.Action)) == 0 {
			t.Errorf("%s needs %q, which no role may", name, r.Action)
		}
	}
	for name := range left {
		t.Errorf("%s is exercised, but is no route", name)
	}
}

// TestTheMatrix asks every route as everybody. What is expected is computed
// from package study's table of permissions; the answer for something of
// another site or person must be the answer for nothing at all.
func TestTheMatrix(t *testing.T) {
	// A world for a few routes at a time: what is in it makes the next request slower.
	for routes := range slices.Chunk(newWorld(t).s.api.Routes(), 8) {
		w := newWorld(t)
		m := matrix{w: w, dead: w.deadTokens(t)}
		for _, r := range routes {
			t.Run(r.Method+" "+r.Path, func(t *testing.T) { m.route(t, r) })
		}
		w.refusesExpired(t, routes)
	}
}

// refusesExpired comes last in a world, because it ends every session: what has
// expired opens nothing.
func (w *world) refusesExpired(t *testing.T, routes []api.RouteInfo) {
	t.Helper()
	w.s.Clock.Advance(time.Hour)
	for _, r := range routes {
		if r.Action == "" {
			continue
		}
		x := w.exercise(t, r.Method+" "+r.Path)
		for role, token := range w.tokens() {
			if got := w.s.call(t, r.Method, x.path, token, x.body); got.status != 401 {
				t.Errorf("%s %s with the expired token of %s: %d %s", r.Method, r.Path, role, got.status, got.body)
			}
		}
	}
}

type matrix struct {
	w    *world
	dead map[string]string
}

// tokens are those of everybody at Site, by role.
func (w *world) tokens() map[study.Role]string {
	out := map[study.Role]string{study.RoleParticipant: w.phone}
	for role, a := range w.here {
		out[role] = a.token
	}
	return out
}

// deadTokens open nothing, whatever the role was.
func (w *world) deadTokens(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{"no token": "", "garbage": canary, "garbage of the right form": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJzdGFmZi94In0.AAAA",
		"a token cut": w.phone[:len(w.phone)-4], "a token with another body": swapped(w.phone, w.here[study.RoleAdmin].token),
		"a token without signature": w.phone[:strings.LastIndex(w.phone, ".")+1], "a very long token": strings.Repeat("x", 6000)}
	gone := w.s.staff(t, "gone", study.RoleInvestigator, testkit.Site)
	w.s.call(t, "POST", "/v1/auth/logout", gone.token, nil).want(t, 204)
	out["signed out"] = gone.token
	off := w.s.staff(t, "off", study.RoleInvestigator, testkit.Site)
	w.s.call(t, "PATCH", "/v1/staff/"+string(off.id), w.here[study.RoleAdmin].token, map[string]any{"disabled": true, "reason": "left"}).want(t, 200)
	out["a disabled account"] = off.token
	reset := w.s.staff(t, "reset", study.RoleAdmin)
	w.s.call(t, "POST", "/v1/staff/"+string(reset.id)+"/password", w.here[study.RoleAdmin].token, nil).want(t, 201)
	out["a password that was reset"] = reset.token
	past := w.s.staff(t, "past", study.RoleMonitor, testkit.Site)
	w.s.call(t, "PATCH", "/v1/staff/"+string(past.id), w.here[study.RoleAdmin].token, map[string]any{"access_until": "2026-03-01", "reason": "visit is over"}).want(t, 200)
	out["a grant that is over"] = past.token
	p := w.someone(t)
	old, _ := w.s.bind(t, p)["access_token"].(string)
	code := w.s.call(t, "POST", "/v1/participants/"+string(p.ID)+"/enrolment-codes", w.here[study.RoleCoordinator].token, map[string]any{"replace": true}).want(t, 201).json(t)["code"]
	w.s.Clock.Advance(time.Second)
	w.s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": code}).want(t, 201)
	out["a phone that was replaced"] = old
	return out
}

// swapped is one token's head and signature around another's claims.
func swapped(a, b string) string {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return x[0] + "." + y[1] + "." + x[2]
}

func (m matrix) route(t *testing.T, r api.RouteInfo) {
	w, name := m.w, r.Method+" "+r.Path
	if r.Action == "" {
		x := w.exercise(t, name)
		if r.Path == "/v1/auth/setup" { // this world has accounts: see TestTheFirstAdministratorIsMadeOnce
			w.s.call(t, r.Method, x.path, "", x.body).refused(t, 401, study.Unauthenticated)
			return
		}
		if got := w.s.call(t, r.Method, x.path, "", x.body); got.status >= 300 {
			t.Errorf("without a token: %d %s", got.status, got.body)
		}
		return
	}
	x := w.exercise(t, name)
	before := w.s.content(t)
	for what, token := range m.dead {
		if got := w.s.call(t, r.Method, x.path, token, x.body); got.status != 401 || got.code(t) != study.Unauthenticated {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	if x.absent != "" { // whether something exists is not said to strangers either
		w.s.call(t, r.Method, x.absent, m.dead["signed out"], x.body).refused(t, 401, study.Unauthenticated)
	}
	may := study.RolesFor(r.Action)
	for role, token := range w.tokens() {
		if slices.Contains(may, role) {
			continue
		}
		for _, path := range []string{x.path, x.foreign, x.absent} {
			if path == "" {
				continue
			}
			if got := w.s.call(t, r.Method, path, token, x.body); got.status != 403 || got.code(t) != study.Forbidden {
				t.Errorf("%s, who may not, at %s: %d %s", role, path, got.status, got.body)
			}
		}
	}
	w.s.same(t, before)
	for _, role := range may {
		m.allowed(t, r, role)
	}
}

// allowed asks as a role that may: on its own, on what is another's, and on
// nothing.
func (m matrix) allowed(t *testing.T, r api.RouteInfo, role study.Role) {
	w := m.w
	x := w.exercise(t, r.Method+" "+r.Path)
	token := w.tokens()[role]
	if role == study.RoleParticipant && x.phone != "" {
		token = x.phone
	}
	before := w.s.content(t)
	if x.absent != "" {
		nothing := w.s.call(t, r.Method, x.absent, token, x.body).refused(t, 404, study.NotFound)
		if x.foreign != "" {
			same(t, role, "another's", w.s.call(t, r.Method, x.foreign, token, x.body), nothing)
		}
	}
	if stranger, bound := w.there[role]; bound && x.absent != "" && strings.Contains(r.Path, "/participants/{id}") || bound && strings.Contains(r.Path, "/sites/{code}") {
		nothing := w.s.call(t, r.Method, x.absent, stranger.token, x.body).refused(t, 404, study.NotFound)
		same(t, role, "another site's", w.s.call(t, r.Method, x.path, stranger.token, x.body), nothing)
	}
	w.s.same(t, before)
	if got := w.s.call(t, r.Method, x.path, token, x.body); got.status >= 300 {
		t.Errorf("%s, who may: %d %s", role, got.status, got.body)
	}
}

// same fails the test unless two refusals differ in their request ids only.
func same(t *testing.T, role study.Role, what string, got, nothing reply) {
	t.Helper()
	got.refused(t, 404, study.NotFound)
	if a, b := withoutID(t, got), withoutID(t, nothing); a != b {
		t.Errorf("%s can tell %s from nothing:\n%s\n%s", role, what, a, b)
	}
	for name := range got.header {
		if name != "Date" && name != "X-Request-Id" && got.header.Get(name) != nothing.header.Get(name) {
			t.Errorf("%s can tell %s from nothing by %s", role, what, name)
		}
	}
}

func withoutID(t testing.TB, r reply) string {
	t.Helper()
	m := r.json(t)
	delete(m, "request_id")
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// An address has three names in it; each must belong to the one before.
func TestAFormIsNotReachedThroughAnothersAddress(t *testing.T) {
	w := newWorld(t)
	p, id := w.withForm(t)
	q, other := w.withForm(t)
	abroad := w.s.Enrol(t, "Z-1")
	if _, err := w.s.Do(t.Context(), study.Request{By: w.s.Coordinator}, abroad.ID, study.TransferTo{Site: testkit.OtherSite, On: testkit.Day("2026-03-01"), Reason: "moved"}); err != nil {
		t.Fatal(err)
	}
	anna := w.here[study.RoleInvestigator].token
	at := func(person, assessment study.ParticipantID, visit, form string) string {
		return "/v1/participants/" + string(person) + "/assessments/" + string(assessment) + "." + visit + "/submissions/" + form
	}
	before := w.s.content(t)
	var first string
	for what, path := range map[string]string{
		"another's form":                     at(p.ID, p.ID, "C1D1", other),
		"another's assessment and form":      at(p.ID, q.ID, "C1D1", other),
		"another's assessment":               at(p.ID, q.ID, "C1D1", id),
		"another visit":                      at(p.ID, p.ID, "C2D1", id),
		"no visit":                           at(p.ID, p.ID, "C99", id),
		"no form":                            at(p.ID, p.ID, "C1D1", absentID),
		"another site's person, own form":    at(abroad.ID, p.ID, "C1D1", id),
		"own person, another site's visit":   at(p.ID, abroad.ID, "C1D1", id),
		"nobody, with somebody's assessment": at(absentID, p.ID, "C1D1", id),
	} {
		for _, c := range []struct {
			method, tail string
			body         any
		}{
			{"GET", "/copy", nil},
			{"GET", "/copy.pdf", nil},
			{"POST", "/void", map[string]any{"cause": "test", "reason": "x"}},
			{"POST", "/verification", map[string]any{}},
			{"POST", "/acceptance", map[string]any{"accept": false, "reason": "x"}},
			{"POST", "/corrections", map[string]any{"answers": map[string]any{"GP1": 1}, "cause": "other", "reason": "x"}},
		} {
			got := w.s.call(t, c.method, path+c.tail, anna, c.body)
			if got.status != 404 {
				t.Errorf("%s, %s: %d %s", what, c.tail, got.status, got.body)
			}
			if strings.Contains(what, "form") && strings.Contains(path, string(p.ID)+"/") {
				if first == "" {
					first = withoutID(t, got)
				} else if again := withoutID(t, got); again != first {
					t.Errorf("%s, %s tells more:\n%s\n%s", what, c.tail, again, first)
				}
			}
		}
	}
	w.s.same(t, before)
}

func TestListsHoldOnlyWhatTheAccountMaySee(t *testing.T) {
	w := newWorld(t)
	abroad := w.someone(t)
	if _, err := w.s.Do(t.Context(), study.Request{By: w.s.Coordinator}, abroad.ID, study.TransferTo{Site: testkit.OtherSite, On: testkit.Day("2026-03-01"), Reason: "moved"}); err != nil {
		t.Fatal(err)
	}
	for role, a := range w.there {
		people := w.s.call(t, "GET", "/v1/participants", a.token, nil).want(t, 200).items(t)
		if len(people) != 1 || people[0]["id"] != string(abroad.ID) {
			t.Errorf("%s at S02 sees %v", role, people)
		}
		here := w.s.call(t, "GET", "/v1/participants?site=S01", a.token, nil).refused(t, 404, study.NotFound)
		none := w.s.call(t, "GET", "/v1/participants?site=S99", a.token, nil).refused(t, 404, study.NotFound)
		if withoutID(t, here) != withoutID(t, none) {
			t.Errorf("%s can tell a foreign site from none:\n%s\n%s", role, here.body, none.body)
		}
		if sites := w.s.call(t, "GET", "/v1/sites", a.token, nil).want(t, 200).items(t); len(sites) != 1 || sites[0]["code"] != "S02" {
			t.Errorf("%s at S02 sees the sites %v", role, sites)
		}
		// Enrolment at somebody else's site is refused as at none.
		if role == study.RoleMonitor {
			continue
		}
		there := w.s.call(t, "POST", "/v1/participants", a.token, enrolment("E-1")).refused(t, 400, study.Invalid)
		none = w.s.call(t, "POST", "/v1/participants", a.token, with(enrolment("E-1"), "site", "S99")).refused(t, 400, study.Invalid)
		if withoutID(t, there) != withoutID(t, none) {
			t.Errorf("%s can tell a foreign site from none:\n%s\n%s", role, there.body, none.body)
		}
	}
}

// A cursor is a place in a list, not a key to one.
func TestACursorOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.someone(t)
	next := w.s.call(t, "GET", "/v1/participants?limit=1", w.here[study.RoleCoordinator].token, nil).want(t, 200).json(t)["next"]
	cursor, _ := next.(string)
	if cursor == "" {
		t.Fatal("one page holds everything")
	}
	if got := w.s.call(t, "GET", "/v1/participants?cursor="+cursor, w.there[study.RoleCoordinator].token, nil).want(t, 200).items(t); len(got) != 0 {
		t.Errorf("with the cursor of S01's list S02 sees %v", got)
	}
}

// Rights are those of the account's record at the next request, not those that
// were written into a token (ASVS 5.0 V8.3.2).
func TestAChangeOfRightsHoldsFromTheNextRequest(t *testing.T) {
	w := newWorld(t)
	admin := w.here[study.RoleAdmin].token
	a := w.s.staff(t, "mona", study.RoleCoordinator, testkit.Site)
	person := "/v1/participants/" + string(w.p.ID)
	change := func(body map[string]any) {
		t.Helper()
		w.s.call(t, "PATCH", "/v1/staff/"+string(a.id), admin, with(body, "reason", "a test")).want(t, 200)
	}
	details := map[string]any{"language": "zh", "reason": "x"}
	w.s.call(t, "GET", person, a.token, nil).want(t, 200)
	change(map[string]any{"role": "monitor"})
	w.s.call(t, "GET", person, a.token, nil).want(t, 200)
	w.s.call(t, "PATCH", person, a.token, details).want(t, 403)
	change(map[string]any{"sites": []string{"S02"}})
	w.s.call(t, "GET", person, a.token, nil).want(t, 404)
	change(map[string]any{"sites": []string{"S01", "S02"}, "role": "coordinator"})
	w.s.call(t, "PATCH", person, a.token, details).want(t, 200)
	change(map[string]any{"role": "analyst", "sites": []string{}})
	w.s.call(t, "GET", person, a.token, nil).want(t, 403)
	change(map[string]any{"disabled": true})
	w.s.call(t, "GET", "/v1/study", a.token, nil).want(t, 401)
	change(map[string]any{"disabled": false})
	w.s.call(t, "GET", "/v1/study", a.token, nil).want(t, 401) // the session stays dead
	w.s.signIn(t, &a)
	w.s.call(t, "GET", "/v1/study", a.token, nil).want(t, 200)
}

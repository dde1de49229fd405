package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

func TestSitesAreOpenedOnceChangedClosedAndLocked(t *testing.T) {
	w := newWorld(t)
	admin, ines := w.here[study.RoleAdmin].token, w.here[study.RoleInvestigator].token
	site := map[string]any{"code": "S07", "name": "Hospital", "time_zone": "Asia/Shanghai", "language": "zh"}
	got := w.s.call(t, "POST", "/v1/sites", admin, site).want(t, 201)
	if got.json(t)["locked"] != false || got.header.Get("ETag") != `"1"` {
		t.Errorf("%s", got.body)
	}
	w.s.call(t, "POST", "/v1/sites", admin, site).refused(t, 409, study.Conflict)
	for field, value := range map[string]any{"code": "s8", "name": "", "time_zone": "Nowhere", "language": "xx"} {
		if r := w.s.call(t, "POST", "/v1/sites", admin, with(site, "code", "S08", field, value)); r.status != 400 || !named(t, r, field) {
			t.Errorf("%s %v: %d %s", field, value, r.status, r.body)
		}
	}
	if sites := w.s.call(t, "GET", "/v1/sites", admin, nil).want(t, 200).items(t); len(sites) != 3 {
		t.Errorf("%d sites", len(sites))
	}
	w.s.call(t, "PATCH", "/v1/sites/S01", admin, map[string]any{"name": "Renamed", "reason": ""}).refused(t, 400, study.Invalid)
	if got := w.s.call(t, "PATCH", "/v1/sites/S01", admin, map[string]any{"name": "Renamed", "reason": "a merger"}).want(t, 200).json(t); got["name"] != "Renamed" || got["time_zone"] == "" {
		t.Errorf("got %v", got)
	}
	for _, closed := range []bool{true, false} {
		if got := w.s.call(t, "PUT", "/v1/sites/S01/closing", admin, map[string]any{"closed": closed, "reason": "recruitment"}).want(t, 200).json(t); got["closed"] != closed {
			t.Errorf("got %v", got)
		}
	}
	w.s.call(t, "PUT", "/v1/sites/S01/lock", ines, map[string]any{"locked": true, "reason": ""}).refused(t, 400, study.Invalid)
	w.s.call(t, "PUT", "/v1/sites/S01/lock", ines, map[string]any{"locked": true, "reason": "cleaning"}).want(t, 200)
	before := w.s.content(t)
	w.s.call(t, "PUT", "/v1/sites/S01/lock", ines, map[string]any{"locked": true, "reason": "again"}).want(t, 200)
	w.s.same(t, before)
	if got := w.s.call(t, "PUT", "/v1/sites/S01/lock", ines, map[string]any{"locked": false, "reason": "done"}).want(t, 200).json(t); got["locked"] != false {
		t.Errorf("%v", got)
	}
}

func TestAccountsAreMadeChangedAndDisabled(t *testing.T) {
	w := newWorld(t)
	admin := w.here[study.RoleAdmin]
	make := func(body map[string]any) reply { return w.s.call(t, "POST", "/v1/staff", admin.token, body) }
	good := map[string]any{"username": "olga", "role": "coordinator", "sites": []string{"S01"}}
	for field, value := range map[string]any{"username": "a", "role": "nurse", "sites": []string{"S99"}, "password": "short", "access_from": canary} {
		if r := make(with(good, field, value)); r.status != 400 || !named(t, r, field) {
			t.Errorf("%s %v: %d %s", field, value, r.status, r.body)
		}
	}
	if r := make(with(good, "sites", nil)); r.status != 400 || !named(t, r, "sites") {
		t.Errorf("no site: %d %s", r.status, r.body)
	}
	if r := make(with(good, "role", "analyst")); r.status != 400 || !named(t, r, "sites") {
		t.Errorf("an analyst of one site: %d %s", r.status, r.body)
	}
	make(with(good, "role", "participant")).refused(t, 400, study.Invalid)
	make(with(good, "role", "system")).refused(t, 400, study.Invalid)
	chosen := make(with(good, "username", "petra", "password", "five unrelated words here")).want(t, 201).json(t)
	if chosen["password"] != nil {
		t.Error("a chosen password is answered")
	}
	made := make(good).want(t, 201).json(t)
	id := fmt.Sprint(made["id"])
	login := func(password any) reply {
		return w.s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "olga", "password": password})
	}
	session := login(made["password"]).want(t, 200).json(t)
	if session["role"] != "coordinator" || fmt.Sprint(session["sites"]) != "[S01]" || session["participant_id"] != nil {
		t.Errorf("the session is %v", session)
	}
	token := fmt.Sprint(session["access_token"])
	reset := w.s.call(t, "POST", "/v1/staff/"+id+"/password", admin.token, nil).want(t, 201).json(t)
	w.s.call(t, "GET", "/v1/sites", token, nil).refused(t, 401, study.Unauthenticated)
	w.s.call(t, "POST", "/v1/auth/refresh", "", map[string]any{"refresh_token": session["refresh_token"]}).refused(t, 401, study.Unauthenticated)
	login(made["password"]).refused(t, 401, study.Unauthenticated)
	session = login(reset["password"]).want(t, 200).json(t)
	w.s.call(t, "POST", "/v1/staff/"+id+"/password", admin.token, map[string]any{"password": "olga olga olga olga"}).refused(t, 400, study.Invalid)
	w.s.call(t, "PATCH", "/v1/staff/"+id, admin.token, map[string]any{"disabled": true, "reason": "left"}).want(t, 200)
	w.s.call(t, "GET", "/v1/sites", fmt.Sprint(session["access_token"]), nil).refused(t, 401, study.Unauthenticated)
	login(reset["password"]).refused(t, 401, study.Unauthenticated)
	w.s.call(t, "PATCH", "/v1/staff/"+string(admin.id), admin.token, map[string]any{"disabled": true}).refused(t, 400, study.Invalid)
	w.s.call(t, "PATCH", "/v1/staff/"+string(admin.id), admin.token, map[string]any{"role": "analyst"}).refused(t, 400, study.Invalid)
	found := false
	for _, a := range w.s.call(t, "GET", "/v1/staff", admin.token, nil).want(t, 200).items(t) {
		found = found || a["id"] == id && a["disabled"] == true
		if _, shown := a["password"]; shown {
			t.Error("the list has passwords")
		}
	}
	if !found {
		t.Error("the account is not in the list")
	}
}

func TestTheAuditComesInPagesAndHasEverything(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.s.Clock.Advance(time.Millisecond)
		w.withForm(t)
	}
	events := 0
	for _, err := range w.s.Store.Entries(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	admin := w.here[study.RoleAdmin].token
	seen := map[string]bool{}
	last := ""
	path := "/v1/audit?limit=5"
	for pages := 0; ; pages++ {
		got := w.s.call(t, "GET", path, admin, nil).want(t, 200)
		for _, e := range got.items(t) {
			seen[fmt.Sprint(e["stream"], " ", e["seq"])] = true
			if at := fmt.Sprint(e["at"]); at < last {
				t.Errorf("%s comes after %s", at, last)
			} else {
				last = at
			}
		}
		next, more := got.json(t)["next"].(string)
		if !more {
			break
		}
		if path = "/v1/audit?limit=5&cursor=" + next; pages > events {
			t.Fatal("the audit does not end")
		}
	}
	if len(seen) != events {
		t.Errorf("%d events, the store has %d", len(seen), events)
	}
	since := w.s.call(t, "GET", "/v1/audit?since="+stamp(w.s.Clock.Now()), admin, nil).want(t, 200).items(t)
	if len(since) == 0 || len(since) >= events {
		t.Errorf("%d events since now", len(since))
	}
	w.s.call(t, "GET", "/v1/audit?since="+canary, admin, nil).refused(t, 400, study.Invalid)
	// A monitor reads her sites' records only, and no accounts.
	for _, e := range w.s.call(t, "GET", "/v1/audit?limit=200", w.there[study.RoleMonitor].token, nil).want(t, 200).items(t) {
		stream := fmt.Sprint(e["stream"])
		if stream != "study" && stream != "site/S02" {
			t.Errorf("the monitor of S02 reads %s", stream)
		}
	}
}

func TestTheFirstAdministratorIsMadeOnce(t *testing.T) {
	s := build(t, testkit.Store(t))
	token, err := s.auth.SetupToken(t.Context())
	if err != nil || token == "" {
		t.Fatalf("%q %v", token, err)
	}
	s.listenLocal(t)
	setUp := func(token, name, password string) reply {
		return s.call(t, "POST", "/v1/auth/setup", "", map[string]any{"token": token, "username": name, "password": password})
	}
	const password = "some unrelated words"
	setUp(canary, "root", password).refused(t, 401, study.Unauthenticated)
	setUp(token, "root", "short").refused(t, 400, study.Invalid)
	setUp(token, "<b>", password).refused(t, 400, study.Invalid)
	first := setUp(token, "root", password).want(t, 201).json(t)
	if first["role"] != "admin" || first["username"] != "root" {
		t.Errorf("%v", first)
	}
	setUp(token, "root2", password).refused(t, 401, study.Unauthenticated)
	setUp(token, "root", "other unrelated words").refused(t, 401, study.Unauthenticated)
	if again, err := s.auth.SetupToken(t.Context()); err != nil || again != "" {
		t.Errorf("the link is offered again: %q %v", again, err)
	}
	s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "root", "password": password}).want(t, 200)
}

func TestTheFirstAdministratorIsMadeOnceEvenBySeveralAtOnce(t *testing.T) {
	s := build(t, testkit.Store(t))
	token, err := s.auth.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.listenLocal(t)
	got := atOnce(t, 8, func(i int) (reply, error) {
		return s.try("POST", "/v1/auth/setup", "", map[string]any{"token": token, "username": fmt.Sprintf("root%d", i), "password": "some unrelated words"})
	})
	made := 0
	for _, r := range got {
		if r.status == 201 {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d administrators: %v", made, statuses(got))
	}
}

func TestRefreshAndLogout(t *testing.T) {
	s := start(t, testkit.Store(t))
	p := s.Enrol(t, "001")
	session := s.bind(t, p)
	refresh := func(token any) reply {
		return s.call(t, "POST", "/v1/auth/refresh", "", map[string]any{"refresh_token": token})
	}
	first := session["refresh_token"]
	a, b := refresh(first).want(t, 200).json(t), refresh(first).want(t, 200).json(t)
	if a["refresh_token"] != b["refresh_token"] || a["participant_id"] != string(p.ID) {
		t.Errorf("the answer that was lost is another: %v, %v", a, b)
	}
	c := refresh(a["refresh_token"]).want(t, 200).json(t)
	refresh(first).refused(t, 401, study.Unauthenticated) // its successor was used: somebody has a copy
	refresh(c["refresh_token"]).refused(t, 401, study.Unauthenticated)
	s.call(t, "GET", "/v1/me", fmt.Sprint(c["access_token"]), nil).refused(t, 401, study.Unauthenticated)
	for _, bad := range []any{"", canary, strings.Repeat("A", 82), strings.Repeat("A", 511)} {
		refresh(bad).refused(t, 401, study.Unauthenticated)
	}
	refresh(strings.Repeat("A", 513)).refused(t, 400, study.Invalid)

	session = s.bind(t, p)
	s.call(t, "POST", "/v1/auth/logout", "", map[string]any{"refresh_token": session["refresh_token"]}).want(t, 204)
	s.call(t, "GET", "/v1/me", fmt.Sprint(session["access_token"]), nil).refused(t, 401, study.Unauthenticated)
	for _, body := range []any{nil, map[string]any{}, map[string]any{"refresh_token": canary}, map[string]any{"refresh_token": session["refresh_token"]}} {
		s.call(t, "POST", "/v1/auth/logout", canary, body).want(t, 204) // a session that has ended is no error
	}
}

// Whatever is wrong with a name and a password, the sentence is the same.
func TestSigningInTellsNobodyWhoExists(t *testing.T) {
	s := start(t, testkit.Store(t))
	a := s.staff(t, "anna", study.RoleAnalyst)
	off := s.staff(t, "off", study.RoleAnalyst)
	admin := s.staff(t, "root", study.RoleAdmin)
	s.call(t, "PATCH", "/v1/staff/"+string(off.id), admin.token, map[string]any{"disabled": true}).want(t, 200)
	bodies := map[string]bool{}
	for name, password := range map[string]string{"nobody": "some unrelated words", a.name: "some unrelated words", off.name: off.password, "": "", "x\x00y": canary, strings.Repeat("n", 64): strings.Repeat("p", 256)} {
		bodies[withoutID(t, s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": name, "password": password}).refused(t, 401, study.Unauthenticated))] = true
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers: %v", len(bodies), bodies)
	}
	codes := map[string]bool{}
	p := s.Enrol(t, "001")
	old, used := s.code(t, p), s.code(t, p)
	s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": used}).want(t, 201)
	late := s.code(t, s.Enrol(t, "002"))
	s.Clock.Advance(22 * 24 * time.Hour)
	for _, code := range []string{old, used, late, "00000-00000-0"} {
		codes[withoutID(t, s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": code}).refused(t, 401, study.Unauthenticated))] = true
	}
	if len(codes) != 1 {
		t.Errorf("%d different answers: %v", len(codes), codes)
	}
	for _, slip := range []string{"", "12345", canary, old[:len(old)-1] + "!", strings.Repeat("0", 65)} {
		s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": slip}).refused(t, 400, study.Invalid)
	}
	s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": "00000-00000-0", "attempt_id": canary}).refused(t, 400, study.Invalid)
}

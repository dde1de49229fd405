package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// TestTheMainFlow is what the project is for, from enrolment to receipt.
func TestTheMainFlow(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p := s.Enrol(t, "001")
	session := s.bind(t, p)
	token, _ := session["access_token"].(string)
	if session["participant_id"] != string(p.ID) || session["token_type"] != "Bearer" || session["refresh_token"] == "" || session["expires_in"] != 600.0 {
		t.Fatalf("the session is %v", session)
	}

	me := s.call(t, "GET", "/v1/me", token, nil).want(t, 200).json(t)
	next, _ := me["next"].(map[string]any)
	if me["participant_id"] != string(p.ID) || me["status"] != "active" || next["visit"] != "C1D1" || next["status"] != "open" {
		t.Errorf("me is %v", me)
	}
	assessments := s.call(t, "GET", "/v1/me/assessments", token, nil).want(t, 200).items(t)
	if len(assessments) != 18 || assessments[0]["visit"] != "C1D1" || assessments[17]["visit"] != "W52" || assessments[0]["submission_id"] != nil {
		t.Errorf("%d assessments: %v", len(assessments), assessments)
	}

	at, id := "", s.NewID()
	if first, ok := assessments[0]["id"].(string); ok {
		at = "/v1/me/assessments/" + first + "/submissions/"
	}
	before := s.content(t)
	form := s.sheet(1)
	receipt := s.call(t, "PUT", at+id, token, form).want(t, 201)
	got := receipt.json(t)
	if got["submission_id"] != id || got["assessment_id"] != assessments[0]["id"] || got["counted"] != true || got["received_at"] != stamp(s.Clock.Now()) {
		t.Errorf("the receipt is %v", got)
	}
	if digest, ok := got["digest"].(string); !ok || len(digest) != 64 {
		t.Errorf("the digest is %v", got["digest"])
	}
	stored := s.content(t)
	if stored.events != before.events+1 || s.formsOf(t, p) != 1 {
		t.Errorf("stored %d events and %d forms, want one of each", stored.events-before.events, s.formsOf(t, p))
	}

	s.Clock.Advance(time.Hour) // past the access token's ten minutes
	token = s.refresh(t, session)
	for what, again := range map[string]any{
		"the same":                     form,
		"another sent_at":              with(form, "sent_at", stamp(s.Clock.Now())),
		"no sent_at":                   with(form, "sent_at", nil),
		"another app":                  with(form, "app", map[string]any{"platform": "android", "version": "2.0"}),
		"no app":                       with(form, "app", nil),
		"members in another order":     backwards(t, form),
		"an empty member more":         with(form, "skipped", map[string]any{}),
		"completed_at written shorter": with(form, "completed_at", strings.Replace(form["completed_at"].(string), ".000Z", "Z", 1)),
		"completed_at in another zone": with(form, "completed_at", elsewhere(t, form["completed_at"])),
	} {
		r := s.call(t, "PUT", at+id, token, again)
		if r.status != 200 || string(r.body) != string(receipt.body) {
			t.Errorf("%s: %d, want 200 and the same receipt\n%s\n%s", what, r.status, r.body, receipt.body)
		}
	}
	s.call(t, "PUT", at+id, token, s.sheet(2)).refused(t, 409, study.Conflict)
	s.call(t, "PUT", at+id, token, with(form, "completed_at", stamp(s.Clock.Now()))).refused(t, 409, study.Conflict)
	s.call(t, "PUT", at+s.NewID(), token, form).refused(t, 409, study.AlreadySubmitted)
	s.call(t, "PUT", formAt(p, "C2D1", id), token, form).refused(t, 409, study.Conflict)
	s.same(t, stored)

	if first := s.call(t, "GET", "/v1/me/assessments", token, nil).items(t)[0]; first["status"] != "completed" || first["submission_id"] != id {
		t.Errorf("afterwards the assessment is %v", first)
	}
}

// refresh exchanges the session's refresh token and gives the access token.
func (s *server) refresh(t testing.TB, session map[string]any) string {
	t.Helper()
	got := s.call(t, "POST", "/v1/auth/refresh", "", map[string]any{"refresh_token": session["refresh_token"]}).want(t, 200).json(t)
	session["refresh_token"] = got["refresh_token"]
	token, _ := got["access_token"].(string)
	return token
}

// backwards writes an object with its members, and those of its members, in
// reverse order and with space between them.
func backwards(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return string(raw)
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names)
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(" ,\n")
		}
		fmt.Fprintf(&b, "%q : %s", name, backwards(t, members[name]))
	}
	return "{ " + b.String() + "\n}"
}

// elsewhere is the same instant by a clock in Shanghai.
func elsewhere(t testing.TB, instant any) string {
	t.Helper()
	text, _ := instant.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339)
}

func TestBeforeTheWindowTheSentenceNamesItsTimesAndNothingIsStored(t *testing.T) {
	s := start(t, testkit.Store(t))
	p, token := s.phone(t, "001")
	before := s.content(t)
	r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1)).refused(t, 409, study.WindowNotOpen)
	detail, _ := r.json(t)["detail"].(string)
	for _, part := range []string{"2026-02-23 00:00", "2026-03-03 00:00", "Asia/Shanghai"} {
		if !strings.Contains(detail, part) {
			t.Errorf("the sentence does not say %s: %s", part, detail)
		}
	}
	s.same(t, before)
	s.Clock.Set(time.Date(2026, 2, 22, 15, 59, 59, 0, time.UTC)) // a second before midnight in Shanghai
	token = s.bind(t, p)["access_token"].(string)
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1)).refused(t, 409, study.WindowNotOpen)
	s.Clock.Advance(time.Second)
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1)).want(t, 201)
}

func TestAFormAfterItsWindowIsHeldUntilStaffDecide(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p := s.Enrol(t, "001")
	session := s.bind(t, p)
	s.Clock.Advance(48 * time.Hour)
	token := s.refresh(t, session)
	id, form := s.NewID(), s.sheet(1)

	held := s.call(t, "PUT", formAt(p, "C1D1", id), token, form).want(t, 202)
	if r := held.json(t); r["counted"] != false || r["held_cause"] != "window_closed" || r["submission_id"] != id {
		t.Errorf("the receipt is %s", held.body)
	}
	again := s.call(t, "PUT", formAt(p, "C1D1", id), token, form).want(t, 200)
	if string(again.body) != string(held.body) {
		t.Errorf("the receipt was %s, and again %s", held.body, again.body)
	}
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, form).refused(t, 409, study.AlreadySubmitted)

	anna := s.staff(t, "anna", study.RoleInvestigator, testkit.Site)
	accepted := s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", anna.token, map[string]any{"accept": true, "reason": "the phone was in repair"}).want(t, 201).json(t)
	if accepted["status"] != "completed" || accepted["submission_id"] != id {
		t.Errorf("after the acceptance: %v", accepted)
	}
	s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", anna.token, map[string]any{"accept": false, "reason": "no"}).refused(t, 409, study.Conflict)
	again = s.call(t, "PUT", formAt(p, "C1D1", id), token, form).want(t, 200)
	if string(again.body) != string(held.body) {
		t.Errorf("accepting changed the receipt: %s, %s", held.body, again.body)
	}
}

// A phone that lost the answer keeps sending, for weeks if it must. Whatever
// has happened to the participant since, it hears that its form arrived.
func TestARetryGetsItsReceiptWhateverHasChangedSince(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p := s.Enrol(t, "001")
	session := s.bind(t, p)
	token, _ := session["access_token"].(string)
	anna := s.staff(t, "anna", study.RoleInvestigator, testkit.Site)
	id, form := s.NewID(), s.sheet(1)
	path := formAt(p, "C1D1", id)
	receipt := s.call(t, "PUT", path, token, form).want(t, 201)

	person := "/v1/participants/" + string(p.ID)
	for _, step := range []struct {
		what         string
		method, path string
		body         map[string]any
	}{
		{"a correction", "POST", staffFormAt(p, "C1D1", id) + "/corrections", map[string]any{"answers": s.sheet(5)["answers"], "cause": "entry_error", "reason": "as she said"}},
		{"another language", "PATCH", person, map[string]any{"language": "zh", "reason": "she asked"}},
		{"closing of the window", "", "", nil},
		{"a move to another cycle day", "PUT", person + "/cycles/2", map[string]any{"started_on": "2026-03-25", "reason": "leukopenia", "confirm": true}},
		{"withdrawal", "POST", person + "/status", map[string]any{"status": "withdrawn", "level": "trial", "on": "2026-03-02", "reason": "she asked"}},
		{"a lock of the site", "PUT", "/v1/sites/S01/lock", map[string]any{"locked": true, "reason": "database lock"}},
	} {
		if step.method != "" {
			s.signIn(t, &anna)
			if r := s.call(t, step.method, step.path, anna.token, step.body); r.status >= 300 {
				t.Fatalf("%s: %d %s", step.what, r.status, r.body)
			}
		} else {
			s.Clock.Advance(72 * time.Hour)
		}
		s.Clock.Advance(6 * time.Second) // past what is kept in memory
		token = s.refresh(t, session)
		before := s.content(t)
		again := s.call(t, "PUT", path, token, with(form, "sent_at", stamp(s.Clock.Now())))
		if again.status != 200 || string(again.body) != string(receipt.body) {
			t.Errorf("after %s: %d\n%s, want\n%s", step.what, again.status, again.body, receipt.body)
		}
		s.same(t, before)
	}
	// What was not sent before is held now, and says why.
	s.Clock.Set(time.Date(2026, 3, 25, 9, 0, 0, 0, time.UTC))
	token = s.refresh(t, session)
	r := s.call(t, "PUT", formAt(p, "C2D1", s.NewID()), token, s.sheet(3)).want(t, 202).json(t)
	if r["held_cause"] != "not_expected" {
		t.Errorf("a form after withdrawal: %v", r)
	}
}

func TestALockedSiteHoldsForms(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	anna := s.staff(t, "anna", study.RoleInvestigator, testkit.Site)
	s.call(t, "PUT", "/v1/sites/S01/lock", anna.token, map[string]any{"locked": true, "reason": "cleaning"}).want(t, 200)
	r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(3)).want(t, 202).json(t)
	if r["held_cause"] != "locked" || r["counted"] != false {
		t.Errorf("the receipt is %v", r)
	}
	s.call(t, "PATCH", "/v1/participants/"+string(p.ID), anna.token, map[string]any{"language": "zh", "reason": "x"}).refused(t, 409, study.Locked)
}

func TestTheQuestionnaireComesInTheLanguageAskedForAndOnlyWhenItIsNew(t *testing.T) {
	s := start(t, testkit.Store(t))
	_, token := s.phone(t, "001")
	tags := map[string]string{}
	for _, lang := range []string{"en", "zh"} {
		r := s.call(t, "GET", "/v1/instruments/fact-b?lang="+lang, token, nil).want(t, 200)
		q := r.json(t)
		items, _ := q["items"].([]any)
		wording, _ := q["wording"].(map[string]any)
		if q["id"] != "fact-b" || q["version"] != "4" || q["recall_days"] != 7.0 || len(items) != 37 || wording["language"] != lang || wording["licensed"] != false || wording["banner"] == "" {
			t.Errorf("%s: %v items, wording %v", lang, len(items), wording)
		}
		for _, it := range items {
			item, _ := it.(map[string]any)
			choices, _ := item["choices"].([]any)
			if _, optOut := item["opt_out"]; optOut != (item["code"] == "GS7") || len(choices) != 5 || item["text"] == "" {
				t.Errorf("%s: item %v", lang, item)
			}
		}
		tag := r.header.Get("ETag")
		tags[lang] = tag
		for header, status := range map[string]int{
			tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, strings.Trim(tag, `"`): 200,
		} {
			again := s.call(t, "GET", "/v1/instruments/fact-b?lang="+lang, token, nil, "If-None-Match", header).want(t, status)
			if again.header.Get("ETag") != tag || status == 304 && len(again.body) != 0 {
				t.Errorf("If-None-Match %s: ETag %s, %d bytes", header, again.header.Get("ETag"), len(again.body))
			}
		}
	}
	if tags["en"] == tags["zh"] {
		t.Error("two languages share an ETag")
	}
	for _, lang := range []string{"xx", "english", canary, "EN%00"} {
		s.call(t, "GET", "/v1/instruments/fact-b?lang="+lang, token, nil).refused(t, 400, study.Invalid)
	}
	s.call(t, "GET", "/v1/instruments/fact-g", token, nil).refused(t, 404, study.NotFound)
	s.call(t, "GET", "/v1/instruments/fact-b?language=en", token, nil).refused(t, 400, study.Invalid)
}

func TestWithoutALanguageTheQuestionnaireComesInTheParticipants(t *testing.T) {
	s := start(t, testkit.Store(t))
	p, token := s.phone(t, "001")
	anna := s.staff(t, "anna", study.RoleCoordinator, testkit.Site)
	s.call(t, "PATCH", "/v1/participants/"+string(p.ID), anna.token, map[string]any{"language": "zh", "reason": "she asked"}).want(t, 200)
	wording, _ := s.call(t, "GET", "/v1/instruments/fact-b", token, nil).want(t, 200).json(t)["wording"].(map[string]any)
	if wording["language"] != "zh" {
		t.Errorf("the wording is %v", wording)
	}
}

func TestSkippedOptedOutAndNotReachedItemsAreKeptApart(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	form := s.sheet(1)
	answers := map[string]any{"GP1": 0, "GP2": 4, "GS1": 2}
	id := s.NewID()
	s.call(t, "PUT", formAt(p, "C1D1", id), token, with(form, "answers", answers, "skipped", map[string]any{"GS7": "opt_out", "B2": "skipped"})).want(t, 201)
	anna := s.staff(t, "anna", study.RoleInvestigator, testkit.Site)
	history := s.call(t, "GET", "/v1/participants/"+string(p.ID)+"/history", anna.token, nil).want(t, 200).items(t)
	data, _ := history[len(history)-1]["data"].(map[string]any)
	if fmt.Sprint(data["answers"]) != "map[GP1:0 GP2:4 GS1:2]" || fmt.Sprint(data["skipped"]) != "map[B2:skipped GS7:opt_out]" {
		t.Errorf("stored %v and %v", data["answers"], data["skipped"])
	}
	for what, body := range map[string]map[string]any{
		"opt_out on an item without the box": with(form, "answers", answers, "skipped", map[string]any{"GP3": "opt_out"}),
		"answered and skipped":               with(form, "answers", answers, "skipped", map[string]any{"GP1": "skipped"}),
		"an unknown reason":                  with(form, "answers", answers, "skipped", map[string]any{"GP3": canary}),
		"an unknown item skipped":            with(form, "answers", answers, "skipped", map[string]any{"GP8": "skipped"}),
		"the box as an item":                 with(form, "answers", answers, "skipped", map[string]any{"Q1": "opt_out"}),
	} {
		if r := s.call(t, "PUT", formAt(p, "C2D1", s.NewID()), token, body); r.status != 422 || r.code(t) != study.InvalidAnswers {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
}

func TestProgressIsCountsOnlyAndOnlyOfOnesOwnForms(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	q := s.Enrol(t, "002")
	at := func(id study.ParticipantID, visit string) string {
		return "/v1/me/assessments/" + string(study.AssessmentFor(id, visit)) + "/progress"
	}
	body := map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": 12, "unsent": 1}
	s.call(t, "PUT", at(p.ID, "C1D1"), token, body).want(t, 204)
	s.call(t, "PUT", at(p.ID, "C1D1"), token, with(body, "answered", 13)).want(t, 204)
	s.call(t, "PUT", at(q.ID, "C1D1"), token, body).refused(t, 404, study.NotFound)
	s.call(t, "PUT", at(p.ID, "C99D1"), token, body).refused(t, 404, study.NotFound)
	for what, bad := range map[string]map[string]any{
		"too many":      with(body, "answered", 9999),
		"negative":      with(body, "answered", -1),
		"a fraction":    with(body, "answered", 1.5),
		"text":          with(body, "answered", canary),
		"an answer":     with(body, "answers", map[string]any{"GP1": 3}),
		"no opened_at":  with(body, "opened_at", nil),
		"no instant":    with(body, "opened_at", canary),
		"empty instant": with(body, "opened_at", ""),
	} {
		if r := s.call(t, "PUT", at(p.ID, "C1D1"), token, bad); r.status != 400 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
}

// The phone's clock is two hours ahead: the form counts, and says so.
func TestAPhoneWithAWrongClockIsBelievedWithAFlag(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, sheetAt(s.Clock.Now().Add(2*time.Hour), 1)).want(t, 201).json(t)
	if fmt.Sprint(r["flags"]) != "[time_uncertain]" || r["counted"] != true {
		t.Errorf("the receipt is %v", r)
	}
}

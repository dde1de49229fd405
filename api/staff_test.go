package api_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/study"
)

// desk is a server with somebody of every role at Site, a coordinator's and an
// investigator's tokens at hand.
type desk struct {
	*world
	anna, ines string // coordinator, investigator
}

func newDesk(t testing.TB) desk {
	w := newWorld(t)
	return desk{w, w.here[study.RoleCoordinator].token, w.here[study.RoleInvestigator].token}
}

func (d desk) person(id study.ParticipantID) string { return "/v1/participants/" + string(id) }

// sees is the participant as the coordinator reads her.
func (d desk) sees(t testing.TB, id study.ParticipantID) map[string]any {
	t.Helper()
	return d.s.call(t, "GET", d.person(id), d.anna, nil).want(t, 200).json(t)
}

// visit is an assessment as staff read it.
func (d desk) visit(t testing.TB, id study.ParticipantID, code string) map[string]any {
	t.Helper()
	for _, a := range d.s.call(t, "GET", d.person(id)+"/assessments", d.ines, nil).want(t, 200).items(t) {
		if a["visit"] == code {
			return a
		}
	}
	t.Fatalf("no visit %s", code)
	return nil
}

func TestEnrolmentNamesEveryWrongField(t *testing.T) {
	d := newDesk(t)
	good := enrolment("R-1")
	made := d.s.call(t, "POST", "/v1/participants", d.anna, good).want(t, 201)
	p := made.json(t)
	if p["number"] != "R-1" || p["status"] != "enrolled" || p["site"] != "S01" || p["bound_at"] != nil || made.header.Get("ETag") != `"1"` {
		t.Errorf("enrolled %v", p)
	}
	d.s.call(t, "POST", "/v1/participants", d.anna, good).refused(t, 409, study.Conflict)
	d.s.call(t, "POST", "/v1/participants", d.anna, with(good, "number", " r-1 ")).refused(t, 400, study.Invalid)
	d.s.call(t, "POST", "/v1/participants", d.anna, with(good, "number", "r-1")).refused(t, 409, study.Conflict)
	before := d.s.content(t)
	for field, value := range map[string]any{"number": "", "regimen": canary, "language": "xx", "time_zone": "Mars/Olympus", "cycle1_on": "2036-03-02", "site": "S99"} {
		if r := d.s.call(t, "POST", "/v1/participants", d.anna, with(good, "number", "R-2", field, value)); r.status != 400 || !named(t, r, field) {
			t.Errorf("%s %v: %d %s", field, value, r.status, r.body)
		}
	}
	for _, consent := range []any{map[string]any{"on": "2026-03-03", "form_version": "1", "language": "en"}, map[string]any{"on": "2026-02-20", "form_version": "", "language": "en"}, map[string]any{}} {
		d.s.call(t, "POST", "/v1/participants", d.anna, with(good, "number", "R-2", "consent", consent)).refused(t, 400, study.Invalid)
	}
	r := d.s.call(t, "POST", "/v1/participants", d.anna, with(good, "number", "", "regimen", canary, "language", "xx")).refused(t, 400, study.Invalid)
	for _, field := range []string{"number", "regimen", "language"} {
		if !named(t, r, field) {
			t.Errorf("%s is not named with the others: %s", field, r.body)
		}
	}
	d.s.same(t, before)
}

// Without consent there is no code and no window.
func TestWithoutConsentNothingOpens(t *testing.T) {
	d := newDesk(t)
	p := d.s.call(t, "POST", "/v1/participants", d.anna, with(enrolment("R-1"), "consent", nil)).want(t, 201).json(t)
	id := study.ParticipantID(fmt.Sprint(p["id"]))
	if p["status"] != "screened" {
		t.Errorf("status %v", p["status"])
	}
	d.s.call(t, "POST", d.person(id)+"/enrolment-codes", d.anna, nil).refused(t, 409, study.NotExpected)
	d.s.call(t, "POST", d.person(id)+"/consent", d.anna, map[string]any{"on": "2026-03-01", "form_version": "2.0", "language": "zh"}).want(t, 201)
	d.s.call(t, "POST", d.person(id)+"/enrolment-codes", d.anna, nil).want(t, 201)
	if got := d.sees(t, id)["status"]; got != "enrolled" {
		t.Errorf("after consent: %v", got)
	}
	corrected := map[string]any{"on": "2026-02-27", "form_version": "2.0", "language": "zh", "corrects": 1}
	d.s.call(t, "POST", d.person(id)+"/consent", d.anna, corrected).refused(t, 400, study.Invalid)
	corrected["reason"] = "typed wrongly"
	after := d.s.call(t, "POST", d.person(id)+"/consent", d.anna, corrected).want(t, 201).json(t)
	if got := fmt.Sprint(after["consents"]); !strings.Contains(got, "2026-02-27") || strings.Contains(got, "2026-03-01") {
		t.Errorf("consents %v", got)
	}
}

func TestAnOlderCodeDiesWithANewerAndAUsedOneWithItsUse(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	issue := func(body any) map[string]any {
		return d.s.call(t, "POST", d.person(p.ID)+"/enrolment-codes", d.anna, body).want(t, 201).json(t)
	}
	use := func(code, attempt any) reply {
		return d.s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": code, "attempt_id": attempt})
	}
	first, second := issue(nil), issue(nil)
	if link := fmt.Sprint(second["link"]); link != d.s.url+"/app#"+fmt.Sprint(second["code"]) {
		t.Errorf("the link is %s", link)
	}
	if at := fmt.Sprint(second["expires_at"]); at != "2026-03-23T01:00:00.000Z" {
		t.Errorf("it expires at %s", at)
	}
	use(first["code"], d.s.NewID()).refused(t, 401, study.Unauthenticated)
	attempt := d.s.NewID()
	use(strings.ToLower(strings.ReplaceAll(fmt.Sprint(second["code"]), "-", " ")), attempt).want(t, 201)
	use(second["code"], attempt).want(t, 201) // the answer was lost
	use(second["code"], d.s.NewID()).refused(t, 401, study.Unauthenticated)
	d.s.Clock.Advance(25 * time.Hour)
	use(second["code"], attempt).refused(t, 401, study.Unauthenticated)
}

func TestDetailsChangeWithAReason(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	d.s.call(t, "PATCH", d.person(p.ID), d.anna, map[string]any{"language": "zh", "reason": " "}).refused(t, 400, study.Invalid)
	d.s.call(t, "PATCH", d.person(p.ID), d.anna, map[string]any{"language": "zh"}).refused(t, 400, study.Invalid)
	d.s.call(t, "PATCH", d.person(p.ID), d.anna, map[string]any{"number": d.p.Number, "reason": "typo"}).refused(t, 409, study.Conflict)
	got := d.s.call(t, "PATCH", d.person(p.ID), d.anna, map[string]any{"language": "zh", "number": "Q-9", "regimen": "eribulin", "time_zone": "Asia/Tokyo", "access": "paper", "reason": "transcription"}).want(t, 200).json(t)
	if got["language"] != "zh" || got["number"] != "Q-9" || got["regimen"] != "eribulin" || got["time_zone"] != "Asia/Tokyo" || got["access"] != "paper" {
		t.Errorf("%v", got)
	}
	before := d.s.content(t)
	d.s.call(t, "PATCH", d.person(p.ID), d.anna, map[string]any{"language": "zh", "reason": "again"}).want(t, 200)
	d.s.same(t, before) // the record says so already
}

func TestATransferTakesTheParticipantOutOfSight(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	d.s.call(t, "POST", d.person(p.ID)+"/transfer", d.anna, map[string]any{"site": "S99", "on": "2026-03-01", "reason": "moved"}).refused(t, 400, study.Invalid)
	d.s.call(t, "POST", d.person(p.ID)+"/transfer", d.anna, map[string]any{"site": "S02", "on": "2026-03-09", "reason": "moved"}).refused(t, 400, study.Invalid)
	d.s.call(t, "POST", d.person(p.ID)+"/transfer", d.anna, map[string]any{"site": "S02", "on": "2026-03-01", "reason": "moved"}).want(t, 200)
	d.s.call(t, "GET", d.person(p.ID), d.anna, nil).refused(t, 404, study.NotFound)
	d.s.call(t, "GET", d.person(p.ID), d.there[study.RoleCoordinator].token, nil).want(t, 200)
}

func TestTheDryRunOfACycleSaysWhatTheMoveDoes(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	d.s.Clock.Set(time.Date(2026, 3, 24, 1, 0, 0, 0, time.UTC))
	a := d.here[study.RoleCoordinator]
	d.s.signIn(t, &a)
	d.anna = a.token
	b := d.here[study.RoleInvestigator]
	d.s.signIn(t, &b)
	d.ines = b.token
	move := map[string]any{"started_on": "2026-03-30", "kind": "planned", "reason": "leukopenia"}
	path := d.person(p.ID) + "/cycles/2"
	before := d.s.content(t)
	preview := d.s.call(t, "PUT", path, d.anna, with(move, "dry_run", true)).want(t, 200).json(t)
	d.s.same(t, before)
	changes, _ := preview["changes"].([]any)
	if len(changes) < 16 {
		t.Fatalf("%d changes: %v", len(changes), preview)
	}
	done := d.s.call(t, "PUT", path, d.anna, move).want(t, 200).json(t)
	if fmt.Sprint(done["changes"]) != fmt.Sprint(preview["changes"]) {
		t.Errorf("done\n%v\npreviewed\n%v", done["changes"], preview["changes"])
	}
	if v := d.visit(t, p.ID, "C2D1"); v["due_on"] != "2026-03-30" {
		t.Errorf("C2D1 is %v", v)
	}
	// A gap of over 63 days asks for confirmation, and says why.
	far := map[string]any{"started_on": "2026-05-20", "reason": "surgery"}
	if w := fmt.Sprint(d.s.call(t, "PUT", path, d.anna, with(far, "dry_run", true)).want(t, 200).json(t)["warnings"]); !strings.Contains(w, "days after cycle 1") {
		t.Errorf("the warnings are %s", w)
	}
	before = d.s.content(t)
	if r := d.s.call(t, "PUT", path, d.anna, far).refused(t, 400, study.Invalid); !named(t, r, "confirm") {
		t.Errorf("%s", r.body)
	}
	d.s.same(t, before)
	d.s.call(t, "PUT", path, d.anna, with(far, "confirm", true)).want(t, 200)
	for what, body := range map[string]map[string]any{
		"no reason":          {"started_on": "2026-04-02"},
		"before cycle 1":     {"started_on": "2026-03-01", "reason": "x", "confirm": true},
		"given tomorrow":     {"started_on": "2026-03-25", "kind": "given", "reason": "x", "confirm": true},
		"over 180 days":      {"started_on": "2026-12-20", "reason": "x", "confirm": true},
		"dosed another day":  {"started_on": "2026-03-24", "kind": "given", "dose_at": "2026-03-20T00:00:00.000Z", "reason": "x", "confirm": true},
		"no date":            {"reason": "x"},
		"of an unknown kind": {"started_on": "2026-03-24", "kind": canary, "reason": "x"},
	} {
		if r := d.s.call(t, "PUT", path, d.anna, body); r.status != 400 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	d.s.call(t, "PUT", d.person(p.ID)+"/cycles/99", d.anna, move).refused(t, 404, study.NotFound)
}

func TestAStatusIsRecordedAndRetracted(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		body   map[string]any
		status string
	}{
		{map[string]any{"status": "withdrawn", "level": "questionnaires", "on": "2026-03-01", "reason": "tired"}, "withdrawn"},
		{map[string]any{"status": "deceased", "on": "2026-03", "reason": "called"}, "deceased"},
		{map[string]any{"status": "enrolled_in_error", "on": "2026-03-01", "reason": "HER2 negative"}, "excluded"},
		{map[string]any{"status": "screen_failure", "on": "2026-02-25", "reason": "lab"}, "excluded"},
		{map[string]any{"status": "end_of_follow_up", "on": "2026-03-01", "reason": "study ends"}, "completed"},
		{map[string]any{"status": "lost_to_follow_up", "on": "2026-03-01", "reason": "moved"}, "enrolled"},
	} {
		p := d.someone(t)
		got := d.s.call(t, "POST", d.person(p.ID)+"/status", d.anna, c.body).want(t, 200).json(t)
		if got["status"] != c.status {
			t.Errorf("%v: the status is %v", c.body, got["status"])
		}
		facts, _ := got["facts"].([]any)
		fact, _ := facts[len(facts)-1].(map[string]any)
		d.s.call(t, "POST", d.person(p.ID)+"/status", d.anna, map[string]any{"status": "retract", "seq": fact["seq"], "reason": ""}).refused(t, 400, study.Invalid)
		got = d.s.call(t, "POST", d.person(p.ID)+"/status", d.anna, map[string]any{"status": "retract", "seq": fact["seq"], "reason": "wrong person"}).want(t, 200).json(t)
		if got["status"] != "enrolled" {
			t.Errorf("%v, retracted: the status is %v", c.body, got["status"])
		}
		if v := d.visit(t, p.ID, "C1D1"); v["status"] != "open" {
			t.Errorf("%v, retracted: C1D1 is %v", c.body, v["status"])
		}
	}
	p := d.someone(t)
	for what, body := range map[string]map[string]any{
		"no level":         {"status": "withdrawn", "on": "2026-03-01", "reason": "x"},
		"a level of death": {"status": "deceased", "level": "trial", "on": "2026-03-01", "reason": "x"},
		"no reason":        {"status": "deceased", "on": "2026-03-01", "reason": ""},
		"tomorrow":         {"status": "deceased", "on": "2026-03-03", "reason": "x"},
		"half a date":      {"status": "withdrawn", "level": "trial", "on": "2026-03", "reason": "x"},
		"no date":          {"status": "deceased", "on": canary, "reason": "x"},
		"first_dose":       {"status": "first_dose", "on": "2026-03-01", "reason": "x"},
		"retract nothing":  {"status": "retract", "seq": 77, "reason": "x"},
	} {
		if r := d.s.call(t, "POST", d.person(p.ID)+"/status", d.anna, body); r.status != 400 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
}

func TestTreatmentAndECOG(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	path := d.person(p.ID) + "/treatment"
	got := d.s.call(t, "POST", path, d.anna, map[string]any{"event": "first_dose", "on": "2026-03-02", "at": "2026-03-02T00:30:00.000Z"}).want(t, 201).json(t)
	facts, _ := got["facts"].([]any)
	dose, _ := facts[0].(map[string]any)
	d.s.call(t, "POST", path, d.anna, map[string]any{"event": "first_dose", "on": "2026-03-01"}).refused(t, 409, study.Conflict)
	d.s.call(t, "POST", d.person(p.ID)+"/status", d.anna, map[string]any{"status": "retract", "seq": dose["seq"], "reason": "x"}).refused(t, 400, study.Invalid) // no fact of that route
	d.s.call(t, "POST", path, d.anna, map[string]any{"event": "retract", "seq": dose["seq"], "reason": "wrong chart"}).want(t, 201)
	for _, body := range []map[string]any{
		{"event": "ended", "on": "2026-03-02"}, {"event": "progressed", "on": "2026-03-02"},
		{"event": "regimen_changed", "on": "2026-03-02", "drugs": []string{"eribulin"}}, {"event": "new_therapy", "on": "2026-03-02", "drugs": []string{"T-DXd"}},
	} {
		d.s.call(t, "POST", path, d.anna, body).want(t, 201)
	}
	d.s.call(t, "POST", path, d.anna, map[string]any{"event": "regimen_changed", "on": "2026-03-02"}).refused(t, 400, study.Invalid)
	d.s.call(t, "POST", path, d.anna, map[string]any{"event": "withdrawn", "on": "2026-03-02"}).refused(t, 400, study.Invalid)

	ecog := d.person(p.ID) + "/performance-status"
	for _, bad := range []map[string]any{{"visit": "C1D1", "ecog": 5, "on": "2026-03-02"}, {"visit": "C1D1", "ecog": -1, "on": "2026-03-02"}, {"visit": "C1D1", "ecog": "1", "on": "2026-03-02"},
		{"visit": "C99", "ecog": 1, "on": "2026-03-02"}, {"visit": "C1D1", "ecog": 1, "on": "2026-03-03"}, {"visit": "C1D1", "on": "2026-03-02"}, {"visit": "C1D1", "ecog": 1, "on": "2026-02-30"}} {
		d.s.call(t, "POST", ecog, d.anna, bad).refused(t, 400, study.Invalid)
	}
	got = d.s.call(t, "POST", ecog, d.anna, map[string]any{"visit": "C1D1", "ecog": 0, "on": "2026-03-02"}).want(t, 201).json(t)
	if fmt.Sprint(got["performance_status"]) != "[map[ecog:0 on:2026-03-02 visit:C1D1]]" {
		t.Errorf("%v", got["performance_status"])
	}
}

func TestAPaperFormIsEnteredVerifiedAndGivesWayToThePhones(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	id := d.s.NewID()
	entry := with(d.s.sheet(4), "mode", "paper_transcribed", "assistance", "read_aloud", "reason", "her phone broke", "sent_at", nil, "app", nil)
	for field, value := range map[string]any{"mode": "self_app", "reason": " ", "assistance": canary} {
		if r := d.s.call(t, "PUT", staffFormAt(p, "C1D1", id), d.anna, with(entry, field, value)); r.status != 400 || !named(t, r, field) {
			t.Errorf("%s %v: %d %s", field, value, r.status, r.body)
		}
	}
	d.s.call(t, "PUT", staffFormAt(p, "C1D1", id), d.anna, with(entry, "completed_at", stamp(d.s.Clock.Now().Add(time.Hour)))).refused(t, 400, study.Invalid)
	first := d.s.call(t, "PUT", staffFormAt(p, "C1D1", id), d.anna, entry).want(t, 201)
	again := d.s.call(t, "PUT", staffFormAt(p, "C1D1", id), d.anna, entry).want(t, 200)
	if string(first.body) != string(again.body) {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	d.s.call(t, "PUT", staffFormAt(p, "C1D1", d.s.NewID()), d.anna, entry).refused(t, 409, study.AlreadySubmitted)
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/verification", d.anna, nil).refused(t, 403, study.Forbidden) // not whoever entered it
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/verification", d.ines, nil).want(t, 201)
	if forms := fmt.Sprint(d.visit(t, p.ID, "C1D1")["forms"]); !strings.Contains(forms, "verified:true") || !strings.Contains(forms, "read_aloud") {
		t.Errorf("the form is %s", forms)
	}
	token, _ := d.s.bind(t, p)["access_token"].(string)
	held := d.s.call(t, "PUT", formAt(p, "C1D1", d.s.NewID()), token, d.s.sheet(5)).want(t, 202).json(t)
	if held["held_cause"] != "staff_entry" {
		t.Errorf("the phone's form: %v", held)
	}
}

func TestACorrectionKeepsWhatWasThereAndAVoidOpensTheVisit(t *testing.T) {
	d := newDesk(t)
	p, id := d.withForm(t)
	form := staffFormAt(p, "C1D1", id)
	answers := d.s.sheet(8)["answers"]
	for what, body := range map[string]map[string]any{
		"no answers":      {"cause": "other", "reason": "x"},
		"null for them":   {"answers": nil, "cause": "other", "reason": "x"},
		"no cause":        {"answers": answers, "reason": "x"},
		"no reason":       {"answers": answers, "cause": "other", "reason": ""},
		"unknown cause":   {"answers": answers, "cause": canary, "reason": "x"},
		"the same as now": {"answers": d.s.sheet(1)["answers"], "cause": "other", "reason": "x"},
	} {
		if r := d.s.call(t, "POST", form+"/corrections", d.ines, body); r.status != 400 {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	d.s.call(t, "POST", form+"/corrections", d.ines, map[string]any{"answers": map[string]any{"GP1": 9}, "cause": "other", "reason": "x"}).refused(t, 422, study.InvalidAnswers)
	d.s.call(t, "POST", form+"/corrections", d.ines, map[string]any{"answers": answers, "cause": "entry_error", "reason": "as she said"}).want(t, 201)
	var types []string
	events, _ := d.s.call(t, "GET", form+"/copy", d.ines, nil).want(t, 200).json(t)["events"].([]any)
	for _, e := range events {
		event, _ := e.(map[string]any)
		types = append(types, fmt.Sprint(event["type"]))
	}
	if fmt.Sprint(types) != "[submission_received submission_corrected]" {
		t.Errorf("the copy has %v", types)
	}
	pdf := d.s.call(t, "GET", form+"/copy.pdf", d.ines, nil).want(t, 200)
	if kind := pdf.header.Get("Content-Type"); kind != "application/pdf" || !strings.HasPrefix(string(pdf.body), "%PDF-1.") {
		t.Errorf("the copy is %s, and begins %.20q", kind, pdf.body)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(pdf.body)); !strings.Contains(string(d.s.call(t, "GET", "/v1/audit?limit=200", d.s.staff(t, "root", study.RoleAdmin).token, nil).want(t, 200).body), sum) {
		t.Errorf("the record does not have the copy's hash %s", sum)
	}
	got := d.s.call(t, "POST", form+"/void", d.ines, map[string]any{"cause": "wrong_person", "reason": "her sister"}).want(t, 201).json(t)
	if got["status"] != "open" || got["submission_id"] != nil {
		t.Errorf("after the void: %v", got)
	}
	d.s.call(t, "POST", form+"/void", d.ines, map[string]any{"cause": "wrong_person", "reason": "again"}).refused(t, 409, study.Conflict)
	d.s.call(t, "POST", form+"/corrections", d.ines, map[string]any{"answers": answers, "cause": "other", "reason": "x"}).refused(t, 409, study.Conflict)
	token, _ := d.s.bind(t, p)["access_token"].(string)
	d.s.call(t, "PUT", formAt(p, "C1D1", d.s.NewID()), token, d.s.sheet(2)).want(t, 201)
}

func TestAHeldFormIsRejected(t *testing.T) {
	d := newDesk(t)
	p, id := d.withHeld(t)
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", d.anna, map[string]any{"accept": false, "reason": ""}).refused(t, 400, study.Invalid)
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", d.anna, map[string]any{"reason": "x"}).refused(t, 400, study.Invalid)
	got := d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", d.anna, map[string]any{"accept": false, "reason": "filled for a friend"}).want(t, 201).json(t)
	if got["status"] != "open" || !strings.Contains(fmt.Sprint(got["forms"]), "decision:rejected") {
		t.Errorf("%v", got)
	}
	p, id = d.withForm(t)
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/acceptance", d.anna, map[string]any{"accept": true, "reason": "x"}).refused(t, 409, study.Conflict)
}

func TestAReasonForMissingDoesNotCloseTheWindow(t *testing.T) {
	d := newDesk(t)
	p := d.someone(t)
	at := func(visit string) string {
		return d.person(p.ID) + "/assessments/" + string(study.AssessmentFor(p.ID, visit)) + "/not-done"
	}
	got := d.s.call(t, "POST", at("C1D1"), d.anna, map[string]any{"reason": "too_ill", "health_related": "yes"}).want(t, 201).json(t)
	if got["status"] != "open" || !strings.Contains(fmt.Sprint(got["not_done"]), "too_ill") {
		t.Errorf("%v", got)
	}
	d.s.call(t, "POST", at("C2D1"), d.anna, map[string]any{"reason": "too_ill", "health_related": "yes"}).refused(t, 409, study.WindowNotOpen)
	d.s.call(t, "POST", at("C99"), d.anna, map[string]any{"reason": "too_ill", "health_related": "yes"}).refused(t, 404, study.NotFound)
	for _, bad := range []map[string]any{{"reason": "died", "health_related": "yes"}, {"reason": "other", "health_related": "no"}, {"reason": "too_ill", "health_related": "maybe"}, {"reason": "too_ill"}} {
		d.s.call(t, "POST", at("C1D1"), d.anna, bad).refused(t, 400, study.Invalid)
	}
	q, _ := d.withForm(t)
	d.s.call(t, "POST", d.person(q.ID)+"/assessments/"+string(study.AssessmentFor(q.ID, "C1D1"))+"/not-done", d.anna, map[string]any{"reason": "forgot", "health_related": "no"}).refused(t, 409, study.Conflict)
}

// Whoever the protocol does not let see answers reads that there are some, their
// digest, and no more: in no address, in no event, in no error.
func TestOnlyTheRolesOfTheProtocolReadAnswersAndScores(t *testing.T) {
	d := newDesk(t)
	p, id := d.withForm(t)
	d.s.call(t, "POST", staffFormAt(p, "C1D1", id)+"/corrections", d.ines, map[string]any{"answers": d.s.sheet(8)["answers"], "cause": "entry_error", "reason": "as she said"}).want(t, 201)
	tag := `"1"`
	for role, a := range d.here {
		if role == study.RoleAnalyst || role == study.RoleAdmin {
			continue
		}
		h, err := d.s.History(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		may := h.SeesAnswers(study.Actor{Role: role})
		if role == study.RoleCoordinator && may {
			t.Fatal("the embedded protocol lets coordinators see answers: this test shows nothing")
		}
		bodies := map[string][]byte{
			"history":     d.s.call(t, "GET", d.person(p.ID)+"/history", a.token, nil).want(t, 200).body,
			"copy":        d.s.call(t, "GET", staffFormAt(p, "C1D1", id)+"/copy", a.token, nil).want(t, 200).body,
			"assessments": d.s.call(t, "GET", d.person(p.ID)+"/assessments", a.token, nil).want(t, 200).body,
		}
		if role != study.RoleMonitor {
			bodies["a failed If-Match"] = d.s.call(t, "PATCH", d.person(p.ID), a.token, map[string]any{"language": "zh", "reason": "x"}, "If-Match", tag).want(t, 409).body
		}
		for what, body := range bodies {
			if got := strings.Contains(string(body), `"answers"`) && strings.Contains(string(body), `"GP1"`); got != may {
				t.Errorf("%s, %s: answers are there: %v, want %v", role, what, got, may)
			}
			if got := strings.Contains(string(body), `"scores"`); got != may {
				t.Errorf("%s, %s: scores are there: %v, want %v", role, what, got, may)
			}
			if what != "assessments" && !strings.Contains(string(body), `"digest"`) {
				t.Errorf("%s, %s: no digest", role, what)
			}
		}
	}
	if audit := d.s.call(t, "GET", "/v1/audit?limit=200", d.here[study.RoleAdmin].token, nil).want(t, 200); strings.Contains(string(audit.body), `"GP1"`) {
		t.Error("the audit holds answers")
	}
	own := d.s.call(t, "GET", "/v1/me/assessments", d.phone, nil).want(t, 200)
	if strings.Contains(string(own.body), "score") || strings.Contains(string(own.body), "FACTB") {
		t.Error("a participant reads scores")
	}
}

// The hashes in the history are a chain that a reader can follow.
func TestTheHistoryIsTheStream(t *testing.T) {
	d := newDesk(t)
	p, _ := d.withForm(t)
	entries, err := d.s.Store.Stream(t.Context(), p.ID.Stream(), 0)
	if err != nil {
		t.Fatal(err)
	}
	history := d.s.call(t, "GET", d.person(p.ID)+"/history", d.ines, nil).want(t, 200).items(t)
	if len(history) != len(entries) {
		t.Fatalf("%d events, the stream has %d", len(history), len(entries))
	}
	for i, e := range history {
		if e["hash"] != entries[i].Hash.String() || e["seq"] != float64(i+1) || e["type"] != string(entries[i].Type) {
			t.Errorf("event %d is %v", i+1, e)
		}
	}
	if rest := d.s.call(t, "GET", d.person(p.ID)+"/history?after=1", d.ines, nil).want(t, 200).items(t); len(rest) != len(entries)-1 {
		t.Errorf("%d events behind the first", len(rest))
	}
}

func TestListsComeInPages(t *testing.T) {
	d := newDesk(t)
	for range 7 {
		d.someone(t)
	}
	all := map[any]int{}
	path := "/v1/participants?limit=3"
	pages := 0
	for cursor := ""; ; {
		got := d.s.call(t, "GET", path+cursor, d.anna, nil).want(t, 200)
		if pages++; pages > 10 {
			t.Fatal("the list does not end")
		}
		for _, p := range got.items(t) {
			all[p["id"]]++
		}
		next, more := got.json(t)["next"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	if len(all) != 9 || pages != 3 {
		t.Errorf("%d participants on %d pages", len(all), pages)
	}
	for _, n := range all {
		if n != 1 {
			t.Error("somebody is listed twice")
		}
	}
	if bound := d.s.call(t, "GET", "/v1/participants?status=active", d.anna, nil).want(t, 200).items(t); len(bound) != 2 {
		t.Errorf("%d are active", len(bound))
	}
}

func TestASignedCorrectionNeedsTheSignersPassword(t *testing.T) {
	d := newDesk(t)
	p, id := d.withForm(t)
	form := staffFormAt(p, "C1D1", id)
	ines := d.here[study.RoleInvestigator]
	body := map[string]any{"answers": d.s.sheet(8)["answers"], "cause": "entry_error", "reason": "as she said"}
	before := d.s.content(t)
	wrong := d.s.call(t, "POST", form+"/corrections", d.ines, with(body, "signature", map[string]any{"password": "not this one at all"})).want(t, 400)
	if !strings.Contains(string(wrong.body), "signature.password") {
		t.Errorf("got %s", wrong.body)
	}
	other := map[string]any{"password": ines.password, "meaning": "responsible_for_voiding"}
	d.s.call(t, "POST", form+"/corrections", d.ines, with(body, "signature", other)).refused(t, 400, study.Invalid)
	if now := d.s.content(t); now.events != before.events {
		t.Error("something was recorded without a signature")
	}
	d.s.call(t, "POST", form+"/corrections", d.ines, with(body, "signature", map[string]any{"password": ines.password})).want(t, 201)
	history := d.s.call(t, "GET", "/v1/participants/"+string(p.ID)+"/history", d.ines, nil).want(t, 200).items(t)
	if last := history[len(history)-1]; last["signature"] != "responsible_for_correction" {
		t.Errorf("the history says %v", last)
	}
}

package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

func TestTheDocumentIsOpenAPIAndHasTheRoutesAndNoOthers(t *testing.T) {
	s := start(t, testkit.Store(t))
	d := s.document(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("the version is %q", d.OpenAPI)
	}
	listed := map[string]operation{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			listed[strings.ToUpper(method)+" "+path] = op
		}
	}
	ids := map[string]string{}
	for _, r := range s.api.Routes() {
		name := r.Method + " " + r.Path
		op, ok := listed[name]
		if !ok {
			t.Errorf("%s is not in the document", name)
			continue
		}
		delete(listed, name)
		if other, twice := ids[op.OperationID]; twice || op.OperationID == "" {
			t.Errorf("%s and %s share the id %q", name, other, op.OperationID)
		}
		ids[op.OperationID] = name
		if (len(op.Security) == 0) != (r.Action == "") {
			t.Errorf("%s: security %v, action %q", name, op.Security, r.Action)
		}
		checkOperation(t, d, name, op)
	}
	for name := range listed {
		t.Errorf("%s is in the document only", name)
	}
}

var inBraces = regexp.MustCompile(`\{([a-z]+)\}`)

func checkOperation(t *testing.T, d *document, name string, op operation) {
	t.Helper()
	if !regexp.MustCompile(`^[A-Z]`).MatchString(op.Summary) {
		t.Errorf("%s: the summary is %q", name, op.Summary)
	}
	for _, m := range inBraces.FindAllStringSubmatch(name, -1) {
		if !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == m[1] && p.In == "path" }) {
			t.Errorf("%s: the parameter %s is not described", name, m[1])
		}
	}
	refusal, ok := op.Responses["default"].Content["application/problem+json"]
	if !ok || refusal.Schema.Ref != "#/components/schemas/Problem" {
		t.Errorf("%s: errors are not described as problems", name)
	}
	good := 0
	for status, r := range op.Responses {
		if status != "default" && status[0] != '2' && status != "304" {
			t.Errorf("%s: answers %s", name, status)
		}
		if status[0] == '2' {
			good++
		}
		for kind, media := range r.Content {
			if media.Schema.Ref == "" && len(media.Schema.Type) == 0 {
				t.Errorf("%s: the body of %s (%s) is not described", name, status, kind)
			}
		}
	}
	if good == 0 {
		t.Errorf("%s: no good answer is described", name)
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			if _, ok := d.Components.Schemas[strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")]; !ok {
				t.Errorf("%s: the body is not described: %q", name, media.Schema.Ref)
			}
		}
	}
}

// Every schema closes its objects, leads somewhere, and uses no word that the
// checker of this suite does not understand.
func TestEverySchemaIsClosedAndUnderstood(t *testing.T) {
	s := start(t, testkit.Store(t))
	var loose struct {
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(s.call(t, "GET", "/openapi.json", "", nil).want(t, 200).body, &loose); err != nil {
		t.Fatal(err)
	}
	d := s.document(t)
	for name, raw := range loose.Components.Schemas {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		var one schema
		if err := dec.Decode(&one); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkClosed(t, d, name, one)
	}
}

func checkClosed(t *testing.T, d *document, at string, s schema) {
	t.Helper()
	if s.Ref != "" {
		if _, ok := d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]; !ok {
			t.Errorf("%s: %s leads nowhere", at, s.Ref)
		}
		return
	}
	if len(s.Properties) > 0 && string(s.AdditionalProperties) != "false" {
		t.Errorf("%s takes members that are not described: %s", at, s.AdditionalProperties)
	}
	for _, name := range s.Required {
		if _, ok := s.Properties[name]; !ok {
			t.Errorf("%s: %s is required and not described", at, name)
		}
	}
	for name, p := range s.Properties {
		checkClosed(t, d, at+"."+name, p)
	}
	if s.Items != nil {
		checkClosed(t, d, at+"[]", *s.Items)
	}
}

func TestTheDocsPageNeedsNobodyElse(t *testing.T) {
	s := start(t, testkit.Store(t))
	r := s.call(t, "GET", "/docs", "", nil).want(t, 200)
	page := string(r.body)
	if r.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", r.header.Get("Content-Type"))
	}
	for _, m := range regexp.MustCompile(`(?i)(src|href|action|url)\s*[=(]\s*["']?([^"'\s)>]*)`).FindAllStringSubmatch(page, -1) {
		if target := m[2]; !strings.HasPrefix(target, "#") && target != "/openapi.json" {
			t.Errorf("the page refers to %q", target)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "@import") || strings.Contains(page, "//") && strings.Contains(page, "http") {
		t.Error("the page runs or loads something")
	}
	policy := r.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s: %s", part, policy)
		}
	}
	for _, r := range s.api.Routes() {
		if !strings.Contains(page, r.Path) {
			t.Errorf("%s is not on the page", r.Path)
		}
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if targets[m[1]] {
			t.Errorf("two things are called %s", m[1])
		}
		targets[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		name := strings.ReplaceAll(m[1], "%20", " ")
		if !targets[name] {
			t.Errorf("#%s leads nowhere", m[1])
		}
	}
}

// contractBodies are the member names of CONTRACT.md §2, by route: what outside
// programs read. More may come, none may go.
var contractBodies = map[string]string{
	"GET /v1/me":                                     "participant_id study_id language time_zone status next",
	"GET /v1/me/assessments":                         "items next | id visit visit_name instrument instrument_version opens_at due_on closes_at status submission_id reminders_at push_id",
	"GET /v1/instruments/{instrument}":               "id version recall_days subscales items wording",
	"POST /v1/auth/enrol":                            "access_token token_type expires_in refresh_token participant_id",
	"POST /v1/auth/firebase":                         "access_token token_type expires_in refresh_token participant_id",
	"POST /v1/auth/login":                            "access_token token_type expires_in refresh_token role sites",
	"POST /v1/auth/refresh":                          "access_token token_type expires_in refresh_token",
	"PUT /v1/me/assessments/{aid}/submissions/{sid}": "submission_id assessment_id received_at digest counted flags",
	"PUT /v1/participants/{id}/assessments/{aid}/submissions/{sid}": "submission_id assessment_id received_at digest counted flags",
	"GET /v1/worklist":                           "overdue closing_soon today call_tasks alerts held not_activated no_route",
	"GET /v1/participants":                       "items next | id number site status",
	"POST /v1/participants":                      "id number site status",
	"GET /v1/participants/{id}/assessments":      "items next | id visit visit_name instrument instrument_version opens_at due_on closes_at status submission_id",
	"GET /v1/participants/{id}/history":          "items next | seq at actor type data reason hash",
	"POST /v1/participants/{id}/enrolment-codes": "code link expires_at",
	"PUT /v1/participants/{id}/cycles/{n}":       "changes",
	"GET /v1/sites":                              "items next",
	"GET /v1/staff":                              "items next",
	"GET /v1/audit":                              "items next",
	"POST /v1/wording-packs":                     "pack language hash status licence imported_at imported_by decisions warnings",
	"GET /v1/wording-packs":                      "items next | pack language hash status licence",
	"GET /v1/wording-packs/{pack}":               "pack hash status questionnaire",
}

func TestBodiesHaveTheMembersOfTheContract(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.s.api.Routes() {
		members, promised := contractBodies[r.Method+" "+r.Path]
		if !promised {
			continue
		}
		x := w.exercise(t, r.Method+" "+r.Path)
		token := w.tokenFor(t, r)
		if x.phone != "" {
			token = x.phone
		}
		if r.Path == "/v1/auth/login" {
			x.body = map[string]any{"username": w.here[study.RoleCoordinator].name, "password": w.here[study.RoleCoordinator].password}
		}
		body := w.s.call(t, r.Method, x.path, token, x.body).json(t)
		own, inItems, isList := strings.Cut(members, " | ")
		for _, name := range strings.Fields(own) {
			if _, ok := body[name]; !ok {
				t.Errorf("%s %s: no %s", r.Method, r.Path, name)
			}
		}
		if !isList {
			continue
		}
		items, _ := body["items"].([]any)
		if len(items) == 0 {
			t.Errorf("%s %s: an empty list shows nothing", r.Method, r.Path)
			continue
		}
		first, _ := items[0].(map[string]any)
		for _, name := range strings.Fields(inItems) {
			if _, ok := first[name]; !ok {
				t.Errorf("%s %s: an item without %s", r.Method, r.Path, name)
			}
		}
	}
}

// A list of nothing is an empty list, not null.
func TestAnEmptyListIsAList(t *testing.T) {
	s := start(t, testkit.Store(t))
	anna := s.staff(t, "anna", study.RoleCoordinator, testkit.Site)
	if got := s.call(t, "GET", "/v1/participants", anna.token, nil).want(t, 200); string(got.body) != `{"items":[],"next":null}` {
		t.Errorf("%s", got.body)
	}
	p := s.Enrol(t, "001")
	got := s.call(t, "GET", "/v1/participants/"+string(p.ID), anna.token, nil).want(t, 200).json(t)
	for _, name := range []string{"facts", "performance_status", "consents", "cycles"} {
		if _, ok := got[name].([]any); !ok {
			t.Errorf("%s is %s", name, fmt.Sprint(got[name]))
		}
	}
}

package api_test

import (
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)


func TestSmoke(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	s.Clock.Set(testkit.Cycle1.UTC().Add(time.Hour))
	p, token := s.phone(t, "001")
	t.Logf("%s", s.call(t, "GET", "/v1/me", token, nil).want(t, 200).body)
	t.Logf("%.900s", s.call(t, "GET", "/v1/me/assessments", token, nil).want(t, 200).body)
	t.Logf("%.600s", s.call(t, "GET", "/v1/instruments/fact-b?lang=zh", token, nil).want(t, 200).body)
	at := "/v1/me/assessments/" + string(p.ID) + ".C1D1/submissions/"
	id := s.NewID()
	t.Logf("%s", s.call(t, "PUT", at+id, token, s.sheet(1)).want(t, 201).body)
	t.Logf("%s", s.call(t, "PUT", at+id, token, s.sheet(1)).want(t, 200).body)
	t.Logf("%s", s.call(t, "PUT", at+id, token, s.sheet(2)).want(t, 409).body)
	t.Logf("%s", s.call(t, "PUT", at+s.NewID(), token, s.sheet(2)).want(t, 409).body)
	staff := s.staff(t, "anna", study.RoleInvestigator, "S01")
	for _, path := range []string{"/v1/participants", "/v1/participants/" + string(p.ID), "/v1/participants/" + string(p.ID) + "/assessments",
		"/v1/participants/" + string(p.ID) + "/history", "/v1/sites", "/v1/study", "/openapi.json", "/docs", "/metrics", "/healthz", "/readyz", "/.well-known/jwks.json", "/nowhere"} {
		r := s.call(t, "GET", path, staff, nil)
		t.Logf("%s %d %d bytes %.300s", path, r.status, len(r.body), r.body)
	}
}

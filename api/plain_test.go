package api_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/study"
)

func TestHealthReadinessAndKeysNeedNoToken(t *testing.T) {
	s := start(t, testkit.Store(t))
	if got := s.call(t, "GET", "/healthz", "", nil).want(t, 200); string(got.body) != `{"status":"ok"}` {
		t.Errorf("%s", got.body)
	}
	if got := s.call(t, "GET", "/readyz", "", nil).want(t, 200).json(t); got["status"] != "ready" || got["version"] != "test" {
		t.Errorf("%v", got)
	}
	got := s.call(t, "GET", "/.well-known/jwks.json", "", nil).want(t, 200)
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(got.body, &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("%v %s", err, got.body)
	}
	for _, key := range set.Keys {
		if key["kty"] != "OKP" || key["crv"] != "Ed25519" || key["kid"] == "" || key["d"] != "" || len(key) != 6 {
			t.Errorf("the key is %v", key)
		}
	}
	if got.header.Get("Content-Type") != "application/jwk-set+json" {
		t.Errorf("Content-Type is %q", got.header.Get("Content-Type"))
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	s := start(t, testkit.Store(t))
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/healthz", 200}, {"GET", "/openapi.json", 200}, {"GET", "/docs", 200}, {"GET", "/metrics", 200},
		{"GET", "/nowhere", 404}, {"GET", "/v1", 404}, {"GET", "/v1/", 404}, {"GET", "/V1/me", 404}, {"GET", "/v1/me/", 404}, {"GET", "//v1/me", 404},
		{"GET", "/v1/me", 401}, {"DELETE", "/v1/me", 405}, {"OPTIONS", "/v1/me", 405}, {"TRACE", "/v1/me", 405}, {"POST", "/healthz", 405},
		{"GET", "/v1/auth/login", 405}, {"PURGE", "/v1/me", 405}, {"GET", "/.git/config", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/v1/auth/enrol", 405},
	} {
		if got := s.call(t, c.method, c.path, "", nil); got.status != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got.status, c.status)
		}
	}
}

func TestEveryOtherMethodIsRefusedWithThoseThatAreAllowed(t *testing.T) {
	s := start(t, testkit.Store(t))
	takes := map[string][]string{}
	for _, r := range s.api.Routes() {
		path := inBraces.ReplaceAllString(r.Path, "x")
		takes[path] = append(takes[path], r.Method)
	}
	for path, methods := range takes {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(methods, method) {
				continue
			}
			got := s.call(t, method, path, "", nil).want(t, 405)
			for _, allowed := range methods {
				if !strings.Contains(got.header.Get("Allow"), allowed) {
					t.Errorf("%s %s: Allow is %q, without %s", method, path, got.header.Get("Allow"), allowed)
				}
			}
		}
	}
}

func TestNoOtherSiteMayReadAnswers(t *testing.T) {
	s := start(t, testkit.Store(t))
	_, token := s.phone(t, "001")
	got := s.call(t, "GET", "/v1/me", token, nil, "Origin", "https://elsewhere.example").want(t, 200)
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %s", name, got.header.Get(name))
		}
	}
}

func TestARequestIDIsEchoedIfItIsOne(t *testing.T) {
	s := start(t, testkit.Store(t))
	for sent, echoed := range map[string]bool{
		"abcdefgh": true, "0123-4567_AB": true, strings.Repeat("a", 64): true,
		"": false, "short": false, strings.Repeat("a", 65): false, "has space1": false, "quote\"12345": false, "semi;colon1": false, "<script>alert": false, "ünïcode1234": false,
	} {
		got := s.call(t, "GET", "/nowhere", "", nil, "X-Request-Id", sent)
		if id := got.header.Get("X-Request-Id"); (id == sent) != echoed {
			t.Errorf("sent %q, got %q", sent, id)
		}
	}
	a, b := s.call(t, "GET", "/healthz", "", nil), s.call(t, "GET", "/healthz", "", nil)
	if a.header.Get("X-Request-Id") == b.header.Get("X-Request-Id") {
		t.Error("two requests share an id")
	}
}

func TestMetricsAreForThisMachineOnlyAndNameNobody(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	id := s.NewID()
	s.call(t, "PUT", formAt(p, "C1D1", id), token, s.sheet(1)).want(t, 201)
	s.call(t, "GET", "/v1/"+canary, token, nil).want(t, 404)
	s.call(t, "PUT", formAt(p, "C2D1", canary), token, s.sheet(1)).want(t, 400)
	text := string(s.call(t, "GET", "/metrics", "", nil).want(t, 200).body)
	for _, want := range []string{`epro_forms_received_total{outcome="counted"} 1`, "epro_http_request_seconds_bucket", "go_goroutines",
		`method="PUT",route="/v1/me/assessments/:aid/submissions/:sid",status="201"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, secret := range []string{canary, string(p.ID), id, token} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics hold %q", secret)
		}
	}
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		s.call(t, "GET", "/metrics", "", nil, header, "127.0.0.1").refused(t, 404, study.NotFound)
	}
	// As many series as routes, statuses and methods, however many addresses are tried.
	for i := range 50 {
		s.call(t, "GET", fmt.Sprintf("/v1/x%d", i), "", nil).want(t, 404)
		s.call(t, "GET", fmt.Sprintf("/v1/participants/%d", i), "", nil).want(t, 401)
	}
	after := string(s.call(t, "GET", "/metrics", "", nil).want(t, 200).body)
	series := regexp.MustCompile(`(?m)^epro_http_request_seconds_count`)
	if a, b := len(series.FindAllString(text, -1)), len(series.FindAllString(after, -1)); b > a+3 { // nothing at its own address, a stranger at one of ours, and this reading
		t.Errorf("%d series became %d", a, b)
	}
}

func TestMetricsCanBeOpened(t *testing.T) {
	s := start(t, testkit.Store(t), func(o *api.Options) { o.MetricsOpen = true })
	s.call(t, "GET", "/metrics", "", nil, "X-Forwarded-For", "203.0.113.9").want(t, 200)
}

func TestTooManyRequestsAreRefusedBySession(t *testing.T) {
	s := start(t, testkit.Store(t), func(o *api.Options) { o.RatePerMinute = 20 })
	_, one := s.phone(t, "001")
	_, two := s.phone(t, "002")
	refusedAt := func(token string, headers ...string) int {
		for i := range 40 {
			if s.call(t, "GET", "/v1/me", token, nil, headers...).status == 429 {
				return i
			}
		}
		return -1
	}
	if n := refusedAt(one); n != 20 {
		t.Errorf("one session is refused at %d", n)
	}
	s.call(t, "GET", "/v1/me", one, nil).refused(t, 429, study.TooMany)
	if n := refusedAt(two); n != 20 {
		t.Errorf("the other session is refused at %d: it pays for the first", n)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} { // or a probe would take the server down
		s.call(t, "GET", path, one, nil).want(t, 200)
	}
}

// Whoever makes tokens up is counted by address like everybody without one.
func TestMadeUpTokensDoNotBuyRequests(t *testing.T) {
	s := start(t, testkit.Store(t), func(o *api.Options) { o.RatePerMinute = 10 })
	_, one := s.phone(t, "001") // the first request of this address
	for i := range 30 {
		status := s.call(t, "GET", "/v1/me", fmt.Sprintf("made-up-%d", i), nil).status
		if want := map[bool]int{true: 401, false: 429}[i < 9]; status != want {
			t.Fatalf("made-up token %d: %d, want %d", i, status, want)
		}
	}
	s.call(t, "POST", "/v1/auth/login", "made-up", map[string]any{"username": "x", "password": "y"}).refused(t, 429, study.TooMany)
	s.call(t, "GET", "/v1/me", one, nil).want(t, 200) // a session of the same address goes on
}

func TestAForwardedAddressIsBelievedFromAProxyOnly(t *testing.T) {
	for _, c := range []struct {
		what    string
		proxies []netip.Prefix
		apart   bool // whether two clients behind the header are told apart
	}{
		{"nobody is a proxy", nil, false},
		{"another address is", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, false},
		{"this machine is", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, true},
	} {
		s := start(t, testkit.Store(t), func(o *api.Options) { o.RatePerMinute, o.TrustedProxies = 5, c.proxies })
		ask := func(from string) int {
			return s.call(t, "GET", "/v1/me", "", nil, "X-Forwarded-For", from).status
		}
		for range 5 {
			if got := ask("203.0.113.1, 10.1.1.1"); got != 401 {
				t.Fatalf("%s: %d", c.what, got)
			}
		}
		if got := ask("203.0.113.1, 10.1.1.1"); got != 429 {
			t.Errorf("%s: the sixth of one address: %d", c.what, got)
		}
		// What the client itself put in front of the list changes nothing.
		if got := ask("198.51.100.7, 203.0.113.1, 10.1.1.1"); got != 429 {
			t.Errorf("%s: a made-up hop in front bought requests: %d", c.what, got)
		}
		want := map[bool]int{true: 401, false: 429}[c.apart]
		if got := ask("203.0.113.2"); got != want {
			t.Errorf("%s: another address: %d, want %d", c.what, got, want)
		}
		if c.apart {
			for i := range 6 { // one customer has a whole /64
				if got := ask(fmt.Sprintf("2001:db8::%x", i)); (got == 429) != (i == 5) {
					t.Errorf("%s: IPv6 %d: %d", c.what, i, got)
				}
			}
		}
		if got := ask("rubbish"); c.apart && got != 401 {
			t.Errorf("%s: rubbish: %d", c.what, got)
		}
		s.stop()
	}
}

func TestTheMetricsCountTheReminders(t *testing.T) {
	s := start(t, testkit.Store(t))
	m := s.api.ReminderMetrics()
	m.Due(3)
	m.Due(2)
	m.Sent("fcm_token", "accepted", "accepted")
	m.Sent("fcm_token", "accepted", "accepted")
	m.Sent("web_push", "rejected_target", "gone")
	m.Lag(90 * time.Second)
	text := string(s.call(t, "GET", "/metrics", "", nil).want(t, 200).body)
	for _, want := range []string{"\nepro_reminders_due_total 5\n", `epro_reminders_total{kind="fcm_token",reason="accepted",status="accepted"} 2`,
		`epro_reminders_total{kind="web_push",reason="gone",status="rejected_target"} 1`, "\nepro_reminders_lag_seconds 90\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics have no %q", want)
		}
	}
}

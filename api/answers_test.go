package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"epro/study"
)

// contractStatus is the table of CONTRACT.md §2, written out a second time on
// purpose: the program must agree with the page, not with itself.
var contractStatus = map[study.Code]int{
	"invalid": 400, "invalid_answers": 422, "unauthenticated": 401, "forbidden": 403, "not_found": 404,
	"conflict": 409, "already_submitted": 409, "window_not_open": 409, "version_mismatch": 409, "window_closed": 409,
	"not_expected": 409, "locked": 409, "too_large": 413, "too_many": 429, "unavailable": 503, "internal": 500,
}

// securityHeaders are on every answer, whatever it is.
var securityHeaders = map[string]string{
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Strict-Transport-Security":    "max-age=31536000; includeSubDomains",
}

// leaks are what must never be in the body of an error: the inside of the
// program, of its libraries and of its database.
var leaks = regexp.MustCompile(`(?i)\b(epro/|study\.|api\.|auth\.|huma|fiber|fasthttp|jsontext|json: |cannot unmarshal|Go (struct|value|type)|` +
	`\*?\[\]byte|map\[|struct \{|int64|uint64|float64|interface \{|goroutine|panic|runtime error|nil pointer|\.go:\d|` +
	`sqlite|mongo|SELECT |INSERT |UPDATE |DELETE FROM|UNIQUE constraint|no such table|database is|/tmp/|/h[o]me/|/r[o]ot/|\.db\b|storetest|on purpose|` +
	`context (canceled|deadline)|EOF\b|strconv|parsing (time|")|0x[0-9a-f]{6,})`)

// sentence may begin with the name of a fact, such as first_dose.
var sentence = regexp.MustCompile(`^([A-Z]|[a-z]+(_[a-z]+)+ is ).*[.!]$`)

// checkAnswer holds every answer that a test gets against what must hold for
// all: headers, the form of errors, and the schema of the OpenAPI document.
func checkAnswer(t testing.TB, s *server, method, path string, got reply) {
	t.Helper()
	checkHeaders(t, method+" "+path, got)
	if got.status >= 400 && !strings.HasPrefix(path, "/readyz") {
		checkProblem(t, method+" "+path, got, method == http.MethodHead)
		return
	}
	if strings.HasPrefix(path, "/v1/") {
		checkSchema(t, s, method, path, got)
	}
}

func checkHeaders(t testing.TB, what string, got reply) {
	t.Helper()
	for name, value := range securityHeaders {
		if got.header.Get(name) != value {
			t.Errorf("%s: %d: %s is %q, want %q", what, got.status, name, got.header.Get(name), value)
		}
	}
	if !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s: %d: Content-Security-Policy is %q", what, got.status, got.header.Get("Content-Security-Policy"))
	}
	if !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("%s: %d: may be framed", what, got.status)
	}
	if !requestIDForm.MatchString(got.header.Get("X-Request-Id")) {
		t.Errorf("%s: %d: X-Request-Id is %q", what, got.status, got.header.Get("X-Request-Id"))
	}
	if got.header.Get("Cache-Control") == "" {
		t.Errorf("%s: %d: no Cache-Control", what, got.status)
	}
	if got.header.Get("Server") != "" {
		t.Errorf("%s: the answer names its software: %q", what, got.header.Get("Server"))
	}
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// checkProblem holds an error against RFC 9457 and the contract.
func checkProblem(t testing.TB, what string, got reply, head bool) {
	t.Helper()
	if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("%s: %d: Content-Type is %q: %s", what, got.status, ct, got.body)
	}
	if head {
		return
	}
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
		Fields                    []study.Field
		Events                    []any
		RequestID                 string `json:"request_id"`
	}
	dec := json.NewDecoder(strings.NewReader(string(got.body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		t.Errorf("%s: %d: no problem: %v: %s", what, got.status, err, got.body)
		return
	}
	want, known := contractStatus[study.Code(p.Code)]
	special := p.Code == "invalid" && (got.status == 405 || got.status == 431 || got.status == 408)
	if !known || want != got.status && !special {
		t.Errorf("%s: code %q with status %d, CONTRACT.md says %d", what, p.Code, got.status, want)
	}
	if p.Status != got.status || p.Type == "" || p.Title != http.StatusText(got.status) || p.RequestID != got.header.Get("X-Request-Id") {
		t.Errorf("%s: %d: %s", what, got.status, got.body)
	}
	if !sentence.MatchString(p.Detail) {
		t.Errorf("%s: the detail is no sentence: %q", what, p.Detail)
	}
	for _, f := range p.Fields {
		if f.Name == "" || f.Reason == "" || len(f.Name) > 120 {
			t.Errorf("%s: a field without name or reason: %s", what, got.body)
		}
		if strings.Contains(f.Reason, canary) {
			t.Errorf("%s: a reason repeats what was sent: %s", what, f.Reason)
		}
	}
	if strings.Contains(p.Detail+p.Title, canary) {
		t.Errorf("%s: repeats what was sent: %s", what, got.body)
	}
	if found := leaks.FindString(string(got.body)); found != "" && p.Events == nil {
		t.Errorf("%s: %d: the body says %q: %s", what, got.status, found, got.body)
	}
	if (p.Code == "too_many" || p.Code == "unavailable") && got.header.Get("Retry-After") == "" {
		t.Errorf("%s: %s without Retry-After", what, p.Code)
	}
	if got.status == 401 && got.header.Get("WWW-Authenticate") == "" {
		t.Errorf("%s: 401 without WWW-Authenticate (RFC 9110 §15.5.2)", what)
	}
	if got.status == 405 && got.header.Get("Allow") == "" {
		t.Errorf("%s: 405 without Allow (RFC 9110 §15.5.6)", what)
	}
}

func TestTheScanForLeaksFindsWhatItLooksFor(t *testing.T) {
	for _, text := range []string{"json: cannot unmarshal", "in Go struct field", "study.Instant", "UNIQUE constraint failed",
		"open /tmp/x/epro.db", "map[string]string", "strconv.ParseInt", "SELECT * FROM events", "server.go:12"} {
		if !leaks.MatchString(text) {
			t.Errorf("not found: %q", text)
		}
	}
}

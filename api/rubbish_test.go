package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// raw writes bytes to the server's socket and reads one answer.
func (s *server) raw(t testing.TB, request string) reply {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer before it has read everything
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.60q: no answer: %v", request, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, body, resp.Close}
}

// wrong is a body and what must come of it.
type wrong struct {
	what   string
	body   any
	status int
	code   study.Code
	field  string // that must be named; empty: any or none
}

// wrongForms are bodies of the submission route that must store nothing.
func wrongForms(now time.Time) []wrong {
	form := sheetAt(now, 1)
	item := func(value string) string {
		return fmt.Sprintf(`{"instrument":"fact-b","instrument_version":"4","answers":{"GP1":%s},"started_at":%q,"completed_at":%q}`,
			value, form["started_at"], form["completed_at"])
	}
	text := func(members string) string { return strings.Replace(item("1"), "{", "{"+members, 1) }
	all := []wrong{
		{"an empty body", "", 400, "invalid", ""},
		{"a space", " ", 400, "invalid", ""},
		{"an array", `[1,2]`, 400, "invalid", ""},
		{"text", `"` + canary + `"`, 400, "invalid", ""},
		{"null", `null`, 400, "invalid", ""},
		{"a number", `5`, 400, "invalid", ""},
		{"an empty object", `{}`, 400, "invalid", "answers"},
		{"cut JSON", item("1")[:60], 400, "invalid", ""},
		{"cut in a string", `{"instrument":"` + canary, 400, "invalid", ""},
		{"two values", item("1") + item("2"), 400, "invalid", ""},
		{"something behind it", item("1") + canary, 400, "invalid", ""},
		{"no JSON", canary, 400, "invalid", ""},
		{"XML", `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, 400, "invalid", ""},
		{"invalid UTF-8", []byte(strings.Replace(item("1"), "fact-b", "fact\xff\xfe", 1)), 400, "invalid", "instrument"},
		{"a lone surrogate", strings.Replace(item("1"), "fact-b", `fact\ud800`, 1), 400, "invalid", "instrument"},
		{"a NUL", strings.Replace(item("1"), "fact-b", "fact\x00b", 1), 400, "invalid", ""},
		{"UTF-16", []byte("\xff\xfe{\x00}\x00"), 400, "invalid", ""},
		{"a byte order mark", "\ufeff" + item("1"), 400, "invalid", ""},
		{"an unknown member", text(`"score":` + `"` + canary + `",`), 400, "invalid", "score"},
		{"an unknown member named like a reason", text(`"a: ` + canary + `":1,`), 400, "invalid", "a: " + canary},
		{"a member of the receipt", text(`"counted":true,`), 400, "invalid", "counted"},
		{"an unknown member of app", text(`"app":{"x":1},`), 400, "invalid", "app.x"},
		{"a member in other letters", text(`"Answers":{},`), 400, "invalid", "Answers"},
		{"a member twice", text(`"instrument":"` + canary + `",`), 400, "invalid", "instrument"},
		{"an item twice", strings.Replace(item("1"), `"GP1":1`, `"GP1":1,"GP1":2`, 1), 400, "invalid", "answers.GP1"},
		{"an item twice, escaped once", strings.Replace(item("1"), `"GP1":1`, `"GP1":1,"\u0047P1":1`, 1), 400, "invalid", "answers.GP1"},
		{"a reason twice", text(`"skipped":{"GP2":"skipped","GP2":"skipped"},`), 400, "invalid", "skipped.GP2"},
		{"answers in a list", strings.Replace(item("1"), `{"GP1":1}`, `[0,1]`, 1), 400, "invalid", "answers"},
		{"answers as text", strings.Replace(item("1"), `{"GP1":1}`, `"`+canary+`"`, 1), 400, "invalid", "answers"},
		{"no answers at all", strings.Replace(item("1"), `{"GP1":1}`, `null`, 1), 400, "invalid", "answers"},
		{"skipped as a list", text(`"skipped":["GP2"],`), 400, "invalid", "skipped"},
		{"a reason that is a number", text(`"skipped":{"GP2":1},`), 400, "invalid", "skipped.GP2"},
		{"a version that is a number", strings.Replace(item("1"), `"4"`, `4`, 1), 400, "invalid", "instrument_version"},
		{"an unknown pack", text(`"wording_pack":"` + canary + `",`), 400, "invalid", "wording_pack"},
		{"another instrument", strings.Replace(item("1"), "fact-b", canary, 1), 409, "version_mismatch", ""},
		{"another version", strings.Replace(item("1"), `"4"`, `"3"`, 1), 409, "version_mismatch", ""},
		{"an unknown item", strings.Replace(item("1"), "GP1", "GP8", 1), 422, "invalid_answers", "answers.GP8"},
		{"an item in small letters", strings.Replace(item("1"), "GP1", "gp1", 1), 422, "invalid_answers", "answers.gp1"},
		{"an item without a name", strings.Replace(item("1"), "GP1", "", 1), 422, "invalid_answers", ""},
		{"an item with a name of absurd length", strings.Replace(item("1"), "GP1", strings.Repeat("x", 5000), 1), 422, "invalid_answers", ""},
		{"the member __proto__", strings.Replace(item("1"), "GP1", "__proto__", 1), 422, "invalid_answers", ""},
		{"deep nesting", strings.Replace(item("1"), `"GP1":1`, `"GP1":`+strings.Repeat(`[`, 20000)+strings.Repeat(`]`, 20000), 1), 400, "invalid", ""},
		{"nesting", item(strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500)), 422, "invalid_answers", "answers.GP1"},
		{"thousands of items", `{"instrument":"fact-b","instrument_version":"4","answers":{` + manyItems(6000) + item("1")[len(`{"instrument":"fact-b","instrument_version":"4","answers":{`):], 422, "invalid_answers", "and more"},
	}
	for _, value := range []string{`5`, `-1`, `9`, `8`, `"3"`, `2.5`, `2.0`, `1e0`, `-0`, `null`, `true`, `{"value":3}`, `[3]`, `""`, `"NA"`, `"` + canary + `"`,
		`1e400`, `-1e400`, `9223372036854775808`, strings.Repeat("9", 400), `0.` + strings.Repeat("0", 400) + `1`, `4.000000000000001`} {
		all = append(all, wrong{"the answer " + value[:min(len(value), 24)], item(value), 422, "invalid_answers", "answers.GP1"})
	}
	for _, value := range []string{`01`, `+1`, `.5`, `1.`, `0x1`, `NaN`, `Infinity`, `1_000`, `'3'`, `undefined`, `１`, `3,`} {
		all = append(all, wrong{"the literal " + value, item(value), 400, "invalid", ""})
	}
	for _, name := range []string{"instrument", "instrument_version", "answers", "started_at", "completed_at"} {
		all = append(all, wrong{"no " + name, with(form, name, nil), 400, "invalid", name})
	}
	for _, instant := range []any{"", canary, "2026-03-02", "2026-03-02T01:00:00", "2026-02-30T00:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02 01:00:00Z",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+12026-03-02T01:00:00Z", 1772413200, true, nil, map[string]any{}} {
		all = append(all, wrong{fmt.Sprintf("completed_at %v", instant), withValue(form, "completed_at", instant), 400, "invalid", "completed_at"})
	}
	return append(all, wrong{"completed before it was started", with(form, "started_at", stamp(now), "completed_at", stamp(now.Add(-time.Minute))), 400, "invalid", "completed_at"})
}

func manyItems(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":1,`, i)
	}
	return b.String()
}

// withValue sets a member, also to null.
func withValue(body map[string]any, name string, value any) map[string]any {
	out := with(body)
	out[name] = value
	return out
}

func TestRubbishToTheSubmissionRouteIsRefusedInWordsAndStoresNothing(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	before := s.content(t)
	for _, w := range wrongForms(s.Clock.Now()) {
		r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, w.body)
		if r.status != w.status || r.code(t) != w.code {
			t.Errorf("%s: %d %s, want %d %s", w.what, r.status, r.body, w.status, w.code)
			continue
		}
		if w.field != "" && !named(t, r, w.field) {
			t.Errorf("%s: %s is not named: %.400s", w.what, w.field, r.body)
		}
		if len(r.body) > 16<<10 {
			t.Errorf("%s: the answer has %d bytes", w.what, len(r.body))
		}
	}
	s.same(t, before)
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1)).want(t, 201) // and nothing of it is in the way
}

// named reports whether a problem's fields name the member.
func named(t testing.TB, r reply, name string) bool {
	t.Helper()
	fields, _ := r.json(t)["fields"].([]any)
	for _, f := range fields {
		if m, ok := f.(map[string]any); ok && m["name"] == name {
			return true
		}
	}
	return false
}

func TestEveryFaultOfAFormIsNamedAtOnce(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	form := with(s.sheet(1), "answers", map[string]any{"GP1": 5, "GP2": "3", "GP3": nil, "ZZ": 1, "GP4": 2}, "skipped", map[string]any{"GP4": "skipped", "GP5": "tired"})
	r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, form).refused(t, 422, study.InvalidAnswers)
	for _, item := range []string{"GP1", "GP2", "GP3", "GP4", "GP5", "ZZ"} {
		if !named(t, r, "answers."+item) {
			t.Errorf("%s is not named: %s", item, r.body)
		}
	}
}

func TestAFormIsOnlyTakenAsJSON(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	before := s.content(t)
	for _, kind := range []string{"text/plain", "multipart/form-data; boundary=x", "application/xml", "application/cbor", canary, "application/json-patch+json2"} {
		if r := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1), "Content-Type", kind); r.status != 400 || r.code(t) != study.Invalid {
			t.Errorf("%s: %d %s", kind, r.status, r.body)
		}
	}
	const unasked = "application/x-www-form-urlencoded" // what curl -d says, and what any page can make a browser send
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1), "Content-Type", unasked, "Origin", "https://elsewhere.example").want(t, 400)
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, s.sheet(1), "Content-Type", unasked, "Sec-Fetch-Site", "cross-site").want(t, 400)
	s.same(t, before)
	id := s.NewID()
	s.call(t, "PUT", formAt(p, "C1D1", id), token, s.sheet(1), "Content-Type", "application/json; charset=utf-8").want(t, 201)
	s.call(t, "PUT", formAt(p, "C1D1", id), token, s.sheet(1), "Content-Type", unasked).want(t, 200)
}

// 64 KB can unpack to 60 MB, or with brotli to gigabytes: a body is taken as it was sent, or not at all.
func TestACompressedBodyIsNotUnpacked(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 8<<20))
	_ = w.Close()
	if packed.Len() > 60<<10 {
		t.Fatalf("the bomb has %d bytes", packed.Len())
	}
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, packed.Bytes(), "Content-Encoding", "gzip").refused(t, 400, study.Invalid)
	anna := s.staff(t, "anna", study.RoleCoordinator, testkit.Site)
	s.call(t, "POST", "/v1/participants", anna.token, packed.Bytes(), "Content-Encoding", "gzip", "Idempotency-Key", "bomb").refused(t, 400, study.Invalid)
	if s.formsOf(t, p) != 0 {
		t.Error("the bomb was stored")
	}
}

// A phone on a bad network must hear that its body is too large, not that the
// connection broke: or it would send the same for ever.
func TestABodyOverTheLimitIsRefusedEvenWhileItIsBeingSent(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	before := s.content(t)
	path := formAt(p, "C1D1", s.NewID())
	head := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n", path, token)
	for _, size := range []int{64<<10 + 1, 1 << 20, 4 << 20} {
		for range 3 {
			s.call(t, "PUT", path, token, strings.Repeat(" ", size)).refused(t, 413, study.TooLarge)
		}
		body := strings.Repeat(" ", size)
		r := s.raw(t, head+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, body))
		checkAnswer(t, s, "PUT", path, r)
		r.refused(t, 413, study.TooLarge)
		if !r.closes {
			t.Error("the connection stays open in the middle of a body")
		}
		r = s.raw(t, head+fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body))
		checkAnswer(t, s, "PUT", path, r)
		r.refused(t, 413, study.TooLarge)
	}
	// Announced only, never sent.
	r := s.raw(t, head+"Content-Length: 99999999999\r\n\r\n")
	r.refused(t, 413, study.TooLarge)
	s.same(t, before)
	form := s.sheet(1)
	form["app"] = map[string]any{"platform": strings.Repeat("x", 60<<10)}
	s.call(t, "PUT", path, token, form).want(t, 201) // large, but within
}

func TestRequestsThatAreNoHTTPAreRefusedInWords(t *testing.T) {
	s := start(t, testkit.Store(t))
	for _, c := range []struct {
		request string
		status  int
	}{
		{"rubbish\r\n\r\n", 400},
		{"GET /v1/me HTTP/1.1\r\n\r\n", 400}, // no Host
		{"GET /" + strings.Repeat("x", 20000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		{"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n", 431},
		{"PUT /v1/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		{"PUT /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400},
		{"PUT /v1/me HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400},
		{"FOO /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"FOO /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"GET http://elsewhere.example/v1/me HTTP/1.1\r\nHost: x\r\n\r\n", 401},
	} {
		r := s.raw(t, c.request)
		checkAnswer(t, s, "GET", "/raw", r)
		if r.status != c.status {
			t.Errorf("%.60q: %d %s, want %d", c.request, r.status, r.body, c.status)
		}
	}
}

// What stands in a path is a name of something or of nothing.
func TestRubbishInPathsNamesNothing(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	anna := s.staff(t, "anna", study.RoleInvestigator, testkit.Site)
	admin := s.staff(t, "root", study.RoleAdmin)
	before := s.content(t)
	strange := []string{"x", canary, "%00", "a%00b", "%2F", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "%ff", "%F0%9F%92%8A", "'%20OR%201=1--", strings.Repeat("x", 3000),
		string(p.ID) + "%20", string(p.ID) + "%00", string(p.ID) + "x", strings.ToUpper(string(p.ID)) + "Z", "null", "undefined", "0", "-1", "*", "{id}", ":id", "%7Bid%7D",
		url.PathEscape("participant/" + string(p.ID)), url.PathEscape("../participants/" + string(p.ID))}
	for _, id := range strange {
		for _, path := range []string{"/v1/participants/" + id, "/v1/participants/" + id + "/history", "/v1/participants/" + id + "/assessments"} {
			if r := s.call(t, "GET", path, anna.token, nil); r.status != 404 && r.status != 400 {
				t.Errorf("GET %.80s: %d %.200s", path, r.status, r.body)
			}
		}
		for _, c := range []struct {
			path, token string
			method      string
			body        any
		}{
			{"/v1/me/assessments/" + id + "/submissions/" + s.NewID(), token, "PUT", s.sheet(1)},
			{"/v1/me/assessments/" + id + "/progress", token, "PUT", map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": 1}},
			{"/v1/participants/" + id + "/status", anna.token, "POST", map[string]any{"status": "withdrawn", "level": "trial", "on": "2026-03-01", "reason": "x"}},
			{"/v1/participants/" + string(p.ID) + "/cycles/" + id, anna.token, "PUT", map[string]any{"started_on": "2026-03-02"}},
			{"/v1/participants/" + string(p.ID) + "/assessments/" + id + "/submissions/" + id + "/void", anna.token, "POST", map[string]any{"cause": "test", "reason": "x"}},
			{"/v1/sites/" + id + "/lock", anna.token, "PUT", map[string]any{"locked": true, "reason": "x"}},
			{"/v1/staff/" + id, admin.token, "PATCH", map[string]any{"disabled": true, "reason": "x"}},
			{"/v1/staff/" + id + "/password", admin.token, "POST", map[string]any{}},
		} {
			if r := s.call(t, c.method, c.path, c.token, c.body); r.status != 404 && r.status != 400 {
				t.Errorf("%s %.90s: %d %.200s", c.method, c.path, r.status, r.body)
			}
		}
	}
	for _, id := range append(strange, strings.ReplaceAll(s.NewID(), "-", ""), "{"+s.NewID()+"}", "urn:uuid:"+s.NewID(), s.NewID()+s.NewID()) {
		if r := s.call(t, "PUT", formAt(p, "C1D1", id), token, s.sheet(1)); r.status != 400 && r.status != 404 {
			t.Errorf("the submission id %.60s: %d %.200s", id, r.status, r.body)
		}
	}
	s.same(t, before)
	if s.call(t, "GET", "/v1/instruments/%66act-b", token, nil).status != 200 { // the same name, written otherwise
		t.Error("a path with an escaped letter is another path")
	}
	for _, query := range []string{"limit=0", "limit=201", "limit=-1", "limit=x", "limit=1e9", "limit=99999999999999999999", "cursor=" + canary, "cursor=%00", "cursor=e30x", "cursor=" + strings.Repeat("A", 500),
		"status=" + canary, "x=" + canary, "limit=1&limit=2&x=1"} {
		if r := s.call(t, "GET", "/v1/participants?"+query, anna.token, nil); r.status != 400 {
			t.Errorf("?%.60s: %d %.200s", query, r.status, r.body)
		}
	}
}

// Every route that takes a body, with bodies that no route takes.
func TestRubbishToEveryRouteThatTakesABody(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.s.api.Routes() {
		if r.Method == "GET" || r.Method == "DELETE" {
			continue
		}
		x := w.exercise(t, r.Method+" "+r.Path)
		token := w.tokenFor(t, r)
		before := w.s.content(t)
		for what, body := range map[string]any{
			"an array": `[]`, "text": `"` + canary + `"`, "cut": `{"a":`, "no JSON": canary, "invalid UTF-8": []byte("{\"reason\":\"\xff\"}"),
			"an unknown member":      `{"zz":"` + canary + `"}`,
			"a member twice":         `{"reason":"a","reason":"` + canary + `"}`,
			"everything of no type":  `{"reason":{},"status":[],"on":5,"code":{},"username":[],"site":1,"number":{},"answers":5,"accept":"yes","locked":"yes","visit":{},"event":{},"token":{},"refresh_token":{}}`,
			"unknown in a valid one": withJunk(t, x.body),
		} {
			got := w.s.call(t, r.Method, x.path, token, body)
			if got.status != 400 || got.code(t) != study.Invalid {
				t.Errorf("%s %s, %s: %d %.300s", r.Method, r.Path, what, got.status, got.body)
			}
		}
		w.s.same(t, before)
	}
}

// withJunk is a body that the route would take, and a member that it would not.
func withJunk(t testing.TB, body any) any {
	t.Helper()
	members, ok := body.(map[string]any)
	if !ok {
		t.Fatalf("the body is %T", body)
	}
	return with(members, "zz_"+canary, canary)
}

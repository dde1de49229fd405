package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/api"
	"epro/auth"
	"epro/internal/testkit"
	"epro/study"
)

// users believes tokens that name their user; package auth/firebase checks real
// ones.
type users struct{}

// User reads "token of NAME".
func (users) User(_ context.Context, idToken string) (string, error) {
	name, ok := strings.CutPrefix(idToken, "token of ")
	if !ok {
		return "", study.Fail(study.Unauthenticated, "This sign-in is not valid any more. Sign in again in the app.")
	}
	return name, nil
}

// server is the API on a socket of this machine, with a real store behind it.
// Every answer that call gets is checked (answers_test.go), and what was logged
// is searched for secrets when the test is over (log_test.go).
type server struct {
	*testkit.Fixture
	auth    *auth.Auth
	api     *api.Server
	url     string
	client  *http.Client
	log     *lockedLog
	secrets secrets
	stop    func()
}

// cheap makes password hashes fast enough for tests.
var cheap = auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}

func start(t testing.TB, store study.Store, change ...func(*api.Options)) *server {
	t.Helper()
	s := build(t, store, change...)
	s.listen(t, localPort(t))
	return s
}

func localPort(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// build makes the server without a socket.
func build(t testing.TB, store study.Store, change ...func(*api.Options)) *server {
	t.Helper()
	s := &server{Fixture: testkit.Study(t, store), log: &lockedLog{}}
	var err error
	s.auth, err = auth.New(context.Background(), auth.Options{Store: store, Study: s.Service, Now: s.Clock.Now,
		Random: testkit.Random(7), Secret: bytes.Repeat([]byte{7}, 32), Issuer: "epro", PasswordCost: cheap, Users: users{}})
	if err != nil {
		t.Fatal(err)
	}
	o := api.Options{Study: s.Service, Auth: s.auth, Store: store, Now: s.Clock.Now, Version: "test",
		Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	s.api = api.New(o)
	return s
}

// listen serves on the listener until stop, or the end of the test.
func (s *server) listen(t testing.TB, ln net.Listener) {
	s.url = "http://" + ln.Addr().String()
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.api.Serve(ctx, ln, 5*time.Second) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			s.client.CloseIdleConnections()
			cancel()
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
			s.searchLog(t)
		})
	}
	t.Cleanup(s.stop)
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
	closes bool // the connection, after this answer
}

// json reads the body into a loose map.
func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("status %d: body is no JSON object: %v\n%s", r.status, err, r.body)
	}
	return m
}

// items are the items of a list.
func (r reply) items(t testing.TB) []map[string]any {
	t.Helper()
	var l struct{ Items []map[string]any }
	if err := json.Unmarshal(r.body, &l); err != nil {
		t.Fatalf("no list: %v\n%s", err, r.body)
	}
	return l.Items
}

func (r reply) code(t testing.TB) study.Code {
	t.Helper()
	code, _ := r.json(t)["code"].(string)
	return study.Code(code)
}

// want fails the test unless the answer has this status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// refused fails the test unless the answer is a problem with this code.
func (r reply) refused(t testing.TB, status int, code study.Code) reply {
	t.Helper()
	if r.want(t, status).code(t) != code {
		t.Fatalf("code %q, want %q: %s", r.code(t), code, r.body)
	}
	return r
}

// call sends a request and checks what every answer must be; body is text,
// nil, or something to encode. Headers come in pairs.
func (s *server) call(t testing.TB, method, path, token string, body any, headers ...string) reply {
	t.Helper()
	got, err := s.try(method, path, token, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	s.secrets.learn(body, got)
	checkAnswer(t, s, method, path, got)
	return got
}

// try is call for goroutines: it fails no test.
func (s *server) try(method, path, token string, body any, headers ...string) (reply, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return reply{}, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, r)
	if err != nil {
		return reply{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, raw, resp.Close}, err
}

// account is a staff account that has signed in.
type account struct {
	id                    study.StaffID
	name, password, token string
	refresh               string
	role                  study.Role
}

// staff makes an account and signs it in.
func (s *server) staff(t testing.TB, name string, role study.Role, sites ...study.SiteCode) account {
	t.Helper()
	made, password, err := s.auth.CreateStaff(context.Background(), study.Request{By: s.System},
		study.CreateStaff{Username: name, Rights: study.Rights{Role: role, Sites: sites}}, "")
	if err != nil {
		t.Fatal(err)
	}
	a := account{id: made.ID, name: name, password: password, role: role}
	s.signIn(t, &a)
	return a
}

func (s *server) signIn(t testing.TB, a *account) {
	t.Helper()
	got := s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": a.name, "password": a.password}).want(t, 200).json(t)
	a.token, a.refresh = got["access_token"].(string), got["refresh_token"].(string)
}

// phone enrols a participant, issues a code and binds a phone with it.
func (s *server) phone(t testing.TB, number string) (*study.Participant, string) {
	t.Helper()
	p := s.Enrol(t, number)
	return p, s.bind(t, p)["access_token"].(string)
}

// bind gives a participant a phone: the session that it got.
func (s *server) bind(t testing.TB, p *study.Participant) map[string]any {
	t.Helper()
	return s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": s.code(t, p)}).want(t, 201).json(t)
}

func (s *server) code(t testing.TB, p *study.Participant) string {
	t.Helper()
	code, err := s.auth.IssueCode(context.Background(), study.Request{By: s.Coordinator}, p.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	return code.Code
}

// baseline sets the clock into the window of C1D1.
func (s *server) baseline() { s.Clock.Set(testkit.Cycle1.UTC().Add(time.Hour)) }

// sheet is the body of a form, every item answered.
func (s *server) sheet(seed uint64) map[string]any { return sheetAt(s.Clock.Now(), seed) }

// sheetAt is a form started nine minutes before, completed and sent at now.
func sheetAt(now time.Time, seed uint64) map[string]any {
	answers := map[string]any{}
	for code, v := range testkit.Answers(seed) {
		answers[code] = json.RawMessage(v)
	}
	return map[string]any{"instrument": "fact-b", "instrument_version": "4", "answers": answers,
		"started_at": stamp(now.Add(-9 * time.Minute)), "completed_at": stamp(now), "sent_at": stamp(now),
		"app": map[string]any{"platform": "android", "version": "1.0"}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// with is a copy of the body with some members set; a nil value takes one out.
func with(body map[string]any, pairs ...any) map[string]any {
	out := map[string]any{}
	for k, v := range body {
		out[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name := pairs[i].(string)
		if out[name] = pairs[i+1]; pairs[i+1] == nil {
			delete(out, name)
		}
	}
	return out
}

// formAt is the address of a form on the participant's own routes.
func formAt(p *study.Participant, visit, id string) string {
	return fmt.Sprintf("/v1/me/assessments/%s.%s/submissions/%s", p.ID, visit, id)
}

// staffFormAt is the address of a form on the staff's routes.
func staffFormAt(p *study.Participant, visit, id string) string {
	return fmt.Sprintf("/v1/participants/%s/assessments/%s.%s/submissions/%s", p.ID, p.ID, visit, id)
}

// content is how much a store holds: what a refused request must not change.
type content struct {
	events int
	tips   string
}

func (s *server) content(t testing.TB) content {
	t.Helper()
	var c content
	tips := map[study.StreamID]uint64{}
	for head, err := range s.Store.Heads(context.Background(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		c.events += int(head.Seq)
		tips[head.Stream] = head.Seq
	}
	c.tips = fmt.Sprint(tips) // fmt sorts maps
	for _, kind := range []study.RecordKind{"progress", "idempotency", "session", "ended", "code", "code_use", "credential"} {
		records, err := s.Store.Records(context.Background(), kind, "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		c.tips += fmt.Sprintf(" %s:%d", kind, len(records))
	}
	return c
}

// same fails the test if anything was stored since.
func (s *server) same(t testing.TB, before content) {
	t.Helper()
	if now := s.content(t); now != before {
		t.Errorf("something was stored:\nbefore %+v\nnow    %+v", before, now)
	}
}

package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/auth"
	"epro/internal/testkit"
	"epro/study"
)

// server is the API on a socket of this machine, with a real store behind it.
type server struct {
	*testkit.Fixture
	auth *auth.Auth
	api  *api.Server
	url  string
	log  *bytes.Buffer // what was logged; read it after stop
	stop func()
}

// cheap makes password hashes fast enough for tests.
var cheap = auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}

func start(t testing.TB, store study.Store, change ...func(*api.Options)) *server {
	t.Helper()
	s := &server{Fixture: testkit.Study(t, store), log: &bytes.Buffer{}}
	var err error
	s.auth, err = auth.New(context.Background(), auth.Options{Store: store, Study: s.Service, Now: s.Clock.Now,
		Random: testkit.Random(7), Secret: bytes.Repeat([]byte{7}, 32), Issuer: "epro", PasswordCost: cheap})
	if err != nil {
		t.Fatal(err)
	}
	o := api.Options{Study: s.Service, Auth: s.auth, Store: store, Now: s.Clock.Now, Version: "test",
		Log: slog.New(slog.NewJSONHandler(&lockedWriter{w: s.log}, nil))}
	for _, f := range change {
		f(&o)
	}
	s.api = api.New(o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.api.Serve(ctx, ln, 5*time.Second) }()
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
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

func (r reply) code(t testing.TB) string {
	t.Helper()
	code, _ := r.json(t)["code"].(string)
	return code
}

// want fails the test unless the answer has this status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// call sends a request; body is text, nil, or something to encode.
func (s *server) call(t testing.TB, method, path, token string, body any, headers ...string) reply {
	t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, r)
	if err != nil {
		t.Fatal(err)
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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, raw}
}

// staff makes an account and signs it in.
func (s *server) staff(t testing.TB, name string, role study.Role, sites ...study.SiteCode) (token string) {
	t.Helper()
	_, password, err := s.auth.CreateStaff(context.Background(), study.Request{By: s.System},
		study.CreateStaff{Username: name, Rights: study.Rights{Role: role, Sites: sites}}, "")
	if err != nil {
		t.Fatal(err)
	}
	return s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": name, "password": password}).
		want(t, 200).json(t)["access_token"].(string)
}

// phone enrols a participant, issues a code and binds a phone with it.
func (s *server) phone(t testing.TB, number string) (*study.Participant, string) {
	t.Helper()
	p := s.Enrol(t, number)
	code, err := s.auth.IssueCode(context.Background(), study.Request{By: s.Coordinator}, p.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	got := s.call(t, "POST", "/v1/auth/enrol", "", map[string]any{"code": code.Code}).want(t, 201).json(t)
	return p, got["access_token"].(string)
}

// sheet is the body of a FilledForm form, every item answered.
func (s *server) sheet(seed uint64) map[string]any {
	answers := map[string]json.RawMessage{}
	for code, v := range testkit.Answers(seed) {
		answers[code] = json.RawMessage(v)
	}
	now := s.Clock.Now()
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	return map[string]any{"instrument": "fact-b", "instrument_version": "4", "answers": answers,
		"started_at": stamp(now.Add(-9 * time.Minute)), "completed_at": stamp(now), "sent_at": stamp(now),
		"app": map[string]any{"platform": "android", "version": "1.0"}}
}

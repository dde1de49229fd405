package fcmtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Project is the project that the server serves.
const Project = "epro-test"

// Account is the service account that may send in it.
const Account = "sender@epro-test.iam.gserviceaccount.com"

// Request is one request for sending that reached the server.
type Request struct {
	Path   string
	Header http.Header
	Body   []byte
	Token  string // the device's, as far as the body could be read
	Status int    // of the answer; 0: none was given
}

// Accepted is one message that the server took, whatever became of the answer.
type Accepted struct {
	Token    string
	Collapse string // the Android collapse key
	Data     map[string]string
	Body     []byte // the whole request
}

// Server is the service. Its methods may be called at any time.
type Server struct {
	http *httptest.Server
	key  *rsa.PrivateKey
	done chan struct{}

	mu       sync.Mutex
	scripts  map[string][]Answer
	all      []Answer
	oauth    []Answer
	life     time.Duration
	latency  time.Duration
	quiet    bool
	requests []Request
	accepted []Accepted
	probes   int
	asked    int
	issued   map[string]time.Time // access tokens and when they end
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start(false)
	t.Cleanup(s.Close)
	return s
}

// Start starts a server for a program that is no test; Close ends it. With
// secure it speaks HTTP/2 over TLS, as Google does.
func Start(secure bool) *Server {
	s := &Server{key: accountKey(), done: make(chan struct{}), scripts: map[string][]Answer{}, life: time.Hour, issued: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("/", s.send)
	s.http = httptest.NewUnstartedServer(mux)
	if secure {
		s.http.EnableHTTP2 = true
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	return s
}

// Close ends the server and whatever hangs in it.
func (s *Server) Close() {
	close(s.done)
	s.http.Close()
}

// Certificate is what a client has to trust, of a server with TLS.
func (s *Server) Certificate() *x509.Certificate { return s.http.Certificate() }

// accountKey is the key of the account, one for all servers of a process:
// making one takes longer than most tests.
var accountKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// Endpoint is the address of the API, as fcm.Options takes it.
func (s *Server) Endpoint() string { return s.http.URL + "/v1" }

// Transport reaches the server and trusts its certificate.
func (s *Server) Transport() *http.Transport {
	return s.http.Client().Transport.(*http.Transport).Clone() //nolint:errcheck // httptest makes no other
}

// Credentials are those of a service account that this server knows.
func (s *Server) Credentials() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		panic(err) // the key was made above
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": Project, "private_key_id": "k1", "client_email": Account,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   s.http.URL + "/token",
	})
	if err != nil {
		panic(err)
	}
	return text
}

// CredentialsFile writes the credentials to a file of the test.
func (s *Server) CredentialsFile(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "firebase.json")
	if err := os.WriteFile(file, s.Credentials(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Script says what the next messages to a device are answered; the last answer
// repeats. A device without a script is answered with Accept.
func (s *Server) Script(token string, answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[token] = slices.Clone(answers)
}

// ScriptAll is Script for every device without one of its own.
func (s *Server) ScriptAll(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.Clone(answers)
}

// ScriptOAuth says what the next calls for an access token are answered; the
// last answer repeats. Accept, or none, gives a token.
func (s *Server) ScriptOAuth(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth = slices.Clone(answers)
}

// TokenLife sets how long access tokens live; an hour, if it is not called.
func (s *Server) TokenLife(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life = d
}

// RevokeTokens makes the server refuse every access token that it has given.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.issued)
}

// Latency delays every answer about a message.
func (s *Server) Latency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Quiet stops the recording, for benchmarks; counts go on.
func (s *Server) Quiet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = true
}

// Requests are all requests for sending so far, in the order of their arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Accepted are all messages that were taken so far, dry runs not among them.
func (s *Server) Accepted() []Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.accepted)
}

// AcceptedFor are those for one device.
func (s *Server) AcceptedFor(token string) []Accepted {
	return slices.DeleteFunc(s.Accepted(), func(a Accepted) bool { return a.Token != token })
}

// DryRuns is how many messages were checked and not sent.
func (s *Server) DryRuns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probes
}

// TokenCalls is how often an access token was asked for.
func (s *Server) TokenCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// next takes the next answer of a script, and leaves the last one there.
func next(script []Answer) (Answer, []Answer) {
	switch len(script) {
	case 0:
		return Accept, nil
	case 1:
		return script[0], script
	}
	return script[0], script[1:]
}

// answerFor is what the script says for a device.
func (s *Server) answerFor(token string) (a Answer, latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if script, own := s.scripts[token]; own {
		a, s.scripts[token] = next(script)
	} else {
		a, s.all = next(s.all)
	}
	return a, s.latency
}

// record notes a request before it is answered, and gives its place.
func (s *Server) record(r Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet {
		return -1
	}
	s.requests = append(s.requests, r)
	return len(s.requests) - 1
}

func (s *Server) answered(place, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place >= 0 {
		s.requests[place].Status = status
	}
}

// accept notes that a message is on its way.
func (s *Server) accept(m *message, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet {
		return
	}
	a := Accepted{Token: m.Token, Data: m.Data, Body: body}
	if m.Android != nil {
		a.Collapse = m.Android.CollapseKey
	}
	s.accepted = append(s.accepted, a)
}

// allowed reports whether a request carries a token of ours that has not ended.
func (s *Server) allowed(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.issued[token]
	return ok && known && time.Now().Before(until)
}

// name is what Google calls a message that it has taken.
func name(n int) string { return fmt.Sprintf("projects/%s/messages/%d", Project, n) }

package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// lockedLog lets several requests log into one buffer.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends a line.
func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// canary marks values that tests send and that must not come back, neither in
// an error nor in the log.
const canary = "zq-canary"

// secrets are the tokens, codes and passwords that went over the wire.
type secrets struct {
	mu   sync.Mutex
	seen map[string]string // value → member that it was in
}

// secretMembers are the members of bodies, sent or received, that only their
// receiver may know.
var secretMembers = []string{"access_token", "refresh_token", "code", "link", "password", "token", "totp"}

// learn remembers the secrets in a request and its answer.
func (s *secrets) learn(sent any, got reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]string{}
	}
	raw, _ := json.Marshal(sent) // a body that is no JSON holds no member
	for _, body := range [][]byte{raw, got.body} {
		var m map[string]any
		if json.Unmarshal(body, &m) != nil || m["request_id"] != nil { // the code of a problem is no secret
			continue
		}
		for _, name := range secretMembers {
			if v, ok := m[name].(string); ok && len(v) >= 6 {
				s.seen[v] = name
			}
		}
	}
}

// answersInLog finds an item with a value, however it is written down.
var answersInLog = regexp.MustCompile(`\b(GP[1-7]|GS[1-7]|GE[1-6]|GF[1-7]|B[1-9]|P2)\\*"?\s*[:=]`)

// searchLog fails the test if the log holds an answer, a token, a code, a
// password, or anything that a test marked.
func (s *server) searchLog(t testing.TB) {
	text := s.log.String()
	for _, line := range strings.Split(text, "\n") {
		if answersInLog.MatchString(line) || strings.Contains(line, `"answers"`) || strings.Contains(line, "answers:") {
			t.Errorf("the log holds answers: %.300s", line)
		}
	}
	if i := strings.Index(text, canary); i >= 0 {
		t.Errorf("the log holds what a request said: %.300s", text[max(0, i-100):])
	}
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	for value, name := range s.secrets.seen {
		if strings.Contains(text, value) {
			t.Errorf("the log holds a secret (%s)", name)
		}
	}
}

func TestTheSearchOfTheLogFindsWhatItLooksFor(t *testing.T) {
	for i, line := range []string{`{"GP1":3}`, `answers:map[GS7:2]`, `\"B9\":4`, `P2=1`} {
		if !answersInLog.MatchString(line) {
			t.Errorf("%d: not found: %s", i, line)
		}
	}
	var s secrets
	s.learn(map[string]any{"password": "abcdefgh"}, reply{body: []byte(`{"access_token":"ey.long.token"}`)})
	if fmt.Sprint(s.seen) != "map[abcdefgh:password ey.long.token:access_token]" {
		t.Errorf("learnt %v", s.seen)
	}
}

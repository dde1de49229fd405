package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/store/mongo"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// proxied is a server whose MongoDB is behind a proxy that spoils what passes.
// It answers each request within the time, and its client waits longer.
func proxied(t *testing.T, within time.Duration) (*server, *mongotest.Proxy) {
	t.Helper()
	p := mongotest.NewProxy(t, mongotest.Database(t))
	db, err := mongo.Open(t.Context(), p.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	s := start(t, db, func(o *api.Options) { o.RequestTime = within })
	s.client.Timeout = within + 25*time.Second
	s.baseline()
	return s, p
}

// hammer asks until the answer is no longer "unavailable".
func (s *server) hammer(t testing.TB, method, path, token string, body any) reply {
	t.Helper()
	for range 100 {
		if got := s.call(t, method, path, token, body); got.status != http.StatusServiceUnavailable {
			return got
		}
	}
	t.Fatalf("%s %s stays unavailable", method, path)
	return reply{}
}

// unavailableEach asks each route once, all at the same time.
func (s *server) unavailableEach(t *testing.T, ask map[string]func() reply) {
	t.Helper()
	var wg sync.WaitGroup
	for name, request := range ask {
		wg.Go(func() {
			if got := request(); got.status != http.StatusServiceUnavailable || got.code(t) != study.Unavailable {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		})
	}
	wg.Wait()
}

func TestADatabaseThatIsCutOffOrSilentIsUnavailableAndComesBackByItself(t *testing.T) {
	s, p := proxied(t, 10*time.Second)
	anna := s.staff(t, "anna", study.RoleCoordinator, testkit.Site)
	one, token := s.phone(t, "001")
	two, other := s.phone(t, "002")
	ids, forms := []string{s.NewID(), s.NewID()}, []map[string]any{s.sheet(1), s.sheet(2)}
	receipt := s.hammer(t, "PUT", formAt(one, "C1D1", ids[0]), token, forms[0]).want(t, 201)
	ask := map[string]func() reply{
		"a form":      func() reply { return s.call(t, "PUT", formAt(two, "C1D1", ids[1]), other, forms[1]) },
		"what is due": func() reply { return s.call(t, "GET", "/v1/me/assessments", token, nil) },
		"the list":    func() reply { return s.call(t, "GET", "/v1/participants", anna.token, nil) },
		"a sign-in": func() reply {
			return s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "anna", "password": anna.password})
		},
		"an enrolment": func() reply { return s.call(t, "POST", "/v1/participants", anna.token, enrolment("003")) },
	}
	release := make(chan struct{})
	for what, spoil := range map[string]struct{ on, off func() }{
		"cut off": {p.Cut, p.Mend},
		"silent": {func() {
			p.Set(func(_ string, ask func() ([]byte, error)) ([]byte, error) {
				<-release
				return ask()
			})
		}, func() { p.Set(nil); close(release) }},
	} {
		spoil.on()
		s.unavailableEach(t, ask)
		if got := s.call(t, "GET", "/readyz", "", nil); got.status != 503 {
			t.Errorf("%s, and ready: %d %s", what, got.status, got.body)
		}
		s.call(t, "GET", "/healthz", "", nil).want(t, 200)
		spoil.off()
		// Nobody restarts anything.
		again := s.hammer(t, "PUT", formAt(one, "C1D1", ids[0]), token, forms[0]).want(t, 200)
		if string(again.body) != string(receipt.body) {
			t.Errorf("after being %s: %s, not %s", what, again.body, receipt.body)
		}
		if got := s.call(t, "GET", "/readyz", "", nil); got.status != 200 {
			t.Errorf("after being %s, and not ready: %s", what, got.body)
		}
	}
	if got := s.hammer(t, "PUT", formAt(two, "C1D1", ids[1]), other, forms[1]); got.status > 201 || s.formsOf(t, two) != 1 {
		t.Errorf("%d %s, %d forms", got.status, got.body, s.formsOf(t, two))
	}
}

// Answers of the database are lost before and after it has acted, and
// connections with them, while phones send and repeat. What was acknowledged
// is there, once, and the record is sound.
func TestNoFormIsLostOrDoubledWhileTheDatabasesConnectionsAreReset(t *testing.T) {
	s, p := proxied(t, time.Minute) // nothing is silent here, and the stand-in is slow
	const phones = 16
	people, tokens := make([]*study.Participant, phones), make([]string, phones)
	for i := range people {
		people[i], tokens[i] = s.phone(t, fmt.Sprintf("%03d", i))
	}
	var asked, reset atomic.Int64
	p.Set(func(said string, ask func() ([]byte, error)) ([]byte, error) {
		switch asked.Add(1) % 9 {
		case 3:
			reset.Add(1)
			return nil, mongotest.ErrReset
		case 7:
			reset.Add(1)
			_, err := ask()
			return nil, errors.Join(mongotest.ErrReset, err)
		}
		return ask()
	})
	var wg sync.WaitGroup
	receipts := make([]string, phones)
	for i := range people {
		wg.Go(func() {
			id, form := fmt.Sprintf("00000000-0000-4000-8000-%012d", i), s.sheet(uint64(i))
			for range 3 { // the phone lost the answer, as far as it knows
				got := s.hammer(t, "PUT", formAt(people[i], "C1D1", id), tokens[i], form)
				if got.status > 201 || receipts[i] != "" && receipts[i] != string(got.body) {
					t.Errorf("phone %d: %d %s after %s", i, got.status, got.body, receipts[i])
				}
				receipts[i] = string(got.body)
			}
		})
	}
	wg.Wait()
	p.Set(nil)
	if reset.Load() == 0 {
		t.Error("no connection was reset")
	}
	for i, person := range people {
		if n := s.formsOf(t, person); n != 1 || !strings.Contains(receipts[i], `"counted":true`) {
			t.Errorf("phone %d has %d forms and the receipt %s", i, n, receipts[i])
		}
	}
	s.sound(t)
}

// sound repairs what lags, as every process does each minute, and then wants a
// record without fault whose snapshots are those that a rebuild makes.
func (s *server) sound(t *testing.T) {
	t.Helper()
	if _, err := s.KeepRepaired(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := s.Verify(t.Context())
	if err != nil || len(report.Faults) > 0 || report.Snapshots != report.Participants {
		t.Errorf("%+v %v", report, err)
	}
}

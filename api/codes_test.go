package api_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/store/storetest"
	"epro/study"
)

// producers make each code, each with an ordinary request. The code of a name
// that is not here fails the test below.
var producers = map[study.Code]func(t *testing.T, w *world) reply{
	study.Invalid: func(t *testing.T, w *world) reply {
		return w.s.call(t, "PUT", formAt(w.p, "C1D1", w.s.NewID()), w.phone, `{"x":1}`)
	},
	study.InvalidAnswers: func(t *testing.T, w *world) reply {
		return w.s.call(t, "PUT", formAt(w.p, "C1D1", w.s.NewID()), w.phone, with(w.s.sheet(1), "answers", map[string]any{"GP1": 7}))
	},
	study.Unauthenticated: func(t *testing.T, w *world) reply { return w.s.call(t, "GET", "/v1/me", canary, nil) },
	study.Forbidden:       func(t *testing.T, w *world) reply { return w.s.call(t, "GET", "/v1/staff", w.phone, nil) },
	study.NotFound: func(t *testing.T, w *world) reply {
		return w.s.call(t, "GET", "/v1/participants/"+absentID, w.here[study.RoleMonitor].token, nil)
	},
	study.Conflict: func(t *testing.T, w *world) reply {
		return w.s.call(t, "POST", "/v1/participants", w.here[study.RoleCoordinator].token, enrolment(w.p.Number))
	},
	study.AlreadySubmitted: func(t *testing.T, w *world) reply {
		w.s.call(t, "PUT", formAt(w.p, "C1D1", w.s.NewID()), w.phone, w.s.sheet(1)).want(t, 201)
		return w.s.call(t, "PUT", formAt(w.p, "C1D1", w.s.NewID()), w.phone, w.s.sheet(1))
	},
	study.WindowNotOpen: func(t *testing.T, w *world) reply {
		return w.s.call(t, "PUT", formAt(w.other, "C2D1", w.s.NewID()), w.otherPhone, w.s.sheet(1))
	},
	study.VersionMismatch: func(t *testing.T, w *world) reply {
		return w.s.call(t, "PUT", formAt(w.other, "C1D1", w.s.NewID()), w.otherPhone, with(w.s.sheet(1), "instrument_version", "3"))
	},
	study.WindowClosed: func(t *testing.T, w *world) reply {
		p := w.someone(t)
		w.s.Clock.Advance(72 * time.Hour)
		defer w.s.Clock.Advance(-72 * time.Hour)
		anna := w.here[study.RoleCoordinator]
		w.s.signIn(t, &anna)
		return w.s.call(t, "PUT", staffFormAt(p, "C1D1", w.s.NewID()), anna.token, with(w.s.sheet(1), "mode", "paper_transcribed", "reason", "late"))
	},
	study.NotExpected: func(t *testing.T, w *world) reply {
		p := w.someone(t)
		anna := w.here[study.RoleCoordinator].token
		w.s.call(t, "POST", "/v1/participants/"+string(p.ID)+"/status", anna, map[string]any{"status": "withdrawn", "level": "trial", "on": "2026-03-01", "reason": "x"}).want(t, 200)
		return w.s.call(t, "POST", "/v1/participants/"+string(p.ID)+"/enrolment-codes", anna, nil)
	},
	study.Locked: func(t *testing.T, w *world) reply {
		anna := w.here[study.RoleInvestigator].token
		lock := func(locked bool) {
			w.s.call(t, "PUT", "/v1/sites/S01/lock", anna, map[string]any{"locked": locked, "reason": "cleaning"}).want(t, 200)
		}
		lock(true)
		defer lock(false)
		return w.s.call(t, "POST", "/v1/participants", anna, enrolment("L-1"))
	},
	study.TooLarge: func(t *testing.T, w *world) reply {
		return w.s.call(t, "POST", "/v1/auth/login", "", strings.Repeat(" ", 1<<20))
	},
	study.TooMany: func(t *testing.T, w *world) reply {
		for range 5 {
			w.s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "nobody", "password": canary}).want(t, 401)
		}
		return w.s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "nobody", "password": canary})
	},
	study.Unavailable: func(t *testing.T, _ *world) reply {
		store := &switched{Store: testkit.Store(t)}
		s := start(t, store)
		store.breakWith(storetest.Broken())
		return s.call(t, "POST", "/v1/auth/login", "", map[string]any{"username": "nobody", "password": canary})
	},
	study.Internal: func(t *testing.T, _ *world) reply {
		store := &switched{Store: testkit.Store(t)}
		s := start(t, store)
		_, phone := s.phone(t, "001")
		store.breakWith(uncoded{store.Store})
		return s.call(t, "GET", "/v1/me", phone, nil)
	},
}

// uncoded is a store whose error carries no code, as a fault of ours would.
type uncoded struct{ study.Store }

func (uncoded) Stream(context.Context, study.StreamID, uint64) ([]study.Entry, error) {
	return nil, errors.New(`near "SELECT": syntax error in /srv/epro.db ` + canary[:2])
}

func TestEveryCodeIsProducedWithTheStatusOfTheContract(t *testing.T) {
	w := newWorld(t)
	codes := codesOf(t)
	for _, code := range codes {
		t.Run(string(code), func(t *testing.T) {
			status, known := contractStatus[code]
			produce, made := producers[code]
			if !known || !made {
				t.Fatal("say in contractStatus and in producers what it is")
			}
			produce(t, w).refused(t, status, code)
		})
	}
	if len(codes) != len(contractStatus) {
		t.Errorf("%d codes, CONTRACT.md has %d", len(codes), len(contractStatus))
	}
}

// codesOf reads the codes out of package study's source, so that a new one
// cannot be forgotten here.
func codesOf(t *testing.T) []study.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../study/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []study.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					text, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					codes = append(codes, study.Code(text))
				}
			}
		}
		return true
	})
	if len(codes) == 0 {
		t.Fatal("no codes found")
	}
	return codes
}

// A store that cannot be reached must never read as "there is none" or "you are
// nobody": phones would drop what they hold, and people would be told lies.
func TestWithoutItsStoreEveryRouteIsUnavailableAndNothingElse(t *testing.T) {
	store := &switched{Store: testkit.Store(t)}
	w := worldOn(t, store)
	type request struct {
		route api.RouteInfo
		token string
		x     exercise
	}
	var all []request
	for _, r := range w.s.api.Routes() {
		x := w.exercise(t, r.Method+" "+r.Path)
		token := w.tokenFor(t, r)
		if x.phone != "" {
			token = x.phone
		}
		all = append(all, request{r, token, x})
	}
	store.breakWith(storetest.Broken())
	for _, later := range []time.Duration{0, 6 * time.Second} { // with what is in memory, and without
		w.s.Clock.Advance(later)
		for _, q := range all {
			name := q.route.Method + " " + q.route.Path
			got := w.s.call(t, q.route.Method, q.x.path, q.token, q.x.body)
			fromMemory := later == 0 && got.status == 200 && slices.Contains([]string{"GET /v1/study", "GET /v1/instruments/{instrument}"}, name)
			if !fromMemory && (got.status != 503 || got.code(t) != study.Unavailable) {
				t.Errorf("%s, %v after the store broke: %d %s", name, later, got.status, got.body)
			}
			if q.x.absent != "" && later > 0 {
				if got := w.s.call(t, q.route.Method, q.x.absent, q.token, q.x.body); got.status != 503 {
					t.Errorf("%s of nothing, without a store: %d %s", name, got.status, got.body)
				}
			}
			if q.route.Method == "POST" && q.route.Action != "" {
				w.s.call(t, "POST", q.x.path, q.token, q.x.body, "Idempotency-Key", "k").refused(t, 503, study.Unavailable)
			}
		}
	}
	if got := w.s.call(t, "GET", "/readyz", "", nil); got.status != 503 || strings.Contains(string(got.body), "purpose") {
		t.Errorf("/readyz: %d %s", got.status, got.body)
	}
	w.s.call(t, "GET", "/healthz", "", nil).want(t, 200) // alive all the same: a restart would not help
	w.s.call(t, "GET", "/.well-known/jwks.json", "", nil).want(t, 200)
	store.mend()
	w.s.call(t, "GET", "/readyz", "", nil).want(t, 200)
	for _, q := range all {
		if q.route.Path == "/v1/auth/setup" {
			continue
		}
		if got := w.s.call(t, q.route.Method, q.x.path, q.token, q.x.body); got.status >= 300 {
			t.Errorf("%s %s, with the store back: %d %s", q.route.Method, q.route.Path, got.status, got.body)
		}
	}
}

// The answer of an insert can be lost though it was made.
func TestAFormWhoseInsertLostItsAnswerIsStoredOnce(t *testing.T) {
	store := storetest.Faulty(testkit.Store(t))
	s := start(t, store)
	s.baseline()
	p, token := s.phone(t, "001")
	id, form := s.NewID(), s.sheet(1)
	store.FailNext(true) // before it is written
	s.call(t, "PUT", formAt(p, "C1D1", id), token, form).refused(t, 503, study.Unavailable)
	if n := s.formsOf(t, p); n != 0 {
		t.Fatalf("%d forms", n)
	}
	store.FailNext(false) // after it was written: read back, it is our own
	receipt := s.call(t, "PUT", formAt(p, "C1D1", id), token, form).want(t, 201)
	again := s.call(t, "PUT", formAt(p, "C1D1", id), token, form).want(t, 200)
	if n := s.formsOf(t, p); n != 1 || string(receipt.body) != string(again.body) {
		t.Errorf("%d forms\n%s\n%s", n, receipt.body, again.body)
	}
}

// A handler that panics is a fault of ours, answered as one.
func TestAPanicIsAnsweredAsAProblem(t *testing.T) {
	store := &switched{Store: testkit.Store(t)}
	s := start(t, store)
	_, phone := s.phone(t, "001")
	store.breakWith(panics{store.Store})
	s.call(t, "GET", "/v1/me", phone, nil).refused(t, 500, study.Internal)
	store.mend()
	s.call(t, "GET", "/v1/me", phone, nil).want(t, 200)
	if !strings.Contains(s.log.String(), "a panic of this test") {
		t.Error("the panic is not in the log")
	}
}

type panics struct{ study.Store }

func (panics) Stream(context.Context, study.StreamID, uint64) ([]study.Entry, error) {
	panic("a panic of this test")
}

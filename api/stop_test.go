package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// gated is a store whose next insert of a form waits until it is let go, and
// that notes when it is closed.
type gated struct {
	study.Store
	armed            atomic.Bool
	entered, release chan struct{}
	mu               sync.Mutex
	order            []string
}

func (s *gated) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = append(s.order, what)
}

// Append waits at the gate.
func (s *gated) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	if e.Type == "submission_received" && s.armed.CompareAndSwap(true, false) {
		close(s.entered)
		<-s.release
	}
	err := s.Store.Append(ctx, e, snap)
	if e.Type == "submission_received" {
		s.note("stored")
	}
	return err
}

// What runs when the signal comes is finished and answered; what comes after
// it is refused; only then may the store be closed.
func TestAServerThatStopsFinishesWhatRuns(t *testing.T) {
	store := &gated{Store: testkit.Store(t), entered: make(chan struct{}), release: make(chan struct{})}
	s := build(t, store)
	ln := localPort(t)
	s.listen(t, ln)
	s.baseline()
	p, token := s.phone(t, "001")
	store.armed.Store(true)
	id, form := s.NewID(), s.sheet(1)

	type answer struct {
		reply
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		got, err := s.try("PUT", formAt(p, "C1D1", id), token, form)
		store.note("answered")
		answered <- answer{got, err}
	}()
	<-store.entered

	stopped := make(chan struct{})
	go func() {
		s.stop()
		store.note("stopped")
		close(stopped)
	}()
	// The listener is closed before anything else: then no new connection is made.
	for {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), time.Second)
		if err != nil {
			var op *net.OpError
			if !errors.As(err, &op) {
				t.Errorf("refused with %v", err)
			}
			break
		}
		_ = conn.Close()
	}
	select {
	case <-stopped:
		t.Fatal("stopped with a request running")
	case got := <-answered:
		t.Fatalf("answered before it was stored: %d %v", got.status, got.err)
	default:
	}
	close(store.release)
	got := <-answered
	<-stopped
	if got.err != nil || got.status != 201 {
		t.Errorf("the running request: %d %v", got.status, got.err)
	}
	if order := strings.Join(store.order, " "); order != "stored answered stopped" {
		t.Errorf("the order was %s", order)
	}
	if s.formsOf(t, p) != 1 {
		t.Error("what was answered is not in the store")
	}
}

func TestAServerThatStopsIsNotReady(t *testing.T) {
	store := &gated{Store: testkit.Store(t), entered: make(chan struct{}), release: make(chan struct{})}
	s := start(t, store)
	s.baseline()
	p, token := s.phone(t, "001")
	store.armed.Store(true)
	id, form := s.NewID(), s.sheet(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.try("PUT", formAt(p, "C1D1", id), token, form)
	}()
	<-store.entered
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	for { // by the process's own eyes: its socket is closed already
		resp, err := s.api.App().Test(request(t, "GET", "/readyz"), -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == 503 {
			break
		}
	}
	close(store.release)
	<-done
	<-stopped
}

func request(t testing.TB, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

package browsertest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/api"
	"epro/auth"
	"epro/internal/testkit"
	"epro/study"
	"epro/web"
)

// world is the server with its pages, and a line to it that can be disturbed.
type world struct {
	*testkit.Fixture
	auth *auth.Auth
	url  string // of the line

	line  atomic.Pointer[func(w http.ResponseWriter, r *http.Request, serve http.Handler)]
	mu    sync.Mutex
	asked []string // method and path of every request that reached the server
}

// start serves a study on this machine. The clock shows the real time, for the
// phones' clocks do too; the participants' baseline is due in three days.
func start(t testing.TB) *world {
	t.Helper()
	store := testkit.SQLite(t)
	w := &world{Fixture: testkit.Study(t, store)}
	w.Clock.Set(time.Now())
	var err error
	w.auth, err = auth.New(context.Background(), auth.Options{Store: store, Study: w.Service, Now: w.Clock.Now, Random: testkit.Random(5),
		Secret: bytes.Repeat([]byte{5}, 32), Issuer: "epro", PasswordCost: auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	server := api.New(api.Options{Study: w.Service, Auth: w.auth, Store: store, Now: w.Clock.Now, Version: "test",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Pages: web.All(web.Pages(w.auth),
			web.Desk(web.DeskOptions{Study: w.Service, Auth: w.auth, Now: w.Clock.Now, NewID: w.NewID}))})
	behind := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, behind, time.Second) }()
	front := listen(t)
	w.url = "http://" + front.Addr().String()
	line := &http.Server{Handler: w.through(behind.Addr().String()), ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)}
	go func() { _ = line.Serve(front) }()
	t.Cleanup(func() {
		_ = line.Close()
		cancel()
		<-done
	})
	return w
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// through carries requests to the server as the line's mood allows.
func (w *world) through(to string) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: to})
			r.Out.Host = r.In.Host
		},
		ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError),
	}
	serve := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Method+" "+r.URL.Path)
		w.mu.Unlock()
		proxy.ServeHTTP(rw, r)
	})
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if mood := w.line.Load(); mood != nil {
			(*mood)(rw, r, serve)
			return
		}
		serve(rw, r)
	})
}

// disturb changes how the line behaves; nil heals it.
func (w *world) disturb(mood func(rw http.ResponseWriter, r *http.Request, serve http.Handler)) {
	if mood == nil {
		w.line.Store(nil)
		return
	}
	w.line.Store(&mood)
}

// down is a server that nobody reaches.
func down(rw http.ResponseWriter, _ *http.Request, _ http.Handler) { hangUp(rw) }

func hangUp(rw http.ResponseWriter) {
	conn, _, err := rw.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// cutAfter lets matching requests reach the server, and loses the answers.
func cutAfter(matches func(*http.Request) bool) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if !matches(r) {
			serve.ServeHTTP(rw, r)
			return
		}
		serve.ServeHTTP(lost{http.Header{}}, r)
		hangUp(rw)
	}
}

// lost takes an answer and tells nobody.
type lost struct{ header http.Header }

func (l lost) Header() http.Header       { return l.header }
func (lost) Write(b []byte) (int, error) { return len(b), nil }
func (lost) WriteHeader(int)             {}

// requests is how many requests of this kind reached the server.
func (w *world) requests(methodAndPath string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, one := range w.asked {
		if one == methodAndPath {
			n++
		}
	}
	return n
}

// enrol is a participant whose baseline is open now.
func (w *world) enrol(t testing.TB, number, language string) *study.Participant {
	t.Helper()
	c := testkit.NewParticipant(number)
	c.Language, c.TimeZone = language, "UTC"
	c.Cycle1On = study.DateOf(w.Clock.Now()) + 3
	p, err := w.Service.Enrol(context.Background(), study.Request{By: w.Coordinator}, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) code(t testing.TB, p *study.Participant) string {
	t.Helper()
	code, err := w.auth.IssueCode(context.Background(), study.Request{By: w.Coordinator}, p.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	return code.Code
}

// forms are the forms that the server has of a participant's visit.
func (w *world) forms(t testing.TB, p *study.Participant, visit string) []study.Submission {
	t.Helper()
	now, err := w.Participant(context.Background(), w.Coordinator, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now.Assessment(study.AssessmentFor(p.ID, visit)).Submissions
}

// oneForm fails the test unless the server has exactly one form of the baseline.
func (w *world) oneForm(t testing.TB, p *study.Participant) study.Submission {
	t.Helper()
	forms := w.forms(t, p, "C1D1")
	if len(forms) != 1 {
		t.Fatalf("the server has %d forms, want one", len(forms))
	}
	return forms[0]
}

// campaign is few in everyday runs, and full where EPRO_CAMPAIGN asks for it.
func campaign(few, full int) int {
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		return full
	}
	return few
}

// carry answers a request that another world's line was asked.
func (w *world) carry(rw http.ResponseWriter, r *http.Request) {
	to, _ := url.Parse(w.url)
	(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(to)
		p.Out.Host = p.In.Host
	}}).ServeHTTP(rw, r)
}

func (w *world) assessment(p *study.Participant) study.AssessmentID {
	return study.AssessmentFor(p.ID, "C1D1")
}

// eventually waits for what a browser does by itself.
func (w *world) eventually(t testing.TB, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to be: %s", what)
		}
	}
}

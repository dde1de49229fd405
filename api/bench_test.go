package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"epro/api"
	"epro/auth"
	"epro/internal/testkit"
	"epro/study"
)

// clients is how many send at the same time.
const clients = 64

// benchForms is how many forms one iteration sends.
func benchForms() int {
	if n, err := strconv.Atoi(os.Getenv("EPRO_BENCH_FORMS")); err == nil && n > 0 {
		return n
	}
	return 512
}

// envelope is one request, made before the clock runs.
type envelope struct {
	url, token string
	body       []byte
}

// BenchmarkSubmit sends forms of distinct participants, each its first, to a
// server in this process with a real database on a real disk, and compares the
// rate with what the two parts that cannot be left out allow: reading the body
// and answering (bare Fiber), and the durable insert of the same bytes (bare
// store). If both had the machine to themselves one after the other, the rate
// would be 1/(1/a+1/b); x-limit is the share of it that we reach.
//
// Warm: the phone has just asked for its assessments, so that its token is
// verified and its participant in memory. Cold: the server has just started.
func BenchmarkSubmit(b *testing.B) {
	for _, cold := range []bool{false, true} {
		b.Run(map[bool]string{false: "warm", true: "cold"}[cold], func(b *testing.B) { benchmarkSubmit(b, cold) })
	}
}

func benchmarkSubmit(b *testing.B, cold bool) {
	var took []time.Duration
	var forms, bareHTTP, bareStore float64
	var spent, spentHTTP, spentStore time.Duration
	for range b.N {
		b.StopTimer()
		n := benchForms()
		db := testkit.SQLite(b)
		s := prepareBench(b, db)
		all := prepareForms(b, s, n)
		if cold {
			s = restarted(b, s, db)
		}
		s.listenLocal(b)
		if !cold {
			each(b, n, func(i int) error {
				r, err := s.try("GET", "/v1/me/assessments", all[i].token, nil)
				if err == nil && r.status != 200 {
					err = fmt.Errorf("%d: %s", r.status, r.body)
				}
				return err
			})
		}
		b.StartTimer()
		times, total := sendAll(b, s.url, all)
		b.StopTimer()
		took, spent, forms = append(took, times...), spent+total, forms+float64(n)
		event, snap := lastForm(b, s)
		s.stop()
		_, t := sendAll(b, bareServer(b), all)
		spentHTTP, bareHTTP = spentHTTP+t, bareHTTP+float64(n)
		spentStore, bareStore = spentStore+appendAll(b, event, snap, n), bareStore+float64(n)
		b.StartTimer()
	}
	slices.Sort(took)
	rate, a, c := forms/spent.Seconds(), bareHTTP/spentHTTP.Seconds(), bareStore/spentStore.Seconds()
	b.ReportMetric(rate, "forms/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(a, "bare-http/s")
	b.ReportMetric(c, "bare-append/s")
	b.ReportMetric(rate/(1/(1/a+1/c)), "x-limit")
	b.ReportMetric(0, "ns/op") // an iteration is many forms
}

// prepareBench is a server that logs as in production, to nowhere.
func prepareBench(b *testing.B, store study.Store) *server {
	b.Helper()
	return build(b, store, func(o *api.Options) { o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
}

// prepareForms enrols participants, binds their phones and writes their forms.
func prepareForms(b *testing.B, s *server, n int) []envelope {
	b.Helper()
	s.baseline()
	out := make([]envelope, n)
	each(b, n, func(i int) error {
		ctx := context.Background()
		p, err := s.Service.Enrol(ctx, study.Request{By: s.Coordinator}, testkit.NewParticipant(strconv.Itoa(i)))
		if err != nil {
			return err
		}
		code, err := s.auth.IssueCode(ctx, study.Request{By: s.Coordinator}, p.ID, false)
		if err != nil {
			return err
		}
		session, err := s.auth.Enrol(ctx, auth.Enrolment{Code: code.Code, Address: fmt.Sprintf("10.0.%d.%d", i/250, i%250)})
		if err != nil {
			return err
		}
		body, err := json.Marshal(s.sheet(uint64(i)))
		out[i] = envelope{formAt(p, "C1D1", s.NewID()), session.AccessToken, body}
		return err
	})
	return out
}

// each calls f for 0 to n-1 from as many goroutines as there are clients.
func each(b *testing.B, n int, f func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
}

// restarted is another server on the same store, which remembers nothing.
func restarted(b *testing.B, old *server, store study.Store) *server {
	b.Helper()
	s := &server{Fixture: old.Fixture, log: &lockedLog{}}
	s.Service = study.NewService(store, s.Clock.Now, s.NewID)
	var err error
	s.auth, err = auth.New(context.Background(), auth.Options{Store: store, Study: s.Service, Now: s.Clock.Now,
		Random: testkit.Random(8), Secret: bytes.Repeat([]byte{7}, 32), Issuer: "epro", PasswordCost: cheap})
	if err != nil {
		b.Fatal(err)
	}
	s.api = api.New(api.Options{Study: s.Service, Auth: s.auth, Store: store, Now: s.Clock.Now, Log: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	return s
}

// sendAll sends every envelope once and wants a 201 for each.
func sendAll(b *testing.B, base string, all []envelope) ([]time.Duration, time.Duration) {
	b.Helper()
	client := &fasthttp.Client{MaxConnsPerHost: clients, NoDefaultUserAgentHeader: true}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, len(all))
	begin := time.Now()
	each(b, len(all), func(i int) error {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(resp)
		req.SetRequestURI(base + all[i].url)
		req.Header.SetMethod(fasthttp.MethodPut)
		req.Header.SetContentType("application/json")
		req.Header.Set("Authorization", "Bearer "+all[i].token)
		req.SetBodyRaw(all[i].body)
		start := time.Now()
		err := client.Do(req, resp)
		took[i] = time.Since(start)
		if err == nil && resp.StatusCode() != 201 {
			err = fmt.Errorf("%d: %s", resp.StatusCode(), resp.Body())
		}
		return err
	})
	return took, time.Since(begin)
}

// bareForm is a form as the submission route decodes it.
type bareForm struct {
	Instrument        string                  `json:"instrument"`
	InstrumentVersion string                  `json:"instrument_version"`
	WordingPack       string                  `json:"wording_pack"`
	Answers           map[string]jsonv2Number `json:"answers"`
	Skipped           map[string]string       `json:"skipped"`
	StartedAt         study.Instant           `json:"started_at"`
	CompletedAt       study.Instant           `json:"completed_at"`
	SentAt            study.Instant           `json:"sent_at"`
	App               study.App               `json:"app"`
}

// jsonv2Number keeps a literal as it was sent.
type jsonv2Number []byte

// UnmarshalJSON keeps it.
func (n *jsonv2Number) UnmarshalJSON(b []byte) error { *n = bytes.Clone(b); return nil }

// bareServer reads the same bodies as strictly and answers as much, and does
// nothing else: no token, no schema, no record.
func bareServer(b *testing.B) string {
	b.Helper()
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, BodyLimit: 64 << 10})
	app.Put("/v1/me/assessments/:aid/submissions/:sid", func(c *fiber.Ctx) error {
		var f bareForm
		if err := jsonv2.Unmarshal(c.BodyRaw(), &f, jsonv2.RejectUnknownMembers(true)); err != nil {
			return err
		}
		raw, err := jsonv2.Marshal(study.Receipt{SubmissionID: study.SubmissionID(c.Params("sid")), AssessmentID: study.AssessmentID(c.Params("aid")),
			ReceivedAt: f.CompletedAt, Counted: true, Flags: []study.Flag{}})
		if err != nil {
			return err
		}
		c.Set("Content-Type", "application/json")
		return c.Status(201).Send(raw)
	})
	ln := localPort(b)
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	b.Cleanup(func() {
		_ = app.Shutdown()
		<-done
	})
	return "http://" + ln.Addr().String()
}

// lastForm is an event of a form and the snapshot after it.
func lastForm(b *testing.B, s *server) (study.Entry, study.Snapshot) {
	b.Helper()
	for e, err := range s.Store.Entries(context.Background(), "participant/") {
		if err != nil {
			b.Fatal(err)
		}
		if e.Type == "submission_received" {
			snap, err := s.Store.Snapshot(context.Background(), e.Stream)
			if err != nil {
				b.Fatal(err)
			}
			return e, snap
		}
	}
	b.Fatal("no form was stored")
	return study.Entry{}, study.Snapshot{}
}

// appendAll stores as many bytes as the forms did, and nothing else.
func appendAll(b *testing.B, event study.Entry, snap study.Snapshot, n int) time.Duration {
	b.Helper()
	db := testkit.SQLite(b)
	begin := time.Now()
	each(b, n, func(i int) error {
		e, one := event, snap
		e.ID = study.EventID(fmt.Sprintf("00000000-0000-4000-8000-%012d", i))
		e.Stream = study.StreamID(fmt.Sprintf("participant/00000000-0000-4000-8000-%012d", i))
		one.Stream, one.Label = e.Stream, strconv.Itoa(i)
		return db.Append(context.Background(), e, &one)
	})
	return time.Since(begin)
}

package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/limiter"
	"github.com/valyala/fasthttp"

	"epro/auth"
	"epro/certify"
	"epro/study"
)

// maxBody is the most that a request may carry. A form with every answer is
// about 2 KB.
const maxBody = 64 << 10

// Options is what a Server is made of.
type Options struct {
	Study *study.Service
	Auth  *auth.Auth
	Store study.Store
	Now   func() time.Time
	Log   *slog.Logger
	// Version is shown in the OpenAPI document and in /readyz.
	Version string
	// PublicURL is the address that links are written with; empty: as the
	// request came in.
	PublicURL string
	// TrustedProxies may say in X-Forwarded-For whom they ask for.
	TrustedProxies []netip.Prefix
	// RatePerMinute is the most requests a minute that one session, or one
	// address without a session, may make. Zero: no limit.
	RatePerMinute int
	// RequestTime is how long a request may take before it is answered with
	// Unavailable; 10 seconds if zero. Data sets may take longer.
	RequestTime time.Duration
	// MetricsOpen serves /metrics to everybody who can reach the address; else
	// to loopback only.
	MetricsOpen bool
	// PushKey is the public key that browsers subscribe to web push with; empty:
	// this server sends none.
	PushKey string
	// Fonts are what certified copies are printed with; the default ones if nil.
	Fonts *certify.Fonts
	// Pages adds the web pages behind the API's routes; may be nil.
	Pages func(*fiber.App)
}

// Server is the API on Fiber.
type Server struct {
	study    *study.Service
	auth     *auth.Auth
	store    study.Store
	now      func() time.Time
	log      *slog.Logger
	o        Options
	app      *fiber.App
	huma     huma.API
	metrics  *metrics
	table    []route
	draining atomic.Bool
}

// setUpHuma sets what huma keeps in variables of its package: once, for another
// server may be answering already.
var setUpHuma = sync.OnceFunc(func() {
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(nil, status, msg, errs...)
	}
	huma.DefaultArrayNullable = false
})

// New builds the server with every route. It listens to nothing yet.
func New(o Options) *Server {
	setUpHuma()
	o.RequestTime = cmp.Or(o.RequestTime, defaultRequestTime)
	if o.Fonts == nil {
		o.Fonts = certify.DefaultFonts()
	}
	s := &Server{study: o.Study, auth: o.Auth, store: o.Store, now: o.Now, log: o.Log, o: o, metrics: newMetrics()}
	s.app = fiber.New(fiber.Config{
		AppName: "epro", Immutable: true, StrictRouting: true, CaseSensitive: true, DisableStartupMessage: true,
		BodyLimit: maxBody, ReadBufferSize: 8 << 10, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, ErrorHandler: fiberProblem, UnescapePath: false,
		DisablePreParseMultipartForm: true,
	})
	s.app.Use(s.observe, s.guard, s.hurry)
	if o.RatePerMinute > 0 {
		s.app.Use(s.limit())
	}
	s.plainRoutes()
	s.huma = huma.NewAPI(s.humaConfig(), adapter{s.app})
	s.table = slices.Concat(s.routes(), s.reminderRoutes())
	for _, r := range s.table {
		op := r.operation()
		op.Middlewares = huma.Middlewares{s.authenticate(r)}
		r.register(s, s.huma, op)
		r.describe(op, s.huma.OpenAPI().Components.Schemas)
	}
	s.documentRoutes()
	if o.Pages != nil {
		o.Pages(s.app)
	}
	s.app.Use(s.unknown)
	s.strangeMethods()
	return s
}

// strangeMethods answers what Fiber has no name for, and would answer by itself,
// without headers or a problem.
func (s *Server) strangeMethods() {
	known := s.app.Handler()
	s.app.Server().Handler = func(rc *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(rc.Method())) {
			known(rc)
			return
		}
		c := s.app.AcquireCtx(rc)
		defer s.app.ReleaseCtx(c)
		if err := fiberProblem(c, s.unknown(c)); err != nil {
			c.Status(http.StatusInternalServerError)
		}
	}
}

// App is the Fiber application, for tests that need no socket.
func (s *Server) App() *fiber.App { return s.app }

// Serve answers requests on the listener until the context ends, then stops
// accepting, finishes what is running within the grace time, and returns.
func (s *Server) Serve(ctx context.Context, ln net.Listener, grace time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- s.app.Listener(lingering{ln}) }()
	select {
	case err := <-failed:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	if err := s.app.ShutdownWithTimeout(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// guard sets the headers that every answer carries.
func (s *Server) guard(c *fiber.Ctx) error {
	secure(c)
	c.Locals("client_address", s.clientAddress(c)) // for the pages, which know of no proxies
	return c.Next()
}

func secure(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
}

// observe gives the request an id, survives a panic, counts and logs it. The
// log has neither bodies nor query strings nor tokens.
func (s *Server) observe(c *fiber.Ctx) (err error) {
	start := time.Now()
	id := c.Get("X-Request-Id")
	if !plainID.MatchString(id) {
		id = newRequestID()
	}
	c.Locals(requestIDKey, id)
	c.Set("X-Request-Id", id)
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("panic", "request_id", id, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = fiberProblem(c, errors.New("panic"))
		}
		took := time.Since(start)
		path := c.Route().Path
		s.metrics.done(c.Method(), path, c.Response().StatusCode(), took)
		size := -1 // of a file that is sent from now on
		if !c.Response().IsBodyStream() {
			size = len(c.Response().Body())
		}
		s.log.Info("request", "request_id", id, "method", c.Method(), "route", path,
			"status", c.Response().StatusCode(), "ms", float64(took.Microseconds())/1000, "bytes", size)
	}()
	if err := c.Next(); err != nil {
		s.logFailure(c, err)
		return fiberProblem(c, err)
	}
	return nil
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// logFailure logs what is our own fault, once.
func (s *Server) logFailure(c *fiber.Ctx, err error) { s.logError(requestID(c), c.Path(), err) }

func (s *Server) logHandler(ctx context.Context, operation string, err error) {
	s.logError(metaOf(ctx).id, operation, err)
}

func (s *Server) logError(id, where string, err error) {
	var fe *fiber.Error
	code := study.CodeOf(err)
	if errors.As(err, &fe) || code != study.Internal && code != study.Unavailable {
		return
	}
	s.log.Error("request failed", "request_id", id, "where", where, "error", err.Error())
}

// limit refuses a session, or an address without one, that asks too often.
func (s *Server) limit() fiber.Handler {
	return limiter.New(limiter.Config{
		Max: s.o.RatePerMinute, Expiration: time.Minute,
		KeyGenerator: func(c *fiber.Ctx) string {
			if token, _ := s.tokenOf(c); token != "" {
				if _, err := s.whoAsks(c, token); err == nil { // or every made-up token would have a limit of its own
					return tokenKey(token)
				}
			}
			return network(s.clientAddress(c))
		},
		Next: func(c *fiber.Ctx) bool {
			return c.Path() == "/healthz" || c.Path() == "/readyz" || c.Path() == "/metrics"
		},
		LimitReached: func(c *fiber.Ctx) error {
			return sendProblem(c, newProblem(study.TooMany, "Too many requests at once. Wait a minute, then go on.", requestID(c)))
		},
	})
}

// unknown answers what no route took: an address that does not exist, or one
// that does not take the method.
func (s *Server) unknown(c *fiber.Ctx) error {
	var allowed []string
	for _, r := range s.app.GetRoutes(true) {
		if matches(r.Path, c.Path()) && !slices.Contains(allowed, r.Method) {
			allowed = append(allowed, r.Method)
		}
	}
	if allowed == nil {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	return fiber.ErrMethodNotAllowed
}

// matches reports whether a path fits a template such as /v1/sites/:code/lock.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i, part := range want {
		if part != got[i] && !strings.HasPrefix(part, ":") {
			return false
		}
	}
	return true
}

// clientAddress is whom the request comes from: the peer, or, where the peer
// is a trusted proxy, the last address in X-Forwarded-For that is none.
func (s *Server) clientAddress(c *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return "unknown"
	}
	peer = peer.Unmap()
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(peer); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = hop.Unmap()
	}
	return peer.String()
}

// network is what an address without a session is counted under: an IPv6 address
// by its /64, because one customer has all of that.
func network(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() {
		return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
	}
	return address
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// baseURL is the address that links are written with.
func (s *Server) baseURL(c *fiber.Ctx) string {
	if s.o.PublicURL != "" {
		return strings.TrimSuffix(s.o.PublicURL, "/")
	}
	scheme := "http"
	if peer, ok := netip.AddrFromSlice(c.Context().RemoteIP()); ok && s.trusted(peer.Unmap()) && c.Get(fiber.HeaderXForwardedProto) == "https" {
		scheme = "https"
	}
	return scheme + "://" + string(c.Request().Host())
}

func (s *Server) humaConfig() huma.Config {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "epro", Version: s.o.Version,
				Description: "Patient-reported outcomes: questionnaires, answers, scores and their record. Errors are RFC 9457 problems with a code."},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}},
			},
		},
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
	}
	config.RejectUnknownQueryParameters = true
	return config
}

// RouteInfo is a route as tests and documents read it.
type RouteInfo struct {
	Method, Path string
	Action       study.Action // "" needs no token
}

// Routes are all routes of the API.
func (s *Server) Routes() []RouteInfo {
	out := make([]RouteInfo, len(s.table))
	for i, r := range s.table {
		out[i] = RouteInfo{r.method, r.path, r.action}
	}
	return out
}

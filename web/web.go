// Package web serves the pages that people open in a browser: the patient's app
// below /app, the start page, and the one-time set-up of the first
// administrator. They load nothing from other hosts and carry no rule of their
// own; the app talks to the HTTP interface like any other client.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/study"
)

//go:embed pages/*.html
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// policy lets a page use its own inline-free style sheet and its own forms.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

//go:embed pages/style.css
var style []byte

// Pages adds the pages to the server's routes.
func Pages(accounts *auth.Auth) func(*fiber.App) {
	patients, err := newApp()
	if err != nil {
		panic(err) // the files are in the program: no run can differ from the tests
	}
	return func(app *fiber.App) {
		patients.routes(app)
		app.Get("/", func(c *fiber.Ctx) error { return show(c, http.StatusOK, "index.html", nil) })
		app.Get("/style.css", func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
			c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
			return c.Send(style)
		})
		s := setup{accounts}
		app.Get("/setup", s.ask)
		app.Post("/setup", s.make)
	}
}

// All joins several parts of the pages.
func All(parts ...func(*fiber.App)) func(*fiber.App) {
	return func(app *fiber.App) {
		for _, add := range parts {
			add(app)
		}
	}
}

func show(c *fiber.Ctx, status int, name string, data any) error {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set("Content-Security-Policy", policy)
	return c.Status(status).Send(out.Bytes())
}

// setup is the page that makes the first administrator, once.
type setup struct{ accounts *auth.Auth }

// setupView is what the page shows.
type setupView struct {
	Token, Username string
	Problem         string
	Fields          []study.Field
	Done            bool
}

func (s setup) ask(c *fiber.Ctx) error {
	return show(c, http.StatusOK, "setup.html", setupView{Token: c.Query("token")})
}

func (s setup) make(c *fiber.Ctx) error {
	v := setupView{Token: field(c, "token"), Username: field(c, "username")}
	password := field(c, "password")
	if password != field(c, "again") {
		v.Problem = "The two passwords differ. Type the same one twice."
		return show(c, http.StatusBadRequest, "setup.html", v)
	}
	account, err := s.accounts.Setup(c.UserContext(), v.Token, v.Username, password, c.IP())
	if err == nil {
		v.Done, v.Username = true, account.Username
		return show(c, http.StatusCreated, "setup.html", v)
	}
	problem, coded := study.AsError(err)
	if !coded || problem.Code == study.Internal {
		return err
	}
	v.Problem, v.Fields = problem.Message, problem.Fields
	if seconds, waits := auth.WaitOf(err); waits {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
	}
	return show(c, statusOf(problem.Code), "setup.html", v)
}

// field is a field of the form that our page sends. Fiber's FormValue would read
// other kinds of forms too, and unpack compressed ones without a limit.
func field(c *fiber.Ctx, name string) string { return string(c.Request().PostArgs().Peek(name)) }

// statusOf is the status of a page that says what is wrong.
func statusOf(code study.Code) int {
	switch code {
	case study.Unauthenticated:
		return http.StatusForbidden // 401 would ask the browser for a password of another kind
	case study.TooMany:
		return http.StatusTooManyRequests
	case study.Unavailable:
		return http.StatusServiceUnavailable
	case study.Conflict:
		return http.StatusConflict
	default:
		return http.StatusBadRequest
	}
}

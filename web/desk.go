package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"

	"epro/auth"
	"epro/certify"
	"epro/study"
)

//go:embed pages/desk/*.html
var deskFiles embed.FS

//go:embed pages/desk/desk.css pages/desk/desk.js
var deskAssets embed.FS

// deskPolicy lets the desk's pages use their own style sheet, script and forms,
// and nothing that is written into a page.
const deskPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// DeskOptions are what the pages for staff are made from.
type DeskOptions struct {
	Study *study.Service
	Auth  *auth.Auth
	Now   func() time.Time
	NewID func() string // a fresh UUID
	// Program is the version of this program, for what shows figures of the study.
	Program string
	// PublicURL is the address that links are written with; empty: as the
	// request came in.
	PublicURL string
	// Fonts are what certified copies are printed with; the default ones if nil.
	Fonts *certify.Fonts
}

// desk are the pages for site staff under /desk, and those for administrators
// under /admin, and the analyst's page at /lab. They carry no rule of their own: package study decides.
type desk struct {
	DeskOptions
	pages *template.Template
}

// Desk adds the pages for staff to the server's routes.
func Desk(o DeskOptions) func(*fiber.App) {
	if o.Fonts == nil {
		o.Fonts = certify.DefaultFonts()
	}
	return func(app *fiber.App) {
		d := &desk{o, template.Must(template.New("desk").Funcs(deskWords).Funcs(template.FuncMap{"newID": o.NewID}).ParseFS(deskFiles, "pages/desk/*.html"))}
		for name, kind := range map[string]string{"desk.css": "text/css; charset=utf-8", "desk.js": "text/javascript; charset=utf-8"} {
			body, err := deskAssets.ReadFile("pages/desk/" + name)
			if err != nil {
				panic("web: " + err.Error()) // embedded above
			}
			app.Get("/desk/"+name, func(c *fiber.Ctx) error {
				c.Set(fiber.HeaderContentType, kind)
				c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
				return c.Send(body)
			})
		}
		squeeze := compress.New(compress.Config{Level: compress.LevelBestSpeed})
		app.Use("/desk", squeeze, sameSite)
		app.Use("/admin", squeeze, sameSite)
		app.Use("/lab", squeeze, sameSite)
		d.routes(app)
	}
}

// visit is one request of somebody who has signed in.
type visit struct {
	*fiber.Ctx
	page auth.Page
	by   study.Actor
}

// signedIn calls the handler for whoever has signed in, and sends everybody
// else to the sign-in page, from where the way leads back.
func (d *desk) signedIn(h func(*visit) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		p, err := d.Auth.Page(c.UserContext(), c.Cookies(cookieName(c)))
		if study.CodeOf(err) == study.Unauthenticated {
			if c.Method() == http.MethodGet {
				return c.Redirect("/desk/sign-in?next="+url.QueryEscape(c.OriginalURL()), http.StatusSeeOther)
			}
			return d.signInAgain(c)
		}
		if err != nil {
			return d.failed(&visit{Ctx: c}, err)
		}
		if p.Renewed {
			setCookie(c, p)
		}
		v := &visit{Ctx: c, page: p, by: p.Actor()}
		if err := h(v); err != nil {
			return d.failed(v, err)
		}
		return nil
	}
}

// failed is the page that says what went wrong and what to do.
func (d *desk) failed(v *visit, err error) error {
	var fe *fiber.Error
	if errors.As(err, &fe) {
		return err
	}
	e, coded := study.AsError(err)
	if !coded || e.Code == study.Internal {
		return err
	}
	if seconds, waits := auth.WaitOf(err); waits {
		v.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
	}
	view := struct {
		head
		Problem *problem
	}{d.head(v, "Not possible", ""), problemOf(err)}
	return d.show(v.Ctx, statusOfPage(e.Code), "problem.html", view)
}

func statusOfPage(code study.Code) int {
	switch code {
	case study.NotFound:
		return http.StatusNotFound
	case study.Forbidden:
		return http.StatusForbidden
	case study.AlreadySubmitted, study.WindowNotOpen, study.WindowClosed, study.NotExpected, study.Locked:
		return http.StatusConflict
	default:
		return statusOf(code)
	}
}

// problem is what a page says of an error.
type problem struct {
	Message string
	Fields  []study.Field
}

// problemOf is the error in words; errors of our own making carry none.
func problemOf(err error) *problem {
	if err == nil {
		return nil
	}
	e, coded := study.AsError(err)
	if !coded || e.Code == study.Internal {
		return &problem{Message: "Something went wrong on our side. Nothing was stored; try again."}
	}
	return &problem{Message: e.Message, Fields: e.Fields}
}

// refusal reports whether a form is shown again with the error beside it,
// because whoever filled it can put it right.
func refusal(err error) bool {
	e, coded := study.AsError(err)
	return coded && e.Code != study.Internal && e.Code != study.NotFound && e.Code != study.Forbidden && e.Code != study.Unavailable
}

// head is what every page of the desk has around its content.
type head struct {
	Title  string
	Active string // the entry of the menu that this page belongs to
	Path   string
	User   string
	Role   study.Role
	Menu   []menuEntry
	Alerts int
	AsOf   string // when the data of this page were read
	Done   string // what was done a moment ago
}

func (d *desk) head(v *visit, title, active string) head {
	h := head{Title: title, Active: active, Path: v.Path(), AsOf: d.Now().UTC().Format("2006-01-02 15:04:05") + " UTC", Done: v.Query("done")}
	if v.page.Staff != nil {
		h.User, h.Role = v.page.Staff.Username, v.page.Staff.Role
		h.Menu = menuFor(v.by)
	}
	return h
}

// show writes a page.
func (d *desk) show(c *fiber.Ctx, status int, name string, view any) error {
	var out bytes.Buffer
	if err := d.pages.ExecuteTemplate(&out, name, view); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set("Content-Security-Policy", deskPolicy)
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // else the browser hides from us where a form came from
	return c.Status(status).Send(out.Bytes())
}

// done sends the browser on after something was stored, so that a reload does
// not send the form again.
func (v *visit) done(to, said string) error {
	return v.Redirect(to+"?done="+url.QueryEscape(said), http.StatusSeeOther)
}

// value is a field of the form that was sent.
func (v *visit) value(name string) string { return strings.TrimSpace(field(v.Ctx, name)) }

// request is who asks for a change. The page says which state of the record it
// showed, and an id that makes a form sent twice one change.
func (v *visit) request() study.Request {
	r := study.Request{By: v.by}
	if id := v.value("event"); uuidText.MatchString(id) {
		r.EventID = study.EventID(id)
	}
	r.IfMatch, _ = strconv.ParseUint(v.value("seq"), 10, 63)
	return r
}

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// base is the address that people reach this server by.
func (d *desk) base(c *fiber.Ctx) string {
	if d.PublicURL != "" {
		return strings.TrimSuffix(d.PublicURL, "/")
	}
	return c.BaseURL()
}

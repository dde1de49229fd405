package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/study"
)

// cookieName is the name of the cookie that holds a page's session. Over https
// the browser itself makes sure that it comes from this host (RFC 6265bis §4.1.3.2).
func cookieName(c *fiber.Ctx) string {
	if c.Protocol() == "https" {
		return "__Host-epro-desk"
	}
	return "epro-desk"
}

// setCookie hands the session to the browser: no script reads it, and no page of
// another site sends it along with a form.
func setCookie(c *fiber.Ctx, p auth.Page) {
	c.Cookie(&fiber.Cookie{Name: cookieName(c), Value: p.Token, Path: "/", HTTPOnly: true, Secure: c.Protocol() == "https",
		SameSite: fiber.CookieSameSiteLaxMode, SessionOnly: true})
}

func dropCookie(c *fiber.Ctx) {
	c.Cookie(&fiber.Cookie{Name: cookieName(c), Path: "/", HTTPOnly: true, Secure: c.Protocol() == "https",
		SameSite: fiber.CookieSameSiteLaxMode, Expires: time.Unix(1, 0)})
}

// sameSite refuses a form that a page of another site sends. Browsers say where
// it comes from; what says neither is no browser, and has no cookie of one.
//
// A link may come from anywhere, but for one that writes a file: that is kept in
// the record under the name of whoever is signed in, so she has to have clicked it.
func sameSite(c *fiber.Ctx) error {
	if c.Method() == http.MethodGet || c.Method() == http.MethodHead {
		if c.Get("Sec-Fetch-Site") == "cross-site" && makesFile(c) {
			return fiber.NewError(http.StatusForbidden, "This link came from another site's page. Open the desk and fetch the file there.")
		}
		return c.Next()
	}
	var ok bool
	if from := c.Get("Sec-Fetch-Site"); from != "" {
		ok = from == "same-origin" || from == "none"
	} else {
		origin, err := url.Parse(c.Get(fiber.HeaderOrigin))
		ok = err == nil && origin.Host == string(c.Request().Host())
	}
	if !ok {
		return fiber.NewError(http.StatusForbidden, "This form came from another page. Open the desk and send it from there.")
	}
	return c.Next()
}

// makesFile reports whether the request is for a file rather than a page.
func makesFile(c *fiber.Ctx) bool {
	return c.Query("format") != "" || strings.HasPrefix(c.Path(), "/lab/") || strings.Contains(c.Path(), "/copy.")
}

// address is where a request comes from. The API finds it out behind proxies,
// too, and leaves it with the request.
func address(c *fiber.Ctx) string {
	if known, ok := c.Locals("client_address").(string); ok {
		return known
	}
	return c.IP()
}

// signInView is the sign-in page.
type signInView struct {
	head
	Username string
	Next     string
	NeedCode bool
	SetUp    *authenticatorView
	Problem  *problem
	Lost     bool // a form was sent after the session had ended
}

// authenticatorView is an authenticator app to be set up.
type authenticatorView struct {
	Secret string
	QR     template.HTML
}

func (d *desk) askSignIn(c *fiber.Ctx) error {
	if p, err := d.Auth.Page(c.UserContext(), c.Cookies(cookieName(c))); err == nil {
		return c.Redirect(homeOf(p.Staff.Role), http.StatusSeeOther)
	}
	return d.show(c, http.StatusOK, "sign-in.html", signInView{head: d.head(&visit{Ctx: c}, "Sign in", ""), Next: c.Query("next")})
}

// signInAgain is shown when a form arrives after its session has ended. What was
// typed is still in the browser, one step back.
func (d *desk) signInAgain(c *fiber.Ctx) error {
	return d.show(c, http.StatusForbidden, "sign-in.html", signInView{head: d.head(&visit{Ctx: c}, "Sign in", ""), Lost: true})
}

func (d *desk) signIn(c *fiber.Ctx) error {
	v := signInView{head: d.head(&visit{Ctx: c}, "Sign in", ""), Username: field(c, "username"), Next: field(c, "next")}
	who := auth.Credentials{Username: v.Username, Password: field(c, "password"), TOTP: strings.TrimSpace(field(c, "totp")), Address: address(c)}
	p, err := d.Auth.OpenPage(c.UserContext(), who)
	if err == nil {
		setCookie(c, p)
		return c.Redirect(v.target(p.Staff.Role), http.StatusSeeOther)
	}
	e, coded := study.AsError(err)
	if !coded || e.Code == study.Internal {
		return err
	}
	v.Problem = problemOf(err)
	v.NeedCode = e.Code == study.Unauthenticated && len(e.Fields) > 0
	if e.Code == study.Forbidden { // the password was right; an authenticator app is missing
		if err := d.offerAuthenticator(c, who, &v); err != nil {
			return err
		}
	}
	return d.show(c, statusOfPage(e.Code), "sign-in.html", v)
}

func (d *desk) offerAuthenticator(c *fiber.Ctx, who auth.Credentials, v *signInView) error {
	made, err := d.Auth.SetUpAuthenticator(c.UserContext(), who)
	if err != nil {
		return err
	}
	image, err := qrSVG(made.URL, "QR code of the authenticator secret")
	if err != nil {
		return err
	}
	v.SetUp, v.NeedCode, v.Problem = &authenticatorView{Secret: made.Secret, QR: image}, true, nil
	return nil
}

// target is the page that somebody wanted to see, if it is one of ours.
func (v signInView) target(role study.Role) string {
	if u, err := url.Parse(v.Next); err == nil && u.Host == "" && u.Scheme == "" &&
		(strings.HasPrefix(v.Next, "/desk") || strings.HasPrefix(v.Next, "/admin") || strings.HasPrefix(v.Next, "/lab")) && !strings.ContainsAny(v.Next, "\\\r\n") {
		return v.Next
	}
	return homeOf(role)
}

func homeOf(role study.Role) string {
	switch role {
	case study.RoleAdmin:
		return "/admin"
	case study.RoleAnalyst:
		return "/lab"
	default:
		return "/desk"
	}
}

func (d *desk) signOut(v *visit) error {
	err := d.Auth.EndSession(v.UserContext(), v.page.Staff.ID, v.page.Session)
	dropCookie(v.Ctx)
	if err != nil {
		return err
	}
	return v.Redirect("/desk/sign-in", http.StatusSeeOther)
}

// accountView is the page about one's own account.
type accountView struct {
	head
	Sessions      []sessionView
	Authenticator bool
	CodesLeft     int
	NewCodes      []string
	Problem       *problem
}

type sessionView struct {
	ID             string
	StartedAt, End string
	Here           bool
}

func (d *desk) account(v *visit) error { return d.showAccount(v, http.StatusOK, nil, nil) }

func (d *desk) showAccount(v *visit, status int, codes []string, wrong error) error {
	view := accountView{head: d.head(v, "My account", "account"), NewCodes: codes, Problem: problemOf(wrong)}
	ctx, id := v.UserContext(), v.page.Staff.ID
	sessions, err := d.Auth.Sessions(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionView{s.ID, s.StartedAt.UTC().Format("2006-01-02 15:04 UTC"), s.EndAt.UTC().Format("2006-01-02 15:04 UTC"), s.ID == v.page.Session})
	}
	if view.Authenticator, err = d.Auth.HasAuthenticator(ctx, id); err != nil {
		return err
	}
	if view.CodesLeft, err = d.Auth.RecoveryCodesLeft(ctx, id); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "account.html", view)
}

func (d *desk) endSession(v *visit) error {
	if err := d.Auth.EndSession(v.UserContext(), v.page.Staff.ID, v.value("session")); err != nil {
		return err
	}
	return v.done("/desk/account", "The session has ended.")
}

func (d *desk) newCodes(v *visit) error {
	if err := d.Auth.Sign(v.UserContext(), v.by, field(v.Ctx, "password"), address(v.Ctx)); err != nil {
		if refusal(err) {
			return d.showAccount(v, statusOfPage(study.CodeOf(err)), nil, err)
		}
		return err
	}
	codes, err := d.Auth.NewRecoveryCodes(v.UserContext(), v.page.Staff.ID)
	if err != nil {
		return err
	}
	return d.showAccount(v, http.StatusOK, codes, nil)
}

func (d *desk) newPassword(v *visit) error {
	next := field(v.Ctx, "password")
	err := error(study.Fail(study.Invalid, "The two passwords differ. Type the same one twice."))
	if next == field(v.Ctx, "again") {
		err = d.Auth.ChangePassword(v.UserContext(), v.by, field(v.Ctx, "current"), next, address(v.Ctx))
	}
	if err != nil {
		if refusal(err) {
			return d.showAccount(v, statusOfPage(study.CodeOf(err)), nil, err)
		}
		return err
	}
	dropCookie(v.Ctx)
	return v.Redirect("/desk/sign-in", http.StatusSeeOther)
}

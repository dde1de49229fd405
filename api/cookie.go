package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/study"
)

// transport is where a client keeps its session.
type transport string

// inCookies is for browsers: the tokens are in cookies that no script can read.
// Any other transport is the body.
const inCookies transport = "cookie"

// check refuses to touch cookies for a page of another site: it could sign a
// browser in as somebody else.
func (t transport) check(ctx context.Context) error {
	if t == inCookies && !metaOf(ctx).sameOrigin {
		return errOrigin()
	}
	return nil
}

func errOrigin() error {
	return study.Fail(study.Forbidden, "This request came from another site's page. Open this server's own page and try again.")
}

// holder is whose session a cookie holds. One browser, such as a tablet in a
// clinic, may hold a participant's and a member of staff's.
type holder string

const (
	ofParticipant holder = "participant"
	ofStaff       holder = "staff"
)

func holderOf(s auth.Session) holder {
	if s.Staff != nil {
		return ofStaff
	}
	return ofParticipant
}

// cookieName is __Host-epro-staff-access and its like. The prefix makes a browser
// refuse a cookie that another host of the domain has planted, but it needs
// https; on plain http, which is for one machine only, the name has none.
func cookieName(secure bool, h holder, kind string) string {
	name := "epro-" + string(h) + "-" + kind
	if secure {
		name = "__Host-" + name
	}
	return name
}

const (
	accessCookie  = "access"
	refreshCookie = "refresh"
)

// sessionCookies hand a session to a browser.
func sessionCookies(m meta, h holder, s auth.Session) []string {
	return []string{
		cookie(m.secure, h, accessCookie, s.AccessToken, time.Duration(s.ExpiresIn)*time.Second),
		cookie(m.secure, h, refreshCookie, s.RefreshToken, s.RefreshIn),
	}
}

// droppedCookies make a browser forget a session.
func droppedCookies(m meta, h holder) []string {
	return []string{cookie(m.secure, h, accessCookie, "", -1), cookie(m.secure, h, refreshCookie, "", -1)}
}

func cookie(secure bool, h holder, kind, value string, lives time.Duration) string {
	maxAge := int(lives / time.Second)
	if lives < 0 {
		maxAge = -1 // net/http writes Max-Age=0
	}
	//nolint:gosec // Secure follows the connection: a demo on this machine has no TLS
	c := http.Cookie{Name: cookieName(secure, h, kind), Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}

// refreshToken is the one in the body or, if the client keeps its session in
// cookies, the one that its browser sent.
func refreshToken(ctx context.Context, t transport, h holder, inBody string) (string, error) {
	if t != inCookies {
		return inBody, nil
	}
	if h == "" {
		return "", study.Fail(study.Invalid, "Say whose session it is.", study.Field{Name: "holder", Reason: "participant or staff"})
	}
	return metaOf(ctx).refresh[h], t.check(ctx)
}

// tokenOf is the access token of a request, and whether a browser added it by
// itself. A participant's own routes take her cookie only; the others take that
// of staff first.
func (s *Server) tokenOf(c *fiber.Ctx) (token string, fromCookie bool) {
	if token := bearer(c); token != "" {
		return token, false
	}
	holders := []holder{ofStaff, ofParticipant}
	if path := c.Path(); path == "/v1/me" || strings.HasPrefix(path, "/v1/me/") {
		holders = holders[1:]
	}
	for _, h := range holders {
		if token := c.Cookies(cookieName(s.secure(c), h, accessCookie)); token != "" {
			return token, true
		}
	}
	return "", false
}

// secure reports whether the client reached us over https, as far as we or a
// proxy that we trust can tell.
func (s *Server) secure(c *fiber.Ctx) bool {
	return strings.HasPrefix(s.baseURL(c), "https://")
}

// sameOrigin reports whether a page of this server made the request, or, if it
// changes nothing, at least no page of another site. Every browser since 2020
// says so in one of two headers that a page cannot forge.
func (s *Server) sameOrigin(c *fiber.Ctx) bool {
	reads := c.Method() == http.MethodGet || c.Method() == http.MethodHead
	switch site := c.Get("Sec-Fetch-Site"); {
	case site == "same-origin":
		return true
	case site != "":
		return reads && site == "none"
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return reads
	}
	from, err := url.Parse(origin)
	if err != nil {
		return false
	}
	own, err := url.Parse(s.baseURL(c))
	return err == nil && from.Host != "" && from.Host == own.Host && from.Scheme == own.Scheme
}

package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/study"
)

// jar is the cookies of one browser, and how it sends them.
type jar struct {
	s       *server
	cookies map[string]*http.Cookie
	headers []string // of every request
}

// page is a browser that shows a page of the server itself.
func (s *server) page() *jar {
	return &jar{s, map[string]*http.Cookie{}, []string{"Sec-Fetch-Site", "same-origin"}}
}

func (j *jar) ask(t testing.TB, method, path string, body any, headers ...string) reply {
	t.Helper()
	var sent []string
	for name, c := range j.cookies {
		sent = append(sent, name+"="+c.Value)
	}
	if headers == nil {
		headers = j.headers
	}
	if sent != nil {
		headers = append(headers[:len(headers):len(headers)], "Cookie", strings.Join(sent, "; "))
	}
	got := j.s.call(t, method, path, "", body, headers...)
	for _, line := range got.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if j.s.secrets.learn(map[string]any{"refresh_token": c.Value}, got); c.MaxAge < 0 {
			delete(j.cookies, c.Name)
			continue
		}
		j.cookies[c.Name] = c
	}
	return got
}

func (j *jar) drop(part string) {
	for name := range j.cookies {
		if strings.Contains(name, part) {
			delete(j.cookies, name)
		}
	}
}

func TestABrowserKeepsItsSessionInCookiesThatNoScriptReads(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	p, b := s.Enrol(t, "0101"), s.page()
	enrol := map[string]any{"code": s.code(t, p), "attempt_id": s.NewID(), "transport": "cookie"}
	got := b.ask(t, "POST", "/v1/auth/enrol", enrol).want(t, 201).json(t)
	if got["participant_id"] != string(p.ID) || got["access_token"] != nil || got["refresh_token"] != nil {
		t.Errorf("the body holds what only cookies should: %v", got)
	}
	if len(b.cookies) != 2 {
		t.Fatalf("%d cookies, want access and refresh", len(b.cookies))
	}
	for name, c := range b.cookies {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.Secure || strings.HasPrefix(name, "__Host-") || c.MaxAge <= 0 {
			t.Errorf("over http: %s", c)
		}
	}
	if days := b.cookies["epro-participant-refresh"].MaxAge / 86400; days != 90 {
		t.Errorf("the refresh cookie lasts %d days", days)
	}
	if me := b.ask(t, "GET", "/v1/me", nil).want(t, 200).json(t); me["participant_id"] != string(p.ID) {
		t.Errorf("%v", me)
	}
	b.drop("access")
	b.ask(t, "GET", "/v1/me", nil).refused(t, 401, study.Unauthenticated)
	first := b.cookies["epro-participant-refresh"].Value
	b.ask(t, "POST", "/v1/auth/refresh", map[string]any{"transport": "cookie", "holder": "participant"}).want(t, 200)
	if b.cookies["epro-participant-refresh"].Value == first {
		t.Error("the refresh token did not rotate")
	}
	s.Clock.Advance(72 * time.Hour)
	b.ask(t, "POST", "/v1/auth/refresh", map[string]any{"transport": "cookie", "holder": "participant"}).want(t, 200)
	b.ask(t, "PUT", formAt(p, "C1D1", s.NewID()), s.sheet(1)).want(t, 201)

	b.ask(t, "POST", "/v1/auth/logout", map[string]any{"transport": "cookie"}).refused(t, 400, study.Invalid)
	left := *b
	left.cookies = map[string]*http.Cookie{"epro-participant-refresh": b.cookies["epro-participant-refresh"]}
	b.ask(t, "POST", "/v1/auth/logout", map[string]any{"transport": "cookie", "holder": "participant"}).want(t, 204)
	if len(b.cookies) != 0 {
		t.Errorf("left after signing out: %v", b.cookies)
	}
	left.ask(t, "POST", "/v1/auth/refresh", map[string]any{"transport": "cookie", "holder": "participant"}).refused(t, 401, study.Unauthenticated)
}

// One browser may hold a participant's and a member of staff's session.
func TestParticipantAndStaffShareABrowserWithoutSharingASession(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	p, b := s.Enrol(t, "0101"), s.page()
	a := s.staff(t, "desk", study.RoleCoordinator, testkit.Site)
	b.ask(t, "POST", "/v1/auth/login", map[string]any{"username": a.name, "password": a.password, "transport": "cookie"}).want(t, 200)
	b.ask(t, "GET", "/v1/participants", nil).want(t, 200)
	b.ask(t, "GET", "/v1/me", nil).refused(t, 401, study.Unauthenticated)
	b.ask(t, "POST", "/v1/auth/enrol", map[string]any{"code": s.code(t, p), "transport": "cookie"}).want(t, 201)
	b.ask(t, "GET", "/v1/me", nil).want(t, 200)
	b.ask(t, "GET", "/v1/participants", nil).want(t, 200)
	b.ask(t, "POST", "/v1/auth/logout", map[string]any{"transport": "cookie", "holder": "participant"}).want(t, 204)
	b.ask(t, "GET", "/v1/me", nil).refused(t, 401, study.Unauthenticated)
	b.ask(t, "GET", "/v1/participants", nil).want(t, 200)
}

func TestAPageOfAnotherSiteCannotUseTheCookies(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	p, b := s.Enrol(t, "0101"), s.page()
	b.ask(t, "POST", "/v1/auth/enrol", map[string]any{"code": s.code(t, p), "transport": "cookie"}).want(t, 201)
	s.Clock.Advance(72 * time.Hour)
	b.ask(t, "POST", "/v1/auth/refresh", map[string]any{"transport": "cookie", "holder": "participant"}).want(t, 200)
	own := s.url
	at, sheet := formAt(p, "C1D1", s.NewID()), s.sheet(1)
	for what, c := range map[string]struct {
		headers       []string
		reads, writes bool
	}{
		"its own page":                 {[]string{"Sec-Fetch-Site", "same-origin"}, true, true},
		"its own page, older browser":  {[]string{"Origin", own}, true, true},
		"typed into the address bar":   {[]string{"Sec-Fetch-Site", "none"}, true, false},
		"neither header":               {[]string{"Accept", "*/*"}, true, false},
		"another site":                 {[]string{"Sec-Fetch-Site", "cross-site"}, false, false},
		"a sister host":                {[]string{"Sec-Fetch-Site", "same-site"}, false, false},
		"another site, older browser":  {[]string{"Origin", "https://evil.example"}, false, false},
		"a sandboxed frame":            {[]string{"Origin", "null"}, false, false},
		"its host under another port":  {[]string{"Origin", "http://127.0.0.1:1"}, false, false},
		"its host with another scheme": {[]string{"Origin", strings.Replace(own, "http:", "https:", 1)}, false, false},
		"both, and they disagree":      {[]string{"Sec-Fetch-Site", "cross-site", "Origin", own}, false, false},
	} {
		for _, ask := range []struct {
			may          bool
			method, path string
			body         any
		}{
			{c.reads, "GET", "/v1/me", nil},
			{c.writes, "PUT", at, sheet},
			{c.writes, "POST", "/v1/auth/refresh", map[string]any{"transport": "cookie", "holder": "participant"}},
			{c.writes, "POST", "/v1/auth/enrol", map[string]any{"code": s.code(t, p), "transport": "cookie"}},
		} {
			got := b.ask(t, ask.method, ask.path, ask.body, c.headers...)
			if ask.may {
				if got.status >= 300 {
					t.Errorf("%s: %s %s: %d %s", what, ask.method, ask.path, got.status, got.body)
				}
				continue
			}
			if got.status != 403 || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %s %s: %d, want 403 and no cookie", what, ask.method, ask.path, got.status)
			}
		}
	}
	// A client that sends its token itself is no browser, whatever it says of where it comes from.
	token, _ := s.bind(t, p)["access_token"].(string)
	s.call(t, "GET", "/v1/me", token, nil, "Sec-Fetch-Site", "cross-site").want(t, 200)
}

func TestOverHTTPSTheCookiesBelongToThisHostAlone(t *testing.T) {
	for what, c := range map[string]struct {
		change  func(*api.Options)
		headers []string
		secure  bool
	}{
		"public URL":        {func(o *api.Options) { o.PublicURL = "https://epro.example" }, []string{"Origin", "https://epro.example"}, true},
		"a trusted proxy":   {func(o *api.Options) { o.TrustedProxies = loopbackOnly }, []string{"Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https"}, true},
		"any other client":  {func(*api.Options) {}, []string{"Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https"}, false},
		"a proxy over http": {func(o *api.Options) { o.TrustedProxies = loopbackOnly }, []string{"Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "http"}, false},
	} {
		s := start(t, testkit.SQLite(t), c.change)
		p, b := s.Enrol(t, "0101"), s.page()
		b.headers = c.headers
		b.ask(t, "POST", "/v1/auth/enrol", map[string]any{"code": s.code(t, p), "transport": "cookie"}).want(t, 201)
		for name, got := range b.cookies {
			if got.Secure != c.secure || strings.HasPrefix(name, "__Host-epro-participant-") != c.secure {
				t.Errorf("%s: %s", what, got)
			}
		}
		b.ask(t, "GET", "/v1/me", nil).want(t, 200)
	}
}

var loopbackOnly = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

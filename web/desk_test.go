package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/internal/testkit"
	"epro/study"
	"epro/web"
)

// office is the desk's pages over a study, and a password that opens every account.
type office struct {
	*testkit.Fixture
	app  *fiber.App
	auth *auth.Auth
}

const password = "some unrelated words"

func newOffice(t testing.TB, change ...func(*auth.Options)) *office {
	t.Helper()
	return openOffice(t, testkit.Study(t, testkit.SQLite(t)), change...)
}

// openOffice opens the desk over a study that is there.
func openOffice(t testing.TB, f *testkit.Fixture, change ...func(*auth.Options)) *office {
	t.Helper()
	o := &office{Fixture: f}
	options := auth.Options{Store: f.Store, Study: o.Service, Now: o.Clock.Now, Random: testkit.Random(3), Secret: bytes.Repeat([]byte{3}, 32),
		PasswordCost: auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}}
	for _, f := range change {
		f(&options)
	}
	var err error
	if o.auth, err = auth.New(context.Background(), options); err != nil {
		t.Fatal(err)
	}
	o.app = fiber.New(fiber.Config{Immutable: true, StrictRouting: true, CaseSensitive: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(http.StatusInternalServerError).SendString(err.Error())
	}})
	web.Desk(web.DeskOptions{Study: o.Service, Auth: o.auth, Now: o.Clock.Now, NewID: o.NewID})(o.app)
	return o
}

// seat is a browser in front of the desk.
type seat struct {
	t   testing.TB
	app *fiber.App
	jar http.CookieJar
}

func (o *office) seat(t testing.TB) *seat {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	return &seat{t, o.app, jar}
}

// at is a seat at which somebody of this role has signed in.
func (o *office) at(t testing.TB, name string, role study.Role, sites ...study.SiteCode) *seat {
	t.Helper()
	if _, _, err := o.auth.CreateStaff(context.Background(), study.Request{By: o.System},
		study.CreateStaff{Username: name, Rights: study.Rights{Role: role, Sites: sites}}, password); err != nil {
		t.Fatal(err)
	}
	s := o.seat(t)
	if got := s.post("/desk/sign-in", "username", name, "password", password); got.status != http.StatusSeeOther {
		t.Fatalf("signing in: %d %s", got.status, got.page)
	}
	return s
}

// answer is what a browser gets.
type answer struct {
	status int
	header http.Header
	page   string
}

func (s *seat) send(req *http.Request) answer {
	s.t.Helper()
	for _, c := range s.jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	resp, err := s.app.Test(req, -1)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	s.jar.SetCookies(req.URL, resp.Cookies())
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

func (s *seat) get(path string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(req)
}

func (s *seat) post(path string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.sendForm(path, form)
}

func (s *seat) sendForm(path string, form url.Values) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://localhost"+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://localhost")
	return s.send(req)
}

// postAll is post for forms in which a name may come more than once.
func (s *seat) postAll(path string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return s.sendForm(path, form)
}

// done fails the test unless a form was taken.
func (a answer) done(t testing.TB) answer {
	t.Helper()
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d, want a redirection\n%s", a.status, plain(a.page))
	}
	return a
}

// says fails the test unless the page has this status and these words.
func (a answer) says(t testing.TB, status int, words ...string) answer {
	t.Helper()
	text := plain(a.page)
	if a.status != status {
		t.Fatalf("%d, want %d\n%s", a.status, status, text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) && !strings.Contains(a.page, w) {
			t.Errorf("the page does not say %q\n%s", w, text)
		}
	}
	return a
}

var tags = regexp.MustCompile(`<[^>]*>|\n\s*\n`)

func plain(page string) string { return tags.ReplaceAllString(page, " ") }

// field is the value of a hidden field of the page.
func (a answer) field(t testing.TB, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.page)
	if m == nil {
		t.Fatalf("the page has no field %s", name)
	}
	return m[1]
}

// pagesOf are the addresses of every page about a participant.
func pagesOf(p study.ParticipantID, form study.SubmissionID) []string {
	person := "/desk/participants/" + string(p)
	return []string{person, person + "/cycles/2", person + "/cycles/2?on=2026-03-30", person + "/visits/C2D1/paper", person + "/visits/C2D1/blank",
		person + "/details", person + "/transfer", person + "/transfer?site=S02&on=2026-03-01",
		person + "/forms/" + string(form)}
}

var ownPages = []string{"/desk", "/desk/participants", "/desk/participants/new", "/desk/completion", "/desk/completion?view=table", "/desk/alerts", "/desk/reminders", "/desk/devices", "/desk/account", "/desk/sign-in"}

func TestDeskPagesLoadNothingFromElsewhereAndHaveNothingInline(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, `<script>alert(1)</script>`)
	o.Clock.Set(testkit.Cycle1.UTC())
	form := o.Submit(t, p.ID, "C1D1", 1).SubmissionID
	anna := o.at(t, "anna", study.RoleInvestigator, testkit.Site)
	for _, path := range append(pagesOf(p.ID, form), ownPages...) {
		got := anna.get(path)
		if path != "/desk/sign-in" {
			got.says(t, 200)
		}
		policy := got.header.Get("Content-Security-Policy")
		if got.status == 200 && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s: %s", path, policy)
		}
		if regexp.MustCompile(`(?i)<script>|style=|<style|\son\w+=`).MatchString(got.page) {
			t.Errorf("%s has something inline", path)
		}
		for _, m := range regexp.MustCompile(`(?i)(src|href|action)\s*=\s*["']?([^"'\s>]*)`).FindAllStringSubmatch(got.page, -1) {
			if !strings.HasPrefix(m[2], "/") && !strings.HasPrefix(m[2], "#") || strings.HasPrefix(m[2], "//") {
				t.Errorf("%s refers to %q", path, m[2])
			}
		}
	}
}

func TestWithoutASessionEveryPageLeadsToTheSignInAndBack(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	s := o.seat(t)
	for _, path := range append(pagesOf(p.ID, "x"), "/desk", "/desk/participants", "/desk/account") {
		got := s.get(path)
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/desk/sign-in?next="+url.QueryEscape(path) {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Location"))
		}
	}
	s.post("/desk/participants/"+string(p.ID)+"/facts", "kind", "deceased", "on", "2026-02-20").says(t, 403, "Your session has ended")
	o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	for next, want := range map[string]string{"/desk/completion": "/desk/completion", "https://elsewhere.example/desk": "/desk", "//elsewhere.example": "/desk", "/desk\\..": "/desk"} {
		if got := o.seat(t).post("/desk/sign-in", "username", "anna", "password", password, "next", next).done(t); got.header.Get("Location") != want {
			t.Errorf("next %q leads to %q", next, got.header.Get("Location"))
		}
	}
}

func TestTheCookieIsForThisServerAndForNoScript(t *testing.T) {
	o := newOffice(t)
	o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	got := o.seat(t).post("/desk/sign-in", "username", "anna", "password", password).done(t)
	cookie := got.header.Get("Set-Cookie")
	for _, part := range []string{"epro-desk=", "path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, cookie)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/desk/sign-in", strings.NewReader(url.Values{"username": {"anna"}, "password": {password}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-Proto", "https")
	req.Header.Set("Origin", "http://localhost")
	if cookie := o.seat(t).send(req).header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-epro-desk=") || !strings.Contains(strings.ToLower(cookie), "; secure") {
		t.Errorf("over https: %s", cookie)
	}
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	o := newOffice(t)
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example", "Referer": "http://localhost/desk"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/desk/sign-out", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		if got := anna.send(req); got.status == http.StatusSeeOther {
			t.Errorf("%s: %s signs out", header, value)
		}
	}
	for path, want := range map[string]int{"/desk/participants?format=csv": 403, "/lab/x.csv": 403, "/desk/participants": 200} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := anna.send(req); got.status != want && !strings.Contains(got.page, "another site's page") {
			t.Errorf("%s by a link of another site: %d", path, got.status)
		}
	}
	anna.get("/desk").says(t, 200)
	anna.post("/desk/sign-out").done(t)
	if got := anna.get("/desk"); got.status != http.StatusSeeOther {
		t.Errorf("after signing out: %d", got.status)
	}
}

func TestAnIdlePageAsksForThePasswordAgain(t *testing.T) {
	o := newOffice(t)
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	for range 3 {
		o.Clock.Advance(50 * time.Minute)
		anna.get("/desk").says(t, 200)
	}
	o.Clock.Advance(time.Hour)
	if got := anna.get("/desk"); got.status != http.StatusSeeOther {
		t.Errorf("after an hour: %d", got.status)
	}
}

func TestASecondFactorIsSetUpOnTheSignInPage(t *testing.T) {
	o := newOffice(t, func(options *auth.Options) { options.SecondFactor = true })
	if _, _, err := o.auth.CreateStaff(t.Context(), study.Request{By: o.System}, study.CreateStaff{Username: "anna",
		Rights: study.Rights{Role: study.RoleCoordinator, Sites: []study.SiteCode{testkit.Site}}}, password); err != nil {
		t.Fatal(err)
	}
	s := o.seat(t)
	s.post("/desk/sign-in", "username", "anna", "password", "not this one at all").says(t, 403, "These details open no account")
	page := s.post("/desk/sign-in", "username", "anna", "password", password).says(t, 403, "Set up your authenticator app first", `<svg class="qr"`)
	secret := regexp.MustCompile(`class="code">([A-Z2-7]{32})<`).FindStringSubmatch(page.page)
	if secret == nil {
		t.Fatal("no secret to type")
	}
	s.post("/desk/sign-in", "username", "anna", "password", password, "totp", "000000").says(t, 403, "These details open no account")
	s.post("/desk/sign-in", "username", "anna", "password", password, "totp", oneTime(t, secret[1], o.Clock.Now())).done(t)
	s.get("/desk/account").says(t, 200, "You have no recovery codes")
	s.post("/desk/account/recovery-codes", "password", "not this one at all").says(t, 400, "this is not your password")
	codes := regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}`).FindAllString(s.post("/desk/account/recovery-codes", "password", password).says(t, 200).page, -1)
	if len(codes) != 10 {
		t.Fatalf("got %q", codes)
	}
	o.seat(t).post("/desk/sign-in", "username", "anna", "password", password, "totp", codes[3]).done(t)
	s.get("/desk/account").says(t, 200, "9 recovery codes are left")
}

// Whatever way is tried, the answer is that there is no such thing.
func TestACoordinatorFindsNothingOfAnotherSite(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "SECRET-1")
	o.Clock.Set(testkit.Cycle1.UTC())
	form := o.Submit(t, p.ID, "C1D1", 1).SubmissionID
	spy := o.at(t, "spy", study.RoleCoordinator, testkit.OtherSite)
	for _, path := range append(pagesOf(p.ID, form), "/desk?site=S01", "/desk/participants?site=S01", "/desk/completion?site=S01", "/desk/alerts?site=S01", "/desk/reminders?site=S01", "/desk/devices?site=S01") {
		if got := spy.get(path).says(t, 404); strings.Contains(got.page, "SECRET-1") {
			t.Errorf("%s tells of the participant", path)
		}
	}
	for _, path := range []string{"/desk/participants?q=SECRET", "/desk/participants?status=active&sort=due", "/desk/participants?format=csv", "/desk/completion?format=csv", "/desk", "/desk/alerts", "/desk/reminders?days=60", "/desk/devices"} {
		if got := spy.get(path).says(t, 200); strings.Contains(got.page, "SECRET-1") {
			t.Errorf("%s tells of the participant", path)
		}
	}
	before := o.tip(t, p.ID)
	person := "/desk/participants/" + string(p.ID)
	for _, path := range []string{"/code", "/contacts", "/facts", "/facts/retract", "/details", "/consent", "/transfer", "/performance-status", "/devices/remove", "/cycles/2", "/visits/C2D1/not-done", "/visits/C2D1/paper",
		"/forms/" + string(form) + "/decide", "/forms/" + string(form) + "/correct", "/forms/" + string(form) + "/void", "/forms/" + string(form) + "/verify"} {
		spy.post(person+path, "kind", "deceased", "on", "2026-03-01", "reason", "x", "password", password, "cause", "test", "form", o.NewID(),
			"site", "S02", "confirm", "1", "form_version", "2", "language", "zh", "visit", "C1D1", "ecog", "1").says(t, 404)
	}
	if o.tip(t, p.ID) != before {
		t.Error("something was recorded")
	}
}

func (o *office) tip(t testing.TB, id study.ParticipantID) uint64 {
	t.Helper()
	p, err := o.Participant(context.Background(), o.System, id)
	if err != nil {
		t.Fatal(err)
	}
	return p.Seq
}

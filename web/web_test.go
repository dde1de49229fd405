package web_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/internal/testkit"
	"epro/store/storetest"
	"epro/study"
	"epro/web"
)

// pages are the web pages on an empty store, and the token of the set-up link.
func pages(t *testing.T) (*fiber.App, *auth.Auth, string) {
	t.Helper()
	store := testkit.SQLite(t)
	f := testkit.Study(t, store)
	accounts := newAuth(t, store, f)
	token, err := accounts.SetupToken(t.Context())
	if err != nil || token == "" {
		t.Fatalf("%q %v", token, err)
	}
	app := fiber.New(fiber.Config{Immutable: true})
	web.Pages(accounts)(app)
	return app, accounts, token
}

func newAuth(t *testing.T, store study.Store, f *testkit.Fixture) *auth.Auth {
	t.Helper()
	accounts, err := auth.New(t.Context(), auth.Options{Store: store, Study: f.Service, Now: f.Clock.Now, Random: testkit.Random(3),
		Secret: bytes.Repeat([]byte{3}, 32), PasswordCost: auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

// ask sends a request; form is nil for a GET.
func ask(t *testing.T, app *fiber.App, path string, form url.Values) (int, http.Header, string) {
	t.Helper()
	method, body := "GET", io.Reader(nil)
	if form != nil {
		method, body = "POST", strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://localhost"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

func TestPagesLoadNothingFromElsewhereAndRunNothing(t *testing.T) {
	app, _, token := pages(t)
	for _, path := range []string{"/", "/setup", "/setup?token=" + token} {
		status, header, page := ask(t, app, path, nil)
		if status != 200 || header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", path, status, header.Get("Content-Type"))
		}
		policy := header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		for _, m := range regexp.MustCompile(`(?i)(src|href|action)\s*=\s*["']?([^"'\s>]*)`).FindAllStringSubmatch(page, -1) {
			if !strings.HasPrefix(m[2], "/") || strings.HasPrefix(m[2], "//") {
				t.Errorf("%s refers to %q", path, m[2])
			}
		}
		if regexp.MustCompile(`(?i)<script|style=|<style|\son\w+=`).MatchString(page) {
			t.Errorf("%s has something inline", path)
		}
	}
	if status, header, _ := ask(t, app, "/style.css", nil); status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
		t.Errorf("/style.css: %d %s", status, header.Get("Content-Type"))
	}
}

func TestThePageMakesTheFirstAdministratorOnce(t *testing.T) {
	app, accounts, token := pages(t)
	const password = "some unrelated words"
	form := func(pairs ...string) url.Values {
		v := url.Values{"token": {token}, "username": {"root"}, "password": {password}, "again": {password}}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	for what, c := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"no link":                 {form("token", ""), 403, "This link cannot be used"},
		"another link":            {form("token", "x"), 403, "This link cannot be used"},
		"two passwords":           {form("again", "another one of these"), 400, "The two passwords differ"},
		"a short password":        {form("password", "short", "again", "short"), 400, "15 characters"},
		"a name that is none":     {form("username", "<script>alert(1)</script>"), 400, "username"},
		"no password":             {form("password", "", "again", ""), 400, "15 characters"},
		"the name in the passwd.": {form("password", "root root and root", "again", "root root and root"), 400, "user name"},
	} {
		status, _, page := ask(t, app, "/setup", c.form)
		if status != c.status || !strings.Contains(page, c.says) {
			t.Errorf("%s: %d, want %d and %q\n%s", what, status, c.status, c.says, page)
		}
		if strings.Contains(page, "<script") || strings.Contains(page, password) {
			t.Errorf("%s: the page repeats what it must not:\n%s", what, page)
		}
	}
	status, _, page := ask(t, app, "/setup", form())
	if status != 201 || !strings.Contains(page, "root") || strings.Contains(page, "<form") || strings.Contains(page, token) {
		t.Errorf("%d\n%s", status, page)
	}
	if status, _, _ := ask(t, app, "/setup", form("username", "second")); status != 403 {
		t.Errorf("a second administrator: %d", status)
	}
	if _, err := accounts.Login(t.Context(), auth.Credentials{Username: "root", Password: password}); err != nil {
		t.Errorf("signing in: %v", err)
	}
}

// The form is taken as the page sends it, and in no other way.
func TestOtherKindsOfFormsAreNotRead(t *testing.T) {
	app, _, token := pages(t)
	const password = "some unrelated words"
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range map[string]string{"token": token, "username": "root", "password": password, "again": password} {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	_ = w.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/setup?token="+token+"&username=root&password="+url.QueryEscape(password)+"&again="+url.QueryEscape(password), &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := app.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("%d", resp.StatusCode)
	}
}

// What stands in the address comes back as text, never as markup.
func TestTheTokenInTheAddressIsText(t *testing.T) {
	app, _, _ := pages(t)
	field := regexp.MustCompile(`<input type="hidden" name="token" value="([^"<>]*)">`)
	for _, evil := range []string{`"><script>alert(1)</script>`, `' onfocus=alert(1) autofocus='`, `" onfocus="alert(1)`, `javascript:alert(1)`, `{{.Token}}`, `</main>&lt;`} {
		_, _, page := ask(t, app, "/setup?token="+url.QueryEscape(evil), nil)
		if m := field.FindStringSubmatch(page); m == nil || html.UnescapeString(m[1]) != evil {
			t.Errorf("%q became markup:\n%s", evil, page)
		}
	}
}

func TestWithoutItsStoreThePageSaysTryAgain(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	accounts := newAuth(t, &torn{Store: f.Store}, f)
	app := fiber.New()
	web.Pages(accounts)(app)
	const password = "some unrelated words"
	status, _, page := ask(t, app, "/setup", url.Values{"token": {"x"}, "username": {"root"}, "password": {password}, "again": {password}})
	if status != 503 || strings.Contains(page, "purpose") || strings.Contains(page, password) {
		t.Errorf("%d\n%s", status, page)
	}
}

// torn is a store that keeps the signing key and nothing else.
type torn struct{ study.Store }

// InsertRecord fails for everything but the key.
func (s *torn) InsertRecord(ctx context.Context, r study.Record) error {
	if r.Kind == "signing_key" {
		return s.Store.InsertRecord(ctx, r)
	}
	return storetest.Broken().InsertRecord(ctx, r)
}

func TestManyTriesAreSlowedDown(t *testing.T) {
	app, _, _ := pages(t)
	const password = "some unrelated words"
	for range 30 {
		ask(t, app, "/setup", url.Values{"token": {"x"}, "username": {"root"}, "password": {password}, "again": {password}})
	}
	status, header, _ := ask(t, app, "/setup", url.Values{"token": {"x"}, "username": {"root"}, "password": {password}, "again": {password}})
	if status != 429 || header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", status, header.Get("Retry-After"))
	}
}

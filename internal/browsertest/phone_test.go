package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser finds Chromium, or skips the test.
func browser(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("EPRO_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	lack(t, "no Chromium: install the package chromium, or name the program in EPRO_CHROMIUM")
	return ""
}

// lack skips the test for want of a tool, or fails it where EPRO_BROWSER says
// that all tools must be there.
func lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("EPRO_BROWSER") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// patience is how long a page may take for one step on a busy machine.
const patience = 20 * time.Second

// phone is one browser with its own memory: a context of the one that all tests
// share, or a process of its own where dir is set.
type phone struct {
	t     testing.TB
	w     *world
	dir   string
	ctx   context.Context
	close func()
	taps  int
	width int64
	high  int64
	setup []chromedp.Action[chromedp.Void] // done on every new tab
}

// shared is the browser that most tests open their contexts in: to start one
// costs seconds on a busy machine, a context a tenth of one.
var shared struct {
	once sync.Once
	ctx  context.Context
	stop func()
}

// TestMain ends the shared browser after the last test.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

// oneBrowser is the shared browser, started by whoever asks first.
func oneBrowser(t testing.TB) context.Context {
	t.Helper()
	path := browser(t)
	shared.once.Do(func() {
		alloc, stop := chromedp.NewExecAllocator(context.Background(), program(path)...)
		ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
		shared.stop = func() {
			cancel()
			stop()
		}
		if err := chromedp.Do(ctx); err != nil {
			t.Fatal(err)
		}
		shared.ctx = ctx
	})
	if shared.ctx == nil {
		t.Fatal("the shared browser did not start")
	}
	return shared.ctx
}

// program is how Chromium is started.
func program(path string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true), chromedp.Flag("lang", "en-US"), chromedp.DisableGPU)
}

// phone opens a browser of 360 by 640 pixels that has never been here, with a
// memory that no other test sees.
func (w *world) phone(t testing.TB, setup ...chromedp.Action[chromedp.Void]) *phone {
	t.Helper()
	ctx, cancel := chromedp.NewContext(oneBrowser(t), chromedp.WithNewBrowserContext())
	p := &phone{t: t, w: w, ctx: ctx, close: cancel, width: 360, high: 640, setup: setup}
	t.Cleanup(cancel)
	p.do(p.fresh()...)
	return p
}

// ownPhone is a phone whose browser is a process of its own, for tests that kill
// it, or need what a browser refuses in a context: messages from a push service.
func (w *world) ownPhone(t testing.TB, setup ...chromedp.Action[chromedp.Void]) *phone {
	t.Helper()
	dir, err := os.MkdirTemp("", "epro-phone-")
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, w: w, dir: dir, width: 360, high: 640, setup: setup}
	t.Cleanup(func() {
		p.close()
		_ = os.RemoveAll(dir)
	})
	p.boot()
	return p
}

// boot starts the browser on the phone's memory.
func (p *phone) boot() {
	p.t.Helper()
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(program(browser(p.t)), chromedp.UserDataDir(p.dir))...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	p.ctx = ctx
	p.close = func() {
		cancel()
		stop()
	}
	p.do(p.fresh()...)
}

// fresh are the steps that make a tab a phone.
func (p *phone) fresh() []chromedp.Action[chromedp.Void] {
	return append([]chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(p.width, p.high, chromedp.EmulateScale(1), chromedp.EmulateTouch)}, p.setup...)
}

// tab is a second tab of the same browser.
func (p *phone) tab() *phone {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	other := *p
	other.ctx, other.close, other.taps = ctx, cancel, 0
	other.do(other.fresh()...)
	return &other
}

// kill ends the browser as a phone's system ends an app: at once.
func (p *phone) kill() {
	p.t.Helper()
	process := chromedp.FromContext(p.ctx).Browser.Process()
	if err := process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	p.close()
	for _, name := range []string{"SingletonLock", "SingletonSocket", "SingletonCookie"} {
		_ = os.Remove(filepath.Join(p.dir, name))
	}
}

func (p *phone) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	if chromedp.FromContext(p.ctx).Target == nil {
		ctx, cancel = p.ctx, func() {} // a timeout around the first step would end the browser with it
	}
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.page())
	}
}

// visit opens an address of the app.
func (p *phone) visit(path string) {
	p.t.Helper()
	if strings.Contains(path, "#") {
		p.do(chromedp.Navigate(p.w.url + path))
		p.until(`document.body?.dataset.screen`)
		return
	}
	p.anew(chromedp.Navigate(p.w.url + path))
}

// eval is the value of an expression in the page.
func eval[T any](p *phone, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", expression, err, p.page())
	}
	return v
}

// until waits until the expression is true. The page may be on its way to
// another one, so that a failure is tried again too.
func (p *phone) until(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if ok && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("it never came to be: %s (%v)\n%s", expression, err, p.page())
		case <-time.After(3 * time.Millisecond):
		}
	}
}

// screen waits for a screen.
func (p *phone) screen(name string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.body.dataset.screen === %q`, name))
}

// at waits for question n of 37.
func (p *phone) at(n int) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.body.dataset.screen === "question" && document.title.startsWith("Question %d of 37 ")`, n))
}

// page is what the page says, for a failing test.
func (p *phone) page() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// tap touches the middle of what the selector finds, and counts.
func (p *phone) tap(selector string) {
	p.t.Helper()
	type point struct{ X, Y float64 }
	at := eval[point](p, fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		if (!e) throw new Error("nothing there");
		const seen = () => e.getBoundingClientRect();
		if (seen().top < 0 || seen().bottom > innerHeight) e.scrollIntoView({ block: "center" });
		const r = seen();
		return { X: r.left + r.width / 2, Y: r.top + r.height / 2 };
	})()`, strconv.Quote(selector)))
	p.taps++
	p.do(chromedp.TapXY(at.X, at.Y))
}

// answer chooses a value and goes on.
func (p *phone) answer(value int) {
	p.t.Helper()
	p.tap(fmt.Sprintf(`label[for="choice-%d"]`, value))
	p.until(fmt.Sprintf(`document.getElementById("choice-%d").checked`, value))
	p.tap("#continue")
}

// bind connects the phone with a code in the link, as from a QR picture.
func (p *phone) bind(code string) {
	p.t.Helper()
	p.visit("/app#" + code)
	p.until(fmt.Sprintf(`document.getElementById("code")?.value === %q`, code))
	p.tap("form .primary")
	p.screen("home")
}

// reload loads the page anew.
func (p *phone) reload() {
	p.t.Helper()
	p.anew(chromedp.Reload())
}

// anew loads a page and waits until it is another one than before: what is
// asked too early is still answered by the old one.
func (p *phone) anew(load chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	eval[bool](p, `globalThis.old = true`)
	p.do(load)
	p.until(`!globalThis.old && document.body?.dataset.screen`)
}

// clearCache empties the browser's own cache, which is not the service worker's.
func (p *phone) clearCache() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCache, cdp.Empty{})
		return err
	}))
}

// clearCookies makes the browser forget its session and nothing else.
func (p *phone) clearCookies() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
}

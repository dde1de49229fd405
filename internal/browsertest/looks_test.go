package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// look is one way in which a person may see the app.
type look struct{ language, scheme string }

func (l look) String() string { return l.language + "-" + l.scheme }

var looks = []look{{"en", "light"}, {"zh", "dark"}, {"en", "dark"}, {"zh", "light"}, {"en", "forced"}}

// seen makes a browser look so.
func (l look) seen() chromedp.Action[chromedp.Void] {
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}
	if l.scheme == "forced" {
		features = []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}

// tour leads through every screen and calls see on each.
func tour(t *testing.T, w *world, l look, number string, see func(p *phone, name string)) {
	t.Helper()
	who := w.enrol(t, number, l.language)
	p := w.phone(t, l.seen())
	p.visit("/app")
	p.screen("enrol")
	if l.language == "zh" {
		p.tap(".body > button.plain")
		p.until(`document.documentElement.lang === "zh-CN"`)
	}
	see(p, "enrol")
	p.tap("form .primary")
	p.until(`document.getElementById("code-problem").innerText`)
	see(p, "enrol-error")
	p.bind(w.code(t, who))
	p.until(`document.querySelector(".notice") && document.querySelector(".body > button.primary")`)
	see(p, "home-due")
	for _, to := range []string{"help", "paper", "phone", "phone/off"} {
		p.visit("/app#/" + to)
		p.until(fmt.Sprintf(`document.body.dataset.screen === %q`, map[string]string{"phone/off": "disconnect"}[to]) + ` || location.hash !== "#/phone/off" && document.body.dataset.screen === location.hash.slice(2)`)
		see(p, strings.ReplaceAll(to, "/", "-"))
	}
	p.visit("/app#/a/" + string(who.ID) + ".C2D1")
	p.screen("why")
	see(p, "why-not-yet")
	p.visit("/app#/")
	p.screen("home")
	p.tap(".body > .primary")
	p.screen("question")
	see(p, "question")
	p.tap("#continue")
	p.until(`document.getElementById("choice-problem").innerText`)
	see(p, "question-error")
	p.tap("#skip")
	p.until(`document.getElementById("skip-yes")`)
	see(p, "question-skip")
	p.tap("#skip-yes")
	p.number(2)
	p.fillAny(2, 14)
	see(p, "question-box")
	p.tap(`label[for="box"]`)
	p.until(`document.getElementById("box").checked`)
	p.tap("#continue")
	p.number(15)
	p.visit("/app#/")
	p.screen("home")
	see(p, "home-resume")
	p.reload()
	p.screen("question")
	see(p, "question-stopped")
	p.fillAny(15, 38)
	p.screen("review")
	see(p, "review")
	w.disturb(func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if isSubmission(r) {
			hangUp(rw)
			return
		}
		serve.ServeHTTP(rw, r)
	})
	p.tap("#send")
	p.screen("sent")
	see(p, "sent-queued")
	p.visit("/app#/")
	p.screen("home")
	p.until(`document.querySelector(".note button")`)
	see(p, "home-waiting")
	w.disturb(nil)
	p.tap(".note button")
	p.until(`!document.querySelector(".note")`)
	see(p, "home-nothing")
	p.visit("/app#/a/" + string(who.ID) + ".C1D1")
	p.screen("sent")
	p.until(`document.querySelector("h1").innerText === "Thank you" || document.querySelector("h1").innerText === "谢谢您"`)
	see(p, "sent-received")
	if err := w.auth.EndSessions(t.Context(), who.ID.Stream()); err != nil {
		t.Fatal(err)
	}
	p.visit("/app#/")
	p.reload()
	p.screen("enrol")
	see(p, "enrol-signed-out")
}

// number waits for a question, in either language.
func (p *phone) number(n int) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.body.dataset.screen === "question" && location.hash.endsWith("/%d")`, n))
}

// fillAny is fill in either language; it stops at question to.
func (p *phone) fillAny(from, to int) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(async () => {
		const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go)); };
		const shown = (n) => location.hash.endsWith("/" + n) && document.querySelector("#count")?.innerText.match(/[0-9]+/)[0] === String(n);
		for (let n = %d; n < %d; n++) {
			await until(() => shown(n));
			document.querySelector("label[for=choice-" + (n * 3) %% 5 + "]").click();
			document.getElementById("continue").click();
		}
		await until(() => %d > 37 ? document.body.dataset.screen === "review" : shown(%d));
		return true;
	})()`, from, to, to, to))
}

func TestEverybodyCanUseEveryScreen(t *testing.T) {
	axe := axeCore(t)
	w := start(t)
	for i, l := range looks[:campaign(2, len(looks))] {
		tour(t, w, l, fmt.Sprintf("01%02d", i), func(p *phone, name string) {
			t.Helper()
			p.judge(t, axe, l.String()+" "+name)
			p.fits(t, l.String()+" "+name)
			p.shoot(t, l.String()+"-"+name)
		})
	}
}

// axeCore is the text of the accessibility checker.
func axeCore(t testing.TB) string {
	t.Helper()
	name := os.Getenv("EPRO_AXE")
	if name == "" {
		lack(t, "no axe-core: install it from npm, and name its axe.min.js in EPRO_AXE")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// judge lets axe-core look for violations of WCAG 2.2 A and AA, and for text
// under 7:1.
func (p *phone) judge(t *testing.T, axe, where string) {
	t.Helper()
	if !eval[bool](p, `"axe" in globalThis`) {
		p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe+"; true"))
			return err
		}))
	}
	for _, fault := range eval[[]string](p, `axe.run(document, {
		runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"] },
		rules: { "color-contrast-enhanced": { enabled: !matchMedia("(forced-colors: active)").matches }, "color-contrast": { enabled: !matchMedia("(forced-colors: active)").matches } },
	}).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html + " " + n.failureSummary)))`) {
		t.Errorf("%s: %s", where, fault)
	}
	if got := eval[bool](p, `Boolean(document.querySelector("footer a[href='#/paper']")) && Boolean(document.querySelector("footer a[href='#/help'], footer a[href^='tel:']"))`); !got {
		t.Errorf("%s: no help line, or no way to paper", where)
	}
}

// fits fails the test where a screen scrolls sideways: as it is, 320 pixels
// wide, with letters twice as large, or with the spacing of WCAG 1.4.12; and
// where something to tap is smaller than 48 pixels.
func (p *phone) fits(t *testing.T, where string) {
	t.Helper()
	sideways := func(how string) {
		t.Helper()
		if wide := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("%s, %s: %d pixels too wide: %s", where, how, wide, eval[string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 120)).join("\n")`))
		}
		if cut := eval[string](p, `[...document.querySelectorAll("main *")].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && e.clientWidth > 0 && getComputedStyle(e).overflow !== "visible").map((e) => e.outerHTML.slice(0, 120)).join("\n")`); cut != "" {
			t.Errorf("%s, %s: cut off: %s", where, how, cut)
		}
	}
	sideways("as it is")
	if small := eval[string](p, `[...document.querySelectorAll("main a, main button, main label[for^=choice], main label[for=box], main input#code")]
		.filter((e) => { const r = e.getBoundingClientRect(); return r.height < 48 || r.width < 48; }).map((e) => e.outerHTML).join("\n")`); small != "" {
		t.Errorf("%s: smaller than 48 pixels: %s", where, small)
	}
	if tiny := eval[string](p, `[...document.querySelectorAll("main *")].filter((e) => [...e.childNodes].some((c) => c.nodeType === 3 && c.data.trim()) && parseFloat(getComputedStyle(e).fontSize) < 16).map((e) => e.outerHTML).join("\n")`); tiny != "" {
		t.Errorf("%s: letters under 16 pixels: %s", where, tiny)
	}
	p.resize(320, 640)
	sideways("320 wide")
	p.shoot(t, where+" 320")
	p.resize(360, 640)
	eval[bool](p, `document.documentElement.style.fontSize = "200%", true`)
	sideways("letters twice as large")
	p.shoot(t, where+" twice")
	eval[bool](p, `document.documentElement.style.fontSize = "", globalThis.spaced = new CSSStyleSheet(), spaced.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }"), document.adoptedStyleSheets = [spaced], true`)
	sideways("wider spacing")
	eval[bool](p, `document.adoptedStyleSheets = [], true`)
}

func (p *phone) resize(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1), chromedp.EmulateTouch))
}

// shoot keeps a picture of the screen where somebody wants to look at it.
func (p *phone) shoot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("EPRO_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The longest question decides; all are looked at, in both languages.
func TestNoQuestionScrollsOnASmallPhone(t *testing.T) {
	w := start(t)
	for i, l := range looks[:2] {
		who := w.enrol(t, fmt.Sprintf("02%02d", i), l.language)
		p := w.phone(t, l.seen())
		p.bind(w.code(t, who))
		p.tap(".body > .primary")
		for n := 1; n <= 37; n++ {
			p.number(n)
			if over := eval[int](p, `document.documentElement.scrollHeight - innerHeight`); over > 0 {
				t.Errorf("%s, question %d is %d pixels too high", l, n, over)
			}
			if bad := eval[string](p, `(() => {
				const rows = [...document.querySelectorAll(".choice:not(.box) label")].map((e) => e.getBoundingClientRect());
				const gaps = rows.slice(1).map((r, i) => r.top - rows[i].bottom);
				const far = (a) => Math.max(...a) - Math.min(...a) > 0.5;
				return far(rows.map((r) => r.height)) || far(rows.map((r) => r.width)) || Math.min(...gaps) < 8 ? JSON.stringify({ rows, gaps }) : "";
			})()`); bad != "" {
				t.Errorf("%s, question %d: the choices are not alike: %s", l, n, bad)
			}
			if chosen := eval[int](p, `document.querySelectorAll(":checked").length`); chosen != 0 {
				t.Errorf("%s, question %d: %d choices made for the person", l, n, chosen)
			}
			p.fillAny(n, n+1)
		}
	}
}

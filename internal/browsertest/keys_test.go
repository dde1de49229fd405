package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// press sends keys to whatever has the focus.
func (p *phone) press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// tabTo moves the focus on until it is on what the selector finds.
func (p *phone) tabTo(selector string) {
	p.t.Helper()
	for range 60 {
		if eval[bool](p, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
		p.press(kb.Tab)
	}
	p.t.Fatalf("the tab key never reaches %s\n%s", selector, p.page())
}

func TestTheWholePathWorksByKeyboard(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.visit("/app")
	p.tabTo("#code")
	p.press(w.code(t, who) + kb.Enter)
	p.screen("home")
	p.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	p.tabTo(".body > .primary")
	p.press(kb.Enter)
	for n := 1; n <= 37; n++ {
		p.at(n)
		if !eval[bool](p, `document.activeElement.tagName === "H1"`) {
			t.Fatalf("question %d: the focus is not on its heading", n)
		}
		if n == 2 { // skipped, come back to, and answered
			p.tabTo("#skip")
			p.press(kb.Enter)
			p.until(`document.activeElement.id === "skip-yes"`)
			p.press(kb.Enter)
			p.at(3)
			p.tabTo(".back")
			p.press(kb.Enter)
			p.at(2)
		}
		p.tabTo("#choice-0")
		p.press(" " + strings.Repeat(kb.ArrowDown, value(n)))
		p.until(fmt.Sprintf(`document.getElementById("choice-%d").checked`, value(n)))
		p.press(kb.Enter)
	}
	p.screen("review")
	p.tabTo("#send")
	p.press(kb.Enter)
	p.until(`document.activeElement.innerText === "Thank you"`)
	correct(t, w.oneForm(t, who))
}

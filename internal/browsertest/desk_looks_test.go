package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"epro/internal/testkit"
	"epro/study"
)

// What axe finds on a page, as text; nothing when all is well. A page is looked
// at with every rule once; what the window's size and colours can change is
// looked at in the other look too.
const (
	axeEverything = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	axeLooks      = `{ type: "rule", values: ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable", "empty-table-header", "label", "link-name", "button-name", "aria-hidden-focus"] }`
	axeRun        = `(async () => {
	const found = await axe.run(document, { runOnly: %s });
	return found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" | ")).join("\n");
})()`
)

// inspector looks at pages as axe does, wide and light, narrow and dark.
type inspector struct {
	t      *testing.T
	script string
}

func newInspector(t *testing.T) inspector {
	t.Helper()
	file := os.Getenv("EPRO_AXE")
	if file == "" {
		lack(t, "no axe-core: name its file in EPRO_AXE")
	}
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return inspector{t, string(script) + ";true"}
}

// looks fails the test for whatever axe finds on the page that the seat shows,
// and for a page that is wider than its window.
func (i inspector) looks(s *seat, name string) {
	i.t.Helper()
	eval[bool](s.phone, `(document.querySelectorAll("details").forEach(d => { d.classList.remove("pop"); d.open = true }), true)`)
	eval[bool](s.phone, i.script)
	for _, as := range []struct {
		wide, high int64
		look       look
		rules      string
	}{{1366, 768, look{"en", "light"}, axeEverything}, {390, 844, look{"en", "dark"}, axeLooks}} {
		s.do(as.look.seen(), chromedp.EmulateViewport(as.wide, as.high))
		if found := eval[string](s.phone, fmt.Sprintf(axeRun, as.rules)); found != "" {
			i.t.Errorf("%s, %d wide, %s: %s", name, as.wide, as.look.scheme, found)
		}
		if wide := eval[int](s.phone, `document.documentElement.scrollWidth`); int64(wide) > as.wide {
			i.t.Errorf("%s is %d wide at %d", name, wide, as.wide)
		}
		s.shoot(i.t, fmt.Sprintf("desk-%s-%d", name, as.wide))
	}
}

func (i inspector) opens(s *seat, paths ...string) {
	i.t.Helper()
	for _, path := range paths {
		s.open(path)
		i.looks(s, strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(strings.TrimPrefix(path, "/")))
	}
}

// sends fills a form that is on no page and sends it, as a page that is out of
// date would.
func (s *seat) sends(path string, fields map[string]string) {
	s.t.Helper()
	pairs := "{}"
	if text, err := json.Marshal(fields); err == nil && fields != nil {
		pairs = string(text)
	}
	eval[bool](s.phone, fmt.Sprintf(`(() => {
		const f = document.createElement("form");
		f.method = "post"; f.action = %q;
		for (const [name, value] of Object.entries(%s)) {
			const i = document.createElement("input");
			i.type = "hidden"; i.name = name; i.value = value; f.append(i);
		}
		document.body.append(f);
		globalThis.old = true;
		f.submit();
		return true;
	})()`, path, pairs))
	s.until(`!globalThis.old && document.readyState === "complete" && document.querySelector("main h1")`)
}

func TestAxeFindsNothingOnTheDesk(t *testing.T) {
	i := newInspector(t)
	w := start(t)
	people := w.site(t)
	w.Submit(t, people["clinic"].ID, "C2D1", 1)
	form := w.forms(t, people["clinic"], "C2D1")[0].ID
	w.register(t, people["clinic"].ID)
	person := "/desk/participants/" + string(people["clinic"].ID)
	today := study.DateOf(w.Clock.Now().UTC()).String()
	s := w.seat(t, "ines", study.RoleInvestigator, testkit.Site, testkit.OtherSite)
	i.opens(s, "/desk", "/desk/participants", "/desk/participants/new", "/desk/completion", "/desk/completion?view=table", "/desk/alerts", "/desk/reminders", "/desk/devices",
		"/desk/account", "/admin/sites/S01", "/desk/participants/none")
	for name, path := range map[string]string{"person": "", "cycle": "/cycles/3?on=" + (study.DateOf(w.Clock.Now().UTC()) + 40).String(), "paper": "/visits/C3D1/paper", "blank": "/visits/C3D1/blank",
		"form": "/forms/" + string(form), "details": "/details", "transfer": "/transfer", "transfer-preview": "/transfer?site=S02&on=" + today} {
		s.open(person + path)
		i.looks(s, name)
	}
	for name, send := range map[string]map[string]string{
		"conflict": {"": person + "/details", "number": "1", "language": "en", "reason": "words", "seq": "1"},
		"refused":  {"": person + "/consent", "on": today, "form_version": "2"},
		"letter":   {"": person + "/code"},
	} {
		s.sends(send[""], send)
		i.looks(s, name)
	}
	if _, err := w.Do(context.Background(), study.Request{By: w.Coordinator}, people["clinic"].ID, study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead}); err != nil {
		t.Fatal(err)
	}
	s.open(person)
	i.looks(s, "reported-dead")
}

func TestAxeFindsNothingOnTheAnalystsPages(t *testing.T) {
	i := newInspector(t)
	w := start(t)
	w.site(t)
	i.opens(w.seat(t, "ada", study.RoleAnalyst), "/lab?demonstration=include", "/lab?demonstration=include&scale=PWB&axis=calendar&from=W0&to=W3", "/lab?visit=never")
}

func TestAxeFindsNothingOnTheAdministratorsPages(t *testing.T) {
	i := newInspector(t)
	w := start(t)
	people := w.site(t)
	w.register(t, people["clinic"].ID)
	pack := testkit.UseWording(t, w.Service, testkit.WordingPack("acme-en", "1", "en"))
	s := w.seat(t, "root", study.RoleAdmin)
	own, err := w.StaffByUsername(context.Background(), "root")
	if err != nil {
		t.Fatal(err)
	}
	w.seat(t, "carla", study.RoleCoordinator, testkit.Site)
	other, err := w.StaffByUsername(context.Background(), "carla")
	if err != nil {
		t.Fatal(err)
	}
	i.opens(s, "/admin", "/admin/staff", "/admin/sites", "/admin/sites/S01", "/admin/wording", "/admin/wording/"+pack, "/admin/devices", "/admin/protocol", "/admin/audit")
	account := "/admin/staff/" + string(other.ID)
	s.open("/admin/staff/" + string(own.ID))
	i.looks(s, "own-account")
	s.open(account)
	i.looks(s, "account")
	s.sends(account, map[string]string{"role": "analyst", "reason": "words", "seq": "9"})
	i.looks(s, "account-conflict")
	s.sends(account+"/letter", map[string]string{"reason": "a lost phone"})
	i.looks(s, "staff-letter")
	s.sends("/desk/sign-out", nil)
	i.looks(s, "sign-in")
	s.sends("/desk/sign-in", map[string]string{"username": "nobody", "password": "x"})
	i.looks(s, "sign-in-refused")
	s.sends(account, map[string]string{"reason": "x"})
	i.looks(s, "session-ended")
	i.opens(s, "/desk/join")
}

package browsertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/study"
)

// officePassword opens every account of these tests.
const officePassword = "some unrelated words"

// seat is a coordinator's browser; it counts clicks.
type seat struct{ *phone }

// seat opens a browser of a desk's size and signs in.
func (w *world) seat(t testing.TB, name string, role study.Role, sites ...study.SiteCode) *seat {
	t.Helper()
	if _, _, err := w.auth.CreateStaff(context.Background(), study.Request{By: w.System},
		study.CreateStaff{Username: name, Rights: study.Rights{Role: role, Sites: sites}}, officePassword); err != nil {
		t.Fatal(err)
	}
	s := &seat{w.phone(t)}
	s.do(chromedp.EmulateViewport(1366, 768))
	s.open("/desk/sign-in")
	s.fillIn(map[string]string{"username": name, "password": officePassword})
	s.click(`main button[type=submit]`)
	s.until(`document.querySelector("header.bar")`)
	s.taps = 0
	return s
}

// open goes to a page of the desk and waits until it is whole.
func (s *seat) open(path string) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.w.url + path))
	s.whole()
}

func (s *seat) whole() {
	s.t.Helper()
	s.until(`document.readyState === "complete" && document.querySelector("main h1")`)
}

// click clicks the one that the selector finds, and counts.
func (s *seat) click(selector string) {
	s.t.Helper()
	s.until(fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%q)`, selector))
	eval[bool](s.phone, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
	s.taps++
}

// follow clicks and waits for the page that comes.
func (s *seat) follow(selector, heading string) {
	s.t.Helper()
	s.click(selector)
	s.until(fmt.Sprintf(`document.readyState === "complete" && document.querySelector("main h1")?.innerText.includes(%q)`, heading))
}

// fillIn types with the keyboard: no click is spent on a field.
func (s *seat) fillIn(fields map[string]string) {
	s.t.Helper()
	for name, value := range fields {
		eval[bool](s.phone, fmt.Sprintf(`(() => {
			const open = document.querySelector("details.pop[open]") ?? document;
			const f = open.querySelector('[name="%s"]:not([type=hidden])');
			f.focus(); f.value = %q;
			f.dispatchEvent(new Event("input", { bubbles: true }));
			return true;
		})()`, name, value))
	}
}

func (s *seat) says(words ...string) {
	s.t.Helper()
	for _, w := range words {
		s.until(fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, w))
	}
}

// within fails the test if a question took more clicks than its limit.
func (s *seat) within(question string, limit int) {
	s.t.Helper()
	if s.taps > limit {
		s.t.Errorf("%s: %d clicks, at most %d", question, s.taps, limit)
	}
	s.t.Logf("%s: %d of %d clicks", question, s.taps, limit)
	s.taps = 0
	s.open("/desk")
}

// site is a study's site on an ordinary morning: one participant overdue, one
// in clinic, one not activated, one with a missed visit, one whose phone is silent.
func (w *world) site(t testing.TB) map[string]*study.Participant {
	t.Helper()
	now := w.Clock.Now()
	today := study.DateOf(now.UTC())
	people := map[string]*study.Participant{}
	for name, cycle1 := range map[string]study.Date{"overdue": today - 25, "clinic": today - 21, "missed": today - 15, "fresh": today + 5} {
		c := testkit.NewParticipant("N-" + name)
		c.TimeZone, c.Cycle1On = "UTC", cycle1
		c.Consent.On = min(cycle1, today) - 8
		p, err := w.Service.Enrol(context.Background(), study.Request{By: w.Coordinator}, c)
		if err != nil {
			t.Fatal(err)
		}
		people[name] = p
		if name == "fresh" {
			continue
		}
		code, err := w.Do(context.Background(), study.Request{By: w.Coordinator}, p.ID, study.IssueCode{ExpiresAt: study.InstantOf(now.Add(time.Hour))})
		if err == nil {
			_, err = w.Do(context.Background(), study.Request{By: testkit.Phone(p.ID)}, p.ID, study.BindPhone{Code: code.Event})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return people
}

func TestTheFifteenMorningQuestionsWithinTheirClicks(t *testing.T) {
	w := start(t)
	people := w.site(t)
	s := w.seat(t, "anna", study.RoleCoordinator, testkit.Site)

	s.says("N-overdue", "4 days", "Overdue (1)")
	s.within("1 who is overdue, by how much, how long still", 0)
	s.says("Closing within 48 hours")
	s.within("2 whose window closes in 48 hours", 0)
	s.says("In clinic today, not completed (1)", "N-clinic")
	s.within("3 who comes today and has not completed", 0)
	s.until(`document.querySelector(".badge")`)
	s.follow(`header a[href="/desk/alerts"]`, "Alerts")
	s.within("4 alerts: badge without a click, the detail", 1)
	s.says("To telephone", "Last contact")
	s.within("5 whom to phone and what happened last", 1)
	s.click(`#calls ~ table details summary`)
	s.fillIn(map[string]string{"note": "rang", "next_on": study.DateOf(w.Clock.Now().UTC().AddDate(0, 0, 1)).String()})
	s.follow(`details[open] button.primary`, "Morning")
	s.says("The contact is logged.")
	s.within("6 log the call", 2)
	s.follow(`header a[href="/desk/reminders"]`, "Reminder log")
	s.within("7 did reminders go out", 1)
	s.says("never activated (1)", "N-fresh")
	s.within("8 enrolled but never activated", 1)
	s.follow(fmt.Sprintf(`a[href="/desk/participants/%s/cycles/2"]`, people["overdue"].ID), "Move cycle 2")
	s.follow(`main form[method=get] button`, "Move cycle 2")
	s.says("What would change")
	s.fillIn(map[string]string{"reason": "neutropenia"})
	if eval[bool](s.phone, `Boolean(document.querySelector("[name=confirm]"))`) {
		s.fillIn(nil)
		eval[bool](s.phone, `document.querySelector("[name=confirm]").checked = true`)
	}
	s.follow(`main form[method=post] button.primary`, "Participant N-overdue")
	s.within("9 move a cycle, preview first", 3)
	s.follow(`header a[href="/desk/completion"]`, "Completion")
	s.says("target 90 %")
	s.within("10 completion by visit", 1)
	s.says("Missed, no reason yet", "N-missed")
	s.within("11 missed without a reason", 1)
	s.follow(fmt.Sprintf(`a[href="/desk/participants/%s/visits/C2D1/paper"]`, people["clinic"].ID), "Paper form")
	for _, item := range factb.FACTB.Items {
		s.fillIn(map[string]string{"item." + item.Code: "2"})
	}
	s.fillIn(map[string]string{"at": "00:00"})
	if bad := eval[string](s.phone, `[...document.querySelectorAll("main form :invalid")].map(e => e.name + "=" + e.value).join()`); bad != "" {
		t.Fatalf("the page does not take %s", bad)
	}
	s.follow(`main form button.primary`, "Form of N-clinic")
	s.within("12 enter a paper form", 2)
	s.follow(`form[action$="/code"] button`, "Your questionnaire on your phone")
	s.until(`document.querySelector("svg.qr")`)
	s.within("13 a new code", 2)
	s.follow(`header a[href="/desk/devices"]`, "Devices")
	s.within("14 whose phone is silent", 1)
	s.open("/desk/participants")
	s.taps = 0
	if n := eval[int](s.phone, `document.querySelectorAll('a[href*="format=csv"]').length`); n != 1 {
		t.Errorf("%d links export the view", n)
	}
	s.within("15 export this view", 1)
	now, err := w.Participant(context.Background(), w.System, people["clinic"].ID)
	if err != nil {
		t.Fatal(err)
	}
	if now.AtVisit("C2D1").Standing() == nil {
		t.Error("the paper form did not arrive")
	}
}

func TestTheHeatMapIsReadByKeyboardAndAsATable(t *testing.T) {
	w := start(t)
	w.site(t)
	s := w.seat(t, "anna", study.RoleCoordinator, testkit.Site)
	s.open("/desk/completion")
	if n := eval[int](s.phone, `[...document.querySelectorAll("table.heat a")].filter(a => a.tabIndex === 0).length`); n != 1 {
		t.Errorf("%d stops of the Tab key", n)
	}
	eval[bool](s.phone, `(document.querySelector("table.heat a[tabindex='0']").focus(), true)`)
	for _, key := range []string{"ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"} {
		eval[bool](s.phone, fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: %q, bubbles: true }))`, key))
	}
	label := eval[string](s.phone, `document.activeElement.getAttribute("aria-label")`)
	if !strings.Contains(label, " C2D1: ") {
		t.Errorf("the keys lead to %q", label)
	}
	s.open("/desk/completion?view=table")
	s.says("missed, no reason yet", "overdue")
}

package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// The window closes while the questionnaire is open: what was answered is kept,
// said, and can be sent; whether it counts is for staff to decide.
func TestAQuestionnaireThatClosesWhileOpenLosesNothing(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	p.tap(".body > .primary")
	p.fill(1, 12)
	p.at(13)
	w.Clock.Advance(5 * 24 * time.Hour)
	p.visit("/app#/")
	p.reload()
	p.screen("late")
	p.visit("/app#/")
	p.until(`document.body.innerText.includes("Answers to questions that have closed are still on this phone.")`)
	p.tap(".note a")
	p.screen("late")
	p.until(`document.body.innerText.includes("You had answered 12 of 37 questions")`)
	if _, err := w.LockSite(t.Context(), study.Request{By: w.Investigator}, testkit.Site, true, "cleaning"); err != nil {
		t.Fatal(err)
	}
	p.tap("#send")
	p.until(`document.querySelector("h1").innerText === "Thank you" && document.body.innerText.includes("look whether they count")`)
	form := w.oneForm(t, who)
	if form.Counted || !form.Held() || form.Answers.Count() != 12 {
		t.Errorf("counted %v, held %v, %d answers", form.Counted, form.Held(), form.Answers.Count())
	}
}

// A reminder's tap lands on the questions, or on a sentence that says why not.
func TestAReminderNeverLandsOnNothing(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	at := func(visit string) string { return "/app#/a/" + string(study.AssessmentFor(who.ID, visit)) }
	for _, c := range []struct{ what, path, says string }{
		{"open", at("C1D1"), "Your questions are ready"},
		{"upcoming", at("C5D1"), "These questions are not open yet. They open on "},
		{"somebody else's", "/app#/a/00000000-0000-4000-8000-000000000000.C1D1", "These questions are not for this phone"},
		{"rubbish", "/app#/a/%E0%A4%A", "Your questions are ready"},
		{"no such screen", "/app#/nothing/here", "Your questions are ready"},
		{"no such question", "/app#/q/" + string(study.AssessmentFor(who.ID, "C1D1")) + "/12", "Your questions are ready"},
	} {
		p.visit("/app#/help")
		p.screen("help")
		p.visit(c.path)
		p.until(fmt.Sprintf(`document.body.innerText.includes(%q)`, c.says))
	}
	p.visit("/app#/")
	p.tap(".body > .primary")
	p.fill(1, 37)
	p.screen("review")
	p.tap("#send")
	p.until(`document.querySelector("h1").innerText === "Thank you"`)
	p.visit("/app#/")
	p.screen("home")
	p.visit(at("C1D1"))
	p.until(`document.querySelector("h1").innerText === "Thank you"`)

	w.Clock.Advance(40 * 24 * time.Hour)
	p.visit("/app#/help")
	p.reload()
	p.visit("/app#/")
	p.until(`document.body.innerText.includes("The last questions closed on")`)
	p.visit(at("C2D1"))
	p.until(`document.body.innerText.includes("These questions closed on")`)
	if _, err := w.Do(t.Context(), study.Request{By: w.Coordinator}, who.ID, study.RecordFact{Kind: study.FactWithdrawn, Level: study.LevelTrial, On: study.PartialDate(study.DateOf(w.Clock.Now()).String()), Reason: "her wish"}); err != nil {
		t.Fatal(err)
	}
	p.visit("/app#/help")
	p.reload()
	p.visit("/app#/")
	p.until(`document.body.innerText.includes("You do not need to fill in anything any more.")`)
	p.visit(at("C4D1"))
	p.until(`document.body.innerText.includes("These questions are not needed any more.")`)
}

// Disconnecting takes two steps, says what would be lost, and forgets everything.
func TestDisconnectingForgetsEverything(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	p.tap(".body > .primary")
	p.fill(1, 3)
	p.visit("/app#/phone")
	p.screen("phone")
	p.tap(`a[href="#/phone/off"]`)
	p.screen("disconnect")
	p.until(`document.body.innerText.includes("They will be lost.")`)
	p.tap("#leave")
	p.screen("enrol")
	if left := eval[int](p, `new Promise((done) => { const r = indexedDB.open("epro"); r.onsuccess = () => { const c = r.result.transaction("sealed").objectStore("sealed").count(); c.onsuccess = () => { r.result.close(); done(c.result); }; }; })`); left != 0 {
		t.Errorf("%d values are left", left)
	}
	if status := eval[int](p, `fetch("/v1/me").then((r) => r.status)`); status != 401 {
		t.Errorf("the session goes on: %d", status)
	}
}

// What the phone keeps can be read by the app alone: neither answers nor the
// participant's id stand in its files in clear, nor can a script export the key.
func TestTheMemoryIsSealed(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	p.tap(".body > .primary")
	p.fill(1, 3)
	kept := eval[string](p, `new Promise((done) => { const r = indexedDB.open("epro"); r.onsuccess = () => {
		const c = r.result.transaction("sealed").objectStore("sealed").getAll();
		c.onsuccess = () => done(c.result.map((v) => Object.keys(v).sort().join() + " " + new TextDecoder().decode(v.data)).join("\n"));
	}; })`)
	for _, secret := range []string{string(who.ID), "GP1", "answers"} {
		if strings.Contains(kept, secret) {
			t.Errorf("%s stands in clear", secret)
		}
	}
	if got := eval[string](p, `new Promise((done) => { const r = indexedDB.open("epro"); r.onsuccess = () => {
		const k = r.result.transaction("keys").objectStore("keys").get("aes");
		k.onsuccess = () => crypto.subtle.exportKey("raw", k.result).then(() => done("exported"), (e) => done(e.name));
	}; })`); got != "InvalidAccessError" {
		t.Errorf("the key: %s", got)
	}
}

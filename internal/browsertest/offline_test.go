package browsertest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// controlled waits until the service worker serves the app.
func (p *phone) controlled() {
	p.t.Helper()
	p.until(`navigator.serviceWorker.controller?.state === "activated"`)
}

func isSubmission(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/submissions/")
}

// reopen starts the browser again, as a person does who taps the app's picture.
func (p *phone) reopen() {
	p.t.Helper()
	p.boot()
	p.visit("/app")
}

func TestABrowserKilledAfterEachAnswerGoesOnAtTheNext(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.ownPhone(t)
	phone.bind(w.code(t, p))
	phone.tap(".body > .primary")
	kills := campaign(3, 37)
	for n := 1; n <= 37; n++ {
		phone.at(n)
		phone.answer(value(n))
		if n*kills/37 == (n-1)*kills/37 {
			continue
		}
		if n < 37 {
			phone.at(n + 1)
		} else {
			phone.screen("review")
		}
		phone.kill()
		phone.reopen()
		if n < 37 {
			phone.at(n + 1)
			phone.until(fmt.Sprintf(`document.getElementById("count").innerText === "You stopped at question %d of 37."`, n+1))
		}
	}
	phone.screen("review")
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, p))
}

func TestAFormSentWithoutAServerArrivesOnceWhenItIsBack(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.ownPhone(t)
	phone.bind(w.code(t, p))
	phone.controlled()
	w.disturb(down)
	phone.tap(".body > .primary")
	phone.fill(1, 37)
	phone.screen("review")
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Your answers are saved"`)
	phone.kill()
	phone.boot()
	phone.visit("/app") // the service worker starts it: the server is away
	phone.screen("home")
	phone.until(`document.body.innerText.includes("Answers on this phone are not sent yet.")`)
	if n := len(w.forms(t, p, "C1D1")); n != 0 {
		t.Fatalf("%d forms arrived at a server that was away", n)
	}
	w.disturb(nil)
	phone.tap(".note button")
	phone.until(`!document.body.innerText.includes("not sent yet")`)
	correct(t, w.oneForm(t, p))
}

func TestAReceiptThatGotLostIsFetchedAgain(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.phone(t)
	phone.bind(w.code(t, p))
	phone.tap(".body > .primary")
	phone.fill(1, 37)
	phone.screen("review")
	w.disturb(cutAfter(isSubmission))
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Your answers are saved"`)
	w.eventually(t, func() bool { return len(w.forms(t, p, "C1D1")) == 1 }, "the form is at the server")
	w.disturb(nil)
	phone.tap(".body > .primary")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, p))
}

// A code whose answer got lost is not lost with it, nor does it need the
// browser to remember its cookies.
func TestEnrollingSurvivesALostAnswer(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.phone(t)
	code := w.code(t, p)
	phone.visit("/app")
	phone.screen("enrol")
	phone.tap("#code")
	phone.do(chromedp.KeyEvent(strings.ToLower(strings.ReplaceAll(code, "-", " "))))
	w.disturb(cutAfter(func(r *http.Request) bool { return r.URL.Path == "/v1/auth/enrol" }))
	phone.tap("form .primary")
	phone.until(`document.getElementById("code-problem").innerText.includes("Your code is kept")`)
	w.disturb(nil)
	phone.tap("form .primary")
	phone.screen("home")
	phone.clearCookies()
	phone.visit("/app#/help")
	phone.visit("/app#/")
	phone.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	phone.tap(".body > .primary")
	phone.fill(1, 37)
	phone.screen("review")
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, p))
}

// When staff end a phone's session, what it holds stays, and goes out after the
// same participant has enrolled again; never under somebody else's name.
func TestAnswersOfAnEndedSessionWaitForTheSameParticipant(t *testing.T) {
	w := start(t)
	p, other := w.enrol(t, "0101", "en"), w.enrol(t, "0102", "en")
	phone := w.phone(t)
	phone.bind(w.code(t, p))
	phone.controlled()
	phone.tap(".body > .primary")
	phone.fill(1, 37)
	phone.screen("review")
	w.disturb(down)
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Your answers are saved"`)
	if err := w.auth.EndSessions(t.Context(), p.ID.Stream()); err != nil {
		t.Fatal(err)
	}
	w.disturb(nil)
	phone.tap(".body > .primary")
	phone.screen("enrol")
	phone.until(`document.body.innerText.includes("The answers on this phone are kept.")`)

	phone.bind(w.code(t, other))
	phone.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	if n := len(w.forms(t, p, "C1D1")) + len(w.forms(t, other, "C1D1")); n != 0 {
		t.Fatalf("%d forms went out under another's session", n)
	}
	phone.visit("/app#" + w.code(t, p))
	phone.reload() // the code is kept, though it is not in the address any more
	phone.screen("enrol")
	phone.tap("form .primary")
	phone.screen("home")
	phone.until(`document.body.innerText.includes("You have sent your last questions")`)
	correct(t, w.oneForm(t, p))
	if n := len(w.forms(t, other, "C1D1")); n != 0 {
		t.Errorf("%d forms for the other", n)
	}
}

func TestTwoTabsShareOneDraftAndSendOneForm(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	one := w.phone(t)
	one.bind(w.code(t, p))
	one.tap(".body > .primary")
	one.fill(1, 3)
	one.at(4)
	two := one.tab()
	two.visit("/app")
	two.fill(4, 20)
	two.at(21)
	one.fill(4, 4) // the same answer again, in the tab that lay behind
	one.at(5)
	one.visit("/app#/")
	one.screen("home")
	one.until(`document.body.innerText.includes("You stopped at question 21 of 37.")`)
	one.tap(".body > .primary")
	one.fill(21, 37)
	one.screen("review")
	two.visit("/app")
	two.screen("review")
	one.tap("#send")
	two.tap("#send")
	one.until(`document.querySelector("h1").innerText === "Thank you"`)
	two.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, p))
}

func TestTwoPhonesMakeOneRecord(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	one, two := w.phone(t), w.phone(t)
	for _, phone := range []*phone{one, two} {
		phone.bind(w.code(t, p))
		phone.tap(".body > .primary")
		phone.fill(1, 37)
		phone.screen("review")
	}
	one.tap("#send")
	one.until(`document.querySelector("h1").innerText === "Thank you"`)
	two.tap("#send")
	two.until(`document.querySelector("h1").innerText === "We already have an answer"`)
	correct(t, w.oneForm(t, p))
}

// After a restore of an older backup the server has lost a form that the phone
// holds a receipt for: the phone sends it again.
func TestAFormThatTheServerLostIsSentAgain(t *testing.T) {
	before, after := start(t), start(t)
	p := before.enrol(t, "0101", "en")
	phone := before.phone(t)
	phone.bind(before.code(t, p))
	phone.tap(".body > .primary")
	phone.fill(1, 37)
	phone.screen("review")
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	form := before.oneForm(t, p)

	// The same world without the form: the seeds give the same ids.
	again := after.enrol(t, "0101", "en")
	if again.ID != p.ID {
		t.Fatalf("participant %s became %s", p.ID, again.ID)
	}
	code := after.code(t, again)
	before.disturb(func(rw http.ResponseWriter, r *http.Request, _ http.Handler) { after.carry(rw, r) })
	phone.clearCookies()
	phone.visit("/app#" + code)
	phone.screen("enrol")
	phone.tap("form .primary")
	phone.screen("home")
	phone.until(`document.body.innerText.includes("You have sent your last questions")`)
	if got := after.oneForm(t, again); got.ID != form.ID || got.Digest != form.Digest {
		t.Errorf("form %s became %s", form.ID, got.ID)
	}
}

// The desk learns that a finished form waits on a phone.
func TestAnUnsentFormShowsInTheCounts(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.phone(t)
	phone.bind(w.code(t, p))
	phone.tap(".body > .primary")
	phone.fill(1, 5)
	progress := func(want string) {
		t.Helper()
		w.eventually(t, func() bool {
			r, err := w.Store.Record(t.Context(), "progress", string(w.assessment(p)))
			return err == nil && strings.Contains(string(r.Data), want)
		}, want)
	}
	progress(`"answered":5,"unsent":0`)
	phone.fill(6, 37)
	phone.screen("review")
	w.disturb(func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if isSubmission(r) {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		serve.ServeHTTP(rw, r)
	})
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Your answers are saved"`)
	progress(`"answered":37,"unsent":1`)
	w.disturb(nil)
	phone.tap(".body > .primary")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	progress(`"answered":37,"unsent":0`)
}

// The phone's clock is two hours ahead when the form is opened, and is put right
// before it is sent.
func TestAFormIsNotLostWhenTheClockIsSetBackMeanwhile(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.phone(t)
	phone.bind(w.code(t, p))
	eval[bool](phone, `(() => {
		const Real = Date;
		window.ahead = 7200000;
		window.Date = class extends Real {
			constructor(...given) { given.length ? super(...given) : super(Real.now() + window.ahead); }
			static now() { return Real.now() + window.ahead; }
		};
		return true;
	})()`)
	phone.tap(".body > .primary")
	phone.screen("question")
	eval[int](phone, `window.ahead = 0`)
	phone.fill(1, 37)
	phone.screen("review")
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, p))
}

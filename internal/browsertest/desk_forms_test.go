package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"epro/internal/testkit"
	"epro/study"
)

// register gives a participant a phone that reminders go to.
func (w *world) register(t testing.TB, id study.ParticipantID) {
	t.Helper()
	if err := w.RegisterDevice(context.Background(), testkit.Phone(id), study.Registration{ID: "d1", Platform: "android",
		Target: study.PushTarget{Kind: study.TargetFCMToken, Value: "token of " + string(id)}}); err != nil {
		t.Fatal(err)
	}
}

// bound connects a participant's phone.
func (w *world) bound(t testing.TB, id study.ParticipantID) {
	t.Helper()
	code, err := w.Do(context.Background(), study.Request{By: w.Coordinator}, id, study.IssueCode{ExpiresAt: study.InstantOf(w.Clock.Now().Add(time.Hour))})
	if err == nil {
		_, err = w.Do(context.Background(), study.Request{By: testkit.Phone(id)}, id, study.BindPhone{Code: code.Event})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// choose puts a file into a field.
func (s *seat) choose(selector, file string) {
	s.t.Helper()
	s.until(fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%q)`, selector))
	s.do(chromedp.SetUploadFiles(selector, []string{file}))
}

// withoutScripts makes the browser run none of the page's own; the test's go on.
func (s *seat) withoutScripts() {
	s.t.Helper()
	s.w.disturb(func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if r.URL.Path == "/desk/desk.js" {
			http.NotFound(rw, r)
			return
		}
		serve.ServeHTTP(rw, r)
	})
	s.t.Cleanup(func() { s.w.disturb(nil) })
}

// The fifteen questions have limits; these are the forms beside them, counted
// from the page that shows what is to be done.
func TestTheFormsOfOneParticipantTakeFewClicks(t *testing.T) {
	w := start(t)
	people := w.site(t)
	p := people["clinic"]
	w.register(t, p.ID)
	person := "/desk/participants/" + string(p.ID)
	s := w.seat(t, "anna", study.RoleCoordinator, testkit.Site)
	today := study.DateOf(w.Clock.Now().UTC()).String()
	count := func(what string, limit int) {
		t.Helper()
		s.within(what, limit)
		s.open(person)
	}
	s.open(person)

	s.click(`#ecog ~ details summary`)
	s.fillIn(map[string]string{"visit": "C2D1", "ecog": "1", "on": today})
	s.follow(`#ecog ~ details button.primary`, "Participant")
	s.says("The performance status is recorded.")
	count("ECOG", 2)

	s.follow(`a[href$="/details"]`, "Details of")
	s.fillIn(map[string]string{"time_zone": "Asia/Tokyo"})
	eval[bool](s.phone, `(document.querySelector("form[action$='/details'] [name=reason]").value = "moved house", true)`)
	s.follow(`form[action$="/details"] button.primary`, "Participant")
	s.says("Time zone: UTC → Asia/Tokyo", "moved house")
	count("change details", 2)

	s.follow(`a[href$="/details"]`, "Details of")
	s.fillIn(map[string]string{"on": today, "form_version": "3.0"})
	s.click(`form[action$="/consent"] [name=confirm]`)
	s.follow(`form[action$="/consent"] button.primary`, "Participant")
	s.says("The consent is recorded.")
	count("a renewed consent", 3)

	s.click(`#code ~ table details summary`)
	s.click(`form[action$="/devices/remove"] button`)
	s.says("The phone is forgotten")
	count("forget a phone", 2)

	s.click(`#contacts ~ details summary`)
	s.fillIn(map[string]string{"channel": "relative", "outcome": "reported_dead"})
	s.follow(`#contacts ~ details button.primary`, "Participant")
	s.says("Reported dead, waiting for confirmation")
	s.taps = 0
	s.click(`#report ~ details summary`)
	s.fillIn(map[string]string{"note": "another patient of that name"})
	s.follow(`#report ~ details button.primary`, "Participant")
	s.says("The report is taken back.")
	count("a wrong report of death", 2)

	s.follow(`a[href$="/transfer"]`, "to another site")
	s.fillIn(map[string]string{"site": "S02"})
	s.click(`main form[method=get] button`)
	s.says("You will not see her record any more")
	s.fillIn(map[string]string{"reason": "moved house"})
	s.follow(`main form[method=post] button.primary`, "Participants")
	s.says("moved to S02")
	s.within("a transfer, preview first", 3)
}

// A new account from the letter's picture to the first page, without a script
// of ours: the code is typed.
func TestALetterLeadsToTheDeskWithAndWithoutScript(t *testing.T) {
	w := start(t)
	w.site(t)
	root := w.seat(t, "root", study.RoleAdmin)
	for i, name := range []string{"carla", "dora"} {
		root.open("/admin/staff")
		root.sends("/admin/staff", map[string]string{"username": name, "role": "coordinator", "site": "S01", "reason": "delegation log 7"})
		root.says("Your account for the study")
		code := eval[string](root.phone, `document.querySelector(".letter .code").innerText`)
		s := &seat{w.phone(t)}
		s.do(chromedp.EmulateViewport(1366, 768))
		if i == 0 {
			s.do(chromedp.Navigate(w.url + "/desk/join#" + code))
			s.until(fmt.Sprintf(`document.querySelector("[name=code]")?.value === %q && location.hash === ""`, code))
		} else {
			s.withoutScripts()
			s.open("/desk/join")
			s.fillIn(map[string]string{"code": code})
		}
		s.fillIn(map[string]string{"password": officePassword, "again": officePassword})
		s.click(`main button`)
		s.says("Done. Your user name is " + name)
		s.follow(`main a.button`, "Sign in")
		s.fillIn(map[string]string{"username": name, "password": officePassword})
		s.follow(`main button[type=submit]`, "Morning")
	}
}

// A wording pack by the file field, as a person chooses it.
func TestAWordingPackIsChosenAsAFile(t *testing.T) {
	w := start(t)
	file := filepath.Join(t.TempDir(), "acme-en.json")
	if err := os.WriteFile(file, testkit.WordingPack("acme-en", "1", "en"), 0o600); err != nil {
		t.Fatal(err)
	}
	root, rita := w.seat(t, "root", study.RoleAdmin), w.seat(t, "rita", study.RoleAdmin)
	root.open("/admin/wording")
	root.choose(`input[type=file]`, file)
	root.click(`button[value=check]`)
	root.says("No fault was found. Nothing was stored yet.")
	root.choose(`input[type=file]`, file)
	root.follow(`button[value=import]`, "Wording pack acme-en@1")
	root.says("you cannot approve it")
	rita.open("/admin/wording/acme-en@1")
	rita.click(`[name=confirm]`)
	rita.follow(`#decide ~ form button.primary`, "Wording pack acme-en@1")
	rita.says("Approved.", "in use")
}

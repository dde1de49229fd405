package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/study"
)

func oneTime(t testing.TB, secret string, now time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, now)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// windows are a participant's windows in one line each.
func (o *office) windows(t testing.TB, id study.ParticipantID) map[string]string {
	t.Helper()
	p, err := o.Participant(t.Context(), o.System, id)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		out[a.Visit] = fmt.Sprintf("%s %s %s %s", a.Window.OpensOn, a.Window.DueOn, a.Window.ClosesOn, p.AssessmentStatus(a, o.Clock.Now()))
	}
	return out
}

var changeRow = regexp.MustCompile(`(?s)<tr><th scope="row">(\w+)</th><td data-name="Opens">\S+ → (\S+)</td><td data-name="Due">\S+ → (\S+)</td><td data-name="Closes">\S+ → (\S+)</td>`)

func TestAMoveIsPreviewedAsItThenHappensAndBackAgain(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	o.Submit(t, p.ID, "C1D1", 1)
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	before := o.windows(t, p.ID)
	path := "/desk/participants/" + string(p.ID) + "/cycles/3"
	due := testkit.Cycle1 + 42
	preview := anna.get(path+"?on="+(due+7).String()).says(t, 200, "What would change (15)")
	if o.windows(t, p.ID)["C3D1"] != before["C3D1"] {
		t.Fatal("the preview moved something")
	}
	anna.post(path, "on", (due+7).String(), "seq", preview.field(t, "seq"), "event", preview.field(t, "event")).says(t, 400, "say why; the record keeps it")
	anna.post(path, "on", (due + 7).String(), "reason", "neutropenia", "seq", preview.field(t, "seq"), "event", preview.field(t, "event")).done(t)
	after := o.windows(t, p.ID)
	rows := changeRow.FindAllStringSubmatch(preview.page, -1)
	for _, m := range rows {
		if want := m[2] + " " + m[3] + " " + m[4]; !strings.HasPrefix(after[m[1]], want) {
			t.Errorf("%s: the preview said %s, it is %s", m[1], want, after[m[1]])
		}
	}
	moved := 0
	for visit, now := range after {
		if now != before[visit] {
			moved++
		}
	}
	if moved != len(rows) || after["C1D1"] != before["C1D1"] {
		t.Errorf("%d windows moved, the preview had %d; C1D1 is %s", moved, len(rows), after["C1D1"])
	}
	anna.get("/desk/participants/"+string(p.ID)).says(t, 200, "neutropenia", "anna, coordinator")
	back := anna.get(path + "?on=" + due.String())
	anna.post(path, "on", due.String(), "reason", "recovered", "seq", back.field(t, "seq"), "event", back.field(t, "event")).done(t)
	for visit, now := range o.windows(t, p.ID) {
		if now != before[visit] {
			t.Errorf("%s is %s, not %s", visit, now, before[visit])
		}
	}
}

func TestAMoveThatMakesAVisitMissedWarnsFirst(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 25).UTC()) // C2D1 is open
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	path := "/desk/participants/" + string(p.ID) + "/cycles/2"
	early := (testkit.Cycle1 + 15).String()
	preview := anna.get(path+"?on="+early).says(t, 200, "Visit C2D1 is overdue now and would be missed.")
	anna.post(path, "on", early, "reason", "given early", "seq", preview.field(t, "seq")).says(t, 400, "would be missed")
	anna.post(path, "on", early, "reason", "given early", "seq", preview.field(t, "seq"), "confirm", "1").done(t)
}

func TestTwoAtOnceOneGetsAPageThatKeepsWhatSheTyped(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna, ben := o.at(t, "anna", study.RoleCoordinator, testkit.Site), o.at(t, "ben", study.RoleCoordinator, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	cycle := anna.get(person + "/cycles/3?on=2026-04-20")
	paper := anna.get(person + "/visits/C1D1/paper")
	facts := ben.get(person)
	ben.post(person+"/facts", "kind", "first_dose", "on", "2026-03-02", "seq", facts.field(t, "seq")).done(t)

	anna.post(person+"/cycles/3", "on", "2026-04-20", "reason", "words that took long", "seq", cycle.field(t, "seq")).
		says(t, 409, "Somebody else has changed this record", "ben, coordinator", "fact recorded", "words that took long", `value="2026-04-20"`)
	typed := []string{"form", paper.field(t, "form"), "seq", paper.field(t, "seq"), "on", "2026-03-01", "mode", "paper_transcribed", "assistance", "none", "reason", "her phone broke"}
	for _, item := range factb.FACTB.Items {
		typed = append(typed, "item."+item.Code, "3")
	}
	again := anna.post(person+"/visits/C1D1/paper", typed...).says(t, 409, "Somebody else has changed this record", "her phone broke")
	if n := strings.Count(again.page, `value="3"`); n != 37 {
		t.Errorf("%d of 37 answers are kept", n)
	}
	for i, v := range typed {
		if v == "seq" {
			typed[i+1] = again.field(t, "seq")
		}
	}
	anna.post(person+"/visits/C1D1/paper", typed...).done(t)
}

func TestAWrongDeathIsRetractedAndEverythingIsBack(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 22).UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	before := o.windows(t, p.ID)
	person := "/desk/participants/" + string(p.ID)
	page := anna.get(person)
	anna.post(person+"/facts", "kind", "deceased", "on", "2026-03", "reason", "the family called", "seq", page.field(t, "seq")).done(t)
	page = anna.get(person).says(t, 200, "deceased")
	if got := o.windows(t, p.ID); !strings.HasSuffix(got["C2D1"], "not_expected") {
		t.Errorf("C2D1 is %s", got["C2D1"])
	}
	anna.post(person+"/facts/retract", "fact", page.field(t, "fact"), "reason", "another patient", "seq", page.field(t, "seq")).done(t)
	for visit, now := range o.windows(t, p.ID) {
		if now != before[visit] {
			t.Errorf("%s is %s, not %s", visit, now, before[visit])
		}
	}
	anna.get(person).says(t, 200, "retracted", "another patient", "the family called")
}

func TestPaperIsEnteredByOneAndVerifiedByAnother(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 23).UTC())
	anna, ines := o.at(t, "anna", study.RoleCoordinator, testkit.Site), o.at(t, "ines", study.RoleInvestigator, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	page := anna.get(person+"/visits/C2D1/paper").says(t, 200, "The day that counts is the day on the paper")
	typed := []string{"form", page.field(t, "form"), "event", page.field(t, "event"), "seq", page.field(t, "seq"), "on", (testkit.Cycle1 + 21).String(), "at", "09:30", "mode", "paper_transcribed", "assistance", "read_aloud", "reason", "no phone"}
	for i, item := range factb.FACTB.Items {
		value := fmt.Sprint(i % 5)
		switch item.Code {
		case "GS7":
			value = "q"
		case "GP3":
			value = "x"
		}
		typed = append(typed, "item."+item.Code, value)
	}
	wrong := append([]string{}, typed...)
	wrong[len(wrong)-1] = "7"
	anna.post(person+"/visits/C2D1/paper", wrong...).says(t, 400, "Item P2", "Nothing was stored")
	to := anna.post(person+"/visits/C2D1/paper", typed...).done(t).header.Get("Location")
	form, _, _ := strings.Cut(to, "?")
	anna.post(person+"/visits/C2D1/paper", typed...).done(t) // the same form sent twice is one form
	anna.post(form+"/verify", "password", password).says(t, 403, "Ask a second person")
	ines.post(form+"/verify", "password", "not this one at all").says(t, 400, "this is not your password")
	ines.post(form+"/verify", "password", password).done(t)
	ines.get(form).says(t, 200, "verified", "signed: approves transcription", "read aloud")
	now, err := o.Participant(t.Context(), o.System, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	forms := now.AtVisit("C2D1").Submissions
	if len(forms) != 1 || forms[0].Answers.Count() != 35 || study.DateOf(forms[0].CompletedAt.Time()) != testkit.Cycle1+21 {
		t.Errorf("got %+v", forms)
	}
}

func TestAHeldFormIsDecidedAndAFormIsCorrectedAndVoidedUnderSignature(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 2).UTC())
	sent := testkit.Form(p.ID, "C1D1", "11111111-1111-4111-8111-111111111111", o.Clock.Now(), testkit.Answers(1))
	if _, err := o.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, sent); err != nil {
		t.Fatal(err)
	}
	ines := o.at(t, "ines", study.RoleInvestigator, testkit.Site)
	ines.get("/desk").says(t, 200, "Held forms (1)", "completed after its window closed")
	form := "/desk/participants/" + string(p.ID) + "/forms/" + string(sent.ID)
	page := ines.get(form).says(t, 200, "It waits because")
	ines.post(form+"/decide", "accept", "yes", "seq", page.field(t, "seq")).says(t, 400, "say why")
	ines.post(form+"/decide", "accept", "yes", "reason", "she was in surgery", "seq", page.field(t, "seq")).done(t)
	ines.get("/desk").says(t, 200, "Held forms (0)")

	page = ines.get(form).says(t, 200, "counts")
	typed := []string{"cause", "entry_error", "reason", "as she said", "seq", page.field(t, "seq")}
	for _, item := range factb.FACTB.Items {
		typed = append(typed, "item."+item.Code, testkit.Answers(2)[item.Code])
	}
	before := o.tip(t, p.ID)
	ines.post(form+"/correct", append(typed, "password", "wrong")...).says(t, 400, "Nothing was signed and nothing was changed", "as she said")
	if o.tip(t, p.ID) != before {
		t.Error("something was recorded without a signature")
	}
	ines.post(form+"/correct", append(typed, "password", password)...).done(t)
	page = ines.get(form).says(t, 200, "signed: responsible for correction", "was "+testkit.Answers(1)["GP1"])
	ines.post(form+"/void", "cause", "test", "reason", "a test", "seq", page.field(t, "seq")).says(t, 400, "Nothing was signed")
	ines.post(form+"/void", "cause", "test", "reason", "a test", "seq", page.field(t, "seq"), "password", password).done(t)
	ines.get(form).says(t, 200, "void", "signed: responsible for voiding")
}

func TestTheLetterHasTheCodeAndTheCodeOpensTheApp(t *testing.T) {
	o := newOffice(t)
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	page := anna.get("/desk/participants/new").says(t, 200)
	to := anna.post("/desk/participants/new", "event", page.field(t, "event"), "site", "S01", "number", "007", "regimen", "eribulin", "language", "zh", "time_zone", testkit.Zone,
		"cycle1_on", "2026-03-02", "consent_on", "2026-02-20", "form_version", "2.0", "access", "phone").done(t).header.Get("Location")
	person, _, _ := strings.Cut(to, "?")
	anna.get("/desk").says(t, 200, "Enrolled, never activated (1)")
	letter := anna.post(person+"/code").says(t, 200, "在您的手机上填写问卷", "http://localhost/app", `<svg class="qr"`)
	code := regexp.MustCompile(`class="code">([0-9A-Z-]+)<`).FindStringSubmatch(letter.page)
	if code == nil || letter.header.Get("Cache-Control") == "public" {
		t.Fatal("no code on the letter")
	}
	bad := anna.post("/desk/participants/new", "site", "S01", "number", "007", "regimen", "x", "language", "zh", "time_zone", "Mars", "cycle1_on", "2026-03-02")
	bad.says(t, 400, "Regimen", "Time zone", `value="Mars"`)
}

func TestAListLeavesAsAFileAndTheRecordSaysSo(t *testing.T) {
	o := newOffice(t)
	o.Enrol(t, "=1+1")
	o.Enrol(t, "-5")
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	got := anna.get("/desk/participants?status=enrolled&sort=number&format=csv").says(t, 200)
	if !strings.Contains(got.page, "\n'-5,") || !strings.Contains(got.page, "\n'=1+1,") || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("got %s", got.page)
	}
	anna.get("/desk/completion?format=csv").says(t, 200)
	events, _, err := o.Audit(t.Context(), o.Admin, study.Place{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, e := range events {
		if e.Type == "data_exported" {
			seen = append(seen, string(e.Payload))
		}
	}
	if len(seen) != 2 || !strings.Contains(seen[0], `"rows":"2"`) || !strings.Contains(seen[0], `"sha256"`) || !strings.Contains(seen[0], `"status":"enrolled"`) {
		t.Errorf("the record says %q", seen)
	}
}

func TestSiteFilterAndOrderAreRemembered(t *testing.T) {
	o := newOffice(t)
	o.Enrol(t, "001")
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site, testkit.OtherSite)
	anna.get("/desk?site=S02").says(t, 200, "Morning · S02")
	anna.get("/desk").says(t, 200, "Morning · S02")
	anna.get("/desk/participants?site=S01&status=enrolled&sort=closes").says(t, 200, "1 to 1 of 1")
	anna.get("/desk/participants").says(t, 200, "Participants · S01", `<option value="enrolled" selected>`, `<option value="closes" selected>`)
	again := o.seat(t)
	again.post("/desk/sign-in", "username", "anna", "password", password).done(t)
	again.get("/desk/participants").says(t, 200, "Participants · S01", `<option value="closes" selected>`)
}

func TestAMonitorReadsAndChangesNothing(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	form := o.Submit(t, p.ID, "C1D1", 1).SubmissionID
	mona := o.at(t, "mona", study.RoleMonitor, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	mona.get(person+"/forms/"+string(form)).says(t, 200, "Scores")
	before := o.tip(t, p.ID)
	for _, path := range []string{"/code", "/facts", "/cycles/2", "/visits/C2D1/not-done", "/visits/C2D1/paper", "/forms/" + string(form) + "/void",
		"/details", "/consent", "/transfer", "/performance-status", "/devices/remove"} {
		mona.post(person+path, "kind", "deceased", "on", "2026-03-02", "reason", "x", "password", password, "cause", "test", "form", o.NewID(),
			"site", "S02", "confirm", "1", "form_version", "2", "language", "zh", "visit", "C1D1", "ecog", "1").says(t, http.StatusForbidden)
	}
	if o.tip(t, p.ID) != before {
		t.Error("something was recorded")
	}
	for _, button := range []string{"New code and letter", "Record a fact", "Move<"} {
		if strings.Contains(mona.get(person).page, button) {
			t.Errorf("the page offers %q", button)
		}
	}
}

func TestACallIsLoggedFromTheMorningPageAndSettlesTheTask(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 26).UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	page := anna.get("/desk").says(t, 200, "To telephone (1)", "Log the call")
	anna.post("/desk/participants/"+string(p.ID)+"/contacts", "event", page.field(t, "event"), "assessment", string(study.AssessmentFor(p.ID, "C2D1")), "back", "/desk",
		"channel", "phone", "outcome", "no_answer", "note", "rang twice", "next_on", (testkit.Cycle1 + 27).String()).done(t)
	anna.get("/desk").says(t, 200, "To telephone (0)")
	anna.get("/desk/participants/"+string(p.ID)).says(t, 200, "rang twice", "no answer", "anna, coordinator")
	o.Clock.Set((testkit.Cycle1 + 27).UTC())
	anna = o.at(t, "anna2", study.RoleCoordinator, testkit.Site)
	anna.get("/desk").says(t, 200, "To telephone (1)", "rang twice")
	anna.post("/desk/participants/"+string(p.ID)+"/contacts", "channel", "pigeon", "outcome", "reached").says(t, 400, "Channel")
}

func TestAnAlertIsAcknowledgedWithANote(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 3).UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	anna.get("/desk").says(t, 200, `class="badge">1<`, "over 24 h")
	page := anna.get("/desk/alerts").says(t, 200, "escalated", "missed")
	anna.post("/desk/alerts", "alert", page.field(t, "alert"), "note", "").says(t, 400, "say what you found")
	anna.post("/desk/alerts", "alert", page.field(t, "alert"), "event", page.field(t, "event"), "note", "she was in surgery").done(t)
	anna.get("/desk/alerts").says(t, 200, "No alert.")
	anna.get("/desk/alerts?state=acknowledged").says(t, 200, "she was in surgery", "anna, coordinator")
	anna.get("/desk").says(t, 200, "Alerts (0)")
	anna.post("/desk/participants/"+string(p.ID)+"/visits/C1D1/not-done", "reason", "too_ill", "health_related", "yes").done(t)
	anna.get("/desk").says(t, 200, "Missed, no reason yet (0)")
	anna.get("/desk/completion?view=table").says(t, 200, "missed, with a reason")
}

func TestASilentPhoneAndAnUnsentFormAreOnTheDevicesPage(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	code, err := o.Do(t.Context(), study.Request{By: o.Coordinator}, p.ID, study.IssueCode{ExpiresAt: study.InstantOf(o.Clock.Now().Add(time.Hour))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, study.BindPhone{Code: code.Event}); err != nil {
		t.Fatal(err)
	}
	if err := o.RegisterDevice(t.Context(), testkit.Phone(p.ID), study.Registration{ID: "d1", Platform: "android", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: "token"}}); err != nil {
		t.Fatal(err)
	}
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	anna.get("/desk/devices").says(t, 200, "Every phone has been heard of lately")
	o.Clock.Set((testkit.Cycle1).UTC())
	anna = o.at(t, "anna2", study.RoleCoordinator, testkit.Site)
	anna.get("/desk/devices").says(t, 200, "001", "1 registered")
	if err := o.KeepProgress(t.Context(), testkit.Phone(p.ID), study.AssessmentFor(p.ID, "C1D1"), study.Progress{Answered: 37, Unsent: 1}); err != nil {
		t.Fatal(err)
	}
	anna.get("/desk/devices").says(t, 200, `class="tag bad">1<`)
	anna.get("/desk/completion").says(t, 200, "001 C1D1: in progress")
	o.Submit(t, p.ID, "C1D1", 1)
	anna.get("/desk/devices").says(t, 200, "Every phone has been heard of lately")
}

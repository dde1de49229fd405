package web_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

var adminPages = []string{"/admin", "/admin/staff", "/admin/sites", "/admin/sites/S01", "/admin/wording", "/admin/devices", "/admin/protocol", "/admin/audit"}

// staffPath is the page of an account.
func (o *office) staffPath(t testing.TB, name string) string {
	t.Helper()
	staff, err := o.StaffByUsername(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return "/admin/staff/" + string(staff.ID)
}

func TestTheAdministratorsPagesAreForTheRolesOfTheTable(t *testing.T) {
	o := newOffice(t)
	open := map[study.Role]string{study.RoleInvestigator: "/admin/sites /admin/sites/S01 /admin/protocol", study.RoleCoordinator: "/admin/sites /admin/sites/S01 /admin/protocol",
		study.RoleMonitor: "/admin/sites /admin/sites/S01 /admin/devices /admin/protocol /admin/audit", study.RoleAnalyst: "/admin/protocol", study.RoleAdmin: strings.Join(adminPages, " ")}
	menu := map[study.Role]string{study.RoleInvestigator: "Sites", study.RoleMonitor: "Audit", study.RoleAnalyst: "Analysis", study.RoleAdmin: "Wording", study.RoleCoordinator: "Morning"}
	o.at(t, "target", study.RoleAnalyst)
	writes := []string{"/admin/staff", o.staffPath(t, "target"), o.staffPath(t, "target") + "/letter", o.staffPath(t, "target") + "/sessions", "/admin/sites", "/admin/sites/S01",
		"/admin/sites/S01/contact", "/admin/sites/S01/closing", "/admin/wording", "/admin/wording/acme-en@1"}
	for role, paths := range open {
		var sites []study.SiteCode
		if role != study.RoleAdmin && role != study.RoleAnalyst {
			sites = []study.SiteCode{testkit.Site}
		}
		s := o.at(t, string(role), role, sites...)
		for _, path := range adminPages {
			got := s.get(path)
			want := http.StatusForbidden
			if strings.Contains(paths+" ", path+" ") {
				want = http.StatusOK
			}
			if got.status != want {
				t.Errorf("%s reads %s: %d, want %d", role, path, got.status, want)
			}
		}
		if home := s.get("/desk/account"); !strings.Contains(home.page, ">"+menu[role]+"<") && !strings.Contains(home.page, ">"+menu[role]+" <") {
			t.Errorf("%s has no entry %s", role, menu[role])
		}
		if role == study.RoleAdmin {
			continue
		}
		for _, path := range writes {
			if got := s.post(path, "username", "eve", "role", "admin", "reason", "x", "closed", "yes", "code", "S07", "phone", "12345", "do", "disable"); got.status != http.StatusForbidden {
				t.Errorf("%s writes %s: %d", role, path, got.status)
			}
		}
	}
	if site, err := o.Site(t.Context(), o.Admin, testkit.Site); err != nil || site.Closed || site.Phone != "" {
		t.Errorf("something was stored: %+v, %v", site, err)
	}
}

var letterCode = regexp.MustCompile(`class="code">([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})<`)

func TestAnAccountIsOpenedByALetterAndItsOwnerChoosesThePassword(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	page := root.get("/admin/staff").says(t, 200, "Open an account")
	typed := []string{"username", "carla", "role", "coordinator", "site", "S01", "access_until", "2027-12-31", "event", page.field(t, "event")}
	root.post("/admin/staff", typed...).says(t, 400, "say why", `value="carla"`, `value="S01" checked`, `value="coordinator" selected`)
	letter := root.post("/admin/staff", append(typed, "reason", "delegation log 7")...).says(t, 200, "Your account for the study", "carla", "http://localhost/desk/join", `<svg class="qr"`)
	if letter.header.Get("Cache-Control") != "no-store" {
		t.Error("a browser may keep the letter")
	}
	code := letterCode.FindStringSubmatch(letter.page)
	if code == nil {
		t.Fatal("no code on the letter")
	}
	root.post("/admin/staff", append(typed, "reason", "delegation log 7")...).says(t, 409, "shown once")
	carla := o.seat(t)
	carla.get("/desk/join").says(t, 200, "Choose your password")
	carla.post("/desk/join", "code", code[1], "password", password, "again", "another one entirely").says(t, 400, "The two passwords differ", code[1])
	carla.post("/desk/join", "code", "0000-0000-0000-0000", "password", password, "again", password).says(t, 403, "This code cannot be used")
	carla.post("/desk/join", "code", strings.ToLower(code[1]), "password", password, "again", password).says(t, 201, "<strong>carla</strong>")
	carla.post("/desk/join", "code", code[1], "password", password, "again", password).says(t, 403, "This code cannot be used")
	carla.post("/desk/sign-in", "username", "carla", "password", password).done(t)
	root.get(o.staffPath(t, "carla")).says(t, 200, `<p class="muted">coordinator · S01`, "delegation log 7", "staff invited", "password reset", "2027-12-31")
}

func TestALostPhoneIsMendedByALetterThatShutsTheOldWaysIn(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	carla := o.at(t, "carla", study.RoleCoordinator, testkit.Site)
	path := o.staffPath(t, "carla")
	page := root.get(path).says(t, 200, "Make sure that it is really carla who asks")
	root.post(path+"/letter", "seq", page.field(t, "seq")).says(t, 400, "say why")
	carla.get("/desk").says(t, 200) // nothing was done
	letter := root.post(path+"/letter", "seq", page.field(t, "seq"), "reason", "lost in a taxi").says(t, 200, "Your account for the study")
	carla.get("/desk").done(t) // to the sign-in page
	carla.post("/desk/sign-in", "username", "carla", "password", password).says(t, 403, "These details open no account")
	carla.post("/desk/join", "code", letterCode.FindStringSubmatch(letter.page)[1], "password", password+" anew", "again", password+" anew").says(t, 201)
	carla.post("/desk/sign-in", "username", "carla", "password", password+" anew").done(t)
	root.post(o.staffPath(t, "root")+"/letter", "reason", "x").says(t, 409, "This is your own account")
}

func TestAnAccountsRightsAreChangedAndItIsDisabledAndEnabled(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	carla := o.at(t, "carla", study.RoleCoordinator, testkit.Site)
	path := o.staffPath(t, "carla")
	page := root.get(path)
	rights := []string{"role", "investigator", "site", "S01", "site", "S02", "seq", page.field(t, "seq"), "event", page.field(t, "event")}
	root.postAll(path, rights...).says(t, 400, "say why", `value="investigator" selected`, `value="S02" checked`)
	root.postAll(path, append(rights, "reason", "promoted")...).done(t)
	carla.get("/desk?site=S02").says(t, 200, "Morning · S02")
	root.postAll(path, "role", "monitor", "site", "S01", "seq", page.field(t, "seq"), "reason", "late words").says(t, 409, "Somebody else has changed this record", "late words", "promoted")
	root.postAll(path, "role", "analyst", "site", "S01", "reason", "x").says(t, 400, "not bound to sites")

	root.post(path, "do", "disable", "reason", "").says(t, 400, "say why")
	root.post(path, "do", "disable", "reason", "left the hospital").done(t)
	carla.get("/desk").done(t)
	carla.post("/desk/sign-in", "username", "carla", "password", password).says(t, 403)
	root.get(path).says(t, 200, "disabled", "left the hospital", "Enable it first")
	root.post(path, "do", "enable", "reason", "came back").done(t)
	carla.post("/desk/sign-in", "username", "carla", "password", password).done(t)
	root.post(o.staffPath(t, "root"), "do", "disable", "reason", "x").says(t, 400, "you cannot disable your own account")
}

func TestSessionsOfAnAccountAreListedAndEnded(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	carla := o.at(t, "carla", study.RoleCoordinator, testkit.Site)
	o.Clock.Advance(1e9)
	carla.post("/desk/sign-out").done(t)
	carla.post("/desk/sign-in", "username", "carla", "password", password).done(t)
	other := o.seat(t)
	other.post("/desk/sign-in", "username", "carla", "password", password).done(t)
	path := o.staffPath(t, "carla")
	page := root.get(path).says(t, 200, "Sessions (2)")
	one := regexp.MustCompile(`<option value="([^"]{10,})">the one since`).FindAllStringSubmatch(page.page, -1)
	root.post(path+"/sessions", "session", one[0][1]).says(t, 400, "say why")
	root.post(path+"/sessions", "session", one[0][1], "reason", "an open tablet").done(t)
	root.get(path).says(t, 200, "Sessions (1)", "sessions ended", "an open tablet")
	root.post(path+"/sessions", "session", "", "reason", "all of them").done(t)
	root.get(path).says(t, 200, "Nobody is signed in")
	carla.get("/desk").done(t)
	other.get("/desk").done(t)
}

func TestASiteIsOpenedChangedClosedAndOpenedAgain(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	root.post("/admin/sites", "code", "s9", "name", "Ninth", "time_zone", "Mars", "language", "zh").says(t, 400, "upper-case", "IANA zone", `value="Ninth"`)
	root.post("/admin/sites", "code", "S09", "name", "Ninth", "time_zone", "Asia/Shanghai", "language", "zh").done(t)
	site := "/admin/sites/S09"
	page := root.get(site).says(t, 200, "Ninth", "Close to new participants", "An investigator of the site locks")
	seq := page.field(t, "seq")
	root.post(site, "name", "Ninth hospital", "time_zone", "Asia/Urumqi", "language", "en", "seq", seq, "reason", "it moved").done(t)
	root.post(site, "name", "Tenth", "time_zone", "Asia/Tokyo", "language", "zh", "seq", seq, "reason", "late words").
		says(t, 409, "Somebody else has changed this record", "it moved", "late words", `value="Tenth"`, `value="Asia/Tokyo"`)
	root.post(site+"/contact", "phone", "call me").says(t, 400, "4 to 40 digits", `value="call me"`)
	root.post(site+"/contact", "phone", "+86 21 5555 0100").done(t)
	root.post(site+"/closing", "closed", "yes").says(t, 400, "say why")
	root.post(site+"/closing", "closed", "yes", "reason", "recruitment has ended").done(t)
	root.get("/admin/sites").says(t, 200, "closed to new ones", "86 21 5555 0100")
	anna := o.at(t, "anna", study.RoleCoordinator, "S09")
	o.Clock.Advance(1e10) // a site is read anew after some seconds
	anna.post("/desk/participants/new", "site", "S09", "number", "1", "regimen", "eribulin", "language", "zh", "time_zone", "Asia/Urumqi", "cycle1_on", "2026-03-02",
		"consent_on", "2026-02-20", "form_version", "1").says(t, 409, "closed and takes nobody in", `value="2026-03-02"`)
	root.get(site).says(t, 200, "Open again", "Name: Ninth → Ninth hospital", "Time zone: Asia/Shanghai → Asia/Urumqi", "site closed", "recruitment has ended")
	root.post(site+"/closing", "closed", "no", "reason", "an amendment").done(t)
	root.get(site).says(t, 200, "site reopened", "an amendment")
}

// upload sends the form with a file.
func (s *seat) upload(path string, file []byte, pairs ...string) answer {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	if file != nil {
		part, err := form.CreateFormFile("pack", "acme.json")
		if err != nil {
			s.t.Fatal(err)
		}
		_, _ = part.Write(file)
	}
	_ = form.Close()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://localhost"+path, &body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Origin", "http://localhost")
	return s.send(req)
}

func TestAWordingPackIsCheckedBroughtInAndApprovedByASecondPerson(t *testing.T) {
	o := newOffice(t)
	root, rita := o.at(t, "root", study.RoleAdmin), o.at(t, "rita", study.RoleAdmin)
	pack := testkit.WordingPack("acme-en", "1", "en")
	root.upload("/admin/wording", nil, "do", "check").says(t, 400, "choose the file")
	root.upload("/admin/wording", []byte(`{"id":"x"}`), "do", "import").says(t, 400, "Report on acme.json", "The wording pack has", "faults", "Nothing was stored")
	root.upload("/admin/wording", bytes.Repeat([]byte("x"), 61<<10), "do", "check").says(t, 400, "Report on")
	root.upload("/admin/wording", testkit.WordingPack("acme-en", "1", "en", func(p map[string]any) { p["licence"].(map[string]any)["trial"] = "another" }), "do", "check").
		says(t, 400, "the licence has to be for this study")
	root.upload("/admin/wording", pack, "do", "check").says(t, 200, "No fault was found. Nothing was stored yet.", "made-up words for GP1", "None: forms show demonstration labels")
	page := root.get("/admin/wording")
	to := root.upload("/admin/wording", pack, "do", "import", "event", page.field(t, "event"), "reason", "agreement 12").done(t).header.Get("Location")
	path, _, _ := strings.Cut(to, "?")
	mine := root.get(path).says(t, 200, "waiting", "You brought this pack in, so you cannot approve it", "made-up words for GP1")
	root.post(path, "approve", "yes", "confirm", "1", "seq", mine.field(t, "seq")).says(t, 403, "Ask a second administrator")
	rita.post(path, "approve", "yes").says(t, 400, "tick the box")
	rita.post(path, "approve", "yes", "confirm", "1", "seq", mine.field(t, "seq"), "reason", "read with the PDF").done(t)
	root.get("/admin/wording").says(t, 200, "in use", "2026-01-01 to 2030-12-31")
	root.post(path, "approve", "no", "seq", mine.field(t, "seq"), "reason", "long words").says(t, 409, "Somebody else has changed this record", "long words")
	root.post(path, "approve", "no").says(t, 400, "say why")
	root.post(path, "approve", "no", "reason", "a typing error in GP3").done(t)
	root.get(path).says(t, 200, "withdrawn", "a typing error in GP3", "read with the PDF", "rita, admin")
	events, err := o.AuditOf(t.Context(), o.Admin, study.StudyStream, 0)
	if err != nil || events[len(events)-3].Type != "wording_imported" || events[len(events)-3].Reason != "agreement 12" {
		t.Errorf("the record says %+v, %v", events, err)
	}
}

func TestPhonesAreCountedForAdministratorsAndKeysAreListed(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "SECRET-1")
	if err := o.RegisterDevice(t.Context(), testkit.Phone(p.ID), study.Registration{ID: "d1", Platform: "ios", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: "secret-token"}}); err != nil {
		t.Fatal(err)
	}
	root := o.at(t, "root", study.RoleAdmin)
	got := root.get("/admin/devices").says(t, 200, "S01", "ios", "fcm token", "signs now").page
	if strings.Contains(got, "SECRET-1") || strings.Contains(got, "secret-token") || strings.Contains(got, string(p.ID)) {
		t.Error("the page names somebody")
	}
	if got := o.at(t, "mona", study.RoleMonitor, testkit.OtherSite).get("/admin/devices").says(t, 200, "No phone has registered"); strings.Contains(got.page, "signs now") {
		t.Error("a monitor sees keys, or another site's phones")
	}
}

func TestTheAuditIsSearchedByKindPersonRecordWordsAndDaysPageByPage(t *testing.T) {
	o := newOffice(t)
	root := o.at(t, "root", study.RoleAdmin)
	p := o.Enrol(t, "001")
	for i := range 130 {
		if _, err := o.Do(t.Context(), study.Request{By: o.Coordinator}, p.ID, study.RecordContact{Channel: "phone", Outcome: "no_answer", Note: "attempt " + string(rune('a'+i%26))}); err != nil {
			t.Fatal(err)
		}
	}
	today := study.DateOf(o.Clock.Now().UTC())
	first := root.get("/admin/audit?kind=contact_recorded").says(t, 200, "100 of", "Go on searching", `<option value="contact_recorded" selected>`)
	rows := strings.Count(first.page, `data-name="Record"`)
	next := regexp.MustCompile(`href="(/admin/audit\?[^"]*)">Go on`).FindStringSubmatch(first.page)
	second := root.get(strings.ReplaceAll(next[1], "&amp;", "&")).says(t, 200)
	if rows+strings.Count(second.page, `data-name="Record"`) != 130 || strings.Contains(second.page, "Go on searching") {
		t.Errorf("%d and %d rows of 130", rows, strings.Count(second.page, `data-name="Record"`))
	}
	for filter, want := range map[string]int{"words=attempt+b": 5, "record=site/S0": 2, "kind=participant_enrolled": 1, "who=root&kind=staff_created": 0,
		"since=" + (today + 1).String(): 0, "till=" + (today - 1).String(): 0} {
		got := root.get("/admin/audit?" + filter)
		if n := strings.Count(got.says(t, 200).page, `data-name="Record"`); n != want {
			t.Errorf("%s finds %d, want %d", filter, n, want)
		}
	}
	root.get("/admin/audit?since=yesterday").says(t, 400, "YYYY-MM-DD")
}

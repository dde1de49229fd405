package web_test

import (
	"strings"
	"testing"
	"time"

	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/study"
)

func (o *office) person(t testing.TB, id study.ParticipantID) *study.Participant {
	t.Helper()
	p, err := o.Participant(t.Context(), o.System, id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDetailsAreChangedWithAReasonAndARefusalKeepsWhatWasTyped(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	path := "/desk/participants/" + string(p.ID) + "/details"
	page := anna.get(path).says(t, 200, `value="001"`, `value="Asia/Shanghai"`)
	typed := []string{"number", "101", "language", "zh", "time_zone", "Mars/Base", "regimen", "eribulin", "access", "paper", "seq", page.field(t, "seq"), "event", page.field(t, "event")}
	anna.post(path, append(typed, "reason", "her words")...).says(t, 400, "IANA zone", `value="Mars/Base"`, `value="101"`, `value="her words"`, `<option value="paper" selected>`)
	typed[5] = "Asia/Urumqi"
	anna.post(path, typed...).says(t, 400, "say why; the record keeps it", `value="Asia/Urumqi"`)
	anna.post(path, append(typed, "reason", "moved house")...).done(t)
	if now := o.person(t, p.ID); now.Number != "101" || now.TimeZone != "Asia/Urumqi" || now.Access != study.AccessPaper {
		t.Errorf("got %s %s %s", now.Number, now.TimeZone, now.Access)
	}
	anna.get("/desk/participants/"+string(p.ID)).says(t, 200, "Number: 001 → 101", "Time zone: Asia/Shanghai → Asia/Urumqi", "moved house")
	other := o.Enrol(t, "102")
	fresh := anna.get(path)
	anna.post(path, "number", "102", "language", "zh", "time_zone", "Asia/Urumqi", "reason", "a slip", "seq", fresh.field(t, "seq")).says(t, 409, "another participant")
	if o.person(t, other.ID).Number != "102" || o.person(t, p.ID).Number != "101" {
		t.Error("two participants have one number")
	}
}

func TestEachFormOfThePageThatIsOutOfDateShowsWhatHappenedAndKeepsItsWords(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna, ben := o.at(t, "anna", study.RoleCoordinator, testkit.Site), o.at(t, "ben", study.RoleCoordinator, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	old := anna.get(person).field(t, "seq")
	ben.post(person+"/performance-status", "visit", "C1D1", "ecog", "1", "on", testkit.Cycle1.String()).done(t)
	today := testkit.Cycle1.String()
	for path, fields := range map[string][]string{
		"/details":              {"number", "777", "language", "en", "time_zone", "Asia/Tokyo", "reason", "long words"},
		"/consent":              {"on", today, "form_version", "3.1", "language", "en", "confirm", "1", "reason", "long words"},
		"/transfer":             {"site", "S02", "on", today, "reason", "long words"},
		"/performance-status":   {"visit", "C2D1", "ecog", "3", "on", today, "reason", "long words"},
		"/facts":                {"kind", "withdrawn", "on", today, "level", "trial", "reason", "long words"},
		"/cycles/3":             {"on", "2026-04-20", "reason", "long words"},
		"/visits/C1D1/not-done": {"reason", "other", "health_related", "no", "note", "long words"},
	} {
		page := anna.post(person+path, append(fields, "seq", old)...).says(t, 409, "Somebody else has changed this record", "ben, coordinator", "long words")
		for i := 0; i < len(fields); i += 2 {
			if name, v := fields[i], fields[i+1]; name != "confirm" && !strings.Contains(page.page, `value="`+v+`"`) && !strings.Contains(page.page, `value="`+v+`" selected`) {
				t.Errorf("%s lost %s", path, name)
			}
		}
	}
	if now := o.person(t, p.ID); len(now.Performance) != 1 || now.Number != "001" || len(now.Facts) != 0 {
		t.Errorf("something was stored: %+v", now)
	}
}

func TestAConsentIsRecordedOnlyWhenItsBoxIsTicked(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	path := "/desk/participants/" + string(p.ID) + "/consent"
	typed := []string{"on", testkit.Cycle1.String(), "form_version", "3.0", "language", "zh"}
	anna.post(path, typed...).says(t, 400, "cannot be taken back", `value="3.0"`)
	anna.post(path, append(typed, "confirm", "1")...).done(t)
	if now := o.person(t, p.ID); len(now.Consents) != 2 || now.Consents[1].FormVersion != "3.0" {
		t.Errorf("got %+v", now.Consents)
	}
	right := []string{"corrects", "1", "on", "2026-02-18", "form_version", "2.0", "language", "zh", "confirm", "1"}
	anna.post(path, right...).says(t, 400, "say why", `value="1" selected`, `value="2026-02-18"`)
	anna.post(path, append(right, "reason", "a slip of the pen")...).done(t)
	if now := o.person(t, p.ID); len(now.Consents) != 2 || now.Consents[0].On.String() != "2026-02-18" {
		t.Errorf("got %+v", now.Consents)
	}
}

func TestECOGIsRecordedAndRefusedWithWhatWasTyped(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	anna.post(person+"/performance-status", "visit", "C2D1", "ecog", "9", "on", "2026-03-02", "reason", "as seen").says(t, 400, "0 to 4", `value="as seen"`, `value="C2D1" selected`)
	anna.post(person+"/performance-status", "visit", "C2D1", "ecog", "2", "on", "2027-01-01").says(t, 400, "not in the future")
	anna.post(person+"/performance-status", "visit", "C1D1", "ecog", "2", "on", testkit.Cycle1.String()).done(t)
	anna.get(person).says(t, 200, `<td data-name="ECOG" class="num">2</td>`)
}

func TestATransferIsLookedAtFirstAndLeadsAwayFromTheRecord(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna, both := o.at(t, "anna", study.RoleCoordinator, testkit.Site), o.at(t, "both", study.RoleCoordinator, testkit.Site, testkit.OtherSite)
	path, today := "/desk/participants/"+string(p.ID)+"/transfer", testkit.Cycle1.String()
	anna.get(path).says(t, 200, "nothing moves before you confirm")
	anna.get(path+"?site=S99&on="+today).says(t, 400, "this site does not exist")
	both.get(path+"?site=s02&on="+today).says(t, 200, "You see S02 too")
	page := anna.get(path+"?site=S02&on="+today).says(t, 200, "You will not see her record any more")
	if o.person(t, p.ID).Site != testkit.Site {
		t.Fatal("the preview moved her")
	}
	typed := []string{"site", "S02", "on", today, "seq", page.field(t, "seq"), "event", page.field(t, "event")}
	anna.post(path, typed...).says(t, 400, "say why; the record keeps it")
	if got := anna.post(path, append(typed, "reason", "moved house")...).done(t).header.Get("Location"); !strings.HasPrefix(got, "/desk/participants?done=") {
		t.Errorf("it leads to %s", got)
	}
	anna.get("/desk/participants/"+string(p.ID)).says(t, 404)
	both.get("/desk/participants/"+string(p.ID)).says(t, 200, "Site S02", "moved house")
}

func TestAPhoneIsForgottenAndNoOtherSiteCanDoSo(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	if err := o.RegisterDevice(t.Context(), testkit.Phone(p.ID), study.Registration{ID: "d1", Platform: "ios", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: "secret-token"}}); err != nil {
		t.Fatal(err)
	}
	person := "/desk/participants/" + string(p.ID)
	o.at(t, "spy", study.RoleCoordinator, testkit.OtherSite).post(person+"/devices/remove", "device", "d1").says(t, 404)
	o.at(t, "mona", study.RoleMonitor, testkit.Site).post(person+"/devices/remove", "device", "d1").says(t, 403)
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	page := anna.get(person).says(t, 200, "Forget this phone", "ios")
	if strings.Contains(page.page, "secret-token") {
		t.Error("the page tells where the phone is reached")
	}
	anna.post(person+"/devices/remove", "device", page.field(t, "device")).done(t)
	if left, err := o.Devices(t.Context(), p.ID); err != nil || len(left) != 0 {
		t.Errorf("%v are left, %v", left, err)
	}
	anna.post(person+"/devices/remove", "device", "d1").says(t, 404, "no such device")
}

func TestAWrongReportOfDeathIsTakenBackFromThePage(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set((testkit.Cycle1 + 22).UTC())
	anna := o.at(t, "anna", study.RoleCoordinator, testkit.Site)
	person := "/desk/participants/" + string(p.ID)
	before := o.windows(t, p.ID)
	anna.post(person+"/contacts", "channel", "relative", "outcome", "reported_dead", "note", "her neighbour rang").done(t)
	anna.get(person).says(t, 200, "Reported dead, waiting for confirmation", "anna, coordinator logged it on", "her neighbour rang", "The report is wrong")
	anna.post(person+"/contacts", "channel", "pigeon", "outcome", "report_retracted", "note", "what I typed").says(t, 400, "Channel", `value="what I typed"`)
	anna.post(person+"/contacts", "channel", "phone", "outcome", "report_retracted", "note", "another patient").done(t)
	page := anna.get(person).says(t, 200, "another patient", "her neighbour rang")
	if strings.Contains(page.page, "waiting for confirmation") {
		t.Error("the report still waits")
	}
	for visit, now := range o.windows(t, p.ID) {
		if now != before[visit] {
			t.Errorf("%s is %s, not %s", visit, now, before[visit])
		}
	}
	anna.post(person+"/contacts", "channel", "phone", "outcome", "report_retracted").says(t, 400, "no report of death waits")
}

// Two forms of one page have a field of the same name; what was typed into one
// is not put into the other's mouth.
func TestARefusedCorrectionPutsNoWordsIntoTheOtherForms(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	form := o.Submit(t, p.ID, "C1D1", 1).SubmissionID
	ines := o.at(t, "ines", study.RoleInvestigator, testkit.Site)
	path := "/desk/participants/" + string(p.ID) + "/forms/" + string(form)
	typed := []string{"cause", "entry_error", "reason", "as she said", "password", "not this one at all"}
	for _, item := range factb.FACTB.Items {
		typed = append(typed, "item."+item.Code, "4")
	}
	page := ines.post(path+"/correct", typed...).says(t, 400, "Nothing was signed")
	if n := strings.Count(page.page, `value="as she said"`); n != 1 {
		t.Errorf("the reason stands in %d forms", n)
	}
	if n := strings.Count(page.page, `value="entry_error" selected`); n != 1 {
		t.Errorf("the cause stands in %d forms", n)
	}
	if n := strings.Count(page.page, `value="4"`); n != 37 {
		t.Errorf("%d of 37 answers are kept", n)
	}
	if strings.Contains(page.page, "not this one at all") {
		t.Error("the page repeats the password")
	}
	page = ines.post(path+"/void", "cause", "test", "reason", "a slip", "password", "not this one at all").says(t, 400, `<details class="pop" open><summary>Void`)
	if n := strings.Count(page.page, `value="a slip"`); n != 1 {
		t.Errorf("the reason stands in %d forms", n)
	}
}

func TestALockedSiteSaysSoOnEveryNewForm(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Cycle1.UTC())
	anna, ines := o.at(t, "anna", study.RoleCoordinator, testkit.Site), o.at(t, "ines", study.RoleInvestigator, testkit.Site)
	site := "/admin/sites/S01"
	page := ines.get(site).says(t, 200, "Lock the data", "I am responsible for locking")
	lock := []string{"lock", "yes", "seq", page.field(t, "seq"), "event", page.field(t, "event")}
	ines.post(site+"/lock", append(lock, "password", password)...).says(t, 400, "say why")
	ines.post(site+"/lock", append(lock, "reason", "interim analysis", "password", "wrong")...).says(t, 400, "Nothing was signed", `value="interim analysis"`)
	anna.post(site+"/lock", append(lock, "reason", "x", "password", password)...).says(t, 403, "An investigator of the site does")
	ines.post(site+"/lock", append(lock, "reason", "interim analysis", "password", password)...).done(t)
	o.Clock.Advance(10 * time.Second)
	person, today := "/desk/participants/"+string(p.ID), testkit.Cycle1.String()
	for path, fields := range map[string][]string{
		"/details": {"number", "9", "reason", "x"}, "/consent": {"on", today, "form_version", "3", "language", "zh", "confirm", "1"}, "/transfer": {"site", "S02", "on", today, "reason", "x"},
		"/performance-status": {"visit", "C1D1", "ecog", "1", "on", today},
	} {
		anna.post(person+path, fields...).says(t, 409, "The data of this site are locked")
	}
	page = ines.get(site).says(t, 200, "Unlock the data")
	ines.post(site+"/lock", "lock", "no", "seq", page.field(t, "seq"), "reason", "a query", "password", password).done(t)
	events, err := o.AuditOf(t.Context(), o.Admin, "site/S01", 0)
	if err != nil || events[len(events)-1].Signature != study.MeansUnlock || events[len(events)-2].Signature != study.MeansLock || events[len(events)-2].Reason != "interim analysis" {
		t.Errorf("the record says %+v, %v", events, err)
	}
}

package study_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

func TestEnrolmentNamesEveryFaultAtOnce(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	_, err := f.Service.Enrol(t.Context(), study.Request{By: f.Coordinator}, study.Enrol{Site: testkit.Site, Number: " 1", Regimen: "x", Language: "xx",
		TimeZone: "Mars/Base", Access: "pigeon", Consent: study.Consent{FormVersion: "\n"}})
	if study.CodeOf(err) != study.Invalid {
		t.Fatal(details(err))
	}
	for _, field := range []string{"number", "regimen", "language", "time_zone", "access", "cycle1_on"} {
		if !strings.Contains(details(err), "; "+field+": ") {
			t.Errorf("%s is not named in %s", field, details(err))
		}
	}
	bad := testkit.NewParticipant("1")
	bad.Consent, bad.Cycle1On = study.Consent{On: day("2026-02-21"), FormVersion: "\n", Language: "xx"}, consented
	_, err = f.Service.Enrol(t.Context(), study.Request{By: f.Coordinator}, bad)
	for _, words := range []string{"consent.on: consent cannot lie in the future", "consent.form_version", "consent.language", "before consent"} {
		if !strings.Contains(details(err), words) {
			t.Errorf("%q is not in %s", words, details(err))
		}
	}
	for name, change := range map[string]func(*study.Enrol){
		"site": func(e *study.Enrol) { e.Site = "S99" }, "another's site": func(e *study.Enrol) { e.Site = testkit.OtherSite },
		"far": func(e *study.Enrol) { e.Cycle1On += 300 }, "long ago": func(e *study.Enrol) { e.Cycle1On -= 800 },
	} {
		e := testkit.NewParticipant("1")
		change(&e)
		if _, err := f.Service.Enrol(t.Context(), study.Request{By: f.Coordinator}, e); study.CodeOf(err) != study.Invalid {
			t.Errorf("%s: %v", name, details(err))
		}
	}
	f.Enrol(t, "1") // none of these took the number
}

func TestANumberBelongsToOneParticipantOfASiteForEver(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "ab-1")
	enrol := func(site study.SiteCode, number string) error {
		e := testkit.NewParticipant(number)
		e.Site = site
		by := f.Coordinator
		if site != testkit.Site {
			by = f.Elsewhere
		}
		_, err := f.Service.Enrol(t.Context(), study.Request{By: by}, e)
		return err
	}
	do := func(id study.ParticipantID, c study.Command) error {
		_, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, id, c)
		return err
	}
	for _, number := range []string{"ab-1", "AB-1", "Ab-1"} {
		if err := enrol(testkit.Site, number); study.CodeOf(err) != study.Conflict {
			t.Errorf("%s: %v", number, details(err))
		}
	}
	if err := enrol(testkit.OtherSite, "ab-1"); err != nil {
		t.Errorf("at another site: %v", details(err))
	}
	if err := do(p.ID, study.ChangeParticipant{Number: "cd-2", Reason: "typed wrongly"}); err != nil {
		t.Fatal(details(err))
	}
	if err := enrol(testkit.Site, "ab-1"); study.CodeOf(err) != study.Conflict {
		t.Errorf("a number that was given up: %v", details(err))
	}
	if err := enrol(testkit.Site, "CD-2"); study.CodeOf(err) != study.Conflict {
		t.Errorf("a number that was taken over: %v", details(err))
	}
	for _, number := range []string{"ab-1", "AB-1"} { // its own number, back and in other letters
		if err := do(p.ID, study.ChangeParticipant{Number: number, Reason: "it was right"}); err != nil {
			t.Error(details(err))
		}
	}
	if err := do(p.ID, study.TransferTo{Site: testkit.OtherSite, On: consented, Reason: "moved"}); study.CodeOf(err) != study.Conflict {
		t.Errorf("to a site with that number: %v", details(err))
	}
	if err := do(p.ID, study.TransferTo{Site: "S99", On: consented, Reason: "moved"}); study.CodeOf(err) != study.Invalid {
		t.Errorf("to no site: %v", details(err))
	}
	q := f.Enrol(t, "q")
	if err := do(q.ID, study.TransferTo{Site: testkit.OtherSite, On: consented, Reason: "moved"}); err != nil {
		t.Fatal(details(err))
	}
	if err := do(q.ID, study.ChangeParticipant{Language: "zh", Reason: "x"}); study.CodeOf(err) != study.NotFound {
		t.Errorf("after the move the old site still writes: %v", details(err))
	}
	if err := enrol(testkit.OtherSite, "Q"); study.CodeOf(err) != study.Conflict {
		t.Errorf("the number at the new site: %v", details(err))
	}
}

func TestAParticipantHasOneOfSevenWords(t *testing.T) {
	fact := func(kind study.FactKind, level study.Level) study.RecordFact {
		return study.RecordFact{Kind: kind, On: study.PartialDate(cycle1.String()), Level: level, Reason: "x"}
	}
	r := enrolled(t)
	r.now = at(cycle1+5, "10:00")
	expect := func(want study.ParticipantStatus) {
		t.Helper()
		if got := r.p.Status(r.now); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	expect(study.StatusEnrolled)
	r.must(study.IssueCode{ExpiresAt: study.InstantOf(r.now.Add(time.Hour))})
	expect(study.StatusEnrolled)
	if _, err := r.do(testkit.Phone(personID), study.BindPhone{Code: r.p.Code.Event}); err != nil {
		t.Fatal(details(err))
	}
	expect(study.StatusActive)
	// Each of these outranks the ones before; taking it back shows them again.
	order := []struct {
		fact study.RecordFact
		want study.ParticipantStatus
	}{
		{fact(study.FactLost, ""), study.StatusActive}, {fact(study.FactTreatmentEnded, ""), study.StatusActive},
		{fact(study.FactEndOfFollowUp, ""), study.StatusCompleted}, {fact(study.FactWithdrawn, study.LevelNoFurtherUse), study.StatusWithdrawn},
		{fact(study.FactDeceased, ""), study.StatusDeceased}, {fact(study.FactEnrolledInError, ""), study.StatusExcluded},
	}
	var seqs []uint64
	for _, step := range order {
		r.must(step.fact)
		seqs = append(seqs, r.p.Seq)
		expect(step.want)
	}
	for i := len(order) - 1; i > 0; i-- {
		r.must(study.RetractFact{Seq: seqs[i], Reason: "error"})
		expect(order[i-1].want)
	}
	r.now = r.visit("W52").Window.ClosesAt().Time()
	expect(study.StatusCompleted)

	c := testkit.NewParticipant("2")
	c.Consent, c.Access = study.Consent{}, study.AccessPaper
	r = enrolledUnder(t, r.h, c)
	expect(study.StatusScreened)
	r.must(study.RecordConsent{Consent: study.Consent{On: consented, FormVersion: "1", Language: "en"}})
	expect(study.StatusActive) // on paper
	r.must(study.RecordFact{Kind: study.FactScreenFailure, On: "2026-02-19", Reason: "x"})
	expect(study.StatusExcluded)
}

func TestAStopEndsWhatClosesFromThatDayAndARetractionReopensIt(t *testing.T) {
	stop := cycle1 + 28 // C2D1 closes on this day
	r := enrolled(t)
	r.complete("C3D1", at(cycle1+40, "10:00"))
	r.now = at(cycle1+61, "10:00")
	before := map[string]study.AssessmentStatus{}
	for _, a := range r.p.Assessments {
		before[a.Visit] = r.status(a.Visit)
	}
	for _, f := range []study.RecordFact{withdrawal(stop), death(stop.String()), {Kind: study.FactEndOfFollowUp, On: study.PartialDate(stop.String()), Reason: "x"},
		{Kind: study.FactEnrolledInError, On: study.PartialDate(stop.String()), Reason: "x"}} {
		r.must(f)
		for _, a := range r.p.Assessments {
			want := study.Unexpected
			switch a.Visit {
			case "C1D1":
				want = study.Missed
			case "C3D1":
				want = study.Completed
			}
			if got := r.status(a.Visit); got != want {
				t.Errorf("after %s %s is %s, want %s", f.Kind, a.Visit, got, want)
			}
		}
		r.refuse(study.IssueCode{ExpiresAt: 1}, study.NotExpected)
		r.must(study.RetractFact{Seq: r.p.Seq, Reason: "error"})
		for visit, want := range before {
			if got := r.status(visit); got != want {
				t.Errorf("after the retraction of %s %s is %s, want %s", f.Kind, visit, got, want)
			}
		}
	}
	r.must(withdrawal(stop + 1)) // C2D1 had closed the day before
	if got := r.status("C2D1"); got != study.Missed {
		t.Errorf("C2D1 is %s", got)
	}
}

func TestFactsAreCheckedAndRecordedOnce(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+5, "10:00")
	for name, c := range map[string]study.RecordFact{
		"future":         withdrawal(cycle1 + 6),
		"no reason":      {Kind: study.FactWithdrawn, On: "2026-03-01", Level: study.LevelTrial},
		"no level":       {Kind: study.FactWithdrawn, On: "2026-03-01", Reason: "x"},
		"a level":        {Kind: study.FactDeceased, On: "2026-03-01", Level: study.LevelTrial, Reason: "x"},
		"partial":        {Kind: study.FactWithdrawn, On: "2026-03", Level: study.LevelTrial, Reason: "x"},
		"before consent": {Kind: study.FactFirstDose, On: "2026-02-19"},
		"no date":        {Kind: study.FactFirstDose},
		"no kind":        {Kind: "x", On: "2026-03-01"},
		"other day":      {Kind: study.FactFirstDose, On: "2026-03-02", At: study.InstantOf(at(cycle1+1, "00:10"))},
		"no drugs":       {Kind: study.FactRegimenChanged, On: "2026-03-02"},
	} {
		if done, err := r.do(r.staff, c); done || study.CodeOf(err) != study.Invalid {
			t.Errorf("%s: %v %v", name, done, details(err))
		}
	}
	r.must(death("2026-03"))
	if done, err := r.do(r.staff, death("2026-03")); done || err != nil {
		t.Errorf("the same again: %v, %v", done, details(err))
	}
	r.refuse(death("2026-03-04"), study.Conflict, "Retract")
	r.refuse(study.RetractFact{Seq: 99, Reason: "x"}, study.Invalid)
	r.refuse(study.RetractFact{Seq: r.p.Seq}, study.Invalid, "reason")
	r.refuse(study.RetractFact{Seq: r.p.Seq, Kinds: study.TreatmentFacts, Reason: "x"}, study.Invalid)
}

func TestTheRegimenAtTheFirstDoseFollowsCorrections(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+50, "10:00")
	expect := func(atDose, current string) {
		t.Helper()
		if r.p.RegimenAtDose != atDose || r.p.CurrentRegimen() != current {
			t.Fatalf("%q and %q, want %q and %q", r.p.RegimenAtDose, r.p.CurrentRegimen(), atDose, current)
		}
	}
	expect("", "capecitabine")
	r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate(cycle1.String())})
	expect("capecitabine", "capecitabine")
	r.must(study.ChangeParticipant{Regimen: "eribulin", Reason: "typed wrongly"})
	expect("eribulin", "eribulin")
	r.must(study.RecordFact{Kind: study.FactRegimenChanged, On: study.PartialDate((cycle1 + 30).String()), Drugs: []string{"gemcitabine", "carboplatin"}})
	expect("eribulin", "gemcitabine+carboplatin")
}

func TestECOGIsAWholeNumberFrom0To4AtAVisit(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+5, "10:00")
	for _, c := range []study.RateECOG{{Visit: "C1D1", ECOG: 5, On: cycle1}, {Visit: "C1D1", ECOG: -1, On: cycle1}, {Visit: "C99D1", On: cycle1},
		{Visit: "C1D1", On: cycle1 + 6}, {Visit: "C1D1"}} {
		r.refuse(c, study.Invalid)
	}
	r.must(study.RateECOG{Visit: "C1D1", ECOG: 4, On: cycle1})
	if p := r.p.Performance; len(p) != 1 || p[0].ECOG != 4 || p[0].Rater != r.staff.Ref() {
		t.Errorf("%+v", p)
	}
}

func TestAReasonForAMissingFormNeedsAMissingForm(t *testing.T) {
	r := enrolled(t)
	missing := func(visit string) study.CodeMissing {
		return study.CodeMissing{Assessment: study.AssessmentFor(personID, visit), Reason: "forgot", HealthRelated: study.Unknown}
	}
	r.complete("C2D1", at(cycle1+20, "10:00"))
	r.refuse(missing("C2D1"), study.Conflict)
	r.refuse(missing("C3D1"), study.WindowNotOpen)
	r.refuse(missing("C99D1"), study.NotFound)
	for _, change := range []func(*study.CodeMissing){
		func(c *study.CodeMissing) { c.Reason = "died" }, func(c *study.CodeMissing) { c.HealthRelated = "" },
		func(c *study.CodeMissing) { c.Reason = "other" }, func(c *study.CodeMissing) { c.Note = strings.Repeat("x", 2001) },
	} {
		c := missing("C1D1")
		change(&c)
		r.refuse(c, study.Invalid)
	}
	r.now = at(cycle1+40, "10:00")
	r.must(missing("C3D1"))
	if got := r.status("C3D1"); got != study.Open {
		t.Errorf("a reason closed the window: %s", got)
	}
	r.complete("C3D1", r.now)
	if r.visit("C3D1").NotDone == nil {
		t.Error("the reason is gone")
	}
}

func TestACodeIsIssuedOnlyAfterConsentAndWorksOnce(t *testing.T) {
	c := testkit.NewParticipant("1")
	c.Consent = study.Consent{}
	r := enrolledUnder(t, historyOf(t, first()), c)
	r.refuse(study.IssueCode{ExpiresAt: 1}, study.NotExpected, "consent")
	r.must(study.RecordConsent{Consent: study.Consent{On: consented, FormVersion: "1", Language: "en"}})
	expires := r.now.Add(time.Hour)
	r.must(study.IssueCode{ExpiresAt: study.InstantOf(expires)})
	old := r.p.Code.Event
	r.must(study.IssueCode{ExpiresAt: study.InstantOf(expires)})
	phone := testkit.Phone(personID)
	bind := func(code study.EventID) study.Code {
		_, err := r.do(phone, study.BindPhone{Code: code})
		if err == nil {
			return ""
		}
		return study.CodeOf(err)
	}
	if got := bind(old); got != study.Unauthenticated {
		t.Errorf("a code that another one replaced: %q", got)
	}
	r.now = expires
	if got := bind(r.p.Code.Event); got != study.Unauthenticated {
		t.Errorf("an expired code: %q", got)
	}
	r.now = expires.Add(-time.Millisecond)
	if got := bind(r.p.Code.Event); got != "" {
		t.Errorf("the code: %q", got)
	}
	if got := bind(r.p.Code.Event); got != study.Unauthenticated {
		t.Errorf("a code that was used: %q", got)
	}
}

func TestListsAreInOrderPagedAndOnlyOfOnesOwnSites(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	var want []string
	for i := range 7 {
		number := fmt.Sprintf("%03d", 7-i)
		f.Enrol(t, number)
		want = append([]string{number}, want...)
	}
	e := testkit.NewParticipant("000")
	e.Site = testkit.OtherSite
	if _, err := f.Service.Enrol(t.Context(), study.Request{By: f.Elsewhere}, e); err != nil {
		t.Fatal(details(err))
	}
	var got []string
	q := study.PeopleQuery{Limit: 3}
	for {
		page, more, err := f.Participants(t.Context(), f.Coordinator, q)
		if err != nil || more != (len(got)+len(page) < 7) {
			t.Fatalf("%d, %v, %v", len(page), more, err)
		}
		for _, p := range page {
			got = append(got, p.Number)
			q.After = p.Place()
		}
		if !more {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if page, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Site: testkit.OtherSite}); study.CodeOf(err) != study.NotFound {
		t.Errorf("another's site: %d, %v", len(page), err)
	}
	if page, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{Status: study.StatusActive}); err != nil || len(page) != 0 {
		t.Errorf("active: %d, %v", len(page), err)
	}
}

func TestASitesParticipantsCallTheNumberThatWasSet(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p, ctx := f.Enrol(t, "0101"), t.Context()
	line := func() string {
		t.Helper()
		phone, err := f.HelpLine(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return phone
	}
	if line() != "" {
		t.Errorf("a number that nobody set: %q", line())
	}
	for _, phone := range []string{"+86 21 5555 0100", "(030) 5555-0100", "112 5", ""} {
		if _, err := f.SetSiteContact(ctx, study.Request{By: f.Admin}, testkit.Site, phone); err != nil || line() != phone {
			t.Errorf("%q: %v, the line is %q", phone, err, line())
		}
	}
	for _, phone := range []string{"call me", "1", "<script>", "+", "12\n34", strings.Repeat("1", 41)} {
		if _, err := f.SetSiteContact(ctx, study.Request{By: f.Admin}, testkit.Site, phone); study.CodeOf(err) != study.Invalid {
			t.Errorf("%q: %v", phone, err)
		}
	}
	if _, err := f.SetSiteContact(ctx, study.Request{By: f.Coordinator}, testkit.Site, "5555"); study.CodeOf(err) != study.Forbidden {
		t.Errorf("a coordinator: %v", err)
	}
	if _, err := f.SetSiteContact(ctx, study.Request{By: f.Admin}, "S99", "5555"); study.CodeOf(err) != study.NotFound {
		t.Errorf("no such site: %v", err)
	}
}

func TestWhoLeftTheQuestionnairesMayLeaveTheTrialLater(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+30, "10:00")
	leave := func(level study.Level, on study.Date) study.RecordFact {
		return study.RecordFact{Kind: study.FactWithdrawn, Level: level, On: study.PartialDate(on.String()), Reason: "told us"}
	}
	r.must(leave(study.LevelQuestionnaires, cycle1+5))
	r.must(leave(study.LevelTrial, cycle1+20))
	r.refuse(leave(study.LevelTrial, cycle1+21), study.Conflict, "Retract")
	r.refuse(leave(study.LevelQuestionnaires, cycle1+21), study.Conflict, "Retract")
	if on := r.p.Stop().On.First(); on != cycle1+5 {
		t.Errorf("her part stopped on %s", on)
	}
	r.must(leave(study.LevelNoFurtherUse, cycle1+25))
	if f := r.p.Fact(study.FactWithdrawn); f.Level != study.LevelNoFurtherUse {
		t.Errorf("she stands at %s", f.Level)
	}
	r.must(study.RetractFact{Seq: r.p.Seq, Reason: "misunderstood"})
	if f := r.p.Fact(study.FactWithdrawn); f.Level != study.LevelTrial {
		t.Errorf("after the retraction she stands at %s", f.Level)
	}
}

// All that is known is the year, but not that she died before she was last seen.
func TestNobodyDiedBeforeTheFormThatSheFilled(t *testing.T) {
	r := enrolled(t)
	r.complete("C3D1", at(cycle1+40, "10:00"))
	r.now = at(cycle1+130, "10:00")
	r.must(death("2026"))
	for visit, want := range map[string]study.AssessmentStatus{"C1D1": study.Missed, "C2D1": study.Missed, "C3D1": study.Completed, "C4D1": study.Unexpected} {
		if got := r.status(visit); got != want {
			t.Errorf("%s is %s, want %s", visit, got, want)
		}
	}
	r.must(study.VoidForm{Form: r.visit("C3D1").Submissions[0].ID, Cause: study.CauseWrongPerson, Reason: "her sister's"})
	if got := r.status("C2D1"); got != study.Unexpected {
		t.Errorf("somebody else's form shows her alive: C2D1 is %s", got)
	}
	r.must(study.RecordCycle{N: 2, StartedOn: cycle1 + 21, Kind: study.CycleGiven})
	if c1, c2 := r.status("C1D1"), r.status("C2D1"); c1 != study.Missed || c2 != study.Unexpected {
		t.Errorf("with a dose on %s C1D1 is %s and C2D1 %s", cycle1+21, c1, c2)
	}
	r.must(study.RetractFact{Seq: r.p.Facts[0].Seq, Reason: "another year"})
	r.must(death("2026-02"))
	if on := r.p.StopsOn(r.p.Stop()); on != consented {
		t.Errorf("a dose after the month moves the day within it to %s", on)
	}
}

func TestTheCurrentRegimenIsTheLatestByItsDate(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+90, "10:00")
	change := func(on study.Date, drug string) {
		r.must(study.RecordFact{Kind: study.FactRegimenChanged, On: study.PartialDate(on.String()), Drugs: []string{drug}})
	}
	change(cycle1+60, "eribulin")
	change(cycle1+30, "gemcitabine") // found in the file only now
	if got := r.p.CurrentRegimen(); got != "eribulin" {
		t.Errorf("she is on %s", got)
	}
	if got := r.p.RegimenOn(cycle1 + 59); got != "gemcitabine" {
		t.Errorf("the day before she was on %s", got)
	}
	change(cycle1+60, "vinorelbine") // of one day the one recorded last
	if got := r.p.CurrentRegimen(); got != "vinorelbine" {
		t.Errorf("she is on %s", got)
	}
}

func TestAConsentRecordedWronglyIsCorrected(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1-2, "10:00")
	was := r.p.Consents[0]
	correct := func(n int, on study.Date) study.RecordConsent {
		c := was
		c.On = on
		return study.RecordConsent{Consent: c, Corrects: n, Reason: "typed wrongly"}
	}
	r.refuse(correct(0, consented-3), study.Invalid, "corrected")
	r.refuse(correct(2, consented-3), study.Invalid, "corrects")
	r.refuse(correct(-1, consented-3), study.Invalid, "corrects")
	r.refuse(correct(1, cycle1-1), study.Invalid, "future")
	r.refuse(study.RecordConsent{Consent: study.Consent{On: consented - 3, FormVersion: "2.0", Language: "en"}, Corrects: 1}, study.Invalid, "reason")
	r.must(correct(1, cycle1-3))
	if a := r.visit("C1D1"); a.Window.OpensOn != cycle1-3 {
		t.Errorf("the window opens on %s, before consent", a.Window.OpensOn)
	}
	r.must(correct(1, consented-3))
	if a := r.visit("C1D1"); r.p.ConsentedOn() != consented-3 || windowText(a) != span(cycle1, -7, 0) {
		t.Errorf("consented on %s, window %s", r.p.ConsentedOn(), windowText(a))
	}
	r.must(study.RecordConsent{Consent: study.Consent{On: consented, FormVersion: "3.0", Language: "en"}})
	r.refuse(correct(1, consented+1), study.Invalid, "later than a renewed")
	r.refuse(correct(2, consented-4), study.Invalid, "older than the first")
	if len(r.p.Consents) != 2 {
		t.Errorf("%+v", r.p.Consents)
	}
	r.must(study.RecordCycle{N: 1, StartedOn: consented + 2, Kind: study.CycleGiven, Reason: "earlier", Confirm: true})
	r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((consented - 1).String())})
	r.refuse(correct(1, consented), study.Invalid, "first dose")
}

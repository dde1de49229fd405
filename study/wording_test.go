package study_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// approval is a decision of a second person at the instant.
func approval(when time.Time) study.WordingDecision {
	return study.WordingDecision{Approve: true, At: study.InstantOf(when), By: study.ActorRef{Role: study.RoleAdmin, ID: "admin-2"}}
}

// packs is a study's list with one pack in it.
func packs(t failer, text []byte, decisions ...study.WordingDecision) study.WordingPacks {
	t.Helper()
	pack, hash, err := study.CheckWording(text)
	if err != nil {
		t.Fatalf("pack: %v", details(err))
	}
	return study.WordingPacks{{Pack: pack, Hash: hash, ImportedBy: study.System("test").Ref(), Decisions: decisions}}
}

// wordingWorld is a study with two administrators.
type wordingWorld struct {
	*testkit.Fixture
	t      *testing.T
	second study.Actor
}

func newWordingWorld(t *testing.T) *wordingWorld {
	return &wordingWorld{testkit.Study(t, testkit.SQLite(t)), t, testkit.Staff(study.RoleAdmin, "admin-2")}
}

func (w *wordingWorld) bring(text []byte) *study.WordingPack {
	w.t.Helper()
	_, pack, err := w.ImportWording(w.t.Context(), study.Request{By: w.Admin}, text)
	if err != nil {
		w.t.Fatal(details(err))
	}
	return pack
}

func (w *wordingWorld) decide(by study.Actor, pack string, approve bool) error {
	_, _, err := w.DecideWording(w.t.Context(), study.Request{By: by}, study.DecideWording{Pack: pack, Approve: approve, Reason: "read"})
	return err
}

// inUse brings a pack in and has it approved.
func (w *wordingWorld) inUse(id, version, lang string, changes ...func(map[string]any)) *study.WordingPack {
	w.t.Helper()
	pack := w.bring(testkit.WordingPack(id, version, lang, changes...))
	w.Clock.Advance(time.Minute)
	if err := w.decide(w.second, pack.Name(), true); err != nil {
		w.t.Fatal(details(err))
	}
	return pack
}

// shown is the name of the pack that is shown in the language, or the error's code.
func (w *wordingWorld) shown(lang string) string {
	w.t.Helper()
	text, err := w.Wording(w.t.Context(), testkit.Phone("x"), lang, "")
	if err != nil {
		return string(study.CodeOf(err))
	}
	return text.Pack
}

func (w *wordingWorld) status(name string) study.WordingStatus {
	w.t.Helper()
	st, pack, err := w.WordingPack(w.t.Context(), w.Admin, name)
	if err != nil {
		w.t.Fatal(details(err))
	}
	return st.WordingStatus(pack, study.InstantOf(w.Clock.Now()))
}

func until(last string) func(map[string]any) {
	return func(pack map[string]any) { pack["licence"].(map[string]any)["valid_to"] = last }
}

func from(first string) func(map[string]any) {
	return func(pack map[string]any) { pack["licence"].(map[string]any)["valid_from"] = first }
}

func TestAPackIsShownAfterASecondPersonApprovedIt(t *testing.T) {
	w := newWordingWorld(t)
	pack := w.bring(testkit.WordingPack("acme-en", "1", "en"))
	if w.status("acme-en@1") != study.WordingWaiting || w.shown("en") != "demo-1-en" {
		t.Errorf("%s, shown %s", w.status("acme-en@1"), w.shown("en"))
	}
	if err := w.decide(w.Admin, pack.Name(), true); study.CodeOf(err) != study.Forbidden || !strings.Contains(err.Error(), "second administrator") {
		t.Errorf("by the same person: %v", err)
	}
	for _, by := range []study.Actor{w.Coordinator, w.Investigator, w.Monitor, w.Analyst, testkit.Phone("x")} {
		if err := w.decide(by, pack.Name(), true); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s: %v", by.Role, err)
		}
	}
	if err := w.decide(w.second, "acme-en@2", true); study.CodeOf(err) != study.NotFound {
		t.Error(err)
	}
	if err := w.decide(w.second, pack.Name(), true); err != nil {
		t.Fatal(details(err))
	}
	text, err := w.Wording(t.Context(), testkit.Phone("x"), "en", "")
	if err != nil || !text.Licensed || text.Pack != "acme-en@1" || text.Hash != pack.Hash || text.Banner != "" || w.status("acme-en@1") != study.WordingInUse {
		t.Errorf("%+v, %v, %s", text, err, w.status("acme-en@1"))
	}
	if w.shown("zh") != "demo-1-zh" {
		t.Errorf("a reader of Chinese is shown %s", w.shown("zh"))
	}
	before := w.tip()
	if err := w.decide(w.second, pack.Name(), true); err != nil || w.tip() != before {
		t.Errorf("approved twice: %v, %d events more", err, w.tip()-before)
	}
	w.bring(testkit.WordingPack("acme-en", "1", "en"))
	if w.tip() != before {
		t.Error("the same pack again is an event")
	}
}

// tip is how many events the study's stream has.
func (w *wordingWorld) tip() uint64 {
	w.t.Helper()
	entries, err := w.Store.Stream(w.t.Context(), study.StudyStream, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return uint64(len(entries))
}

// Whoever brought a pack in at the server is no person of the study: one
// administrator is then the second.
func TestWhatTheServerBroughtInOneAdministratorApproves(t *testing.T) {
	w := newWordingWorld(t)
	if _, _, err := w.ImportWording(t.Context(), study.Request{By: study.System("wording")}, testkit.WordingPack("acme-en", "1", "en")); err != nil {
		t.Fatal(details(err))
	}
	if err := w.decide(study.System("wording"), "acme-en@1", true); study.CodeOf(err) != study.Forbidden {
		t.Errorf("the program approves: %v", err)
	}
	if err := w.decide(w.Admin, "acme-en@1", true); err != nil || w.shown("en") != "acme-en@1" {
		t.Errorf("%v, shown %s", err, w.shown("en"))
	}
}

func TestAnotherTextIsAnotherVersion(t *testing.T) {
	w := newWordingWorld(t)
	w.bring(testkit.WordingPack("acme-en", "1", "en"))
	_, _, err := w.ImportWording(t.Context(), study.Request{By: w.Admin}, testkit.WordingPack("acme-en", "1", "en", func(p map[string]any) { p["recall"] = "other" }))
	if study.CodeOf(err) != study.Conflict || !strings.Contains(err.Error(), "new version") {
		t.Error(err)
	}
	var indented []byte
	if indented, err = json.MarshalIndent(json.RawMessage(testkit.WordingPack("acme-en", "1", "en")), "", "   "); err != nil {
		t.Fatal(err)
	}
	before := w.tip()
	if w.bring(indented); w.tip() != before {
		t.Error("the same text laid out otherwise is another pack")
	}
}

func TestAPackOfAnotherStudyOrWithAnEndedLicenceIsRefused(t *testing.T) {
	w := newWordingWorld(t)
	licence := func(name, value string) func(map[string]any) {
		return func(p map[string]any) { p["licence"].(map[string]any)[name] = value }
	}
	for path, change := range map[string][]func(map[string]any){
		"licence.trial":    {licence("trial", "another")},
		"licence.valid_to": {until("2026-02-19")},
		"language":         {func(p map[string]any) { p["language"] = "de" }},
		"instrument":       {func(p map[string]any) { p["instrument"] = "fact-g"; withoutBCS(p) }},
	} {
		_, _, err := w.ImportWording(t.Context(), study.Request{By: w.Admin}, testkit.WordingPack("acme-en", "1", "en", change...))
		e, _ := study.AsError(err)
		if study.CodeOf(err) != study.Invalid || len(e.Fields) != 1 || e.Fields[0].Name != path {
			t.Errorf("%s: %v", path, details(err))
		}
	}
	_, _, err := w.ImportWording(t.Context(), study.Request{By: w.Admin}, testkit.WordingPack("acme-en", "1", "de", licence("trial", "x"), until("2026-02-19")))
	if e, ok := study.AsError(err); !ok || len(e.Fields) != 3 || !strings.Contains(e.Message, "3 faults") {
		t.Errorf("all at once: %v", details(err))
	}
	for _, by := range []study.Actor{w.Coordinator, w.Analyst, testkit.Phone("x")} {
		if _, _, err := w.ImportWording(t.Context(), study.Request{By: by}, nil); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s: %v", by.Role, err)
		}
	}
	if w.tip() != 1 {
		t.Error("something was recorded")
	}
}

// withoutBCS makes a pack of FACT-B one of FACT-G.
func withoutBCS(p map[string]any) {
	delete(p["sections"].(map[string]any), "BCS")
	items := p["items"].(map[string]any)
	for code := range items {
		if code[0] == 'B' || code == "P2" {
			delete(items, code)
		}
	}
}

func TestThePackApprovedLastIsShownWithinItsLicence(t *testing.T) {
	w := newWordingWorld(t)
	w.inUse("acme-en", "1", "en", until("2026-03-31"))
	w.inUse("acme-en", "2", "en", from("2026-03-01"))
	w.inUse("acme-gb", "1", "en-GB")
	for _, c := range []struct{ day, en, gb, one, two string }{
		{"2026-02-25", "acme-en@1", "acme-gb@1", "in_use", "not_yet"},
		{"2026-03-10", "acme-en@2", "acme-gb@1", "replaced", "in_use"},
		{"2026-04-01", "acme-en@2", "acme-gb@1", "expired", "in_use"},
		{"2031-01-01", "demo-1-en", "demo-1-en", "expired", "expired"},
	} {
		w.Clock.Set(at(day(c.day), "12:00"))
		if en, gb, one, two := w.shown("en"), w.shown("en-GB"), string(w.status("acme-en@1")), string(w.status("acme-en@2")); en != c.en || gb != c.gb || one != c.one || two != c.two {
			t.Errorf("%s: en %s, en-GB %s, first %s, second %s", c.day, en, gb, one, two)
		}
	}
}

func TestAWithdrawnPackIsShownToNobodyWhoBegins(t *testing.T) {
	w := newWordingWorld(t)
	pack := w.inUse("acme-en", "1", "en")
	w.inUse("acme-en", "2", "en")
	w.Clock.Advance(time.Minute)
	_, _, err := w.DecideWording(t.Context(), study.Request{By: w.Admin}, study.DecideWording{Pack: "acme-en@2"})
	if study.CodeOf(err) != study.Invalid || !strings.Contains(details(err), "reason") {
		t.Errorf("without a reason: %v", details(err))
	}
	if err := w.decide(w.Admin, "acme-en@2", false); err != nil { // to stop is for one person to decide
		t.Fatal(details(err))
	}
	if w.shown("en") != "acme-en@1" || w.status("acme-en@2") != study.WordingWithdrawn {
		t.Errorf("shown %s, the second is %s", w.shown("en"), w.status("acme-en@2"))
	}
	text, err := w.Wording(t.Context(), testkit.Phone("x"), "en", "acme-en@2")
	if err != nil || text.Pack != "acme-en@2" {
		t.Errorf("a form that runs with it: %v", err)
	}
	w.bring(testkit.WordingPack("acme-zh", "1", "zh"))
	if err := w.decide(w.Admin, "acme-zh@1", false); err != nil || w.status("acme-zh@1") != study.WordingRefused {
		t.Errorf("%v, %s", err, w.status("acme-zh@1"))
	}
	if _, err := w.Wording(t.Context(), testkit.Phone("x"), "zh", "acme-zh@1"); study.CodeOf(err) != study.Invalid {
		t.Errorf("a pack that nobody ever approved: %v", err)
	}
	if err := w.decide(w.second, pack.Name(), true); err != nil {
		t.Error(err)
	}
}

func TestWhereLicensedWordingIsRequiredNoFormOpensWithoutIt(t *testing.T) {
	w := newWordingWorld(t)
	p := w.Enrol(t, "001")
	text := amended(t, "1.1", "wording: optional", "wording: required")
	if _, err := w.Adopt(t.Context(), study.Request{By: w.System}, []byte(text), day("2026-02-20"), false); err != nil {
		t.Fatal(details(err))
	}
	w.Clock.Set(at(cycle1, "09:00"))
	open := study.OpenAssessment{Assessment: study.AssessmentFor(p.ID, "C1D1"), OpenedAt: study.InstantOf(w.Clock.Now())}
	phone := study.Request{By: testkit.Phone(p.ID)}
	for _, pack := range []string{"", "demo-1-en"} {
		if _, err := w.Wording(t.Context(), testkit.Phone(p.ID), "en", pack); study.CodeOf(err) != study.Unavailable || !strings.Contains(err.Error(), "licensed wording") {
			t.Errorf("the questionnaire %q: %v", pack, err)
		}
	}
	if _, err := w.Do(t.Context(), phone, p.ID, open); study.CodeOf(err) != study.Unavailable {
		t.Errorf("opened: %v", err)
	}
	w.inUse("acme-en", "1", "en", until("2026-03-10"))
	open.Pack, open.OpenedAt = "", study.InstantOf(w.Clock.Now())
	if res, err := w.Do(t.Context(), phone, p.ID, open); err != nil || res.After.AtVisit("C1D1").Opening.Pack != "acme-en@1" {
		t.Errorf("%v", details(err))
	}
	// What was answered before the rule came, or after the licence ended, is never lost.
	w.Clock.Set(at(cycle1+21, "09:00"))
	if w.shown("en") != string(study.Unavailable) {
		t.Errorf("after the licence's end %s is shown", w.shown("en"))
	}
	if r := w.Submit(t, p.ID, "C2D1", 1); !r.Counted {
		t.Errorf("%+v", r)
	}
}

func TestARunningFormStaysOnTheTextThatItWasOpenedWith(t *testing.T) {
	w := newWordingWorld(t)
	p := w.Enrol(t, "001")
	first := w.inUse("acme-en", "1", "en")
	w.Clock.Set(at(cycle1, "09:00"))
	phone := study.Request{By: testkit.Phone(p.ID)}
	open := study.OpenAssessment{Assessment: study.AssessmentFor(p.ID, "C1D1"), OpenedAt: study.InstantOf(w.Clock.Now())}
	res, err := w.Do(t.Context(), phone, p.ID, open)
	if err != nil || res.Event == "" || res.After.AtVisit("C1D1").Opening.Pack != "acme-en@1" {
		t.Fatalf("%v", details(err))
	}
	second := w.inUse("acme-en", "2", "en")
	w.Clock.Advance(time.Minute)
	open.Pack = second.Name()
	if res, err = w.Do(t.Context(), phone, p.ID, open); err != nil || res.Event != "" || res.After.AtVisit("C1D1").Opening.Pack != "acme-en@1" {
		t.Errorf("opened again: %v", details(err))
	}
	for i, c := range []struct {
		visit, named, want string
		hash               study.Hash
		flagged, demo      bool
	}{
		{"C1D1", "", "acme-en@1", first.Hash, false, false},
		{"C2D1", "acme-en@1", "acme-en@1", first.Hash, false, false}, // fetched before the second came, never said to be opened
		{"C3D1", "", "acme-en@2", second.Hash, false, false},
		{"C4D1", "demo-1-en", "demo-1-en", study.Hash{}, false, true},
	} {
		w.Clock.Set(at(cycle1+study.Date(21*i), "10:00"))
		f := testkit.Form(p.ID, c.visit, study.SubmissionID(w.NewID()), w.Clock.Now(), testkit.Answers(uint64(i)))
		f.Pack = c.named
		res, err := w.Do(t.Context(), phone, p.ID, f)
		if err != nil {
			t.Fatalf("%s: %v", c.visit, details(err))
		}
		a := res.After.AtVisit(c.visit)
		s := a.Submissions[0]
		if s.Pack != c.want || s.PackHash != c.hash || s.Demonstration != c.demo || slices.Contains(s.Flags, study.FlagOtherWording) != c.flagged || a.Opening != nil {
			t.Errorf("%s: %+v", c.visit, s)
		}
	}
	f := testkit.Form(p.ID, "C5D1", study.SubmissionID(w.NewID()), w.Clock.Now(), testkit.Answers(9))
	for _, never := range []string{"acme-en@3", "demo-1-de"} {
		f.Pack = never
		if _, err := w.Do(t.Context(), phone, p.ID, f); study.CodeOf(err) != study.Invalid || !strings.Contains(details(err), "wording_pack") {
			t.Errorf("%s: %v", never, details(err))
		}
	}
}

// What she answered counts whatever she read; that it was another text is said.
func TestAFormInAnotherWordingThanItWasOpenedWithCountsAndSaysSo(t *testing.T) {
	r := enrolled(t)
	r.wording = packs(t, testkit.WordingPack("acme-en", "1", "en"), approval(testkit.Start))
	r.now = at(cycle1, "09:00")
	open := study.OpenAssessment{Assessment: study.AssessmentFor(personID, "C1D1"), OpenedAt: study.InstantOf(r.now)}
	if done, err := r.do(testkit.Phone(personID), open); err != nil || !done {
		t.Fatal(details(err))
	}
	paper := r.paper("C1D1", r.now)
	paper.Pack = ""
	r.must(paper) // a sheet of paper is another form, and none of the phone's
	if s := r.visit("C1D1").Submissions[0]; slices.Contains(s.Flags, study.FlagOtherWording) || r.visit("C1D1").Opening == nil {
		t.Errorf("on paper: %+v", s)
	}
	f := r.form("C1D1")
	f.Pack = "demo-1-en"
	receipt, err := r.send(f)
	if err != nil || !slices.Contains(receipt.Flags, study.FlagOtherWording) {
		t.Errorf("%+v, %v", receipt, details(err))
	}
	if s := r.visit("C1D1").Submissions[1]; s.Pack != "demo-1-en" || !s.Demonstration {
		t.Errorf("%+v", s)
	}
}

func TestOnlyTheFirstOpeningInTheWindowIsRecorded(t *testing.T) {
	r := enrolled(t)
	open := func(visit string) bool {
		t.Helper()
		done, err := r.do(testkit.Phone(personID), study.OpenAssessment{Assessment: study.AssessmentFor(personID, visit), OpenedAt: study.InstantOf(r.now)})
		if err != nil {
			t.Fatalf("%s: %v", visit, details(err))
		}
		return done
	}
	r.now = at(cycle1, "09:00")
	if !open("C1D1") || open("C1D1") || open("C2D1") {
		t.Error("opened once, and not before the window")
	}
	form := r.form("C1D1")
	if _, err := r.send(form); err != nil {
		t.Fatal(details(err))
	}
	if open("C1D1") {
		t.Error("a form that was received is opened again")
	}
	r.must(study.VoidForm{Form: form.ID, Cause: study.CauseTest, Reason: "x"})
	if !open("C1D1") {
		t.Error("a visit whose form is void is not opened anew")
	}
	r.now = at(cycle1+80, "09:00")
	if open("C2D1") {
		t.Error("a missed visit is opened")
	}
	if _, err := r.do(testkit.Phone(personID), study.OpenAssessment{Assessment: "nobody.C1D1"}); study.CodeOf(err) != study.NotFound {
		t.Error(err)
	}
	if _, err := r.do(r.staff, study.OpenAssessment{Assessment: study.AssessmentFor(personID, "C4D1")}); study.CodeOf(err) != study.Forbidden {
		t.Error(err)
	}
}

// An amendment that drops a visit does not take the form out of her hands.
func TestAFormThatWasOpenedOutlivesAnAmendmentThatDropsItsVisit(t *testing.T) {
	r := enrolled(t)
	r.now = at(cycle1+21, "09:00")
	if done, err := r.do(testkit.Phone(personID), study.OpenAssessment{Assessment: study.AssessmentFor(personID, "C2D1"), OpenedAt: study.InstantOf(r.now)}); err != nil || !done {
		t.Fatal(details(err))
	}
	text := string(study.DefaultProtocolText())
	i, j := strings.Index(text, "  - {code: C2D1"), strings.Index(text, "  - {code: C3D1")
	if i < 0 || j < i {
		t.Fatal("the default protocol is laid out otherwise")
	}
	dropped := strings.Replace(text[:i]+text[j:], `version: "1.0"`, `version: "2"`, 1)
	h := historyOf(t, first(), adoption{dropped, r.now.Add(time.Hour), day("2026-02-20")})
	p, err := study.FoldParticipant(h, nil, r.entries...)
	if err != nil {
		t.Fatal(err)
	}
	if a := p.AtVisit("C2D1"); a == nil || a.Opening == nil {
		t.Errorf("the visit is %+v", a)
	}
}

// A damaged or foreign event must not pass for a pack.
func TestAnUnsoundWordingEventStopsTheFold(t *testing.T) {
	text := string(testkit.WordingPack("acme-en", "1", "en"))
	sound := study.WordingImported{Pack: "acme-en@1", Language: "en", Hash: study.ProtocolHash([]byte(text)), Text: text}
	for what, payloads := range map[string][]study.Payload{
		"a text with another hash":   {study.WordingImported{Pack: "acme-en@1", Hash: study.ProtocolHash(nil), Text: text}},
		"a text that is no pack":     {study.WordingImported{Hash: study.ProtocolHash([]byte("[]")), Text: "[]"}},
		"a decision on nothing":      {study.WordingDecided{Pack: "acme-en@1", Hash: sound.Hash, Approve: true}},
		"a decision on another text": {sound, study.WordingDecided{Pack: "acme-en@1", Hash: study.ProtocolHash(nil), Approve: true}},
	} {
		var st *study.Study
		var err error
		for i, p := range payloads {
			e := study.Event{Stream: study.StudyStream, Seq: uint64(i + 1), ID: "e", At: 1, Actor: study.System("test").Ref()}
			if st != nil {
				e.Prev = st.Head
			}
			st, err = study.FoldStudy(st, seal(t, e, p))
		}
		if err == nil {
			t.Errorf("%s is folded", what)
		}
	}
}

func TestALicenceThatEndsBeforeAParticipantsYearIsWarnedOf(t *testing.T) {
	w := newWordingWorld(t)
	for last, warned := range map[string]bool{"2027-01-01": true, "2027-03-04": true, "2027-03-05": false, "2030-01-01": false} {
		st, pack, err := w.ImportWording(t.Context(), study.Request{By: w.Admin}, testkit.WordingPack("acme-en", strings.ReplaceAll(last, "-", "."), "en", until(last)))
		if err != nil {
			t.Fatal(details(err))
		}
		if got := st.Warnings(pack, study.InstantOf(w.Clock.Now())); (len(got) == 1) != warned {
			t.Errorf("%s: %q", last, got)
		}
	}
}

// Several processes share a store: the second sees what the first imported and
// approved, at the latest when what it read has grown old.
func TestAnotherProcessShowsAnApprovedPack(t *testing.T) {
	w := newWordingWorld(t)
	other := study.NewService(w.Store, w.Clock.Now, testkit.IDs(9))
	if text, err := other.Wording(t.Context(), w.Admin, "en", ""); err != nil || text.Licensed {
		t.Fatal(text, err)
	}
	w.inUse("acme-en", "1", "en")
	w.Clock.Advance(6 * time.Second)
	if text, err := other.Wording(t.Context(), w.Admin, "en", ""); err != nil || text.Pack != "acme-en@1" {
		t.Errorf("%v, %v", text, err)
	}
}

func TestTheAuditTrailHasAPacksHashAndNotItsText(t *testing.T) {
	w := newWordingWorld(t)
	pack := w.bring(testkit.WordingPack("acme-en", "1", "en"))
	events, _, err := w.Audit(t.Context(), w.Admin, study.Place{}, 200)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, e := range events {
		if strings.Contains(string(e.Payload), "made-up") {
			t.Errorf("%s shows licensed text", e.Type)
		}
		seen = seen || e.Type == "wording_imported" && strings.Contains(string(e.Payload), pack.Hash.String())
	}
	if !seen {
		t.Error("the import is not in the audit trail")
	}
}

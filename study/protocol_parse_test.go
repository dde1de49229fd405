package study

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func parsedDefault(t testing.TB) *Protocol {
	t.Helper()
	p, err := ParseProtocol(DefaultProtocolText())
	if err != nil {
		t.Fatal(faultText(err))
	}
	return p
}

// faultText is an error with all its fields.
func faultText(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	var b strings.Builder
	fmt.Fprintln(&b, e)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Reason)
	}
	return b.String()
}

// faultsOf are the paths that a text is refused for, in order.
func faultsOf(t testing.TB, text string) []string {
	t.Helper()
	p, err := ParseProtocol([]byte(text))
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != Invalid || p != nil {
		t.Fatalf("refused with %v and %v, want an invalid *Error and nothing", err, p)
	}
	if !strings.HasSuffix(e.Message, ".") || len(e.Fields) == 0 {
		t.Errorf("message %q with %d fields", e.Message, len(e.Fields))
	}
	var paths []string
	for _, f := range e.Fields {
		if f.Name == "" || len(f.Reason) < 10 || strings.Contains(f.Reason, "%!") || strings.Contains(f.Reason, "study.") {
			t.Errorf("a reason that helps nobody: %q: %q", f.Name, f.Reason)
		}
		paths = append(paths, f.Name)
	}
	return paths
}

func TestTheDefaultProtocolIsThatOfTheTrial(t *testing.T) {
	p := parsedDefault(t)
	want := Protocol{
		Study: "inetetamab-pyrotinib", Version: "1.0",
		Title:    "Inetetamab, pyrotinib and chemotherapy in HER2-positive metastatic breast cancer",
		TimeZone: "Asia/Shanghai", Languages: []string{"en", "zh"},
		Regimens:   []string{"capecitabine", "gemcitabine", "vinorelbine", "carboplatin", "nab_paclitaxel", "eribulin"},
		Instrument: InstrumentRef{ID: "fact-b", Version: "4"},
		Cycles:     CycleRules{LengthDays: 21, Count: 17, MinGapDays: 14, MaxGapDays: 63, MaxShiftDays: 180},
		Visits:     p.Visits, // the next test
		Forms:      FormRules{BaselineMaxAgeDays: 14, GraceMinutes: 120, LateArrivalDays: 28, ClockToleranceMinutes: 5, RecallDays: 7},
		Visibility: VisibilityRule{AnswersFor: []Role{RoleInvestigator, RoleMonitor}},
		Reminders:  p.Reminders, // a test of their own
		Alerts:     AlertRules{Missed: true, MissedInARow: 2, PushesFailing: true, Held: true, EscalateAfterHours: 24, Scores: []ScoreRule{}},
		Wording:    "optional",
	}
	if !reflect.DeepEqual(*p, want) {
		t.Errorf("got  %+v\nwant %+v", *p, want)
	}
}

func TestTheDefaultLadderIsThatOfTheRules(t *testing.T) {
	p := parsedDefault(t)
	text := func(moments []Moment) string {
		var out []string
		for _, m := range moments {
			out = append(out, m.Name()+" "+string(m.At))
		}
		return strings.Join(out, ", ")
	}
	for _, v := range p.Visits {
		steps, calls := "opens 09:00, due 09:00, due+2 09:00, closes-1 18:00", "due+4 09:00"
		if v.Baseline {
			steps, calls = "opens 09:00, due-2 09:00, due-1 18:00, due 08:00", "due-1 12:00"
		}
		if l := p.LadderOf(v); text(l.Steps) != steps || text(l.Calls) != calls {
			t.Errorf("%s: %s; %s", v.Code, text(l.Steps), text(l.Calls))
		}
	}
	r := p.Reminders
	if (r.Quiet != QuietHours{"21:00", "08:00"}) || r.Most != 4 || text(r.CallsWithoutRoute) != "opens 09:00, due 09:00" {
		t.Errorf("%+v", r)
	}
}

// What a participant reads was approved with the protocol, so one without the
// part reminds nobody.
func TestAProtocolWithoutRemindersIsGoodAndRemindsNobody(t *testing.T) {
	p, err := ParseProtocol([]byte(threeVisits))
	if err != nil {
		t.Fatal(faultText(err))
	}
	for _, v := range p.Visits {
		if l := p.LadderOf(v); l.written() {
			t.Errorf("%s has the ladder %+v", v.Code, l)
		}
	}
}

func TestTheDefaultProtocolHasTheVisitsOfTheYear(t *testing.T) {
	// Days after day 1 by the calendar of the trial, counted by hand.
	table := []struct {
		code               string
		cycle              int
		opens, due, closes int
		en, zh             string
	}{
		{"C1D1", 1, -7, 0, 0, "Baseline", "基线"},
		{"C2D1", 2, 18, 21, 28, "Cycle 2", "第 2 周期"},
		{"C3D1", 3, 39, 42, 49, "Cycle 3", "第 3 周期"},
		{"C4D1", 4, 60, 63, 70, "Cycle 4", "第 4 周期"},
		{"C5D1", 5, 81, 84, 91, "Cycle 5", "第 5 周期"},
		{"C6D1", 6, 102, 105, 112, "Cycle 6", "第 6 周期"},
		{"C7D1", 7, 123, 126, 133, "Cycle 7 (week 18)", "第 7 周期（第 18 周）"},
		{"C8D1", 8, 144, 147, 154, "Cycle 8", "第 8 周期"},
		{"C9D1", 9, 165, 168, 175, "Cycle 9 (week 24)", "第 9 周期（第 24 周）"},
		{"C10D1", 10, 186, 189, 196, "Cycle 10", "第 10 周期"},
		{"C11D1", 11, 207, 210, 217, "Cycle 11", "第 11 周期"},
		{"C12D1", 12, 228, 231, 238, "Cycle 12", "第 12 周期"},
		{"C13D1", 13, 249, 252, 259, "Cycle 13", "第 13 周期"},
		{"C14D1", 14, 270, 273, 280, "Cycle 14", "第 14 周期"},
		{"C15D1", 15, 291, 294, 301, "Cycle 15", "第 15 周期"},
		{"C16D1", 16, 312, 315, 322, "Cycle 16", "第 16 周期"},
		{"C17D1", 17, 333, 336, 343, "Cycle 17", "第 17 周期"},
		{"W52", 1, 357, 364, 378, "One year", "一年"},
	}
	p := parsedDefault(t)
	if len(p.Visits) != 18 || len(table) != 18 {
		t.Fatalf("%d visits, want 18", len(p.Visits))
	}
	for i, want := range table {
		v, place, ok := p.Visit(want.code)
		if !ok || place != i {
			t.Fatalf("%s is at place %d (%v), want %d", want.code, place, ok, i)
		}
		due := 21*(v.Cycle-1) + v.OffsetDays
		if v.Cycle != want.cycle || due != want.due || due+v.OpensDays != want.opens || due+v.ClosesDays != want.closes {
			t.Errorf("%s: cycle %d, days %d %d %d, want %+v", v.Code, v.Cycle, due+v.OpensDays, due, due+v.ClosesDays, want)
		}
		if v.Baseline != (want.code == "C1D1") || v.Final != (want.code == "W52") {
			t.Errorf("%s: baseline %v, final %v", v.Code, v.Baseline, v.Final)
		}
		if v.Name("en") != want.en || v.Name("zh") != want.zh || len(v.Names) != 2 {
			t.Errorf("%s is called %q", v.Code, v.Names)
		}
	}
	for code, week := range map[string]int{"C7D1": 18, "C9D1": 24, "W52": 52} {
		v, _, _ := p.Visit(code)
		if due := 21*(v.Cycle-1) + v.OffsetDays; due != 7*week {
			t.Errorf("%s is due on day %d, which is not week %d", code, due, week)
		}
	}
}

func TestVisitsAreFoundByCode(t *testing.T) {
	p := parsedDefault(t)
	if v, ok := p.Baseline(); !ok || v.Code != "C1D1" {
		t.Errorf("the baseline is %q, %v", v.Code, ok)
	}
	if v, ok := (&Protocol{}).Baseline(); ok {
		t.Errorf("no visits, but the baseline is %+v", v)
	}
	for _, code := range []string{"", "c1d1", "C18D1"} {
		if v, i, ok := p.Visit(code); ok || i != -1 || v.Code != "" {
			t.Errorf("%q is visit %d, %+v", code, i, v)
		}
	}
}

func TestAVisitIsCalledByTheNearestName(t *testing.T) {
	both := Visit{Code: "C2D1", Names: map[string]string{"en": "Cycle 2", "zh": "二", "zh-Hant": "貳", "pt-BR": "Ciclo 2"}}
	for lang, want := range map[string]string{
		"en": "Cycle 2", "en-GB": "Cycle 2", "zh": "二", "zh-CN": "二", "zh-Hans-CN": "二", "zh-Hant": "貳", "zh-Hant-TW": "貳",
		"pt-BR": "Ciclo 2", "pt": "Cycle 2", "fr": "Cycle 2", "": "Cycle 2", "-": "Cycle 2", "--": "Cycle 2",
	} {
		if got := both.Name(lang); got != want {
			t.Errorf("in %q it is called %q, want %q", lang, got, want)
		}
	}
	if got := (Visit{Code: "C2D1", Names: map[string]string{"zh": "二"}}).Name("fr"); got != "C2D1" {
		t.Errorf("without a name that fits it is called %q", got)
	}
	if got := (Visit{Code: "C2D1"}).Name("en"); got != "C2D1" {
		t.Errorf("without any name it is called %q", got)
	}
}

func TestTheHashIsThatOfTheBytes(t *testing.T) {
	text := DefaultProtocolText()
	if ProtocolHash(text) != Hash(sha256.Sum256(text)) {
		t.Error("another hash")
	}
	text[0]++
	if ProtocolHash(text) == ProtocolHash(DefaultProtocolText()) {
		t.Error("the caller's bytes are the program's own")
	}
}

// edit is one change to the default protocol's text.
func edit(t *testing.T, old, with string) string {
	t.Helper()
	text := string(DefaultProtocolText())
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is %d times in the default protocol", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, with, 1)
}

// threeVisits in place of the eighteen; what follows depends on their lines.
const threeVisits = `
study: s
version: 1
time_zone: Etc/UTC
languages: [en]
regimens: [a]
instrument: {id: i, version: 1}
cycles: {length_days: 21, count: 9, min_gap_days: 14, max_gap_days: 63, max_shift_days: 180}
forms: {baseline_max_age_days: 0, grace_minutes: 0, late_arrival_days: 0, clock_tolerance_minutes: 0, recall_days: 0}
visits:
  - {code: A, names: {en: A}, cycle: 1, opens_days: -7, baseline: true}
  - {code: B, names: {en: B}, cycle: 2, opens_days: -3, closes_days: 7}
  - {code: C, names: {en: C}, cycle: 3, opens_days: -3, closes_days: 7}
`

func TestASingleFaultIsNamedByItsPath(t *testing.T) {
	c2 := "cycle: 2, opens_days: -3, closes_days: 7}"
	c3 := "cycle: 3, opens_days: -3, closes_days: 7}"
	for _, c := range []struct{ old, with, want string }{
		{"study: inetetamab-pyrotinib", "study: Inetetamab", "study"},
		{"study: inetetamab-pyrotinib", "study: " + strings.Repeat("a", 65), "study"},
		{"study: inetetamab-pyrotinib", "studie: inetetamab-pyrotinib\nstudy: s", "studie"},
		{"study: inetetamab-pyrotinib", "study: a\nstudy: a", "study"},
		{"study: inetetamab-pyrotinib", "study:", "study"},
		{"study: inetetamab-pyrotinib", "study: !!binary YWJj", "study"},
		{"study: inetetamab-pyrotinib", "study: a\n? [x]\n: y", "?"},
		{"study: inetetamab-pyrotinib", "study: a\n<<: {version: 2}", "?"},
		{"version: \"1.0\"", "version: \"\"", "version"},
		{"version: \"1.0\"", "version: " + strings.Repeat("1", 33), "version"},
		{"version: \"1.0\"", "version: \" 1\"", "version"},
		{"title: Inet", "title: " + strings.Repeat("é", 200), "title"},
		{"time_zone: Asia/Shanghai", "time_zone: China", "time_zone"},
		{"time_zone: Asia/Shanghai", "time_zone: UTC+8", "time_zone"},
		{"time_zone: Asia/Shanghai", "", "time_zone"},
		{"languages: [en, zh]", "languages: [en, zh, zh]", "languages[2]"},
		{"languages: [en, zh]", "languages: [en, zh_CN]", "languages[1]"},
		{"languages: [en, zh]", "languages: [en, Chinese]", "languages[1]"},
		{"languages: [en, zh]", "languages: []", "languages"},
		{"languages: [en, zh]", "languages: en", "languages"},
		{"languages: [en, zh]", "languages: [en, {zh: zh}]", "languages[1]"},
		{"languages: [en, zh]", "languages: [en, ~]", "languages[1]"},
		{"- capecitabine", "- \"\"", "regimens[0]"},
		{"- capecitabine", "- gemcitabine", "regimens[1]"},
		{"id: fact-b", "id: \"\"", "instrument.id"},
		{"id: fact-b", "name: fact-b\n  id: fact-b", "instrument.name"},
		{"  version: \"4\"", "", "instrument.version"},
		{"length_days: 21 ", "length_days: 6 ", "cycles.length_days"},
		{"length_days: 21 ", "length_days: 91 ", "cycles.length_days"},
		{"length_days: 21 ", "length_days: 21.7 ", "cycles.length_days"},
		{"length_days: 21 ", "length_days: 025 ", "cycles.length_days"},
		{"length_days: 21 ", "length_days: \"21\" ", "cycles.length_days"},
		{"length_days: 21 ", "length_days: 99999999999999999999 ", "cycles.length_days"},
		{"count: 17 ", "count: 61 ", "cycles.count"},
		{"count: 17 ", "count: 0 ", "cycles.count"},
		{"count: 17 ", "count: 16 ", "visits[16].cycle"},
		{"min_gap_days: 14 ", "min_gap_days: 22 ", "cycles.min_gap_days"},
		{"min_gap_days: 14 ", "min_gap_days: 0 ", "cycles.min_gap_days"},
		{"max_gap_days: 63 ", "max_gap_days: 20 ", "cycles.max_gap_days"},
		{"max_shift_days: 180 ", "max_shift_days: 0 ", "cycles.max_shift_days"},
		{"{code: C2D1,", "{code: c2d1,", "visits[1].code"},
		{"{code: C2D1,", "{code: C3D1,", "visits[2].code"},
		{"{code: C2D1,", "{code: A234567890B234567,", "visits[1].code"},
		{"{code: C2D1,", "{", "visits[1].code"},
		{"{code: C2D1,", "{code: C2D1, code: C2D1,", "visits[1].code"},
		{"{en: Cycle 2, zh: 第 2 周期}", "{en: Cycle 2}", "visits[1].names.zh"},
		{"{en: Cycle 2, zh: 第 2 周期}", "{zh: 第 2 周期}", "visits[1].names.en"},
		{"{en: Cycle 2, zh: 第 2 周期}", "{en: \" \", zh: 第 2 周期}", "visits[1].names.en"},
		{"{en: Cycle 2, zh: 第 2 周期}", "{en: Cycle 2, zh: 第 2 周期, EN: x}", "visits[1].names.EN"},
		{"{en: Cycle 2, zh: 第 2 周期}", "{en: Cycle 2, zh: 第 2 周期, en: x}", "visits[1].names.en"},
		{"{en: Cycle 2, zh: 第 2 周期}", "Cycle 2", "visits[1].names"},
		{c2, "cycle: 18, opens_days: -3, closes_days: 7}", "visits[1].cycle"},
		{c2, "cycle: 0, opens_days: -3, closes_days: 7}", "visits[1].cycle"},
		{c2, "opens_days: -3, closes_days: 7}", "visits[1].cycle"},
		{c2, "cycle: 2, opens_days: 1, closes_days: 7}", "visits[1].opens_days"},
		{c2, "cycle: 2, opens_days: -366, closes_days: 7}", "visits[1].opens_days"},
		{c2, "cycle: 2, opens_days: -3, closes_days: -1}", "visits[1].closes_days"},
		{c2, "cycle: 2, opens_days: -3, closes_days: 1 week}", "visits[1].closes_days"},
		{c2, "cycle: 2, opens_days: -3, closes_days: }", "visits[1].closes_days"},
		{c2, "cycle: 2, offset_days: 3651, opens_days: -3, closes_days: 7}", "visits[1].offset_days"},
		{c2, "cycle: 2, opens_days: -3, closes_days: 18}", "visits[2].opens_days"},
		{c3, "cycle: 3, opens_days: -14, closes_days: 7}", "visits[2].opens_days"},
		{c3, "cycle: 3, opens_days: -3, close_days: 7, closes_days: 7}", "visits[2].close_days"},
		{c3, "cycle: 2, opens_days: -3, closes_days: 7}", "visits[2]"},
		{c3, "cycle: 1, opens_days: -3, closes_days: 7}", "visits[2]"},
		{c3, "cycle: 3, opens_days: -3, closes_days: 7, baseline: true}", "visits[2].baseline"},
		{c3, "cycle: 3, opens_days: -3, closes_days: 7, final: true}", "visits[17].final"},
		{c3, "cycle: 3, opens_days: -3, closes_days: 7, final: yes}", "visits[2].final"},
		{"baseline: true", "baseline: false", "visits"},
		{"closes_days: 0, baseline: true", "closes_days: 0, offset_days: 1, baseline: true", "visits[0].offset_days"},
		{"baseline_max_age_days: 14", "baseline_max_age_days: -1", "forms.baseline_max_age_days"},
		{"grace_minutes: 120", "grace_minutes: 1441", "forms.grace_minutes"},
		{"late_arrival_days: 28", "late_arrival_days: 366", "forms.late_arrival_days"},
		{"  late_arrival_days: 28\n", "", "forms.late_arrival_days"},
		{"clock_tolerance_minutes: 5", "clock_tolerance_minutes: 1441", "forms.clock_tolerance_minutes"},
		{"recall_days: 7", "recall_days: 91", "forms.recall_days"},
		{"[investigator, monitor]", "[investigator, admin]", "visibility.answers_for[1]"},
		{"[investigator, monitor]", "[monitor, monitor]", "visibility.answers_for[1]"},
		{"from: \"21:00\"", "from: \"25:00\"", "reminders.quiet_hours.from"},
		{", until: \"08:00\"}", "}", "reminders.quiet_hours.until"},
		{"  most: 4", "  most: 5", "reminders.most"},
		{"  most: 4", "  most: 0", "reminders.most"},
		{"    - {from: opens, at: \"09:00\"}\n    - {from: due, at: \"09:00\"}\n    - {from: due, days: 2", "    - {from: opened, at: \"09:00\"}\n    - {from: due, days: 2", "reminders.steps[0].from"},
		{"    - {from: due, days: 2, at: \"09:00\"}", "    - {from: due, days: 2, at: 9}", "reminders.steps[2].at"},
		{"    - {from: due, days: 2, at: \"09:00\"}", "    - {from: due, at: \"10:00\"}", "reminders.steps[2]"},
		{"{from: due, days: -2, at: \"09:00\"}", "{from: due, days: -8, at: \"09:00\"}", "visits[0].opens_days"},
		{"{from: due, at: \"08:00\"}", "{from: due, at: \"20:50\"}", "visits[0].closes_days"}, // spread into the quiet hours, so moved
		{"calls: [{from: due, days: -1, at: \"12:00\"}]", "calls: [{from: due, days: 1, at: \"12:00\"}]", "visits[0].closes_days"},
		{"missed_in_a_row: 2 ", "missed_in_a_row: 1 ", "alerts.missed_in_a_row"},
		{"escalate_after_hours: 24 ", "escalate_after_hours: -1 ", "alerts.escalate_after_hours"},
		{"  scores: []", "  scores: [{score: FACTX, falls_by: 18, forms: 2}]", "alerts.scores[0].score"},
		{"  scores: []", "  scores: [{item: GP9, at_least: 4}]", "alerts.scores[0].item"},
		{"  scores: []", "  scores: [{score: FACTB, item: GP5, at_least: 4}]", "alerts.scores[0]"},
		{"  scores: []", "  scores: [{score: FACTB, falls_by: 0, forms: 2}]", "alerts.scores[0].falls_by"},
		{"scores_for_participants: false", "scores_for_participants: maybe", "visibility.scores_for_participants"},
		{"wording: optional", "wording: licensed", "wording"},
		{"scores_for_participants: false", "scores_for_participants: false\n---\nstudy: b", "protocol"},
		{"scores_for_participants: false", "scores_for_participants: false\n---\n", "protocol"},
	} {
		got := faultsOf(t, edit(t, c.old, c.with))
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%.60q: faults at %q, want one at %s", c.with, got, c.want)
		}
	}
}

func TestWhatIsNoProtocolIsRefusedInOneSentence(t *testing.T) {
	for _, text := range []string{"", "\n\n", "# nothing\n", "---\n", "~", "hello", "[]", "- study: s", "\x00", "\xff\xfe", "a: b: c", "&a [*a]",
		"study: *nowhere", string(DefaultProtocolText()) + strings.Repeat("#", maxProtocolBytes)} {
		if got := faultsOf(t, text); len(got) != 1 {
			t.Errorf("%.40q: faults at %q", text, got)
		}
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	text := `
study: My Study
version:
time_zone: Beijing
colour: blue
languages: [en, english, en]
regimens: [a, a]
instrument: {id: fact-b, id: fact-b}
cycles: {length_days: 21, count: 3, min_gap_days: 30, max_gap_days: 10, max_shift_days: 0}
visits:
  - {code: C1D1, names: {en: Baseline}, cycle: 2, opens_days: 1, closes_days: 0, baseline: true}
  - {code: c2d1, names: {}, cycle: 4, opens_days: -3, closes_days: seven}
  - nothing
  - {code: C1D1, names: {en: Again}, cycle: 3, opens_days: -3, closes_days: 7, closes_days: 8}
forms: {baseline_max_age_days: 14, grace_minutes: -5, late_arrival_days: 28, recall_days: 7}
visibility: {answers_for: [admin]}
`
	want := []string{"study", "version", "time_zone", "colour", "languages[1]", "languages[2]", "regimens[1]",
		"instrument.id", "instrument.version", "cycles.min_gap_days", "cycles.max_gap_days", "cycles.max_shift_days",
		"visits[0].opens_days", "visits[0].cycle", "visits[1].closes_days", "visits[1].code", "visits[1].names.en", "visits[1].cycle",
		"visits[2]", "visits[3].closes_days", "visits[3].code", "forms.grace_minutes", "forms.clock_tolerance_minutes",
		"visibility.answers_for[0]"}
	got := faultsOf(t, text)
	if !reflect.DeepEqual(got, want) {
		_, err := ParseProtocol([]byte(text))
		t.Errorf("faults at\n%q, want\n%q\n%s", got, want, faultText(err))
	}
}

func TestAReasonNamesTheLine(t *testing.T) {
	if got := faultsOf(t, "study: s\nversion: \"1\ntitle: t\n"); len(got) != 1 || !strings.HasPrefix(got[0], "line ") {
		t.Errorf("where the YAML breaks off: %q", got)
	}
	_, err := ParseProtocol([]byte(strings.Replace(threeVisits, "cycle: 3", "cycle: 30", 1)))
	if got, want := faultText(err), "visits[2].cycle: line 13: write a number from 1 to 9"; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestWhatADesignerMayWriteIsAccepted(t *testing.T) {
	for name, text := range map[string]string{
		"as few settings as can be": threeVisits,
		"Windows line ends":         strings.ReplaceAll(threeVisits, "\n", "\r\n"),
		"a byte order mark":         "\ufeff" + threeVisits,
		"a sign":                    strings.ReplaceAll(threeVisits, "closes_days: 7", "closes_days: +7"),
		"an anchor and its aliases": strings.NewReplacer("{en: B}", "&n {en: B}", "{en: C}", "*n").Replace(threeVisits),
		"windows that just touch":   strings.Replace(threeVisits, "opens_days: -3, closes_days: 7}\n  - {code: C", "opens_days: -3, closes_days: 17}\n  - {code: C", 1),
		"a final visit that meets others": threeVisits +
			"  - {code: F, names: {en: F}, cycle: 1, offset_days: 49, opens_days: -7, closes_days: 30, final: true}\n" +
			"  - {code: D, names: {en: D}, cycle: 4, opens_days: -3, closes_days: 7}\n",
		"a visit before the baseline": strings.Replace(threeVisits, "visits:\n",
			"visits:\n  - {code: S, names: {en: S}, cycle: 1, offset_days: -14, opens_days: -3, closes_days: 3}\n", 1),
	} {
		if _, err := ParseProtocol([]byte(text)); err != nil {
			t.Errorf("%s: %s", name, faultText(err))
		}
	}
}

func TestTheFinalVisitDoesNotHideAnOverlap(t *testing.T) {
	text := threeVisits +
		"  - {code: F, names: {en: F}, cycle: 1, offset_days: 50, opens_days: -7, closes_days: 30, final: true}\n" +
		"  - {code: D, names: {en: D}, cycle: 4, opens_days: -14, closes_days: 7}\n"
	if got := faultsOf(t, text); len(got) != 1 || got[0] != "visits[4].opens_days" {
		t.Errorf("faults at %q", got)
	}
}

func TestAHostileFileIsRefusedAtOnce(t *testing.T) {
	const n = maxProtocolBytes - len(threeVisits) - 100
	bomb := "study: s\nregimens:\n- &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'm'; c++ {
		bomb += fmt.Sprintf("- &%c [%s]\n", c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for name, text := range map[string]string{
		"one key many times":     strings.Repeat("a:\n", n/3),
		"many unknown keys":      "cycles:\n" + manyLines(n/12, "  k%d: 1\n"),
		"many languages":         strings.Replace(threeVisits, "[en]", "["+strings.Repeat("en,", n/3)+"]", 1),
		"many different tags":    strings.Replace(threeVisits, "[en]", "["+manyLines(900, "aa-%03d,")+"]", 1),
		"many visits":            threeVisits + strings.Repeat("  - {}\n", n/7),
		"many visits of nothing": threeVisits + strings.Repeat("  -\n", n/4),
		"deep":                   "study: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"an alias bomb":          bomb,
		"aliases to a big list":  "visits: &v [" + strings.Repeat("{},", 30_000) + "]\nregimens: *v\nlanguages: *v",
	} {
		began := time.Now()
		_, err := ParseProtocol([]byte(text))
		var e *Error
		if !errors.As(err, &e) || e.Code != Invalid || len(e.Fields) > 2000 {
			t.Errorf("%s: %.200v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func manyLines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// FuzzParseProtocol: nothing panics, a refusal says why, and what is accepted
// is what the YAML library's own strict reading gives, and stays acceptable.
func FuzzParseProtocol(f *testing.F) {
	f.Add(DefaultProtocolText())
	f.Add([]byte(threeVisits))
	f.Add([]byte(strings.NewReplacer("{en: B}", "&n {en: B}", "{en: C}", "*n").Replace(threeVisits)))
	f.Add([]byte("study: &a [*a]\n<<: {x: !!float y}\n? {}\n: ~\n"))
	f.Add([]byte("- a\n---\nb: 'c"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProtocol(text)
		if err != nil {
			var e *Error
			if p != nil || !errors.As(err, &e) || e.Code != Invalid || len(e.Fields) == 0 {
				t.Fatalf("%v, %v", p, err)
			}
			return
		}
		if faults := p.faults(); len(faults) > 0 {
			t.Fatalf("accepted, and faulty: %v", faults)
		}
		var strict Protocol
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		if err := dec.Decode(&strict); err != nil {
			t.Fatalf("accepted, and refused by a strict decoder: %v", err)
		}
		if !reflect.DeepEqual(*p, strict) {
			t.Fatalf("read as\n%+v, strictly\n%+v", *p, strict)
		}
		written, err := yaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseProtocol(written)
		if err != nil {
			t.Fatalf("written out and read again: %s", faultText(err))
		}
		if rewritten, err := yaml.Marshal(again); err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("written out and read again (%v):\n%s\nwas\n%s", err, rewritten, written)
		}
	})
}

package study_test

import (
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"epro/internal/testkit"
	"epro/study"
)

// failer is what *testing.T, *testing.B and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// campaign reports whether the tests run at their full counts.
func campaign() bool { return os.Getenv("EPRO_CAMPAIGN") == "full" }

// times is few in an ordinary run and many in a campaign.
func times(few, many int) int {
	if campaign() {
		return many
	}
	return few
}

// checks sets how many cases rapid tries in this test.
func checks(t *testing.T, few, many int) {
	t.Helper()
	const name = "rapid.checks"
	was := flag.Lookup(name).Value.String()
	if err := flag.Set(name, strconv.Itoa(times(few, many))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := flag.Set(name, was); err != nil {
			t.Error(err)
		}
	})
}

var (
	day       = testkit.Day
	shanghai  = zone("Asia/Shanghai")
	cycle1    = testkit.Cycle1
	consented = day("2026-02-20")
)

func zone(name string) *time.Location {
	loc, err := study.LoadZone(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// at is a wall time of a day in Shanghai.
func at(d study.Date, clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return study.WallTime(d, t.Hour()*60+t.Minute(), shanghai)
}

func seal(t failer, e study.Event, payload study.Payload) study.Entry {
	t.Helper()
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fatalf("encode %s: %v", payload.EventType(), err)
	}
	e.V, e.Type, e.Payload = 1, payload.EventType(), raw
	entry, err := study.Seal(e)
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	return entry
}

// history puts protocol texts in force: the first at once, each later one on
// its adoption, with its effective date.
type adoption struct {
	text      string
	adopted   time.Time
	effective study.Date
}

func historyOf(t failer, adoptions ...adoption) *study.History {
	t.Helper()
	var st *study.Study
	for i, a := range adoptions {
		p, err := study.ParseProtocol([]byte(a.text))
		if err != nil {
			t.Fatalf("protocol %d: %v", i+1, err)
		}
		e := study.Event{Stream: study.StudyStream, Seq: uint64(i + 1), ID: study.EventID("p" + p.Version), At: study.InstantOf(a.adopted),
			Actor: study.System("test").Ref()}
		if st != nil {
			e.Prev = st.Head
		}
		entry := seal(t, e, study.ProtocolAdopted{Version: p.Version, Hash: study.ProtocolHash([]byte(a.text)), Text: a.text, EffectiveOn: a.effective})
		if st, err = study.FoldStudy(st, entry); err != nil {
			t.Fatalf("protocol %d: %v", i+1, err)
		}
	}
	return st.History
}

func first() adoption {
	return adoption{text: string(study.DefaultProtocolText()), adopted: testkit.Start.AddDate(0, -1, 0)}
}

// amended is the default protocol with another version and some text replaced.
func amended(t failer, version string, oldNew ...string) string {
	t.Helper()
	text := string(study.DefaultProtocolText())
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("the default protocol has no %q", oldNew[i])
		}
		text = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
	}
	return strings.Replace(text, `version: "1.0"`, `version: "`+version+`"`, 1)
}

// record is one participant's record without a store: commands are decided,
// sealed and folded by hand.
type record struct {
	failer
	h       *study.History
	site    *study.Site
	wording study.WordingPacks
	p       *study.Participant
	entries []study.Entry
	now     time.Time
	newID   func() string
	staff   study.Actor
}

const personID study.ParticipantID = "5b0ad9d0-6c39-4f39-9f7d-55d8e2a1c001"

// enrolled is the record of a participant with cycle 1 on 2 March 2026 who
// consented on 20 February.
func enrolled(t failer) *record {
	return enrolledUnder(t, historyOf(t, first()), testkit.NewParticipant("001"))
}

func enrolledUnder(t failer, h *study.History, c study.Enrol) *record {
	t.Helper()
	r := &record{failer: t, h: h, site: &study.Site{Code: testkit.Site}, now: testkit.Start, newID: testkit.IDs(7),
		staff: testkit.Staff(study.RoleInvestigator, "investigator-1", testkit.Site, testkit.OtherSite)}
	payload, err := study.DecideEnrol(c, r.situation(r.staff))
	if err != nil {
		t.Fatalf("enrol: %v", err)
	}
	r.append(r.staff, payload, "")
	return r
}

func (r *record) situation(by study.Actor) *study.Situation {
	return &study.Situation{History: r.h, Site: r.site, Wording: r.wording, By: by, Now: study.InstantOf(r.now)}
}

func (r *record) append(by study.Actor, payload study.Payload, reason string) {
	r.Helper()
	e := study.Event{Stream: personID.Stream(), Seq: 1, ID: study.EventID(r.newID()), At: study.InstantOf(r.now), Actor: by.Ref(), Reason: reason}
	if r.p != nil {
		e.Seq, e.Prev, e.At = r.p.Seq+1, r.p.Head, max(e.At, r.p.At)
	}
	entry := seal(r, e, payload)
	p, err := study.FoldParticipant(r.h, r.p, entry)
	if err != nil {
		r.Fatalf("fold %s: %v", payload.EventType(), err)
	}
	r.p, r.entries = p, append(r.entries, entry)
}

// do carries out a command and reports whether it became an event.
func (r *record) do(by study.Actor, c study.Command) (bool, error) {
	r.Helper()
	payload, err := study.Decide(r.p, c, r.situation(by))
	if err != nil || payload == nil {
		return false, err
	}
	r.append(by, payload, "because")
	return true, nil
}

// must carries out a command of the staff, which has to become an event.
func (r *record) must(c study.Command) {
	r.Helper()
	if done, err := r.do(r.staff, c); err != nil || !done {
		r.Fatalf("%T: event %v, error %v", c, done, details(err))
	}
}

// refuse carries out a command of the staff, which has to fail with the code
// and must not mention nothing of the words.
func (r *record) refuse(c study.Command, code study.Code, words ...string) {
	r.Helper()
	done, err := r.do(r.staff, c)
	if done || err == nil || study.CodeOf(err) != code {
		r.Fatalf("%T: event %v, error %v; want %s", c, done, details(err), code)
	}
	for _, w := range words {
		if !strings.Contains(details(err), w) {
			r.Fatalf("%T: error %q does not say %q", c, details(err), w)
		}
	}
}

// details is the error with its fields.
func details(err error) string {
	if err == nil {
		return "none"
	}
	text := err.Error()
	if e, ok := study.AsError(err); ok {
		for _, f := range e.Fields {
			text += "; " + f.Name + ": " + f.Reason
		}
	}
	return text
}

func (r *record) visit(code string) *study.Assessment {
	r.Helper()
	a := r.p.AtVisit(code)
	if a == nil {
		r.Fatalf("there is no visit %s", code)
	}
	return a
}

func (r *record) status(code string) study.AssessmentStatus {
	r.Helper()
	return r.p.AssessmentStatus(r.visit(code), r.now)
}

// form is a form that the phone completes and sends now.
func (r *record) form(visit string) study.SubmitForm {
	return testkit.Form(personID, visit, study.SubmissionID(r.newID()), r.now, testkit.Answers(uint64(len(r.entries))))
}

// send sends a form as the participant and gives back its receipt, or the error.
func (r *record) send(f study.SubmitForm) (study.Receipt, error) {
	r.Helper()
	if _, err := r.do(testkit.Phone(personID), f); err != nil {
		return study.Receipt{}, err
	}
	receipt, ok := r.p.Receipt(f.ID)
	if !ok {
		r.Fatalf("no receipt after %s was received", f.Assessment)
	}
	return receipt, nil
}

// complete fills the visit's form at this time; it has to count.
func (r *record) complete(visit string, when time.Time) study.SubmissionID {
	r.Helper()
	r.now = when
	f := r.form(visit)
	receipt, err := r.send(f)
	if err != nil || !receipt.Counted {
		r.Fatalf("form for %s at %s: receipt %+v, error %v", visit, when, receipt, details(err))
	}
	return f.ID
}

// windows are all windows as text, by visit, with their marks.
func (r *record) windows() map[string]string {
	out := map[string]string{}
	for i := range r.p.Assessments {
		out[r.p.Assessments[i].Visit] = windowText(&r.p.Assessments[i])
	}
	return out
}

func windowText(a *study.Assessment) string {
	if a.Superseded {
		return "superseded"
	}
	text := a.Window.OpensOn.String() + " " + a.Window.DueOn.String() + " " + a.Window.ClosesOn.String()
	if a.NotGiven {
		text += " not given"
	}
	return text
}

// span is the text of an uncut window around a due day.
func span(due study.Date, opens, closes int) string {
	return (due + study.Date(opens)).String() + " " + due.String() + " " + (due + study.Date(closes)).String()
}

func stateJSON(t failer, p *study.Participant) string {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatalf("encode state: %v", err)
	}
	return string(raw)
}

var _ failer = (*testing.T)(nil)

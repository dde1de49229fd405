package study

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"epro/instruments"
	"epro/scoring"
)

// SubmitForm is a filled form, sent by the participant's phone or entered by
// staff (then with Mode and Reason).
type SubmitForm struct {
	ID          SubmissionID
	Assessment  AssessmentID
	Instrument  string
	Version     string            // of the instrument
	Pack        string            // the wording pack as the phone named it; may be empty
	Answers     map[string]string // item code → literal as sent
	Skipped     map[string]string // item code → "skipped" or "opt_out"
	StartedAt   Instant
	CompletedAt Instant
	SentAt      Instant // zero: not said
	App         App
	Mode        Mode
	ByStaff     bool // entered by site staff: then the two below and Mode are theirs to say
	Assistance  Assistance
	Reason      string
}

func (c SubmitForm) action() Action {
	if c.ByStaff {
		return EnterForms
	}
	return SubmitOwn
}

func (c SubmitForm) why() string { return c.Reason }

// digest is SHA-256 over what makes the form this form, in canonical JSON; not
// over what differs from one attempt to the next.
func (c SubmitForm) digest() (Hash, error) {
	answers, plain := make(map[string]jsontext.Value, len(c.Answers)), true
	for code, literal := range c.Answers {
		answers[code] = jsontext.Value(literal)
		plain = plain && len(literal) == 1 && isASCII(code)
	}
	for code := range c.Skipped {
		plain = plain && isASCII(code)
	}
	skipped := c.Skipped
	if skipped == nil {
		skipped = map[string]string{}
	}
	// Members stand here in the order that the canonical form asks for, so that a
	// form whose answers are single digits is canonical as it is written.
	raw, err := json.Marshal(struct {
		Answers     map[string]jsontext.Value `json:"answers"`
		Assessment  AssessmentID              `json:"assessment"`
		CompletedAt Instant                   `json:"completed_at"`
		Instrument  string                    `json:"instrument"`
		Pack        string                    `json:"pack"`
		Skipped     map[string]string         `json:"skipped"`
		StartedAt   Instant                   `json:"started_at"`
		Version     string                    `json:"version"`
	}{answers, c.Assessment, c.CompletedAt, c.Instrument, c.Pack, skipped, c.StartedAt, c.Version}, json.Deterministic(true))
	if err != nil {
		return Hash{}, Fail(Invalid, "The answers are no JSON values.")
	}
	if plain {
		return sha256.Sum256(raw), nil
	}
	canonical := jsontext.Value(raw)
	if err := canonical.Canonicalize(); err != nil {
		return Hash{}, Fail(Invalid, "The answers are no JSON values.")
	}
	return sha256.Sum256(canonical), nil
}

// isASCII: such names are in the same order by bytes and by UTF-16.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// decide follows DESIGN.md §3: the first match wins.
func (c SubmitForm) decide(p *Participant, s *Situation) (Payload, error) {
	digest, err := c.digest()
	if err != nil {
		return nil, err
	}
	if _, known := p.Submission(c.ID); known != nil {
		if known.Digest == digest {
			return nil, nil
		}
		return nil, Fail(Conflict, "A form with this submission id was received with other content. The first one stays; ask the study team to correct it.")
	}
	a := p.Assessment(c.Assessment)
	if a == nil {
		return nil, notFound("assessment")
	}
	protocol := s.History.protocol(a.Protocol)
	k, ok := kits[InstrumentRef{ID: c.Instrument, Version: c.Version}]
	if !ok || c.Instrument != protocol.Instrument.ID || c.Version != protocol.Instrument.Version {
		return nil, Fail(VersionMismatch, fmt.Sprintf("This visit asks for %s version %s. Fetch the questionnaire again.",
			protocol.Instrument.ID, protocol.Instrument.Version))
	}
	answers, marks, err := c.check(k)
	if err != nil {
		return nil, err
	}
	if err := c.checkTimes(s.Now); err != nil {
		return nil, err
	}
	opened := a.Opening
	if !c.Mode.Electronic() {
		opened = nil // a sheet of paper is not the form on her phone
	}
	text, err := s.text(p, a, opened, c.Pack, min(c.StartedAt, s.Now))
	if err != nil {
		return nil, err
	}
	v, err := c.judge(p, a, protocol, s)
	if err != nil {
		return nil, err
	}
	for _, m := range marks {
		v.flags = append(v.flags, Flag(m))
	}
	if opened != nil && opened.Pack != text.Pack {
		v.flags = append(v.flags, FlagOtherWording)
	}
	return c.event(k, answers, text, digest, v, s.Now), nil
}

// check turns the answers into a sheet, or names every fault.
func (c SubmitForm) check(k kit) (instruments.Answers, []string, error) {
	return checkForm(k, instruments.Form{Answers: c.Answers, Skipped: c.Skipped, Paper: !c.Mode.Electronic()})
}

func checkForm(k kit, form instruments.Form) (instruments.Answers, []string, error) {
	answers, marks, wrong := k.Check(form)
	if len(wrong) == 0 {
		return answers, marks, nil
	}
	fields := make([]Field, len(wrong))
	for i, w := range wrong {
		fields[i] = Field{Name: "answers." + w.Item, Reason: w.Reason}
	}
	return nil, nil, Fail(InvalidAnswers, "Some answers do not fit the questionnaire. Nothing was stored.", fields...)
}

func (c SubmitForm) checkTimes(now Instant) error {
	var f faults
	f.add(c.StartedAt.IsZero(), "started_at", "say when the form was started")
	f.add(c.CompletedAt.IsZero(), "completed_at", "say when the form was completed")
	f.add(c.CompletedAt < c.StartedAt, "completed_at", "a form cannot be completed before it is started")
	f.add(!c.ByStaff && !c.Mode.Electronic(), "mode", oneOf([]Mode{ModeApp, ModeWeb, ModeTablet}))
	if c.ByStaff {
		f.add(c.CompletedAt > now, "completed_at", "a form cannot have been completed in the future")
		f.add(strings.TrimSpace(c.Reason) == "", "reason", "say why staff enter this form")
		f.add(!slices.Contains([]Mode{ModePaper, ModeInterview, ModeTablet}, c.Mode), "mode", oneOf([]Mode{ModePaper, ModeInterview, ModeTablet}))
		f.add(!slices.Contains([]Assistance{AssistanceNone, AssistanceRead, AssistanceEntered, AssistanceProxy}, c.Assistance), "assistance",
			oneOf([]Assistance{AssistanceNone, AssistanceRead, AssistanceEntered, AssistanceProxy}))
	}
	return f.err()
}

// verdict is whether and how a form counts.
type verdict struct {
	counted   bool
	cause     HeldCause
	flags     []Flag
	corrected Instant // completion by the server's clock; zero: as said
}

// judge decides whether the form counts, is held, or is refused.
func (c SubmitForm) judge(p *Participant, a *Assessment, protocol *Protocol, s *Situation) (verdict, error) {
	if len(p.Consents) == 0 {
		return verdict{}, Fail(WindowNotOpen, "No window opens before consent. Record the consent first. Nothing was stored.")
	}
	if c.Mode.Electronic() && a.electronic() != nil {
		return verdict{}, Fail(AlreadySubmitted, "There is a form for this visit already. It stays as it is; ask the study team if it has to change.")
	}
	times := c.readings(s.Now, protocol.Forms)
	fit := c.fit(p, a, protocol, times, s.Now)
	if c.ByStaff {
		return c.judgeEntry(p, a, fit, times, s)
	}
	v := verdict{flags: times.flags(), corrected: times.corrected}
	w := a.Window
	if !fit.ok && s.Now < w.OpensAt() {
		when := w.times()
		if a.Superseded {
			when = "a later visit takes this visit's place, so it is not asked for"
		}
		return verdict{}, Fail(WindowNotOpen, "It is too early for this questionnaire: "+when+". Nothing was stored.")
	}
	if fit.ok {
		v.flags = append(v.flags, fit.flags(s.Now)...)
	}
	standing := a.Standing()
	switch tooLate := fit.window.ClosesAt() + Instant(time.Duration(protocol.Forms.LateArrivalDays)*24*time.Hour/time.Millisecond); {
	case p.leftBefore(times.best()):
		v.cause = HeldNotExpected
	case s.Site != nil && s.Site.Locked:
		v.cause = HeldLocked
	case standing != nil && !standing.Mode.Electronic():
		v.cause = HeldStaffEntry
	case !fit.ok && times.best() < w.OpensAt() && !a.Superseded:
		v.cause = HeldEarly
	case !fit.ok:
		v.cause = HeldClosed
	case s.Now > tooLate:
		v.cause = HeldArrivedLate
	}
	v.counted = v.cause == ""
	return v, nil
}

// judgeEntry decides on a form that staff enter: it counts or is refused, never
// held, for whoever enters it can put it right.
func (c SubmitForm) judgeEntry(p *Participant, a *Assessment, fit fit, times readings, s *Situation) (verdict, error) {
	standing := a.Standing()
	switch {
	case s.Site != nil && s.Site.Locked:
		return verdict{}, errLocked()
	case !c.Mode.Electronic() && slices.ContainsFunc(a.Submissions, func(f Submission) bool { return f.valid() && !f.Mode.Electronic() }):
		return verdict{}, Fail(AlreadySubmitted, "Staff have entered a form for this visit. Correct or void that one instead.")
	case p.leftBefore(c.CompletedAt):
		return verdict{}, Fail(NotExpected, "The participant had left the study when this form was completed. Retract that first if it was an error.")
	case !fit.ok && a.Superseded:
		return verdict{}, Fail(WindowClosed, "A later visit has taken this visit's place. Enter the form for the visit that was open on the day.")
	case !fit.ok && c.CompletedAt < a.Window.OpensAt():
		return verdict{}, Fail(WindowNotOpen, "The form was completed before its window: "+a.Window.times()+".")
	case !fit.ok:
		return verdict{}, Fail(WindowClosed, "The form was completed after its window: "+a.Window.times()+".")
	}
	v := verdict{counted: true, flags: append(times.flags(), fit.flags(s.Now)...)}
	if standing != nil && standing.Mode.Electronic() {
		v.counted, v.flags = false, append(v.flags, FlagElectronicExists)
	}
	return v, nil
}

// event is the form as it is stored.
func (c SubmitForm) event(k kit, answers instruments.Answers, text *Wording, digest Hash, v verdict, now Instant) SubmissionReceived {
	given, skipped := statedOf(k, answers, c.Skipped)
	return SubmissionReceived{
		SubmissionID: c.ID, AssessmentID: c.Assessment, Instrument: c.Instrument, InstrumentVersion: c.Version,
		WordingPack: text.Pack, WordingHash: text.Hash, Demonstration: !text.Licensed, Mode: c.Mode, Assistance: c.Assistance,
		Answers: given, Skipped: skipped, Scores: storedScores(k, answers), ScoringVersion: scoring.Version,
		StartedAt: c.StartedAt, CompletedAt: c.CompletedAt, SentAt: c.SentAt, ReceivedAt: now, CorrectedAt: v.corrected,
		App: c.App, Digest: digest, Counted: v.counted, HeldCause: v.cause, Flags: v.flags,
	}
}

// statedOf are the two readable maps of an event. On paper the box that stands
// beside an answer is kept too; it is flagged.
func statedOf(k kit, answers instruments.Answers, sent map[string]string) (given map[string]int, skipped map[string]string) {
	given, skipped = answersOf(k.Instrument, answers)
	for code, reason := range sent {
		if _, both := given[code]; both {
			skipped[code] = reason
		}
	}
	return given, skipped
}

// Receipt is what the phone holds on to before it lets the answers go.
type Receipt struct {
	SubmissionID SubmissionID `json:"submission_id"`
	AssessmentID AssessmentID `json:"assessment_id"`
	ReceivedAt   Instant      `json:"received_at"`
	Digest       Hash         `json:"digest"`
	Counted      bool         `json:"counted"`
	Flags        []Flag       `json:"flags"`
	HeldCause    HeldCause    `json:"held_cause,omitzero"`
}

// Receipt is the receipt of a form that was received, always as it was given
// the first time.
func (p *Participant) Receipt(id SubmissionID) (Receipt, bool) {
	a, s := p.Submission(id)
	if s == nil {
		return Receipt{}, false
	}
	flags := s.Flags
	if len(s.Earlier) > 0 {
		flags = s.Earlier[0].Flags // a correction may have changed them since
	}
	if flags == nil {
		flags = []Flag{}
	}
	return Receipt{SubmissionID: id, AssessmentID: a.ID, ReceivedAt: s.ReceivedAt, Digest: s.Digest,
		Counted: s.Counted, Flags: flags, HeldCause: s.HeldCause}, true
}

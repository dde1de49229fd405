package study

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Command is something that somebody wants to happen to one participant's
// record. Deciding it is pure and gives exactly one event, or none when the
// record says so already, or a coded error.
type Command interface {
	action() Action
	why() string
	decide(p *Participant, s *Situation) (Payload, error)
}

// Situation is what a decision may look at besides the participant's record.
type Situation struct {
	History *History
	Site    *Site // the participant's site
	Wording WordingPacks
	By      Actor
	Signed  Meaning // of the signature that was given, if any
	Pushes  PushSummary
	Now     Instant
}

// Decide says which event the command is, for this State, actor and moment.
// A nil payload without an error means that the record says so already.
func Decide(p *Participant, c Command, s *Situation) (Payload, error) {
	if err := permitFor(s.By, c.action(), p); err != nil {
		return nil, err
	}
	_, form := c.(SubmitForm) // judged with its other causes: a retry of a known form is answered even then
	if s.Site != nil && s.Site.Locked && s.By.Role != RoleParticipant && !form {
		return nil, errLocked()
	}
	if utf8.RuneCountInString(c.why()) > maxReason {
		return nil, invalid("reason", fmt.Sprintf("keep the reason under %d characters", maxReason))
	}
	if err := checkSignature(s.History.Current(), s.By, s.Signed, meaningOf(c)); err != nil {
		return nil, err
	}
	return c.decide(p, s)
}

const maxReason = 2000

func errLocked() error {
	return Fail(Locked, "The data of this site are locked. Ask an investigator to unlock the site, with a reason, before changing anything.")
}

// today is the calendar date at the participant's home.
func (s *Situation) today(p *Participant) Date { return DateOf(s.Now.Time().In(p.Zone())) }

// faults collects everything that is wrong with a command's fields.
type faults []Field

func (f *faults) add(bad bool, name, reason string) {
	if bad {
		*f = append(*f, Field{Name: name, Reason: reason})
	}
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return Fail(Invalid, "Some fields need another value.", f...)
}

// addReason refuses a change without a reason, or with one that is too long.
func (f *faults) addReason(reason string) {
	f.add(strings.TrimSpace(reason) == "", "reason", "say why; the record keeps it")
	f.add(utf8.RuneCountInString(reason) > maxReason, "reason", fmt.Sprintf("keep the reason under %d characters", maxReason))
}

func invalid(name, reason string) error {
	return Fail(Invalid, "Some fields need another value.", Field{Name: name, Reason: reason})
}

// needReason refuses a change without a reason: an inspector will ask for it.
func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return invalid("reason", "say why; the record keeps it")
	}
	return nil
}

func oneOf[T ~string](allowed []T) string {
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = string(w)
	}
	return "use one of: " + strings.Join(words, ", ")
}

// Enrol opens a participant's record. It is decided by Service.Enrol, which
// first claims the number within the site.
type Enrol struct {
	Number   string
	Site     SiteCode
	Regimen  string
	Language string
	TimeZone string
	Cycle1On Date
	Consent  Consent // the zero value: screened, not consented yet
	Access   Access  // empty: phone
	Reason   string
}

// decide checks every field at once.
func (c Enrol) decide(s *Situation) (Payload, error) {
	protocol := s.History.Current()
	if protocol == nil {
		return nil, Fail(Unavailable, "No protocol is in force yet. Start the server once, or run epro protocol amend.")
	}
	if c.Access == "" {
		c.Access = AccessPhone
	}
	var f faults
	f.add(!plainText(c.Number, 32), "number", "give the participant's number at the site: 1 to 32 characters, no line breaks")
	f.add(!slices.Contains(protocol.Languages, c.Language), "language", oneOf(protocol.Languages))
	f.add(!slices.Contains(protocol.Regimens, c.Regimen), "regimen", oneOf(protocol.Regimens))
	f.add(c.Access != AccessPhone && c.Access != AccessPaper, "access", oneOf([]Access{AccessPhone, AccessPaper}))
	zone, err := LoadZone(c.TimeZone)
	f.add(err != nil, "time_zone", "give an IANA zone such as Asia/Shanghai")
	f.add(c.Cycle1On == 0, "cycle1_on", "give the first day of cycle 1 as YYYY-MM-DD")
	if zone != nil {
		today := DateOf(s.Now.Time().In(zone))
		c.Consent.check(&f, today, protocol.Languages)
		far := Date(protocol.Cycles.MaxShiftDays)
		f.add(c.Cycle1On != 0 && (c.Cycle1On < today-2*366 || c.Cycle1On > today+far), "cycle1_on",
			fmt.Sprintf("cycle 1 cannot start more than two years ago or more than %d days ahead", far))
	}
	f.add(c.Consent.On != 0 && c.Cycle1On != 0 && c.Cycle1On < c.Consent.On, "cycle1_on", "cycle 1 cannot start before consent")
	if err := f.err(); err != nil {
		return nil, err
	}
	return ParticipantEnrolled{Number: c.Number, Site: c.Site, Regimen: c.Regimen, Language: c.Language,
		TimeZone: c.TimeZone, Cycle1On: c.Cycle1On, Consent: c.Consent, Access: c.Access}, nil
}

// check adds what is wrong with a consent; none at all is not wrong here.
func (c Consent) check(f *faults, today Date, languages []string) {
	if c == (Consent{}) {
		return
	}
	f.add(c.On == 0, "consent.on", "give the day of consent as YYYY-MM-DD")
	f.add(c.On > today, "consent.on", "consent cannot lie in the future")
	f.add(!plainText(c.FormVersion, 64), "consent.form_version", "give the version of the signed form")
	f.add(!slices.Contains(languages, c.Language), "consent.language", oneOf(languages))
}

// plainText reports whether s is 1 to limit characters of valid text without
// control characters and without space at either end.
func plainText(s string, limit int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= limit && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// RecordConsent records a consent, the first or a renewed one, or states one
// anew that was recorded wrongly.
type RecordConsent struct {
	Consent Consent
	// Corrects is which of the record's consents this states anew, counted from
	// 1; 0: none, it is another one.
	Corrects int
	Reason   string
}

func (RecordConsent) action() Action { return ChangeDetails }
func (c RecordConsent) why() string  { return c.Reason }
func (c RecordConsent) decide(p *Participant, s *Situation) (Payload, error) {
	var f faults
	f.add(c.Consent == (Consent{}), "consent.on", "give the day of consent as YYYY-MM-DD")
	c.Consent.check(&f, s.today(p), s.History.Current().Languages)
	wrong := c.Corrects != 0
	f.add(wrong && (c.Corrects < 1 || c.Corrects > len(p.Consents)), "corrects", fmt.Sprintf("name one of the %d consents of the record, counted from 1", len(p.Consents)))
	f.add(wrong && strings.TrimSpace(c.Reason) == "", "reason", "say why; the record keeps it")
	if err := f.err(); err != nil {
		return nil, err
	}
	if slices.Contains(p.Consents, c.Consent) {
		return nil, nil
	}
	if err := c.order(p); err != nil {
		return nil, err
	}
	if wrong {
		return ConsentCorrected{N: c.Corrects, Consent: c.Consent}, nil
	}
	return ConsentRecorded{Consent: c.Consent}, nil
}

// order refuses what would put a consent, cycle 1 or the first dose out of order.
func (c RecordConsent) order(p *Participant) error {
	first := c.Corrects == 1 || len(p.Consents) == 0
	dose := p.Fact(FactFirstDose)
	var f faults
	f.add(!first && c.Consent.On < p.ConsentedOn(), "consent.on", "a renewed consent cannot be older than the first; a first one that was recorded wrongly is corrected")
	f.add(first && len(p.Consents) > 1 && p.Consents[1].On < c.Consent.On, "consent.on", "the first consent cannot be later than a renewed one")
	f.add(first && c.Consent.On > p.Cycles[0].StartsOn, "consent.on", "cycle 1 would start before consent; move cycle 1 first")
	f.add(first && dose != nil && dose.On.First() < c.Consent.On, "consent.on", "the first dose would lie before consent; retract it first")
	return f.err()
}

// ChangeParticipant states new details; empty ones stay. Service.Do claims a
// new number before it is recorded.
type ChangeParticipant struct {
	Language, TimeZone, Number, Regimen string
	Access                              Access
	Reason                              string
}

func (ChangeParticipant) action() Action { return ChangeDetails }
func (c ChangeParticipant) why() string  { return c.Reason }
func (c ChangeParticipant) decide(p *Participant, s *Situation) (Payload, error) {
	if err := needReason(c.Reason); err != nil {
		return nil, err
	}
	protocol := s.History.Current()
	var f faults
	f.add(c.Language != "" && !slices.Contains(protocol.Languages, c.Language), "language", oneOf(protocol.Languages))
	f.add(c.Regimen != "" && !slices.Contains(protocol.Regimens, c.Regimen), "regimen", oneOf(protocol.Regimens))
	f.add(c.Number != "" && !plainText(c.Number, 32), "number", "1 to 32 characters, no line breaks")
	f.add(c.Access != "" && c.Access != AccessPhone && c.Access != AccessPaper, "access", oneOf([]Access{AccessPhone, AccessPaper}))
	if c.TimeZone != "" {
		_, err := LoadZone(c.TimeZone)
		f.add(err != nil, "time_zone", "give an IANA zone such as Asia/Shanghai")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	keepNew(&c.Language, p.Language)
	keepNew(&c.TimeZone, p.TimeZone)
	keepNew(&c.Number, p.Number)
	keepNew(&c.Regimen, p.Regimen)
	if c.Access == p.Access {
		c.Access = ""
	}
	change := DetailsChanged{Language: c.Language, TimeZone: c.TimeZone, Number: c.Number, Regimen: c.Regimen, Access: c.Access}
	if change == (DetailsChanged{}) {
		return nil, nil
	}
	return change, nil
}

// keepNew empties a value that is what the record says already.
func keepNew(value *string, now string) {
	if *value == now {
		*value = ""
	}
}

// IssueCode makes an enrolment code; an older unused one dies.
type IssueCode struct {
	ExpiresAt Instant
	Replace   bool // its use ends earlier sessions and devices
}

func (IssueCode) action() Action { return IssueCodes }
func (IssueCode) why() string    { return "" }
func (c IssueCode) decide(p *Participant, _ *Situation) (Payload, error) {
	if len(p.Consents) == 0 {
		return nil, Fail(NotExpected, "No code is issued before consent. Record the consent first.")
	}
	if stop := p.Stop(); stop != nil {
		return nil, Fail(NotExpected, "This participant has left the study ("+string(stop.Kind)+"). Retract that first if it was an error.")
	}
	return CodeIssued(c), nil
}

// BindPhone uses the code that event Code issued.
type BindPhone struct {
	Code EventID
}

func (BindPhone) action() Action { return BindOwn }
func (BindPhone) why() string    { return "" }
func (c BindPhone) decide(p *Participant, s *Situation) (Payload, error) {
	issued := p.Code
	if p.Stop() != nil || issued == nil || issued.Event != c.Code || !issued.UsedAt.IsZero() || s.Now >= issued.ExpiresAt {
		return nil, Fail(Unauthenticated, "This code cannot be used any more. Ask your study team for a new one.")
	}
	return PhoneBound(c), nil
}

// RateECOG records an ECOG performance status.
type RateECOG struct {
	Visit  string
	ECOG   int
	On     Date
	Reason string
}

func (RateECOG) action() Action { return RecordECOG }
func (c RateECOG) why() string  { return c.Reason }
func (c RateECOG) decide(p *Participant, s *Situation) (Payload, error) {
	var f faults
	f.add(p.AtVisit(c.Visit) == nil, "visit", "give a visit of the protocol, such as C3D1")
	f.add(c.ECOG < 0 || c.ECOG > 4, "ecog", "ECOG performance status is a whole number from 0 to 4")
	f.add(c.On == 0 || c.On > s.today(p), "on", "give the day of the rating as YYYY-MM-DD, not in the future")
	if err := f.err(); err != nil {
		return nil, err
	}
	return PerformanceRecorded{Visit: c.Visit, ECOG: c.ECOG, On: c.On}, nil
}

// CodeMissing records why a form is missing. It does not close the window.
type CodeMissing struct {
	Assessment    AssessmentID
	Reason        MissingReason
	HealthRelated Tristate
	Note          string
}

func (CodeMissing) action() Action { return RecordNotDone }
func (CodeMissing) why() string    { return "" }
func (c CodeMissing) decide(p *Participant, s *Situation) (Payload, error) {
	a := p.Assessment(c.Assessment)
	if a == nil {
		return nil, notFound("assessment")
	}
	var f faults
	f.add(!slices.Contains(MissingReasons, c.Reason), "reason",
		oneOf(MissingReasons)+"; record a death or withdrawal as a status instead")
	f.add(!slices.Contains([]Tristate{Yes, No, Unknown}, c.HealthRelated), "health_related", "say yes, no or unknown")
	f.add(c.Reason == "other" && strings.TrimSpace(c.Note) == "", "note", "say what the other reason was")
	f.add(utf8.RuneCountInString(c.Note) > maxReason, "note", fmt.Sprintf("keep it under %d characters", maxReason))
	if err := f.err(); err != nil {
		return nil, err
	}
	switch p.AssessmentStatus(a, s.Now.Time()) {
	case Completed:
		return nil, Fail(Conflict, "There is a form for this visit, so nothing is missing.")
	case Upcoming:
		return nil, Fail(WindowNotOpen, "The window has not opened yet: "+a.Window.times()+".")
	}
	return NotDoneRecorded{AssessmentID: c.Assessment, Reason: c.Reason, HealthRelated: c.HealthRelated, Note: c.Note}, nil
}

// times says in words when the window is open.
func (w Window) times() string {
	loc := mustZone(w.Zone)
	show := func(i Instant) string { return i.Time().In(loc).Format("2006-01-02 15:04") }
	return "it opens at " + show(w.OpensAt()) + " and closes at " + show(w.ClosesAt()) + " (" + w.Zone + ")"
}

package study

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The words below are stored in events; a test pins every one of them.

// Access is how a participant fills forms.
type Access string

// A participant uses her own phone, or paper at the site.
const (
	AccessPhone Access = "phone"
	AccessPaper Access = "paper"
)

// Mode is how a form was filled.
type Mode string

// The modes of DOMAIN.md §2. The first three are electronic.
const (
	ModeApp       Mode = "self_app"
	ModeWeb       Mode = "self_web"
	ModeTablet    Mode = "clinic_tablet"
	ModePaper     Mode = "paper_transcribed"
	ModeInterview Mode = "interview"
)

// Electronic reports whether the participant filled the form on a screen.
func (m Mode) Electronic() bool { return m == ModeApp || m == ModeWeb || m == ModeTablet }

// Assistance is the help that the participant had.
type Assistance string

// The kinds of help; a proxy form is never valid for analysis.
const (
	AssistanceNone    Assistance = "none"
	AssistanceRead    Assistance = "read_aloud"
	AssistanceEntered Assistance = "entered_by_other"
	AssistanceProxy   Assistance = "proxy"
)

// CycleKind says what is known of a cycle's start.
type CycleKind string

// A cycle is planned, was given, or was not given.
const (
	CyclePlanned  CycleKind = "planned"
	CycleGiven    CycleKind = "given"
	CycleNotGiven CycleKind = "not_given"
)

// FactKind is the kind of a dated fact.
type FactKind string

// Facts of treatment, then facts of taking part.
const (
	FactFirstDose      FactKind = "first_dose"
	FactTreatmentEnded FactKind = "ended"
	FactProgressed     FactKind = "progressed"
	FactRegimenChanged FactKind = "regimen_changed"
	FactNewTherapy     FactKind = "new_therapy"

	FactScreenFailure   FactKind = "screen_failure"
	FactEnrolledInError FactKind = "enrolled_in_error"
	FactLost            FactKind = "lost_to_follow_up"
	FactWithdrawn       FactKind = "withdrawn"
	FactDeceased        FactKind = "deceased"
	FactEndOfFollowUp   FactKind = "end_of_follow_up"
)

// TreatmentFacts and StatusFacts are the kinds that the two commands take.
var (
	TreatmentFacts = []FactKind{FactFirstDose, FactTreatmentEnded, FactProgressed, FactRegimenChanged, FactNewTherapy}
	StatusFacts    = []FactKind{FactScreenFailure, FactEnrolledInError, FactLost, FactWithdrawn, FactDeceased, FactEndOfFollowUp}
)

// stops reports whether nothing more is expected after this fact.
func (k FactKind) stops() bool {
	return slices.Contains([]FactKind{FactScreenFailure, FactEnrolledInError, FactWithdrawn, FactDeceased, FactEndOfFollowUp}, k)
}

// Level is how far a withdrawal goes.
type Level string

// A participant leaves the questionnaires, the trial, or forbids further use
// of what was collected.
const (
	LevelQuestionnaires Level = "questionnaires"
	LevelTrial          Level = "trial"
	LevelNoFurtherUse   Level = "no_further_use"
)

// Levels are the levels of a withdrawal, each going further than the one before.
var Levels = []Level{LevelQuestionnaires, LevelTrial, LevelNoFurtherUse}

// beyond reports whether this level goes further than another.
func (l Level) beyond(other Level) bool { return slices.Index(Levels, l) > slices.Index(Levels, other) }

// Cause is why a form was corrected or voided.
type Cause string

// The causes of a correction or voiding.
const (
	CauseWrongPerson  Cause = "wrong_person"
	CauseWrongVisit   Cause = "wrong_visit"
	CauseTest         Cause = "test"
	CauseDuplicate    Cause = "duplicate"
	CauseEntryError   Cause = "entry_error"
	CauseParticipants Cause = "participant_request"
	CauseOther        Cause = "other"
)

// Causes are all causes of a correction or voiding.
var Causes = []Cause{CauseWrongPerson, CauseWrongVisit, CauseTest, CauseDuplicate, CauseEntryError, CauseParticipants, CauseOther}

// MissingReason is why a form is missing.
type MissingReason string

// MissingReasons are the reasons of DOMAIN.md §2. Death and withdrawal are
// facts of their own, not reasons.
var MissingReasons = []MissingReason{"too_ill", "declined", "forgot", "technical", "staff_did_not_offer", "language",
	"progression_stopped_pros", "lost_to_follow_up", "other", "unknown"}

// Tristate is yes, no or unknown.
type Tristate string

// The three answers.
const (
	Yes     Tristate = "yes"
	No      Tristate = "no"
	Unknown Tristate = "unknown"
)

// HeldCause is why a well-formed form does not count by itself.
type HeldCause string

// The causes, in the order in which they are looked at.
const (
	HeldNotExpected HeldCause = "not_expected"     // completed after withdrawal, death, exclusion
	HeldLocked      HeldCause = "locked"           // the site's data are locked
	HeldStaffEntry  HeldCause = "staff_entry"      // staff entered a form for the visit before
	HeldEarly       HeldCause = "completed_early"  // completed before the window opened, received inside it
	HeldClosed      HeldCause = "window_closed"    // completed after closing
	HeldArrivedLate HeldCause = "arrived_too_late" // in time, but received over 28 days after closing
)

// Flag marks something about a form that a reader must know.
type Flag string

// The flags that a receipt can carry.
const (
	FlagTimeUncertain      Flag = "time_uncertain"       // the phone's clock was off
	FlagWindowMoved        Flag = "window_moved"         // in time for the window as it was at completion
	FlagLateArrival        Flag = "late_arrival"         // received after closing
	FlagFinishedAfterClose Flag = "finished_after_close" // started inside, finished within the grace time
	FlagQ1Conflict         Flag = "q1_conflict"          // on paper both box and answer
	FlagElectronicExists   Flag = "electronic_exists"    // a staff entry beside the participant's own form
	FlagOtherWording       Flag = "other_wording"        // shown in another wording than the form was opened with
)

// ParticipantStatus is the one word for where a participant stands.
type ParticipantStatus string

// The words, derived, never stored.
const (
	StatusScreened  ParticipantStatus = "screened"
	StatusEnrolled  ParticipantStatus = "enrolled"
	StatusActive    ParticipantStatus = "active"
	StatusWithdrawn ParticipantStatus = "withdrawn"
	StatusDeceased  ParticipantStatus = "deceased"
	StatusCompleted ParticipantStatus = "completed"
	StatusExcluded  ParticipantStatus = "excluded"
)

// AssessmentStatus is the one word for where an assessment stands.
type AssessmentStatus string

// The words, derived from State and now.
const (
	Upcoming   AssessmentStatus = "upcoming"
	Open       AssessmentStatus = "open"
	Overdue    AssessmentStatus = "overdue"
	Completed  AssessmentStatus = "completed"
	Missed     AssessmentStatus = "missed"
	Unexpected AssessmentStatus = "not_expected"
	Superseded AssessmentStatus = "superseded"
)

// PartialDate is a date of which the day, or day and month, may be unknown:
// YYYY-MM-DD, YYYY-MM or YYYY.
type PartialDate string

// ParsePartialDate checks the text.
func ParsePartialDate(s string) (PartialDate, error) {
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1900 && t.Year() <= 2200 {
			return PartialDate(s), nil
		}
	}
	return "", fmt.Errorf("%.20q is not a date; write it as YYYY-MM-DD (or YYYY-MM or YYYY where no more is known)", s)
}

// Exact reports whether the day is known.
func (p PartialDate) Exact() bool { return len(p) == len(time.DateOnly) }

// First is the earliest day that it can mean.
func (p PartialDate) First() Date {
	switch len(p) {
	case 10:
		d, _ := ParseDate(string(p))
		return d
	case 7:
		d, _ := ParseDate(string(p) + "-01")
		return d
	default:
		d, _ := ParseDate(string(p) + "-01-01")
		return d
	}
}

// Last is the latest day that it can mean.
func (p PartialDate) Last() Date {
	switch len(p) {
	case 10:
		return p.First()
	case 7:
		t := p.First().UTC()
		return NewDate(t.Year(), t.Month()+1, 1) - 1
	default:
		year, _ := strconv.Atoi(string(p))
		return NewDate(year, time.December, 31)
	}
}

// Consent is a consent that was given.
type Consent struct {
	On          Date   `json:"on"`
	FormVersion string `json:"form_version"`
	Language    string `json:"language"`
}

// Rights are what a staff account may do, and where and when.
type Rights struct {
	Role        Role       `json:"role"`
	Sites       []SiteCode `json:"sites,omitzero"`
	AccessFrom  Date       `json:"access_from,omitzero"`  // monitors: the first and last day of the grant
	AccessUntil Date       `json:"access_until,omitzero"` // (UTC), each optional
}

// App is the program that sent a form.
type App struct {
	Platform string `json:"platform,omitzero"`
	Version  string `json:"version,omitzero"`
}

package study

// EventType names what happened, in the past tense.
type EventType string

// Payload is what an event of one type says. Payloads are stored for ever:
// fields are added, never renamed; another meaning gets another type or a
// higher version, and the golden files must go on folding.
type Payload interface{ EventType() EventType }

// Events of the study's stream.
type (
	// ProtocolAdopted puts a protocol in force from a date on.
	ProtocolAdopted struct {
		Version     string `json:"version"`
		Hash        Hash   `json:"hash"` // of Text
		Text        string `json:"text"`
		EffectiveOn Date   `json:"effective_on"`
		Simulated   bool   `json:"simulated,omitzero"` // the store holds a simulated study, no real participant
	}
	// DataExported says that a file left the system.
	DataExported struct {
		ExportID string            `json:"export_id"`
		Dataset  string            `json:"dataset"`
		Format   string            `json:"format"`
		Options  map[string]string `json:"options,omitzero"`
	}
)

// Events of the study's stream about the questionnaire's wording.
type (
	// WordingImported brings a wording pack in; it waits for a second person.
	WordingImported struct {
		Pack     string `json:"pack"` // its id and version, such as "acme-en@1"
		Language string `json:"language"`
		Hash     Hash   `json:"hash"` // of Text
		Text     string `json:"text"` // canonical JSON
	}
	// WordingDecided approves a pack, or takes it out of use.
	WordingDecided struct {
		Pack    string `json:"pack"`
		Hash    Hash   `json:"hash"`
		Approve bool   `json:"approve"`
	}
)

// Events of a site's stream.
type (
	// SiteCreated opens a site.
	SiteCreated struct {
		Code     SiteCode `json:"code"`
		Name     string   `json:"name"`
		TimeZone string   `json:"time_zone"`
		Language string   `json:"language"`
	}
	// SiteContactSet says which number the site's participants call for help;
	// empty: they are told to look at their letter.
	SiteContactSet struct {
		Phone string `json:"phone,omitzero"`
	}
	// SiteLocked closes the site's data: forms are held, staff writes refused.
	SiteLocked struct{}
	// SiteUnlocked opens them again.
	SiteUnlocked struct{}
	// SiteChanged states new details of a site; an absent one stays.
	SiteChanged struct {
		Name     string `json:"name,omitzero"`
		TimeZone string `json:"time_zone,omitzero"`
		Language string `json:"language,omitzero"`
	}
	// SiteClosed says that the site takes nobody in any more; whoever is there
	// goes on.
	SiteClosed struct{}
	// SiteReopened says that it takes people in again.
	SiteReopened struct{}
)

// Events of a staff account's stream.
type (
	// StaffCreated opens an account.
	StaffCreated struct {
		Username string `json:"username"`
		Rights
	}
	// StaffChanged states the account's rights from now on, whole.
	StaffChanged struct {
		Rights
		Disabled bool `json:"disabled"`
	}
	// PasswordReset says that an account got a new password; never which.
	PasswordReset struct{}
	// StaffInvited says that an account's password and second factor were taken
	// away, and a letter with a one-time code was made that sets up new ones.
	StaffInvited struct {
		ExpiresAt Instant `json:"expires_at"`
	}
	// SessionsEnded says that somebody else ended so many of an account's sessions.
	SessionsEnded struct {
		Sessions int `json:"sessions"`
	}
)

// NameClaimed is the first and only event of a claim's stream.
type NameClaimed struct {
	Kind  ClaimKind `json:"kind"`
	Owner StreamID  `json:"owner"`
}

// Events of a participant's stream.
type (
	// ParticipantEnrolled is the first event of a participant's record.
	ParticipantEnrolled struct {
		Number   string   `json:"number"`
		Site     SiteCode `json:"site"`
		Regimen  string   `json:"regimen,omitzero"`
		Language string   `json:"language"`
		TimeZone string   `json:"time_zone"`
		Cycle1On Date     `json:"cycle1_on"`
		Consent  Consent  `json:"consent,omitzero"`
		Access   Access   `json:"access"`
	}
	// ConsentRecorded is a consent given, or given anew to another form.
	ConsentRecorded struct {
		Consent Consent `json:"consent"`
	}
	// ConsentCorrected states a consent anew that was recorded with a slip of the
	// pen: N counts the record's consents from 1.
	ConsentCorrected struct {
		N       int     `json:"n"`
		Consent Consent `json:"consent"`
	}
	// CodeIssued says that an enrolment code was made; the code itself is not
	// in the log. An older unused code dies with it.
	CodeIssued struct {
		ExpiresAt Instant `json:"expires_at"`
		Replace   bool    `json:"replace,omitzero"` // its use ends earlier sessions and devices
	}
	// PhoneBound says that the code of event Code was used.
	PhoneBound struct {
		Code EventID `json:"code"`
	}
	// AssessmentOpened says that a form was begun and with which wording pack,
	// which it keeps until it is received.
	AssessmentOpened struct {
		AssessmentID AssessmentID `json:"assessment_id"`
		WordingPack  string       `json:"wording_pack"`
		OpenedAt     Instant      `json:"opened_at"` // as the phone said
	}
	// SubmissionReceived is a filled form, counted or held.
	SubmissionReceived struct {
		SubmissionID      SubmissionID      `json:"submission_id"`
		AssessmentID      AssessmentID      `json:"assessment_id"`
		Instrument        string            `json:"instrument"`
		InstrumentVersion string            `json:"instrument_version"`
		WordingPack       string            `json:"wording_pack"`
		WordingHash       Hash              `json:"wording_hash,omitzero"` // of a licensed pack
		Demonstration     bool              `json:"demonstration"`
		Mode              Mode              `json:"mode"`
		Assistance        Assistance        `json:"assistance,omitzero"`
		Answers           map[string]int    `json:"answers"`
		Skipped           map[string]string `json:"skipped"`
		Scores            Scores            `json:"scores"`
		ScoringVersion    string            `json:"scoring_version"`
		StartedAt         Instant           `json:"started_at"`
		CompletedAt       Instant           `json:"completed_at"`          // as the phone said
		SentAt            Instant           `json:"sent_at,omitzero"`      // as the phone said
		ReceivedAt        Instant           `json:"received_at"`           // as the server saw it
		CorrectedAt       Instant           `json:"corrected_at,omitzero"` // completion by the server's clock, when the phone's was off
		App               App               `json:"app,omitzero"`
		Digest            Hash              `json:"digest"`
		Counted           bool              `json:"counted"`
		HeldCause         HeldCause         `json:"held_cause,omitzero"`
		Flags             []Flag            `json:"flags,omitzero"`
	}
	// HeldDecided accepts or rejects a held form.
	HeldDecided struct {
		SubmissionID SubmissionID `json:"submission_id"`
		Accept       bool         `json:"accept"`
	}
	// SubmissionCorrected states the answers of a form anew; the earlier ones stay.
	SubmissionCorrected struct {
		SubmissionID   SubmissionID      `json:"submission_id"`
		Revision       int               `json:"revision"`
		Answers        map[string]int    `json:"answers"`
		Skipped        map[string]string `json:"skipped"`
		Scores         Scores            `json:"scores"`
		ScoringVersion string            `json:"scoring_version"`
		Cause          Cause             `json:"cause"`
		Flags          []Flag            `json:"flags,omitzero"`
	}
	// SubmissionVoided takes a form out of every count; it stays readable.
	SubmissionVoided struct {
		SubmissionID SubmissionID `json:"submission_id"`
		Cause        Cause        `json:"cause"`
	}
	// SubmissionVerified says that a second person compared the form with its source.
	SubmissionVerified struct {
		SubmissionID SubmissionID `json:"submission_id"`
		Revision     int          `json:"revision"`
	}
	// CycleRecorded states the first day of a treatment cycle.
	CycleRecorded struct {
		N         int       `json:"n"`
		StartedOn Date      `json:"started_on"`
		Kind      CycleKind `json:"kind"`
		DoseAt    Instant   `json:"dose_at,omitzero"`
	}
	// FactRecorded is a dated fact of treatment or of taking part.
	FactRecorded struct {
		Kind  FactKind    `json:"kind"`
		On    PartialDate `json:"on"`
		At    Instant     `json:"at,omitzero"` // the time of a first dose, where known
		Level Level       `json:"level,omitzero"`
		Drugs []string    `json:"drugs,omitzero"`
	}
	// FactRetracted takes back the fact of event Seq.
	FactRetracted struct {
		Seq uint64 `json:"seq"`
	}
	// PerformanceRecorded is an ECOG performance status.
	PerformanceRecorded struct {
		Visit string `json:"visit"`
		ECOG  int    `json:"ecog"`
		On    Date   `json:"on"`
	}
	// DetailsChanged states new details; an absent one stays.
	DetailsChanged struct {
		Language string `json:"language,omitzero"`
		TimeZone string `json:"time_zone,omitzero"`
		Number   string `json:"number,omitzero"`
		Regimen  string `json:"regimen,omitzero"`
		Access   Access `json:"access,omitzero"`
	}
	// Transferred moves the participant to another site.
	Transferred struct {
		Site SiteCode `json:"site"`
		On   Date     `json:"on"`
	}
	// NotDoneRecorded is the reason why a form is missing.
	NotDoneRecorded struct {
		AssessmentID  AssessmentID  `json:"assessment_id"`
		Reason        MissingReason `json:"reason"`
		HealthRelated Tristate      `json:"health_related"`
		Note          string        `json:"note,omitzero"`
	}
	// ContactRecorded is an attempt to reach the participant.
	ContactRecorded struct {
		AssessmentID AssessmentID   `json:"assessment_id,omitzero"`
		Channel      Channel        `json:"channel"`
		Outcome      ContactOutcome `json:"outcome"`
		Note         string         `json:"note,omitzero"`
		NextOn       Date           `json:"next_on,omitzero"`
	}
	// RemindersPaused says that the participant wants no reminders, or wants
	// them again.
	RemindersPaused struct {
		Paused bool `json:"paused"`
	}
	// AlertAcked says that somebody looked at an alert.
	AlertAcked struct {
		Alert AlertID `json:"alert"`
		Note  string  `json:"note"`
	}
)

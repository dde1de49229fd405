package study

// Protocol is the study's plan as its file says it: configuration, not code.
// The embedded default is DefaultProtocolText. All day counts are calendar days.
type Protocol struct {
	Study   string `yaml:"study"`   // identifier, such as "inetetamab-pyrotinib"
	Version string `yaml:"version"` // of this protocol
	Title   string `yaml:"title"`
	// TimeZone is the study's own IANA zone: a data cut given as a date ends there.
	TimeZone   string         `yaml:"time_zone"`
	Languages  []string       `yaml:"languages"` // BCP 47 tags that a participant can choose
	Regimens   []string       `yaml:"regimens"`
	Instrument InstrumentRef  `yaml:"instrument"`
	Cycles     CycleRules     `yaml:"cycles"`
	Visits     []Visit        `yaml:"visits"`
	Forms      FormRules      `yaml:"forms"`
	Visibility VisibilityRule `yaml:"visibility"`
	// Signatures says whether corrections, voidings, verifications and site
	// locks need a signature through the API too; left out: optional. The pages
	// ask for one always.
	Signatures SignatureRule `yaml:"signatures"`
	Reminders  ReminderRules `yaml:"reminders"`
	Alerts     AlertRules    `yaml:"alerts"`
	// Wording is optional (or empty), or required: then no form is opened
	// without a licensed wording pack that is approved and in date.
	Wording WordingRule `yaml:"wording"`
}

// WordingRule says what is shown without licensed wording.
type WordingRule string

// Our own labels are shown, or nothing is.
const (
	WordingOptional WordingRule = "optional"
	WordingRequired WordingRule = "required"
)

// requiresLicence reports whether no form may be opened with our own labels.
func (p *Protocol) requiresLicence() bool { return p.Wording == WordingRequired }

// InstrumentRef names an instrument and its version.
type InstrumentRef struct {
	ID      string `yaml:"id"`
	Version string `yaml:"version"`
}

// CycleRules say how long treatment cycles are and how far they may move.
type CycleRules struct {
	LengthDays   int `yaml:"length_days"`
	Count        int `yaml:"count"`          // cycles that are scheduled
	MinGapDays   int `yaml:"min_gap_days"`   // a shorter or longer gap between two
	MaxGapDays   int `yaml:"max_gap_days"`   // starts asks for confirmation
	MaxShiftDays int `yaml:"max_shift_days"` // further from plan is refused
}

// Visit is a planned point at which the instrument is due.
type Visit struct {
	Code  string            `yaml:"code"`  // such as "C3D1"
	Names map[string]string `yaml:"names"` // by language
	// The due day is the first day of Cycle plus OffsetDays; the window opens
	// OpensDays and closes ClosesDays after it (negative: before), both days included.
	Cycle      int `yaml:"cycle"`
	OffsetDays int `yaml:"offset_days"`
	OpensDays  int `yaml:"opens_days"`
	ClosesDays int `yaml:"closes_days"`
	// Baseline marks the visit that must precede the first dose; its form opens
	// again when it would be older than Forms.BaselineMaxAgeDays.
	Baseline bool `yaml:"baseline"`
	// Final marks the visit that supersedes every cycle visit due on or after
	// the day it opens.
	Final bool `yaml:"final"`
	// Reminders is the visit's own ladder; without one it has the general one.
	Reminders Ladder `yaml:"reminders"`
}

// FormRules say when a form counts.
type FormRules struct {
	BaselineMaxAgeDays    int `yaml:"baseline_max_age_days"`
	GraceMinutes          int `yaml:"grace_minutes"`           // started inside, finished so long after closing: counts
	LateArrivalDays       int `yaml:"late_arrival_days"`       // received later than so long after closing: held
	ClockToleranceMinutes int `yaml:"clock_tolerance_minutes"` // a phone's clock further off is corrected for
	RecallDays            int `yaml:"recall_days"`             // forms closer together overlap
}

// VisibilityRule says who sees answers and scores.
type VisibilityRule struct {
	// AnswersFor are the staff roles that may read answers and scores;
	// investigators always may.
	AnswersFor []Role `yaml:"answers_for"`
	// ScoresForParticipants shows participants their own scores.
	ScoresForParticipants bool `yaml:"scores_for_participants"`
}

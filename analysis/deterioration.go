package analysis

import (
	"slices"

	"epro/study"
)

// Variant says which fall from baseline is a deterioration.
type Variant string

// The variants. A fall is a change of minus the threshold or more.
const (
	// FirstFall is the first form that fell.
	FirstFall Variant = "first"
	// ConfirmedFall is the first form that fell with the next valid form fallen
	// too; a fall on the last form is confirmed only by death within 42 days.
	ConfirmedFall Variant = "confirmed"
	// DefinitiveFall is the first form that fell with every later one fallen
	// too; a single last one counts and is flagged.
	DefinitiveFall Variant = "definitive"
)

// Handling says what becomes of something that happened on the way.
type Handling string

// What may be done with a death, a gap or a progression.
const (
	AsCensored Handling = "censor"
	AsEvent    Handling = "event"
	AsNothing  Handling = "ignore"
)

// Rule is how time to deterioration is counted; every output names it. The zero
// Rule is the default: first fall, published threshold, deaths and gaps
// censored, progression ignored.
type Rule struct {
	// Threshold is in points; zero: the lower end of the published MID.
	Threshold float64 `json:"threshold"`
	Variant   Variant `json:"variant"` // first
	// Death: censored at the last valid form, or an event on its day when it
	// comes within 42 days of that form.
	Death Handling `json:"death"` // censor | event
	// Gap of two or more missed forms: censored at the last valid form before
	// it, or what comes after it counts as if there were none.
	Gap Handling `json:"gap"` // censor | event
	// Progression, or new therapy: ignored (treatment policy), or censored at
	// the last valid form up to its day.
	Progression Handling `json:"progression"` // ignore | censor
}

// The choices that a person has.
var (
	Variants            = []Variant{FirstFall, ConfirmedFall, DefinitiveFall}
	DeathHandlings      = []Handling{AsCensored, AsEvent}
	GapHandlings        = []Handling{AsCensored, AsEvent}
	ProgressionHandling = []Handling{AsNothing, AsCensored}
)

// Settle fills in what was left to the default and refuses what is none of the
// choices.
func (p *Plan) Settle(r Rule, score int) (Rule, error) {
	var err error
	if r.Threshold, err = p.Threshold(score, r.Threshold); err != nil {
		return r, err
	}
	return r.Settled()
}

// Settled is Settle but for the threshold, which is the score's.
func (r Rule) Settled() (Rule, error) {
	var err error
	if r.Variant, err = choose("variant", r.Variant, Variants); err != nil {
		return r, err
	}
	if r.Death, err = choose("death", r.Death, DeathHandlings); err != nil {
		return r, err
	}
	if r.Gap, err = choose("gap", r.Gap, GapHandlings); err != nil {
		return r, err
	}
	r.Progression, err = choose("progression", r.Progression, ProgressionHandling)
	return r, err
}

// choose is the choice, or the first of all when none was made.
func choose[T ~string](field string, made T, all []T) (T, error) {
	if made == "" {
		return all[0], nil
	}
	if !slices.Contains(all, made) {
		return made, invalidChoice(field, all)
	}
	return made, nil
}

// Ending is how a person's time to deterioration ends: CDISC's CNSR, 0 for an
// event and a number of its own for each way of being censored.
type Ending int

// The endings. EndDeath is an event as well; which it was Deterioration says.
const (
	EndFall        Ending = 0
	EndLastForm    Ending = 1 // no deterioration by the last valid form
	EndDied        Ending = 2 // died without one, censored at the last valid form
	EndGap         Ending = 3 // two or more missed, censored before them
	EndProgression Ending = 4 // progression or new therapy, censored before it
	EndNoFollowUp  Ending = 5 // no valid form after baseline, censored at day 1
	EndNoBaseline  Ending = 6 // no baseline, censored at day 1
)

var endings = map[Ending]string{
	EndFall: "deterioration", EndLastForm: "last valid form", EndDied: "died without deterioration; last valid form",
	EndGap: "last valid form before two or more missed", EndProgression: "last valid form up to progression or new therapy",
	EndNoFollowUp: "no valid form after baseline", EndNoBaseline: "no baseline",
}

// Endings are all endings, in order of their numbers.
var Endings = []Ending{EndFall, EndLastForm, EndDied, EndGap, EndProgression, EndNoFollowUp, EndNoBaseline}

// String describes the ending, for CNSDTDSC and EVNTDESC.
func (e Ending) String() string { return endings[e] }

// afterLastForm is how many days after the last valid form a death may come and
// still belong to it.
const afterLastForm = 42

// Deterioration is one person's time to deterioration.
type Deterioration struct {
	ID       study.ParticipantID `json:"participant"`
	OriginOn study.Date          `json:"origin_on"` // first dose
	On       study.Date          `json:"on"`        // of the event, or censored on
	Days     int                 `json:"days"`      // On − OriginOn + 1
	Event    bool                `json:"event"`
	Censor   Ending              `json:"cnsr"` // 0: event
	// Description says what happened, or why and where it was censored.
	Description string   `json:"description"`
	Baseline    *float64 `json:"baseline"`
	Value       *float64 `json:"value"` // of the form that fell
	// SingleLast: a definitive fall that only the last form shows.
	SingleLast bool `json:"single_last"`
	// CannotFall: the baseline lies so low that the threshold cannot be reached.
	CannotFall bool `json:"cannot_fall"`
}

// DaysPerMonth turns days into months: a twelfth of 365.25.
const DaysPerMonth = 30.4375

// Months are the days in months.
func (d Deterioration) Months() float64 { return float64(d.Days) / DaysPerMonth }

// TimeToDeterioration is the person's time to deterioration of the score under
// a settled rule; only people of the PRO population have one.
func (p *Plan) TimeToDeterioration(q *Person, score int, r Rule) Deterioration {
	d := Deterioration{ID: q.ID, OriginOn: q.FirstDose.On}
	base := q.Baselines[score]
	if base.Form == nil {
		return d.censored(q.FirstDose.On, EndNoBaseline)
	}
	d.Baseline = &base.Value
	d.CannotFall = !reaches(base.Value-float64(p.lowest[score]), r.Threshold)
	s := p.series(q, score, r)
	switch at := s.event(r); {
	case len(s.forms) == 0 && s.cut:
		return d.censored(base.Form.CompletedOn, EndProgression)
	case len(s.forms) == 0:
		return d.censored(q.FirstDose.On, EndNoFollowUp)
	case r.Gap == AsCensored && s.gap >= 0 && (at < 0 || at >= s.gap):
		return d.censored(s.before(s.gap), EndGap)
	case at >= 0:
		value, _ := s.forms[at].Value(score)
		d.Value, d.SingleLast = &value, r.Variant == DefinitiveFall && at == len(s.forms)-1
		return d.happened(s.forms[at].CompletedOn, EndFall.String())
	case r.Death == AsEvent && s.died():
		return d.happened(s.diedOn, "death within 42 days of the last valid form")
	case s.cut:
		return d.censored(s.last(), EndProgression)
	case s.diedOn != 0:
		return d.censored(s.last(), EndDied)
	default:
		return d.censored(s.last(), EndLastForm)
	}
}

func (d Deterioration) happened(on study.Date, what string) Deterioration {
	d.Event, d.On, d.Description = true, on, what
	d.Days = int(on-d.OriginOn) + 1
	return d
}

// censored ends the time on a day; no time ends before day 1.
func (d Deterioration) censored(on study.Date, why Ending) Deterioration {
	d.On, d.Censor, d.Description = max(on, d.OriginOn), why, why.String()
	d.Days = int(d.On-d.OriginOn) + 1
	return d
}

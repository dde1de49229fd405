package export

import (
	"time"

	"epro/analysis"
	"epro/instruments"
	"epro/scoring"
	"epro/study"
)

// form is a received form with everything that its row is made of.
type form struct {
	view        *view
	participant *study.Participant
	assessment  *study.Assessment
	submission  *study.Submission
	visit       study.Visit
	visitNumber int
	recallDays  int
	// previous is the last standing form completed before this one, or nil.
	previous *study.Submission
	standing bool
	scores   []scoring.Score // valid until the next form
}

func (f *form) who() (*view, *study.Participant) { return f.view, f.participant }

func (f *form) at() (*study.Assessment, study.Visit, int) {
	return f.assessment, f.visit, f.visitNumber
}

// local is the calendar date of an instant where the participant lives.
func (f *form) local(at study.Instant) study.Date {
	return study.DateOf(at.Time().In(f.view.zone(f.assessment.Window.Zone)))
}

// completedOn is the local date on which the form was completed.
func (f *form) completedOn() study.Date { return f.local(f.submission.CompletedAt) }

// cycle is the treatment cycle that the visit belongs to, as scheduled at the cut.
func (f *form) cycle() study.Cycle { return f.participant.Cycles[f.visit.Cycle-1] }

// dose is the dose that opened the visit's cycle; for cycle 1 the first dose, a
// fact of its own.
func (f *form) dose() analysis.Dose {
	return analysis.CycleDose(f.participant, f.visit.Cycle, f.view.options.Through)
}

// cycleStartedOn is the day on which the visit's cycle was given, or no date.
func (f *form) cycleStartedOn() study.Date { return f.dose().On }

// doseTiming says whether the form was completed before or after that dose.
func (f *form) doseTiming() string {
	return string(f.dose().Timing(f.submission.CompletedAt, f.completedOn()))
}

// fromCycleStart is the number of days since the visit's cycle was given.
func (f *form) fromCycleStart() Value {
	started := f.cycleStartedOn()
	if started == 0 {
		return Value{}
	}
	return IntegerOf(int(f.completedOn() - started))
}

// studyDay counts from the first dose.
func (f *form) studyDay() Value {
	day := analysis.FirstDose(f.participant, f.view.options.Through).StudyDay(f.completedOn())
	if day == 0 {
		return Value{}
	}
	return IntegerOf(day)
}

// beforeFirstDose reports whether the form was not completed after the first
// dose. On the day of a dose without a time it counts as before.
func (f *form) beforeFirstDose() bool {
	dose := analysis.FirstDose(f.participant, f.view.options.Through)
	return dose.On != 0 && dose.Timing(f.submission.CompletedAt, f.completedOn()) != analysis.PostDose
}

// beforeDelay reports whether the visit's cycle moved after the form was
// completed.
func (f *form) beforeDelay() bool {
	then := f.assessment.Window
	for _, past := range f.assessment.Past {
		if f.submission.CompletedAt < past.Until {
			then = past.Window
			break
		}
	}
	return then.DueOn != f.cycle().StartsOn+study.Date(f.visit.OffsetDays)
}

// recallOverlap reports whether the form looks back on days that the last
// standing form looked back on too.
func (f *form) recallOverlap() bool {
	if f.previous == nil {
		return false
	}
	return f.completedOn()-f.local(f.previous.CompletedAt) < study.Date(f.recallDays)
}

// itemStatus says how an item stands in the form.
func itemStatus(a instruments.Answer) string {
	switch a {
	case instruments.Skipped:
		return "skipped"
	case instruments.OptedOut:
		return "opt_out"
	case instruments.NotReached:
		return "not_reached"
	default:
		return "answered"
	}
}

// zone is the location of a zone that is in the log; one that this machine's
// zone data no longer has reads as UTC, as in package study.
func (v *view) zone(name string) *time.Location {
	if loc, ok := v.zones[name]; ok {
		return loc
	}
	loc, err := study.LoadZone(name)
	if err != nil {
		loc = time.UTC
	}
	v.zones[name] = loc
	return loc
}

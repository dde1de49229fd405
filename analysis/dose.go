package analysis

import "epro/study"

// Timing says whether a form was completed before or after the dose that
// opened its visit's cycle.
type Timing string

// The three answers. On the day of a dose without a time nobody knows, nor
// before a dose is recorded.
const (
	PreDose       Timing = "pre_dose"
	PostDose      Timing = "post_dose"
	TimingUnknown Timing = "unknown"
)

// Dose is a dose's day and, where known, its time. The zero Dose is none.
type Dose struct {
	On study.Date
	At study.Instant
}

// FirstDose is the first dose as recorded on or before the last day that is
// looked at (none: no limit). It is a fact of its own; the time may stand with
// cycle 1.
func FirstDose(p *study.Participant, through study.Date) Dose {
	fact := p.FactBy(study.FactFirstDose, through)
	if fact == nil {
		return Dose{}
	}
	d := Dose{On: fact.On.First(), At: fact.At}
	if first := p.Cycles[0]; d.At.IsZero() && first.Kind == study.CycleGiven && first.StartsOn == d.On {
		d.At = first.DoseAt
	}
	return d
}

// CycleDose is the dose that opened cycle n, if the cycle was given: for
// cycle 1 the first dose.
func CycleDose(p *study.Participant, n int, through study.Date) Dose {
	if n == 1 {
		if d := FirstDose(p, through); d.On != 0 {
			return d
		}
	}
	if c := p.Cycles[n-1]; c.Kind == study.CycleGiven && (through == 0 || c.StartsOn <= through) {
		return Dose{On: c.StartsOn, At: c.DoseAt}
	}
	return Dose{}
}

// Timing places a completion, with its local date, before or after the dose.
func (d Dose) Timing(at study.Instant, on study.Date) Timing {
	switch {
	case d.On == 0:
		return TimingUnknown
	case !d.At.IsZero() && at < d.At, d.At.IsZero() && on < d.On:
		return PreDose
	case !d.At.IsZero(), on > d.On:
		return PostDose
	default:
		return TimingUnknown
	}
}

// StudyDay counts from the day of the dose, which is day 1; the day before it
// is day -1, as CDISC has it. It is 0 where there is no dose.
func (d Dose) StudyDay(on study.Date) int {
	switch {
	case d.On == 0:
		return 0
	case on >= d.On:
		return int(on-d.On) + 1
	default:
		return int(on - d.On)
	}
}

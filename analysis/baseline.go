package analysis

import "epro/study"

// Baseline is a person's baseline of one score; Form is nil where she has none.
type Baseline struct {
	Form  *Form
	Value float64
	// OrderUnknown: completed on the day of the first dose, and nobody knows
	// which came first. It counts all the same.
	OrderUnknown bool
}

// baselines finds, for every score, the last valid form completed before the
// first dose and not too old at it.
func (p *Plan) baselines(q *Person) {
	q.Baselines = make([]Baseline, len(p.Scores))
	if q.FirstDose.On == 0 {
		return
	}
	oldest := q.FirstDose.On - study.Date(p.baselineMaxAge())
	for i := range q.Forms { // by completion: the last one wins
		f := &q.Forms[i]
		timing := q.FirstDose.Timing(f.CompletedAt, f.CompletedOn)
		if timing == PostDose || timing == TimingUnknown && p.StrictBaseline || f.CompletedOn < oldest {
			continue
		}
		for score := range p.Scores {
			if value, valid := f.Value(score); valid {
				q.Baselines[score] = Baseline{Form: f, Value: value, OrderUnknown: timing == TimingUnknown}
			}
		}
	}
}

// baselineMaxAge is in days, of the version in force.
func (p *Plan) baselineMaxAge() int {
	return p.versions[len(p.versions)-1].Forms.BaselineMaxAgeDays
}

// Change is the form's score minus the baseline, for a form completed after it;
// false where either is missing.
func (q *Person) Change(f *Form, score int) (float64, bool) {
	base := q.Baselines[score]
	value, valid := f.Value(score)
	if !valid || base.Form == nil || f.CompletedAt <= base.Form.CompletedAt {
		return 0, false
	}
	return value - base.Value, true
}

package analysis

import (
	"cmp"
	"slices"

	"epro/study"
)

// Completion counts, for one score, who was expected at each visit and who sent
// a valid form. Only the PRO population is counted.
type Completion struct {
	Scale string
	Rates []Rates // as in Plan.Visits

	plan  *Plan
	score int
}

// Rates are the counts of one visit. They add up:
// NExpected = NPop − NDead − NOff = NValid + NReceivedNotValid + NMissing.
type Rates struct {
	Visit string `json:"visit"`
	Name  string `json:"visit_name"`

	NPop              int `json:"n_pop"`                // in the PRO population, window closed
	NDead             int `json:"n_dead"`               // no form, died on or before closing
	NOff              int `json:"n_off"`                // no form, left the trial on or before closing
	NOffPRO           int `json:"n_off_pro"`            // of the missing: left the questionnaires on or before closing
	NExpected         int `json:"n_expected"`           //
	NReceived         int `json:"n_received"`           // at least one item answered
	NValid            int `json:"n_valid"`              // gives the score
	NReceivedNotValid int `json:"n_received_not_valid"` //
	NMissing          int `json:"n_missing"`            //
	NSuperseded       int `json:"n_superseded"`         // not in NPop: a later visit took its place
	NNotYet           int `json:"n_not_yet"`            // not in NPop: the window has not closed

	// RateFixed is NValid ÷ NPop, RateVariable NValid ÷ NExpected, and
	// RateVariableOnPRO NValid ÷ (NExpected − NOffPRO); none where nobody is.
	RateFixed         *float64 `json:"rate_fixed"`
	RateVariable      *float64 `json:"rate_variable"`
	RateVariableOnPRO *float64 `json:"rate_variable_on_pro"`

	// Reasons are the coded reasons of the missing forms, most frequent first.
	Reasons []ReasonCount `json:"reasons"`
}

// ReasonCount is how many missing forms have this reason; "" is none coded.
type ReasonCount struct {
	Reason study.MissingReason `json:"reason"`
	N      int                 `json:"n"`
}

// NewCompletion is a completion table with nobody in it, for the score at this
// place in Plan.Scores.
func NewCompletion(p *Plan, score int) *Completion {
	c := &Completion{Scale: p.Scores[score], Rates: make([]Rates, len(p.Visits)), plan: p, score: score}
	for i, v := range p.Visits {
		c.Rates[i].Visit, c.Rates[i].Name, c.Rates[i].Reasons = v.Code, v.Name, []ReasonCount{}
	}
	return c
}

// Add counts one person.
func (c *Completion) Add(q *Person) {
	if !q.InPopulation {
		return
	}
	for i := range q.Visits {
		v := &q.Visits[i]
		r := &c.Rates[i]
		switch _, valid := valueOf(v.Form, c.score); v.Standing {
		case NotAsked:
			continue
		case NotYet:
			r.NNotYet++
		case Superseded:
			r.NSuperseded++
		case Received:
			r.NReceived++
			if valid {
				r.NValid++
			} else {
				r.NReceivedNotValid++
			}
		case Dead:
			r.NDead++
		case Off:
			r.NOff++
		case OffPRO:
			r.NOffPRO++
			r.missing(v)
		case Missing:
			r.missing(v)
		}
		if v.Standing.Entered() {
			r.NPop++
		}
		r.sum()
	}
}

// valueOf is the form's score, if there is a form and it is valid for it.
func valueOf(f *Form, score int) (float64, bool) {
	if f == nil {
		return 0, false
	}
	return f.Value(score)
}

func (r *Rates) missing(v *VisitOf) {
	r.NMissing++
	var reason study.MissingReason
	if v.NotDone != nil {
		reason = v.NotDone.Reason
	}
	at := slices.IndexFunc(r.Reasons, func(c ReasonCount) bool { return c.Reason == reason })
	if at < 0 {
		at = len(r.Reasons)
		r.Reasons = append(r.Reasons, ReasonCount{Reason: reason})
	}
	r.Reasons[at].N++
	slices.SortFunc(r.Reasons, func(a, b ReasonCount) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Reason, b.Reason)) })
}

// sum fills in what follows from the counts.
func (r *Rates) sum() {
	r.NExpected = r.NPop - r.NDead - r.NOff
	r.RateFixed = share(r.NValid, r.NPop)
	r.RateVariable = share(r.NValid, r.NExpected)
	r.RateVariableOnPRO = share(r.NValid, r.NExpected-r.NOffPRO)
}

// share is n of total, or nil of none.
func share(n, total int) *float64 {
	if total == 0 {
		return nil
	}
	x := float64(n) / float64(total)
	return &x
}

// CompletionTable is a Completion with what it is about.
type CompletionTable struct {
	About
	Visits []Rates `json:"visits"`
}

// CompletionTable counts everybody; of a visit that is named only its row is
// given. Completion is by cycle.
func (d *Data) CompletionTable(a Ask) (CompletionTable, error) {
	a.Axis = ByCycle
	about, score, points, err := d.about(a)
	if err != nil {
		return CompletionTable{}, err
	}
	c := NewCompletion(d.Plan, score)
	for _, q := range d.People {
		c.Add(q)
	}
	t := CompletionTable{About: about}
	for _, point := range points {
		t.Visits = append(t.Visits, c.Rates[point.Number])
	}
	return t, nil
}

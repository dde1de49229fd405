package analysis

import (
	"fmt"

	"epro/instruments"
	"epro/study"
)

// Demonstration says what happens to forms that were shown without a licensed
// wording pack.
type Demonstration string

// The three choices.
const (
	Exclude Demonstration = "exclude"
	Include Demonstration = "include"
	Only    Demonstration = "only"
)

// Origin is the day that calendar visits are counted from.
type Origin string

// The two origins.
const (
	FromFirstDose Origin = "first_dose"
	FromEnrolment Origin = "enrolment"
)

// Selection says which forms and facts a run is about, and how they are placed.
type Selection struct {
	// Cut is the instant up to which records were read. A visit is looked at
	// once its window has closed by then.
	Cut study.Instant
	// Through is the last day of the forms and facts that count; none: no limit.
	Through study.Date
	// Demonstration is Include when empty.
	Demonstration Demonstration
	// Origin is FromFirstDose when empty.
	Origin Origin
	// StrictBaseline leaves out baseline forms of which nobody knows whether
	// they came before the first dose on the same day.
	StrictBaseline bool
	// PreDose leaves out forms after baseline that were not certainly completed
	// before the dose of their cycle.
	PreDose bool
}

// Visit is a planned visit, as any protocol version has it.
type Visit struct {
	Code     string
	Name     string // in English where the protocol has it, else the code
	Number   int    // from 1, in the order of first appearance: amendments add numbers and change none
	Baseline bool
	Final    bool
}

// Plan is what the study asks for, and the selection of a run.
type Plan struct {
	Selection
	Study      string
	Instrument *instruments.Instrument
	Scores     []string // codes, in the order of scoring
	Visits     []Visit  // by Number
	CycleDays  int      // planned length of a cycle, of the version in force

	lowest   []int // that a score can be, as in Scores
	versions []study.InForce
	numbers  map[string]int // visit code → Number
}

// NewPlan prepares a run under the protocol versions of h.
func NewPlan(h *study.History, s Selection) (*Plan, error) {
	current := h.Current()
	if current == nil {
		return nil, study.Fail(study.Conflict, "No protocol is in force yet, so there is nothing to analyse.")
	}
	ins, ok := study.InstrumentOf(current.Instrument.ID, current.Instrument.Version)
	if !ok {
		return nil, fmt.Errorf("instrument %s version %s is unknown to this program", current.Instrument.ID, current.Instrument.Version)
	}
	p := &Plan{Selection: s, Study: current.Study, Instrument: ins, Scores: study.ScoreCodes(ins.ID, ins.Version),
		CycleDays: current.Cycles.LengthDays, versions: h.Versions(), numbers: map[string]int{}}
	for _, code := range p.Scores {
		low, _, _ := ins.Range(code)
		p.lowest = append(p.lowest, low)
	}
	for _, version := range p.versions {
		for _, v := range version.Visits {
			if _, known := p.numbers[v.Code]; known {
				continue
			}
			p.Visits = append(p.Visits, Visit{Code: v.Code, Name: v.Name("en"), Number: len(p.Visits) + 1, Baseline: v.Baseline, Final: v.Final})
			p.numbers[v.Code] = len(p.Visits)
		}
	}
	return p, nil
}

// Score is the place of the score in Scores; none other is an error that says
// which there are. The empty code is the instrument's last total.
func (p *Plan) Score(code string) (int, error) {
	if code == "" {
		return len(p.Scores) - 1, nil
	}
	for i, have := range p.Scores {
		if have == code {
			return i, nil
		}
	}
	return 0, invalidChoice("scale", p.Scores)
}

// MID is the published minimally important difference of the score; the zero
// MID where none is.
func (p *Plan) MID(score int) instruments.MID {
	if subscales := p.Instrument.Subscales; score < len(subscales) {
		return subscales[score].MID
	}
	return p.Instrument.Totals[score-len(p.Instrument.Subscales)].MID
}

// VisitNumber is the number of the visit of this code, or 0.
func (p *Plan) VisitNumber(code string) int { return p.numbers[code] }

// visit is the visit as the protocol version has it from which the
// assessment's window was made, with that version's rules for forms.
func (p *Plan) visit(a *study.Assessment) (study.Visit, study.FormRules, error) {
	for _, version := range p.versions {
		if version.Version != a.Protocol {
			continue
		}
		if v, _, ok := version.Visit(a.Visit); ok {
			return v, version.Forms, nil
		}
	}
	return study.Visit{}, study.FormRules{}, fmt.Errorf("assessment %s: protocol version %s has no visit %s", a.ID, a.Protocol, a.Visit)
}

// leaves reports whether the selection leaves the form out.
func (p *Plan) leaves(s *study.Submission, completedOn study.Date) bool {
	return s.Demonstration && p.Demonstration == Exclude || !s.Demonstration && p.Demonstration == Only ||
		p.Through != 0 && completedOn > p.Through
}

// after is the first instant that the cut leaves out: what was recorded in its
// own millisecond is in.
func (s Selection) after() study.Instant { return s.Cut + 1 }

// closed reports whether the window has closed at the cut, and by the last day
// that counts. A cut at the end of a day has the windows that close with it.
func (p *Plan) closed(w study.Window) bool {
	return w.ClosesAt() <= p.after() && (p.Through == 0 || w.ClosesOn <= p.Through)
}

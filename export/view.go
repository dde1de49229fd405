package export

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"epro/analysis"
	"epro/instruments"
	"epro/scoring"
	"epro/study"
)

// view is the study as one run over the participants sees it, with what the
// run has counted and the room that it uses again for every row.
type view struct {
	options    Options
	history    *study.History
	instrument *instruments.Instrument
	plan       *analysis.Plan
	tables     []*analysis.Completion // one a score; of the dataset completion
	zones      map[string]*time.Location

	left   LeftOut
	packs  map[string]bool // wording packs of the forms that were not left out
	cells  []Value
	scores []scoring.Score

	// said is what the forms of the stream trailOf said last, by form and item.
	trailOf study.StreamID
	said    map[study.SubmissionID]map[string]string
}

func newView(o Options, h *study.History) (*view, error) {
	plan, err := analysis.NewPlan(h, analysis.Selection{Cut: study.InstantOf(o.asOf), Through: o.Through, Demonstration: o.Demonstration})
	if err != nil {
		return nil, err
	}
	return &view{options: o, history: h, instrument: plan.Instrument, plan: plan, packs: map[string]bool{}, zones: map[string]*time.Location{}}, nil
}

// studyID is the study's identifier.
func (v *view) studyID() string { return v.history.Current().Study }

// visit is the visit as the protocol version has it from which the
// assessment's window was made.
func (v *view) visit(a *study.Assessment) (study.Visit, *study.Protocol, error) {
	for _, version := range v.history.Versions() {
		if version.Version != a.Protocol {
			continue
		}
		for _, visit := range version.Visits {
			if visit.Code == a.Visit {
				return visit, version.Protocol, nil
			}
		}
	}
	return study.Visit{}, nil, fmt.Errorf("assessment %s: protocol version %s has no visit %s", a.ID, a.Protocol, a.Visit)
}

// fact is the latest standing fact of this kind that is dated on or before the
// last day asked for, or nil.
func (v *view) fact(p *study.Participant, kind study.FactKind) *study.Fact {
	return p.FactBy(kind, v.options.Through)
}

// received are the participant's forms, by visit, then in the order of arrival.
func (v *view) received(p *study.Participant) []received {
	var all []received
	for i := range p.Assessments {
		a := &p.Assessments[i]
		for j := range a.Submissions {
			all = append(all, received{a, &a.Submissions[j]})
		}
	}
	slices.SortStableFunc(all, func(x, y received) int {
		return cmp.Compare(v.plan.VisitNumber(x.assessment.Visit), v.plan.VisitNumber(y.assessment.Visit))
	})
	return all
}

// received is a form and the assessment that it was sent for.
type received struct {
	assessment *study.Assessment
	submission *study.Submission
}

// forms calls each with every form of the participant that the options leave
// in, by visit, then in the order of arrival.
func (v *view) forms(p *study.Participant, each func(*form) error) error {
	for _, r := range v.received(p) {
		f, err := v.form(p, r)
		if err != nil {
			return err
		}
		if v.leaves(f) {
			continue
		}
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// form is the received form with what its rows are made of. The scores are
// computed anew from the answers; a form that this program cannot score is an
// error.
func (v *view) form(p *study.Participant, r received) (*form, error) {
	a, s := r.assessment, r.submission
	visit, protocol, err := v.visit(a)
	if err != nil {
		return nil, err
	}
	f := &form{view: v, participant: p, assessment: a, submission: s, visit: visit,
		visitNumber: v.plan.VisitNumber(a.Visit), recallDays: protocol.Forms.RecallDays, standing: s == a.Standing()}
	if f.scores, err = v.score(p, s); err != nil {
		return nil, err
	}
	f.previous = before(p.Assessments, s)
	return f, nil
}

// score computes the form's scores anew with the scoring version that it was
// stored with.
func (v *view) score(p *study.Participant, s *study.Submission) ([]scoring.Score, error) {
	if p.Mismatch != "" {
		return nil, fmt.Errorf("export stopped: participant %s, %s; run epro verify", p.ID, p.Mismatch)
	}
	if s.Instrument != v.instrument.ID || s.Version != v.instrument.Version {
		return nil, fmt.Errorf("export stopped: form %s is of %s version %s, this dataset of %s version %s",
			s.ID, s.Instrument, s.Version, v.instrument.ID, v.instrument.Version)
	}
	var err error
	if v.scores, err = s.Scores(v.scores[:0]); err != nil {
		return nil, fmt.Errorf("export stopped: %w", err)
	}
	return v.scores, nil
}

// stopped says that a fault in a record stops the export; no fault stays none.
func stopped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("export stopped: %w", err)
}

// before is the last standing form that was completed before this one.
func before(assessments []study.Assessment, s *study.Submission) *study.Submission {
	var last *study.Submission
	for i := range assessments {
		other := assessments[i].Standing()
		if other != nil && other != s && other.CompletedAt < s.CompletedAt && (last == nil || other.CompletedAt > last.CompletedAt) {
			last = other
		}
	}
	return last
}

// leaves counts and reports a form that the options leave out.
func (v *view) leaves(f *form) bool {
	counter := v.counterOf(f)
	if counter == nil {
		v.packs[f.submission.Pack] = true
		return false
	}
	*counter++
	return true
}

// excludes is leaves without the counting.
func (v *view) excludes(f *form) bool { return v.counterOf(f) != nil }

// counterOf is where a form is counted that the options leave out, or nil.
func (v *view) counterOf(f *form) *int {
	o := v.options
	switch demo := f.submission.Demonstration; {
	case demo && o.Demonstration == Exclude:
		return &v.left.Demonstration
	case !demo && o.Demonstration == Only:
		return &v.left.Licensed
	case o.Through != 0 && f.completedOn() > o.Through:
		return &v.left.AfterThrough
	default:
		return nil
	}
}

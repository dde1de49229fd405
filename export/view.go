package export

import (
	"cmp"
	"fmt"
	"slices"
	"time"

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
	visits     map[string]int // visit code → VISITNUM
	zones      map[string]*time.Location

	left   LeftOut
	cells  []Value
	scores []scoring.Score
}

func newView(o Options, h *study.History, ins *instruments.Instrument) *view {
	v := &view{options: o, history: h, instrument: ins, visits: map[string]int{}, zones: map[string]*time.Location{}}
	for _, version := range h.Versions() {
		for _, visit := range version.Visits {
			// In the order of first appearance: an amendment leaves the numbers of
			// earlier visits as they were.
			if _, known := v.visits[visit.Code]; !known {
				v.visits[visit.Code] = len(v.visits) + 1
			}
		}
	}
	return v
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

// forms calls f with every form of the participant that the options leave in,
// by visit, then in the order of arrival. The scores are computed anew from the
// answers; a form that this program cannot score stops the export.
func (v *view) forms(p *study.Participant, each func(*form) error) error {
	order := make([]*study.Assessment, len(p.Assessments))
	for i := range p.Assessments {
		order[i] = &p.Assessments[i]
	}
	slices.SortStableFunc(order, func(a, b *study.Assessment) int {
		return cmp.Compare(v.visits[a.Visit], v.visits[b.Visit])
	})
	for _, a := range order {
		if len(a.Submissions) == 0 {
			continue
		}
		visit, protocol, err := v.visit(a)
		if err != nil {
			return err
		}
		standing := a.Standing()
		for i := range a.Submissions {
			s := &a.Submissions[i]
			f := &form{view: v, participant: p, assessment: a, submission: s, visit: visit,
				visitNumber: v.visits[a.Visit], recallDays: protocol.Forms.RecallDays, standing: s == standing}
			if f.scores, err = v.score(p, s); err != nil {
				return err
			}
			f.previous = before(order, s)
			if err := each(f); err != nil {
				return err
			}
		}
	}
	return nil
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

// before is the last standing form that was completed before this one.
func before(assessments []*study.Assessment, s *study.Submission) *study.Submission {
	var last *study.Submission
	for _, a := range assessments {
		other := a.Standing()
		if other != nil && other != s && other.CompletedAt < s.CompletedAt && (last == nil || other.CompletedAt > last.CompletedAt) {
			last = other
		}
	}
	return last
}

// leaves counts and reports a form that the options leave out.
func (v *view) leaves(f *form) bool {
	o := v.options
	switch demo := f.submission.Demonstration; {
	case demo && o.Demonstration == Exclude:
		v.left.Demonstration++
	case !demo && o.Demonstration == Only:
		v.left.Licensed++
	case o.Through != 0 && f.completedOn() > o.Through:
		v.left.AfterThrough++
	default:
		return false
	}
	return true
}

package export

import (
	"epro/analysis"
	"epro/study"
)

// visitRow is one visit that was asked of one participant, as package analysis
// sees it.
type visitRow struct {
	view        *view
	participant *study.Participant
	person      *analysis.Person
	analysis.Visit
	of         *analysis.VisitOf
	assessment *study.Assessment
	protocol   study.Visit // as the window's protocol version has it
}

func (r *visitRow) who() (*view, *study.Participant) { return r.view, r.participant }

func (r *visitRow) at() (*study.Assessment, study.Visit, int) {
	return r.assessment, r.protocol, r.Number
}

// asked calls each with every visit that was asked of the participant, in the
// order of the protocol.
func (v *view) asked(p *study.Participant, each func(*visitRow) error) error {
	person, err := v.plan.Person(p)
	if err != nil {
		return stopped(err)
	}
	v.left = LeftOut{Demonstration: v.left.Demonstration + person.LeftOut.Demonstration, Licensed: v.left.Licensed + person.LeftOut.Licensed,
		AfterThrough: v.left.AfterThrough + person.LeftOut.AfterThrough}
	for i := range person.Visits {
		if !person.Visits[i].Asked {
			continue
		}
		r := &visitRow{view: v, participant: p, person: person, Visit: v.plan.Visits[i], of: &person.Visits[i], assessment: p.AtVisit(v.plan.Visits[i].Code)}
		if r.protocol, _, err = v.visit(r.assessment); err != nil {
			return err
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

package analysis

import (
	"time"

	"epro/study"
)

// Grid is a site's completion as its staff look at it: where everybody stands
// at each visit, and the rates of the PRO population among them.
type Grid struct {
	Visits       []string  `json:"visits"`
	Participants []GridRow `json:"participants"`
	Rates        []Rates   `json:"rates"`

	plan       *Plan
	completion *Completion
}

// GridRow is one participant. A visit that her protocol versions do not have
// has no cell.
type GridRow struct {
	ID     study.ParticipantID               `json:"id"`
	Number string                            `json:"number"`
	Site   study.SiteCode                    `json:"site"`
	Cells  map[string]study.AssessmentStatus `json:"cells"`
}

// NewGrid is a grid with nobody in it; valid is by the score at this place in
// Plan.Scores.
func NewGrid(p *Plan, score int) *Grid {
	g := &Grid{Participants: []GridRow{}, plan: p, completion: NewCompletion(p, score)}
	for _, v := range p.Visits {
		g.Visits = append(g.Visits, v.Code)
	}
	g.Rates = g.completion.Rates
	return g
}

// Add adds a participant as she stands at an instant.
func (g *Grid) Add(of *study.Participant, at time.Time) error {
	q, err := g.plan.Person(of)
	if err != nil {
		return err
	}
	row := GridRow{ID: of.ID, Number: of.Number, Site: of.Site, Cells: make(map[string]study.AssessmentStatus, len(of.Assessments))}
	for i := range of.Assessments {
		a := &of.Assessments[i]
		row.Cells[a.Visit] = of.AssessmentStatus(a, at)
	}
	g.Participants = append(g.Participants, row)
	g.completion.Add(q)
	return nil
}

// Scale is the score that the rates are of.
func (g *Grid) Scale() string { return g.completion.Scale }

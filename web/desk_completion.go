package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"epro/study"
)

// target is the completion rate that sites are measured by, in percent: what
// the field's references ask of a visit.
const target = 90

// cellState is where an assessment stands, as the heat map shows it. The states
// exclude each other.
type cellState struct {
	Class int // of the style sheet
	Glyph string
	Word  string
}

// The states of the heat map; colour never says what the glyph does not.
var (
	cellNotDue      = cellState{0, "·", "not due"}
	cellDue         = cellState{1, "○", "due"}
	cellOverdue     = cellState{2, "!", "overdue"}
	cellInProgress  = cellState{3, "◐", "in progress"}
	cellComplete    = cellState{4, "✓", "complete"}
	cellPartial     = cellState{5, "◪", "partial: some items unanswered"}
	cellExplained   = cellState{6, "r", "missed, with a reason"}
	cellUnexplained = cellState{7, "×", "missed, no reason yet"}
	cellLeft        = cellState{8, "■", "not expected: withdrawn, died or excluded"}
	cellSuperseded  = cellState{0, "–", "superseded by a later visit"}
)

var allCells = []cellState{cellNotDue, cellDue, cellOverdue, cellInProgress, cellComplete, cellPartial, cellExplained, cellUnexplained, cellLeft, cellSuperseded}

// cellOf is the one state of an assessment. answered is how far an unsent form
// is, as the phone said last.
func cellOf(p *study.Participant, a *study.Assessment, answered int, now time.Time) cellState {
	switch p.AssessmentStatus(a, now) {
	case study.Completed:
		if f := a.Standing(); f.Answers.Count() < len(f.Answers) {
			return cellPartial
		}
		return cellComplete
	case study.Open, study.Overdue:
		switch {
		case answered > 0:
			return cellInProgress
		case p.AssessmentStatus(a, now) == study.Overdue:
			return cellOverdue
		}
		return cellDue
	case study.Missed:
		if a.NotDone != nil {
			return cellExplained
		}
		return cellUnexplained
	case study.Unexpected:
		return cellLeft
	case study.Superseded:
		return cellSuperseded
	default:
		return cellNotDue
	}
}

// heatView is the heat map with the rates above it.
type heatView struct {
	head
	siteChoice
	AsTable bool
	Target  int
	Columns []string
	Rows    []heatRow
	Rates   []rateRow
	Legend  []cellState
}

type heatRow struct {
	ID     study.ParticipantID
	Number string
	Cells  []cellState
}

// rateRow counts the forms of a visit among those whose window has closed or
// who have completed.
type rateRow struct {
	Visit               string
	Expected, Completed int
	Percent             int
	Low                 bool
}

func (d *desk) heatMap(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	view := heatView{head: d.head(v, "Completion", "heat"), siteChoice: choice, AsTable: v.Query("view") == "table", Target: target, Legend: allCells}
	for _, visit := range h.Current().Visits {
		view.Columns = append(view.Columns, visit.Code)
		view.Rates = append(view.Rates, rateRow{Visit: visit.Code})
	}
	err = d.eachPerson(v, choice.Site, func(p *study.Participant) error { return d.addHeat(v, &view, p) })
	if err != nil {
		return err
	}
	for i := range view.Rates {
		if r := &view.Rates[i]; r.Expected > 0 {
			r.Percent = r.Completed * 100 / r.Expected
			r.Low = r.Percent < target
		}
	}
	if v.Query("format") == "csv" {
		return d.exportHeat(v, &view)
	}
	return d.show(v.Ctx, http.StatusOK, "completion.html", view)
}

func (d *desk) addHeat(v *visit, view *heatView, p *study.Participant) error {
	now := d.Now()
	var progress map[study.AssessmentID]study.Progress
	if next := p.Next(now); next != nil && p.AssessmentStatus(next, now) != study.Upcoming {
		var err error
		if progress, err = d.Study.ProgressOf(v.UserContext(), p.ID); err != nil {
			return err
		}
	}
	row := heatRow{ID: p.ID, Number: p.Number}
	for i, code := range view.Columns {
		a := p.AtVisit(code)
		if a == nil {
			row.Cells = append(row.Cells, cellSuperseded)
			continue
		}
		cell := cellOf(p, a, progress[a.ID].Answered, now)
		row.Cells = append(row.Cells, cell)
		switch cell {
		case cellComplete, cellPartial:
			view.Rates[i].Completed++
			view.Rates[i].Expected++
		case cellExplained, cellUnexplained:
			view.Rates[i].Expected++
		}
	}
	view.Rows = append(view.Rows, row)
	return nil
}

// eachPerson calls f for every participant of a site, by number.
func (d *desk) eachPerson(v *visit, site study.SiteCode, f func(*study.Participant) error) error {
	q := study.PeopleQuery{Site: site, Limit: 200}
	for {
		page, more, err := d.Study.Participants(v.UserContext(), v.by, q)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := f(p); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		q.After = page[len(page)-1].Place()
	}
}

func (d *desk) exportHeat(v *visit, view *heatView) error {
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write(append([]string{"number"}, view.Columns...)) // to memory
	for _, row := range view.Rows {
		line := []string{safeCell(row.Number)}
		for _, c := range row.Cells {
			line = append(line, c.Word)
		}
		_ = w.Write(line)
	}
	w.Flush()
	return d.export(v, "desk_completion", map[string]string{"site": string(view.Site)}, len(view.Rows), out.String())
}

package web

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"epro/analysis"
	"epro/export"
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
	window
	AsTable  bool
	Target   int
	Columns  []string
	Rows     []heatRow
	Legend   []cellState
	RatesAt  string     // as of when the rates are; empty: they were not counted
	Rates    []rateLine // for each count, over all visits
	Scale    string     // that makes a form valid
	CutOn    string     // the day in the past that was asked for
	Count    string     // link that counts the rates of a site that is larger than a window
	Switched string     // link to the other view
	Export   string
}

type heatRow struct {
	ID     study.ParticipantID
	Number string
	Cells  []cellState
}

// rateLine is one of the counts of DOMAIN.md §5 at every visit.
type rateLine struct {
	Name, Key string
	Cells     []rateCell
}

type rateCell struct {
	Text string
	Low  bool
}

func (d *desk) heatMap(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	view := &heatView{head: d.head(v, "Completion", "heat"), siteChoice: choice, AsTable: v.Query("view") == "table", Target: target, Legend: allCells, CutOn: v.Query("as_of")}
	at, err := d.cutAsked(v, view)
	if err != nil {
		return err
	}
	switch {
	case v.Query("format") == "csv" && view.CutOn == "":
		if err := d.eachPerson(v, choice.Site, func(p *study.Participant) error { return d.addHeat(v, view, p, at) }); err != nil {
			return err
		}
		return d.exportHeat(v, view)
	case view.CutOn != "":
		err = d.past(v, view, at)
	default:
		err = d.present(v, view, at)
	}
	if err != nil {
		return err
	}
	return d.show(v.Ctx, http.StatusOK, "completion.html", view)
}

// cutAsked is the instant that the page is about: now, or the end of a day in
// the past in the study's zone.
func (d *desk) cutAsked(v *visit, view *heatView) (time.Time, error) {
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return time.Time{}, err
	}
	for _, visit := range h.Current().Visits {
		view.Columns = append(view.Columns, visit.Code)
	}
	cut, err := export.ParseCut(view.CutOn, zoneOf(h.Current().TimeZone), d.Now())
	if err != nil {
		return time.Time{}, err
	}
	if cut.At.After(d.Now()) {
		cut.At, view.CutOn = d.Now(), ""
	}
	other := "table"
	if view.AsTable {
		other = "map"
	}
	view.Switched = "/desk/completion?" + query("view", other, "as_of", view.CutOn)
	view.Export = "/desk/completion?format=csv"
	return cut.At, nil
}

// present is the page as of now. The rates of a site that is larger than a
// window are counted when they are asked for.
func (d *desk) present(v *visit, view *heatView, now time.Time) error {
	var err error
	if view.window, err = d.window(v, view.Site); err != nil {
		return err
	}
	for _, p := range view.People {
		if err := d.addHeat(v, view, p, now); err != nil {
			return err
		}
	}
	if !view.Whole && v.Query("rates") == "" {
		view.Count = "/desk/completion?rates=count"
		return nil
	}
	grid, err := export.SiteCompletion(v.UserContext(), d.Study, v.by, view.Site, time.Time{}, "")
	view.rates(grid, now)
	return err
}

// past folds the site's records as they were; what phones said of unsent forms
// then is not known.
func (d *desk) past(v *visit, view *heatView, at time.Time) error {
	after, skipped := placeAsked(v, view.Site), 0
	more := false
	grid, err := export.SiteCompletion(v.UserContext(), d.Study, v.by, view.Site, at, "", func(p *study.Participant) {
		switch {
		case p.Number <= after.Number:
			skipped++
		case len(view.Rows) == windowLength:
			more = true
		default:
			view.Rows = append(view.Rows, heatRowOf(view.Columns, p, nil, at))
			view.People = append(view.People, p)
		}
	})
	if err != nil {
		return err
	}
	view.Whole = !more && skipped == 0
	if len(view.People) > 0 {
		view.First, view.Last = view.People[0].Number, view.People[len(view.People)-1].Number
	}
	view.Next, view.Beginning = windowLinks(v, after, lastOf(view.People), more)
	view.rates(grid, at)
	return nil
}

// rates are the official ones, as package analysis counts them.
func (view *heatView) rates(g *analysis.Grid, at time.Time) {
	if g == nil {
		return
	}
	view.RatesAt, view.Scale = at.UTC().Format("2006-01-02 15:04:05")+" UTC", g.Scale()
	line := func(name, key string, of func(*analysis.Rates) rateCell) {
		l := rateLine{Name: name, Key: key}
		for _, visit := range view.Columns {
			cell := rateCell{}
			if i := slices.IndexFunc(g.Rates, func(r analysis.Rates) bool { return r.Visit == visit }); i >= 0 {
				cell = of(&g.Rates[i])
			}
			l.Cells = append(l.Cells, cell)
		}
		view.Rates = append(view.Rates, l)
	}
	count := func(name, key string, of func(*analysis.Rates) int) {
		line(name, key, func(r *analysis.Rates) rateCell { return rateCell{Text: strconv.Itoa(of(r))} })
	}
	rate := func(name, key string, of func(*analysis.Rates) *float64) {
		line(name, key, func(r *analysis.Rates) rateCell { return percent(of(r)) })
	}
	rate("Variable rate", "rate_variable", func(r *analysis.Rates) *float64 { return r.RateVariable })
	rate("Fixed rate", "rate_fixed", func(r *analysis.Rates) *float64 { return r.RateFixed })
	count("Population", "n_pop", func(r *analysis.Rates) int { return r.NPop })
	count("Died", "n_dead", func(r *analysis.Rates) int { return r.NDead })
	count("Left the trial", "n_off", func(r *analysis.Rates) int { return r.NOff })
	count("Expected", "n_expected", func(r *analysis.Rates) int { return r.NExpected })
	count("Received", "n_received", func(r *analysis.Rates) int { return r.NReceived })
	count("Valid", "n_valid", func(r *analysis.Rates) int { return r.NValid })
	count("Missing", "n_missing", func(r *analysis.Rates) int { return r.NMissing })
	count("… left the forms", "n_off_pro", func(r *analysis.Rates) int { return r.NOffPRO })
}

// percent is a rate with one decimal; nothing where nobody is counted.
func percent(rate *float64) rateCell {
	if rate == nil {
		return rateCell{}
	}
	return rateCell{Text: strconv.FormatFloat(*rate*100, 'f', 1, 64) + " %", Low: *rate*100 < target}
}

func (d *desk) addHeat(v *visit, view *heatView, p *study.Participant, now time.Time) error {
	var progress map[study.AssessmentID]study.Progress
	if next := p.Next(now); next != nil && p.AssessmentStatus(next, now) != study.Upcoming {
		var err error
		if progress, err = d.Study.ProgressOf(v.UserContext(), p.ID); err != nil {
			return err
		}
	}
	view.Rows = append(view.Rows, heatRowOf(view.Columns, p, progress, now))
	return nil
}

func heatRowOf(visits []string, p *study.Participant, progress map[study.AssessmentID]study.Progress, now time.Time) heatRow {
	row := heatRow{ID: p.ID, Number: p.Number}
	for _, code := range visits {
		cell := cellSuperseded
		if a := p.AtVisit(code); a != nil {
			cell = cellOf(p, a, progress[a.ID].Answered, now)
		}
		row.Cells = append(row.Cells, cell)
	}
	return row
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

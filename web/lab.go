package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"epro/analysis"
	"epro/export"
	"epro/study"
	"epro/web/figure"
)

// The analyst's page: plots of the whole study, drawn by the server, with their
// numbers. It shows figures only, nothing of one person.

// landmark is the visit of the cumulative distribution unless another is asked
// for: week 18, after six cycles.
const landmark = "W18"

// labView is what the page shows.
type labView struct {
	head
	Run      analysis.Run
	Figures  []drawing
	Without  string       // why some figures are not there
	Download template.URL // the query, for files of the same figures
	Choices  []labChoice
	Problem  *problem
}

// drawing is a figure on the page.
type drawing struct{ figure.Figure }

// Drawing is the plot as part of the page. Package plot escapes every text in it.
func (d drawing) Drawing() template.HTML {
	return template.HTML(d.Chart.SVG()) //nolint:gosec // as said above; a property test of package plot holds it
}

// labChoice is one filter: a list to choose from, or a field to write in when
// there is none.
type labChoice struct {
	Name, Label, Hint string
	Values            []string
	Empty             string // what no choice means
	Chosen            string
}

func (d *desk) lab(v *visit) error {
	query := queryOf(v)
	view := labView{head: d.head(v, "Analysis", "lab"), Download: template.URL(query.Encode())} //nolint:gosec // encoded just now from names and values
	data, err := d.gather(v, query)
	if err == nil {
		view.Run = data.Run
		view.Figures, view.Without, err = figures(data, query)
	}
	if err != nil && !refusal(err) {
		return err
	}
	status := http.StatusOK
	if err != nil {
		status, view.Problem = statusOfPage(study.CodeOf(err)), problemOf(err)
	}
	if view.Choices, err = d.choices(v, query); err != nil {
		return err
	}
	v.Set(fiber.HeaderCacheControl, "no-store")
	return d.show(v.Ctx, status, "lab.html", view)
}

// labFile answers with one figure as a file: its drawing, or its numbers.
func (d *desk) labFile(v *visit) error {
	name, kind, _ := strings.Cut(v.Params("file"), ".")
	query := queryOf(v)
	data, err := d.gather(v, query)
	if err != nil {
		return err
	}
	all, without, err := figures(data, query)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(f drawing) bool { return f.Name == name })
	if i < 0 || kind != "svg" && kind != "csv" {
		return study.Fail(study.NotFound, cmp.Or(without, "There is no such figure."))
	}
	v.Set(fiber.HeaderContentDisposition, `attachment; filename="`+all[i].Name+"."+kind+`"`)
	v.Set(fiber.HeaderCacheControl, "no-store")
	if kind == "svg" {
		v.Set(fiber.HeaderContentType, "image/svg+xml; charset=utf-8")
		return v.Send(all[i].Chart.SVG())
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(all[i].Table); err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	return v.Send(out.Bytes())
}

// queryOf are the filters that were filled in.
func queryOf(v *visit) url.Values {
	query := url.Values{}
	for name, value := range v.Queries() {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// gather reads what the filters leave.
func (d *desk) gather(v *visit, query url.Values) (*analysis.Data, error) {
	q := export.Question{Demonstration: analysis.Demonstration(query.Get("demonstration")), Site: study.SiteCode(query.Get("site")),
		Regimen: query.Get("regimen"), Program: d.Program}
	history, err := d.Study.History(v.UserContext())
	if err != nil {
		return nil, err
	}
	zone, err := study.LoadZone(history.Current().TimeZone)
	if err != nil {
		return nil, err
	}
	if q.Cut, err = export.ParseCut(query.Get("cut"), zone, d.Study.Now()); err != nil {
		return nil, err
	}
	if q.Through, err = export.ParseThrough(query.Get("through")); err != nil {
		return nil, err
	}
	return export.Gather(v.UserContext(), d.Study, v.by, q)
}

// figures are the plots of the page, in its order. Those that need a threshold
// are left out where none is published and none was given; without says so.
func figures(d *analysis.Data, query url.Values) (out []drawing, without string, err error) {
	ask := analysis.Ask{Scale: query.Get("scale"), Axis: analysis.Axis(query.Get("axis"))}
	if text := query.Get("threshold"); text != "" {
		threshold, err := strconv.ParseFloat(text, 64)
		if err != nil || threshold <= 0 {
			return nil, "", study.Fail(study.Invalid, "The threshold is no number of points.", study.Field{Name: "threshold", Reason: "write a number above 0"})
		}
		ask.Threshold = threshold
	}
	ask.Rule = analysis.Rule{Threshold: ask.Threshold, Variant: analysis.Variant(query.Get("variant")), Death: analysis.Handling(query.Get("death")),
		Gap: analysis.Handling(query.Get("gap")), Progression: analysis.Handling(query.Get("progression"))}
	some, byCycle, landmarks := ask, ask, ask
	if some.From, some.To = query.Get("from"), query.Get("to"); ask.Axis != analysis.ByCalendar {
		byCycle = some // completion is by cycle, where calendar visits have no codes
	}
	landmarks.Axis, landmarks.Visit = "", query.Get("visit")
	asks := []question{
		{byCycle, drawn((*analysis.Data).CompletionTable, figure.Completion)}, {some, drawn((*analysis.Data).ChangeTable, figure.Change)},
		{some, drawn((*analysis.Data).ResponderTable, figure.Responders)}, {ask, drawn((*analysis.Data).DeteriorationTable, figure.Deterioration)},
	}
	if landmarks.Visit == "" {
		landmarks.Visit = landmark
	}
	if query.Get("visit") != "" || d.Reaches(landmark) { // or nobody is so far yet
		asks = append(asks, question{landmarks, drawn((*analysis.Data).DistributionTable, figure.Distribution)})
	}
	asks = append(asks, question{some, drawn((*analysis.Data).ItemTable, figure.Items)})
	for _, q := range asks {
		f, err := q.draw(d, q.ask)
		switch {
		case err == nil:
			out = append(out, f)
		case ask.Threshold == 0 && analysis.NeedsThreshold(err):
			without = "Responders and time to deterioration are not shown. " + problemOf(err).Message
		default:
			return nil, "", err
		}
	}
	return out, without, nil
}

// question is a figure to draw, and of what.
type question struct {
	ask  analysis.Ask
	draw func(*analysis.Data, analysis.Ask) (drawing, error)
}

func drawn[T any](build func(*analysis.Data, analysis.Ask) (T, error), draw func(T) figure.Figure) func(*analysis.Data, analysis.Ask) (drawing, error) {
	return func(d *analysis.Data, a analysis.Ask) (drawing, error) {
		t, err := build(d, a)
		if err != nil {
			return drawing{}, err
		}
		return drawing{draw(t)}, nil
	}
}

// choices are the filters with what can be chosen.
func (d *desk) choices(v *visit, query url.Values) ([]labChoice, error) {
	history, err := d.Study.History(v.UserContext())
	if err != nil {
		return nil, err
	}
	// Codes of sites only, which every row of an export has.
	sites, err := d.Study.Sites(v.UserContext(), study.System("lab"))
	if err != nil {
		return nil, err
	}
	p := history.Current()
	codes := make([]string, len(sites))
	for i, s := range sites {
		codes[i] = string(s.Code)
	}
	out := []labChoice{
		{Name: "scale", Label: "Scale", Values: study.ScoreCodes(p.Instrument.ID, p.Instrument.Version)},
		{Name: "site", Label: "Site", Values: codes}, {Name: "regimen", Label: "Regimen at first dose", Values: p.Regimens},
		{Name: "axis", Label: "Visits by", Values: labWords(analysis.Axes)},
		{Name: "from", Label: "First visit", Hint: "C2D1, or W3"}, {Name: "to", Label: "Last visit", Hint: "C9D1, or W24"},
		{Name: "visit", Label: "Visit of the distribution", Hint: "such as C7D1 or W18"},
		{Name: "threshold", Label: "Threshold in points", Hint: "empty: published MID"},
		{Name: "variant", Label: "Deterioration", Values: labWords(analysis.Variants)}, {Name: "death", Label: "Death", Values: labWords(analysis.DeathHandlings)},
		{Name: "gap", Label: "Two or more missed", Values: labWords(analysis.GapHandlings)},
		{Name: "progression", Label: "Progression", Values: labWords(analysis.ProgressionHandling)},
		{Name: "cut", Label: "Cut", Hint: "a date; empty: now"}, {Name: "through", Label: "Through", Hint: "a date; empty: no limit"},
		{Name: "demonstration", Label: "Demonstration data", Values: labWords(export.Demonstrations)},
	}
	for i := range out {
		c := &out[i]
		c.Chosen = query.Get(c.Name)
		switch {
		case c.Name == "site" || c.Name == "regimen":
			c.Empty = "all"
		case c.Name == "scale":
			c.Empty = "default: " + c.Values[len(c.Values)-1]
		case c.Name == "demonstration":
			c.Empty = "default" // which it is depends on the study, and stands above the plots
		case len(c.Values) > 0:
			c.Empty = "default: " + c.Values[0]
		}
	}
	return out, nil
}

func labWords[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

package web

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// pageLength is how many participants a page of the list has.
const pageLength = 50

// personRow is a participant in the list.
type personRow struct {
	ID               study.ParticipantID
	Number, Status   string
	Visit, State     string // of the assessment that is open, or comes next
	DueOn, ClosesOn  study.Date
	Completed, Asked int
	LastForm         string
	last             study.Instant
}

// listView is the list of participants.
type listView struct {
	head
	siteChoice
	Rows         []personRow
	Total        int
	Statuses     []option
	Sort, Search string
	Prev, Later  string // links
	From, To     int
	Enrol        bool
	Export       string
	SortBy       []option
	window
}

// participants is the list, filtered and sorted, of a window of the site.
func (d *desk) participants(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	q, err := d.listQuery(v)
	if err != nil {
		return err
	}
	if v.Query("format") == "csv" {
		rows, err := d.rows(v, choice.Site, q)
		if err != nil {
			return err
		}
		return d.exportRows(v, choice.Site, q, rows)
	}
	part, rows, err := d.windowRows(v, choice.Site, q)
	if err != nil {
		return err
	}
	page, _ := strconv.Atoi(v.Query("page"))
	page = min(max(page, 1), (len(rows)+pageLength-1)/pageLength+1)
	from := min((page-1)*pageLength, len(rows))
	to := min(from+pageLength, len(rows))
	link := func(n int) string {
		q := url.Values{"status": {q.Get("status")}, "sort": {q.Get("sort")}, "q": {q.Get("q")}, "page": {strconv.Itoa(n)}}
		if v.Query("after_id") != "" {
			q["after"], q["after_id"] = []string{v.Query("after")}, []string{v.Query("after_id")}
		}
		return "/desk/participants?" + q.Encode()
	}
	view := listView{head: d.head(v, "Participants", "participants"), siteChoice: choice, Rows: rows[from:to], Total: len(rows), From: from + 1, To: to,
		Statuses: options(allStatuses, q.Get("status")), Search: q.Get("q"), Enrol: d.may(v).Enrol, SortBy: options(sortings, q.Get("sort")), window: part}
	q.Set("format", "csv")
	view.Export = "/desk/participants?" + q.Encode()
	if from > 0 {
		view.Prev = link(page - 1)
	}
	if to < len(rows) {
		view.Later = link(page + 1)
	}
	return d.show(v.Ctx, http.StatusOK, "participants.html", view)
}

var allStatuses = []study.ParticipantStatus{study.StatusScreened, study.StatusEnrolled, study.StatusActive, study.StatusWithdrawn,
	study.StatusDeceased, study.StatusCompleted, study.StatusExcluded}

var sortings = []string{"number", "closes", "due", "last_form", "completed"}

// listQuery is the filter asked for, which is remembered, or the one of last time.
func (d *desk) listQuery(v *visit) (url.Values, error) {
	known, err := d.Study.Settings(v.UserContext(), v.by)
	if err != nil {
		return nil, err
	}
	q := url.Values{"status": {v.Query("status")}, "sort": {v.Query("sort")}, "q": {v.Query("q")}}
	asked := v.Context().QueryArgs().Has("status") || v.Context().QueryArgs().Has("sort")
	if !asked {
		last, err := url.ParseQuery(known.List)
		if err == nil {
			q.Set("status", last.Get("status"))
			q.Set("sort", last.Get("sort"))
		}
		return q, nil
	}
	list := url.Values{"status": q["status"], "sort": q["sort"]}.Encode()
	if list == known.List || len(list) > 200 {
		return q, nil
	}
	known.List = list
	return q, d.Study.KeepSettings(v.UserContext(), v.by, known)
}

// rows are the participants of a whole site that match, for a file.
func (d *desk) rows(v *visit, site study.SiteCode, q url.Values) ([]personRow, error) {
	var rows []personRow
	err := d.eachPerson(v, site, func(p *study.Participant) error {
		rows = append(rows, d.matching([]*study.Participant{p}, q)...)
		return nil
	})
	sortRows(rows, q.Get("sort"))
	return rows, err
}

// windowRows are the participants of a window who match. In a site that is
// larger, a number that is not in the window is looked for whole.
func (d *desk) windowRows(v *visit, site study.SiteCode, q url.Values) (window, []personRow, error) {
	part, err := d.window(v, site)
	if err != nil {
		return part, nil, err
	}
	rows := d.matching(part.People, q)
	if number := strings.TrimSpace(q.Get("q")); len(rows) == 0 && number != "" && !part.Whole {
		found, _, err := d.Study.Participants(v.UserContext(), v.by, study.PeopleQuery{Site: site, Number: number})
		if err != nil {
			return part, nil, err
		}
		rows = d.matching(found, q)
	}
	sortRows(rows, q.Get("sort"))
	return part, rows, nil
}

// matching are those whose status and number the filter asks for.
func (d *desk) matching(people []*study.Participant, q url.Values) []personRow {
	var rows []personRow
	status, search := study.ParticipantStatus(q.Get("status")), strings.ToLower(strings.TrimSpace(q.Get("q")))
	for _, p := range people {
		if (status == "" || p.Status(d.Now()) == status) && strings.Contains(strings.ToLower(p.Number), search) {
			rows = append(rows, rowOf(p, d.Now()))
		}
	}
	return rows
}

func rowOf(p *study.Participant, now time.Time) personRow {
	row := personRow{ID: p.ID, Number: p.Number, Status: string(p.Status(now))}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		switch p.AssessmentStatus(a, now) {
		case study.Completed:
			row.Completed++
			row.Asked++
			if s := a.Standing(); s.CompletedAt > row.last {
				row.last = s.CompletedAt
			}
		case study.Missed:
			row.Asked++
		}
	}
	row.LastForm = local(row.last, p.Zone())
	if next := p.Next(now); next != nil {
		row.Visit, row.State = next.Visit, string(p.AssessmentStatus(next, now))
		row.DueOn, row.ClosesOn = next.Window.DueOn, next.Window.ClosesOn
	}
	return row
}

// sortRows sorts by what was asked for, and by number among equals.
func sortRows(rows []personRow, by string) {
	late := func(d study.Date) study.Date { // who has nothing to do comes last
		if d == 0 {
			return 1 << 30
		}
		return d
	}
	slices.SortStableFunc(rows, func(a, b personRow) int {
		first := 0
		switch by {
		case "closes":
			first = cmp.Compare(late(a.ClosesOn), late(b.ClosesOn))
		case "due":
			first = cmp.Compare(late(a.DueOn), late(b.DueOn))
		case "last_form":
			first = cmp.Compare(a.last, b.last)
		case "completed":
			first = cmp.Compare(a.Completed*max(b.Asked, 1), b.Completed*max(a.Asked, 1))
		}
		return cmp.Or(first, cmp.Compare(a.Number, b.Number))
	})
}

// exportRows sends the list as a file, and keeps in the study's record that it
// left: who, when, which filter, how many rows, and their hash.
func (d *desk) exportRows(v *visit, site study.SiteCode, q url.Values, rows []personRow) error {
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"number", "status", "visit", "visit_status", "due_on", "closes_on", "completed", "asked", "last_form"}) // to memory
	for _, r := range rows {
		_ = w.Write([]string{safeCell(r.Number), r.Status, r.Visit, r.State, r.DueOn.String(), r.ClosesOn.String(), strconv.Itoa(r.Completed), strconv.Itoa(r.Asked), r.LastForm})
	}
	w.Flush()
	return d.export(v, "desk_participants", map[string]string{"site": string(site), "status": q.Get("status"), "sort": q.Get("sort"), "q": q.Get("q")}, len(rows), out.String())
}

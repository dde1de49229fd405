package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// auditView is the search of everything that was recorded.
type auditView struct {
	head
	Kinds                           []option
	Who, Record, Words, Since, Till string
	Events                          []auditRow
	Looked                          int    // events that this page looked at
	Next                            string // where the search goes on
	Problem                         *problem
}

type auditRow struct {
	historyRow
	Stream string
}

const (
	auditRows  = 100    // a page of the search
	auditBatch = 1000   // events that are read at a time
	auditReach = 20_000 // events that a page looks at before it asks to go on
)

// auditSearch is what is asked for; empty fields ask for nothing.
type auditSearch struct {
	kind, who, record, words string
	till                     time.Time
}

func (q auditSearch) matches(e study.ReadEvent, row historyRow) bool {
	has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	return (q.kind == "" || string(e.Type) == q.kind) && has(row.Who+" "+e.Actor.ID, q.who) && has(string(e.Stream), q.record) &&
		has(row.Reason+"\n"+strings.Join(row.Changes, "\n")+"\n"+strings.Join(row.More, "\n"), q.words)
}

// audit searches by kind of event, by who, by record, by words, between days.
func (d *desk) audit(v *visit) error {
	view := auditView{head: d.head(v, "Audit", "audit"), Who: v.Query("who"), Record: v.Query("record"), Words: v.Query("words"), Since: v.Query("since"), Till: v.Query("till")}
	view.Kinds = options(study.EventTypes(), v.Query("kind"))
	place, q, err := d.auditFrom(v, &view)
	if err != nil {
		view.Problem = problemOf(err)
		return d.show(v.Ctx, http.StatusBadRequest, "admin-audit.html", view)
	}
	for next := &place; next != nil && len(view.Events) < auditRows && view.Looked < auditReach; {
		if next, err = d.auditMore(v, *next, q, &view); err != nil {
			return err
		}
		view.Next = ""
		if next != nil {
			view.Next = "/admin/audit?" + query("kind", q.kind, "who", view.Who, "record", view.Record, "words", view.Words, "since", view.Since, "till", view.Till,
				"at", next.At.Format(time.RFC3339Nano), "stream", string(next.Stream), "seq", strconv.FormatUint(next.Seq, 10))
		}
	}
	return d.show(v.Ctx, http.StatusOK, "admin-audit.html", view)
}

// auditFrom reads where the search begins and what it asks for: the last week
// unless it says otherwise.
func (d *desk) auditFrom(v *visit, view *auditView) (study.Place, auditSearch, error) {
	q := auditSearch{kind: v.Query("kind"), who: view.Who, record: view.Record, words: view.Words}
	wrong := func(name string) error {
		return study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: name, Reason: "give the day as YYYY-MM-DD"})
	}
	if view.Since == "" {
		view.Since = d.Now().UTC().AddDate(0, 0, -7).Format(time.DateOnly)
	}
	on, err := study.ParseDate(view.Since)
	if err != nil {
		return study.Place{}, q, wrong("since")
	}
	place := study.Place{At: on.UTC()}
	if view.Till != "" {
		last, err := study.ParseDate(view.Till)
		if err != nil {
			return place, q, wrong("till")
		}
		q.till = (last + 1).UTC()
	}
	if at, err := time.Parse(time.RFC3339Nano, v.Query("at")); err == nil {
		place.At, place.Stream = at, study.StreamID(v.Query("stream"))
		place.Seq, _ = strconv.ParseUint(v.Query("seq"), 10, 63)
	}
	return place, q, nil
}

// auditMore looks at a further batch and says where to go on; nil is the end.
func (d *desk) auditMore(v *visit, place study.Place, q auditSearch, view *auditView) (*study.Place, error) {
	events, next, err := d.Study.Audit(v.UserContext(), v.by, place, auditBatch)
	if err != nil {
		return nil, err
	}
	for i, row := range d.history(v, events, time.UTC, false) {
		e := events[i]
		if !q.till.IsZero() && !e.At.Time().Before(q.till) {
			return nil, nil
		}
		view.Looked++
		if !q.matches(e, row) {
			continue
		}
		view.Events = append(view.Events, auditRow{row, string(e.Stream)})
		if len(view.Events) == auditRows && (next != nil || i+1 < len(events)) {
			return &study.Place{At: e.At.Time(), Stream: e.Stream, Seq: e.Seq}, nil
		}
	}
	return next, nil
}

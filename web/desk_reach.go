package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"epro/study"
)

// contactForm is the small form that logs an attempt to reach a participant.
type contactForm struct {
	Participant study.ParticipantID
	Assessment  study.AssessmentID
	Back        string // the page that it is sent from
	Channels    []option
	Outcomes    []option
	In          returned
}

func (d *desk) recordContact(v *visit) error {
	c := study.RecordContact{Assessment: study.AssessmentID(v.value("assessment")), Channel: study.Channel(v.value("channel")),
		Outcome: study.ContactOutcome(v.value("outcome")), Note: v.value("note")}
	var err error
	if c.NextOn, err = dateField(v, "next_on"); err == nil {
		r := v.request()
		r.IfMatch = 0 // an attempt was made, whatever happened meanwhile
		_, err = d.Study.Do(v.UserContext(), r, personID(v), c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showPerson(v, status, wrong) })
	}
	back, said := personPath(personID(v)), "The contact is logged."
	switch {
	case c.Outcome == study.OutcomeReportRetracted:
		said = "The report is taken back. Everything is as it was; reminders go on with what is still open, and nothing was sent meanwhile."
	case v.value("back") == "/desk":
		back = "/desk"
	}
	return v.done(back, said)
}

// alertsView is the page of alerts.
type alertsView struct {
	head
	siteChoice
	State  string
	States []option
	Rows   []alertRow
	May    mayDo
	window
}

type alertRow struct {
	study.AlertOf
	Raised, AckAt, AckBy string
	Form                 string
}

func (d *desk) alerts(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	state := v.Query("state", "waiting")
	part, err := d.window(v, choice.Site)
	if err != nil {
		return err
	}
	found, err := d.Study.AlertsOf(v.UserContext(), v.by, part.People)
	if err != nil {
		return err
	}
	zone := d.siteZone(v, choice.Site)
	names := map[string]string{}
	view := alertsView{head: d.head(v, "Alerts", "alerts"), siteChoice: choice, State: state, States: options([]string{"waiting", string(study.AlertAcknowledged)}, state), May: d.may(v), window: part}
	for _, a := range found {
		if (state == "waiting") == (a.State == study.AlertAcknowledged) {
			continue
		}
		row := alertRow{AlertOf: a, Raised: local(a.RaisedAt, zone)}
		if a.Ack != nil {
			row.AckAt, row.AckBy = local(a.Ack.At, zone), d.nameOf(v, a.Ack.By, names)
		}
		view.Rows = append(view.Rows, row)
	}
	slices.SortStableFunc(view.Rows, func(a, b alertRow) int {
		return cmp.Or(rank(a.State)-rank(b.State), cmp.Compare(a.RaisedAt, b.RaisedAt))
	})
	return d.show(v.Ctx, http.StatusOK, "alerts.html", view)
}

// rank puts first what has waited too long.
func rank(s study.AlertState) int {
	return slices.Index([]study.AlertState{study.AlertEscalated, study.AlertOpen, study.AlertAcknowledged}, s)
}

// siteZone is the site's own zone.
func (d *desk) siteZone(v *visit, code study.SiteCode) *time.Location {
	site, err := d.Study.Site(v.UserContext(), v.by, code)
	if err != nil {
		return time.UTC
	}
	return zoneOf(site.TimeZone)
}

func (d *desk) acknowledge(v *visit) error {
	id := study.AlertID(v.value("alert"))
	r := v.request()
	r.IfMatch = 0
	if _, err := d.Study.Do(v.UserContext(), r, id.Participant(), study.AcknowledgeAlert{Alert: id, Note: v.value("note")}); err != nil {
		return err
	}
	return v.done("/desk/alerts", "Acknowledged.")
}

// logView is the reminder log.
type logView struct {
	head
	siteChoice
	Days   int
	Rows   []logRow
	Counts []option
	More   bool
}

type logRow struct {
	study.Sent
	AtLocal, Planned, Status, Why, Received, Opened string
	Bad                                             bool
}

func (d *desk) reminders(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	view := logView{head: d.head(v, "Reminder log", "reminders"), siteChoice: choice, Days: min(max(v.QueryInt("days", 2), 1), 60)}
	zone := d.siteZone(v, choice.Site)
	midnight := study.StartOfDay(study.DateOf(d.Now().In(zone))-study.Date(view.Days-1), zone)
	q := study.SentQuery{Site: choice.Site, Since: midnight, Limit: 200}
	counts := map[string]int{}
	for len(view.Rows) < 2000 {
		page, more, err := d.Study.DeliveriesSince(v.UserContext(), v.by, q)
		if err != nil {
			return err
		}
		for _, s := range page {
			row := d.logRow(s, zone)
			counts[row.Status]++
			view.Rows = append(view.Rows, row)
		}
		if view.More = more; !more {
			break
		}
		last := page[len(page)-1]
		q.After = study.SentPlace{At: last.At, ID: last.ID}
	}
	slices.Reverse(view.Rows) // the latest first
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		view.Counts = append(view.Counts, option{Name: status, Value: strconv.Itoa(counts[status])})
	}
	return d.show(v.Ctx, http.StatusOK, "reminders.html", view)
}

func (d *desk) logRow(s study.Sent, zone *time.Location) logRow {
	status := s.StatusAt(study.InstantOf(d.Now()))
	row := logRow{Sent: s, AtLocal: local(s.At, zone), Planned: local(s.StepAt, zone), Status: word(status), Why: s.Reason,
		Received: local(s.ReceivedAt, zone), Opened: local(s.OpenedAt, zone)}
	if o := s.Outcome; o != nil {
		row.Why = o.Reason
		row.Bad = o.Dead
	}
	row.Bad = row.Bad || status == study.DeliveryRejectedTarget || status == study.DeliveryRejectedPayload
	row.Why = word(row.Why)
	return row
}

// devicesView lists phones that have not been heard of, or hold unsent forms.
type devicesView struct {
	head
	siteChoice
	Rows []phoneRow
	All  int
	window
}

type phoneRow struct {
	ID                   study.ParticipantID
	Number, Seen, Status string
	Unsent               int
	Phones               int
	Silent               int // days
	NoRoute              bool
}

// silentAfter is how long a phone may say nothing before somebody should ask.
const silentAfter = 7

func (d *desk) devices(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	part, err := d.window(v, choice.Site)
	if err != nil {
		return err
	}
	view := devicesView{head: d.head(v, "Devices", "devices"), siteChoice: choice, window: part}
	for _, p := range part.People {
		if p.Stop() != nil || p.BoundAt.IsZero() || p.Access != study.AccessPhone {
			continue
		}
		view.All++
		row, err := d.phoneRow(v, p)
		if err != nil {
			return err
		}
		if row.Unsent > 0 || row.Silent > silentAfter || row.NoRoute {
			view.Rows = append(view.Rows, row)
		}
	}
	slices.SortStableFunc(view.Rows, func(a, b phoneRow) int { return cmp.Or(b.Unsent-a.Unsent, b.Silent-a.Silent) })
	return d.show(v.Ctx, http.StatusOK, "devices.html", view)
}

// phoneRow is what is known of a participant's phones: when one was heard of
// last, by a registration, a form, or a word on how far a form is.
func (d *desk) phoneRow(v *visit, p *study.Participant) (phoneRow, error) {
	row := phoneRow{ID: p.ID, Number: p.Number, Status: word(p.Status(d.Now()))}
	seen := p.BoundAt
	devices, err := d.Study.Devices(v.UserContext(), p.ID)
	if err != nil {
		return row, err
	}
	for _, dev := range devices {
		seen = max(seen, dev.SeenAt)
	}
	row.Phones, row.NoRoute = len(devices), p.NoRoute(devices, d.Now())
	progress, err := d.Study.ProgressOf(v.UserContext(), p.ID)
	if err != nil {
		return row, err
	}
	for _, said := range progress {
		seen = max(seen, said.SaidAt)
	}
	for i := range p.Assessments {
		for _, f := range p.Assessments[i].Submissions {
			if f.Mode.Electronic() {
				seen = max(seen, f.ReceivedAt)
			}
		}
	}
	for id, said := range progress { // what was held then may have been sent since
		if a := p.Assessment(id); a == nil || a.Standing() == nil {
			row.Unsent = max(row.Unsent, said.Unsent)
		}
	}
	row.Seen, row.Silent = local(seen, p.Zone()), int(d.Now().Sub(seen.Time())/(24*time.Hour))
	return row, nil
}

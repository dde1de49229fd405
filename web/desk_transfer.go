package web

import (
	"net/http"
	"strings"

	"epro/study"
)

// transferView is the page that moves a participant to another site: it says
// what will happen before anything does.
type transferView struct {
	head
	ID             study.ParticipantID
	Number         string
	Site           study.SiteCode
	To, On, Reason string
	Today          study.Date
	Receiving      *study.Site // known once the transfer was looked at
	Leaves         bool        // whoever does this will not see her any more
	Seq            uint64
	Problem        *problem
	Conflict       []historyRow
}

func (d *desk) transfer(v *visit) error {
	return d.showTransfer(v, http.StatusOK, v.Query("site"), v.Query("on"), nil)
}

func (d *desk) showTransfer(v *visit, status int, to, on string, wrong error) error {
	p, _, err := d.person(v)
	if err != nil {
		return err
	}
	if !v.by.May(study.Transfer) {
		return study.Fail(study.Forbidden, "Your role does not move participants to another site.")
	}
	view := transferView{head: d.head(v, "Move "+p.Number+" to another site", "participants"), ID: p.ID, Number: p.Number, Site: p.Site, To: strings.ToUpper(to), On: on, Reason: v.value("reason"),
		Today: study.DateOf(d.Now().In(p.Zone())), Seq: p.Seq, Problem: problemOf(wrong)}
	if view.Conflict, err = d.conflict(v, p.ID, p.Zone(), wrong); err != nil {
		return err
	}
	if view.Conflict != nil {
		view.Problem = nil
	}
	if to == "" && on == "" {
		view.On = view.Today.String()
		return d.show(v.Ctx, status, "transfer.html", view)
	}
	c, err := transferOf(view.To, on, view.Reason)
	if err == nil {
		view.Receiving, err = d.Study.PreviewTransfer(v.UserContext(), v.by, p.ID, c)
	}
	switch {
	case err == nil:
		view.Leaves = !v.by.Sees(c.Site)
	case !refusal(err):
		return err
	case view.Problem == nil:
		view.Problem, status = problemOf(err), statusOfPage(study.CodeOf(err))
	}
	return d.show(v.Ctx, status, "transfer.html", view)
}

func transferOf(to, on, reason string) (study.TransferTo, error) {
	c := study.TransferTo{Site: study.SiteCode(to), Reason: reason}
	var err error
	if c.On, err = study.ParseDate(on); err != nil {
		return c, study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "on", Reason: "give the day of the transfer as YYYY-MM-DD"})
	}
	return c, nil
}

func (d *desk) moveToSite(v *visit) error {
	to, on := v.value("site"), v.value("on")
	c, err := transferOf(to, on, v.value("reason"))
	if err == nil {
		_, err = d.Study.Do(v.UserContext(), v.request(), personID(v), c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showTransfer(v, status, to, on, wrong) })
	}
	said := "Participant moved to " + to + "."
	if !v.by.Sees(c.Site) {
		return v.done("/desk/participants", said+" The record is now that site's to see.")
	}
	return v.done(personPath(personID(v)), said)
}

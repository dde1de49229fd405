package web

import (
	"cmp"
	"net/http"
	"strconv"

	"epro/study"
)

// detailsView is the page that changes what is known of a participant.
type detailsView struct {
	head
	ID                                        study.ParticipantID
	Number, Language, Zone, Regimen           string
	Site                                      study.SiteCode
	Access                                    study.Access
	Languages, Regimens, Accesses, Consenting []option
	Consents                                  []study.Consent
	Corrects                                  []option // the consents that a new one may state anew
	In                                        returned
	Seq                                       uint64
	Problem                                   *problem
	Conflict                                  []historyRow
}

// Typed is what was typed into a field of the form, else what is known now.
func (v detailsView) Typed(field, now string) string {
	if v.In.Is("/details") {
		return v.In.Of("/details", field)
	}
	return now
}

func (d *desk) details(v *visit) error { return d.showDetails(v, http.StatusOK, nil) }

func (d *desk) showDetails(v *visit, status int, wrong error) error {
	p, h, err := d.person(v)
	if err != nil {
		return err
	}
	if !v.by.May(study.ChangeDetails) {
		return study.Fail(study.Forbidden, "Your role does not change a participant's details.")
	}
	current := h.Current()
	view := detailsView{head: d.head(v, "Details of "+p.Number, "participants"), ID: p.ID, Number: p.Number, Language: p.Language, Zone: p.TimeZone,
		Regimen: p.Regimen, Site: p.Site, Access: p.Access, Consents: p.Consents, In: v.returned(personPath(p.ID)), Seq: p.Seq, Problem: problemOf(wrong)}
	view.Languages = options(current.Languages, view.Typed("language", p.Language))
	view.Regimens = options(current.Regimens, view.Typed("regimen", p.Regimen))
	view.Accesses = options([]study.Access{study.AccessPhone, study.AccessPaper}, view.Typed("access", string(p.Access)))
	view.Consenting = options(current.Languages, cmp.Or(view.In.Of("/consent", "language"), p.Language))
	for i, c := range p.Consents {
		n := strconv.Itoa(i + 1)
		view.Corrects = append(view.Corrects, option{n, "the one of " + c.On.String() + ", version " + c.FormVersion + ", which was recorded wrongly", n == view.In.Of("/consent", "corrects")})
	}
	if view.Conflict, err = d.conflict(v, p.ID, p.Zone(), wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "details.html", view)
}

func (d *desk) changeDetails(v *visit) error {
	c := study.ChangeParticipant{Language: v.value("language"), TimeZone: v.value("time_zone"), Number: v.value("number"), Regimen: v.value("regimen"),
		Access: study.Access(v.value("access")), Reason: v.value("reason")}
	return d.doDetails(v, c, "The details are changed.")
}

func (d *desk) recordConsent(v *visit) error {
	on, err := dateField(v, "on")
	if err == nil {
		err = ticked(v)
	}
	if err != nil {
		return d.showDetails(v, http.StatusBadRequest, err)
	}
	c := study.RecordConsent{Consent: study.Consent{On: on, FormVersion: v.value("form_version"), Language: v.value("language")}, Reason: v.value("reason")}
	c.Corrects, _ = strconv.Atoi(v.value("corrects"))
	return d.doDetails(v, c, "The consent is recorded.")
}

// ticked refuses what cannot be undone unless its box is ticked.
func ticked(v *visit) error {
	if v.value("confirm") != "" {
		return nil
	}
	return study.Fail(study.Invalid, "Nothing was stored yet.", study.Field{Name: "confirm", Reason: "this cannot be taken back; read what happens and tick the box"})
}

func (d *desk) doDetails(v *visit, c study.Command, said string) error {
	if _, err := d.Study.Do(v.UserContext(), v.request(), personID(v), c); err != nil {
		return refused(err, func(status int, wrong error) error { return d.showDetails(v, status, wrong) })
	}
	return v.done(personPath(personID(v)), said)
}

func (d *desk) rateECOG(v *visit) error {
	on, err := dateField(v, "on")
	grade, bad := strconv.Atoi(v.value("ecog"))
	if err == nil && bad != nil {
		err = study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "ecog", Reason: "choose a grade from 0 to 4"})
	}
	if err != nil {
		return d.showPerson(v, http.StatusBadRequest, err)
	}
	return d.doPerson(v, study.RateECOG{Visit: v.value("visit"), ECOG: grade, On: on, Reason: v.value("reason")}, "The performance status is recorded.")
}

func (d *desk) removeDevice(v *visit) error {
	if err := d.Study.RemoveDevice(v.UserContext(), v.by, personID(v), study.DeviceID(v.value("device"))); err != nil {
		return err
	}
	return v.done(personPath(personID(v)), "The phone is forgotten: no reminder goes there. It comes back when its app is opened again.")
}

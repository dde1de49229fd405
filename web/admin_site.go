package web

import (
	"cmp"
	"net/http"

	"epro/study"
)

// sitesView is the list of sites, with the form that opens one.
type sitesView struct {
	head
	Sites     []*study.Site
	May       siteActs
	Languages []option
	In        returned
	Problem   *problem
}

// siteActs are what somebody's role may do with sites.
type siteActs struct{ Manage, Lock bool }

func siteActsOf(by study.Actor) siteActs {
	return siteActs{Manage: by.May(study.ManageSites), Lock: by.May(study.LockSites)}
}

func (d *desk) adminSites(v *visit) error { return d.showSites(v, http.StatusOK, nil) }

func (d *desk) showSites(v *visit, status int, wrong error) error {
	view := sitesView{head: d.head(v, "Sites", "sites"), May: siteActsOf(v.by), In: v.returned("/admin"), Problem: problemOf(wrong)}
	var err error
	if view.Sites, err = d.Study.Sites(v.UserContext(), v.by); err != nil {
		return err
	}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	view.Languages = options(h.Current().Languages, view.In.Of("/sites", "language"))
	return d.show(v.Ctx, status, "admin-sites.html", view)
}

func (d *desk) openSite(v *visit) error {
	site, err := d.Study.CreateSite(v.UserContext(), v.because(), study.CreateSite{Code: study.SiteCode(v.value("code")), Name: v.value("name"),
		TimeZone: v.value("time_zone"), Language: v.value("language")})
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showSites(v, status, wrong) })
	}
	return v.done(sitePath(site.Code), "The site is open. Give its telephone number next, then open accounts for its staff.")
}

// siteView is the page of one site.
type siteView struct {
	head
	Site      *study.Site
	May       siteActs
	Languages []option
	In        returned
	History   []historyRow
	Problem   *problem
	Conflict  []historyRow
}

// Typed is what was typed into a field of the details, else what is known now.
func (v siteView) Typed(form, field, now string) string {
	if v.In.Is(form) {
		return v.In.Of(form, field)
	}
	return now
}

func sitePath(code study.SiteCode) string { return "/admin/sites/" + string(code) }

func siteCode(v *visit) study.SiteCode { return study.SiteCode(v.Params("code")) }

func (d *desk) adminSite(v *visit) error { return d.showSite(v, http.StatusOK, nil) }

func (d *desk) showSite(v *visit, status int, wrong error) error {
	site, err := d.Study.Site(v.UserContext(), v.by, siteCode(v))
	if err != nil {
		return err
	}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	view := siteView{head: d.head(v, "Site "+string(site.Code), "sites"), Site: site, May: siteActsOf(v.by), In: v.returned(sitePath(site.Code)), Problem: problemOf(wrong)}
	view.Languages = options(h.Current().Languages, cmp.Or(view.In.Of("", "language"), site.Language))
	if view.History, err = d.trail(v, site.Code.Stream(), 0); err != nil {
		return err
	}
	if view.Conflict, err = d.conflictIn(v, site.Code.Stream(), wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "admin-site.html", view)
}

// doSite answers a form of the site's page.
func (d *desk) doSite(v *visit, err error, said string) error {
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showSite(v, status, wrong) })
	}
	return v.done(sitePath(siteCode(v)), said)
}

func (d *desk) changeSite(v *visit) error {
	_, err := d.Study.ChangeSite(v.UserContext(), v.because(), siteCode(v), study.SiteChanged{Name: v.value("name"), TimeZone: v.value("time_zone"), Language: v.value("language")})
	return d.doSite(v, err, "The site's details are changed.")
}

func (d *desk) siteContact(v *visit) error {
	_, err := d.Study.SetSiteContact(v.UserContext(), v.because(), siteCode(v), v.value("phone"))
	return d.doSite(v, err, "The number is kept. Apps show it the next time they are opened.")
}

func (d *desk) closeSite(v *visit) error {
	closed := v.value("closed") == "yes"
	said := "The site takes participants in again."
	if closed {
		said = "The site is closed to new participants. Whoever is there goes on."
	}
	_, err := d.Study.CloseSite(v.UserContext(), v.because(), siteCode(v), closed)
	return d.doSite(v, err, said)
}

// lockSite locks or unlocks the site's data, always under a signature.
func (d *desk) lockSite(v *visit) error {
	if _, err := d.Study.Site(v.UserContext(), v.by, siteCode(v)); err != nil {
		return err
	}
	if !v.by.May(study.LockSites) {
		return study.Fail(study.Forbidden, "Your role does not lock sites. An investigator of the site does.")
	}
	lock := v.value("lock") == "yes"
	said := "The site's data are open again. Forms that were held meanwhile wait for a decision on the morning page."
	if lock {
		said = "The site's data are locked. Forms that arrive now are kept and held; nothing else can be changed."
	}
	err := reasoned(v)
	if err == nil {
		var r study.Request
		if r, err = d.signed(v, study.LockMeaning(lock)); err == nil {
			_, err = d.Study.LockSite(v.UserContext(), r, siteCode(v), lock, v.value("reason"))
		}
	}
	return d.doSite(v, err, said)
}

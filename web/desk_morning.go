package web

import (
	"net/http"

	"epro/study"
)

// siteChoice is the menu of one's sites.
type siteChoice struct {
	Sites  []option // empty where there is nothing to choose
	Site   study.SiteCode
	Locked bool
}

// sites finds out which site a page is about: the one asked for, which is
// remembered, else the one of last time, else the first of one's own.
func (d *desk) sites(v *visit) (siteChoice, error) {
	own, err := d.Study.Sites(v.UserContext(), v.by)
	if err != nil {
		return siteChoice{}, err
	}
	known, err := d.Study.Settings(v.UserContext(), v.by)
	if err != nil {
		return siteChoice{}, err
	}
	asked := study.SiteCode(v.Query("site"))
	if asked != "" && !v.by.Sees(asked) {
		return siteChoice{}, study.Fail(study.NotFound, "There is no such site, or it is not yours to see.")
	}
	c := siteChoice{Site: asked}
	if asked == "" && v.by.Sees(known.Site) {
		c.Site = known.Site
	}
	for _, s := range own {
		if c.Site == "" {
			c.Site = s.Code
		}
		if s.Code == c.Site {
			c.Locked = s.Locked
		}
		if len(own) > 1 {
			c.Sites = append(c.Sites, option{string(s.Code), string(s.Code) + " · " + s.Name, s.Code == c.Site})
		}
	}
	if asked != "" && asked != known.Site {
		known.Site = asked
		err = d.Study.KeepSettings(v.UserContext(), v.by, known)
	}
	return c, err
}

// morningView is the page that a day begins with.
type morningView struct {
	head
	siteChoice
	List    *study.Worklist
	May     mayDo
	Reasons []option
	window
}

// mayDo is what the menu of a line offers.
type mayDo struct{ Write, Enrol, SeeAnswers bool }

func (d *desk) may(v *visit) mayDo {
	m := mayDo{Write: v.by.May(study.EnterForms), Enrol: v.by.May(study.EnrolPeople)}
	if h, err := d.Study.History(v.UserContext()); err == nil {
		m.SeeAnswers = h.SeesAnswers(v.by)
	}
	return m
}

func (d *desk) morning(v *visit) error {
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	after := placeAsked(v, choice.Site)
	list, err := d.Study.WorklistPage(v.UserContext(), v.by, study.WorklistQuery{Site: choice.Site, After: after, Limit: windowLength})
	if err != nil {
		return err
	}
	part := window{Whole: !list.More && after.ID == "", First: "after " + after.Number, Last: list.Last.Number}
	if after.ID == "" {
		part.First = "the first"
	}
	part.Next, part.Beginning = windowLinks(v, after, list.Last, list.More)
	view := morningView{head: d.head(v, "Morning", "morning"), siteChoice: choice, List: list, May: d.may(v),
		Reasons: options(study.MissingReasons, ""), window: part}
	view.Alerts = len(list.Alerts)
	return d.show(v.Ctx, http.StatusOK, "morning.html", view)
}

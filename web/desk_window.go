package web

import (
	"net/url"

	"epro/study"
)

// windowLength is how many participants a page reads. Sites of trials have
// fewer; a larger one is shown window by window, by number, so that no page
// takes longer the more there are.
const windowLength = 500

// window is the part of a site's participants that a page is about.
type window struct {
	People      []*study.Participant
	Whole       bool   // nobody of the site is outside
	First, Last string // numbers
	Next        string // link to the next one
	Beginning   string // link to the first one
}

// window reads the participants of a site from where the address says.
func (d *desk) window(v *visit, site study.SiteCode) (window, error) {
	after := placeAsked(v, site)
	people, more, err := d.Study.Participants(v.UserContext(), v.by, study.PeopleQuery{Site: site, After: after, Limit: windowLength})
	if err != nil {
		return window{}, err
	}
	w := window{People: people, Whole: !more && after.ID == ""}
	if len(people) > 0 {
		w.First, w.Last = people[0].Number, people[len(people)-1].Number
	}
	w.Next, w.Beginning = windowLinks(v, after, lastOf(people), more)
	return w, nil
}

func lastOf(people []*study.Participant) study.PeoplePlace {
	if len(people) == 0 {
		return study.PeoplePlace{}
	}
	return people[len(people)-1].Place()
}

// placeAsked is the participant behind whom the address wants the window.
func placeAsked(v *visit, site study.SiteCode) study.PeoplePlace {
	if v.Query("after_id") == "" {
		return study.PeoplePlace{}
	}
	return study.PeoplePlace{Site: site, Number: v.Query("after"), ID: study.ParticipantID(v.Query("after_id"))}
}

// windowLinks lead to the next window and back to the first, with all else of
// the address as it is.
func windowLinks(v *visit, after, last study.PeoplePlace, more bool) (next, beginning string) {
	q, err := url.ParseQuery(string(v.Request().URI().QueryString()))
	if err != nil {
		q = url.Values{}
	}
	for _, gone := range []string{"page", "done", "format", "after", "after_id", "rates"} {
		q.Del(gone)
	}
	if after.ID != "" {
		beginning = v.Path() + "?" + q.Encode()
	}
	if more {
		q.Set("after", last.Number)
		q.Set("after_id", string(last.ID))
		next = v.Path() + "?" + q.Encode()
	}
	return next, beginning
}

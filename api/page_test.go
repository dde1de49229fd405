package api_test

import (
	"fmt"
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

// What pages of one row hold is the list, in its order, each row once.
func TestEveryListIsReadPageByPage(t *testing.T) {
	w := newWorld(t)
	w.someone(t)
	person := "/v1/participants/" + string(w.p.ID)
	coordinator, admin := w.here[study.RoleCoordinator].token, w.here[study.RoleAdmin].token
	for _, list := range []struct {
		path, token string
		atLeast     int
	}{
		{"/v1/participants", coordinator, 2},
		{person + "/assessments", coordinator, 18},
		{person + "/history", coordinator, 2},
		{"/v1/alerts", coordinator, 0},
		{"/v1/deliveries", coordinator, 0},
		{"/v1/staff", admin, 4},
		{"/v1/sites", admin, 2},
		{"/v1/wording-packs", admin, 0},
		{"/v1/audit", admin, 4},
	} {
		whole := w.s.call(t, "GET", list.path+"?limit=200", list.token, nil).want(t, 200)
		items := whole.items(t)
		if len(items) < list.atLeast || whole.json(t)["next"] != nil {
			t.Errorf("%s: %d rows, next %v", list.path, len(items), whole.json(t)["next"])
		}
		var paged []map[string]any
		for cursor := ""; ; {
			page := w.s.call(t, "GET", list.path+"?limit=1"+cursor, list.token, nil).want(t, 200)
			paged = append(paged, page.items(t)...)
			next, more := page.json(t)["next"].(string)
			if !more || len(paged) > len(items) {
				break
			}
			cursor = "&cursor=" + next
		}
		if fmt.Sprint(paged) != fmt.Sprint(items) {
			t.Errorf("%s: page by page %v, whole %v", list.path, paged, items)
		}
		w.s.call(t, "GET", list.path+"?limit=201", list.token, nil).refused(t, 400, study.Invalid)
		w.s.call(t, "GET", list.path+"?cursor="+canary, list.token, nil).refused(t, 400, study.Invalid)
	}
}

// A mistyped site and another's are answered alike, never with an empty list
// that reads like good news.
func TestAForeignSiteIsNotFoundByAnyList(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/participants", "/v1/worklist", "/v1/completion", "/v1/alerts", "/v1/deliveries"} {
		for _, site := range []string{"S02", "S99"} {
			w.s.call(t, "GET", path+"?site="+site, w.here[study.RoleCoordinator].token, nil).refused(t, 404, study.NotFound)
		}
		w.s.call(t, "GET", path+"?site="+string(testkit.Site), w.here[study.RoleCoordinator].token, nil).want(t, 200)
	}
}

package web_test

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// trial is an office whose study has twelve people with a baseline and a first
// dose; eleven of them sent the next form, and its window has closed.
func trial(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	var ids []study.ParticipantID
	for i := range 12 {
		ids = append(ids, o.Enrol(t, "SECRET-"+string(rune('A'+i))).ID)
	}
	o.Clock.Set(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	for i, id := range ids {
		o.Submit(t, id, "C1D1", uint64(i))
	}
	o.Clock.Set(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))
	for _, id := range ids {
		if _, err := o.Do(context.Background(), study.Request{By: o.Coordinator}, id, study.RecordFact{Kind: study.FactFirstDose, On: "2026-03-02"}); err != nil {
			t.Fatal(err)
		}
	}
	o.Clock.Set(time.Date(2026, 3, 23, 4, 0, 0, 0, time.UTC))
	for i, id := range ids[:11] {
		o.Submit(t, id, "C2D1", uint64(100+i))
	}
	o.Clock.Set(time.Date(2026, 4, 2, 4, 0, 0, 0, time.UTC))
	return o
}

func TestTheAnalystSeesThePlotsOfTheStudyAndNobodyInIt(t *testing.T) {
	o := trial(t)
	s := o.at(t, "ada", study.RoleAnalyst)
	page := s.get("/lab?demonstration=include").says(t, http.StatusOK, "Completion of FACTB", "Mean change of FACTB from baseline",
		"Time to deterioration of FACTB", "12 participants, 12 in the PRO population", "not final", "Eton 2004")
	if n := strings.Count(page.page, `<svg xmlns="http://www.w3.org/2000/svg"`); n != 5 || strings.Count(page.page, `role="img"`) != n || strings.Count(page.page, "<desc ") != n {
		t.Errorf("%d plots", n)
	}
	if strings.Contains(page.page, "SECRET-") || regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}`).MatchString(page.page) {
		t.Error("the page names somebody")
	}
	if policy := page.header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%s", policy)
	}
	if regexp.MustCompile(`(?i)\sstyle=|<style|\son\w+=`).MatchString(page.page) {
		t.Error("something is inline that the policy forbids")
	}
	// Without the demonstration forms nothing is left, and the page says why.
	s.get("/lab").says(t, http.StatusOK, "23 demonstration forms are left out", "There are no figures yet")
}

func TestEveryPlotIsAFileWithItsNumbers(t *testing.T) {
	o := trial(t)
	s := o.at(t, "ada", study.RoleAnalyst)
	for _, name := range []string{"completion", "change", "responders", "deterioration", "items"} {
		svg := s.get("/lab/"+name+".svg?demonstration=include").says(t, http.StatusOK)
		if svg.header.Get("Content-Type") != "image/svg+xml; charset=utf-8" || !strings.Contains(svg.header.Get("Content-Disposition"), name+".svg") {
			t.Errorf("%s: %v", name, svg.header)
		}
		for d := xml.NewDecoder(strings.NewReader(svg.page)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		rows, err := csv.NewReader(strings.NewReader(s.get("/lab/"+name+".csv?demonstration=include").says(t, http.StatusOK).page)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s: %v, %v", name, rows, err)
		}
		if name == "completion" && strings.Join(rows[2][:9], " ") != "C2D1 12 0 0 0 12 11 11 0" {
			t.Errorf("%q", rows[2])
		}
	}
	s.get("/lab/everybody.csv").says(t, http.StatusNotFound)
	s.get("/lab/change.exe").says(t, http.StatusNotFound)
}

func TestOnlyAnAnalystSeesTheLab(t *testing.T) {
	o := trial(t)
	stranger := o.seat(t)
	got := stranger.get("/lab?scale=PWB").done(t)
	if to := got.header.Get("Location"); to != "/desk/sign-in?next=%2Flab%3Fscale%3DPWB" {
		t.Errorf("sent to %s", to)
	}
	o.at(t, "ada", study.RoleAnalyst)
	back := stranger.post("/desk/sign-in", "username", "ada", "password", password, "next", "/lab?scale=PWB").done(t)
	if to := back.header.Get("Location"); to != "/lab?scale=PWB" {
		t.Errorf("then to %s", to)
	}
	for role, sites := range map[study.Role][]study.SiteCode{study.RoleCoordinator: {testkit.Site}, study.RoleInvestigator: {testkit.Site}, study.RoleMonitor: {testkit.Site}, study.RoleAdmin: nil} {
		s := o.at(t, "not-"+string(role), role, sites...)
		s.get("/lab").says(t, http.StatusForbidden)
		s.get("/lab/change.csv").says(t, http.StatusForbidden)
	}
}

func TestAWrongFilterGetsASentenceAndTheFormBack(t *testing.T) {
	o := trial(t)
	s := o.at(t, "ada", study.RoleAnalyst)
	for query, words := range map[string]string{
		"scale=QLQ": "PWB, SWB", "cut=soon": "neither a date nor an instant", "threshold=much": "above 0",
		"variant=worst": "first, confirmed, definitive", "visit=C99D1": "C2D1",
		"from=C99D1": "C2D1", "from=C3D1&to=C2D1": "C2D1 comes before C3D1", "demonstration=include&axis=calendar&to=C2D1": "W0, W3",
	} {
		page := s.get("/lab?"+query).says(t, http.StatusBadRequest, words, "Regimen at first dose")
		if strings.Contains(page.page, "<svg") {
			t.Errorf("%s: there are plots all the same", query)
		}
	}
}

// SWB has no published difference: what needs none is drawn all the same.
func TestAScoreWithoutAPublishedDifferenceIsShownAsFarAsItCanBe(t *testing.T) {
	o := trial(t)
	s := o.at(t, "ada", study.RoleAnalyst)
	page := s.get("/lab?scale=SWB&demonstration=include").says(t, http.StatusOK, "<svg", "Responders and time to deterioration are not shown", "No minimally important difference is published for SWB")
	for name, shown := range map[string]bool{"completion": true, "change": true, "items": true, "responders": false, "deterioration": false} {
		if strings.Contains(page.page, "/lab/"+name+".svg") != shown {
			t.Errorf("%s is shown: %v", name, !shown)
		}
	}
	s.get("/lab/responders.csv?scale=SWB").says(t, http.StatusNotFound)
	s.get("/lab?scale=SWB&threshold=2&demonstration=include").says(t, http.StatusOK, "/lab/responders.svg", "/lab/deterioration.svg")
}

func TestTheLabShowsTheVisitsThatWereAskedFor(t *testing.T) {
	o := trial(t)
	s := o.at(t, "ada", study.RoleAnalyst)
	for query, want := range map[string]int{"": 18, "&from=C2D1&to=C4D1": 3, "&to=C1D1": 1} {
		rows, err := csv.NewReader(strings.NewReader(s.get("/lab/completion.csv?demonstration=include"+query).says(t, http.StatusOK).page)).ReadAll()
		if err != nil || len(rows) != want+1 {
			t.Errorf("%q: %d rows, %v", query, len(rows)-1, err)
		}
		items, err := csv.NewReader(strings.NewReader(s.get("/lab/items.csv?demonstration=include"+query).says(t, http.StatusOK).page)).ReadAll()
		if err != nil || len(items) != 37*want+1 {
			t.Errorf("%q: %d cells of items, %v", query, len(items)-1, err)
		}
	}
	// By calendar the completion stays by cycle, and shows all visits.
	s.get("/lab?demonstration=include&axis=calendar&from=W0&to=W3").says(t, http.StatusOK, "Mean score of the items of FACTB")
}

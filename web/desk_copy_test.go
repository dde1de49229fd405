package web_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"epro/certify"
	"epro/internal/testkit"
	"epro/study"
)

// One click makes a copy, and the study's record says that it was made.
func TestACertifiedCopyIsOneClickAndTheRecordHasItsHash(t *testing.T) {
	o := newOffice(t)
	p := o.Enrol(t, "001")
	o.Clock.Set(testkit.Start.AddDate(0, 0, 7))
	o.Submit(t, p.ID, "C1D1", 1)
	now, err := o.Participant(t.Context(), o.Investigator, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	form := string(now.AtVisit("C1D1").Submissions[0].ID)
	s := o.at(t, "ines", study.RoleInvestigator, testkit.Site)
	page := "/desk/participants/" + string(p.ID) + "/forms/" + form
	for format, kind := range map[string]string{"pdf": "application/pdf", "json": "application/json; charset=utf-8"} {
		link := page + "/copy." + format
		if !strings.Contains(s.get(page).page, `href="`+link+`"`) {
			t.Errorf("the form's page has no link to %s", link)
		}
		got := s.get(link)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != kind || !strings.Contains(got.header.Get("Content-Disposition"), form+"."+format) {
			t.Fatalf("%s: %d %v", format, got.status, got.header)
		}
		events, _, err := o.Audit(t.Context(), o.Admin, study.Place{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(events, func(e study.ReadEvent) bool {
			return e.Type == "data_exported" && strings.Contains(string(e.Payload), fmt.Sprintf("%x", sha256.Sum256([]byte(got.page))))
		}) {
			t.Errorf("the record does not have the hash of the copy as %s", format)
		}
		if format == "pdf" {
			continue
		}
		var c certify.Copy
		if err := json.Unmarshal([]byte(got.page), &c); err != nil || len(c.Items) != 37 || len(c.Events) != 1 || c.MadeBy != "ines (investigator)" {
			t.Errorf("the copy as JSON: %v\n%.300s", err, got.page)
		}
	}
	other := o.at(t, "elsewhere", study.RoleInvestigator, testkit.OtherSite)
	for _, path := range []string{"/copy.pdf", "/copy.json"} {
		other.get(page+path).says(t, http.StatusNotFound)
	}
}

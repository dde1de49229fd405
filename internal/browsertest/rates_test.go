package browsertest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

var rateLine = regexp.MustCompile(`(?s)<tr data-rate="(\w+)">(.*?)</tr>`)
var rateCell = regexp.MustCompile(`(?s)<td class="num">(?:<span class="low">)?([^<]*)`)

// The rates above the heat map are those of GET /v1/completion, now and as of a
// day in the past.
func TestTheRatesOfTheDeskAreTheOfficialOnes(t *testing.T) {
	w := start(t)
	dose := w.trial(t)
	if _, _, err := w.auth.CreateStaff(t.Context(), study.Request{By: w.System},
		study.CreateStaff{Username: "anna", Rights: study.Rights{Role: study.RoleCoordinator, Sites: []study.SiteCode{testkit.Site}}}, officePassword); err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	token := struct {
		AccessToken string `json:"access_token"`
	}{}
	w.fetch(t, client, "POST", "/v1/auth/login", "application/json", `{"username":"anna","password":"`+officePassword+`"}`, "", &token)
	w.fetch(t, client, "POST", "/desk/sign-in", "application/x-www-form-urlencoded", url.Values{"username": {"anna"}, "password": {officePassword}}.Encode(), "", nil)
	for _, asOf := range []string{"", (dose + 32).String(), (dose - 1).String()} {
		var official struct {
			Visits []string         `json:"visits"`
			Rates  []map[string]any `json:"rates"`
		}
		w.fetch(t, client, "GET", "/v1/completion?site=S01&as_of="+asOf, "", "", token.AccessToken, &official)
		page := w.fetch(t, client, "GET", "/desk/completion?site=S01&as_of="+asOf, "", "", "", nil)
		shown := map[string][]string{}
		for _, line := range rateLine.FindAllStringSubmatch(page, -1) {
			for _, cell := range rateCell.FindAllStringSubmatch(line[2], -1) {
				shown[line[1]] = append(shown[line[1]], cell[1])
			}
		}
		counted := 0.0
		for _, key := range []string{"n_pop", "n_dead", "n_off", "n_off_pro", "n_expected", "n_received", "n_valid", "n_missing", "rate_fixed", "rate_variable"} {
			if len(shown[key]) != len(official.Rates) || len(official.Rates) != 18 {
				t.Fatalf("%q: the desk has %s at %d visits, the interface at %d", asOf, key, len(shown[key]), len(official.Rates))
			}
			for i, rates := range official.Rates {
				want := ""
				if n, ok := rates[key].(float64); ok && strings.HasPrefix(key, "rate") {
					want = strconv.FormatFloat(n*100, 'f', 1, 64) + " %"
				} else if ok {
					want = strconv.FormatFloat(n, 'f', -1, 64)
					counted += n
				}
				if got := strings.TrimSpace(strings.TrimSuffix(shown[key][i], "▼")); got != want {
					t.Errorf("as of %q, %s at %v: the desk says %q, the interface %q", asOf, key, rates["visit"], got, want)
				}
			}
		}
		if (counted == 0) != (asOf == (dose - 1).String()) {
			t.Errorf("as of %q %v were counted", asOf, counted)
		}
	}
}

// trial is a site whose participants had a dose: one sends every form, one stops
// after the first, one dies, one leaves the questionnaires. It gives back the day
// of the dose; the clock then stands two months later.
func (w *world) trial(t *testing.T) study.Date {
	t.Helper()
	dose := study.DateOf(w.Clock.Now()) + 10
	at := func(day study.Date) { w.Clock.Set(day.UTC().Add(4 * time.Hour)) }
	var people []*study.Participant
	for _, number := range []string{"001", "002", "003", "004"} {
		c := testkit.NewParticipant(number)
		c.Cycle1On = dose
		p, err := w.Service.Enrol(t.Context(), study.Request{By: w.Coordinator}, c)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, p)
	}
	do := func(p *study.Participant, c study.Command) {
		t.Helper()
		if _, err := w.Do(t.Context(), study.Request{By: w.Coordinator}, p.ID, c); err != nil {
			t.Fatal(err)
		}
	}
	on := func(day study.Date) study.PartialDate { return study.PartialDate(day.String()) }
	at(dose - 3)
	for i, p := range people {
		w.Submit(t, p.ID, "C1D1", uint64(i))
	}
	at(dose)
	for _, p := range people {
		do(p, study.RecordFact{Kind: study.FactFirstDose, On: on(dose)})
	}
	at(dose + 17)
	do(people[3], study.RecordFact{Kind: study.FactWithdrawn, On: on(dose + 17), Level: study.LevelQuestionnaires, Reason: "too much"})
	at(dose + 21)
	w.Submit(t, people[0].ID, "C2D1", 9)
	at(dose + 39)
	do(people[2], study.RecordFact{Kind: study.FactDeceased, On: on(dose + 38), Reason: "told by the clinic"})
	at(dose + 60)
	return dose
}

// fetch asks for a page or for JSON, which it decodes.
func (w *world) fetch(t *testing.T, client *http.Client, method, path, kind, body, token string, into any) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Origin", w.url)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v\n%.500s", method, path, resp.StatusCode, err, raw)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return string(raw)
}

package browsertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/study"
)

// clerk is somebody at the desk who needs no browser: pages without script.
type clerk struct {
	t    testing.TB
	base string
	now  func() time.Time
	http.Client
}

func (w *world) clerk(t testing.TB, name string) *clerk {
	t.Helper()
	if _, err := w.StaffByUsername(context.Background(), name); err != nil {
		if _, _, err := w.auth.CreateStaff(context.Background(), study.Request{By: w.System}, study.CreateStaff{Username: name,
			Rights: study.Rights{Role: study.RoleCoordinator, Sites: []study.SiteCode{testkit.Site}}}, officePassword); err != nil {
			t.Fatal(err)
		}
	}
	jar, _ := cookiejar.New(nil)
	c := &clerk{t, w.url, w.Clock.Now, http.Client{Jar: jar}}
	c.post("/desk/sign-in", "username", name, "password", officePassword)
	return c
}

func (c *clerk) send(req *http.Request, err error) string {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Origin", c.base)
	resp, err := c.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %v\n%s", req.URL.Path, resp.StatusCode, err, page)
	}
	return string(page)
}

func (c *clerk) get(path string) string {
	c.t.Helper()
	return c.send(http.NewRequestWithContext(context.Background(), http.MethodGet, c.base+path, nil))
}

func (c *clerk) post(path string, pairs ...string) string {
	c.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.send(req, err)
}

// postbox keeps when a message left, by the target that it went to.
type postbox struct {
	clock *testkit.Clock
	left  map[string][]string
}

// Send takes the message.
func (b *postbox) Send(_ context.Context, m reminders.Message) reminders.Outcome {
	b.left[m.Target.Value] = append(b.left[m.Target.Value], b.clock.Now().UTC().Format("01-02 15h"))
	return reminders.Outcome{Status: reminders.Accepted}
}

// Two women are treated alike. One is taken for dead for some days: nothing
// reaches her then, nothing is made up for afterwards, and from the retraction
// on she gets what the other gets.
func TestAWrongDeathSendsNothingAndLosesNothing(t *testing.T) {
	for name, way := range map[string]struct{ report, retract func(c *clerk, person string) }{
		"reported and the report retracted": {
			func(c *clerk, person string) {
				c.post(person+"/contacts", "channel", "relative", "outcome", "reported_dead")
			},
			func(c *clerk, person string) {
				if page := c.post(person+"/contacts", "channel", "phone", "outcome", "report_retracted", "note", "another patient"); !strings.Contains(page, "The report is taken back") {
					t.Error("the page does not say so")
				}
			}},
		"recorded and the fact retracted": {
			func(c *clerk, person string) {
				c.post(person+"/facts", "kind", "deceased", "on", study.DateOf(c.now().UTC()).String(), "reason", "the family rang")
			},
			func(c *clerk, person string) {
				fact := regexp.MustCompile(`name="fact" value="(\d+)"`).FindStringSubmatch(c.get(person))
				c.post(person+"/facts/retract", "fact", fact[1], "reason", "another patient")
			}},
	} {
		t.Run(name, func(t *testing.T) { wrongDeath(t, way.report, way.retract) })
	}
}

func wrongDeath(t *testing.T, report, retract func(*clerk, string)) {
	w := start(t)
	first := study.DateOf(w.Clock.Now().UTC())
	box := &postbox{w.Clock, map[string][]string{}}
	dispatcher, err := reminders.New(reminders.Options{Study: w.Service, Store: w.Store, Senders: map[reminders.TargetKind]reminders.Sender{reminders.FCMToken: box},
		Now: w.Clock.Now, Random: func() float64 { return 0.5 }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Workers: 1, PerSecond: -1})
	if err != nil {
		t.Fatal(err)
	}
	taken, other := w.enrol(t, "taken", "en"), w.enrol(t, "other", "en")
	for _, p := range []*study.Participant{taken, other} {
		w.bound(t, p.ID)
		w.register(t, p.ID)
	}
	person := "/desk/participants/" + string(taken.ID)
	const reported, retracted = 22, 27 // days after the first: C2D1's ladder lies between and after
	for hour := 0; hour < 40*24; hour += 6 {
		w.Clock.Set(study.StartOfDay(first, time.UTC).Add(time.Duration(hour+9) * time.Hour))
		if err := dispatcher.Recompute(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := dispatcher.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		switch hour {
		case reported*24 + 12:
			report(w.clerk(t, "anna"), person)
		case retracted*24 + 12:
			retract(w.clerk(t, "anna"), person)
		}
	}
	from := study.StartOfDay(first, time.UTC).Add((reported*24 + 12 + 9) * time.Hour).Format("01-02 15h")
	until := study.StartOfDay(first, time.UTC).Add((retracted*24 + 12 + 9) * time.Hour).Format("01-02 15h")
	hers, theirs := box.left["token of "+string(taken.ID)], box.left["token of "+string(other.ID)]
	want := slices.DeleteFunc(slices.Clone(theirs), func(at string) bool { return at > from && at <= until })
	if len(want) == len(theirs) || len(want) < 3 || !slices.ContainsFunc(want, func(at string) bool { return at > until }) {
		t.Fatalf("the days of this test show nothing: %v, of them %v", theirs, want)
	}
	if !slices.Equal(hers, want) {
		t.Errorf("she got %v\nthe other %v\nso she should have got %v", hers, theirs, want)
	}
	now, err := w.Participant(t.Context(), w.System, taken.ID)
	if err != nil {
		t.Fatal(err)
	}
	same, err := w.Participant(t.Context(), w.System, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range now.Assessments {
		a, b := &now.Assessments[i], &same.Assessments[i]
		if a.Window != b.Window || now.AssessmentStatus(a, w.Clock.Now()) != same.AssessmentStatus(b, w.Clock.Now()) {
			t.Errorf("%s is not as it was: %+v, the other's %+v", a.Visit, a.Window, b.Window)
		}
	}
}

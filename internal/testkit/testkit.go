// Package testkit holds the builders that tests of several packages share: a
// clock that is set by hand, identifiers that a seed decides, and a study on a
// store with sites, staff and the embedded protocol in force.
package testkit

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"epro/instruments/factb"
	"epro/store/mongo"
	"epro/store/mongo/mongotest"
	"epro/store/sqlite"
	"epro/study"
)

// Clock is a clock that only moves when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock is a clock that stands at t.
func NewClock(t time.Time) *Clock { return &Clock{now: t.UTC()} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set puts the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.UTC()
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// IDs makes UUIDs that are the same for the same seed. It is safe for
// concurrent use; which goroutine gets which is then chance.
func IDs(seed uint64) func() string {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(seed, 4))
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		a, b := rng.Uint64(), rng.Uint64()
		return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
			a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
	}
}

// Answers is a filled FACT-B form, every item answered, decided by the seed.
func Answers(seed uint64) map[string]string {
	rng := rand.New(rand.NewPCG(seed, 37))
	answers := make(map[string]string, len(factb.FACTB.Items))
	for _, item := range factb.FACTB.Items {
		answers[item.Code] = strconv.Itoa(rng.IntN(5))
	}
	return answers
}

// SQLite is an empty store in a directory that goes with the test.
func SQLite(t testing.TB) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "epro.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db
}

// MongoDB is an empty store on the MongoDB server for tests; without one the
// test is skipped.
func MongoDB(t testing.TB) *mongo.DB {
	t.Helper()
	db, err := mongo.Open(context.Background(), mongotest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db
}

// Store is an empty store for a test that either kind would do for: the
// embedded one, and with EPRO_TEST_STORE=mongodb one on the MongoDB server.
// .ci/run runs such tests twice.
func Store(t testing.TB) study.Store {
	t.Helper()
	if mongotest.Wanted() {
		return MongoDB(t)
	}
	return SQLite(t)
}

// The sites of Study.
const (
	Site      study.SiteCode = "S01" // where the fixture's staff work
	OtherSite study.SiteCode = "S02" // where they do not
)

// Start is what the fixture's clock shows at first: a Friday morning in Shanghai.
var Start = time.Date(2026, 2, 20, 1, 0, 0, 0, time.UTC)

// Zone is the home of the fixture's sites and participants.
const Zone = "Asia/Shanghai"

// Fixture is a study on a store: the embedded protocol in force, two sites,
// and an actor for every role.
type Fixture struct {
	*study.Service
	Store study.Store
	Clock *Clock
	NewID func() string

	Coordinator, Investigator, Monitor study.Actor // of Site
	Elsewhere                          study.Actor // a coordinator of OtherSite
	Analyst, Admin, System             study.Actor
}

// Study sets a study up on an empty store.
func Study(t testing.TB, store study.Store) *Fixture {
	t.Helper()
	f := &Fixture{Store: store, Clock: NewClock(Start), NewID: IDs(1), System: study.System("test")}
	f.Service = study.NewService(store, f.Clock.Now, f.NewID)
	ctx := context.Background()
	if _, err := f.Adopt(ctx, study.Request{By: f.System}, study.DefaultProtocolText(), 0, false); err != nil {
		t.Fatalf("put the protocol in force: %v", err)
	}
	for _, code := range []study.SiteCode{Site, OtherSite} {
		site := study.CreateSite{Code: code, Name: "Hospital " + string(code), TimeZone: Zone, Language: "en"}
		if _, err := f.CreateSite(ctx, study.Request{By: f.System}, site); err != nil {
			t.Fatalf("create site %s: %v", code, err)
		}
	}
	f.Coordinator = Staff(study.RoleCoordinator, "coordinator-1", Site)
	f.Investigator = Staff(study.RoleInvestigator, "investigator-1", Site)
	f.Monitor = Staff(study.RoleMonitor, "monitor-1", Site)
	f.Elsewhere = Staff(study.RoleCoordinator, "coordinator-2", OtherSite)
	f.Analyst = Staff(study.RoleAnalyst, "analyst-1")
	f.Admin = Staff(study.RoleAdmin, "admin-1")
	return f
}

// Staff is a member of staff as an actor.
func Staff(role study.Role, id study.StaffID, sites ...study.SiteCode) study.Actor {
	return study.Actor{Role: role, Staff: id, Sites: sites}
}

// Phone is the participant as an actor.
func Phone(id study.ParticipantID) study.Actor {
	return study.Actor{Role: study.RoleParticipant, Participant: id}
}

// Day is a date written as text.
func Day(s string) study.Date {
	d, err := study.ParseDate(s)
	if err != nil {
		panic(err) // a slip in a test
	}
	return d
}

// Cycle1 is the first day of cycle 1 of the participants that Enrol makes.
var Cycle1 = Day("2026-03-02")

// Enrol enrols a participant with this number at Site, consented on the
// fixture's first day, with cycle 1 on Cycle1.
func (f *Fixture) Enrol(t testing.TB, number string) *study.Participant {
	t.Helper()
	p, err := f.Service.Enrol(context.Background(), study.Request{By: f.Coordinator}, NewParticipant(number))
	if err != nil {
		t.Fatalf("enrol %s: %v", number, err)
	}
	return p
}

// NewParticipant is what Fixture.Enrol asks for.
func NewParticipant(number string) study.Enrol {
	return study.Enrol{Number: number, Site: Site, Regimen: "capecitabine", Language: "en", TimeZone: Zone, Cycle1On: Cycle1,
		Consent: study.Consent{On: Day("2026-02-20"), FormVersion: "2.0", Language: "en"}}
}

// Form is a form as a phone sends it: started ten minutes before at, completed
// and sent at it.
func Form(p study.ParticipantID, visit string, id study.SubmissionID, at time.Time, answers map[string]string) study.SubmitForm {
	done := study.InstantOf(at)
	return study.SubmitForm{
		ID: id, Assessment: study.AssessmentFor(p, visit), Instrument: "fact-b", Version: "4", Pack: "demo-1-en",
		Answers: answers, StartedAt: study.InstantOf(at.Add(-10 * time.Minute)), CompletedAt: done, SentAt: done,
		App: study.App{Platform: "android", Version: "1.0"}, Mode: study.ModeApp,
	}
}

// Submit sends a form for the visit at the clock's time and fails the test
// unless it is accepted.
func (f *Fixture) Submit(t testing.TB, p study.ParticipantID, visit string, seed uint64) study.Receipt {
	t.Helper()
	form := Form(p, visit, study.SubmissionID(f.NewID()), f.Clock.Now(), Answers(seed))
	res, err := f.Do(context.Background(), study.Request{By: Phone(p)}, p, form)
	if err != nil {
		t.Fatalf("submit %s: %v", visit, err)
	}
	receipt, _ := res.After.Receipt(form.ID)
	return receipt
}

// Random is a source of bytes that the seed decides, for tests that need
// secrets and the same ones every time.
func Random(seed byte) io.Reader {
	return rand.NewChaCha8([32]byte{seed})
}

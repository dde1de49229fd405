package auth

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/store/mongo"
	"epro/store/mongo/mongotest"
	"epro/store/sqlite"
	"epro/study"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// cheap makes hashing a matter of microseconds.
var cheap = Cost{MemoryKiB: 64, Passes: 1, Lanes: 1}

var testSecret = []byte("a secret for tests, of 32 bytes.")

// world is a store with a study, one site, and an Auth over it.
type world struct {
	*Auth
	t      testing.TB
	clock  *clock
	store  study.Store
	random io.Reader
	ids    int
	mu     sync.Mutex
	admin  study.Actor
	site   study.Actor // a coordinator of the site
}

// newID makes ids that cannot be mistaken for those of another world.
func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := openStore(t)
	w := &world{t: t, store: db, clock: &clock{at: start}, random: &lockedReader{from: rand.NewChaCha8([32]byte{1})}, admin: system,
		site: study.Actor{Role: study.RoleCoordinator, Staff: "c", Sites: []study.SiteCode{"S01"}}}
	w.Auth = w.process(db, Options{})
	return w
}

// openStore is a store with a study: the embedded one, or one on MongoDB where
// tests are to run on that, see mongotest.Wanted.
func openStore(t testing.TB) (db study.Store) {
	t.Helper()
	var err error
	if mongotest.Wanted() {
		if db, err = mongo.Open(t.Context(), mongotest.Database(t)); err == nil {
			err = begin(t.Context(), db)
		}
	} else {
		path := filepath.Join(t.TempDir(), "epro.db")
		if err := os.WriteFile(path, template(), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err = sqlite.Open(t.Context(), path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (w *world) by(a study.Actor) study.Request { return study.Request{By: a} }

// process is another process on a store: an Auth and a Service of its own.
func (w *world) process(s study.Store, o Options) *Auth {
	w.t.Helper()
	a, err := w.tryProcess(s, o)
	w.must(err)
	return a
}

func (w *world) tryProcess(s study.Store, o Options) (*Auth, error) {
	o.Store, o.Study, o.Now, o.Random = s, study.NewService(s, w.clock.now, w.newID), w.clock.now, w.random
	if o.Secret == nil {
		o.Secret = testSecret
	}
	o.PasswordCost = cheap
	if o.Users == nil {
		o.Users = users{}
	}
	return New(w.t.Context(), o)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused checks an error's code.
func (w *world) refused(err error, code study.Code) {
	w.t.Helper()
	if err == nil || study.CodeOf(err) != code {
		w.t.Fatalf("got %v, want %s", err, code)
	}
}

// participant enrols somebody who has consented.
func (w *world) participant() study.ParticipantID {
	w.t.Helper()
	today := study.DateOf(w.clock.now())
	p, err := w.study.Enrol(w.t.Context(), w.by(w.site), study.Enrol{Number: w.newID()[24:], Site: "S01", Regimen: "capecitabine",
		Language: "zh", TimeZone: "Asia/Shanghai", Cycle1On: today, Consent: study.Consent{On: today, FormVersion: "1", Language: "zh"}})
	w.must(err)
	return p.ID
}

func (w *world) code(id study.ParticipantID, replace bool) string {
	w.t.Helper()
	c, err := w.IssueCode(w.t.Context(), w.by(w.site), id, replace)
	w.must(err)
	return c.Code
}

func (w *world) enrol(code, attempt string) (Session, error) {
	return w.Enrol(w.t.Context(), Enrolment{Code: code, AttemptID: attempt, Address: "192.0.2.1"})
}

// phone is a participant's session.
func (w *world) phone(id study.ParticipantID) Session {
	w.t.Helper()
	s, err := w.enrol(w.code(id, false), "")
	w.must(err)
	return s
}

const goodPassword = "violet tractor anthem"

// account opens a staff account with goodPassword.
func (w *world) account(username string, role study.Role) *study.Staff {
	w.t.Helper()
	rights := study.Rights{Role: role}
	if role == study.RoleCoordinator {
		rights.Sites = []study.SiteCode{"S01"}
	}
	staff, _, err := w.CreateStaff(w.t.Context(), w.by(w.admin), study.CreateStaff{Username: username, Rights: rights}, goodPassword)
	w.must(err)
	return staff
}

func (w *world) login(username, password string) (Session, error) {
	return w.Login(w.t.Context(), Credentials{Username: username, Password: password, Address: "192.0.2.7"})
}

// works checks that an access token is good, or not.
func (w *world) works(a *Auth, s Session, want bool) {
	w.t.Helper()
	_, err := a.Verify(w.t.Context(), s.AccessToken)
	if want {
		w.must(err)
		return
	}
	w.refused(err, study.Unauthenticated)
}

// uuid is the n-th attempt's id.
func uuid(n int) string { return fmt.Sprintf("10000000-0000-4000-8000-%012d", n) }

// hasField reports whether the error names the field.
func hasField(err error, name string) bool {
	var e *study.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Fields, func(f study.Field) bool { return f.Name == name })
}

// message is what a person reads.
func message(err error) string {
	var e *study.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return ""
}

// everything is all records of this package in a store, as text.
func (w *world) everything() string {
	w.t.Helper()
	var b strings.Builder
	for _, kind := range Kinds {
		records, err := w.store.Records(w.t.Context(), kind, "", time.Time{})
		w.must(err)
		for _, r := range records {
			fmt.Fprintf(&b, "%s %s %s %s\n", r.Kind, r.Key, r.Owner, r.Data)
		}
	}
	for e, err := range w.store.Entries(w.t.Context(), "") {
		w.must(err)
		fmt.Fprintf(&b, "%s\n", e.Bytes)
	}
	return b.String()
}

package mongo_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/event"

	"epro/internal/testkit"
	"epro/store/mongo"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// counter counts what is asked of the server.
type counter struct {
	mu   sync.Mutex
	sent []string
}

func (c *counter) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		collection, _ := e.Command.Lookup(e.CommandName).StringValueOK()
		c.sent = append(c.sent, e.CommandName+" "+collection)
	}}
}

// take is what was asked since it was last called.
func (c *counter) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.sent
	c.sent = nil
	return sent
}

// warm reads the study and the site, as each process does every five seconds.
func warm(t *testing.T, svc *study.Service, by study.Actor) {
	t.Helper()
	if _, err := svc.Site(t.Context(), by, testkit.Site); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.History(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestASubmissionTakesOneReadAndTwoWritesAtMost holds a whole submission through
// the Service to its budget. Protocol and site are in memory, see warm.
func TestASubmissionTakesOneReadAndTwoWritesAtMost(t *testing.T) {
	var c counter
	db, err := mongo.OpenMonitored(t.Context(), mongotest.Database(t), c.monitor())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f := testkit.Study(t, db)
	p := f.Enrol(t, "001")
	f.Clock.Set(testkit.Cycle1.UTC())
	form := testkit.Form(p.ID, "C1D1", study.SubmissionID(f.NewID()), f.Clock.Now(), testkit.Answers(1))
	submit := func(svc *study.Service) {
		t.Helper()
		if _, err := svc.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form); err != nil {
			t.Fatal(err)
		}
	}
	warm(t, f.Service, f.Coordinator)
	c.take()
	submit(f.Service)
	if got, want := c.take(), []string{"insert events", "update snapshots"}; !slices.Equal(got, want) {
		t.Errorf("a submission takes %q, not %q", got, want)
	}
	submit(f.Service)
	if got := c.take(); len(got) > 1 || len(got) == 1 && got[0] != "find events" {
		t.Errorf("its repetition takes %q", got)
	}
	// A process that has never seen this participant reads the snapshot, and
	// would learn from the insert that it is behind the record.
	other := study.NewService(db, f.Clock.Now, f.NewID)
	f.Clock.Set(p.AtVisit("C2D1").Window.OpensAt().Time())
	warm(t, other, f.Coordinator)
	form = testkit.Form(p.ID, "C2D1", study.SubmissionID(f.NewID()), f.Clock.Now(), testkit.Answers(2))
	c.take()
	submit(other)
	if got, want := c.take(), []string{"find snapshots", "insert events", "update snapshots"}; !slices.Equal(got, want) {
		t.Errorf("in a process that does not know the participant it takes %q, not %q", got, want)
	}
}

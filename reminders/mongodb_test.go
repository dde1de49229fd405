package reminders_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/store/mongo"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// openMongoDB is one process's own connection to a database.
func openMongoDB(t *testing.T, url string) *mongo.DB {
	t.Helper()
	db, err := mongo.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	return db
}

// dispatcherOf is another process on the database.
func (p *post) dispatcherOf(store study.Store, s reminders.Sender) *reminders.Dispatcher {
	p.t.Helper()
	other := *p.Fixture
	other.Store, other.Service = store, study.NewService(store, p.Clock.Now, p.NewID)
	return newDispatcher(p.t, &other, s, atATime(4))
}

func (p *post) once(what string) {
	p.t.Helper()
	got := map[string]int{}
	for _, m := range p.sender.sent {
		if got[m.Target.Value]++; got[m.Target.Value] > 1 {
			p.t.Errorf("%s: %s got more than one", what, m.Target.Value)
		}
	}
	if len(got) != len(p.people) {
		p.t.Errorf("%s: %d of %d were reminded", what, len(got), len(p.people))
	}
}

func TestOnMongoDBTwoDispatchersSendAWaveOnce(t *testing.T) {
	url := mongotest.Database(t)
	p := newPostOn(t, openMongoDB(t, url), 6)
	var all sync.WaitGroup
	for range 2 {
		d := p.dispatcherOf(openMongoDB(t, url), p.sender)
		all.Go(func() {
			if _, err := d.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p.once("two at a time")
	p.pass(1) // a third one, later, finds nothing left
	p.once("afterwards")
	p.want("1 accepted", len(p.people))
}

// dying is a push service whose process ends, for its store, when the third
// message has left.
type dying struct {
	*script
	store *mongo.DB

	mu   sync.Mutex
	left int
	last reminders.Message
}

func (s *dying) Send(ctx context.Context, m reminders.Message) reminders.Outcome {
	o := s.script.Send(ctx, m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left++; s.left == 3 {
		s.last = m
		_ = s.store.Close()
	}
	return o
}

func TestOnMongoDBACrashBetweenClaimAndOutcomeDoublesOnlyWhatWasInDoubt(t *testing.T) {
	url := mongotest.Database(t)
	p := newPostOn(t, openMongoDB(t, url), 5)
	first := openMongoDB(t, url)
	end := &dying{script: p.sender, store: first}
	d := newDispatcher(t, &testkit.Fixture{Service: study.NewService(first, p.Clock.Now, p.NewID), Store: first, Clock: p.Clock}, end, atATime(1))
	if _, err := d.Sweep(t.Context()); study.CodeOf(err) != study.Unavailable {
		t.Fatalf("the process that ended says %v", err)
	}
	if len(p.sender.sent) != 3 {
		t.Fatalf("%d messages left before the end", len(p.sender.sent))
	}
	p.sweep() // another process goes on at once with those that nobody claimed
	p.once("before the lease of the dead one runs out")
	p.Clock.Advance(4 * time.Minute)
	p.sweep()
	got := map[string][]string{}
	for _, m := range p.sender.sent {
		got[m.Target.Value] = append(got[m.Target.Value], m.Collapse)
	}
	for target, keys := range got {
		switch inDoubt := target == end.last.Target.Value; {
		case inDoubt && (len(keys) != 2 || keys[0] != keys[1]):
			t.Errorf("the one in doubt was sent as %v", keys)
		case !inDoubt && len(keys) != 1:
			t.Errorf("%s, which was not in doubt, was sent %d times", target, len(keys))
		}
	}
	for _, id := range p.people {
		rows, err := p.Deliveries(t.Context(), study.AssessmentFor(id, "C1D1"))
		p.check(err)
		if n := len(rows); rows[n-1].Outcome == nil || rows[n-1].Outcome.Status != study.DeliveryAccepted || n == 2 && rows[0].Outcome.Reason != "lease_ran_out" {
			t.Errorf("the ledger of %s: %+v", id, rows)
		}
	}
}

// That a claim is taken is never taken for a store that is away, nor the other
// way round.
func TestOnMongoDBAClaimIsTakenOnceAndAClosedStoreTakesNone(t *testing.T) {
	url := mongotest.Database(t)
	p := newPostOn(t, openMongoDB(t, url), 1)
	away := openMongoDB(t, url)
	other := study.NewService(away, p.Clock.Now, p.NewID)
	now := study.InstantOf(p.Clock.Now())
	claim := study.Claim{Participant: p.people[0], Assessment: study.AssessmentFor(p.people[0], "C1D1"), Step: "opens@x", StepAt: now, Device: "d", Attempt: 1, LeaseUntil: now + study.Instant(time.Minute/time.Millisecond)}
	_, err := p.ClaimDelivery(t.Context(), claim)
	p.check(err)
	if _, err := other.ClaimDelivery(t.Context(), claim); !errors.Is(err, study.ErrExists) {
		t.Errorf("a second claim: %v", err)
	}
	p.check(away.Close())
	if _, err := other.ClaimDelivery(t.Context(), claim); study.CodeOf(err) != study.Unavailable {
		t.Errorf("a claim on a closed store: %v", err)
	}
}

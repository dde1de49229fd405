package reminders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"epro/study"
)

// Observer is told what a dispatcher does, for metrics. Kinds, platforms and
// reasons are few; no id is told.
type Observer interface {
	Due(messages int)
	Sent(kind, status, reason string)
	Lag(behind time.Duration)
}

// Options are what a Dispatcher is made of. Zero durations and counts stand for
// the defaults.
type Options struct {
	Study *study.Service
	Store study.Store
	// Senders by the kind of target that they reach. A device of another kind
	// is no route.
	Senders map[TargetKind]Sender
	Now     func() time.Time
	Random  func() float64 // from 0 to 1, 1 excluded: the jitter of retries
	Log     *slog.Logger
	Observe Observer // may be nil

	Lease     time.Duration // how long an attempt is its dispatcher's
	Timeout   time.Duration // of one message
	Poll      time.Duration // between two sweeps when little is due
	Workers   int           // messages on their way at the same time
	Batch     int           // participants of one sweep
	PerSecond float64       // messages; below zero: no limit
	Ramp      time.Duration // until PerSecond is reached after a start
}

// The defaults. A request takes at most 15 s, and what was claimed is sent at
// once or not at all, so that a lease of two minutes leaves room for clocks that
// differ and a store that is slow.
const (
	defaultLease     = 120 * time.Second
	defaultTimeout   = 15 * time.Second
	defaultPoll      = 5 * time.Second
	defaultWorkers   = 64
	defaultBatch     = 200
	defaultPerSecond = 300
	defaultRamp      = time.Minute

	clocksDiffer = 30 * time.Second // between two dispatchers, at the very most
	storeTakes   = 15 * time.Second // from the claim until the message leaves
)

func (o *Options) fill() {
	defaults := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	defaults(&o.Lease, defaultLease)
	defaults(&o.Timeout, defaultTimeout)
	defaults(&o.Poll, defaultPoll)
	defaults(&o.Ramp, defaultRamp)
	if o.Workers == 0 {
		o.Workers = defaultWorkers
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.PerSecond == 0 {
		o.PerSecond = defaultPerSecond
	}
}

// check refuses settings with which a message could leave after its lease.
func (o *Options) check() error {
	if least := o.Timeout + storeTakes + clocksDiffer; o.Lease < least {
		return study.Fail(study.Invalid, fmt.Sprintf("The lease of a reminder is %s and must be at least %s: a message may take %s, the store %s, and two clocks may differ by %s.",
			o.Lease, least, o.Timeout, storeTakes, clocksDiffer), study.Field{Name: "lease", Reason: "too short"})
	}
	if o.Timeout <= 0 || o.Poll <= 0 || o.Workers < 1 || o.Batch < 1 || o.Batch > 10_000 {
		return study.Fail(study.Invalid, "The settings of the reminders need a timeout and a pause between sweeps above zero, at least one worker, and a batch of 1 to 10,000.")
	}
	if len(o.Senders) == 0 {
		return study.Fail(study.Invalid, "Reminders need a sender; without a push service, the one that writes to the log.")
	}
	return nil
}

// Dispatcher sends what is due. Several, on one store, send each reminder once:
// the insert of a ledger row is the claim.
type Dispatcher struct {
	o       Options
	study   *study.Service
	store   study.Store
	senders map[TargetKind]Sender
	now     func() time.Time
	actor   study.Actor
	open    circuits
	pace    *pace

	followed time.Time // Follow has read everything before
	seen     map[study.EventID]bool
}

// New makes a Dispatcher, or says which setting must change.
func New(o Options) (*Dispatcher, error) {
	o.fill()
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Dispatcher{o: o, study: o.Study, store: o.Store, senders: o.Senders, now: o.Now, actor: study.System("reminders"),
		pace: &pace{perSecond: o.PerSecond, ramp: o.Ramp, now: o.Now}, followed: o.Now().Add(-overlap)}, nil
}

// nightly is how often every cursor is computed anew.
const nightly = 24 * time.Hour

// Run sends until the context ends. A failure is logged, once as long as it is
// the same, and tried again at the next sweep.
func (d *Dispatcher) Run(ctx context.Context) {
	var recomputed time.Time
	said := ""
	for ctx.Err() == nil {
		n, err := d.round(ctx, &recomputed)
		switch text := fmt.Sprint(err); {
		case err == nil || ctx.Err() != nil:
			said = ""
		case text != said:
			d.o.Log.Error("reminders", "error", text)
			said = text
		}
		if n == d.o.Batch && err == nil {
			continue // there is more
		}
		pause := time.Duration(float64(d.o.Poll) * (0.8 + 0.4*d.o.Random()))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (d *Dispatcher) round(ctx context.Context, recomputed *time.Time) (int, error) {
	if may, err := study.MayRemind(ctx, d.store); err != nil || !may {
		return 0, cmp.Or(err, errHeld)
	}
	if d.now().Sub(*recomputed) >= nightly {
		if err := d.Recompute(ctx); err != nil {
			return 0, err
		}
		*recomputed = d.now()
	}
	if err := d.Follow(ctx); err != nil {
		return 0, err
	}
	return d.Sweep(ctx)
}

// Sweep looks at the participants who are due, a batch of them, and sends what
// there is to send. It says how many it looked at.
func (d *Dispatcher) Sweep(ctx context.Context) (int, error) {
	now := d.now()
	due, err := d.store.RecordsBetween(ctx, recordCursor, study.RecordPlace{}, now, d.o.Batch)
	if err != nil || len(due) == 0 {
		if d.o.Observe != nil && err == nil {
			d.o.Observe.Lag(0)
		}
		return 0, err
	}
	if may, err := study.MayRemind(ctx, d.store); err != nil || !may {
		return 0, cmp.Or(err, errHeld)
	}
	if d.o.Observe != nil {
		d.o.Observe.Lag(now.Sub(due[0].At))
	}
	ready := make([][]message, len(due))
	failed := d.each(ctx, len(due), func(i int) error {
		p, w, err := d.look(ctx, study.ParticipantID(due[i].Key))
		if err == nil {
			ready[i], err = d.messages(ctx, p, w)
		}
		return err
	})
	messages := slices.Concat(ready...)
	if d.o.Observe != nil {
		d.o.Observe.Due(len(messages))
	}
	kinds := map[TargetKind]int{}
	for _, m := range messages {
		kinds[m.kind]++
	}
	d.open.begin(kinds)
	sent := errors.Join(d.each(ctx, len(messages), func(i int) error { return messages[i].deliver() })...)
	settled := d.each(ctx, len(due), func(i int) error {
		if failed[i] != nil {
			return d.postpone(ctx, study.ParticipantID(due[i].Key), failed[i])
		}
		// What is still due waits for a circuit, or another dispatcher is at it.
		return d.settle(ctx, study.ParticipantID(due[i].Key), d.o.Poll)
	})
	return len(due), errors.Join(sent, errors.Join(settled...))
}

// each runs work on the pool and gathers the errors by place.
func (d *Dispatcher) each(ctx context.Context, n int, work func(i int) error) []error {
	failed := make([]error, n)
	next := make(chan int)
	var all sync.WaitGroup
	for range min(d.o.Workers, n) {
		all.Go(func() {
			for i := range next {
				failed[i] = work(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			failed[i] = ctx.Err()
			continue
		}
		next <- i
	}
	close(next)
	all.Wait()
	return failed
}

// postpone puts a participant off whose record or ledger cannot be read, so
// that she does not hold up the others. Others are not put off because the
// store was away.
func (d *Dispatcher) postpone(ctx context.Context, id study.ParticipantID, why error) error {
	code := study.CodeOf(why)
	if code == study.Unavailable || ctx.Err() != nil {
		return why
	}
	if code == study.NotFound {
		return d.putCursor(ctx, id, time.Time{})
	}
	return errors.Join(fmt.Errorf("participant %s: %w", id, why), d.putCursor(ctx, id, d.now().Add(15*time.Minute)))
}

package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"text/tabwriter"
	"time"

	"epro/api"
	"epro/reminders"
	"epro/study"
)

// reminderSettings are what the dispatcher can be told.
type reminderSettings struct {
	off       bool
	perSecond float64
	workers   int
	lease     time.Duration
	timeout   time.Duration
	poll      time.Duration
}

func (s *reminderSettings) register(fs *flag.FlagSet) {
	fs.BoolVar(&s.off, "reminders-off", false, "send no reminders from this process")
	fs.Float64Var(&s.perSecond, "reminders-per-second", 300, "most `messages` a second of this process; divide by the number of processes")
	fs.IntVar(&s.workers, "reminders-workers", 64, "most `messages` on their way at the same time")
	fs.DurationVar(&s.lease, "reminders-lease", 2*time.Minute, "how long a message is one process's; after it another may send it once more")
	fs.DurationVar(&s.timeout, "reminders-timeout", 15*time.Second, "how long one message may take")
	fs.DurationVar(&s.poll, "reminders-poll", 5*time.Second, "pause between two looks at what is due")
}

// dispatcher makes the dispatcher, or nil when reminders are off. Its settings
// are checked before anything is served. Without a way to any phone it writes
// to the log what it would have sent.
func (s *reminderSettings) dispatcher(svc *study.Service, st study.Store, server *api.Server, w ways, now func() time.Time, log *slog.Logger) (*reminders.Dispatcher, error) {
	if s.off {
		return nil, nil
	}
	if len(w.senders) == 0 {
		w.senders = reminders.LogOnly(log)
	}
	return reminders.New(reminders.Options{Study: svc, Store: st, Senders: w.senders, Now: now, Random: rand.Float64, Log: log,
		Observe: server.ReminderMetrics(), PerSecond: s.perSecond, Workers: s.workers, Lease: s.lease, Timeout: s.timeout, Poll: s.poll})
}

// run sends until the context ends; the channel closes when it has stopped.
func (s *reminderSettings) run(ctx context.Context, d *reminders.Dispatcher) <-chan struct{} {
	done := make(chan struct{})
	if d == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	return done
}

// runReminders shows a participant's reminders.
func runReminders(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("reminders", "reminders plan -participant ID [flags]")
	storeURL := storeFlag(fs, c)
	id := fs.String("participant", "", "the participant's `ID`")
	plan := len(args) > 0 && args[0] == "plan"
	if plan {
		args = args[1:]
	}
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	if !plan || *id == "" {
		return usageError{"say whose: epro reminders plan -participant ID"}
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	h, err := svc.History(ctx)
	if err != nil {
		return err
	}
	p, err := svc.Participant(ctx, study.System("reminders"), study.ParticipantID(*id))
	if err != nil {
		return err
	}
	return printLadder(ctx, c, svc, h, p)
}

// printLadder prints every step of the participant's year: when it leaves, and
// what the ledger says of it.
func printLadder(ctx context.Context, c *cli, svc *study.Service, h *study.History, p *study.Participant) error {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "visit\tstatus\tstep\tby the protocol (%s)\tleaves\tleft\n", p.TimeZone)
	now := time.Now()
	for i := range p.Assessments {
		a := &p.Assessments[i]
		sent, err := svc.Deliveries(ctx, a.ID)
		if err != nil {
			return err
		}
		zone, err := study.LoadZone(a.Window.Zone)
		if err != nil {
			return err
		}
		for _, s := range reminders.Ladder(h, a) {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Visit, p.AssessmentStatus(a, now), s.Key, s.Nominal.In(zone).Format("2006-01-02 15:04"),
				s.At.In(zone).Format("15:04:05 -07:00"), fateOf(sent, s.Key, study.InstantOf(now)))
		}
	}
	return w.Flush()
}

// fateOf is what became of a step, in a few words.
func fateOf(sent []study.Delivery, step string, now study.Instant) string {
	out := ""
	for i := range sent {
		if d := &sent[i]; d.Step == step {
			out += fmt.Sprintf("%s %s %s; ", d.At, d.StatusAt(now), d.Reason)
		}
	}
	if out == "" {
		return "-"
	}
	return out[:len(out)-2]
}

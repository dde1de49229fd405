package reminders

import (
	"context"
	"errors"
	"time"

	"epro/study"
)

// message is one that is ready to leave.
type message struct {
	kind    TargetKind
	deliver func() error
}

// messages are what a plan's work comes to, after the rows that only say why
// something does not leave.
func (d *Dispatcher) messages(ctx context.Context, p *study.Participant, w Work) ([]message, error) {
	for _, lost := range w.Lost {
		o := study.DeliveryOutcome{Status: study.DeliveryUnknown, Reason: "lease_ran_out", Burned: true, At: study.InstantOf(d.now())}
		if err := d.study.SettleDelivery(ctx, lost.Claim, o); err != nil {
			return nil, err
		}
	}
	for _, row := range w.Rows {
		_, err := d.study.ClaimDelivery(ctx, row)
		if err != nil && !errors.Is(err, study.ErrExists) {
			return nil, err
		}
		if err == nil {
			d.observe(row.Kind, row.Status, row.Reason)
		}
	}
	out := make([]message, len(w.Attempts))
	for i, a := range w.Attempts {
		out[i] = message{TargetKind(a.Device.Target.Kind), func() error { return d.deliver(ctx, p, a) }}
	}
	return out, nil
}

func (d *Dispatcher) observe(kind string, status study.DeliveryStatus, reason string) {
	if d.o.Observe != nil {
		if status == study.DeliveryMerged {
			reason = "" // it names a step
		}
		d.o.Observe.Sent(kind, string(status), reason)
	}
}

// deliver claims an attempt, makes sure that it is still wanted, and sends it.
func (d *Dispatcher) deliver(ctx context.Context, p *study.Participant, a Attempt) error {
	kind := TargetKind(a.Device.Target.Kind)
	if !d.open.allow(kind, a.Device.Platform, d.now()) {
		return nil // its cursor brings it again
	}
	defer d.open.release(kind, a.Device.Platform)
	if err := d.pace.wait(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// From here to the outcome the dispatcher's own end does not interrupt: a
	// claim without an outcome would read as a message that may have arrived.
	held, stop := context.WithTimeout(context.WithoutCancel(ctx), storeTakes)
	defer stop()
	claimed := d.now()
	a.Claim.LeaseUntil = study.InstantOf(claimed.Add(d.o.Lease))
	id, err := d.study.ClaimDelivery(held, a.Claim)
	if errors.Is(err, study.ErrExists) {
		return nil // another dispatcher has it
	}
	if err != nil {
		return err
	}
	why, err := d.unwanted(held, a)
	if err != nil {
		return err // nothing has left; the claim runs out and one further attempt is made
	}
	o := study.DeliveryOutcome{Status: study.DeliverySkipped, Reason: why, At: study.InstantOf(d.now())}
	if why == "" {
		switch {
		case ctx.Err() != nil:
			why = "stopped"
		case d.now().Sub(claimed) > storeTakes: // this process stood still; the lease may be somebody else's by the time the message left
			why = "too_slow"
		default:
			return d.send(ctx, p, a, id)
		}
		o.Status, o.Reason, o.RetryAt = study.DeliveryRetry, why, study.InstantOf(d.now().Add(d.o.Poll))
	}
	d.observe(a.Claim.Kind, o.Status, o.Reason)
	return d.study.SettleDelivery(held, a.Claim, o)
}

// unwanted folds the record afresh, and says why the message must not leave:
// between the plan and now she may have sent her form, left, or died.
func (d *Dispatcher) unwanted(ctx context.Context, a Attempt) (string, error) {
	reachable, err := d.study.Reachable(ctx, a.Claim.Participant, a.Device)
	if err != nil || !reachable {
		return "device_gone", err
	}
	h, err := d.study.History(ctx)
	if err != nil {
		return "", err
	}
	p, err := d.study.Participant(ctx, d.actor, a.Claim.Participant)
	if err != nil {
		return "", err
	}
	now := d.now()
	if rules, _ := h.RemindersFor(p.Assessment(a.Claim.Assessment)); p.Assessment(a.Claim.Assessment) != nil && isQuiet(rules.Quiet, now, p.Zone()) {
		return "quiet_hours", nil
	}
	return wanted(h, p, a.Claim, now), nil
}

// send lets the message leave, and keeps what became of it whatever happens to
// the dispatcher's own context meanwhile.
func (d *Dispatcher) send(ctx context.Context, p *study.Participant, a Attempt, id study.DeliveryID) error {
	m := Message{Delivery: string(id), Assessment: study.OpaqueID(string(a.Claim.Assessment)),
		Target: Target{Kind: TargetKind(a.Device.Target.Kind), Value: a.Device.Target.Value}, Platform: a.Device.Platform,
		// 18 bytes in the alphabet that web push allows; 24 characters.
		Collapse: study.OpaqueID("step", string(a.Claim.Assessment), a.Claim.Step), ExpiresAt: a.Claim.ExpiresAt.Time()}
	m.Title, m.Body = TextFor(p.Language)
	sending, cancel := context.WithTimeout(ctx, d.o.Timeout)
	o := d.senders[m.Target.Kind].Send(sending, m)
	cancel()
	now := d.now()
	if d.open.note(m.Target.Kind, a.Device.Platform, o, now) {
		d.o.Log.Error("too many reminders of one batch were refused; the others wait, and one goes first every quarter of an hour until one is accepted",
			"kind", a.Claim.Kind, "reason", o.Reason)
	}
	if o.Alarm || o.Err != nil {
		d.o.Log.Warn("a reminder did not leave", "delivery", id, "kind", a.Claim.Kind, "platform", a.Device.Platform,
			"status", string(o.Status), "reason", o.Reason, "alarm", o.Alarm, "error", errText(o.Err))
	}
	after, stop := context.WithTimeout(context.WithoutCancel(ctx), storeTakes)
	defer stop()
	outcome := d.outcome(a, o, now)
	d.observe(a.Claim.Kind, outcome.Status, outcome.Reason)
	errs := []error{d.study.SettleDelivery(after, a.Claim, outcome)}
	switch o.Target {
	case Delete:
		errs = append(errs, d.study.DropTarget(after, a.Claim.Participant, a.Device, ""))
	case Disable:
		errs = append(errs, d.study.DropTarget(after, a.Claim.Participant, a.Device, o.Reason))
	}
	return errors.Join(errs...)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Retries of a message: their number, and how long apart they are at most.
const (
	mostAttempts = 8
	firstWait    = 10 * time.Second
	longestWait  = 30 * time.Minute
)

// outcome is the ledger's row for what the sender said.
func (d *Dispatcher) outcome(a Attempt, o Outcome, now time.Time) study.DeliveryOutcome {
	row := study.DeliveryOutcome{Status: study.DeliveryStatus(o.Status), Reason: o.Reason, Burned: o.Burns, At: study.InstantOf(now)}
	switch o.Status {
	case Accepted, RejectedTarget:
	case RejectedPayload:
		row.Dead = true
	case Unknown:
		row.Dead = a.Doubt > 0 // the one further attempt is in doubt too
	default:
		row.Status = study.DeliveryRetry
		burned := a.Burned
		if o.Burns {
			burned++
		}
		next := now.Add(d.wait(burned, o))
		if row.Dead = burned >= mostAttempts || a.Claim.ExpiresAt.Time().Sub(next) < shortest; !row.Dead {
			row.RetryAt = study.InstantOf(next)
		}
	}
	return row
}

// wait is how long until the next try: what the service asked for, or a random
// time that may be twice as long after every try that counted.
func (d *Dispatcher) wait(burned int, o Outcome) time.Duration {
	most := firstWait
	for range max(burned-1, 0) {
		most = min(2*most, longestWait)
	}
	return max(o.Wait, o.Pause, 0) + time.Duration(d.o.Random()*float64(most)) + time.Second
}

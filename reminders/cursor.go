package reminders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"epro/study"
)

// recordCursor says when a participant is to be looked at next: one record a
// participant, found by its instant. It is a hint. One that is too early costs a
// look; one that is too late is put right by Follow, or at the latest by
// Recompute. A submission does not write it: a form only takes reminders away.
const recordCursor study.RecordKind = "reminder_cursor"

func (d *Dispatcher) putCursor(ctx context.Context, id study.ParticipantID, next time.Time) error {
	if next.IsZero() {
		return d.store.DeleteRecord(ctx, recordCursor, string(id))
	}
	return d.store.PutRecord(ctx, cursorAt(id, next))
}

// cursorAt is the record. It has no owner: nobody asks for a participant's
// cursors, and an index by owner would have every move write a page of its own,
// somewhere, where one by instant finds the others of the same morning.
func cursorAt(id study.ParticipantID, next time.Time) study.Record {
	return study.Record{Kind: recordCursor, Key: string(id), At: next, Data: []byte("{}")}
}

// look reads everything that a plan needs, afresh, and plans.
func (d *Dispatcher) look(ctx context.Context, id study.ParticipantID) (*study.Participant, Work, error) {
	h, err := d.study.History(ctx)
	if err != nil {
		return nil, Work{}, err
	}
	p, err := d.study.Participant(ctx, d.actor, id)
	if err != nil {
		return nil, Work{}, err
	}
	now := d.now()
	open := Open(p, now)
	ledger := make(map[study.AssessmentID][]study.Delivery, len(open))
	for _, a := range open {
		if ledger[a], err = d.study.Deliveries(ctx, a); err != nil {
			return nil, Work{}, err
		}
	}
	var devices []study.Device
	if len(open) > 0 {
		if devices, err = d.study.Devices(ctx, id); err != nil {
			return nil, Work{}, err
		}
	}
	return p, Plan(h, p, d.served(devices), ledger, now), nil
}

// served are the devices that we have a sender for.
func (d *Dispatcher) served(devices []study.Device) []study.Device {
	out := make([]study.Device, 0, len(devices))
	for _, device := range devices {
		if d.senders[TargetKind(device.Target.Kind)] != nil {
			out = append(out, device)
		}
	}
	return out
}

// settleTries is how often a cursor is computed anew because the record has
// changed meanwhile.
const settleTries = 3

// settle writes the participant's cursor; one who has something due is looked
// at again after the pause. An event that comes between the look
// and the write may want an earlier one, so the record is read again after it.
func (d *Dispatcher) settle(ctx context.Context, id study.ParticipantID, pause time.Duration) error {
	for range settleTries {
		p, w, err := d.look(ctx, id)
		if err != nil {
			return err
		}
		next := w.NextAt
		if len(w.Attempts)+len(w.Rows)+len(w.Lost) > 0 {
			next = d.now().Add(pause)
		}
		if err := d.putCursor(ctx, id, next); err != nil {
			return err
		}
		again, err := d.study.Participant(ctx, d.actor, id)
		if err != nil || again.Seq == p.Seq {
			return err
		}
	}
	return nil
}

// Recompute writes every participant's cursor that is not what it should be.
// It runs at the start and once a day.
func (d *Dispatcher) Recompute(ctx context.Context) error {
	records, err := d.store.Records(ctx, recordCursor, "", time.Time{})
	if err != nil {
		return err
	}
	have := make(map[study.ParticipantID]time.Time, len(records))
	for _, r := range records {
		have[study.ParticipantID(r.Key)] = r.At
	}
	q := study.PeopleQuery{Limit: 200}
	for {
		page, more, err := d.study.Participants(ctx, d.actor, q)
		if err != nil {
			return err
		}
		for _, p := range page {
			_, w, err := d.look(ctx, p.ID)
			if err != nil {
				return fmt.Errorf("participant %s: %w", p.ID, err)
			}
			next := w.NextAt
			if len(w.Attempts)+len(w.Rows)+len(w.Lost) > 0 {
				next = d.now()
			}
			if study.InstantOf(next) == study.InstantOf(have[p.ID]) {
				continue
			}
			if err := d.putCursor(ctx, p.ID, next); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		q.After = page[len(page)-1].Place()
	}
}

// overlap is how far Follow looks back: clocks differ by at most two seconds,
// and an event is dated just before it is stored.
const overlap = 10 * time.Second

// Follow reads what was recorded since it last did, and writes the cursors of
// those for whom it may mean an earlier reminder.
func (d *Dispatcher) Follow(ctx context.Context) error {
	changed := map[study.ParticipantID]bool{}
	place := study.Place{At: d.followed}
	seen := map[study.EventID]bool{}
	latest := d.followed.Add(overlap)
	for {
		entries, err := d.store.Recent(ctx, place, 500)
		if err != nil {
			return err
		}
		for _, n := range entries {
			seen[n.ID] = true
			if !d.seen[n.ID] && n.Stream.Kind() == "participant" && n.Type != (study.SubmissionReceived{}).EventType() {
				changed[study.ParticipantID(n.Stream.Key())] = true
			}
			place = study.Place{At: n.At, Stream: n.Stream, Seq: n.Seq}
			latest = maxTime(latest, n.At)
		}
		if len(entries) < 500 {
			break
		}
	}
	for id := range changed {
		if err := d.follow(ctx, id); err != nil {
			return err
		}
	}
	d.seen, d.followed = seen, latest.Add(-overlap)
	return nil
}

func (d *Dispatcher) follow(ctx context.Context, id study.ParticipantID) error {
	p, err := d.study.Participant(ctx, d.actor, id)
	if err != nil {
		return err
	}
	if p.Fact(study.FactWithdrawn) != nil { // she is not to be reached any more
		if err := study.ForgetDevices(ctx, d.store, id, ""); err != nil {
			return err
		}
	}
	return d.settle(ctx, id, 0)
}

// errHeld is logged once while reminders are held.
var errHeld = errors.New("this store came out of a backup; reminders stay off until an administrator confirms that they may leave")

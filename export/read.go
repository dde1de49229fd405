package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"epro/study"
)

// reader goes over the whole study at the cut, once. Each record is read and
// folded once, whatever the number of parts; each part makes its rows beside it.
type reader struct {
	*Export
	ctx   context.Context
	id    hash.Hash
	lines []*line // one for each part
	// heads are how far each record was read, but those of people who forbade
	// further use. The audit trail goes no further, so that the parts agree.
	heads  map[study.StreamID]uint64
	people int
	out    int // participants who forbade further use
}

// read fills the parts with their rows and completes the summary.
func (e *Export) read(ctx context.Context) error {
	r := &reader{Export: e, ctx: ctx, id: e.startID(), heads: map[study.StreamID]uint64{}}
	for range e.parts {
		r.lines = append(r.lines, newLine())
	}
	err := e.svc.PeopleAt(ctx, e.by, e.options.Cut.At, r.participant)
	if err == nil {
		err = r.events()
	}
	for i, p := range e.parts {
		if err == nil && p.dataset.last != nil {
			r.lines[i].send(func() error { return p.dataset.last(p.view, p.row) })
		}
	}
	for i := len(e.parts) - 1; i >= 0; i-- {
		if failed := r.lines[i].end(); failed != nil {
			err = failed // of several the first part's
		}
	}
	e.summary.ExportID, e.summary.Participants = hex.EncodeToString(r.id.Sum(nil)), r.people
	for _, p := range e.parts {
		e.summary.LeftOut = e.summary.LeftOut.atLeast(p.view.left)
		e.summary.Rows += p.seen.rows
	}
	e.summary.LeftOut.NoFurtherUse = r.out
	return err
}

// participant gives a record to every part that is made of records.
func (r *reader) participant(p *study.Participant) error {
	forbidden, err := forbidden(r.ctx, r.svc, p, r.current)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.id, "%s %d %s %t\n", p.ID.Stream(), p.Seq, p.Head, forbidden)
	if r.options.Progress != nil {
		r.options.Progress("records read", r.people+r.out, 0)
	}
	if forbidden {
		r.out++
		return nil
	}
	r.people++
	r.heads[p.ID.Stream()] = p.Seq
	for i, part := range r.parts {
		if part.dataset.person != nil && !r.lines[i].send(func() error { return part.dataset.person(part.view, p, part.row) }) {
			return errDown
		}
		if part.dataset.deliveries == nil {
			continue
		}
		ledger, err := r.svc.DeliveriesAt(r.ctx, r.by, p.ID, r.options.Cut.At)
		if err != nil {
			return err
		}
		for _, d := range ledger {
			fmt.Fprintf(r.id, "delivery %s %t %s %s\n", d.ID, d.Outcome != nil, d.ReceivedAt, d.OpenedAt)
		}
		if !r.lines[i].send(func() error { return part.dataset.deliveries(part.view, p, ledger, part.row) }) {
			return errDown
		}
	}
	return nil
}

// errDown ends a reading of which a line has failed; the line says why.
var errDown = fmt.Errorf("export stopped")

// events gives the log to the parts that are made of it.
func (r *reader) events() error {
	var made []int
	for i, part := range r.parts {
		if part.dataset.event != nil {
			made = append(made, i)
		}
	}
	if len(made) == 0 {
		return nil
	}
	return r.svc.EventsAt(r.ctx, r.by, r.options.Cut.At, func(event study.Event) error {
		if !r.belongs(event) {
			return nil
		}
		for _, i := range made {
			part := r.parts[i]
			if !r.lines[i].send(func() error { return part.dataset.event(part.view, event, part.row) }) {
				return errDown
			}
		}
		return nil
	})
}

// belongs reports whether the event is in the export: of a participant's record
// what was read of it, and not this very export's own entry, which may bear the
// cut's instant.
func (r *reader) belongs(event study.Event) bool {
	if event.Stream.Kind() == "participant" {
		return event.Seq <= r.heads[event.Stream]
	}
	return event.Type != (study.DataExported{}).EventType() || event.At.Time().Before(r.options.Cut.At)
}

// startID begins the export's id with everything but the records that go in.
// The study's own stream stays out of it: every export adds to that.
func (e *Export) startID() hash.Hash {
	o, id := e.options, sha256.New()
	fmt.Fprintf(id, "epro export 1\n%s %s\ncut %s\nthrough %s\ndemonstration %s\nprogram %q\n",
		o.Dataset, o.Format, study.InstantOf(o.Cut.At), o.Through, o.Demonstration, o.Program)
	if rule := o.ruleText(); rule != "" {
		fmt.Fprintf(id, "deterioration %s\n", rule)
	}
	for _, version := range e.history.Versions() {
		fmt.Fprintf(id, "protocol %s %s\n", version.Hash, version.EffectiveOn)
	}
	return id
}

// writing counts the rows that are written, in all files together, and tells how
// far it is.
func (e *Export) writing(of int) func(rows int) {
	if e.options.Progress == nil {
		return func(int) {}
	}
	var mu sync.Mutex
	done := 0
	return func(rows int) {
		mu.Lock()
		defer mu.Unlock()
		done += rows
		e.options.Progress("rows written", done, of)
	}
}

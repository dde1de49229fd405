// Package export writes datasets for analysts: a row at a time, in memory that
// does not grow with the number of rows, and always the same bytes for the same
// final cut, options and program version.
//
// A Dataset says what a row is and how each column is computed from a
// participant's State; an Encoder writes rows in one file format. Neither knows
// the other, so that every dataset exists in every format.
//
// An export reads the study twice. The first time it checks every form, counts
// rows and derives the export's id; nothing is written, and a fault stops it
// before the first byte. Then the export is entered in the audit trail, and the
// second reading is what is written.
package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"epro/study"
)

// Summary says what an export contains. It is printed beside every file.
type Summary struct {
	ExportID      string
	Dataset       string
	Format        string
	Cut           Cut
	Through       study.Date
	Demonstration Demonstration
	Program       string
	Protocol      string // version in force
	Participants  int    // whose records were read, without those left out
	Rows          int
	LeftOut       LeftOut
	SHA256        string // of the bytes written; empty before that
}

// Export is an export that was prepared and can be written once.
type Export struct {
	svc     *study.Service
	by      study.Actor
	options Options
	dataset Dataset
	format  Format
	history *study.History
	current bool  // the cut is now, so the records at the cut are today's
	view    *view // of the reading under way
	summary Summary
}

// Write prepares an export and writes it to w.
func Write(ctx context.Context, svc *study.Service, by study.Actor, o Options, w io.Writer) (Summary, error) {
	e, err := Prepare(ctx, svc, by, o)
	if err != nil {
		return Summary{}, err
	}
	return e.Write(ctx, w)
}

// Prepare checks the options and every record that goes into the export, and
// counts its rows. Nothing is written or recorded yet.
func Prepare(ctx context.Context, svc *study.Service, by study.Actor, o Options) (*Export, error) {
	format, err := pickFormat(o.Format)
	if err != nil {
		return nil, err
	}
	now := study.InstantOf(svc.Now()).Time()
	if o.Cut.At.IsZero() {
		o.Cut = Cut{At: now}
	}
	st, err := svc.Study(ctx)
	if err != nil {
		return nil, err
	}
	if o, err = o.settle(st); err != nil {
		return nil, err
	}
	history, err := svc.History(ctx)
	if err != nil {
		return nil, err
	}
	ref := history.Current().Instrument
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	if !ok {
		return nil, fmt.Errorf("instrument %s version %s is unknown to this program", ref.ID, ref.Version)
	}
	dataset, err := pick(datasetsFor(ins), o.Dataset)
	if err != nil {
		return nil, err
	}
	e := &Export{svc: svc, by: by, options: o, dataset: dataset, format: format, history: history, current: !o.Cut.At.Before(now)}
	e.summary = Summary{Dataset: o.Dataset, Format: o.Format, Cut: o.Cut, Through: o.Through,
		Demonstration: o.Demonstration, Program: o.Program, Protocol: history.Current().Version}
	e.view = newView(o, history, ins)
	read, err := e.read(ctx, func([]Value) error { return nil })
	if err != nil {
		return nil, err
	}
	e.summary.ExportID, e.summary.Participants, e.summary.Rows, e.summary.LeftOut = read.id, read.people, read.rows, e.view.left
	e.view = newView(o, history, ins)
	return e, nil
}

// Summary is what Write will give, but for the bytes' own hash.
func (e *Export) Summary() Summary { return e.summary }

// Format is the format that Write writes.
func (e *Export) Format() Format { return e.format }

// Write enters the export in the audit trail and then writes it. When records
// changed since Prepare, which only a cut that is not final allows, it fails
// after writing: what was written is to be thrown away.
func (e *Export) Write(ctx context.Context, w io.Writer) (Summary, error) {
	err := e.svc.RecordExport(ctx, study.Request{By: e.by}, study.DataExported{
		ExportID: e.summary.ExportID, Dataset: e.options.Dataset, Format: e.options.Format, Options: e.options.recorded()})
	if err != nil {
		return Summary{}, err
	}
	sum := sha256.New()
	encoder := e.format.New(io.MultiWriter(w, sum))
	if err := encoder.Begin(e.dataset); err != nil {
		return Summary{}, fmt.Errorf("write export: %w", err)
	}
	read, err := e.read(ctx, encoder.Row)
	if err != nil {
		return Summary{}, err
	}
	if err := encoder.End(); err != nil {
		return Summary{}, fmt.Errorf("write export: %w", err)
	}
	if read.id != e.summary.ExportID {
		return Summary{}, study.Fail(study.Conflict, "Something was recorded while the export ran. Run it again, or give a cut that lies a minute back.")
	}
	e.summary.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return e.summary, nil
}

// reading is what one run over the participants gave.
type reading struct {
	id     string
	people int
	rows   int
}

// read goes over every participant at the cut and calls emit with every row.
func (e *Export) read(ctx context.Context, emit func([]Value) error) (reading, error) {
	var r reading
	id := e.startID()
	err := e.svc.PeopleAt(ctx, e.by, e.options.Cut.At, func(p *study.Participant) error {
		out, err := forbidden(ctx, e.svc, p, e.current)
		if err != nil {
			return err
		}
		fmt.Fprintf(id, "%s %d %s %t\n", p.ID.Stream(), p.Seq, p.Head, out)
		if out {
			e.view.left.NoFurtherUse++
			return nil
		}
		r.people++
		return e.dataset.rows(e.view, p, func(cells []Value) error {
			r.rows++
			return emit(cells)
		})
	})
	r.id = hex.EncodeToString(id.Sum(nil))
	return r, err
}

// startID begins the export's id with everything but the records that go in.
// The study's own stream stays out of it: every export adds to that.
func (e *Export) startID() hash.Hash {
	o, id := e.options, sha256.New()
	fmt.Fprintf(id, "epro export 1\n%s %s\ncut %s\nthrough %s\ndemonstration %s\nprogram %q\n",
		o.Dataset, o.Format, study.InstantOf(o.Cut.At), o.Through, o.Demonstration, o.Program)
	for _, version := range e.history.Versions() {
		fmt.Fprintf(id, "protocol %s %s\n", version.Hash, version.EffectiveOn)
	}
	return id
}

// Package export writes datasets for analysts: a row at a time, in memory that
// does not grow with the number of rows, and always the same bytes for the same
// final cut, options and program version.
//
// A Dataset says what a row is and how each column is computed from a
// participant's State; an Encoder writes rows in one file format. Neither knows
// the other, so that every dataset exists in every format.
//
// An export reads the study twice. The first time it checks every form, counts
// and measures rows and derives the export's id; nothing is written, and a fault
// stops it before the first byte. Then the export is entered in the audit trail,
// and the second reading is what is written.
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
	Rows          int    // in all files
	LeftOut       LeftOut
	SHA256        string // of the bytes written; empty before that
}

// Export is an export that was prepared and can be written once.
type Export struct {
	svc       *study.Service
	by        study.Actor
	options   Options
	history   *study.History
	format    Format
	parts     []*part
	current   bool // the cut is now, so the records at the cut are today's
	simulated bool // no real person's study
	done      int  // participants read, in both readings
	summary   Summary
}

// part is one dataset of an export.
type part struct {
	dataset Dataset
	view    *view // of the reading under way
	rows    int   // of the reading under way
	first   survey
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
	o.asOf = o.Cut.At
	if now.Before(o.asOf) {
		o.asOf = now
	}
	e := &Export{svc: svc, by: by, options: o, current: !o.Cut.At.Before(now), simulated: st.Simulated}
	if e.history = st.History.UpTo(o.Cut.At); e.history.Current() == nil {
		return nil, study.Fail(study.Invalid, "No protocol was in force at the cut, so there is nothing to export.",
			study.Field{Name: "cut", Reason: "give a cut that does not lie before the study's first protocol"})
	}
	if err := e.choose(); err != nil {
		return nil, err
	}
	e.summary = Summary{Dataset: o.Dataset, Format: o.Format, Cut: o.Cut, Through: o.Through,
		Demonstration: o.Demonstration, Program: o.Program, Protocol: e.history.Current().Version}
	read, err := e.read(ctx, func(p *part, cells []Value) error { p.first.add(p.dataset, cells); return nil })
	if err != nil {
		return nil, err
	}
	e.summary.ExportID, e.summary.Participants, e.summary.LeftOut = read.id, read.people, e.leftOut()
	for _, p := range e.parts {
		e.summary.Rows += p.rows
	}
	return e, e.refuse()
}

// choose finds the format and the datasets that were asked for.
func (e *Export) choose() (err error) {
	ref := e.history.Current().Instrument
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	if !ok {
		return fmt.Errorf("instrument %s version %s is unknown to this program", ref.ID, ref.Version)
	}
	all := datasetsFor(ins)
	if e.format, err = pickFormat(e.options.Format); err != nil {
		return err
	}
	if (e.format.Name == Zip) != (e.options.Dataset == Everything) {
		return errZipIsEverything()
	}
	if e.format.Name != Zip {
		one, err := pick(all, e.options.Dataset)
		if err != nil {
			return err
		}
		all = []Dataset{one}
	}
	for _, d := range all {
		e.parts = append(e.parts, &part{dataset: d, first: newSurvey(d, e.formats())})
	}
	return nil
}

// refuse says why the rows cannot be written in the format asked for. An archive
// has every dataset in one format that can hold everything.
func (e *Export) refuse() error {
	if e.format.Name == Zip {
		return nil
	}
	if why := e.parts[0].cannot(e.format); why != "" {
		return study.Fail(study.Invalid, "This dataset cannot be written as "+e.format.Name+": "+why+". Choose another format.",
			study.Field{Name: "format", Reason: why})
	}
	return nil
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
	w = io.MultiWriter(w, sum)
	if e.format.Name == Zip {
		err = e.writeZip(ctx, w)
	} else {
		err = e.writeOne(ctx, w)
	}
	if err != nil {
		return Summary{}, err
	}
	summary := e.summary // Summary may be asked for meanwhile
	summary.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return summary, nil
}

// writeOne writes one dataset in one format.
func (e *Export) writeOne(ctx context.Context, w io.Writer) (err error) {
	encoder := e.format.New(w)
	defer func() { err = closeEncoder(encoder, err) }()
	if err := encoder.Begin(e.head(e.parts[0])); err != nil {
		return wroteBadly(err)
	}
	if err := e.readAgain(ctx, func(_ *part, cells []Value) error { return encoder.Row(cells) }); err != nil {
		return err
	}
	return wroteBadly(encoder.End())
}

// head is what stands in front of a part's rows.
func (e *Export) head(p *part) Head {
	return Head{Dataset: p.dataset, Study: e.history.Current().Study, Protocol: e.summary.Protocol, Program: e.summary.Program,
		ExportID: e.summary.ExportID, At: e.summary.Cut.At, Rows: p.first.rows, Widths: p.first.widths}
}

// closeEncoder lets the encoder remove what it kept outside memory.
func closeEncoder(encoder Encoder, err error) error {
	if c, ok := encoder.(io.Closer); ok {
		if failed := c.Close(); err == nil && failed != nil {
			return wroteBadly(failed)
		}
	}
	return err
}

func wroteBadly(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write export: %w", err)
}

// readAgain is the second reading, which must give what the first one gave.
func (e *Export) readAgain(ctx context.Context, take func(*part, []Value) error) error {
	read, err := e.read(ctx, take)
	if err != nil {
		return err
	}
	same := read.id == e.summary.ExportID
	for _, p := range e.parts {
		same = same && p.rows == p.first.rows
	}
	if !same {
		return study.Fail(study.Conflict, "Something was recorded while the export ran. Run it again, or give a cut that lies a minute back.")
	}
	return nil
}

// reading is what one run over the participants gave.
type reading struct {
	id     string
	people int
}

// read goes over the whole study at the cut and calls take with every row of
// every part. Each record is read and folded once, whatever the number of parts.
func (e *Export) read(ctx context.Context, take func(*part, []Value) error) (reading, error) {
	var r reading
	id, outside := e.startID(), map[study.StreamID]bool{}
	out := make([]emit, len(e.parts))
	for i, p := range e.parts {
		var err error
		if p.view, err = newView(e.options, e.history); err != nil {
			return r, err
		}
		p.rows = 0
		out[i] = func(cells []Value) error { p.rows++; return take(p, cells) }
	}
	err := e.svc.PeopleAt(ctx, e.by, e.options.Cut.At, func(p *study.Participant) error {
		forbidden, err := forbidden(ctx, e.svc, p, e.current)
		if err != nil {
			return err
		}
		fmt.Fprintf(id, "%s %d %s %t\n", p.ID.Stream(), p.Seq, p.Head, forbidden)
		if e.done++; e.options.Progress != nil {
			e.options.Progress(e.done, 2*(e.summary.Participants+e.summary.LeftOut.NoFurtherUse))
		}
		if forbidden {
			outside[p.ID.Stream()] = true
			return nil
		}
		r.people++
		return e.person(p, out)
	})
	if err == nil {
		err = e.afterPeople(ctx, outside, out)
	}
	for _, p := range e.parts {
		p.view.left.NoFurtherUse = len(outside)
	}
	r.id = hex.EncodeToString(id.Sum(nil))
	return r, err
}

// person gives a participant's record to every part that is made of records.
func (e *Export) person(p *study.Participant, out []emit) error {
	for i, part := range e.parts {
		if part.dataset.person == nil {
			continue
		}
		if err := part.dataset.person(part.view, p, out[i]); err != nil {
			return err
		}
	}
	return nil
}

// afterPeople gives the log to the parts that are made of it, and then asks each
// part for its last rows.
func (e *Export) afterPeople(ctx context.Context, outside map[study.StreamID]bool, out []emit) error {
	for i, part := range e.parts {
		if part.dataset.event != nil {
			err := e.svc.EventsAt(ctx, e.by, e.options.Cut.At, func(event study.Event) error {
				if outside[event.Stream] || event.Type == (study.DataExported{}).EventType() && !event.At.Time().Before(e.options.Cut.At) {
					return nil // the second: this very export's entry may bear the cut's instant
				}
				return part.dataset.event(part.view, event, out[i])
			})
			if err != nil {
				return err
			}
		}
		if part.dataset.last != nil {
			if err := part.dataset.last(part.view, out[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// leftOut is what the parts left out; the forms are the same for all of them.
func (e *Export) leftOut() LeftOut {
	var l LeftOut
	for _, p := range e.parts {
		l = l.atLeast(p.view.left)
	}
	return l
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

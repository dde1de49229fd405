// Package export writes datasets for analysts: a row at a time, in memory that
// does not grow with the number of rows, and always the same bytes for the same
// final cut, options and program version.
//
// A Dataset says what a row is and how each column is computed from a
// participant's State; an Encoder writes rows in one file format. Neither knows
// the other, so that every dataset exists in every format.
//
// An export reads the study once. That checks every form, counts and measures
// the rows, derives the export's id and keeps the rows, packed, in a file without
// a name; a fault stops it before the first byte. Then the export is entered in
// the audit trail, and what was kept is written.
package export

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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
	summary   Summary
}

// part is one dataset of an export.
type part struct {
	dataset Dataset
	view    *view
	seen    survey
	kept    *keptRows
}

// row looks at a row and keeps it.
func (p *part) row(cells []Value) error {
	p.seen.add(p.dataset, cells)
	return wroteBadly(p.kept.add(cells))
}

// Write prepares an export and writes it to w.
func Write(ctx context.Context, svc *study.Service, by study.Actor, o Options, w io.Writer) (Summary, error) {
	e, err := Prepare(ctx, svc, by, o)
	if err != nil {
		return Summary{}, err
	}
	return e.Write(ctx, w)
}

// Prepare checks the options, reads every record that goes into the export, and
// keeps its rows. Nothing is written or recorded yet. Write gives the room for
// them back, and so does Close.
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
	if e.history, err = inForceAt(st.History, o.Cut.At, "cut"); err != nil {
		return nil, err
	}
	if err := e.choose(); err != nil {
		return nil, err
	}
	e.summary = Summary{Dataset: o.Dataset, Format: o.Format, Cut: o.Cut, Through: o.Through,
		Demonstration: o.Demonstration, Program: o.Program, Protocol: e.history.Current().Version}
	if err = e.read(ctx); err == nil {
		err = e.refuse()
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
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
		v, err := newView(e.options, e.history)
		if err != nil {
			return err
		}
		e.parts = append(e.parts, &part{dataset: d, view: v, seen: newSurvey(d, e.formats()), kept: newKeptRows(len(d.Columns))})
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

// Close gives back the room that the rows of an export take which nobody is
// going to write.
func (e *Export) Close() error {
	var errs []error
	for _, p := range e.parts {
		errs = append(errs, p.kept.Close())
	}
	return errors.Join(errs...)
}

// Write enters the export in the audit trail and then writes it.
func (e *Export) Write(ctx context.Context, w io.Writer) (s Summary, err error) {
	defer func() { err = errors.Join(err, wroteBadly(e.Close())) }()
	err = e.svc.RecordExport(ctx, study.Request{By: e.by}, study.DataExported{
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
func (e *Export) writeOne(ctx context.Context, w io.Writer) error {
	return e.encode(ctx, e.format.New(w), e.parts[0], e.writing(e.summary.Rows))
}

// encode writes a part's rows with the encoder.
func (e *Export) encode(ctx context.Context, encoder Encoder, p *part, written func(rows int)) (err error) {
	defer func() { err = closeEncoder(encoder, err) }()
	if err := encoder.Begin(e.head(p)); err != nil {
		return wroteBadly(err)
	}
	rows := 0
	err = p.kept.each(func(cells []Value) error {
		if rows++; rows%rowsPerLook == 0 {
			written(rowsPerLook)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return encoder.Row(cells)
	})
	if err != nil {
		return wroteBadly(err)
	}
	return wroteBadly(encoder.End())
}

// rowsPerLook is after how many rows a writer tells how far it is, and sees
// whether anybody still waits for them.
const rowsPerLook = 1024

// head is what stands in front of a part's rows.
func (e *Export) head(p *part) Head {
	return Head{Dataset: p.dataset, Study: e.history.Current().Study, Protocol: e.summary.Protocol, Program: e.summary.Program,
		ExportID: e.summary.ExportID, At: e.summary.Cut.At, Rows: p.seen.rows, Widths: p.seen.widths}
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

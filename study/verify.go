package study

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// Report is what Verify found.
type Report struct {
	Streams      int
	Events       int
	Participants int
	Forms        int
	Snapshots    int
	Faults       []Fault
}

// Verify reads the whole log and checks every hash, chain, copied field and
// stored score, and every current snapshot against the log. It goes on after a
// fault, with the next stream. A cut tail or a log that was rewritten whole
// shows only against a checkpoint kept elsewhere.
func (s *Service) Verify(ctx context.Context) (Report, error) {
	v := verifier{s: s, history: newHistory(nil)}
	st, err := s.loadStudy(ctx)
	var f *Fault
	switch {
	case errors.As(err, &f): // met again below, and reported there
	case err != nil:
		return Report{}, err
	default:
		v.history = st.History
	}
	for n, err := range s.store.Entries(ctx, "") {
		if err != nil {
			return v.report, err
		}
		if err := v.next(ctx, n); err != nil {
			return v.report, err
		}
	}
	if err := v.endStream(ctx); err != nil {
		return v.report, err
	}
	return v.report, v.compareCopies(ctx)
}

// compareCopies asks a store that keeps readable copies whether they are true.
func (v *verifier) compareCopies(ctx context.Context) error {
	store, ok := v.s.store.(Comparer)
	if !ok {
		return nil
	}
	for fault, err := range store.Compare(ctx) {
		if err != nil {
			return err
		}
		v.report.Faults = append(v.report.Faults, fault)
	}
	return nil
}

// verifier walks the log, one stream after the other.
type verifier struct {
	s       *Service
	history *History
	report  Report

	stream StreamID
	tip    Tip
	broken bool // a fault was found in this stream: the rest of it says nothing more
	person *Participant
}

func (v *verifier) next(ctx context.Context, n Entry) error {
	if n.Stream != v.stream {
		if err := v.endStream(ctx); err != nil {
			return err
		}
		v.stream, v.tip, v.broken, v.person = n.Stream, Tip{}, false, nil
		v.report.Streams++
	}
	v.report.Events++
	if v.broken {
		return nil
	}
	if err := v.check(n); err != nil {
		v.fault(n, err)
	}
	return nil
}

func (v *verifier) check(n Entry) error {
	if !n.Canonical() {
		return n.fault("the stored bytes are not in canonical form")
	}
	tip := v.tip
	_, payload, err := tip.follow(n)
	if err != nil {
		return err
	}
	v.tip = tip
	if n.Stream == StudyStream {
		if adopted, ok := payload.(ProtocolAdopted); ok && ProtocolHash([]byte(adopted.Text)) != adopted.Hash {
			return n.fault("the protocol's text does not have its recorded hash")
		}
	}
	if n.Stream.Kind() != "participant" {
		return nil
	}
	if _, ok := payload.(SubmissionReceived); ok {
		v.report.Forms++
	}
	before := v.person
	if v.person, err = FoldParticipant(v.history, before, n); err != nil {
		return err
	}
	if v.person.Mismatch != "" && (before == nil || before.Mismatch == "") {
		return n.fault("a stored score is not what the answers give: " + v.person.Mismatch)
	}
	return nil
}

func (v *verifier) fault(n Entry, err error) {
	v.broken = true
	var f *Fault
	if !errors.As(err, &f) {
		f = &Fault{Stream: n.Stream, Seq: n.Seq, What: err.Error()}
	}
	v.report.Faults = append(v.report.Faults, *f)
}

// endStream compares a participant's snapshot with what the log gave.
func (v *verifier) endStream(ctx context.Context) error {
	if v.person == nil || v.broken {
		return nil
	}
	v.report.Participants++
	snap, err := v.s.store.Snapshot(ctx, v.stream)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case snap.Stamp != v.history.stamp() || snap.Seq < v.person.Seq:
		return nil // it will be made anew before it is used
	}
	v.report.Snapshots++
	fresh, err := v.person.snapshot(v.history)
	if err != nil {
		return err
	}
	if snap.Seq > v.person.Seq || !sameSnapshot(snap, *fresh) {
		v.report.Faults = append(v.report.Faults, Fault{Stream: v.stream, Seq: snap.Seq,
			What: "the snapshot is not what the log gives; run epro rebuild"})
	}
	return nil
}

func sameSnapshot(a, b Snapshot) bool {
	return a.Seq == b.Seq && a.Stamp == b.Stamp && a.Site == b.Site && a.Label == b.Label && a.Kind == b.Kind &&
		a.OpensAt.Equal(b.OpensAt) && a.DueAt.Equal(b.DueAt) && a.ClosesAt.Equal(b.ClosesAt) && a.LookAt.Equal(b.LookAt) && bytes.Equal(a.State, b.State)
}

// Rebuild makes every snapshot anew from the log and says how many.
func (s *Service) Rebuild(ctx context.Context) (int, error) {
	return s.refold(ctx, time.Time{}, true)
}

package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// Repair makes anew the snapshots that lag behind streams written to since
// then, and all that another fold version or protocol history left behind.
func (s *Service) Repair(ctx context.Context, since time.Time) (int, error) {
	made, err := s.refold(ctx, since, false)
	if err != nil {
		return made, err
	}
	st, err := s.loadStudy(ctx)
	if err != nil || st.History.Current() == nil {
		return made, err
	}
	var stale []StreamID
	err = s.eachSnapshot(ctx, SnapshotQuery{Kind: "participant", Stale: st.History.stamp()}, func(snap Snapshot) error {
		stale = append(stale, snap.Stream)
		return nil
	})
	if err != nil {
		return made, err
	}
	for _, id := range stale {
		if err := s.remake(ctx, st.History, id); err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

// refold makes the snapshots of the streams written to since then; unless all
// are asked for, only where the snapshot lags.
func (s *Service) refold(ctx context.Context, since time.Time, all bool) (int, error) {
	st, err := s.loadStudy(ctx)
	if err != nil {
		return 0, err
	}
	made := 0
	for head, err := range s.store.Heads(ctx, since) {
		if err != nil {
			return made, err
		}
		if !all {
			snap, err := s.store.Snapshot(ctx, head.Stream)
			if err == nil && snap.Seq >= head.Seq {
				continue
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				return made, err
			}
		}
		switch head.Stream.Kind() {
		case "participant", "site", "staff":
			if err := s.remake(ctx, st.History, head.Stream); err != nil {
				return made, err
			}
			made++
		}
	}
	return made, nil
}

// remake folds a stream from its beginning and stores the snapshot.
func (s *Service) remake(ctx context.Context, h *History, id StreamID) error {
	entries, err := s.store.Stream(ctx, id, 0)
	if err != nil {
		return err
	}
	var snap *Snapshot
	switch id.Kind() {
	case "participant":
		p, err := FoldParticipant(h, nil, entries...)
		if err != nil || p == nil {
			return err
		}
		s.people.Remove(p.ID)
		snap, err = p.snapshot(h)
		if err != nil {
			return err
		}
	case "site":
		site, err := foldSite(nil, entries...)
		if err != nil || site == nil {
			return err
		}
		snap, err = snapshotOf(id, site.Tip, foldVersion, site.Code, string(site.Code), site)
		if err != nil {
			return err
		}
	case "staff":
		a, err := foldStaff(nil, entries...)
		if err != nil || a == nil {
			return err
		}
		snap, err = snapshotOf(id, a.Tip, foldVersion, "", a.Username, a)
		if err != nil {
			return err
		}
	default:
		return fmt.Errorf("streams of kind %q have no snapshot", id.Kind())
	}
	return s.store.PutSnapshot(ctx, *snap)
}

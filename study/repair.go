package study

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RepairEvery is how often a process calls KeepRepaired.
const RepairEvery = time.Minute

// recordRepaired is one: until when no snapshot lags, as far as is known.
const recordRepaired RecordKind = "repaired"

// repairSlack is how much earlier than its insert an entry may be dated: the
// insert takes time, and clocks differ.
const repairSlack = 2 * time.Minute

// KeepRepaired repairs what lags since this was last done, by whichever
// process, and notes that it was done. The note matters: a process that was
// killed between an entry and its snapshot may have been the last one for a
// week, and who looks back two minutes at the next start finds nothing.
// Without a note everything is looked through.
func (s *Service) KeepRepaired(ctx context.Context) (int, error) {
	begun := s.now()
	var since time.Time
	switch last, err := s.store.Record(ctx, recordRepaired, onlyKey); {
	case err == nil && last.At.Before(begun):
		since = last.At.Add(-repairSlack)
	case err == nil:
		since = begun.Add(-repairSlack)
	case !errors.Is(err, ErrNotFound):
		return 0, err
	}
	made, err := s.Repair(ctx, since)
	if err != nil {
		return made, err
	}
	return made, s.store.PutRecord(ctx, Record{Kind: recordRepaired, Key: onlyKey, At: begun, Data: []byte("{}")})
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

package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
)

// Restored says that a store came out of a backup, and when. What was recorded
// and sent after the backup was made is not known to it: phones may have been
// reminded, people may have withdrawn. Until a person has confirmed that this
// was looked after, no reminder leaves.
type Restored struct {
	RestoredAt  Instant `json:"restored_at"`
	MadeAt      Instant `json:"made_at"` // the backup
	SHA256      Hash    `json:"sha256"`  // of the backup
	ConfirmedAt Instant `json:"confirmed_at"`
	ConfirmedBy StaffID `json:"confirmed_by,omitzero"` // an administrator
	Note        string  `json:"note,omitzero"`         // what was done
}

// MayRemind reports whether reminders may leave this store: they may not while
// it came out of a backup and nobody has confirmed that what is missing in it
// was looked after. Whoever sends asks before each round.
func MayRemind(ctx context.Context, store Store) (bool, error) {
	from, err := RestoredFrom(ctx, store)
	return err == nil && (from == nil || !from.ConfirmedAt.IsZero()), err
}

// RestoredFrom is what is known of the backup that a store came out of; nil when
// it came out of none.
func RestoredFrom(ctx context.Context, store Store) (*Restored, error) {
	r, err := store.Record(ctx, recordRestored, onlyKey)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	from := &Restored{}
	if err := json.Unmarshal(r.Data, from); err != nil {
		return nil, fmt.Errorf("the mark of a restored store cannot be read: %w", err)
	}
	return from, nil
}

// ConfirmRestored notes that an administrator has looked after what the backup
// did not know, and lets reminders leave. The note says what was done. A second
// confirmation is a Conflict.
func (s *Service) ConfirmRestored(ctx context.Context, by *Staff, note string) (*Restored, error) {
	var f faults
	f.add(by.Role != RoleAdmin || by.Disabled, "by", "must be the account of an administrator that is not disabled")
	f.add(strings.TrimSpace(note) == "", "note", "say who was asked, and what was ended or entered again")
	if err := f.err(); err != nil {
		return nil, err
	}
	from, err := RestoredFrom(ctx, s.store)
	switch {
	case err != nil:
		return nil, err
	case from == nil:
		return nil, Fail(Conflict, "This store came out of no backup, so there is nothing to confirm.")
	case !from.ConfirmedAt.IsZero():
		return from, Fail(Conflict, "This was confirmed already, at "+from.ConfirmedAt.String()+".")
	}
	from.ConfirmedAt, from.ConfirmedBy, from.Note = InstantOf(s.now()), by.ID, note
	return from, putRestored(ctx, s.store, *from, from.ConfirmedAt)
}

func putRestored(ctx context.Context, store Store, r Restored, at Instant) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return store.PutRecord(ctx, Record{Kind: recordRestored, Key: onlyKey, At: at.Time(), Data: raw})
}

// Restore fills an empty store from a backup. It reads the backup twice: a fault
// anywhere in it is found before anything is stored. When it is interrupted,
// the same call goes on where it stopped.
func (t *Filling) Restore(ctx context.Context, from io.ReadSeeker) (BackupSummary, error) {
	seen := 0
	look := func() error {
		seen++
		t.tell("read", seen)
		return nil
	}
	backup, err := ReadBackup(ctx, from, t.Kinds, func(Entry) error { return look() }, func(Record) error { return look() })
	if err != nil {
		return backup, err
	}
	if backup.Study == "" {
		return backup, Fail(Invalid, "There is nothing in the backup: no study had begun when it was made.")
	}
	name := "restore of the backup with the sum " + backup.SHA256.String()[:16]
	if _, err := t.begin(ctx, name); err != nil {
		return backup, err
	}
	if err := t.markRestored(ctx, backup); err != nil {
		return backup, err
	}
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return backup, err
	}
	want := backup.Counts
	want.Records = 1 // the mark
	if err := t.pour(ctx, from, backup, &want.Records); err != nil {
		return backup, err
	}
	if err := t.rebuild(ctx); err != nil {
		return backup, err
	}
	if err := t.matches(ctx, want); err != nil {
		return backup, err
	}
	return backup, t.mark(ctx, name, InstantOf(t.Now()), t.To.PutRecord)
}

// markRestored comes before everything else, so that no program that opens a
// store half restored takes it for an ordinary one.
func (t *Filling) markRestored(ctx context.Context, backup BackupSummary) error {
	now := InstantOf(t.Now())
	return putRestored(ctx, t.To, Restored{RestoredAt: now, MadeAt: backup.MadeAt, SHA256: backup.SHA256}, now)
}

// pour brings what is in the backup, which was found sound before, and counts
// the records.
func (t *Filling) pour(ctx context.Context, from io.Reader, checked BackupSummary, brought *int) (err error) {
	records := newFeed(ctx, t.To.PutRecord)
	defer func() { err = records.end(err) }()
	return t.entries(ctx, func(each func(Entry) error) error {
		again, err := ReadBackup(ctx, from, t.Kinds, each, func(r Record) error {
			if r.Kind == recordRestored {
				return nil // of an earlier restore; this one has its own
			}
			*brought++
			return records.put(string(r.Kind)+" "+r.Key, r)
		})
		if err == nil && again != checked {
			err = Fail(Conflict, "The backup was changed while it was read. Make a new, empty store and restore again.")
		}
		return err
	})
}

// matches checks every chain of the target and that all is there.
func (t *Filling) matches(ctx context.Context, want Counts) error {
	got, err := t.check(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("the restored store should have %+v and has %+v", want, got)
	}
	return err
}

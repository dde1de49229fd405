package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// Copy moves everything from one store to another and compares the two. When it
// is interrupted, the same call goes on where it stopped. The source may be in
// use, but only a copy that ends while it is not can end well: what arrives
// behind the reading is found missing, and the same call fetches it.
//
// Of the records, one kind is in memory at a time, of both stores.
func (t *Filling) Copy(ctx context.Context, from Store) (Counts, error) {
	if err := Unfinished(ctx, from); err != nil {
		return Counts{}, err
	}
	first, err := entryAt(ctx, from, StudyStream, 1)
	if errors.Is(err, ErrNotFound) {
		return Counts{}, Fail(Invalid, "There is nothing to copy: no study was begun in the source.")
	}
	if err != nil {
		return Counts{}, err
	}
	name := "copy of the study that begins with " + first.Hash.String()[:16]
	if _, err := t.begin(ctx, name); err != nil {
		return Counts{}, err
	}
	err = t.entries(ctx, func(each func(Entry) error) error {
		_, err := walk(ctx, from, each)
		return err
	})
	if err != nil {
		return Counts{}, err
	}
	for _, kind := range t.Kinds {
		if err := t.copyRecords(ctx, from, kind); err != nil {
			return Counts{}, err
		}
	}
	if err := t.rebuild(ctx); err != nil {
		return Counts{}, err
	}
	counts, err := t.compare(ctx, from)
	if err != nil {
		return counts, err
	}
	return counts, t.mark(ctx, name, InstantOf(t.Now()), t.To.PutRecord)
}

// copyRecords makes the target's records of a kind those of the source. Some
// that an earlier attempt brought may be gone from there by now.
func (t *Filling) copyRecords(ctx context.Context, from Store, kind RecordKind) (err error) {
	missing, extra, err := t.recordsApart(ctx, from, kind)
	if err != nil {
		return err
	}
	writing := newFeed(ctx, t.To.PutRecord)
	defer func() { err = writing.end(err) }()
	for i, r := range missing {
		t.tell("records: "+string(kind), i)
		if err := writing.put(r.Key, r); err != nil {
			return err
		}
	}
	for _, r := range extra {
		if err := t.To.DeleteRecord(ctx, kind, r.Key); err != nil {
			return err
		}
	}
	return nil
}

// recordsApart are the records of a kind that the target lacks or has
// otherwise, and those that only the target has.
func (t *Filling) recordsApart(ctx context.Context, from Store, kind RecordKind) (missing, extra []Record, err error) {
	there, err := t.To.Records(ctx, kind, "", time.Time{})
	if err != nil {
		return nil, nil, err
	}
	has := make(map[string]Record, len(there))
	for _, r := range there {
		has[r.Key] = r
	}
	wanted, err := from.Records(ctx, kind, "", time.Time{})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range wanted {
		if found, ok := has[r.Key]; !ok || !sameRecord(found, r) {
			missing = append(missing, r)
		}
		delete(has, r.Key)
	}
	for _, r := range has {
		extra = append(extra, r)
	}
	return missing, extra, nil
}

func sameRecord(a, b Record) bool {
	return a.Owner == b.Owner && a.At.Equal(b.At) && a.ExpiresAt.Equal(b.ExpiresAt) && bytes.Equal(a.Data, b.Data)
}

// compare reads the whole target, checks its chains, and compares every head
// and every record with the source.
func (t *Filling) compare(ctx context.Context, from Store) (Counts, error) {
	counts, err := t.check(ctx)
	if err != nil {
		return counts, err
	}
	apart, err := headsApart(ctx, from, t.To, counts.Streams)
	if err != nil {
		return counts, err
	}
	for _, kind := range t.Kinds {
		missing, extra, err := t.recordsApart(ctx, from, kind)
		if err != nil {
			return counts, err
		}
		apart += len(missing) + len(extra)
	}
	if apart > 0 {
		return counts, Fail(Conflict, fmt.Sprintf("The source changed while it was copied: %d streams or records differ. "+
			"Stop every server that uses it, then run the same command again; it goes on where it stopped.", apart))
	}
	return counts, nil
}

// check reads the whole target, checks its chains, and counts.
func (t *Filling) check(ctx context.Context) (counts Counts, err error) {
	c, err := walk(ctx, t.To, func(Entry) error {
		counts.Entries++
		t.tell("checked", counts.Entries)
		return nil
	})
	counts.Streams = c.streams
	if err != nil {
		return counts, err
	}
	for _, kind := range t.Kinds {
		records, err := t.To.Records(ctx, kind, "", time.Time{})
		if err != nil {
			return counts, err
		}
		counts.Records += len(records)
	}
	return counts, nil
}

// headsApart counts the streams that do not end alike in both stores; streams
// is how many the target has.
func headsApart(ctx context.Context, from, to Store, streams int) (apart int, err error) {
	present, err := startHeads(to.Heads(ctx, time.Time{}))
	defer present.stop()
	if err != nil {
		return 0, err
	}
	onlyThere := streams
	for want, err := range from.Heads(ctx, time.Time{}) {
		if err != nil {
			return 0, err
		}
		got, err := present.of(want.Stream)
		if err != nil {
			return 0, err
		}
		if got.Seq > 0 {
			onlyThere--
		}
		if got.Seq != want.Seq || got.Hash != want.Hash {
			apart++
		}
	}
	return apart + onlyThere, nil
}

// rebuild makes the snapshots. It makes no ids, so it needs no source of them.
func (t *Filling) rebuild(ctx context.Context) error {
	if t.Progress != nil {
		t.Progress("snapshots", 0)
	}
	_, err := NewService(t.To, t.Now, nil).Rebuild(ctx)
	return err
}

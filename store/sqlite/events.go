package sqlite

import (
	"context"
	"iter"
	"math"
	"time"

	"epro/study"
)

// pageSize is how many entries or heads are read at a time.
const pageSize = 256

const entryColumns = "stream, seq, event_id, at, actor_role, actor_id, type, hash, bytes"

// Append adds one entry and its snapshot.
func (db *DB) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	// Everything is copied here, by the caller's goroutine: the writer may
	// still run when the caller has given up and uses its memory again.
	event := []any{
		string(e.Stream), bound(e.Seq), string(e.ID), int64(study.InstantOf(e.At)),
		string(e.Actor.Role), e.Actor.ID, string(e.Type), e.Hash[:], string(e.Bytes),
	}
	var cached []any
	if snap != nil {
		cached = snapshotArgs(*snap)
	}
	return db.writer.do(ctx, func(tx *tx) error {
		_, err := tx.exec("INSERT INTO events ("+entryColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", event...)
		if isTaken(err) {
			return study.ErrExists
		}
		if err != nil || cached == nil {
			return err
		}
		return putSnapshot(tx, cached)
	})
}

// Stream returns the entries of one stream behind a sequence.
func (db *DB) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	return list(ctx, db, scanEntry,
		"SELECT "+entryColumns+" FROM events WHERE stream = ? AND seq > ? ORDER BY seq",
		string(id), bound(after))
}

// EntryByID returns the entry with this event id.
func (db *DB) EntryByID(ctx context.Context, id study.EventID) (study.Entry, error) {
	return one(ctx, db, scanEntry, "SELECT "+entryColumns+" FROM events WHERE event_id = ?", string(id))
}

// Entries yields the entries of all streams whose names start with prefix.
func (db *DB) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	return pages(pageSize, func(last *study.Entry) ([]study.Entry, error) {
		const query = "SELECT " + entryColumns + ` FROM events
			WHERE (stream, seq) > (?1, ?2) AND (?3 = '' OR stream < ?3)
			ORDER BY stream, seq LIMIT ?4`
		after, seq := prefix, int64(-1)
		if last != nil {
			after, seq = string(last.Stream), bound(last.Seq)
		}
		return list(ctx, db, scanEntry, query, after, seq, behindPrefix(prefix), pageSize)
	})
}

// behindPrefix is the first text behind everything that starts with prefix,
// or empty when there is none.
func behindPrefix(prefix string) string {
	b := []byte(prefix)
	for len(b) > 0 {
		last := len(b) - 1
		if b[last] < math.MaxUint8 {
			b[last]++
			return string(b)
		}
		b = b[:last]
	}
	return ""
}

// Recent returns entries in the order in which they were recorded.
func (db *DB) Recent(ctx context.Context, after study.Place, limit int) ([]study.Entry, error) {
	at := int64(study.InstantOf(after.At))
	if after == (study.Place{}) {
		at = math.MinInt64
	}
	return list(ctx, db, scanEntry,
		"SELECT "+entryColumns+` FROM events INDEXED BY events_by_at
			WHERE (at, stream, seq) > (?, ?, ?) ORDER BY at, stream, seq LIMIT ?`,
		at, string(after.Stream), bound(after.Seq), max(0, limit))
}

// Heads yields the ends of the streams that got an entry since.
func (db *DB) Heads(ctx context.Context, since time.Time) iter.Seq2[study.Head, error] {
	if !since.IsZero() {
		return db.headsSince(ctx, since)
	}
	return pages(pageSize, func(last *study.Head) ([]study.Head, error) {
		// The last sequences come from the primary key's index alone.
		const query = `SELECT stream, seq, hash, at FROM
			(SELECT stream, max(seq) AS seq FROM events WHERE stream > ?1 GROUP BY stream ORDER BY stream LIMIT ?2)
			JOIN events USING (stream, seq) ORDER BY stream`
		after := ""
		if last != nil {
			after = string(last.Stream)
		}
		return list(ctx, db, scanHead, query, after, pageSize)
	})
}

// headsSince first finds the names of the streams, which are few when little
// time has passed, and small at any rate; asking for them page by page would
// sort them all again for every page.
func (db *DB) headsSince(ctx context.Context, since time.Time) iter.Seq2[study.Head, error] {
	return func(yield func(study.Head, error) bool) {
		name := func(row scanner) (id string, err error) { return id, row.Scan(&id) }
		names, err := list(ctx, db, name,
			"SELECT DISTINCT stream FROM events INDEXED BY events_by_at WHERE at >= ? ORDER BY stream",
			int64(study.InstantOf(since)))
		if err != nil {
			yield(study.Head{}, err)
			return
		}
		for _, name := range names {
			head, err := one(ctx, db, scanHead,
				"SELECT stream, seq, hash, at FROM events WHERE stream = ? ORDER BY seq DESC LIMIT 1", name)
			if !yield(head, err) || err != nil {
				return
			}
		}
	}
}

func scanEntry(row scanner) (e study.Entry, err error) {
	var at int64
	var hash []byte
	err = row.Scan(&e.Stream, &e.Seq, &e.ID, &at, &e.Actor.Role, &e.Actor.ID, &e.Type, &hash, &e.Bytes)
	e.At = study.Instant(at).Time()
	copy(e.Hash[:], hash)
	return e, err
}

func scanHead(row scanner) (h study.Head, err error) {
	var at int64
	var hash []byte
	err = row.Scan(&h.Stream, &h.Seq, &hash, &at)
	h.At = study.Instant(at).Time()
	copy(h.Hash[:], hash)
	return h, err
}

package sqlite

import (
	"context"
	"slices"
	"strings"

	"epro/study"
)

// maxPage is the most snapshots that a page has.
const maxPage = 1000

const (
	bareColumns     = "stream, seq, stamp, kind, site, label, opens_at, due_at, closes_at, look_at"
	snapshotColumns = bareColumns + ", state"
)

// PutSnapshot stores the snapshot unless there is a later one.
func (db *DB) PutSnapshot(ctx context.Context, snap study.Snapshot) error {
	args := snapshotArgs(snap)
	return db.writer.do(ctx, func(tx *tx) error { return putSnapshot(tx, args) })
}

func snapshotArgs(s study.Snapshot) []any {
	return []any{
		string(s.Stream), bound(s.Seq), s.Stamp, s.Kind, string(s.Site), s.Label,
		int64(study.InstantOf(s.OpensAt)), int64(study.InstantOf(s.DueAt)), int64(study.InstantOf(s.ClosesAt)),
		int64(study.InstantOf(s.LookAt)), string(s.State),
	}
}

// putSnapshot stores a snapshot over an earlier or equal one.
func putSnapshot(tx *tx, args []any) error {
	// The ordinary case changes no column that an index has. SQLite writes
	// the index of every column that is set, whether its value changes or not.
	n, err := tx.exec(`UPDATE snapshots
		SET seq = ?2, opens_at = ?7, due_at = ?8, closes_at = ?9, look_at = ?10, state = ?11
		WHERE stream = ?1 AND seq <= ?2 AND stamp = ?3 AND kind = ?4 AND site = ?5 AND label = ?6`, args...)
	if err != nil || n > 0 {
		return err
	}
	_, err = tx.exec("INSERT INTO snapshots ("+snapshotColumns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
		ON CONFLICT (stream) DO UPDATE
		SET seq = ?2, stamp = ?3, kind = ?4, site = ?5, label = ?6, opens_at = ?7, due_at = ?8, closes_at = ?9, look_at = ?10, state = ?11
		WHERE seq <= ?2`, args...)
	return err
}

// Snapshot returns the snapshot of one stream.
func (db *DB) Snapshot(ctx context.Context, id study.StreamID) (study.Snapshot, error) {
	return one(ctx, db, scanSnapshot, "SELECT "+snapshotColumns+" FROM snapshots WHERE stream = ?", string(id))
}

// Snapshots returns a page of the snapshots that match. The sites are asked
// one after the other, which keeps the order of each index.
func (db *DB) Snapshots(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
	limit := maxPage
	if q.Limit > 0 {
		limit = min(q.Limit, maxPage)
	}
	if q.Sites == nil {
		return db.snapshotPage(ctx, q, nil, limit)
	}
	found := []study.Snapshot{}
	sites := slices.Compact(slices.Sorted(slices.Values(q.Sites)))
	for i := range sites {
		if sites[i] < q.AfterSite || len(found) == limit {
			continue
		}
		more, err := db.snapshotPage(ctx, q, &sites[i], limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// snapshotPage reads one page, of one site when one is given. Only conditions
// that restrict are in the query, so that SQLite can choose an index by them.
func (db *DB) snapshotPage(ctx context.Context, q study.SnapshotQuery, site *study.SiteCode, limit int) ([]study.Snapshot, error) {
	where := []string{"(site, label, stream) > (?, ?, ?)"}
	args := []any{string(q.AfterSite), q.AfterLabel, string(q.AfterStream)}
	add := func(condition, value string) {
		where, args = append(where, condition), append(args, value)
	}
	if site != nil {
		add("site = ?", string(*site))
	}
	if q.Kind != "" {
		add("kind = ?", q.Kind)
	}
	if q.Label != "" {
		add("label = ?", q.Label)
	}
	if q.Stale != "" {
		add("stamp <> ?", q.Stale)
	}
	if !q.LookBefore.IsZero() {
		where, args = append(where, "look_at <> 0 AND look_at < ?"), append(args, int64(study.InstantOf(q.LookBefore)))
	}
	columns := snapshotColumns
	if q.Bare {
		columns = bareColumns + ", ''"
	}
	query := "SELECT " + columns + " FROM snapshots WHERE " + strings.Join(where, " AND ") +
		" ORDER BY site, label, stream LIMIT ?"
	return list(ctx, db, scanSnapshot, query, append(args, limit)...)
}

func scanSnapshot(row scanner) (s study.Snapshot, err error) {
	var opens, due, closes, look int64
	err = row.Scan(&s.Stream, &s.Seq, &s.Stamp, &s.Kind, &s.Site, &s.Label, &opens, &due, &closes, &look, &s.State)
	s.OpensAt = study.Instant(opens).Time()
	s.DueAt = study.Instant(due).Time()
	s.ClosesAt = study.Instant(closes).Time()
	s.LookAt = study.Instant(look).Time()
	return s, err
}

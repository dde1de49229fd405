package storetest

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/study"
)

// sabotages are stores with one fault each, by the promise that the fault
// breaks. The contract is worth what it finds.
var sabotages = map[string]func(study.Store) study.Store{
	"a taken sequence refuses another id": func(s study.Store) study.Store {
		return spoiled{Store: s, append: func(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
			if err := s.Append(ctx, e, snap); !errors.Is(err, study.ErrExists) {
				return err
			}
			return nil
		}}
	},
	"a refused entry changes nothing": func(s study.Store) study.Store {
		return spoiled{Store: s, append: func(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
			if snap != nil {
				if err := s.PutSnapshot(ctx, *snap); err != nil {
					return err
				}
			}
			return s.Append(ctx, e, nil)
		}}
	},
	"every field of an entry comes back": func(s study.Store) study.Store {
		return spoiled{Store: s, append: func(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
			e.Actor.Role = ""
			return s.Append(ctx, e, snap)
		}}
	},
	"every field of a snapshot comes back": func(s study.Store) study.Store {
		return spoiled{Store: s, put: func(ctx context.Context, snap study.Snapshot) error {
			snap.DueAt = snap.OpensAt
			return s.PutSnapshot(ctx, snap)
		}}
	},
	"a snapshot with a lower sequence does not replace": func(s study.Store) study.Store {
		return spoiled{Store: s, put: func(ctx context.Context, snap study.Snapshot) error {
			snap.Seq = 1
			return s.PutSnapshot(ctx, snap)
		}}
	},
	"no sites at all match no snapshot": func(s study.Store) study.Store {
		return spoiled{Store: s, page: func(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
			if len(q.Sites) == 0 {
				q.Sites = nil
			}
			return s.Snapshots(ctx, q)
		}}
	},
	"a page of snapshots is filtered and ordered bytewise": func(s study.Store) study.Store {
		return spoiled{Store: s, page: func(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
			found, err := s.Snapshots(ctx, q)
			slices.SortStableFunc(found, func(a, b study.Snapshot) int {
				return strings.Compare(strings.ToLower(string(a.Site)), strings.ToLower(string(b.Site)))
			})
			return found, err
		}}
	},
	"ten thousand entries stream in flat memory while writes go on": func(s study.Store) study.Store {
		return spoiled{Store: s, entries: func(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
			found, err := all(s.Entries(ctx, prefix))
			return func(yield func(study.Entry, error) bool) {
				for _, e := range found {
					if !yield(e, nil) {
						return
					}
				}
				if err != nil {
					yield(study.Entry{}, err)
				}
			}
		}}
	},
	"a closed store is unavailable to every call": func(s study.Store) study.Store {
		return spoiled{Store: s, read: func(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
			r, err := s.Record(ctx, kind, key)
			if err != nil {
				err = study.ErrNotFound
			}
			return r, err
		}}
	},
	"a purge removes what expired before now and nothing else": func(s study.Store) study.Store {
		return spoiled{Store: s, purge: func(ctx context.Context, now time.Time) (int, error) {
			return s.PurgeRecords(ctx, now.Add(time.Millisecond))
		}}
	},
	"of sixteen writers of one record one wins": func(s study.Store) study.Store {
		return spoiled{Store: s, insert: func(ctx context.Context, r study.Record) error {
			if _, err := s.Record(ctx, r.Kind, r.Key); err == nil {
				return study.ErrExists
			}
			return s.PutRecord(ctx, r)
		}}
	},
}

const sabotageVariable = "EPRO_TEST_SABOTAGE"

// TestEverySabotageIsFound runs itself for every fault, and wants to see the
// run fail.
func TestEverySabotageIsFound(t *testing.T) {
	if promise := os.Getenv(sabotageVariable); promise != "" {
		Run(t, func(t *testing.T, dir string) study.Store { return sabotages[promise](openSQLite(t, dir)) })
		return
	}
	for promise := range sabotages {
		if !slices.ContainsFunc(contract, func(c promiseTest) bool { return c.sentence == promise }) {
			t.Errorf("%q is no promise of the contract", promise)
		}
		name := strings.ReplaceAll(promise, " ", "_")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEverySabotageIsFound$/^"+name+"$")
		cmd.Env = append(os.Environ(), sabotageVariable+"="+promise)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: TestEverySabotageIsFound/"+name) {
			t.Errorf("not found: %s (%v)\n%s", promise, err, out)
		}
	}
}

// spoiled is a store of which some methods are other ones.
type spoiled struct {
	study.Store
	append  func(context.Context, study.Entry, *study.Snapshot) error
	put     func(context.Context, study.Snapshot) error
	page    func(context.Context, study.SnapshotQuery) ([]study.Snapshot, error)
	entries func(context.Context, string) iter.Seq2[study.Entry, error]
	insert  func(context.Context, study.Record) error
	read    func(context.Context, study.RecordKind, string) (study.Record, error)
	purge   func(context.Context, time.Time) (int, error)
}

func (s spoiled) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	if s.append == nil {
		return s.Store.Append(ctx, e, snap)
	}
	return s.append(ctx, e, snap)
}

func (s spoiled) PutSnapshot(ctx context.Context, snap study.Snapshot) error {
	if s.put == nil {
		return s.Store.PutSnapshot(ctx, snap)
	}
	return s.put(ctx, snap)
}

func (s spoiled) Snapshots(ctx context.Context, q study.SnapshotQuery) ([]study.Snapshot, error) {
	if s.page == nil {
		return s.Store.Snapshots(ctx, q)
	}
	return s.page(ctx, q)
}

func (s spoiled) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	if s.entries == nil {
		return s.Store.Entries(ctx, prefix)
	}
	return s.entries(ctx, prefix)
}

func (s spoiled) InsertRecord(ctx context.Context, r study.Record) error {
	if s.insert == nil {
		return s.Store.InsertRecord(ctx, r)
	}
	return s.insert(ctx, r)
}

func (s spoiled) Record(ctx context.Context, kind study.RecordKind, key string) (study.Record, error) {
	if s.read == nil {
		return s.Store.Record(ctx, kind, key)
	}
	return s.read(ctx, kind, key)
}

func (s spoiled) PurgeRecords(ctx context.Context, now time.Time) (int, error) {
	if s.purge == nil {
		return s.Store.PurgeRecords(ctx, now)
	}
	return s.purge(ctx, now)
}

package study

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Store keeps the log, the snapshots that lists are read from, and the records
// beside the log. Package store/storetest tests every sentence below on every
// backend.
//
// Instants are kept in UTC to the millisecond. Text comes back byte for byte.
// Every method honours the context. A method that cannot reach or use its
// database returns an *Error with code Unavailable, never ErrNotFound and never
// an empty result.
type Store interface {
	// Append adds one entry at its stream and sequence, together with the
	// snapshot of the state after it (nil for streams without one). The insert
	// is durable when Append returns nil. It returns ErrExists, and changes
	// nothing, when the stream has an entry at that sequence or any stream has
	// one with that id.
	// After any other error the outcome is unknown; read it back.
	Append(ctx context.Context, e Entry, snap *Snapshot) error

	// Stream returns the entries of one stream with a sequence above after, in
	// order; none is an empty slice.
	Stream(ctx context.Context, id StreamID, after uint64) ([]Entry, error)

	// EntryByID returns the entry with this event id, or ErrNotFound.
	EntryByID(ctx context.Context, id EventID) (Entry, error)

	// Entries yields every entry whose stream's name starts with prefix, by
	// stream (bytewise) and sequence. Memory does not grow with their number,
	// and the caller may stop early. The last pair may carry an error.
	Entries(ctx context.Context, prefix string) iter.Seq2[Entry, error]

	// Recent returns at most limit entries that lie strictly behind the place,
	// ordered by instant, then stream, then sequence. A place with an instant
	// only stands before everything recorded at that instant. Limit 0 gives none.
	Recent(ctx context.Context, after Place, limit int) ([]Entry, error)

	// Heads yields the last entry's stream, sequence, hash and instant of every
	// stream that got an entry at or after since (zero: of all streams), by
	// stream.
	Heads(ctx context.Context, since time.Time) iter.Seq2[Head, error]

	// Snapshot returns the snapshot of one stream, or ErrNotFound.
	Snapshot(ctx context.Context, id StreamID) (Snapshot, error)

	// PutSnapshot stores the snapshot unless the store holds one of the same
	// stream with a higher sequence.
	PutSnapshot(ctx context.Context, snap Snapshot) error

	// Snapshots returns a page of snapshots, ordered by (Site, Label, Stream)
	// bytewise, that match the query; none is an empty slice.
	Snapshots(ctx context.Context, q SnapshotQuery) ([]Snapshot, error)

	// InsertRecord adds a record, or returns ErrExists and changes nothing when
	// kind and key are taken (also by an expired one). Durable when it returns.
	InsertRecord(ctx context.Context, r Record) error

	// PutRecord adds or replaces a record; the last write wins.
	PutRecord(ctx context.Context, r Record) error

	// Record returns the record, or ErrNotFound. An expired record is returned
	// like any other; whoever reads decides.
	Record(ctx context.Context, kind RecordKind, key string) (Record, error)

	// Records returns the records of one kind and owner written at or after
	// since, by At and Key; an empty owner matches every owner.
	Records(ctx context.Context, kind RecordKind, owner string, since time.Time) ([]Record, error)

	// RecordsBetween returns at most limit records of one kind that lie strictly
	// behind the place (zero: from the first) and were written at or before until
	// (zero: at any time), by At and Key. A place with an instant only stands
	// before everything written at that instant. It costs what it returns,
	// whatever else there is. Limit 0 gives none.
	RecordsBetween(ctx context.Context, kind RecordKind, after RecordPlace, until time.Time, limit int) ([]Record, error)

	// RecordsUnder returns the records of one kind whose owner starts with prefix
	// (empty: of every owner) and that were written at or before until (zero: at
	// any time), by Owner, At and Key, bytewise. It costs what lies under the
	// prefix, whatever else there is.
	RecordsUnder(ctx context.Context, kind RecordKind, prefix string, until time.Time) ([]Record, error)

	// DeleteRecord removes a record; one that is not there is no error.
	DeleteRecord(ctx context.Context, kind RecordKind, key string) error

	// PurgeRecords removes the records whose ExpiresAt is set and before now,
	// and says how many.
	PurgeRecords(ctx context.Context, now time.Time) (int, error)

	// Ready reports whether the store can be written, and how far this
	// process's clock is from the database's (zero for an embedded one).
	Ready(ctx context.Context) (skew time.Duration, err error)

	// Close waits for what was accepted and releases everything. Later calls of
	// any method return Unavailable; a second Close of a sound store is no error.
	Close() error
}

// Comparer is a Store that keeps readable copies of what the stored bytes say,
// for people with other tools, and can compare them.
type Comparer interface {
	// Compare yields a fault for every event whose readable copy says something
	// else than its bytes.
	Compare(ctx context.Context) iter.Seq2[Fault, error]
}

// ErrNotFound says that the store answered and has no such thing.
var ErrNotFound = errors.New("study: not in the store")

// ErrExists says that a unique key is taken.
var ErrExists = errors.New("study: key is taken")

// Place is a position in the order in which entries were recorded.
type Place struct {
	At     time.Time
	Stream StreamID
	Seq    uint64
}

// RecordPlace is a position in the order in which records of a kind were
// written.
type RecordPlace struct {
	At  time.Time
	Key string
}

// Head is the end of a stream.
type Head struct {
	Stream StreamID
	Seq    uint64
	Hash   Hash
	At     time.Time
}

// Snapshot is a cached State with the few facts that lists are queried by. It
// is never the truth: one made by another fold version or under another
// protocol history (Stamp) is ignored and made anew.
type Snapshot struct {
	Stream StreamID
	Seq    uint64 // of the last event folded in
	Stamp  string // fold version and protocol history
	Kind   string // the stream's kind, such as "participant"
	Site   SiteCode
	Label  string // what lists are sorted by: a participant's number, a user name
	// The first instants, over the assessments that are not finished, at which
	// one opens, is due and closes; zero when there is none.
	OpensAt  time.Time
	DueAt    time.Time
	ClosesAt time.Time
	// LookAt is from when somebody at the site has to look at this participant:
	// the earliest of a window that opens and has no form, a missed one without a
	// reason, an alert that nobody acknowledged, a held form, and a phone that was
	// never bound; zero when there is nothing.
	LookAt time.Time
	State  []byte // JSON
}

// SnapshotQuery selects snapshots. Zero fields do not restrict.
type SnapshotQuery struct {
	Kind  string
	Sites []SiteCode // any of these; nil is any site, an empty list is none
	// Stale, when set, selects only snapshots with another Stamp.
	Stale string
	// Label selects snapshots with exactly this label.
	Label string
	// LookBefore, when set, selects only snapshots with a LookAt before it.
	LookBefore time.Time
	// Bare leaves the State out of what is returned.
	Bare bool
	// The page starts behind this snapshot's key.
	AfterSite   SiteCode
	AfterLabel  string
	AfterStream StreamID
	Limit       int // at most 1,000; zero is 1,000
}

// RecordKind says what a Record beside the log is.
type RecordKind string

// Record is one thing kept beside the log because it is volatile, secret or
// too frequent for it. Data is the owning package's JSON.
type Record struct {
	Kind      RecordKind
	Key       string // unique within the kind
	Owner     string // whose it is; Records selects by it
	At        time.Time
	ExpiresAt time.Time // zero: never
	Data      []byte
}

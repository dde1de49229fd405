package study

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"

	"github.com/go-json-experiment/json"
)

// A backup is a gzip file of lines, so that zcat and a text editor are enough to
// look into it:
//
//	{"epro_backup":1,…}   what it is of
//	E {…}                 an entry: its canonical bytes, by stream and sequence
//	R {…}                 a record
//	Z {…}                 how many there were
//	sha256 …              of the file up to here
//
// The last line is a gzip member of its own, uncompressed, of which every byte
// is known once the sum is known. So no byte of the file can change unseen; the
// sum inside a compressed stream would leave the bits that nobody reads.

// backupTop is the first line.
type backupTop struct {
	Version int     `json:"epro_backup"`
	Study   string  `json:"study"`
	MadeAt  Instant `json:"made_at"`
	Program string  `json:"program"`
}

const backupVersion = 1

// backupEnd is the line behind entries and records.
type backupEnd struct {
	Streams int `json:"streams"`
	Entries int `json:"entries"`
	Records int `json:"records"`
}

// backupRecord is a record as a backup holds it; Data is text, because a store
// gives it back byte for byte.
type backupRecord struct {
	Kind      RecordKind `json:"kind"`
	Key       string     `json:"key"`
	Owner     string     `json:"owner,omitempty"`
	At        Instant    `json:"at"`
	ExpiresAt Instant    `json:"expires_at,omitempty"`
	Data      string     `json:"data"`
}

// BackupSummary says what is in a backup.
type BackupSummary struct {
	Counts

	Study   string
	MadeAt  Instant // everything acknowledged up to then is in it
	Program string  // that made it
	SHA256  Hash    // of the file without its last 95 bytes, as its last line says
}

// BackupOptions say what goes into a backup.
type BackupOptions struct {
	Kinds   []RecordKind // all kinds of records there are
	Program string       // version of this program
	// Live says that the store is being written. Then only what was recorded
	// BackupSettles before the start goes in: a name that was claimed lies before
	// what it was claimed for, also by another process's clock, so that nothing
	// is there without what it rests on.
	Live bool
}

// BackupSettles is how long ago an entry of a store in use must have been
// recorded to go into a backup. Clocks of processes may differ by 2 s each way.
const BackupSettles = 5 * time.Second

// WriteBackup writes everything that is in the store, but snapshots. Memory
// holds one kind of records at a time, and for a store in use the ends of all
// streams, about 150 bytes each.
func (s *Service) WriteBackup(ctx context.Context, w io.Writer, o BackupOptions) (BackupSummary, error) {
	if err := Unfinished(ctx, s.store); err != nil {
		return BackupSummary{}, err
	}
	st, err := s.loadStudy(ctx)
	if err != nil {
		return BackupSummary{}, damagedLog(err)
	}
	if st.name() == "" {
		return BackupSummary{}, Fail(Invalid, "There is nothing to back up: no study was begun in this store.")
	}
	b := &backupWriter{sum: sha256.New()}
	b.gzip = gzip.NewWriter(io.MultiWriter(w, b.sum))
	b.summary = BackupSummary{Study: st.name(), MadeAt: InstantOf(s.now()), Program: o.Program}
	if o.Live {
		b.summary.MadeAt = InstantOf(s.now().Add(-BackupSettles))
	}
	if err := b.line("", backupTop{backupVersion, st.name(), b.summary.MadeAt, o.Program}); err != nil {
		return b.summary, err
	}
	if err := b.entries(ctx, s.store, o.Live); err != nil {
		return b.summary, err
	}
	for _, kind := range o.Kinds {
		if err := b.records(ctx, s.store, kind); err != nil {
			return b.summary, err
		}
	}
	if err := b.line("Z ", backupEnd(b.summary.Counts)); err != nil {
		return b.summary, err
	}
	if err := b.gzip.Close(); err != nil {
		return b.summary, err
	}
	b.sum.Sum(b.summary.SHA256[:0])
	_, err = w.Write(lastMember(b.summary.SHA256))
	return b.summary, err
}

// backupWriter writes the lines of a backup.
type backupWriter struct {
	gzip    *gzip.Writer
	sum     hash.Hash
	summary BackupSummary
}

func (b *backupWriter) line(mark string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.raw(mark, raw)
}

func (b *backupWriter) raw(mark string, text []byte) error {
	if _, err := io.WriteString(b.gzip, mark); err != nil {
		return err
	}
	if _, err := b.gzip.Write(text); err != nil {
		return err
	}
	_, err := b.gzip.Write([]byte{'\n'})
	return err
}

// entries writes the log. The ends of the streams are read first: an entry that
// is behind them belongs to the next backup, and one that is missing before them
// means that the reading was torn.
func (b *backupWriter) entries(ctx context.Context, store Store, live bool) error {
	ends, unseen := map[StreamID]uint64{}, uint64(0)
	if live {
		for h, err := range store.Heads(ctx, time.Time{}) {
			if err != nil {
				return err
			}
			ends[h.Stream] = h.Seq
			unseen += h.Seq
		}
	}
	cut := b.summary.MadeAt.Time()
	last := StreamID("")
	_, err := walk(ctx, store, func(n Entry) error {
		if live {
			if n.Seq > ends[n.Stream] {
				return nil
			}
			if unseen--; n.At.After(cut) {
				return nil
			}
		}
		if n.Stream != last {
			b.summary.Streams++
			last = n.Stream
		}
		b.summary.Entries++
		return b.raw("E ", n.Bytes)
	})
	if err == nil && unseen != 0 {
		err = Fail(Unavailable, "Entries that were in the store when the backup began were not found a moment later. Run it again, and epro verify if that happens again.")
	}
	return err
}

func (b *backupWriter) records(ctx context.Context, store Store, kind RecordKind) error {
	found, err := store.Records(ctx, kind, "", time.Time{})
	if err != nil {
		return err
	}
	for _, r := range found {
		err := b.line("R ", backupRecord{r.Kind, r.Key, r.Owner, InstantOf(r.At), InstantOf(r.ExpiresAt), string(r.Data)})
		if err != nil {
			return fmt.Errorf("a record of kind %s cannot be written down: %w", kind, err)
		}
		b.summary.Records++
	}
	return nil
}

// lastMember is the gzip member that holds the sum of everything before it.
func lastMember(sum Hash) []byte {
	text := []byte("sha256 " + sum.String() + "\n")
	size := uint16(len(text)) // 72
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1}
	out = binary.LittleEndian.AppendUint16(out, size)
	out = binary.LittleEndian.AppendUint16(out, ^size)
	out = append(out, text...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(text))
	return binary.LittleEndian.AppendUint32(out, uint32(size))
}

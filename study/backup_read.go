package study

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
)

// lastMemberSize is the size of every lastMember.
var lastMemberSize = len(lastMember(Hash{}))

// sealed reads all of a file but its last member, sums it up, and then compares
// that member with the sum.
type sealed struct {
	from io.Reader
	held []byte // what was read and not given out
	sum  hash.Hash
	end  bool
}

// Read gives out what is certain not to belong to the last member.
func (s *sealed) Read(p []byte) (int, error) {
	for !s.end && len(s.held) <= lastMemberSize {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.held[:max(0, len(s.held)-lastMemberSize)])
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	_, _ = s.sum.Write(p[:n]) // a hash never fails
	s.held = s.held[n:]
	return n, nil
}

func (s *sealed) fill() error {
	more := make([]byte, 64<<10)
	n, err := s.from.Read(more)
	s.held = append(slices.Clip(s.held), more[:n]...)
	if errors.Is(err, io.EOF) {
		s.end = true
		return nil
	}
	return err
}

// check is the sum, once everything was read, if the last member confirms it.
func (s *sealed) check() (sum Hash, err error) {
	if n, err := io.Copy(io.Discard, s); n > 0 || err != nil {
		return sum, errors.Join(err, errors.New("something stands behind the end"))
	}
	s.sum.Sum(sum[:0])
	if !bytes.Equal(s.held, lastMember(sum)) {
		return sum, errors.New("the sum at the end is not that of the file")
	}
	return sum, nil
}

// errDamaged is what a person reads of a backup that cannot be used.
func errDamaged(err error) error {
	return &Error{Code: Invalid, Message: "The backup is damaged, cut short, or no backup of epro. Take another one; nothing was stored.", Err: err}
}

// ReadBackup reads a backup from top to bottom, checks every sum, hash, chain
// and count, and calls entry and record with everything in it. What they were
// called with counts only if it returns without an error.
func ReadBackup(ctx context.Context, r io.Reader, kinds []RecordKind, entry func(Entry) error, record func(Record) error) (BackupSummary, error) {
	file := &sealed{from: r, sum: sha256.New()}
	b := &backupReader{kinds: kinds, entry: entry, record: record}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return BackupSummary{}, readBackupError(ctx, err)
	}
	if err := b.read(ctx, newLines(unzipped)); err != nil {
		return BackupSummary{}, readBackupError(ctx, err)
	}
	if b.summary.SHA256, err = file.check(); err != nil {
		return BackupSummary{}, readBackupError(ctx, err)
	}
	b.summary.Counts = b.counts()
	return b.summary, nil
}

// readBackupError leaves alone what is no fault of the backup.
func readBackupError(ctx context.Context, err error) error {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return refused.err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return errDamaged(err)
}

// refusal is an error of a function that was called with an entry or record.
type refusal struct{ err error }

// Error is what the function said.
func (r *refusal) Error() string { return r.err.Error() }

func refuse(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{err}
}

// backupReader reads the lines of a backup.
type backupReader struct {
	kinds   []RecordKind
	entry   func(Entry) error
	record  func(Record) error
	summary BackupSummary
	chain   chain
	records int
}

func (b *backupReader) counts() Counts {
	return Counts{Streams: b.chain.streams, Entries: b.chain.entries, Records: b.records}
}

func (b *backupReader) read(ctx context.Context, from lines) error {
	if err := b.top(from); err != nil {
		return err
	}
	for {
		line, err := from.next()
		if err != nil {
			return cutShort(err)
		}
		mark, text, _ := bytes.Cut(line, []byte{' '})
		switch string(mark) {
		case "E":
			err = b.readEntry(text)
		case "R":
			err = b.readRecord(text)
		case "Z":
			return b.end(text, from)
		default:
			err = errors.New("a line is neither entry nor record")
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (b *backupReader) top(from lines) error {
	line, err := from.next()
	if err != nil {
		return cutShort(err)
	}
	var top backupTop
	if err := json.Unmarshal(line, &top); err != nil {
		return err
	}
	switch {
	case top.Version < 1:
		return errors.New("the first line names no version")
	case top.Version > backupVersion:
		return refuse(Fail(Invalid, fmt.Sprintf("The backup has format %d and this program knows formats up to %d; upgrade the program.", top.Version, backupVersion)))
	}
	b.summary.Study, b.summary.MadeAt, b.summary.Program = top.Study, top.MadeAt, top.Program
	return nil
}

func (b *backupReader) readEntry(text []byte) error {
	if b.records > 0 {
		return errors.New("an entry stands behind a record")
	}
	n, err := entryOf(text)
	if err != nil {
		return err
	}
	if err := b.chain.next(n); err != nil {
		return err
	}
	return refuse(b.entry(n))
}

func (b *backupReader) readRecord(text []byte) error {
	var r backupRecord
	if err := json.Unmarshal(text, &r, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	if !slices.Contains(b.kinds, r.Kind) {
		return refuse(Fail(Invalid, fmt.Sprintf("The backup has records of kind %q, which this program does not know; upgrade the program.", r.Kind)))
	}
	b.records++
	return refuse(b.record(Record{Kind: r.Kind, Key: r.Key, Owner: r.Owner, At: r.At.Time(), ExpiresAt: r.ExpiresAt.Time(), Data: []byte(r.Data)}))
}

// end reads the counts; nothing may stand behind them.
func (b *backupReader) end(text []byte, from lines) error {
	var end backupEnd
	if err := json.Unmarshal(text, &end, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	if Counts(end) != b.counts() {
		return fmt.Errorf("it says %+v, and there are %+v", end, b.counts())
	}
	if _, err := from.next(); !errors.Is(err, io.EOF) {
		return errors.Join(err, errors.New("something stands behind the counts"))
	}
	return nil
}

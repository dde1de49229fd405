package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"epro/study"
)

// Backup writes the whole database, as it is at one moment, to a new file at
// path. Others may read and write meanwhile, also other processes. The copy is
// an ordinary database, readable by its owner only; whoever needs it to outlast
// a power cut syncs it.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	if db.writer.isClosed() {
		return errClosed
	}
	// SQLite accepts an empty file, and keeps its permissions.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fileError(err, "There is a file %q already; name another one for the copy.", path)
	}
	if err != nil {
		return fileError(err, "The copy %q cannot be made; check that its folder may be written.", path)
	}
	if err := f.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	// A connection of its own: those of the pool may only query.
	pool, err := open(db.path, 10*time.Second, 1, []pragma{{"wal_autocheckpoint", "0", "0"}})
	if err != nil {
		return readError(ctx, err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := pool.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return backupError(ctx, err)
	}
	return nil
}

// backupError does not blame the database for a disk that is full under the
// copy.
func backupError(ctx context.Context, err error) error {
	if primaryCode(err) == codeFull {
		return &study.Error{Code: study.Unavailable, Err: err,
			Message: "The disk is full, so no copy was made; make room where the copy is written. The database itself is unharmed."}
	}
	return readError(ctx, err)
}

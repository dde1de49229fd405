// Package sqlite keeps a study in one file, durably and with nothing to
// install.
//
// One goroutine writes. It takes whatever waits, writes it in one transaction
// and answers everybody after one commit, so that a busy morning costs few
// fsyncs and a quiet one waits for nobody. Readers have connections of their
// own and see what is committed. Another process may use the file at the same
// time.
//
// Never open the database file by other means than SQLite within a process
// that has it open: closing any descriptor of a file drops all locks that the
// process holds on it (POSIX), and with them SQLite's protection against
// other processes.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"epro/study"
)

// DB is a study.Store in one file.
type DB struct {
	path   string
	file   os.FileInfo // of the file that was opened
	reads  *sql.DB
	writes *sql.DB
	writer *writer

	mu      sync.Mutex
	queries map[string]*sql.Stmt // prepared on reads, by their text

	close func() error
}

var _ study.Store = (*DB)(nil)

// options are what tests change.
type options struct {
	busy    time.Duration // how long to wait for another program's lock
	pragmas []pragma      // further ones for the connection that writes
	// fault may fail in place of a commit or a checkpoint.
	fault func(statement string) error
}

// Open opens the database at path, and makes it and its folder when they are
// missing. Several processes may have one database open.
func Open(ctx context.Context, path string) (*DB, error) {
	return openWith(ctx, path, options{busy: 10 * time.Second})
}

func openWith(ctx context.Context, path string, o options) (*DB, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db := &DB{path: path, queries: map[string]*sql.Stmt{}}
	db.close = sync.OnceValue(db.shut)
	// Another process may be making the same database just now, and not every
	// lock of that moment is one that SQLite waits for.
	until := time.Now().Add(o.busy)
	for {
		err := db.connect(ctx, o)
		if err == nil {
			return db, nil
		}
		_ = db.release() // the first error says more
		if primaryCode(err) != codeBusy || time.Now().After(until) {
			return nil, openError(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil, openError(ctx, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// connect makes the pools and starts the writer. The file is inspected before
// anything is written to it, even the journal mode.
func (db *DB) connect(ctx context.Context, o options) (err error) {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	if db.reads, err = open(db.path, o.busy, readers, readPragmas); err != nil {
		return err
	}
	if _, err = inspect(ctx, db.reads, len(scripts)); err != nil {
		return err
	}
	// The writer waits in short rounds of its own, see begin.
	round := min(o.busy, 50*time.Millisecond)
	if db.writes, err = open(db.path, round, 1, slices.Concat(o.pragmas, writePragmas)); err != nil {
		return err
	}
	conn, err := db.writes.Conn(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	if db.file, err = os.Stat(db.path); err != nil {
		return errors.Join(err, conn.Close())
	}
	// The connection that inspected may remember the file as it was before.
	db.reads.SetMaxIdleConns(0)
	db.reads.SetMaxIdleConns(readers)
	db.writer = newWriter(conn, db.path+"-wal", o)
	return nil
}

// release closes the pools, without the courtesies of Close.
func (db *DB) release() error {
	var errs []error
	for _, pool := range []*sql.DB{db.reads, db.writes} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Ready writes to the store and waits for the disk. An embedded database has
// this process's clock, so the skew is zero.
func (db *DB) Ready(ctx context.Context) (time.Duration, error) {
	// Writes to a file that was deleted succeed, and are gone with the process.
	now, err := os.Stat(db.path)
	if err != nil || !os.SameFile(now, db.file) {
		return 0, &study.Error{Code: study.Unavailable, Err: err,
			Message: "The database file was moved or deleted while the program ran; put it back, then start the program again."}
	}
	return 0, db.writer.do(ctx, func(tx *tx) error {
		_, err := tx.exec("UPDATE readiness SET checks = checks + 1 WHERE id = 1")
		return err
	})
}

// Close writes what was accepted, moves the log into the file, and closes it.
// Further calls give the same answer.
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	err := db.writer.stop()
	if db.writer.broken.Load() != nil {
		// The disk failed. Closing the last connection would make SQLite try
		// the same fsync again and, if that seems to work, delete the log.
		// The connections are left to the end of the process, and the log to
		// the recovery at the next start.
		return err
	}
	return unavailable(errors.Join(err, db.release()))
}

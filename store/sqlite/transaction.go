package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"epro/study"
)

// tx runs statements on the connection that writes. It has no context: a
// statement that is interrupted may undo the whole transaction, with the work
// of other callers.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// exec runs a statement, prepared once, and says how many rows it changed.
func (t *tx) exec(query string, args ...any) (rows int64, err error) {
	stmt, ok := t.stmts[query]
	if !ok {
		if stmt, err = t.conn.PrepareContext(context.Background(), query); err != nil {
			return 0, err
		}
		t.stmts[query] = stmt
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// close gives the connection back to its pool. Statements that were prepared
// on a sql.Conn are nobody else's to close, and SQLite keeps a connection with
// open statements open, and its files locked.
func (t *tx) close() error {
	var errs []error
	for _, stmt := range t.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}

// begin takes the write lock. SQLite's own waiting slows down to ten looks a
// second, and would miss the short gaps that a busy process leaves; rounds of
// it start anew.
func (w *writer) begin() error {
	if broken := w.broken.Load(); broken != nil {
		return broken
	}
	until := time.Now().Add(w.busy)
	for {
		_, err := w.tx.exec("BEGIN IMMEDIATE")
		if primaryCode(err) != codeBusy || time.Now().After(until) {
			return err
		}
	}
}

// write runs the requests and commits. An error is one of the whole batch;
// what concerns one request is left in its err.
func (w *writer) write(batch []*request) error {
	for _, r := range batch {
		if err := w.tx.nested(r); err != nil {
			w.rollback()
			return err
		}
	}
	if err := w.exec(commit); err != nil {
		w.rollback()
		w.breakOn(err)
		return err
	}
	w.commits.Add(1)
	return nil
}

// The statements that wait for the disk.
const (
	commit     = "COMMIT"
	checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
)

// exec runs one of them, unless a test has it fail.
func (w *writer) exec(statement string) error {
	if w.fault != nil {
		if err := w.fault(statement); err != nil {
			return err
		}
	}
	_, err := w.tx.exec(statement)
	return err
}

// rollback ends the transaction if SQLite has not done so by itself, which it
// does after some errors; then there is none, and the error says just that.
func (w *writer) rollback() { _, _ = w.tx.exec("ROLLBACK") }

// breakOn refuses all further writes when the disk has failed.
func (w *writer) breakOn(err error) {
	var coded *study.Error
	if isIOError(err) && errors.As(unavailable(err), &coded) {
		w.broken.CompareAndSwap(nil, coded)
	}
}

// nested runs a request in a savepoint, so that its failure undoes its own
// work only. It returns the errors after which the transaction cannot go on.
func (t *tx) nested(r *request) error {
	if _, err := t.exec("SAVEPOINT request"); err != nil {
		return err
	}
	err := r.run(t)
	if err == nil {
		_, err = t.exec("RELEASE request")
		return err
	}
	if !isOwn(err) && !isAnswer(err) {
		return err
	}
	if _, err := t.exec("ROLLBACK TO request"); err != nil {
		return err
	}
	r.err = unavailable(err)
	_, err = t.exec("RELEASE request")
	return err
}

// isAnswer reports whether an error is one that the contract answers with.
func isAnswer(err error) bool {
	return errors.Is(err, study.ErrExists) || errors.Is(err, study.ErrNotFound)
}

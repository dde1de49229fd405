package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"

	"epro/study"
)

// prepared gives the statement for a query, prepared once for the pool.
func (db *DB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	db.mu.Lock()
	stmt, ok := db.queries[query]
	db.mu.Unlock()
	if ok {
		return stmt, nil
	}
	stmt, err := db.reads.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if first, ok := db.queries[query]; ok { // somebody else was quicker
		return first, stmt.Close()
	}
	db.queries[query] = stmt
	return stmt, nil
}

// scanner is what sql.Row and sql.Rows have in common.
type scanner interface{ Scan(to ...any) error }

// list reads all rows of a query. None is an empty slice.
func list[T any](ctx context.Context, db *DB, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	found := []T{}
	err := func() error {
		stmt, err := db.prepared(ctx, query)
		if err != nil {
			return err
		}
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			row, err := scan(rows)
			if err != nil {
				return err
			}
			found = append(found, row)
		}
		return rows.Err()
	}()
	if err != nil {
		return nil, db.readError(ctx, err)
	}
	return found, nil
}

// one reads the first row of a query, or gives ErrNotFound.
func one[T any](ctx context.Context, db *DB, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	stmt, err := db.prepared(ctx, query)
	if err != nil {
		return none, db.readError(ctx, err)
	}
	row, err := scan(stmt.QueryRowContext(ctx, args...))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none, study.ErrNotFound
	case err != nil:
		return none, db.readError(ctx, err)
	}
	return row, nil
}

// pages yields the rows of page after page. Between two pages no transaction
// is open, so that a slow consumer keeps nobody from cutting the log.
func pages[T any](size int, page func(last *T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var last *T
		for {
			rows, err := page(last)
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if len(rows) < size {
				return
			}
			last = &rows[len(rows)-1]
		}
	}
}

func (db *DB) readError(ctx context.Context, err error) error {
	if db.writer.isClosed() {
		return &study.Error{Code: study.Unavailable, Message: errClosed.Message, Err: err}
	}
	return readError(ctx, err)
}

// bound is a sequence as the file's integers can hold it.
func bound(seq uint64) int64 { return int64(min(seq, math.MaxInt64)) }

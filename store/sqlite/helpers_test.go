package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an error coded as unavailable, which never reads as an answer,
// and whose sentence has the words.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	var coded *study.Error
	if !errors.As(err, &coded) || coded.Code != study.Unavailable ||
		errors.Is(err, study.ErrNotFound) || errors.Is(err, study.ErrExists) {
		t.Fatalf("the error is not coded as unavailable: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(coded.Message, word) {
			t.Errorf("the sentence has no %q: %s", word, coded.Message)
		}
	}
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "epro.db") }

func openTest(t *testing.T, path string, o options) *DB {
	t.Helper()
	if o.busy == 0 {
		o.busy = time.Minute // nothing here depends on how slow a machine is
	}
	db, err := openWith(t.Context(), path, o)
	must(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil && db.writer.broken.Load() == nil {
			t.Error(err)
		}
	})
	return db
}

// shell is a connection without our settings, such as a person has in a shell.
func shell(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := open(path, time.Minute, 1, nil)
	must(t, err)
	t.Cleanup(func() { must(t, pool.Close()) })
	conn, err := pool.Conn(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, conn.Close()) })
	return conn
}

func run(t *testing.T, conn *sql.Conn, query string) {
	t.Helper()
	_, err := conn.ExecContext(context.Background(), query)
	must(t, err)
}

func value(t *testing.T, conn *sql.Conn, query string) (v string) {
	t.Helper()
	must(t, conn.QueryRowContext(t.Context(), query).Scan(&v))
	return v
}

func testEntry(stream string, seq uint64) study.Entry {
	e := benchEntry(stream, seq, 0)
	e.Bytes = fmt.Appendf(nil, `{"seq":%d,"stream":%q}`, seq, stream)
	return e
}

// together runs the functions in one batch: it keeps the writer from beginning
// until all have queued.
func together(t *testing.T, db *DB, do ...func() error) []error {
	t.Helper()
	other := shell(t, db.path)
	run(t, other, "BEGIN IMMEDIATE")
	errs := make([]error, len(do))
	var wg sync.WaitGroup
	for i := range do {
		wg.Go(func() { errs[i] = do[i]() })
	}
	waitFor(func() bool { return len(db.writer.queue) >= len(do)-1 }) // the writer has one in its hand
	run(t, other, "ROLLBACK")
	wg.Wait()
	return errs
}

// waitFor returns when something has come true; a test that waits in vain ends
// by its own timeout.
func waitFor(true func() bool) {
	for !true() {
		runtime.Gosched()
	}
}

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	// The one place that names the driver: everything else speaks
	// database/sql and SQLite's own result codes.
	driverpkg "modernc.org/sqlite"
)

// pragma is a setting of a connection, as it is written and as it reads back.
type pragma struct{ name, value, reads string }

// writePragmas are in force on the one connection that writes. Checkpoints are
// made by the writer alone: those that SQLite makes by itself after a commit
// hide their errors, and a failed fsync must never be hidden.
var writePragmas = []pragma{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"fullfsync", "1", "1"}, // on a Mac fsync alone does not reach the disk
	{"foreign_keys", "1", "1"},
	{"recursive_triggers", "1", "1"},
	{"wal_autocheckpoint", "0", "0"},
	{"trusted_schema", "0", "0"},
	{"cache_size", "-16384", "-16384"}, // KiB
}

// readPragmas are in force on every connection that reads.
var readPragmas = []pragma{
	{"query_only", "1", "1"},
	{"synchronous", "FULL", "2"},
	{"foreign_keys", "1", "1"},
	{"wal_autocheckpoint", "0", "0"},
	{"trusted_schema", "0", "0"},
	{"cache_size", "-8192", "-8192"}, // KiB
}

// readers is the number of connections in the read pool.
const readers = 4

// open gives a pool in which every connection has the pragmas. They travel in
// the DSN, because a pragma sent through a pool reaches one connection only.
func open(path string, busy time.Duration, connections int, pragmas []pragma) (*sql.DB, error) {
	ms := fmt.Sprint(busy.Milliseconds())
	pragmas = append([]pragma{{"busy_timeout", ms, ms}}, pragmas...)
	dsn, err := dsn(path, pragmas)
	if err != nil {
		return nil, err
	}
	inner, err := driverpkg.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{Connector: inner, pragmas: pragmas})
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// dsn names the file as a URI, so that a path may hold any character.
func dsn(path string, pragmas []pragma) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // Windows: file:/C:/data/epro.db
	}
	query := url.Values{"_txlock": {"immediate"}}
	for _, p := range pragmas {
		query.Add("_pragma", p.name+"("+p.value+")")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode(), nil
}

// connector reads every pragma back on every connection before it is used. A
// misspelt pragma is no error to SQLite, and a file system may refuse WAL.
type connector struct {
	driver.Connector
	pragmas []pragma
}

// Connect opens one connection and checks its settings.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range c.pragmas {
		got, err := readPragma(ctx, conn, p.name)
		if err == nil && got != p.reads {
			err = fmt.Errorf("pragma %s is %q, not %q", p.name, got, p.reads)
		}
		if err != nil {
			_ = conn.Close() // the first error says more
			return nil, err
		}
	}
	return conn, nil
}

func readPragma(ctx context.Context, conn driver.Conn, name string) (string, error) {
	querier, ok := conn.(driver.QueryerContext)
	if !ok {
		return "", fmt.Errorf("the driver's %T cannot be queried", conn)
	}
	rows, err := querier.QueryContext(ctx, "PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	value := make([]driver.Value, 1)
	if err := rows.Next(value); err != nil {
		return "", err
	}
	return fmt.Sprint(value[0]), nil
}

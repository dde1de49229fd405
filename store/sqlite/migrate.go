package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"epro/study"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a file as ours; it reads "epro" in ASCII.
const applicationID = 0x6570726f

// migrations are the scripts in order; the version of a file is the number of
// scripts that ran on it.
func migrations() ([]string, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	scripts := make([]string, 0, len(names))
	for i, name := range names {
		if want := fmt.Sprintf("migrations/%04d.sql", i+1); name != want {
			return nil, fmt.Errorf("migration %d is named %s, not %s", i+1, name, want)
		}
		script, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(script))
	}
	return scripts, nil
}

// querier is what sql.DB and sql.Conn have in common here.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// inspect refuses a file that must not be written: another program's, or one
// of a newer version of this program. It gives back the file's version.
func inspect(ctx context.Context, q querier, known int) (version int, err error) {
	// One statement, so that another process's migration is seen whole or not
	// at all.
	var owner, tables int
	err = q.QueryRowContext(ctx, `SELECT count(*), (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version) FROM sqlite_schema`).Scan(&tables, &owner, &version)
	if err != nil {
		return 0, err
	}
	switch {
	case owner != applicationID && (owner != 0 || version != 0 || tables != 0):
		return 0, study.Fail(study.Unavailable,
			"The file is a database of another program; name another file, or a new one.")
	case version > known:
		return 0, study.Fail(study.Unavailable, fmt.Sprintf(
			"The database has version %d and this program knows versions up to %d; upgrade the program.",
			version, known))
	}
	return version, nil
}

// migrate brings the file to the newest version, a script a transaction.
// Another process may do the same at the same time; whoever comes second
// finds the work done.
func migrate(ctx context.Context, conn *sql.Conn) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	for {
		version, err := inspect(ctx, conn, len(scripts))
		if err != nil || version == len(scripts) {
			return err
		}
		if err := step(ctx, conn, scripts, version); err != nil {
			return fmt.Errorf("migrate from version %d: %w", version, err)
		}
	}
}

// step runs the script that follows version, unless somebody else did.
func step(ctx context.Context, conn *sql.Conn, scripts []string, version int) error {
	tx, err := conn.BeginTx(ctx, nil) // immediate, by the DSN
	if err != nil {
		return err
	}
	undo := func(err error) error { return errors.Join(err, tx.Rollback()) }
	var now int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&now); err != nil {
		return undo(err)
	}
	if now != version {
		return tx.Rollback()
	}
	script := fmt.Sprintf("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;",
		scripts[version], applicationID, version+1)
	if _, err := tx.ExecContext(ctx, script); err != nil {
		return undo(err)
	}
	return tx.Commit()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"epro/api"
	"epro/auth"
	"epro/store"
	"epro/store/sqlite"
	"epro/study"
)

// recordKinds are all kinds of records there are. A test reads the sources and
// fails on one that is missing here: it would be left behind.
func recordKinds() []study.RecordKind {
	return slices.Concat(auth.Kinds, api.RecordKinds, study.RecordKinds)
}

// runBackup writes everything into one file.
func runBackup(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("backup", "backup FILE [-store URL]: FILE - is standard output")
	storeURL := storeFlag(fs, c)
	file, args := takeFile(args)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	if file == "" || fs.NArg() > 0 {
		return usageError{"name one file for the backup, or - for standard output"}
	}
	st, err := openExisting(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	var made study.BackupSummary
	if file == "-" {
		made, err = backupTo(ctx, st, c.stdout, os.TempDir())
	} else {
		err = writeWhole(file, func(w io.Writer) (err error) {
			made, err = backupTo(ctx, st, w, filepath.Dir(file))
			return err
		})
	}
	if err != nil {
		return err
	}
	told := c.stdout
	if file == "-" {
		told = c.stderr
	}
	if err := tellBackup(told, made); err != nil {
		return err
	}
	fmt.Fprintln(c.stderr, "The backup holds health data and is not encrypted. The server's secret file is not in it: keep that too, in another place.")
	return nil
}

func tellBackup(w io.Writer, b study.BackupSummary) error {
	_, err := fmt.Fprintf(w, "study %s\nmade_at %s\nprogram %s\nstreams %d\nevents %d\nrecords %d\nsha256 %s\n",
		b.Study, b.MadeAt, b.Program, b.Streams, b.Entries, b.Records, b.SHA256)
	return err
}

// takeFile takes the first word that is neither a flag nor a flag's value;
// every flag of these commands has a value.
func takeFile(args []string) (file string, rest []string) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-" || !strings.HasPrefix(a, "-"):
			return a, slices.Concat(args[:i], args[i+1:])
		case a == "-h" || a == "-help" || a == "--help":
			return "", args
		case !strings.Contains(a, "="):
			i++
		}
	}
	return "", args
}

// openExisting opens a store to read from. An embedded one must be there: a
// slip in its name would make an empty one, and a backup of nothing.
func openExisting(ctx context.Context, storeURL string) (study.Store, error) {
	if path, embedded := strings.CutPrefix(storeURL, "sqlite:"); embedded && path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("there is no store at %s: %w", redactURL(storeURL), err)
		}
	}
	return store.Open(ctx, storeURL)
}

// backupTo writes the backup. An embedded store is copied first, as it is at
// one moment, into a folder beside the backup that is then removed; so a slow
// reader of the backup keeps no server waiting.
func backupTo(ctx context.Context, st study.Store, w io.Writer, beside string) (made study.BackupSummary, err error) {
	db, embedded := st.(*sqlite.DB)
	if !embedded {
		// So that everything that was acknowledged before this command is in it.
		select {
		case <-ctx.Done():
			return made, ctx.Err()
		case <-time.After(study.BackupSettles):
		}
		return writeBackup(ctx, st, w, true, time.Now)
	}
	now := time.Now()                                 // whatever was recorded by now is in the copy
	dir, err := os.MkdirTemp(beside, ".epro-backup-") // 0700
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "epro.db")
	if err := db.Backup(ctx, path); err != nil {
		return made, err
	}
	still, err := sqlite.Open(ctx, path)
	if err != nil {
		return made, err
	}
	defer closing(still, &err)
	return writeBackup(ctx, still, w, false, func() time.Time { return now })
}

func writeBackup(ctx context.Context, st study.Store, w io.Writer, live bool, now func() time.Time) (study.BackupSummary, error) {
	svc := study.NewService(st, now, newID)
	return svc.WriteBackup(ctx, w, study.BackupOptions{Kinds: recordKinds(), Program: buildVersion(), Live: live})
}

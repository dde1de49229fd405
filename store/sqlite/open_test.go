package sqlite

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEveryConnectionHasItsPragmas(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	check := func(conn *sql.Conn, pragmas []pragma) {
		t.Helper()
		for _, p := range append(pragmas, pragma{name: "journal_mode", reads: "wal"}) {
			if got := value(t, conn, "PRAGMA "+p.name); got != p.reads {
				t.Errorf("%s is %s, not %s", p.name, got, p.reads)
			}
		}
	}
	for range readers { // all of them at once, so that each is another one
		conn, err := db.reads.Conn(t.Context())
		must(t, err)
		defer conn.Close()
		check(conn, readPragmas)
		// In plain figures, so that the list above cannot change unnoticed.
		check(conn, []pragma{{"query_only", "", "1"}, {"foreign_keys", "", "1"}})
		if _, err := conn.ExecContext(t.Context(), "DELETE FROM records"); err == nil {
			t.Error("a reading connection can write")
		}
	}
	must(t, db.writer.do(t.Context(), func(tx *tx) error {
		check(tx.conn, writePragmas)
		check(tx.conn, []pragma{{"synchronous", "", "2"}, {"foreign_keys", "", "1"}, {"wal_autocheckpoint", "", "0"}})
		return nil
	}))
}

func TestAPragmaThatDoesNotTakeIsAnError(t *testing.T) {
	for _, p := range []pragma{
		{"sinchronous", "FULL", "2"},    // misspelt
		{"page_size", "1000", "1000"},   // impossible
		{"synchronous", "NORMAL", "2"},  // another than meant
		{"journal_mode", "WAL", "wal2"}, // not in this SQLite
	} {
		_, err := openWith(t.Context(), newPath(t), options{pragmas: []pragma{p}})
		refused(t, err)
	}
}

func TestTheFileAndItsFolderAreTheOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "down", "epro.db")
	db := openTest(t, path, options{})
	_, err := db.Ready(t.Context()) // makes the other files
	must(t, err)
	for name, want := range map[string]os.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
		filepath.Dir(path): os.ModeDir | 0o700, filepath.Dir(filepath.Dir(path)): os.ModeDir | 0o700,
	} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%s has mode %v, not %v", filepath.Base(name), info.Mode(), want)
		}
	}
}

func TestAPathMayHaveAnyCharacter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a?mode=ro#b %20%", "é 鱼 'quoted' \"x\" ;&.db")
	db := openTest(t, path, options{})
	must(t, db.Append(t.Context(), testEntry("site/S01", 1), nil))
	must(t, db.Close())
	info, err := os.Stat(path)
	must(t, err)
	if info.Size() == 0 {
		t.Error("the data went to another file")
	}
	db = openTest(t, path, options{})
	found, err := db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 1 {
		t.Error("the entry is gone")
	}
}

func TestWhatIsNoDatabaseOfOursIsRefusedAndLeftAlone(t *testing.T) {
	foreign := newPath(t)
	conn := shell(t, foreign)
	run(t, conn, "CREATE TABLE songs (title TEXT)")
	foreignBytes, err := os.ReadFile(foreign)
	must(t, err)
	for name, c := range map[string]struct {
		content []byte
		words   string
	}{
		"a text":                      {[]byte(strings.Repeat("This is a letter. ", 500)), "no database"},
		"a short text":                {[]byte("Hi"), "no database"},
		"a database cut short":        {foreignBytes[:3000], ""},
		"another program's data base": {foreignBytes, "another program"},
	} {
		path := newPath(t)
		must(t, os.WriteFile(path, c.content, 0o600))
		_, err := Open(t.Context(), path)
		refused(t, err, c.words)
		left, err := os.ReadFile(path)
		must(t, err)
		if !bytes.Equal(left, c.content) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestANewerDatabaseIsRefusedAndLeftAlone(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, options{})
	must(t, db.Close())
	conn := shell(t, path)
	run(t, conn, "PRAGMA user_version = 99")
	scripts, err := migrations()
	must(t, err)
	_, err = Open(t.Context(), path)
	refused(t, err, "version 99", fmt.Sprint("up to ", len(scripts)), "upgrade the program")
	if got := value(t, conn, "PRAGMA user_version"); got != "99" {
		t.Errorf("the version is now %s", got)
	}
}

func TestAPlaceWhereNoFileCanBeIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	loop := filepath.Join(dir, "loop")
	must(t, os.Symlink(loop, loop))
	gone := filepath.Join(dir, "dangling")
	must(t, os.Symlink(filepath.Join(dir, "nowhere", "epro.db"), gone))
	for path, words := range map[string]string{
		dir:                                  "is a folder",
		filepath.Join(file, "epro.db"):       "cannot be made",
		filepath.Join(file, "sub", "a.db"):   "cannot be made",
		filepath.Join(loop, "sub", "a.db"):   "cannot be made",
		loop:                                 "cannot be read",
		gone:                                 "cannot be read",
		filepath.Join(dir, "nul\x00byte.db"): "cannot be made",
		os.DevNull:                           "no ordinary file",
	} {
		_, err := Open(t.Context(), path)
		refused(t, err, words)
	}
}

func TestADatabaseThatAnotherProgramKeepsLockedIsRefused(t *testing.T) {
	path := newPath(t)
	db := openTest(t, path, options{})
	must(t, db.Append(t.Context(), testEntry("site/S01", 1), benchSnapshot("site/S01", 1, 10)))
	_, err := db.Snapshot(t.Context(), "site/S01")
	must(t, err)
	must(t, db.Close()) // completely, or the lock could not be had
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the log is left after Close")
	}
	conn := shell(t, path)
	run(t, conn, "PRAGMA locking_mode = EXCLUSIVE")
	run(t, conn, "UPDATE readiness SET checks = 0") // takes the lock, for good
	_, err = openWith(t.Context(), path, options{busy: time.Millisecond})
	refused(t, err, "locked by another program")
}

func TestSeveralMayMakeOneDatabaseAtTheSameTime(t *testing.T) {
	path := newPath(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			db, err := Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Append(t.Context(), testEntry("site/S01", uint64(i+1)), nil); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	found, err := openTest(t, path, options{}).Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 6 {
		t.Errorf("%d entries are there, not 6", len(found))
	}
}

func TestAFileThatIsDeletedUnderneathIsNotReady(t *testing.T) {
	for _, replace := range []bool{false, true} {
		db := openTest(t, newPath(t), options{})
		must(t, os.Rename(db.path, db.path+".old"))
		if replace {
			must(t, os.WriteFile(db.path, nil, 0o600))
		}
		_, err := db.Ready(t.Context())
		refused(t, err, "moved or deleted")
		_ = os.Remove(db.path)
		must(t, os.Rename(db.path+".old", db.path))
		_, err = db.Ready(t.Context())
		must(t, err)
	}
}

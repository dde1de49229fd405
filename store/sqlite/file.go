package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"epro/study"
)

// prepareFile makes the folder and the file where they are missing, readable
// by their owner only; SQLite gives its -wal and -shm files the same mode. An
// existing file is not opened, see the package's comment.
func prepareFile(path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fileError(err, "The folder %q for the database cannot be made; check its name and the permissions above it.", folder)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		// An empty file is a valid, empty database.
		return errors.Join(f.Close(), syncFolder(folder))
	}
	if !errors.Is(err, fs.ErrExist) {
		return fileError(err, "The database %q cannot be made; check that its folder may be written.", path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fileError(err, "The database %q cannot be read; check its permissions.", path)
	case info.IsDir():
		return fileError(nil, "%q is a folder; name a file in it, such as epro.db.", path)
	case !info.Mode().IsRegular():
		return fileError(nil, "%q is no ordinary file; name a file, such as epro.db.", path)
	}
	return nil
}

// syncFolder makes a new name in the folder durable. Where folders cannot be
// synced, as on Windows, their names need not be.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fileError(err, "The folder %q cannot be read; check its permissions.", folder)
	}
	_ = f.Sync()
	return f.Close()
}

func fileError(err error, sentence, path string) error {
	return &study.Error{Code: study.Unavailable, Message: fmt.Sprintf(sentence, path), Err: err}
}

// openError codes what went wrong while opening; a file that is no database
// was more likely misnamed than damaged.
func openError(ctx context.Context, err error) error {
	if primaryCode(err) == codeNotADB {
		return &study.Error{Code: study.Unavailable, Err: err,
			Message: "The file is no database; name another file, or a new one."}
	}
	return readError(ctx, err)
}

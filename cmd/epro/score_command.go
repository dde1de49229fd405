package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// runScore is "epro score": flags, files, a summary line on standard error, and
// errRefused when some rows were refused.
func runScore(ctx context.Context, c *cli, args []string) error {
	fs := c.flags("score", "score [-in FILE] [-out FILE]\n\nScores a CSV of FACT-B answers, a form a row; exit 3 when rows were refused.")
	inName := fs.String("in", "", "CSV `FILE` to score; standard input when empty")
	outName := fs.String("out", "", "`FILE` to write, replaced only when the run went well; standard output when empty")
	if err := c.parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError{"score takes no argument besides its flags; name the file with -in"}
	}
	in := c.stdin
	if *inName != "" {
		file, err := os.Open(*inName)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	var rows, refused int
	var err error
	score := func(out io.Writer) (err error) {
		rows, refused, err = scoreCSV(ctx, in, out, scoreProgress(c.stderr))
		return err
	}
	if *outName == "" {
		err = score(c.stdout)
	} else {
		err = writeWhole(*outName, score)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "%d rows read, %d of them refused\n", rows, refused)
	if refused > 0 {
		return errRefused
	}
	return nil
}

// scoreProgress shows the rows so far, from the third second on and only to a
// terminal; nil when nobody would see it.
func scoreProgress(stderr io.Writer) func(rows int) {
	file, ok := stderr.(*os.File)
	if !ok {
		return nil
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	next := time.Now().Add(2 * time.Second)
	return func(rows int) {
		if now := time.Now(); now.After(next) {
			next = now.Add(time.Second / 5)
			// The summary line is longer and overwrites this one.
			fmt.Fprintf(file, "%d rows read\r", rows)
		}
	}
}

// writeWhole lets write fill a file that appears under its name only when write
// succeeded; a failed run leaves what was there before. The file is readable by
// its owner alone, because it holds health data.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	if found, err := filepath.EvalSymlinks(name); err == nil {
		name = found
	}
	// A pipe or device cannot be replaced, and must not be.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(file), file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := errors.Join(write(file), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}

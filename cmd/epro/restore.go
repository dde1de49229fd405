package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"epro/store"
	"epro/study"
)

// runRestore fills an empty store from a backup.
func runRestore(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("restore", "restore FILE [-store URL]: fills an empty store from a backup; FILE - is standard input\n"+
		"       epro restore -confirm -by USERNAME -note TEXT [-store URL]: lets reminders leave a restored store")
	storeURL := storeFlag(fs, c)
	confirm := fs.Bool("confirm", false, "say that what was recorded after the backup was looked after; reminders may leave then")
	by := fs.String("by", "", "with -confirm: `USERNAME` of the administrator who says so")
	note := fs.String("note", "", "with -confirm: `TEXT` that says what was done")
	name := ""
	if !slices.Contains(args, "-confirm") { // where the last word is no file
		name, args = takeFile(args)
	}
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	if *confirm {
		if name != "" || fs.NArg() > 0 || *by == "" || *note == "" {
			return usageError{"-confirm takes -by USERNAME and -note TEXT, and no file"}
		}
		return c.confirmRestored(ctx, *storeURL, *by, *note)
	}
	if name == "" || fs.NArg() > 0 {
		return usageError{"name the backup, or - for standard input"}
	}
	file, err := c.openBackup(name)
	if err != nil {
		return err
	}
	defer file.Close()
	st, err := store.Open(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	filling := study.Filling{To: st, Now: time.Now, Kinds: recordKinds(), Progress: c.progress()}
	restored, err := filling.Restore(ctx, file)
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := tellBackup(c.stdout, restored); err != nil {
		return err
	}
	fmt.Fprintln(c.stderr, "Every chain of the restored store was checked. What was recorded after "+restored.MadeAt.String()+" is not in it.")
	fmt.Fprintln(c.stderr, "Reminders stay off on this store until an administrator confirms that that was looked after: epro restore -confirm.")
	fmt.Fprintln(c.stderr, secretMustMove)
	return nil
}

// confirmRestored notes who looked after what a restored store does not know.
func (c *cli) confirmRestored(ctx context.Context, storeURL, by, note string) (err error) {
	st, err := openExisting(ctx, storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := study.Unfinished(ctx, st); err != nil {
		return err
	}
	svc := study.NewService(st, time.Now, newID)
	admin, err := svc.StaffByUsername(ctx, by)
	if study.CodeOf(err) == study.NotFound {
		return fmt.Errorf("there is no account %q; epro staff list shows those that there are", by)
	}
	if err != nil {
		return err
	}
	from, err := svc.ConfirmRestored(ctx, admin, note)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "restored_at %s\nmade_at %s\nconfirmed_at %s\nconfirmed_by %s\n", from.RestoredAt, from.MadeAt, from.ConfirmedAt, admin.Username)
	return err
}

const secretMustMove = "Bring the server's secret file as well: without it no session, code or second factor is valid, and the server does not start."

// openBackup opens the file; what comes by standard input is kept in a file,
// because a backup is read twice.
func (c *cli) openBackup(name string) (*os.File, error) {
	if name != "-" {
		return os.Open(name)
	}
	file, err := os.CreateTemp("", ".epro-restore-*") // 0600
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(file, c.stdin)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	// Gone under its name at once, so that nothing is left of it whatever happens.
	if err := errors.Join(err, os.Remove(file.Name())); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// interrupted says how to go on after Ctrl-C.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return errors.New("interrupted; run the same command again, it goes on where it stopped")
}

// progress shows on standard error what is being done: from the third second
// on, on a terminal in one line, elsewhere a line every ten seconds.
func (c *cli) progress() func(doing string, done int) {
	format, first, pause := "%s %d\n", 10*time.Second, 10*time.Second
	if file, ok := c.stderr.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			format, first, pause = "%s %d\x1b[K\r", 2*time.Second, time.Second/5 // clear the rest of the line, go back
		}
	}
	next := time.Now().Add(first)
	return func(doing string, done int) {
		if now := time.Now(); now.After(next) {
			next = now.Add(pause)
			fmt.Fprintf(c.stderr, format, doing, done)
		}
	}
}

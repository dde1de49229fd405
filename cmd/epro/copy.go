package main

import (
	"context"
	"fmt"
	"time"

	"epro/store"
	"epro/study"
)

// runCopy moves everything from one store to another.
func runCopy(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("copy", "copy -from URL -to URL: moves everything to an empty store; run again after an interruption")
	from := fs.String("from", "", "the `URL` of the store to read")
	to := fs.String("to", "", "the `URL` of the store to fill")
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	if *from == "" || *to == "" || fs.NArg() > 0 {
		return usageError{"say from where and to where: -from URL -to URL"}
	}
	source, err := openExisting(ctx, *from)
	if err != nil {
		return err
	}
	defer closing(source, &err)
	target, err := store.Open(ctx, *to)
	if err != nil {
		return err
	}
	defer closing(target, &err)
	filling := study.Filling{To: target, Now: time.Now, Kinds: recordKinds(), Progress: c.progress()}
	moved, err := filling.Copy(ctx, source)
	if err != nil {
		return interrupted(ctx, err)
	}
	if _, err := fmt.Fprintf(c.stdout, "streams %d\nevents %d\nrecords %d\n", moved.Streams, moved.Entries, moved.Records); err != nil {
		return err
	}
	fmt.Fprintln(c.stderr, "Every stream ends alike in both stores, and every chain of the new one was checked. Start no server on the old one again.")
	fmt.Fprintln(c.stderr, secretMustMove)
	return nil
}

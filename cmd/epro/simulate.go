package main

import (
	"context"
	"fmt"
	"time"

	"epro/internal/simulate"
	"epro/study"
)

// runSimulate writes a simulated study into a store.
func runSimulate(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("simulate", "simulate [flags]: writes an invented study into an empty store")
	storeURL := storeFlag(fs, c)
	participants := fs.Int("participants", 48, "how many participants to simulate")
	seed := fs.Uint64("seed", 1, "the same seed, participants and date give the same data")
	date := fs.String("now", "", "the `DATE` on which the story ends; empty: today")
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError{"simulate takes no argument besides its flags"}
	}
	now := time.Now()
	if *date != "" {
		on, err := study.ParseDate(*date)
		if err != nil {
			return usageError{"-now: " + err.Error()}
		}
		now = on.UTC().Add(12 * time.Hour) // only the date matters, and noon has it nearly everywhere
	}
	_, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	made, err := simulate.Run(ctx, simulate.Options{Store: st, Participants: *participants, Seed: *seed, Now: now})
	if err != nil {
		return saidWrongly(err)
	}
	_, err = fmt.Fprintf(c.stdout, "study %s\nsites %d\nparticipants %d\nforms %d\nheld %d\nvoided %d\nwithdrawn %d\ndied %d\nfresh %d\n",
		made.Study, len(made.Sites), len(made.Participants), made.Counts.Forms, made.Counts.Held, made.Counts.Voided,
		made.Counts.Withdrawn, made.Counts.Died, len(made.Fresh))
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"

	"epro/study"
)

// runVerify checks the whole log; a fault is exit 1.
func runVerify(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("verify", "verify [-store URL] [-checkpoint FILE] [-write-checkpoint FILE]")
	storeURL := storeFlag(fs, c)
	var checkpoint checkpointFlags
	checkpoint.register(fs)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	report, err := svc.Verify(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "streams %d\nevents %d\nparticipants %d\nforms %d\nsnapshots %d\nfaults %d\n",
		report.Streams, report.Events, report.Participants, report.Forms, report.Snapshots, len(report.Faults))
	for i := range report.Faults {
		fmt.Fprintln(c.stdout, report.Faults[i].Error())
	}
	if len(report.Faults) > 0 {
		err = fmt.Errorf("the record has %d fault(s); they are listed above", len(report.Faults))
	}
	if checkpoint.compare != "" {
		err = errors.Join(err, c.compareCheckpoint(ctx, svc, &checkpoint, *storeURL))
	}
	if err != nil || checkpoint.write == "" {
		return err
	}
	return c.writeCheckpoint(ctx, svc, &checkpoint, *storeURL)
}

// writeCheckpoint writes the checkpoint that verify was asked for.
func (c *cli) writeCheckpoint(ctx context.Context, svc *study.Service, f *checkpointFlags, storeURL string) error {
	secret, err := secretFile(f.secret, storeURL)
	if err != nil {
		return err
	}
	key, err := signingKey(secret)
	if err != nil {
		return err
	}
	made, err := writeCheckpoint(ctx, svc, key, f.write, f.write+".pub")
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "checkpoint %s\ncheckpoint_streams %d\ncheckpoint_events %d\nroot %s\n", made.At, made.Streams, made.Events, made.Root)
	fmt.Fprintln(c.stderr, "Keep the checkpoint and its public key where whoever can write the store cannot: beside the store it shows nothing.")
	return nil
}

// runRebuild makes every snapshot anew.
func runRebuild(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("rebuild", "rebuild [-store URL]")
	storeURL := storeFlag(fs, c)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	made, err := svc.Rebuild(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "snapshots %d\n", made)
	return err
}

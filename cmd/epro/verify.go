package main

import (
	"context"
	"fmt"
)

// runVerify checks the whole log; a fault is exit 1.
func runVerify(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("verify", "verify [-store URL]")
	storeURL := storeFlag(fs, c)
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
		return fmt.Errorf("the record has %d fault(s); they are listed above", len(report.Faults))
	}
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

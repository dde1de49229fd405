package main

import (
	"context"
	"fmt"
	"os"

	"epro/study"
)

// runProtocol shows the protocol in force, checks a file, or puts one in force.
func runProtocol(ctx context.Context, c *cli, args []string) error {
	const usage = "protocol show | check FILE | amend FILE -effective DATE [-dry-run]"
	if len(args) == 0 {
		return usageError{"say what to do: " + usage}
	}
	switch args[0] {
	case "show":
		return protocolShow(ctx, c, args[1:])
	case "check":
		return protocolCheck(c, args[1:])
	case "amend":
		return protocolAmend(ctx, c, args[1:])
	case "-h", "-help", "--help":
		_, err := fmt.Fprintln(c.stdout, "Usage: epro "+usage)
		return err
	default:
		return usageError{fmt.Sprintf("there is no %q: %s", args[0], usage)}
	}
}

func protocolShow(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("protocol show", "protocol show [-store URL]")
	storeURL := storeFlag(fs, c)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	h, err := svc.History(ctx)
	if err != nil {
		return err
	}
	for _, v := range h.Versions() {
		from := "the beginning"
		if v.EffectiveOn != 0 {
			from = v.EffectiveOn.String()
		}
		fmt.Fprintf(c.stderr, "version %s, in force from %s, SHA-256 %s\n", v.Version, from, v.Hash)
	}
	_, err = fmt.Fprint(c.stdout, h.Current().Text)
	return err
}

func protocolCheck(c *cli, args []string) error {
	fs := c.flags("protocol check", "protocol check FILE")
	file, rest, err := fileArgument(args)
	if err != nil {
		return err
	}
	if err := c.parse(fs, rest); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p, err := study.ParseProtocol(text)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "study %s version %s: %d visits, %d cycles of %d days, SHA-256 %s\n",
		p.Study, p.Version, len(p.Visits), p.Cycles.Count, p.Cycles.LengthDays, study.ProtocolHash(text))
	return err
}

// fileArgument takes the file that comes before the flags.
func fileArgument(args []string) (file string, rest []string, err error) {
	if len(args) == 0 || args[0] == "" || args[0][0] == '-' {
		return "", nil, usageError{"name the protocol file"}
	}
	return args[0], args[1:], nil
}

func protocolAmend(ctx context.Context, c *cli, args []string) (err error) {
	file, rest, err := fileArgument(args)
	if err != nil {
		return err
	}
	fs := c.flags("protocol amend", "protocol amend FILE -effective DATE [-dry-run] [-reason TEXT]")
	storeURL := storeFlag(fs, c)
	effective := fs.String("effective", "", "`DATE` from which it applies: visits that open on or after it")
	dryRun := fs.Bool("dry-run", false, "show the effect, record nothing")
	reason := fs.String("reason", "", "why; the record keeps it")
	if err := c.parseSettings(fs, rest); err != nil {
		return err
	}
	on, err := study.ParseDate(*effective)
	if err != nil {
		return usageError{"-effective: " + err.Error()}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	effects, err := svc.PreviewAmendment(ctx, study.System("protocol"), text, on)
	if err != nil {
		return err
	}
	for _, e := range effects {
		for _, ch := range e.Changes {
			fmt.Fprintf(c.stdout, "%s %s %s: %s..%s (due %s) becomes %s..%s (due %s), %s becomes %s\n", e.Participant.Site, e.Participant.Number, ch.Visit,
				ch.From.OpensOn, ch.From.ClosesOn, ch.From.DueOn, ch.To.OpensOn, ch.To.ClosesOn, ch.To.DueOn, ch.StatusBefore, ch.StatusAfter)
		}
	}
	fmt.Fprintf(c.stdout, "participants affected %d\n", len(effects))
	if *dryRun {
		return nil
	}
	after, err := svc.Adopt(ctx, study.Request{By: study.System("protocol"), Reason: *reason}, text, on, false)
	if err != nil {
		return err
	}
	if _, err := svc.Repair(ctx, svc.Now()); err != nil {
		return err
	}
	current := after.History.Current()
	_, err = fmt.Fprintf(c.stdout, "in force: version %s from %s, SHA-256 %s\n", current.Version, current.EffectiveOn, current.Hash)
	return err
}

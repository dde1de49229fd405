package main

import (
	"context"
	"fmt"
	"os"

	"epro/study"
)

// runProtocol shows the protocol in force, checks a file, or puts one in force.
func runProtocol(ctx context.Context, c *cli, args []string) error {
	const usage = "protocol show | check FILE [-effective DATE] | amend FILE -effective DATE [-dry-run]"
	if len(args) == 0 {
		return usageError{"say what to do: " + usage}
	}
	switch args[0] {
	case "show":
		return protocolShow(ctx, c, args[1:])
	case "check":
		return protocolCheck(ctx, c, args[1:])
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

// protocolCheck checks a file by itself, and with a date also what it would
// change for whom.
func protocolCheck(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("protocol check", "protocol check FILE [-effective DATE]")
	storeURL := storeFlag(fs, c)
	effective := fs.String("effective", "", "`DATE` from which it would apply: shows the effect on every participant in the store")
	file, rest, err := fileArgument(args)
	if err != nil {
		return err
	}
	if err := c.parseSettings(fs, rest); err != nil {
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
	if err != nil || *effective == "" {
		return err
	}
	on, err := effectiveDate(*effective)
	if err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	return showEffects(ctx, c, svc, text, on)
}

func effectiveDate(text string) (study.Date, error) {
	on, err := study.ParseDate(text)
	if err != nil {
		return 0, usageError{"-effective: " + err.Error()}
	}
	return on, nil
}

// showEffects says what the protocol would change, a line a visit.
func showEffects(ctx context.Context, c *cli, svc *study.Service, text []byte, on study.Date) error {
	effects, err := svc.PreviewAmendment(ctx, study.System("protocol"), text, on)
	if err != nil {
		return err
	}
	dates := func(d study.Dates) string { return fmt.Sprintf("%s..%s (due %s)", d.OpensOn, d.ClosesOn, d.DueOn) }
	for _, e := range effects {
		for _, ch := range e.Changes {
			what := fmt.Sprintf("%s becomes %s, %s becomes %s", dates(ch.From), dates(ch.To), ch.StatusBefore, ch.StatusAfter)
			switch {
			case ch.StatusAfter == "":
				what = fmt.Sprintf("%s, %s, is not asked for any more", dates(ch.From), ch.StatusBefore)
			case ch.StatusBefore == "":
				what = fmt.Sprintf("%s, %s, is new", dates(ch.To), ch.StatusAfter)
			}
			fmt.Fprintf(c.stdout, "%s %s %s: %s\n", e.Participant.Site, e.Participant.Number, ch.Visit, what)
		}
	}
	_, err = fmt.Fprintf(c.stdout, "participants affected %d\n", len(effects))
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
	on, err := effectiveDate(*effective)
	if err != nil {
		return err
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
	if err := showEffects(ctx, c, svc, text, on); err != nil {
		return err
	}
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

// Command epro serves patient-reported-outcome questionnaires, scores them,
// keeps them as an append-only record and hands out the results.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of every command.
const (
	exitGood    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // done, but some rows were refused
)

// cli is what a command may use of the world around it. Results go to stdout,
// everything else to stderr.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is one subcommand of epro.
type command struct {
	name, summary string
	run           func(ctx context.Context, c *cli, args []string) error
}

// commands are all subcommands, in the order in which help lists them.
func commands() []command {
	return []command{
		{"serve", "run the API, the pages and the background work", runServe},
		{"demo", "serve a throw-away store filled with a simulated year", runDemo},
		{"score", "score a CSV of FACT-B answers, without a server", runScore},
		{"export", "write a dataset", runExport},
		{"analyse", "compute completion, scores, change, responders, deterioration", runAnalyse},
		{"staff", "add, list, disable accounts; reset passwords", runStaff},
		{"protocol", "show, check or amend the protocol in force", runProtocol},
		{"wording", "check, import or list packs of licensed wording", runWording},
		{"reminders", "print the year's reminders of a participant", runReminders},
		{"verify", "check every hash chain, copy and stored score", runVerify},
		{"rebuild", "make the snapshots anew from the log", runRebuild},
		{"backup", "write everything into one file, also while serving", runBackup},
		{"restore", "fill an empty store from a backup", runRestore},
		{"copy", "move everything to another store", runCopy},
		{"simulate", "write a simulated study into an empty store", runSimulate},
		{"health", "ask a server whether it is ready", runHealth},
		{"version", "print version, commit and Go version", runVersion},
	}
}

// usageError is a command used the wrong way: exit 2.
type usageError struct{ msg string }

func (e usageError) Error() string { return e.msg }

// errRefused says that the work was done but some rows were refused: exit 3.
var errRefused = errors.New("some rows were refused")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], &cli{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// run is the whole program: it picks the command and turns its error into an
// exit code and one line on stderr.
func run(ctx context.Context, args []string, c *cli) int {
	if len(args) == 0 {
		c.help(c.stderr)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		c.help(c.stdout)
		return exitGood
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			return c.exit(cmd.name, cmd.run(ctx, c, args[1:]))
		}
	}
	fmt.Fprintf(c.stderr, "epro: there is no command %q\n\n", args[0])
	c.help(c.stderr)
	return exitUsage
}

// exit reports the error and is the exit code.
func (c *cli) exit(name string, err error) int {
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitGood
	case errors.As(err, &usage):
		fmt.Fprintf(c.stderr, "epro %s: %s\nepro %s -h shows how it is used.\n", name, usage.msg, name)
		return exitUsage
	case errors.Is(err, errRefused):
		return exitRefused
	default:
		fmt.Fprintf(c.stderr, "epro %s: %s\n", name, explain(err))
		return exitFailed
	}
}

func (c *cli) help(w io.Writer) {
	fmt.Fprint(w, "epro serves the FACT-B questionnaire, scores it and keeps it.\n\nUsage: epro COMMAND [flags]\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(w, "\nepro COMMAND -h lists a command's flags with defaults and units.\n")
}

// flags is a flag set that explains itself on stdout when asked with -h.
func (c *cli) flags(name, usage string) *flag.FlagSet {
	fs := flag.NewFlagSet("epro "+name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {
		fmt.Fprintf(c.stdout, "Usage: epro %s\n\n", usage)
		fs.SetOutput(c.stdout)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
	}
	return fs
}

// parse reads the flags; a mistake is a usageError, -h is flag.ErrHelp.
func (c *cli) parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return err
	default:
		return usageError{err.Error()}
	}
}

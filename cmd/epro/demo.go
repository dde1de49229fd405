package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"epro/auth"
	"epro/internal/simulate"
	"epro/study"
)

// logins are what a demo prints and writes for whoever tries it.
type logins struct {
	BaseURL      string        `json:"base_url"`
	Staff        []staffLogin  `json:"staff"`
	Participants []personLogin `json:"participants"`
}

type staffLogin struct {
	Username string           `json:"username"`
	Password string           `json:"password"`
	Role     study.Role       `json:"role"`
	Sites    []study.SiteCode `json:"sites"`
}

type personLogin struct {
	ID   study.ParticipantID `json:"id"`
	Site study.SiteCode      `json:"site"`
	Code string              `json:"enrolment_code"`
}

// runDemo serves a throw-away store that holds a simulated year.
func runDemo(ctx context.Context, c *cli, args []string) (err error) {
	var s settings
	fs := c.flags("demo", "demo [flags]")
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8080", "listen on `HOST:PORT` (EPRO_ADDR)")
	s.registerHTTP(fs)
	participants := fs.Int("participants", 48, "how many participants to simulate")
	seed := fs.Uint64("seed", 1, "the same seed, participants and date give the same data")
	today := fs.String("now", "", "the `DATE` that the demo plays on; empty: today")
	loginsFile := fs.String("logins", "", "write base URL, staff logins and enrolment codes to `FILE` as JSON when ready")
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	now, err := clockOn(*today)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "epro-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s.store = "sqlite:" + filepath.Join(dir, "epro.db")
	svc, st, err := openAt(ctx, s.store, now)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	start := time.Now()
	made, err := simulate.Run(ctx, simulate.Options{Store: st, Participants: *participants, Seed: *seed, Now: now()})
	if err != nil {
		return err
	}
	accounts, err := openAuth(ctx, svc, st, filepath.Join(dir, "secret.key"), now, signIn{cost: demoCost})
	if err != nil {
		return err
	}
	l, err := makeLogins(ctx, svc, accounts, made)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "simulated %d participants with %d forms in %s\n", len(made.Participants), made.Counts.Forms, time.Since(start).Round(time.Millisecond))
	return serve(ctx, c, s, svc, st, accounts, now, func(base string) error {
		l.BaseURL = base
		return l.publish(c.stdout, *loginsFile)
	})
}

// demoCost makes hashing quick where no password is worth guessing: it is the
// least that OWASP's password storage advice names for argon2id.
var demoCost = auth.Cost{MemoryKiB: 19 << 10, Passes: 2, Lanes: 1}

// clockOn is the clock, moved by whole days to the date.
func clockOn(date string) (func() time.Time, error) {
	if date == "" {
		return time.Now, nil
	}
	on, err := study.ParseDate(date)
	if err != nil {
		return nil, usageError{"-now: " + err.Error()}
	}
	moved := time.Duration(on-study.DateOf(time.Now().UTC())) * 24 * time.Hour
	return func() time.Time { return time.Now().Add(moved) }, nil
}

// makeLogins gives every simulated account a password, adds an administrator
// and an analyst, and issues codes to those who have not begun.
func makeLogins(ctx context.Context, svc *study.Service, accounts *auth.Auth, made simulate.Result) (*logins, error) {
	demo := study.Request{By: study.System("demo")}
	l := &logins{Staff: []staffLogin{}, Participants: []personLogin{}}
	for _, role := range []study.Role{study.RoleAdmin, study.RoleAnalyst} {
		account, password, err := accounts.CreateStaff(ctx, demo, study.CreateStaff{Username: "demo-" + string(role), Rights: study.Rights{Role: role}}, "")
		if err != nil {
			return nil, err
		}
		l.Staff = append(l.Staff, staffLogin{account.Username, password, role, []study.SiteCode{}})
	}
	for _, a := range made.Staff {
		password, err := accounts.ResetPassword(ctx, demo, a.ID, "")
		if err != nil {
			return nil, err
		}
		l.Staff = append(l.Staff, staffLogin{a.Username, password, a.Role, a.Sites})
	}
	for _, id := range made.Fresh {
		code, err := accounts.IssueCode(ctx, demo, id, false)
		if err != nil {
			return nil, err
		}
		p, err := svc.Participant(ctx, demo.By, id)
		if err != nil {
			return nil, err
		}
		l.Participants = append(l.Participants, personLogin{id, p.Site, code.Code})
	}
	return l, nil
}

// publish prints the logins for a person and writes them for a program.
func (l *logins) publish(w io.Writer, file string) error {
	fmt.Fprintf(w, "epro demo: %s\n\n  start page     %s/\n  API reference  %s/docs\n\nstaff\n", l.BaseURL, l.BaseURL, l.BaseURL)
	for _, s := range l.Staff {
		fmt.Fprintf(w, "  %-13s %-24s %s %v\n", s.Role, s.Username, s.Password, s.Sites)
	}
	fmt.Fprint(w, "\nparticipants with an open questionnaire\n")
	for _, p := range l.Participants {
		fmt.Fprintf(w, "  %s  site %-5s code %s\n", p.ID, p.Site, p.Code)
	}
	fmt.Fprint(w, "\nEverything here is invented and is gone when the demo stops (Ctrl-C).\n")
	if file == "" {
		return nil
	}
	raw, err := json.Marshal(l, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return writeSecretly(file, append(raw, '\n'))
}

// writeSecretly writes a file that only its owner reads, whole or not at all.
func writeSecretly(file string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".epro-*") // 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

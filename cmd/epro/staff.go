package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"epro/auth"
	"epro/study"
)

// runStaff manages accounts at the server itself, for the first administrator
// and for emergencies.
func runStaff(ctx context.Context, c *cli, args []string) error {
	const usage = "staff add -username U -role R [-sites A,B] | list | reset-password -username U | disable -username U | enable -username U"
	if len(args) == 0 {
		return usageError{"say what to do: " + usage}
	}
	verbs := map[string]func(context.Context, *cli, *accounts) error{
		"add": staffAdd, "list": staffList, "reset-password": staffReset, "disable": staffDisable, "enable": staffEnable,
	}
	verb, ok := verbs[args[0]]
	switch {
	case strings.TrimLeft(args[0], "-") == "h", strings.TrimLeft(args[0], "-") == "help":
		_, err := fmt.Fprintln(c.stdout, "Usage: epro "+usage)
		return err
	case !ok:
		return usageError{fmt.Sprintf("there is no %q: %s", args[0], usage)}
	}
	return withAccounts(ctx, c, args, verb)
}

// accounts is what the staff verbs work with.
type accounts struct {
	username, role, sites, reason string
	authenticator                 bool

	study *study.Service
	auth  *auth.Auth
}

var atServer = study.Request{By: study.System("staff")}

func withAccounts(ctx context.Context, c *cli, args []string, verb func(context.Context, *cli, *accounts) error) (err error) {
	var a accounts
	fs := c.flags("staff "+args[0], "staff "+args[0]+" [flags]")
	storeURL := storeFlag(fs, c)
	secret := fs.String("secret", "", "`FILE` with the server's secret; empty: beside the embedded store")
	fs.StringVar(&a.username, "username", "", "the account's user `NAME`")
	fs.StringVar(&a.role, "role", "", "coordinator, investigator, monitor, analyst or admin")
	fs.StringVar(&a.sites, "sites", "", "comma-separated site `CODES`")
	fs.BoolVar(&a.authenticator, "authenticator", false, "with reset-password: take a lost authenticator app away as well")
	fs.StringVar(&a.reason, "reason", "", "why; the record keeps it")
	if err := c.parseSettings(fs, args[1:]); err != nil {
		return err
	}
	if a.username == "" && args[0] != "list" {
		return usageError{"-username is needed"}
	}
	file, err := secretFile(*secret, *storeURL)
	if err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := putInForce(ctx, svc, ""); err != nil {
		return err
	}
	a.study = svc
	if a.auth, err = openAuth(ctx, svc, st, file, time.Now, signIn{cost: auth.DefaultCost}); err != nil {
		return err
	}
	return verb(ctx, c, &a)
}

func staffAdd(ctx context.Context, c *cli, a *accounts) error {
	var sites []study.SiteCode
	for _, code := range strings.Split(a.sites, ",") {
		if code = strings.TrimSpace(code); code != "" {
			sites = append(sites, study.SiteCode(code))
		}
	}
	account, password, err := a.auth.CreateStaff(ctx, atServer, study.CreateStaff{Username: a.username,
		Rights: study.Rights{Role: study.Role(a.role), Sites: sites}}, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "id %s\nusername %s\nrole %s\npassword %s\n", account.ID, account.Username, account.Role, password)
	return err
}

func staffList(ctx context.Context, c *cli, a *accounts) error {
	all, err := a.study.AllStaff(ctx, atServer.By)
	if err != nil {
		return err
	}
	for _, x := range all {
		state := "active"
		if x.Disabled {
			state = "disabled"
		}
		codes := make([]string, len(x.Sites))
		for i, code := range x.Sites {
			codes[i] = string(code)
		}
		fmt.Fprintf(c.stdout, "%s\t%s\t%s\t%s\t%s\n", x.Username, x.Role, strings.Join(codes, ","), state, x.ID)
	}
	return nil
}

func staffReset(ctx context.Context, c *cli, a *accounts) error {
	account, err := a.study.StaffByUsername(ctx, a.username)
	if err != nil {
		return err
	}
	password, err := a.auth.ResetPassword(ctx, atServer, account.ID, "")
	if err == nil && a.authenticator {
		err = a.auth.RemoveTOTP(ctx, account.ID)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "username %s\npassword %s\n", account.Username, password)
	return err
}

func staffDisable(ctx context.Context, c *cli, a *accounts) error {
	return staffSwitch(ctx, c, a, true)
}
func staffEnable(ctx context.Context, c *cli, a *accounts) error {
	return staffSwitch(ctx, c, a, false)
}

func staffSwitch(ctx context.Context, c *cli, a *accounts, disabled bool) error {
	account, err := a.study.StaffByUsername(ctx, a.username)
	if err != nil {
		return err
	}
	r := atServer
	r.Reason = a.reason
	if _, err := a.study.ChangeStaff(ctx, r, account.ID, study.StaffChanged{Rights: account.Rights, Disabled: disabled}); err != nil {
		return err
	}
	if disabled {
		if err := a.auth.EndSessions(ctx, account.ID.Stream()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(c.stdout, "username %s\ndisabled %t\n", account.Username, disabled)
	return err
}

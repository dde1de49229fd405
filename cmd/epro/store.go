package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/peterbourgon/ff/v3"

	"epro/auth"
	"epro/store"
	"epro/study"
)

// parseSettings reads the flags, then EPRO_… from the environment, then the
// file that -config names, in that order of precedence.
func (c *cli) parseSettings(fs *flag.FlagSet, args []string) error {
	fs.String("config", "", "read settings from `FILE`: one \"name value\" a line, # begins a comment")
	err := ff.Parse(fs, args, ff.WithEnvVarPrefix("EPRO"), ff.WithConfigFileFlag("config"), ff.WithConfigFileParser(ff.PlainParser))
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError{err.Error()}
}

const defaultStore = "sqlite:./data/epro.db"

// storeFlag is the -store setting.
func storeFlag(fs *flag.FlagSet, _ *cli) *string {
	return fs.String("store", defaultStore, "the store's `URL`: sqlite:PATH or mongodb://HOST/DATABASE (EPRO_STORE)")
}

// openService opens the store and the study on it. The caller closes the store.
func openService(ctx context.Context, storeURL string) (*study.Service, study.Store, error) {
	return openAt(ctx, storeURL, time.Now)
}

func openAt(ctx context.Context, storeURL string, now func() time.Time) (*study.Service, study.Store, error) {
	st, err := store.Open(ctx, storeURL)
	if err != nil {
		return nil, nil, err
	}
	return study.NewService(st, now, newID), st, nil
}

// newID makes a UUID whose order follows time, which keeps the store's index
// on event ids compact.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// secretFile is where the server's secret lies: as said, else beside an
// embedded store. A store that several processes share has no "beside".
func secretFile(said, storeURL string) (string, error) {
	if said != "" {
		return said, nil
	}
	path, embedded := strings.CutPrefix(storeURL, "sqlite:")
	if !embedded {
		return "", usageError{"-secret FILE is needed with this store: every process must use the same file"}
	}
	return filepath.Join(filepath.Dir(path), "secret.key"), nil
}

// openAuth opens the accounts and sessions of the study.
func openAuth(ctx context.Context, svc *study.Service, st study.Store, secretPath string, now func() time.Time, rules signIn) (*auth.Auth, error) {
	secret, err := auth.LoadSecret(secretPath, rand.Reader)
	if err != nil {
		return nil, err
	}
	return auth.New(ctx, auth.Options{Store: st, Study: svc, Now: now, Random: rand.Reader, Secret: secret, Issuer: "epro", PasswordCost: rules.cost, SecondFactor: rules.secondFactor, Users: rules.users})
}

// signIn is how people sign in: what a guess at a password costs, whether staff
// need an authenticator app, and who checks patients' Firebase tokens, if any.
type signIn struct {
	cost         auth.Cost
	secondFactor bool
	users        auth.Users
}

// explain is what a person at the terminal reads of an error: the sentence,
// the fields, and for our own faults the cause as well.
func explain(err error) string {
	var e *study.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	lines := []string{e.Message}
	for _, f := range e.Fields {
		lines = append(lines, "  "+f.Name+": "+f.Reason)
	}
	if e.Err != nil {
		lines = append(lines, "  cause: "+e.Err.Error())
	}
	return strings.Join(lines, "\n")
}

// closing joins the error of closing a store to the error that the command
// ends with.
func closing(st study.Store, err *error) {
	if closeErr := st.Close(); closeErr != nil {
		*err = errors.Join(*err, fmt.Errorf("close the store: %w", closeErr))
	}
}

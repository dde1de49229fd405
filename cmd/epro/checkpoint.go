package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"epro/auth"
	"epro/study"
)

// checkpointFlags are what verify is told about checkpoints.
type checkpointFlags struct{ write, compare, publicKey, secret string }

func (f *checkpointFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.write, "write-checkpoint", "", "when the record is sound, sign the ends of all streams into `FILE`; the public key goes to FILE.pub")
	fs.StringVar(&f.compare, "checkpoint", "", "also compare with the checkpoint in `FILE`")
	fs.StringVar(&f.publicKey, "checkpoint-key", "", "`FILE` with the public key that signed it; empty: the key of the secret file")
	fs.StringVar(&f.secret, "secret", "", "`FILE` with the server's secret; empty: beside the embedded store (EPRO_SECRET)")
}

// signingKey is the key of the secret file, which must be there: one that was
// made now would sign what nobody can connect with anything.
func signingKey(secretPath string) (ed25519.PrivateKey, error) {
	if _, err := os.Stat(secretPath); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no secret file %s, which checkpoints are signed with; name it with -secret, or start the server once", secretPath)
	}
	secret, err := auth.LoadSecret(secretPath, nil)
	if err != nil {
		return nil, err
	}
	return auth.CheckpointKey(secret)
}

// trusted is the public key that a checkpoint must be signed with.
func (f *checkpointFlags) trusted(storeURL string) (ed25519.PublicKey, error) {
	if f.publicKey != "" {
		text, err := os.ReadFile(f.publicKey)
		if err != nil {
			return nil, err
		}
		return auth.ParseCheckpointKey(string(text))
	}
	path, err := secretFile(f.secret, storeURL)
	if err != nil {
		return nil, usageError{"name the key to believe with -checkpoint-key FILE, or the secret file with -secret FILE"}
	}
	key, err := signingKey(path)
	if err != nil {
		return nil, fmt.Errorf("%w; or name the key to believe with -checkpoint-key", err)
	}
	return auth.ParseCheckpointKey(auth.CheckpointKeyText(key))
}

// compareCheckpoint compares the store with a checkpoint and lists what is lost.
func (c *cli) compareCheckpoint(ctx context.Context, svc *study.Service, f *checkpointFlags, storeURL string) error {
	key, err := f.trusted(storeURL)
	if err != nil {
		return err
	}
	file, err := os.Open(f.compare)
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := svc.CompareCheckpoint(ctx, file, auth.CheckCheckpoints(key))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "checkpoint %s\ncheckpoint_streams %d\ncheckpoint_events %d\nunchanged %d\ncontinued %d\nnew %d\ndifferences %d\n",
		found.Old.At, found.Old.Streams, found.Old.Events, found.Same, found.Grown, found.New, len(found.Differences))
	for i := range found.Differences {
		fmt.Fprintln(c.stdout, found.Differences[i].Error())
	}
	return differs(found)
}

// differs is the error of a store that has lost something.
func differs(found study.Comparison) error {
	switch n := len(found.Differences); {
	case n == 0:
		return nil
	case found.LooksOlder():
		newest := "nothing"
		if !found.Newest.IsZero() {
			newest = "nothing newer than " + study.InstantOf(found.Newest).String()
		}
		return fmt.Errorf("%d stream(s) lost entries since the checkpoint of %s and none was added: this looks like an older copy of the store, which holds %s",
			n, found.Old.At, newest)
	default:
		return fmt.Errorf("%d stream(s) lost entries since the checkpoint of %s, or hold other ones; the first is %s", n, found.Old.At, found.Differences[0].Error())
	}
}

// writeCheckpoint writes a checkpoint, and the public key beside it.
func writeCheckpoint(ctx context.Context, svc *study.Service, key ed25519.PrivateKey, file, publicFile string) (made study.Checkpoint, err error) {
	err = writeWhole(file, func(w io.Writer) (err error) {
		made, err = svc.WriteCheckpoint(ctx, w, auth.SignCheckpoints(key))
		return err
	})
	if err != nil {
		return made, err
	}
	text := []byte(auth.CheckpointKeyText(key))
	if was, err := os.ReadFile(publicFile); err == nil && bytes.Equal(was, text) {
		return made, nil
	}
	return made, writeSecretly(publicFile, text)
}

// checkpoints is the work that serve does on a schedule; nil for none.
func (s *settings) checkpoints(svc *study.Service, secretPath string) (func(context.Context) error, error) {
	if s.checkpointDir == "" {
		return nil, nil
	}
	if s.checkpointEvery < time.Second {
		return nil, usageError{"-checkpoint-every takes a second or more, such as 1h"}
	}
	key, err := signingKey(secretPath)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.checkpointDir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder for checkpoints: %w", err)
	}
	return func(ctx context.Context) error { return nextCheckpoint(ctx, svc, key, s.checkpointDir) }, nil
}

// keepCheckpoints starts the work, if there is any.
func (s *settings) keepCheckpoints(ctx context.Context, log *slog.Logger) <-chan struct{} {
	if s.checkpoint == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	return every(ctx, log, "checkpoint", s.checkpointEvery, s.checkpoint)
}

// checkpointSuffix ends the names of checkpoints, which begin with the instant,
// so that their order by name is that by age.
const checkpointSuffix = ".checkpoint"

// nextCheckpoint compares the store with the last checkpoint in the folder and
// then writes the next one. When something was lost none is written until a
// person has moved the old ones away: the last good one stays the last one.
func nextCheckpoint(ctx context.Context, svc *study.Service, key ed25519.PrivateKey, dir string) error {
	names, err := checkpointsIn(dir)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		last, err := os.Open(filepath.Join(dir, names[len(names)-1]))
		if err != nil {
			return err
		}
		public, err := auth.ParseCheckpointKey(auth.CheckpointKeyText(key))
		if err != nil {
			return errors.Join(err, last.Close())
		}
		found, err := svc.CompareCheckpoint(ctx, last, auth.CheckCheckpoints(public))
		if err := errors.Join(err, last.Close()); err != nil {
			return fmt.Errorf("compare with %s: %w", names[len(names)-1], err)
		}
		if err := differs(found); err != nil {
			return err
		}
	}
	name := svc.Now().UTC().Format("20060102T150405.000Z") + checkpointSuffix
	if _, err := writeCheckpoint(ctx, svc, key, filepath.Join(dir, name), filepath.Join(dir, "checkpoint.pub")); err != nil {
		return err
	}
	for _, old := range spare(append(names, name)) {
		if err := os.Remove(filepath.Join(dir, old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// checkpointsIn are the names of the checkpoints in a folder, oldest first.
func checkpointsIn(dir string) ([]string, error) {
	all, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range all {
		if !f.IsDir() && strings.HasSuffix(f.Name(), checkpointSuffix) && !strings.HasPrefix(f.Name(), ".") {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

// newestKept is how many checkpoints are kept whatever their day: two days, at
// one an hour.
const newestKept = 48

// spare are the checkpoints that need not be kept: all but the newest 48 and
// the first of each day (UTC). The rest is small, and each shows what a later
// one cannot: when something was still there.
func spare(names []string) []string {
	var gone []string
	day := ""
	for _, name := range slices.Sorted(slices.Values(names))[:max(0, len(names)-newestKept)] {
		if today := name[:min(len(name), len("20060102"))]; today != day {
			day = today
			continue
		}
		gone = append(gone, name)
	}
	return gone
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"epro/study"
)

// runWording checks wording packs, brings them in and lists them. They are
// approved by an administrator who has signed in, never here.
func runWording(ctx context.Context, c *cli, args []string) error {
	const usage = "wording check FILE… | import FILE… | list"
	if len(args) == 0 {
		return usageError{"say what to do: " + usage}
	}
	switch args[0] {
	case "check":
		return wordingCheck(c, args[1:])
	case "import":
		return wordingImport(ctx, c, args[1:])
	case "list":
		return wordingList(ctx, c, args[1:])
	case "-h", "-help", "--help":
		_, err := fmt.Fprintln(c.stdout, "Usage: epro "+usage)
		return err
	default:
		return usageError{fmt.Sprintf("there is no %q: %s", args[0], usage)}
	}
}

// filesBefore are the files that come before the flags.
func filesBefore(args []string) (files, rest []string) {
	for len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		files, args = append(files, args[0]), args[1:]
	}
	return files, args
}

// wordingCheck names every fault of every file, without a store.
func wordingCheck(c *cli, args []string) error {
	fs := c.flags("wording check", "wording check FILE…")
	files, rest := filesBefore(args)
	if err := c.parse(fs, rest); err != nil {
		return err
	}
	if files = append(files, fs.Args()...); len(files) == 0 {
		return usageError{"name the wording pack's file"}
	}
	faulty := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		pack, hash, err := study.CheckWording(text)
		if err != nil {
			faulty++
			fmt.Fprintf(c.stderr, "%s: %s\n", file, explain(err))
			continue
		}
		fmt.Fprintf(c.stdout, "%s: pack %s, %s version %s in %s, %d items, licence of %s for %s from %s to %s, SHA-256 %s\n", file, pack.Name(), pack.Instrument,
			pack.InstrumentVersion, pack.Language, len(pack.Items), pack.Licence.Holder, pack.Licence.Trial, pack.Licence.ValidFrom, pack.Licence.ValidTo, hash)
	}
	if faulty > 0 {
		return fmt.Errorf("%d of %d files cannot be imported", faulty, len(files))
	}
	return nil
}

func wordingImport(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("wording import", "wording import FILE… [-store URL]")
	storeURL := storeFlag(fs, c)
	files, rest := filesBefore(args)
	if err := c.parseSettings(fs, rest); err != nil {
		return err
	}
	if files = append(files, fs.Args()...); len(files) == 0 {
		return usageError{"name the wording pack's file"}
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := putInForce(ctx, svc, ""); err != nil {
		return err
	}
	for _, file := range files {
		after, pack, err := importFile(ctx, svc, "wording", file)
		if err != nil {
			return err
		}
		now := study.InstantOf(svc.Now())
		fmt.Fprintf(c.stdout, "pack %s\nlanguage %s\nsha256 %s\nstatus %s\n", pack.Name(), pack.Language, pack.Hash, after.WordingStatus(pack, now))
		for _, warning := range after.Warnings(pack, now) {
			fmt.Fprintln(c.stderr, warning)
		}
		if len(pack.Decisions) == 0 {
			fmt.Fprintln(c.stderr, "It is shown to nobody before an administrator has signed in, read it and approved it.")
		}
	}
	return nil
}

// importFile brings one file in, on behalf of a part of the program.
func importFile(ctx context.Context, svc *study.Service, part, file string) (*study.Study, *study.WordingPack, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("read the wording pack: %w", err)
	}
	after, pack, err := svc.ImportWording(ctx, study.Request{By: study.System(part)}, text)
	if err != nil {
		if e, ok := study.AsError(err); ok {
			named := *e
			named.Message = file + ": " + e.Message
			err = &named
		}
		return nil, nil, err
	}
	return after, pack, nil
}

// importFolder brings in every pack of a folder that the store does not have. A
// faulty one stops the start, as a protocol does that is not in force.
func (s settings) importFolder(ctx context.Context, c *cli, svc *study.Service) error {
	dir := s.wording
	if dir == "" {
		return nil
	}
	log, err := newLog(c.stderr, s.logLevel)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return errors.Join(fmt.Errorf("-wording: %s is no folder that can be read", dir), err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		log.Warn("the folder of wording packs holds no .json file", "folder", dir)
	}
	for _, file := range files {
		after, pack, err := importFile(ctx, svc, "serve", file)
		if err != nil {
			return err
		}
		now := study.InstantOf(svc.Now())
		log.Info("wording pack", "pack", pack.Name(), "language", pack.Language, "status", string(after.WordingStatus(pack, now)), "sha256", pack.Hash.String())
		for _, warning := range after.Warnings(pack, now) {
			log.Warn(warning, "pack", pack.Name())
		}
	}
	return nil
}

func wordingList(ctx context.Context, c *cli, args []string) (err error) {
	fs := c.flags("wording list", "wording list [-store URL]")
	storeURL := storeFlag(fs, c)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	svc, st, err := openService(ctx, *storeURL)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	all, err := svc.WordingPacks(ctx, study.System("wording"))
	if err != nil {
		return err
	}
	now := study.InstantOf(svc.Now())
	for i := range all.Wording {
		p := &all.Wording[i]
		fmt.Fprintf(c.stdout, "%s\t%s\t%s\t%s..%s\t%s\n", p.Name(), p.Language, all.WordingStatus(p, now), p.Licence.ValidFrom, p.Licence.ValidTo, p.Hash)
	}
	return nil
}

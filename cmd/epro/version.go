package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build; a plain build reports its commit.
var version = "dev"

// buildVersion is the version with the commit, when the build knows it.
func buildVersion() string {
	commit := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				commit = "+" + s.Value[:12]
			}
		}
	}
	return version + commit
}

func runVersion(_ context.Context, c *cli, args []string) error {
	fs := c.flags("version", "version")
	if err := c.parse(fs, args); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.stdout, "epro %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

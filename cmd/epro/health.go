package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// runHealth asks a server whether it is ready. Containers without a shell have
// nothing else to ask with.
func runHealth(ctx context.Context, c *cli, args []string) error {
	fs := c.flags("health", "health [-url URL]: exit 0 when the server answers 200")
	url := fs.String("url", "http://127.0.0.1:8080/readyz", "the `URL` to ask")
	timeout := fs.Duration("timeout", 4*time.Second, "how long to wait for the answer")
	if err := c.parse(fs, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, *url, http.NoBody)
	if err != nil {
		return usageError{err.Error()}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s: %s", resp.Status, body)
	}
	_, err = fmt.Fprintf(c.stdout, "%s\n", body)
	return err
}

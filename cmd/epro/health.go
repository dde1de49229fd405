package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// runHealth asks a server whether it is ready. Containers without a shell have
// nothing else to ask with.
func runHealth(ctx context.Context, c *cli, args []string) error {
	fs := c.flags("health", "health [-url URL]: exit 0 when the server answers 200")
	url := fs.String("url", readyURL(os.Getenv("EPRO_ADDR")), "the `URL` to ask; without it the server at EPRO_ADDR on this machine")
	timeout := fs.Duration("timeout", 4*time.Second, "how long to wait for the answer")
	if err := c.parse(fs, args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, *url, http.NoBody) //nolint:gosec // who starts the program says whom it asks
	if err != nil {
		return usageError{err.Error()}
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // as above
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

// readyURL is where a server that listens on addr says whether it is ready; one
// that listens on every address does so on this machine's own.
func readyURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = "127.0.0.1", "8080" // serve's own address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/readyz"
}

// Command standin is a server that speaks MongoDB's protocol, for tests on a
// machine without MongoDB. It keeps its data in a temporary folder, listens on
// this machine only, prints its URL, and ends when it is told to or when its
// time is over.
//
// It is a module of its own, so that nothing of it is part of the product.
// What it cannot show is listed in docs/decisions/0006-mongodb-store.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("standin", flag.ContinueOnError)
	life := flags.Duration("for", time.Hour, "end after this `TIME`")
	listen := flags.String("listen", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 is any that is free")
	if err := flags.Parse(args); err != nil {
		return err
	}
	debug.SetGCPercent(400) // it makes little but garbage: every question decodes a whole collection
	dir, err := os.MkdirTemp("", "epro-standin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "socket")
	server, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{Unix: socket},
		Logger:   slog.New(slog.DiscardHandler),
		Handler:  "sqlite",
		// Synced to disk it would be several times slower, and shows nothing
		// that tests look for.
		SQLiteURL: "file:" + filepath.ToSlash(dir) + "/?_pragma=synchronous(0)",
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *life)
	defer cancel()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	server.MongoDBURI() // returns when the server listens
	if _, err := fmt.Fprintf(out, "mongodb://%s/\n", l.Addr()); err != nil {
		return err
	}
	(&front{backend: socket}).serve(ctx, l)
	return <-ended
}

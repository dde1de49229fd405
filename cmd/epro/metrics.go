package main

import (
	"context"
	"net/http"
	"time"

	"epro/api"
)

// serveMetrics serves /metrics on an address of its own, for networks where
// only the monitoring can reach it.
func serveMetrics(ctx context.Context, addr string, server *api.Server) (stop func(), err error) {
	ln, err := listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", server.MetricsHandler())
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = hs.Serve(ln) // always http.ErrServerClosed after stop
	}()
	return func() {
		_ = hs.Close()
		<-done
	}, nil
}

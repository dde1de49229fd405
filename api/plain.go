package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// plainRoutes are the routes for machines that need no token and no schema.
func (s *Server) plainRoutes() {
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok"}) })
	s.app.Get("/readyz", s.ready)
	s.app.Get("/metrics", s.serveMetrics)
	s.app.Get("/.well-known/jwks.json", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/jwk-set+json")
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
		return c.Send(s.auth.JWKS())
	})
}

// maxSkew is how far this process's clock may be from the database's.
const maxSkew = 2 * time.Second

// ready says whether requests should be sent here: the store can be written,
// the clocks agree, and the server is not stopping.
func (s *Server) ready(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), 3*time.Second)
	defer cancel()
	why := ""
	switch skew, err := s.store.Ready(ctx); {
	case s.draining.Load():
		why = "the server is stopping"
	case err != nil:
		why = "the store cannot be written"
		s.logFailure(c, err)
	case skew > maxSkew || skew < -maxSkew:
		why = "this machine's clock differs from the database's by " + skew.Round(100*time.Millisecond).String()
	}
	if why != "" {
		return c.Status(http.StatusServiceUnavailable).JSON(fiber.Map{"status": "not ready", "why": why})
	}
	return c.JSON(fiber.Map{"status": "ready", "version": s.o.Version})
}

// loopback reports whether the request was made on this machine, not through a
// proxy on it.
func loopback(c *fiber.Ctx) bool {
	peer, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	return ok && peer.Unmap().IsLoopback() && c.Get(fiber.HeaderXForwardedFor) == "" && c.Get("Forwarded") == ""
}

func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand does not fail
	return hex.EncodeToString(b[:])
}

// tokenKey stands for a token in the limiter's memory.
func tokenKey(header string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(header)))
	return hex.EncodeToString(sum[:12])
}

package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// defaultRequestTime is how long a request may take, unless Options say
// otherwise. Phones and proxies wait for half a minute: whoever is told
// "unavailable" in time tries again, whoever hears nothing does not know.
const defaultRequestTime = 10 * time.Second

// unhurried are the beginnings of the addresses that read the whole study and
// send while they read. They end when the client goes away.
var unhurried = []string{"/v1/exports/", "/v1/analysis/", "/fhir/"}

// hurry ends what a request asks of the store when its time is over.
func (s *Server) hurry(c *fiber.Ctx) error {
	if slices.ContainsFunc(unhurried, func(p string) bool { return strings.HasPrefix(c.Path(), p) }) {
		return c.Next()
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), s.o.RequestTime)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

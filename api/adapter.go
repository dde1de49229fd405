package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// adapter lets huma's core serve its operations on Fiber v2. The library's own
// adapter would link a second major version of Fiber.
type adapter struct{ app *fiber.App }

// Handle registers one operation: huma writes {id} where Fiber writes :id.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	path := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
	a.app.Add(op.Method, path, func(c *fiber.Ctx) error {
		handler(&exchange{op: op, c: c})
		return nil
	})
}

// ServeHTTP is part of the interface for adapters that net/http can call; this
// one is called by Fiber only.
func (a adapter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "this server runs on Fiber", http.StatusNotImplemented)
}

// exchange is one request and its answer as huma wants to see them.
type exchange struct {
	op     *huma.Operation
	c      *fiber.Ctx
	status int
}

func (x *exchange) Operation() *huma.Operation { return x.op }
func (x *exchange) Context() context.Context   { return x.c.UserContext() }
func (x *exchange) TLS() *tls.ConnectionState  { return x.c.Context().TLSConnectionState() }
func (x *exchange) Version() huma.ProtoVersion {
	return huma.ProtoVersion{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}
func (x *exchange) Method() string     { return x.c.Method() }
func (x *exchange) Host() string       { return x.c.Hostname() }
func (x *exchange) RemoteAddr() string { return x.c.Context().RemoteAddr().String() }
func (x *exchange) URL() url.URL {
	u, err := url.Parse(string(x.c.Request().RequestURI()))
	if err != nil {
		return url.URL{Path: x.c.Path()}
	}
	return *u
}
func (x *exchange) Param(name string) string {
	value, err := url.PathUnescape(x.c.Params(name))
	if err != nil {
		return x.c.Params(name)
	}
	return value
}
func (x *exchange) Query(name string) string { return x.c.Query(name) }

// Header is a request header. This API takes JSON only, so what curl calls its
// body by itself is taken for JSON as well.
func (x *exchange) Header(name string) string {
	value := x.c.Get(name)
	if name == fiber.HeaderContentType && strings.HasPrefix(value, fiber.MIMEApplicationForm) {
		return fiber.MIMEApplicationJSON
	}
	return value
}
func (x *exchange) EachHeader(f func(name, value string)) {
	for name, value := range x.c.Request().Header.All() {
		f(string(name), string(value))
	}
}

// BodyReader is the body as it was sent. Fiber's Body would unpack a compressed
// one without any limit: 64 KB of it can hold 60 MB of zeros.
func (x *exchange) BodyReader() io.Reader                      { return bytes.NewReader(x.c.BodyRaw()) }
func (x *exchange) GetMultipartForm() (*multipart.Form, error) { return x.c.MultipartForm() }
func (x *exchange) SetReadDeadline(at time.Time) error {
	return x.c.Context().Conn().SetReadDeadline(at)
}
func (x *exchange) SetStatus(code int)           { x.status = code; x.c.Status(code) }
func (x *exchange) Status() int                  { return x.status }
func (x *exchange) SetHeader(name, value string) { x.c.Set(name, value) }

// AppendHeader adds a line. Fiber would join the values with a comma, which
// makes one broken cookie of two.
func (x *exchange) AppendHeader(name, value string) { x.c.Response().Header.Add(name, value) }
func (x *exchange) BodyWriter() io.Writer           { return x.c.Context() }

// fiberOf is the Fiber context behind huma's.
func fiberOf(ctx huma.Context) *fiber.Ctx {
	for {
		if x, ok := ctx.(*exchange); ok {
			return x.c
		}
		inner, ok := ctx.(interface{ Unwrap() huma.Context })
		if !ok {
			panic("api: a context that did not come from this adapter")
		}
		ctx = inner.Unwrap()
	}
}

package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed app
var appFiles embed.FS

// appPolicy lets the patient's app load this server's own files and nothing
// else, and turn no text into a script: only its service worker's one address
// goes through the Trusted Types policy "epro".
const appPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
	"worker-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types epro"

// kinds are the content types of the app's files.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png",
}

// asset is one file of the app, as it is sent.
type asset struct {
	kind        string
	raw, zipped []byte // zipped is nil where it would not be shorter
}

// app is the patient's web app: a few files below /app/<version>/, where the
// version is the hash of all of them, so that they can be kept for ever. Only
// the page itself and the service worker are asked for again.
type app struct {
	version string
	files   map[string]asset
}

// newApp reads the embedded files and writes the version into them.
func newApp() (*app, error) {
	dir, err := fs.Sub(appFiles, "app")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(dir, "*")
	if err != nil {
		return nil, err
	}
	a := &app{files: map[string]asset{}}
	sum := sha256.New()
	for _, name := range names {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		_, _ = sum.Write(append([]byte(name+"\x00"), raw...)) // a hash never fails
		a.files[name] = asset{kind: kinds[path.Ext(name)], raw: raw}
	}
	a.version = hex.EncodeToString(sum.Sum(nil))[:12]
	for name, file := range a.files {
		if path.Ext(name) != ".png" {
			file.raw = bytes.ReplaceAll(file.raw, []byte("{{version}}"), []byte(a.version))
		}
		if file.zipped, err = zip(file.raw); err != nil {
			return nil, err
		}
		a.files[name] = file
	}
	return a, nil
}

func zip(raw []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() >= len(raw) {
		return nil, nil
	}
	return out.Bytes(), nil
}

func (a *app) routes(to *fiber.App) {
	to.Get("/app", a.page)
	to.Get("/app/", a.page)
	to.Get("/app/sw.js", func(c *fiber.Ctx) error {
		c.Set("Service-Worker-Allowed", "/app")
		return a.send(c, "sw.js", "no-cache")
	})
	to.Get("/app/:version/:file", func(c *fiber.Ctx) error {
		if c.Params("version") != a.version {
			return fiber.ErrNotFound // files of another version never mix with ours
		}
		return a.send(c, c.Params("file"), "public, max-age=31536000, immutable")
	})
}

func (a *app) page(c *fiber.Ctx) error { return a.send(c, "app.html", "no-cache") }

func (a *app) send(c *fiber.Ctx, name, caching string) error {
	file, ok := a.files[name]
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, file.kind)
	c.Set(fiber.HeaderCacheControl, caching)
	c.Set("Content-Security-Policy", appPolicy)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	tag := `"` + a.version + `"`
	c.Set(fiber.HeaderETag, tag)
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	if file.zipped != nil && strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(file.zipped)
	}
	return c.Send(file.raw)
}

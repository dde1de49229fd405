package api

import (
	"bytes"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

// operationID is a stable name made of method and path.
func operationID(r route) string {
	return strings.Trim(notWord.ReplaceAllString(strings.ToLower(r.method+" "+strings.TrimPrefix(r.path, "/v1")), "-"), "-")
}

// documentRoutes serve the OpenAPI document, and the same as a page that loads
// nothing from elsewhere. Both are made from the routes themselves, when somebody
// asks first.
func (s *Server) documentRoutes() {
	document := s.huma.OpenAPI()
	raw := sync.OnceValues(document.MarshalJSON)
	page := sync.OnceValues(func() ([]byte, error) { return docsPage(document) })
	s.app.Get("/openapi.json", func(c *fiber.Ctx) error {
		body, err := raw()
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/json")
		return c.Send(body)
	})
	s.app.Get("/docs", func(c *fiber.Ctx) error {
		body, err := page()
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		return c.Send(body)
	})
}

// docGroup is a heading of the docs page with its operations.
type docGroup struct {
	Tag        string
	Operations []*huma.Operation
}

func docsPage(document *huma.OpenAPI) ([]byte, error) {
	var groups []docGroup
	for path := range document.Paths {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			i := slices.IndexFunc(groups, func(g docGroup) bool { return g.Tag == op.Tags[0] })
			if i < 0 {
				groups, i = append(groups, docGroup{Tag: op.Tags[0]}), len(groups)
			}
			groups[i].Operations = append(groups[i].Operations, op)
		}
	}
	order := []string{"Auth", "Patient", "Site staff", "Analyst", "Admin"}
	slices.SortFunc(groups, func(a, b docGroup) int { return slices.Index(order, a.Tag) - slices.Index(order, b.Tag) })
	for _, g := range groups {
		slices.SortFunc(g.Operations, func(a, b *huma.Operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	}
	var out bytes.Buffer
	err := docsTemplate.Execute(&out, map[string]any{"Info": document.Info, "Groups": groups, "Schemas": document.Components.Schemas.Map()})
	return out.Bytes(), err
}

// schemaName is the last part of a reference, or the type's own name.
func schemaName(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	if s.Ref != "" {
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	}
	if len(s.AnyOf) > 0 {
		return schemaName(s.AnyOf[0]) // the other one is null
	}
	if s.Type == huma.TypeArray && s.Items != nil {
		return "list of " + schemaName(s.Items)
	}
	if s.Format != "" {
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{
	"schema": schemaName,
	"body": func(op *huma.Operation) string {
		if op.RequestBody == nil {
			return ""
		}
		for _, media := range op.RequestBody.Content {
			return schemaName(media.Schema)
		}
		return ""
	},
	"has":  slices.Contains[[]string, string],
	"ref":  func(name string) bool { return name != "" && name[0] >= 'A' && name[0] <= 'Z' },
	"last": func(name string) string { return strings.TrimPrefix(name, "list of ") },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>epro API {{.Info.Version}}</title>
<style>
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-inline-size:60rem;margin:0 auto;padding:1rem}
code,.path{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
details{border:1px solid #8888;border-radius:.4rem;margin-block:.4rem;padding:.3rem .7rem}
summary{cursor:pointer;min-block-size:2rem}
.method{display:inline-block;min-inline-size:4rem;font-weight:700}
table{border-collapse:collapse;inline-size:100%}td,th{text-align:start;padding:.2rem .6rem .2rem 0;vertical-align:top}
.muted{opacity:.75}
</style></head><body>
<h1>epro API</h1>
<p>Version {{.Info.Version}}. {{.Info.Description}} The machine-readable form of this page is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<nav><ul>{{range .Groups}}<li><a href="#{{.Tag}}">{{.Tag}}</a></li>{{end}}<li><a href="#schemas">Schemas</a></li></ul></nav>
<main>
{{range .Groups}}<h2 id="{{.Tag}}">{{.Tag}}</h2>
{{range .Operations}}<details id="{{.OperationID}}"><summary><span class="method">{{.Method}}</span> <span class="path">{{.Path}}</span> <span class="muted">{{.Summary}}</span></summary>
{{with index .Extensions "x-roles"}}<p>Roles: {{range $i, $r := .}}{{if $i}}, {{end}}{{$r}}{{end}}</p>{{else}}<p>No token needed.</p>{{end}}
{{with .Parameters}}<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>{{range .}}<tr><td><code>{{.Name}}</code></td><td>{{.In}}</td><td>{{schema .Schema}}</td><td>{{.Description}}</td></tr>{{end}}</table>{{end}}
{{with body .}}<p>Body: {{if ref .}}<a href="#schema-{{.}}">{{.}}</a>{{else}}{{.}}{{end}}</p>{{end}}
<table><tr><th>Answer</th><th></th><th>Body</th></tr>{{range $code, $r := .Responses}}<tr><td>{{$code}}</td><td>{{$r.Description}}</td><td>{{range $r.Content}}{{$n := schema .Schema}}{{if ref $n}}<a href="#schema-{{$n}}">{{$n}}</a>{{else}}{{$n}}{{end}}{{end}}</td></tr>{{end}}</table>
</details>
{{end}}{{end}}
<h2 id="schemas">Schemas</h2>
{{range $name, $s := .Schemas}}<details id="schema-{{$name}}"><summary><code>{{$name}}</code></summary>
{{with $s.Description}}<p>{{.}}</p>{{end}}
<table><tr><th>Member</th><th>Type</th><th></th></tr>{{range $p, $ps := $s.Properties}}<tr><td><code>{{$p}}</code>{{if has $s.Required $p}} *{{end}}</td><td>{{$n := schema $ps}}{{if ref $n}}<a href="#schema-{{$n}}">{{$n}}</a>{{else}}{{$n}}{{end}}</td><td>{{$ps.Description}}{{with $ps.Enum}} One of: {{range $i, $e := .}}{{if $i}}, {{end}}{{$e}}{{end}}.{{end}}</td></tr>{{end}}</table>
</details>
{{end}}</main></body></html>
`))

package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// document is the OpenAPI document as a client reads it.
type document struct {
	OpenAPI    string                          `json:"openapi"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string `json:"summary"`
	Security    []map[string][]string
	Parameters  []struct{ Name, In string }
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	} `json:"requestBody"`
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema schema }
	}
}

// schema is JSON Schema 2020-12 as far as the document uses it; a word that is
// not here makes reading the document fail.
type schema struct {
	Ref                  string            `json:"$ref"`
	Type                 types             `json:"type"`
	Properties           map[string]schema `json:"properties"`
	Required             []string          `json:"required"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	Items                *schema           `json:"items"`
	Enum                 []any             `json:"enum"`
	Format               string            `json:"format"`
	Minimum              *float64          `json:"minimum"`
	Maximum              *float64          `json:"maximum"`
	MinLength            *int              `json:"minLength"`
	MaxLength            *int              `json:"maxLength"`
	AnyOf                []schema          `json:"anyOf"`
	Description          string            `json:"description"`
	Examples             []any             `json:"examples"`
	Default              any               `json:"default"`
	ReadOnly             bool              `json:"readOnly"`
}

// types is one type or several.
type types []string

// UnmarshalJSON reads both ways of writing them.
func (t *types) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// documents are kept by server, which each test has its own of.
func (s *server) document(t testing.TB) *document {
	t.Helper()
	got, err := s.try("GET", "/openapi.json", "", nil)
	if err != nil || got.status != 200 {
		t.Fatalf("the OpenAPI document: %v, %d", err, got.status)
	}
	d := &document{}
	if err := json.Unmarshal(got.body, d); err != nil {
		t.Fatalf("the OpenAPI document: %v", err)
	}
	return d
}

// theDocument is the document of the first server that was asked; all serve
// the same.
var theDocument *document

// find is the operation behind a request, and its path's template.
func (d *document) find(method, path string) (template string, op operation, ok bool) {
	path, _, _ = strings.Cut(path, "?")
	got := strings.Split(path, "/")
	for template, methods := range d.Paths {
		want := strings.Split(template, "/")
		if len(want) != len(got) {
			continue
		}
		fits := true
		for i := range want {
			fits = fits && (want[i] == got[i] || strings.HasPrefix(want[i], "{"))
		}
		op, has := methods[strings.ToLower(method)]
		if fits && has && (!ok || !strings.Contains(template, "{")) {
			return template, op, true
		}
	}
	return "", operation{}, false
}

// checkSchema holds a good answer against the document.
func checkSchema(t testing.TB, s *server, method, path string, got reply) {
	t.Helper()
	if theDocument == nil {
		theDocument = s.document(t)
	}
	template, op, ok := theDocument.find(method, path)
	if !ok {
		t.Errorf("%s %s is not in the OpenAPI document", method, path)
		return
	}
	what := fmt.Sprintf("%s %s %d", method, template, got.status)
	response, ok := op.Responses[strconv.Itoa(got.status)]
	if !ok {
		t.Errorf("%s: the OpenAPI document does not know this status", what)
		return
	}
	if got.status == 204 || got.status == 304 {
		if len(got.body) > 0 || len(response.Content) > 0 {
			t.Errorf("%s: a body where none may be: %s", what, got.body)
		}
		return
	}
	if kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); kind != "application/json" && op.Responses["200"].Content[kind].Schema.Format == "binary" {
		return // a file
	}
	media, ok := response.Content["application/json"]
	if !ok || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: Content-Type is %q", what, got.header.Get("Content-Type"))
		return
	}
	var v any
	if err := json.Unmarshal(got.body, &v); err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, fault := range theDocument.faults(media.Schema, v, "body") {
		t.Errorf("%s: %s\n%.600s", what, fault, got.body)
	}
}

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	instantForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`) // CONTRACT.md: UTC with milliseconds
)

// faults are all places where a value does not fit a schema.
func (d *document) faults(s schema, v any, at string) []string {
	if s.Ref != "" {
		target, ok := d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
		if !ok {
			return []string{at + ": " + s.Ref + " leads nowhere"}
		}
		return d.faults(target, v, at)
	}
	if len(s.AnyOf) > 0 {
		var out []string
		for _, one := range s.AnyOf {
			faults := d.faults(one, v, at)
			if len(faults) == 0 {
				return nil
			}
			out = append(out, faults...)
		}
		return out
	}
	var out []string
	if len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(name string) bool { return isType(name, v) }) {
		return []string{fmt.Sprintf("%s: is %T, not %v", at, v, s.Type)}
	}
	if len(s.Enum) > 0 && v != nil && !slices.Contains(s.Enum, v) {
		out = append(out, fmt.Sprintf("%s: %v is none of %v", at, v, s.Enum))
	}
	switch v := v.(type) {
	case string:
		out = append(out, formatFaults(s, v, at)...)
	case float64:
		if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			out = append(out, fmt.Sprintf("%s: %v is out of range", at, v))
		}
	case []any:
		for i, item := range v {
			if s.Items == nil {
				return append(out, at+": a list of nobody knows what")
			}
			out = append(out, d.faults(*s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		out = append(out, d.objectFaults(s, v, at)...)
	}
	return out
}

func (d *document) objectFaults(s schema, v map[string]any, at string) []string {
	var out []string
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			out = append(out, at+": no "+name)
		}
	}
	for name, member := range v {
		if known, ok := s.Properties[name]; ok {
			out = append(out, d.faults(known, member, at+"."+name)...)
			continue
		}
		var rest schema
		switch raw := string(s.AdditionalProperties); {
		case raw == "true":
		case raw == "" || raw == "false":
			out = append(out, at+"."+name+": is not in the schema")
		case json.Unmarshal(s.AdditionalProperties, &rest) != nil:
			out = append(out, at+": additionalProperties cannot be read")
		default:
			out = append(out, d.faults(rest, member, at+"."+name)...)
		}
	}
	return out
}

func isType(name string, v any) bool {
	switch name {
	case "null":
		return v == nil
	case "string":
		_, ok := v.(string)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "integer":
		n, ok := v.(float64)
		return ok && n == float64(int64(n))
	case "number":
		_, ok := v.(float64)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	default:
		return false
	}
}

func formatFaults(s schema, v, at string) []string {
	switch s.Format {
	case "", "double", "int32", "int64":
	case "date-time":
		if !instantForm.MatchString(v) {
			return []string{at + ": " + v + " is no instant in UTC with milliseconds"}
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return []string{at + ": " + v + " is no date"}
		}
	case "uuid":
		if !uuidForm.MatchString(v) {
			return []string{at + ": " + v + " is no UUID"}
		}
	default:
		return []string{at + ": the format " + s.Format + " is new to this test"}
	}
	if s.MinLength != nil && len(v) < *s.MinLength || s.MaxLength != nil && len([]rune(v)) > *s.MaxLength {
		return []string{at + ": too short or too long"}
	}
	return nil
}

func TestTheSchemaCheckerFindsFaults(t *testing.T) {
	var d document
	err := json.Unmarshal([]byte(`{"components":{"schemas":{"X":{"type":"object","additionalProperties":false,"required":["a"],
		"properties":{"a":{"type":"integer","maximum":4},"b":{"type":["string","null"],"format":"date-time"},"c":{"type":"array","items":{"enum":["x"]}},
		"m":{"type":"object","additionalProperties":{"type":"integer"}}}}}}}`), &d)
	if err != nil {
		t.Fatal(err)
	}
	for text, faulty := range map[string]bool{
		`{"a":1}`: false, `{"a":5}`: true, `{}`: true, `{"a":1.5}`: true, `{"a":1,"z":0}`: true, `{"a":1,"b":null}`: false, `{"a":1,"m":{"k":1}}`: false,
		`{"a":1,"m":{"k":""}}`: true, `{"a":1,"b":"2026-03-01T00:00:00Z"}`: true, `{"a":1,"b":"2026-03-01T00:00:00.000Z","c":["x"]}`: false, `{"a":1,"c":["y"]}`: true, `[]`: true,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := d.faults(schema{Ref: "#/components/schemas/X"}, v, "body"); len(got) > 0 != faulty {
			t.Errorf("%s: %v", text, got)
		}
	}
}

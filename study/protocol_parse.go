package study

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProtocolBytes is far above any real protocol; the text is kept in an event.
const maxProtocolBytes = 256 << 10

// ProtocolHash is the SHA-256 of a protocol's text, byte for byte.
func ProtocolHash(text []byte) Hash { return sha256.Sum256(text) }

// ParseProtocol reads a protocol file. A faulty one is refused with all its
// faults at once, each under the path of its setting, because whoever writes
// a protocol should not have to try again for every single one.
func ParseProtocol(text []byte) (*Protocol, error) {
	if len(text) > maxProtocolBytes {
		return nil, refuseProtocol(nil, Field{Name: "protocol", Reason: fmt.Sprintf("the file is larger than %d KB; a protocol is far smaller, so this is likely another file", maxProtocolBytes>>10)})
	}
	root, err := oneDocument(text)
	if err != nil {
		return nil, err
	}
	s := shape{line: map[string]int{}}
	p := &Protocol{Forms: unwrittenForms}
	if err := s.check(root, reflect.TypeFor[Protocol](), "").Decode(p); err != nil {
		// Not reached as far as we know: shape leaves only what decodes.
		return nil, refuseProtocol(err, Field{Name: "protocol", Reason: "the file cannot be read; compare it with the embedded default protocol"})
	}
	faults := s.faults
	for _, f := range p.faults() {
		if !s.follows(f.Name) {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		return p, nil
	}
	return nil, refuseProtocol(nil, s.withLines(faults)...)
}

func refuseProtocol(cause error, faults ...Field) *Error {
	message := "The protocol has a fault; correct it and check the file again."
	if len(faults) > 1 {
		message = fmt.Sprintf("The protocol has %d faults; correct them and check the file again.", len(faults))
	}
	return &Error{Code: Invalid, Message: message, Fields: faults, Err: cause}
}

// syntaxLine finds the line in an error of the YAML parser.
var syntaxLine = regexp.MustCompile(`line (\d+): (.*)`)

// oneDocument is the root of the only YAML document in the text.
func oneDocument(text []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) != 1:
		return nil, refuseProtocol(nil, Field{Name: "protocol", Reason: "the file is empty; begin from the embedded default protocol"})
	case err != nil:
		where := Field{Name: "protocol", Reason: "this is not YAML; check indents, colons and quotes"}
		if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
			where = Field{Name: "line " + m[1], Reason: "the YAML breaks off at or near this line; check indents, colons and quotes"}
		}
		return nil, refuseProtocol(err, where)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, refuseProtocol(nil, Field{Name: "protocol", Reason: "a second document follows the first; one file holds one protocol, so remove what follows the line with ---"})
	}
	return doc.Content[0], nil
}

// Limits of one file, so that a hostile one is refused in no time.
const (
	maxShapeFaults = 100
	maxKeys        = 64  // in one mapping: more than any part of a protocol has
	maxItems       = 100 // in one list
	maxNodes       = 50_000
)

// shape compares a YAML tree with the Go type that it is to become. The
// decoder's own strict mode tells lines but no paths, leaves out a whole visit
// that has a setting twice, and cuts 21.7 to 21 without a word. Aliases are
// followed; merges (<<) are not, so that a visit says all that it means.
type shape struct {
	faults []Field
	lost   []string       // paths of parts that were replaced by nothing
	line   map[string]int // of each path
	nodes  int
}

func (s *shape) fault(path, reason string, args ...any) {
	if len(s.faults) < maxShapeFaults {
		s.faults = append(s.faults, Field{Name: cmp.Or(path, "protocol"), Reason: fmt.Sprintf(reason, args...)})
	}
}

// lose notes a part that cannot be decoded, and says why.
func (s *shape) lose(path, reason string, args ...any) {
	s.lost = append(s.lost, path)
	s.fault(path, reason, args...)
}

// follows reports whether the path lies in a part that was lost: its own
// faults only follow from that one and need not be told.
func (s *shape) follows(path string) bool {
	return slices.ContainsFunc(s.lost, func(lost string) bool {
		rest, inside := strings.CutPrefix(path, lost)
		return inside && (lost == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// withLines puts the line before each reason, the nearest one above for a
// setting that is not there, and brings the faults into the file's order.
func (s *shape) withLines(faults []Field) []Field {
	lineOf := func(path string) int {
		for path != "" {
			if n, ok := s.line[path]; ok {
				return n
			}
			path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		}
		return 0
	}
	slices.SortStableFunc(faults, func(a, b Field) int { return lineOf(a.Name) - lineOf(b.Name) })
	for i, f := range faults {
		if n := lineOf(f.Name); n > 0 {
			faults[i].Reason = fmt.Sprintf("line %d: %s", n, f.Reason)
		}
	}
	return faults
}

// kinds say what to write for a Go kind.
var kinds = map[reflect.Kind]struct {
	node yaml.Kind
	zero yaml.Node
	want string
}{
	reflect.Struct: {yaml.MappingNode, yaml.Node{Kind: yaml.MappingNode}, "write settings here, each as name: value on its own line"},
	reflect.Map:    {yaml.MappingNode, yaml.Node{Kind: yaml.MappingNode}, "write one line for each language here, such as en: Baseline"},
	reflect.Slice:  {yaml.SequenceNode, yaml.Node{Kind: yaml.SequenceNode}, "write a list here, such as [one, two]"},
	reflect.String: {yaml.ScalarNode, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}, "write a word or text here"},
	reflect.Int:    {yaml.ScalarNode, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "0"}, "write a whole number here, such as 7 or -3"},
	reflect.Bool:   {yaml.ScalarNode, yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}, "write true or false here"},
}

// plainInt leaves out what YAML reads in surprising ways: 010 is eight there.
var plainInt = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]{0,8})$`)

// check returns the node, or a zero one in its place where it cannot become a
// t, so that everything else can still be decoded and looked at.
func (s *shape) check(n *yaml.Node, t reflect.Type, path string) *yaml.Node {
	s.line[path] = n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	kind := kinds[t.Kind()]
	if s.nodes++; s.nodes > maxNodes {
		if s.nodes == maxNodes+1 {
			s.lose("", "the file holds far more than a protocol has; check that it is the right one")
		}
		return &kind.zero
	}
	if n.Kind != kind.node || !fits(n, t.Kind()) {
		s.lose(path, "%s", kind.want)
		return &kind.zero
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return s.mapping(n, t, path)
	case reflect.Slice:
		if len(n.Content) > maxItems {
			s.lose(path, "there are more than %d entries here; remove those that do not belong", maxItems)
			return &kind.zero
		}
		out := *n
		out.Content = make([]*yaml.Node, len(n.Content))
		for i, item := range n.Content {
			out.Content[i] = s.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
		return &out
	}
	return n
}

// fits reports whether the text of a scalar can become a Go value of the kind.
// A tag that somebody wrote out could turn any text into anything.
func fits(n *yaml.Node, kind reflect.Kind) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		return false
	}
	switch kind {
	case reflect.String:
		return n.ShortTag() != "!!null"
	case reflect.Int:
		return n.ShortTag() == "!!int" && plainInt.MatchString(n.Value)
	case reflect.Bool:
		return n.ShortTag() == "!!bool" && (n.Value == "true" || n.Value == "false")
	}
	return true
}

// settingName is a key that is safe and short enough to stand in a path.
var settingName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// mapping checks the settings of one part of the protocol and keeps the good ones.
func (s *shape) mapping(n *yaml.Node, t reflect.Type, path string) *yaml.Node {
	if len(n.Content) > 2*maxKeys {
		s.lose(path, "there are more than %d entries here; remove those that do not belong", maxKeys)
		return &yaml.Node{Kind: yaml.MappingNode}
	}
	out := *n
	out.Content = nil
	fields, seen := fieldsOf(t), map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || !settingName.MatchString(key.Value) {
			s.fault(strings.TrimPrefix(path+".?", "."), "what stands on line %d is no name of a setting; those here are %s", key.Line, fields.names)
			continue
		}
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		elem, known := fields.typeOf(key.Value)
		switch {
		case !known:
			s.line[at] = key.Line
			s.fault(at, "there is no such setting; those here are %s", fields.names)
		case seen[key.Value]:
			s.fault(at, "line %d says this again; keep one of the two", key.Line)
		default:
			seen[key.Value] = true
			name := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key.Value}
			out.Content = append(out.Content, &name, s.check(value, elem, at))
		}
	}
	return &out
}

// settings are the keys that a mapping may have.
type settings struct {
	types map[string]reflect.Type // nil: any key
	elem  reflect.Type            // of any key
	names string
}

func (f settings) typeOf(key string) (reflect.Type, bool) {
	if f.types == nil {
		return f.elem, true
	}
	t, ok := f.types[key]
	return t, ok
}

func fieldsOf(t reflect.Type) settings {
	if t.Kind() == reflect.Map {
		return settings{elem: t.Elem(), names: "language tags such as en and zh"}
	}
	f := settings{types: map[string]reflect.Type{}}
	var names []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		f.types[name] = t.Field(i).Type
		names = append(names, name)
	}
	f.names = strings.Join(names, ", ")
	return f
}

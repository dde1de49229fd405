package wording

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// reader gathers faults while the parts of a pack are read.
type reader struct{ faults []Fault }

func (r *reader) fault(place, reason string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, Fault{place, fmt.Sprintf(reason, args...)})
	}
}

// memberName is a name that is safe and short enough to be repeated.
var memberName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// object is a JSON object whose members are known by name.
type object struct {
	place   string
	members map[string]*node
}

func (o *object) at(name string) string { return strings.TrimPrefix(o.place+"."+name, ".") }

// object checks the names in an object; nil if it is none.
func (r *reader) object(n *node, place string, names []string) *object {
	o := &object{place, map[string]*node{}}
	if n.kind != '{' {
		r.fault(cmp.Or(place, "pack"), "write an object here: {\"name\": …}")
		return nil
	}
	for _, m := range n.members {
		switch {
		case !memberName.MatchString(m.name):
			r.fault(o.at("?"), "holds a name that does not belong here; take it out")
		case !slices.Contains(names, m.name):
			r.fault(o.at(m.name), "does not belong here; take it out")
		case o.members[m.name] != nil:
			r.fault(o.at(m.name), "is there twice; keep one")
		default:
			o.members[m.name] = m.value
		}
	}
	return o
}

// member is a part that must be there.
func (r *reader) member(in *object, name string) *node {
	n := in.members[name]
	if n == nil {
		r.fault(in.at(name), "is missing")
	}
	return n
}

func (r *reader) part(in *object, name string, names []string) *object {
	n := r.member(in, name)
	if n == nil {
		return nil
	}
	return r.object(n, in.at(name), names)
}

// text reads a text; empty after a fault.
func (r *reader) text(in *object, name string, limit int) string {
	n := r.member(in, name)
	if n == nil {
		return ""
	}
	return r.textOf(n, in.at(name), limit)
}

func (r *reader) textOf(n *node, place string, limit int) string {
	if n.kind != '"' {
		r.fault(place, "write a text here, in quotes")
		return ""
	}
	wrong := faultsOf(n.text, limit)
	for _, reason := range wrong {
		r.fault(place, "%s", reason)
	}
	if wrong != nil {
		return ""
	}
	return n.text
}

// word reads a name of a narrow form.
func (r *reader) word(in *object, name string, form *regexp.Regexp, advice string) string {
	n := r.member(in, name)
	if n == nil {
		return ""
	}
	if n.kind != '"' || !form.MatchString(n.text) {
		r.fault(in.at(name), "%s", advice)
		return ""
	}
	return n.text
}

func (r *reader) day(in *object, name string) string {
	n := r.member(in, name)
	if n == nil {
		return ""
	}
	t, err := time.Parse(time.DateOnly, n.text)
	if n.kind != '"' || err != nil || t.Year() < 1990 || t.Year() > 2200 {
		r.fault(in.at(name), "write a date as YYYY-MM-DD")
		return ""
	}
	return n.text
}

func (r *reader) options(top *object, want int) []string {
	n := r.member(top, "options")
	if n == nil {
		return nil
	}
	if n.kind != '[' {
		r.fault("options", "write a list here, from the lowest to the highest choice")
		return nil
	}
	if len(n.elems) != want {
		r.fault("options", "holds %d options; write %d, from the lowest to the highest choice", len(n.elems), want)
	}
	var out []string
	for i, elem := range n.elems {
		text := r.textOf(elem, fmt.Sprintf("options[%d]", i), maxOption)
		if text != "" && slices.Contains(out, text) {
			r.fault(fmt.Sprintf("options[%d]", i), "is the same as options[%d]", slices.Index(out, text))
		}
		out = append(out, text)
	}
	return out
}

// texts reads one text for each code.
func (r *reader) texts(top *object, name string, codes []string, limit int) map[string]string {
	in := r.part(top, name, codes)
	if in == nil {
		return nil
	}
	out := make(map[string]string, len(codes))
	for _, code := range codes {
		out[code] = r.text(in, code, limit)
	}
	return out
}

// distinct names the texts that stand in two places: one was pasted twice.
func (r *reader) distinct(part string, codes []string, texts map[string]string) {
	first := map[string]string{}
	for _, code := range codes {
		text := texts[code]
		if text == "" {
			continue
		}
		if other, twice := first[text]; twice {
			r.fault(part+"."+code, "is the same as %s.%s", part, other)
			continue
		}
		first[text] = code
	}
}

package web

import (
	"net/http"
	"slices"
	"strings"
)

// returned is a form that was refused: which of its page's forms it was, and
// what was typed into it, to be shown again there and nowhere else. The zero
// value is none.
type returned struct {
	form   string
	fields map[string]string
}

// returned is the form that was sent to an address below the page's own.
func (v *visit) returned(page string) returned {
	if v.Method() != http.MethodPost {
		return returned{}
	}
	r := returned{form: strings.TrimPrefix(v.Path(), page), fields: map[string]string{}}
	for name, value := range v.Request().PostArgs().All() {
		if string(name) != "password" {
			r.fields[string(name)] = strings.TrimSpace(string(value))
		}
	}
	return r
}

// Is reports whether it is the form of this address.
func (r returned) Is(form string) bool { return r.fields != nil && r.form == form }

// Of is what was typed into a field of the form of this address.
func (r returned) Of(form, field string) string {
	if !r.Is(form) {
		return ""
	}
	return r.fields[field]
}

// pick is the list with one choice made; none where it is not in the list.
func pick(list []option, value string) []option {
	if value == "" {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Chosen = list[i].Value == value
	}
	return list
}

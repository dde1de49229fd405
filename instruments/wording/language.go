package wording

import (
	"slices"

	"golang.org/x/text/language"
)

// maxTag is longer than any tag of language, script and region.
const maxTag = 16

// parseTag reads a tag made of language, script and region.
func parseTag(tag string) (language.Tag, bool) {
	if len(tag) > maxTag {
		return language.Und, false
	}
	t, err := language.Parse(tag)
	base, _, _ := t.Raw()
	if err != nil || base.String() == "und" || len(t.Variants()) > 0 || len(t.Extensions()) > 0 {
		return language.Und, false
	}
	return t, true
}

// tagFault says what is wrong with a pack's language tag, or nothing.
func tagFault(tag string) string {
	t, ok := parseTag(tag)
	switch {
	case !ok:
		return "is no language tag; write language, then script and region where needed, such as en, en-GB or zh-Hans"
	case t.String() != tag:
		return "write it as " + t.String()
	}
	return ""
}

// Suits reports whether somebody who asks for a language can be given a text in
// that of the tag, and how well: the same language in the same script, nearer
// first. A reader of traditional Chinese is not given the simplified one.
//
//	0  the same tag
//	1  the text is of no region in particular
//	2  it is of another region
func Suits(tag, asked string) (distance int, ok bool) {
	have, ok1 := parseTag(tag)
	want, ok2 := parseTag(asked)
	if !ok1 || !ok2 {
		return 0, false
	}
	base, _ := have.Base()
	script, _ := have.Script()
	wantBase, _ := want.Base()
	wantScript, _ := want.Script()
	_, _, region := have.Raw()
	switch {
	case base != wantBase || script != wantScript:
		return 0, false
	case have.String() == want.String():
		return 0, true
	case region.String() == "ZZ":
		return 1, true
	}
	return 2, true
}

// rightToLeft are the scripts in use that run from right to left.
var rightToLeft = []string{"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"}

// Direction is how a text in the language runs: ltr or rtl.
func Direction(tag string) string {
	if t, ok := parseTag(tag); ok {
		if script, _ := t.Script(); slices.Contains(rightToLeft, script.String()) {
			return "rtl"
		}
	}
	return "ltr"
}

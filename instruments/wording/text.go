package wording

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// marked finds what would be markup where a page or a document understood it:
// angle brackets, character references, and the marks of Markdown and BBCode.
// None of them belongs in a questionnaire, and as text they would show.
var marked = regexp.MustCompile(`[<>]|&#?[0-9A-Za-z]+;|\*\*|__|\]\(|\[/`)

// joiners are invisible characters that some scripts cannot be written without:
// the joiner and the non-joiner, and the marks that give a direction.
const joiners = "\u200c\u200d\u200e\u200f\u061c"

// faultsOf are the sentences about what is wrong with a text of at most limit
// characters.
func faultsOf(text string, limit int) []string {
	if strings.TrimSpace(text) == "" {
		return []string{"is empty; write the text"}
	}
	var wrong []string
	if n := utf8.RuneCountInString(text); n > limit {
		wrong = append(wrong, fmt.Sprintf("has %d characters; at most %d are allowed here", n, limit))
	}
	if strings.TrimSpace(text) != text {
		wrong = append(wrong, "begins or ends with a space; take it away")
	}
	if at := marked.FindStringIndex(text); at != nil {
		wrong = append(wrong, fmt.Sprintf("holds markup at character %d; write plain text, without tags, entities or marks for bold", place(text, at[0])))
	}
	if i := strings.IndexFunc(text, unseen); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		wrong = append(wrong, fmt.Sprintf("holds the control or invisible character %U at character %d; take it out", r, place(text, i)))
	}
	if !norm.NFC.IsNormalString(text) {
		wrong = append(wrong, "is not in Unicode's composed form; save the file as NFC")
	}
	return wrong
}

// place is where a byte stands, counted in characters from 1.
func place(text string, at int) int { return utf8.RuneCountInString(text[:at]) + 1 }

// unseen reports whether a character cannot be seen: line breaks, control and
// format characters, private and unassigned ones, and what stands for a byte
// that could not be read.
func unseen(r rune) bool {
	return r == utf8.RuneError || !unicode.IsGraphic(r) && !strings.ContainsRune(joiners, r)
}

package certify

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"epro/internal/testkit"
)

var mark = regexp.MustCompile(`\[U\+([0-9A-F]{4,6})\]`)

// Whatever somebody wrote can be read off the copy: each character stands as it
// is or as its mark, and no mark can be mistaken for what somebody wrote.
func TestNoCharacterIsDropped(t *testing.T) {
	fonts := DefaultFonts()
	check := func(t rapid.TB, text string) {
		shown, escapes := fonts.printable(text)
		back := mark.ReplaceAllStringFunc(shown, func(m string) string {
			n, _ := strconv.ParseInt(mark.FindStringSubmatch(m)[1], 16, 32)
			escapes--
			return string(rune(n))
		})
		if back != text || escapes != 0 {
			t.Fatalf("%q became %q, read back as %q, %d marks not found", text, shown, back, escapes)
		}
		if !fonts.prints(strings.ReplaceAll(shown, "\n", "")) {
			t.Fatalf("%q cannot be printed", shown)
		}
	}
	for _, text := range append(testkit.Hostile(), "[U+0041]", "[U+", "é", "e\u0301", "a\u202eb", "\t", "שלום", "人") {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.String().Draw(t, "text")) })
}

// Lines are broken where they must be, and lose nothing but spaces at breaks.
func TestABrokenLineKeepsItsText(t *testing.T) {
	s := newSheet(DefaultFonts(), 1, testkit.Start, "", "en")
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9]{1,90}`), 0, 12).Draw(t, "words"), " ")
		width := rapid.Float64Range(3, 90).Draw(t, "width")
		joined := ""
		for _, line := range s.lines(text, body, width) {
			if len(line) > 1 && s.width(line, body) > width {
				t.Fatalf("%q is wider than %v mm", line, width)
			}
			joined += line
		}
		if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Fatalf("%q became %q", text, joined)
		}
	})
	if err := s.output(&bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
}

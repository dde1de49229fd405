package certify

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unicode"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"

	"codeberg.org/go-pdf/fpdf"
)

// face is a font in the document and what it can draw.
type face struct {
	family string
	ttf    []byte
	bold   []byte // nil: the same
	parsed *sfnt.Font
}

// Fonts are what copies are printed with: Go's own font for Latin, Greek and
// Cyrillic script, and behind it one that whoever runs the server named.
type Fonts struct {
	faces []face
	draws [1 << 16]int8 // by character: the place of its face, from 1; 0: none has it
}

// DefaultFonts are Go's fonts alone.
func DefaultFonts() *Fonts {
	parsed, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic("certify: " + err.Error()) // part of this program
	}
	fonts := &Fonts{}
	fonts.use(face{"go", goregular.TTF, gobold.TTF, parsed})
	return fonts
}

// use puts a face behind those that are there: it draws what they do not.
func (fonts *Fonts) use(f face) {
	fonts.faces = append(fonts.faces, f)
	var buf sfnt.Buffer
	for r := range fonts.draws {
		if fonts.draws[r] != 0 || hidden(rune(r)) {
			continue
		}
		if at, err := f.parsed.GlyphIndex(&buf, rune(r)); err == nil && at != 0 {
			fonts.draws[r] = int8(len(fonts.faces)) // two at most
		}
	}
}

// hidden reports whether a character is marked though a font may have it.
func hidden(r rune) bool {
	return unicode.In(r, unicode.C, unicode.M, unicode.Zl, unicode.Zp, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// LoadFonts adds a TrueType font to the default ones; "" adds none. Fonts with
// PostScript outlines (.otf) and collections (.ttc) cannot be used.
func LoadFonts(file string) (*Fonts, error) {
	fonts := DefaultFonts()
	if file == "" {
		return fonts, nil
	}
	ttf, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the font for certified copies: %w", err)
	}
	return fonts, fonts.add(file, ttf)
}

func (fonts *Fonts) add(name string, ttf []byte) error {
	unusable := func(why string) error {
		return fmt.Errorf("the font %s for certified copies %s; name a TrueType font with the extension .ttf, such as DroidSansFallbackFull.ttf", name, why)
	}
	if !bytes.HasPrefix(ttf, []byte{0, 1, 0, 0}) && !bytes.HasPrefix(ttf, []byte("true")) {
		return unusable("is no TrueType font")
	}
	parsed, err := sfnt.Parse(ttf)
	if err != nil {
		return unusable("cannot be read: " + err.Error())
	}
	added := face{"named", ttf, nil, parsed}
	trial := fpdf.New("P", "mm", "A4", "")
	trial.AddUTF8FontFromBytes(added.family, "", ttf)
	trial.AddPage()
	trial.SetFont(added.family, "", 10)
	if trial.Text(20, 20, "1"); trial.Output(&bytes.Buffer{}) != nil {
		return unusable("cannot be put into a PDF")
	}
	fonts.use(added)
	return nil
}

// of is the place of the first face that draws the character.
func (fonts *Fonts) of(r rune) (int, bool) {
	if int(r) >= len(fonts.draws) || fonts.draws[r] == 0 {
		return 0, false
	}
	return int(fonts.draws[r]) - 1, true
}

// prints reports whether all of the text can be printed as it is.
func (fonts *Fonts) prints(text string) bool {
	for _, r := range text {
		if _, ok := fonts.of(r); !ok {
			return false
		}
	}
	return true
}

// printable is the text with [U+…] in place of each character that cannot be
// printed: one that no font has, one that is not seen (a control, a change of
// direction), one that combines, and one of a script written from right to
// left, whose letters would stand in the wrong order. Nothing else can be
// mistaken for such a mark. escapes says how many there are.
func (fonts *Fonts) printable(text string) (shown string, escapes int) {
	var out strings.Builder
	for i, r := range text {
		_, ok := fonts.of(r)
		switch {
		case r == '\n':
			out.WriteRune(r)
		case !ok, r == '[' && strings.HasPrefix(text[i:], "[U+"):
			fmt.Fprintf(&out, "[U+%04X]", r)
			escapes++
		default:
			out.WriteRune(r)
		}
	}
	return out.String(), escapes
}

// run is a piece of a line in one face.
type run struct {
	face int
	text string
}

// runs cuts a printable line where the face changes.
func (fonts *Fonts) runs(line string) []run {
	var out []run
	for _, r := range line {
		at, _ := fonts.of(r)
		if n := len(out); n > 0 && out[n-1].face == at {
			out[n-1].text += string(r)
			continue
		}
		out = append(out, run{at, string(r)})
	}
	return out
}

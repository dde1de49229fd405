package certify

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// Millimetres of an A4 page.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 18.0
	top                   = 24.0
	bottom                = pageHeight - 20
	textWidth             = pageWidth - 2*margin
)

const pointsPerMM = 72 / 25.4

// sheet is the document while it is written, from top to bottom.
type sheet struct {
	pdf     *fpdf.Fpdf
	fonts   *Fonts
	y       float64
	pages   int // in all, as counted before
	head    func(page int) (left, right, foot string)
	escapes int // characters that were printed as marks
}

// newSheet begins a document. at is the only time in it that it was not told in
// words, so that the same content gives the same bytes.
func newSheet(fonts *Fonts, pages int, at time.Time, title, lang string) *sheet {
	s := &sheet{pdf: fpdf.New("P", "mm", "A4", ""), fonts: fonts, pages: pages}
	s.pdf.SetCatalogSort(true)
	s.pdf.SetCreationDate(at)
	s.pdf.SetModificationDate(at)
	s.pdf.SetProducer("epro", true)
	s.pdf.SetTitle(title, true)
	s.pdf.SetLang(lang)
	s.pdf.SetAutoPageBreak(false, 0)
	for _, f := range fonts.faces {
		bold := f.bold
		if bold == nil {
			bold = f.ttf
		}
		s.pdf.AddUTF8FontFromBytes(f.family, "", f.ttf)
		s.pdf.AddUTF8FontFromBytes(f.family, "B", bold)
	}
	return s
}

func (s *sheet) output(w io.Writer) error { return s.pdf.Output(w) }

// page begins a new page, with what stands above and below on each.
func (s *sheet) page() {
	s.pdf.AddPage()
	s.y = top
	left, right, foot := s.head(s.pdf.PageNo())
	small := style{size: 7.5, grey: true}
	s.print(margin, 14, left, small)
	s.print(pageWidth-margin-s.width(s.safe(right), small), 14, right, small)
	s.rule(16)
	s.print(margin, pageHeight-10, foot, small)
	s.rule(pageHeight - 14)
}

func (s *sheet) rule(y float64) {
	s.pdf.SetDrawColor(170, 170, 170)
	s.pdf.SetLineWidth(0.15)
	s.pdf.Line(margin, y, pageWidth-margin, y)
}

// style is how text looks; size in points.
type style struct {
	size       float64
	bold, grey bool
}

// height of a line in millimetres.
func (st style) height() float64 { return st.size * 1.35 / pointsPerMM }

func (s *sheet) use(face int, st style) {
	weight := ""
	if st.bold {
		weight = "B"
	}
	s.pdf.SetFont(s.fonts.faces[face].family, weight, st.size)
	s.pdf.SetTextColor(0, 0, 0)
	if st.grey {
		s.pdf.SetTextColor(90, 90, 90)
	}
}

// safe is the text as it can be printed.
func (s *sheet) safe(text string) string {
	shown, _ := s.fonts.printable(text)
	return shown
}

// width is that of a printable line, in millimetres.
func (s *sheet) width(line string, st style) float64 {
	sum := 0.0
	for _, r := range s.fonts.runs(line) {
		s.use(r.face, st)
		sum += s.pdf.GetStringWidth(r.text)
	}
	return sum
}

// print writes one line with its foot at y.
func (s *sheet) print(x, y float64, text string, st style) {
	shown, escapes := s.fonts.printable(text)
	s.escapes += escapes
	s.draw(x, y, shown, st)
}

func (s *sheet) draw(x, y float64, line string, st style) {
	for _, r := range s.fonts.runs(line) {
		s.use(r.face, st)
		s.pdf.Text(x, y, r.text)
		x += s.pdf.GetStringWidth(r.text)
	}
}

// lines breaks a printable text where it has to be.
func (s *sheet) lines(text string, st style, width float64) []string {
	var out []string
	for part := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range breakable(part) {
			if line == "" || s.width(line+strings.TrimRight(word, " "), st) <= width {
				line += word
			} else {
				out = append(out, strings.TrimRight(line, " "))
				line = word
			}
			for s.width(strings.TrimRight(line, " "), st) > width { // a hash, a word that fills more than a line
				fits := s.fitting(line, st, width)
				out = append(out, line[:fits])
				line = line[fits:]
			}
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}

// fitting is how many bytes of the line fit, at least one character's.
func (s *sheet) fitting(line string, st style, width float64) int {
	fits := 0
	for at, r := range line {
		if next := at + len(string(r)); fits == 0 || s.width(line[:next], st) <= width {
			fits = next
			continue
		}
		break
	}
	return fits
}

// breakable cuts a line where it may be broken: behind a space, and around
// every character of a script that is written without spaces.
func breakable(line string) []string {
	var out []string
	joined := false
	for _, r := range line {
		alone := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
		if joined && !alone {
			out[len(out)-1] += string(r)
		} else {
			out = append(out, string(r))
		}
		joined = r != ' ' && !alone
	}
	return out
}

// room goes to the next page unless so much is left of this one.
func (s *sheet) room(height float64) {
	if s.y+height > bottom {
		s.page()
	}
}

func (s *sheet) space(mm float64) { s.y += mm }

// text writes a paragraph.
func (s *sheet) text(text string, st style) {
	shown, escapes := s.fonts.printable(text)
	s.escapes += escapes
	for _, line := range s.lines(shown, st, textWidth) {
		s.room(st.height())
		s.y += st.height()
		s.draw(margin, s.y, line, st)
	}
}

// heading begins a section, never at the foot of a page.
func (s *sheet) heading(text string) {
	s.room(24)
	s.space(4)
	s.text(text, style{size: 11, bold: true})
	s.space(1.5)
}

// table is columns of text with their widths in millimetres.
type table struct {
	s      *sheet
	widths []float64
	titles []string // on every page again
}

func (s *sheet) table(widths []float64, titles ...string) *table {
	t := &table{s, widths, titles}
	t.title()
	return t
}

func (t *table) title() {
	if t.titles == nil {
		return
	}
	t.s.room(15)
	t.write(t.titles, style{size: 8, bold: true})
}

var body = style{size: 8.5}

// row writes a row; one that does not fit on the rest of the page goes to the
// next, and one that is longer than a page goes on there.
func (t *table) row(cells ...string) { t.write(cells, body) }

func (t *table) write(cells []string, st style) {
	columns, most := make([][]string, len(cells)), 0
	for i, cell := range cells {
		shown, escapes := t.s.fonts.printable(cell)
		t.s.escapes += escapes
		columns[i] = t.s.lines(shown, st, t.widths[i]-2)
		most = max(most, len(columns[i]))
	}
	if high := float64(most)*st.height() + 1.4; t.s.y+high > bottom && high < bottom-top-10 {
		t.next(st)
	}
	if t.s.y+float64(most)*st.height() <= bottom {
		t.together(columns, most, st)
	} else {
		t.acrossPages(columns, most, st)
	}
	t.s.y += 1.4
	t.s.rule(t.s.y)
}

// together draws a row one cell after the other, so that who copies the text
// out of the document gets each cell whole.
func (t *table) together(columns [][]string, most int, st style) {
	x := margin
	for i, lines := range columns {
		for n, line := range lines {
			t.s.draw(x, t.s.y+float64(n+1)*st.height(), line, st)
		}
		x += t.widths[i]
	}
	t.s.y += float64(most) * st.height()
}

// acrossPages draws a row line by line, on as many pages as it takes.
func (t *table) acrossPages(columns [][]string, most int, st style) {
	for n := range most {
		if t.s.y+st.height() > bottom {
			t.next(st)
		}
		t.s.y += st.height()
		x := margin
		for i, lines := range columns {
			if n < len(lines) {
				t.s.draw(x, t.s.y, lines[n], st)
			}
			x += t.widths[i]
		}
	}
}

// next goes to the next page and writes the titles again.
func (t *table) next(st style) {
	t.s.page()
	if !st.bold {
		t.title()
	}
}

// pageOf says which page of how many.
func (s *sheet) pageOf(form string, page int) string {
	return fmt.Sprintf(form, page, max(s.pages, page))
}

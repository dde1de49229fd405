package export

import (
	"fmt"
	"strings"

	"epro/study"
)

// survey is what the reading finds out about a dataset's rows.
type survey struct {
	rows    int
	widths  []int // bytes of the longest text in each column
	formats []Format
	cannot  map[string]string // format → the first cell that it cannot hold, and why
}

func newSurvey(d Dataset, formats []Format) survey {
	return survey{widths: make([]int, len(d.Columns)), formats: formats, cannot: map[string]string{}}
}

// add looks at one row.
func (s *survey) add(d Dataset, cells []Value) {
	s.rows++
	for i, v := range cells {
		if v.kind != Text || !v.present {
			continue
		}
		s.widths[i] = max(s.widths[i], len(v.text))
		for _, f := range s.formats {
			if f.refuses == nil || s.cannot[f.Name] != "" {
				continue
			}
			if why := f.refuses(v); why != "" {
				s.cannot[f.Name] = fmt.Sprintf("%s in row %d (%s) %s", d.Columns[i].Name, s.rows, keyOf(d, cells), why)
			}
		}
	}
}

// keyOf names a row by its key columns.
func keyOf(d Dataset, cells []Value) string {
	var words []string
	for _, key := range d.Keys {
		for i, c := range d.Columns {
			if c.Name == key && !cells[i].Missing() {
				words = append(words, key+" "+cells[i].String())
			}
		}
	}
	return strings.Join(words, ", ")
}

// cannot says why the part's rows cannot be written in the format, or is empty.
func (p *part) cannot(f Format) string {
	switch {
	case p.seen.cannot[f.Name] != "":
		return p.seen.cannot[f.Name]
	case f.maxRows > 0 && p.seen.rows > f.maxRows:
		return fmt.Sprintf("it has %d rows, and a file holds %d at most", p.seen.rows, f.maxRows)
	}
	return ""
}

// errZipIsEverything answers whoever wants one dataset as an archive, or the
// whole study as one table.
func errZipIsEverything() error {
	return study.Fail(study.Invalid, "An archive holds every dataset, and only an archive does: ask for "+Everything+" as "+Zip+".",
		study.Field{Name: "format", Reason: "use " + Zip + " with " + Everything + " only"})
}

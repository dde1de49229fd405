package export

import (
	"io"
	"slices"
	"strings"

	"epro/study"
)

// Encoder writes one dataset in one file format. Begin is called once, then
// Row for every row, then End; after an error nothing more is called. Row must
// not keep the slice.
type Encoder interface {
	Begin(d Dataset) error
	Row(cells []Value) error
	End() error
}

// Format is a file format.
type Format struct {
	Name        string // also the file's extension
	Title       string
	ContentType string
	New         func(w io.Writer) Encoder
}

// Formats are all formats that every dataset can be written in.
func Formats() []Format {
	return []Format{
		{Name: "csv", Title: "comma-separated values, UTF-8", ContentType: "text/csv; charset=utf-8; header=present", New: newCSV},
	}
}

// pickFormat finds the format of this name, or says which there are.
func pickFormat(name string) (Format, error) {
	all := Formats()
	i := slices.IndexFunc(all, func(f Format) bool { return f.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return Format{}, study.Fail(study.Invalid, "There is no format of that name. There is: "+strings.Join(names, ", ")+".",
		study.Field{Name: "format", Reason: "use one of: " + strings.Join(names, ", ")})
}

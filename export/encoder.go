package export

import (
	"io"
	"slices"
	"strings"
	"time"

	"epro/study"
)

// Encoder writes one dataset in one file format. Begin is called once, then
// Row for every row, then End; after an error only Close is called. Row must not
// keep the slice.
type Encoder interface {
	Begin(h Head) error
	Row(cells []Value) error
	End() error
}

// Head is what is known of a file before its first row is written.
type Head struct {
	Dataset
	Study    string // the study's identifier
	Protocol string // version in force
	Program  string // version of this program
	ExportID string
	// At is the cut. Formats that carry a time of creation get this one, so that
	// the same cut gives the same bytes.
	At time.Time
	// Rows is how many there will be, and Widths the bytes of the longest text in
	// each column.
	Rows   int
	Widths []int
}

// Format is a file format.
type Format struct {
	Name        string // also the file's extension
	Title       string
	ContentType string
	New         func(w io.Writer) Encoder
	// refuses says why a cell cannot be written in this format, or is empty;
	// nil: every cell can. maxRows is the most rows that a file can hold; 0: any.
	refuses func(Value) string
	maxRows int
}

// Formats are all formats that a dataset can be written in; what a format cannot
// hold it refuses before the first byte.
func Formats() []Format {
	return []Format{
		{Name: "csv", Title: "comma-separated values, UTF-8", ContentType: "text/csv; charset=utf-8; header=present", New: newCSV},
		{Name: "xlsx", Title: "Excel workbook", New: newXLSX, refuses: notInXLSX, maxRows: maxRowsXLSX,
			ContentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{Name: "parquet", Title: "Apache Parquet", ContentType: "application/vnd.apache.parquet", New: newParquet},
		{Name: "xpt", Title: "SAS transport file, version 5", ContentType: "application/x-sas-xport", New: newXPT, refuses: notInXPT},
		{Name: "json", Title: "CDISC Dataset-JSON 1.1", ContentType: "application/json", New: newDatasetJSON},
	}
}

// AllFormats are Formats and the archive of everything.
func AllFormats() []Format { return append(Formats(), zipFormat) }

// pickFormat finds the format of this name, or says which there are.
func pickFormat(name string) (Format, error) {
	all := AllFormats()
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

package export

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"epro/study"
)

// The limits of Excel's worksheets; the first row is the header.
const (
	maxRowsXLSX = 1<<20 - 1
	maxTextXLSX = 32767
)

// epochXLSX is the day that Excel counts as 0, as it holds from March 1900 on.
var epochXLSX = study.NewDate(1899, time.December, 30)

// xlsxEncoder writes an Excel workbook of one sheet. Texts are stored as texts,
// so that none is run as a formula; dates and instants are real dates, in UTC.
type xlsxEncoder struct {
	out    io.Writer
	file   *excelize.File
	sheet  *excelize.StreamWriter
	styles [len(kindNames)]int
	cells  []any
	row    int
}

func newXLSX(w io.Writer) Encoder { return &xlsxEncoder{out: w} }

// Begin opens the sheet and writes the header.
func (e *xlsxEncoder) Begin(h Head) (err error) {
	e.file = excelize.NewFile()
	if err := e.file.SetSheetName("Sheet1", h.Name); err != nil {
		return err
	}
	day, instant := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"
	if e.styles[Date], err = e.file.NewStyle(&excelize.Style{CustomNumFmt: &day}); err != nil {
		return err
	}
	if e.styles[Instant], err = e.file.NewStyle(&excelize.Style{CustomNumFmt: &instant}); err != nil {
		return err
	}
	if e.sheet, err = e.file.NewStreamWriter(h.Name); err != nil {
		return err
	}
	if err := e.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	e.cells = make([]any, len(h.Columns))
	for i, c := range h.Columns {
		e.cells[i] = c.Name
	}
	e.row = 1
	return e.sheet.SetRow("A1", e.cells)
}

// Row writes one row.
func (e *xlsxEncoder) Row(cells []Value) error {
	for i, v := range cells {
		e.cells[i] = e.cell(v)
	}
	e.row++
	return e.sheet.SetRow(fmt.Sprintf("A%d", e.row), e.cells)
}

func (e *xlsxEncoder) cell(v Value) any {
	switch {
	case v.Missing():
		return nil
	case v.kind == Integer:
		return v.whole
	case v.kind == Number:
		return v.Number()
	case v.kind == Date:
		return excelize.Cell{StyleID: e.styles[Date], Value: int(v.Day() - epochXLSX)}
	case v.kind == Instant:
		return excelize.Cell{StyleID: e.styles[Instant], Value: float64(v.whole-epochXLSX.UTC().UnixMilli()) / float64(24*time.Hour/time.Millisecond)}
	default:
		return v.String()
	}
}

// End writes the workbook; the sheet was kept in a file of the system's
// temporary folder while it was large.
func (e *xlsxEncoder) End() error {
	if err := e.sheet.Flush(); err != nil {
		return err
	}
	_, err := e.file.WriteTo(e.out)
	return err
}

// Close removes what was kept outside memory.
func (e *xlsxEncoder) Close() error {
	if e.file == nil {
		return nil
	}
	return e.file.Close()
}

// notInXLSX says why a cell cannot stand in a worksheet.
func notInXLSX(v Value) string {
	if v.kind == Text && len(v.text) > maxTextXLSX && utf8.RuneCountInString(v.text) > maxTextXLSX {
		return fmt.Sprintf("is longer than the %d characters that a cell in Excel can hold", maxTextXLSX)
	}
	return ""
}

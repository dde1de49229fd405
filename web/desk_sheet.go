package web

import (
	"strings"

	"epro/instruments"
	"epro/study"
)

// itemRow is one item of a questionnaire on a page.
type itemRow struct {
	Code, Text, Section string
	First               bool // of its section
	Value               string
	Score               string
	Earlier             []string // answers before each correction
	OptOut, OptOutText  string   // the box that excuses from it
}

// sheetOf are the items of an instrument in the words that are given.
func sheetOf(ins *instruments.Instrument, words *study.Wording) []itemRow {
	rows := make([]itemRow, len(ins.Items))
	section := ""
	for i, item := range ins.Items {
		rows[i] = itemRow{Code: item.Code, Text: words.Text.Items[item.Code], Section: words.Text.Sections[item.Subscale], First: item.Subscale != section, OptOut: item.OptOut}
		section = item.Subscale
	}
	return rows
}

// wording is the text of a questionnaire: that of a form or of a pack by its
// name, else the one in a language that would be opened now, else in English.
func (d *desk) wording(v *visit, lang, pack string) (*study.Wording, error) {
	words, err := d.Study.Wording(v.UserContext(), v.by, lang, pack)
	if err != nil && study.CodeOf(err) == study.Invalid {
		return d.Study.Wording(v.UserContext(), v.by, "en", "")
	}
	return words, err
}

// answersFrom reads a typed sheet: a digit is an answer; empty, x or - is
// skipped; q ticks the box that excuses from the item.
func answersFrom(v *visit, rows []itemRow) (answers, skipped map[string]string) {
	answers, skipped = map[string]string{}, map[string]string{}
	for i := range rows {
		row := &rows[i]
		row.Value = v.value("item." + row.Code)
		for part := range strings.FieldsSeq(strings.ToLower(row.Value)) {
			switch {
			case part == "q" && row.OptOut != "":
				skipped[row.Code] = "opt_out"
			case part == "x" || part == "-":
				skipped[row.Code] = "skipped"
			default:
				answers[row.Code] = part
			}
		}
		if row.Value == "" {
			skipped[row.Code] = "skipped"
		}
	}
	return answers, skipped
}

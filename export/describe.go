package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Describe is the data dictionary of the datasets, in Markdown.
func Describe(datasets []Dataset) string {
	var b strings.Builder
	b.WriteString(`# Data dictionary

Written from the definitions in package ` + "`export`" + `, never by hand.

Missing is an empty cell in every column. Dates are calendar dates where the participant lives; instants are UTC to the
millisecond; flags are Y or N; numbers are unrounded, the shortest decimal that reads back to the same double. In CSV a text
that people wrote and a spreadsheet would take for a formula (it begins with =, +, -, @, tab or a line break, or has
apostrophes before that) has an apostrophe before it, which the reading scripts take away; values of closed lists have none.
Nothing here names a person: no contact data, no free text, no device names, staff by opaque ids only.

Participants come in the order of site, number and id as at the cut. In SAS transport files and in Dataset-JSON a dataset has
the short name in brackets. SAS dates count days, instants seconds, from 1 January 1960.
`)
	for _, d := range datasets {
		fmt.Fprintf(&b, "\n## %s (%s)\n\n%s. A row is %s. Rows are told apart by %s.\n\n", d.Name, d.Member, d.Label, d.Row, strings.Join(d.Keys, ", "))
		b.WriteString("| column | label | kind | unit | values | note |\n|---|---|---|---|---|---|\n")
		for _, c := range d.Columns {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.Name, c.Label, c.Kind, c.Unit, codesText(c.Codes), c.Note)
		}
	}
	return b.String()
}

// dictionary is the data dictionary of what is in the export.
func (e *Export) dictionary() string {
	all := make([]Dataset, len(e.parts))
	for i, p := range e.parts {
		all[i] = p.dataset
	}
	return Describe(all)
}

// packs are the wording packs that were shown with the forms in the export.
func (e *Export) packs() []string {
	seen := map[string]bool{}
	for _, p := range e.parts {
		maps.Copy(seen, p.view.packs)
	}
	return slices.Sorted(maps.Keys(seen))
}

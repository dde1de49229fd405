package export_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"epro/export"
)

const dictionaryFile = "../docs/data-dictionary.md"

func TestTheDataDictionaryIsWhatTheDatasetsSay(t *testing.T) {
	golden(t, dictionaryFile, dictionary())
}

// dictionary is the text of docs/data-dictionary.md.
func dictionary() string {
	var b strings.Builder
	b.WriteString(`# Data dictionary

Written from the definitions in package ` + "`export`" + ` by ` + "`go test ./export -update`" + `; a test fails when the two differ. Do not edit it by hand.

Missing is an empty cell in every column. Dates are calendar dates where the participant lives; instants are UTC to the
millisecond; flags are Y or N; numbers are unrounded, the shortest decimal that reads back to the same double. In CSV a text
that a spreadsheet would take for a formula (it begins with =, +, -, @, tab or a line break) has an apostrophe before it.
Nothing here names a person: no contact data, no free text, no device names, staff by opaque ids only.
`)
	for _, d := range export.Datasets() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. A row is %s. Rows are sorted by %s.\n\n", d.Name, d.Label, d.Row, strings.Join(d.Keys, ", "))
		b.WriteString("| column | label | kind | unit | values | note |\n|---|---|---|---|---|---|\n")
		for _, c := range d.Columns {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", c.Name, c.Label, c.Kind, c.Unit, codes(c), c.Note)
		}
	}
	return b.String()
}

func codes(c export.Column) string {
	words := make([]string, len(c.Codes))
	for i, code := range c.Codes {
		words[i] = code.Value
		if code.Meaning != "" {
			words[i] += " = " + code.Meaning
		}
	}
	return strings.Join(words, "; ")
}

// SAS transport files hold no longer names and labels than these.
func TestNamesAndLabelsFitSASTransportFiles(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,7}$`)
	for _, d := range export.Datasets() {
		seen := map[string]bool{}
		for _, c := range d.Columns {
			if !name.MatchString(c.Name) || len(c.Label) > 40 || c.Label == "" || seen[c.Name] {
				t.Errorf("%s.%s: name or label %q does not fit, or stands twice", d.Name, c.Name, c.Label)
			}
			seen[c.Name] = true
			if strings.ContainsAny(c.Label+c.Note+codes(c), "|\n") {
				t.Errorf("%s.%s: would break the table of the dictionary", d.Name, c.Name)
			}
		}
		for _, key := range d.Keys {
			if !seen[key] {
				t.Errorf("%s has no key column %s", d.Name, key)
			}
		}
	}
}

// Every value in the columns with a closed list is on the list.
func TestClosedListsAreClosed(t *testing.T) {
	w := newWorld(t, false, nil)
	threePeople(t, w)
	for _, d := range export.Datasets() {
		text, _ := w.write(export.Options{Dataset: d.Name})
		for _, row := range rows(t, text) {
			for _, c := range d.Columns {
				if c.Codes != nil && row[c.Name] != "" && !strings.Contains("; "+codes(c)+" ", "; "+row[c.Name]+" ") && !strings.Contains("; "+codes(c)+";", "; "+row[c.Name]+";") {
					t.Errorf("%s.%s has %q, which is not listed", d.Name, c.Name, row[c.Name])
				}
			}
		}
	}
}

package export_test

import (
	"regexp"
	"strings"
	"testing"

	"epro/export"
)

const dictionaryFile = "../docs/data-dictionary.md"

func TestTheDataDictionaryIsWhatTheDatasetsSay(t *testing.T) {
	golden(t, dictionaryFile, export.Describe(export.Datasets()))
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
		if !name.MatchString(d.Member) || len(d.Label) > 40 {
			t.Errorf("%s: %q or %q does not fit", d.Name, d.Member, d.Label)
		}
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

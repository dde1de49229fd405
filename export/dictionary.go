package export

import "strings"

// entry is a column of a dataset, as the dictionary describes it.
type entry struct {
	dataset Dataset
	number  int // of the column, from 1
	Column
}

// dictionary describes every column of the datasets, and of itself.
func dictionary(datasets []Dataset) Dataset {
	d := Dataset{
		Name: "dictionary", Label: "Data dictionary", Member: "DICT",
		Row:  "a column of a dataset",
		Keys: []string{"DATASET", "COLNUM"},
	}
	fields := dictionaryFields()
	d.Columns = columnsOf(fields)
	d.last = func(v *view, out emit) error {
		each := rowsOf(v, fields, out)
		for _, described := range append(datasets[:len(datasets):len(datasets)], d) {
			for i, c := range described.Columns {
				if err := each(&entry{described, i + 1, c}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return d
}

func dictionaryFields() []field[*entry] {
	return []field[*entry]{
		{Column{Name: "DATASET", Label: "Dataset"}, func(e *entry) Value { return TextOf(e.dataset.Name) }},
		{Column{Name: "MEMBER", Label: "Name in SAS and Dataset-JSON Files"}, func(e *entry) Value { return TextOf(e.dataset.Member) }},
		{Column{Name: "COLNUM", Label: "Column Number", Kind: Integer}, func(e *entry) Value { return IntegerOf(e.number) }},
		{Column{Name: "COLUMN", Label: "Column"}, func(e *entry) Value { return TextOf(e.Name) }},
		{Column{Name: "LABEL", Label: "Label"}, func(e *entry) Value { return TextOf(e.Label) }},
		{Column{Name: "KIND", Label: "Kind of Value", Note: "text, integer, number, date, instant or flag."}, func(e *entry) Value { return TextOf(e.Kind.String()) }},
		{Column{Name: "UNIT", Label: "Unit"}, func(e *entry) Value { return TextOf(e.Unit) }},
		{Column{Name: "KEYNUM", Label: "Place Among the Key Columns", Kind: Integer}, func(e *entry) Value { return unlessZero(e.keyNumber()) }},
		{Column{Name: "VALUES", Label: "All Values, Where the List Is Closed", Note: "Joined by semicolons; each value with its meaning behind an equals sign."},
			func(e *entry) Value { return short(codesText(e.Codes)) }},
		{Column{Name: "NOTE", Label: "Note"}, func(e *entry) Value { return short(e.Note) }},
	}
}

// keyNumber is the column's place among the keys, or 0.
func (e *entry) keyNumber() int {
	for i, key := range e.dataset.Keys {
		if key == e.Name {
			return i + 1
		}
	}
	return 0
}

// short cuts a text to what every format can hold; docs/data-dictionary.md has
// the rest.
func short(text string) Value {
	if len(text) > maxTextXPT {
		text = text[:maxTextXPT-3] + "..."
	}
	return TextOf(text)
}

// codesText is a closed list in words.
func codesText(codes []Code) string {
	words := make([]string, len(codes))
	for i, code := range codes {
		words[i] = code.Value
		if code.Meaning != "" {
			words[i] += " = " + code.Meaning
		}
	}
	return strings.Join(words, "; ")
}

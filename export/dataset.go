package export

import (
	"slices"
	"strings"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/study"
)

// Column is one variable of a dataset. Names have at most 8 upper-case
// characters and labels at most 40, the limits of SAS transport files.
type Column struct {
	Name, Label string
	Kind        Kind
	Unit        string // "" where there is none
	Codes       []Code // every value that the cells can have; nil: not a closed list
	Note        string // what a reader must know besides; for the data dictionary
}

// Code is one value of a closed list and what it means.
type Code struct{ Value, Meaning string }

// Dataset is a table that can be exported. Its rows come one after the other,
// participant by participant.
type Dataset struct {
	Name, Label string
	Row         string   // what a row is, in words
	Keys        []string // the columns by which rows are sorted and told apart
	Columns     []Column
	rows        func(*view, *study.Participant, func([]Value) error) error
}

// field is a column together with how a row gives its value, so that the two
// cannot drift apart.
type field[R any] struct {
	Column
	value func(R) Value
}

// table makes a Dataset of the fields of a row type R. each calls its function
// with every row that a participant's record gives.
func table[R any](d Dataset, fields []field[R], each func(*view, *study.Participant, func(R) error) error) Dataset {
	for _, f := range fields {
		d.Columns = append(d.Columns, f.Column)
	}
	d.rows = func(v *view, p *study.Participant, emit func([]Value) error) error {
		if cap(v.cells) < len(fields) {
			v.cells = make([]Value, len(fields))
		}
		cells := v.cells[:len(fields)]
		return each(v, p, func(row R) error {
			for i, f := range fields {
				cells[i] = f.value(row)
			}
			return emit(cells)
		})
	}
	return d
}

// Datasets are all datasets that can be exported, with the columns that they
// have for FACT-B.
func Datasets() []Dataset { return datasetsFor(factb.FACTB) }

// datasetsFor are the datasets for a study that uses the instrument.
func datasetsFor(ins *instruments.Instrument) []Dataset {
	return []Dataset{itemsWide(ins), scoresWide(ins)}
}

// pick finds the dataset of this name, or says which there are.
func pick(all []Dataset, name string) (Dataset, error) {
	i := slices.IndexFunc(all, func(d Dataset) bool { return d.Name == name })
	if i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.Name
	}
	return Dataset{}, study.Fail(study.Invalid, "There is no dataset of that name. There is: "+strings.Join(names, ", ")+".",
		study.Field{Name: "dataset", Reason: "use one of: " + strings.Join(names, ", ")})
}

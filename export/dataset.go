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

// open reports whether people have written what is in the column: texts that are
// on no closed list.
func (c Column) open() bool { return c.Kind == Text && c.Codes == nil }

// Code is one value of a closed list and what it means.
type Code struct{ Value, Meaning string }

// Dataset is a table that can be exported.
type Dataset struct {
	Name, Label string
	Member      string   // its name inside SAS and Dataset-JSON files, at most 8 characters
	Row         string   // what a row is, in words
	Keys        []string // the columns by which rows are sorted and told apart
	Columns     []Column
	source
}

// source says what a dataset's rows are made of. Each part that is not nil calls
// emit with rows: person for every participant's record, deliveries for what the
// ledger of reminders holds of her, event for every entry of the log, last once
// when everything was read.
type source struct {
	person     func(*view, *study.Participant, emit) error
	deliveries func(*view, *study.Participant, []study.Delivery, emit) error
	event      func(*view, study.Event, emit) error
	last       func(*view, emit) error
}

// emit takes a row; the cells are used again for the next one.
type emit func(cells []Value) error

// field is a column together with how a row gives its value, so that the two
// cannot drift apart.
type field[R any] struct {
	Column
	value func(R) Value
}

// table makes a Dataset of the fields of a row type R. each calls its function
// with every row that a participant's record gives.
func table[R any](d Dataset, fields []field[R], each func(*view, *study.Participant, func(R) error) error) Dataset {
	d.Columns = columnsOf(fields)
	d.person = func(v *view, p *study.Participant, out emit) error {
		return each(v, p, rowsOf(v, fields, out))
	}
	return d
}

func columnsOf[R any](fields []field[R]) []Column {
	columns := make([]Column, len(fields))
	for i, f := range fields {
		columns[i] = f.Column
	}
	return columns
}

// rowsOf turns each row into its cells and passes them on.
func rowsOf[R any](v *view, fields []field[R], out emit) func(R) error {
	if cap(v.cells) < len(fields) {
		v.cells = make([]Value, len(fields))
	}
	cells := v.cells[:len(fields)]
	return func(row R) error {
		for i, f := range fields {
			cells[i] = f.value(row)
		}
		return out(cells)
	}
}

// Datasets are all datasets that can be exported, with the columns that they
// have for FACT-B.
func Datasets() []Dataset { return datasetsFor(factb.FACTB) }

// datasetsFor are the datasets for a study that uses the instrument.
func datasetsFor(ins *instruments.Instrument) []Dataset {
	all := []Dataset{itemsWide(ins), scoresLong(ins), scoresWide(ins), qs(ins), tte(ins), completion(), missing(), reminders(), audit()}
	return append(all, dictionary(all))
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

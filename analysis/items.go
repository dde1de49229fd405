package analysis

import (
	"epro/instruments/factb"
	"epro/study"
)

// ItemCell is an item at one visit.
type ItemCell struct {
	N    int      `json:"n"`    // forms that answer it
	Few  bool     `json:"few"`  // fewer than ten
	Mean *float64 `json:"mean"` // none where nobody answered
}

// ItemRow is one item at the visits.
type ItemRow struct {
	Item     string     `json:"item"`
	Label    string     `json:"label"`    // our own short one, never the item's text
	Reversed bool       `json:"reversed"` // scored lowest plus highest choice minus the answer
	Cells    []ItemCell `json:"cells"`    // as ItemTable.Visits
}

// ItemTable has the mean score of every item of a scale at the visits.
type ItemTable struct {
	About
	Low    int       `json:"low"` // the least and the most that an item can score; more is better
	High   int       `json:"high"`
	Visits []Point   `json:"visits"`
	Items  []ItemRow `json:"items"`
}

// ItemTable describes the items of the scale, as they are scored, over the forms
// that are valid for it.
func (d *Data) ItemTable(a Ask) (ItemTable, error) {
	about, score, points, err := d.about(a)
	if err != nil {
		return ItemTable{}, err
	}
	t := ItemTable{About: about, Low: d.Instrument.Lowest(), High: d.Instrument.Highest(), Visits: points}
	labels, _ := factb.Labels("en")
	items := d.itemsOf(d.Instrument.ItemsOf(about.Scale))
	for _, it := range items {
		code := d.Instrument.Items[it.at].Code
		t.Items = append(t.Items, ItemRow{Item: code, Label: labels.Items[code], Reversed: it.reversed, Cells: make([]ItemCell, len(points))})
	}
	for i, point := range points {
		sums := make([]int, len(items))
		d.population(func(q *Person) {
			f := point.form(q, score)
			if f == nil {
				return
			}
			for j, it := range items {
				if answer := f.Answers[it.at]; answer.Answered() {
					sums[j] += it.scored(int(answer))
					t.Items[j].Cells[i].N++
				}
			}
		})
		for j := range items {
			if c := &t.Items[j].Cells[i]; c.N > 0 {
				mean := float64(sums[j]) / float64(c.N)
				c.Mean = &mean
			}
			t.Items[j].Cells[i].Few = t.Items[j].Cells[i].N < Few
		}
	}
	return t, nil
}

// everyVisit refuses a question about some visits, of a table that needs all.
func (a Ask) everyVisit(table string) error {
	for _, part := range []struct{ name, said string }{{"visit", a.Visit}, {"from", a.From}, {"to", a.To}} {
		if part.said != "" {
			return study.Fail(study.Invalid, table+" looks at all visits of each participant together.",
				study.Field{Name: part.name, Reason: "leave it out; to look at an earlier state give a cut or the last day that counts (through)"})
		}
	}
	return nil
}

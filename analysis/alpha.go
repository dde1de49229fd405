package analysis

import (
	"gonum.org/v1/gonum/stat"
)

// AlphaRow is Cronbach's alpha of one subscale at one visit.
type AlphaRow struct {
	Scale string `json:"scale"`
	Point
	N     int      `json:"n"`     // forms with every item of the subscale answered
	Items int      `json:"items"` // of the subscale
	Alpha *float64 `json:"alpha"` // none of fewer than two forms, or where nothing varies
}

// AlphaTable is alpha at the visits.
type AlphaTable struct {
	Run  Run        `json:"run"`
	Axis Axis       `json:"axis"`
	Rows []AlphaRow `json:"rows"`
}

// AlphaTable is Cronbach's alpha of every subscale at the visits, over the
// forms that are valid and answer all of its items, after reversing.
func (d *Data) AlphaTable(a Ask) (AlphaTable, error) {
	about, _, points, err := d.about(a)
	if err != nil {
		return AlphaTable{}, err
	}
	t := AlphaTable{Run: d.Run, Axis: about.Axis, Rows: []AlphaRow{}}
	for _, point := range points {
		for score, sub := range d.Instrument.Subscales {
			items := d.itemsOf(sub.Items)
			columns := make([][]float64, len(items))
			d.population(func(q *Person) {
				if f := point.form(q, score); f != nil {
					addComplete(columns, items, f)
				}
			})
			t.Rows = append(t.Rows, AlphaRow{sub.Code, point, len(columns[0]), len(items), alpha(columns)})
		}
	}
	return t, nil
}

// item is where an item stands in the answers, and how it is scored.
type item struct {
	at       int
	reversed bool
	top      int // lowest plus highest choice
}

// scored is what an answer adds to the score.
func (it item) scored(answer int) int {
	if it.reversed {
		return it.top - answer
	}
	return answer
}

func (p *Plan) itemsOf(codes []string) []item {
	items := make([]item, len(codes))
	for i, code := range codes {
		at, _ := p.Instrument.Index(code)
		items[i] = item{at, p.Instrument.Items[at].Reversed, p.Instrument.Lowest() + p.Instrument.Highest()}
	}
	return items
}

// addComplete adds the form's item scores, unless one is missing.
func addComplete(columns [][]float64, items []item, f *Form) {
	for _, it := range items {
		if !f.Answers[it.at].Answered() {
			return
		}
	}
	for i, it := range items {
		columns[i] = append(columns[i], float64(it.scored(int(f.Answers[it.at]))))
	}
}

// alpha is k/(k−1) · (1 − sum of the items' variances ÷ variance of their sum).
func alpha(columns [][]float64) *float64 {
	k, n := float64(len(columns)), len(columns[0])
	if n < 2 || k < 2 {
		return nil
	}
	sums, variances := make([]float64, n), 0.0
	for _, column := range columns {
		variances += stat.Variance(column, nil)
		for i, x := range column {
			sums[i] += x
		}
	}
	total := stat.Variance(sums, nil)
	if total == 0 {
		return nil
	}
	a := k / (k - 1) * (1 - variances/total)
	return &a
}

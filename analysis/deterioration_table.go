package analysis

import (
	"cmp"
	"slices"
)

// DeteriorationTable is the time to deterioration of everybody and its curve.
type DeteriorationTable struct {
	About
	Rule       Rule          `json:"rule"`
	Curve      Curve         `json:"curve"`
	Endings    []EndingCount `json:"endings"`
	CannotFall int           `json:"cannot_fall"` // whose baseline lies too low to fall so far; they stay in
	SingleLast int           `json:"single_last"` // definitive falls that only the last form shows
	// AtRisk are the numbers at risk every four cycle lengths, for under a plot.
	AtRisk []RiskMark      `json:"at_risk"`
	People []Deterioration `json:"participants"`
}

// RiskMark is how many were at risk on a day from the first dose.
type RiskMark struct {
	Days int `json:"days"`
	N    int `json:"n"`
}

// EndingCount is how many times ended in one way.
type EndingCount struct {
	Censor      Ending `json:"cnsr"`
	Description string `json:"description"`
	N           int    `json:"n"`
}

// DeteriorationTable counts time to deterioration under a rule.
func (d *Data) DeteriorationTable(a Ask) (DeteriorationTable, error) {
	if err := a.everyVisit("Time to deterioration"); err != nil {
		return DeteriorationTable{}, err
	}
	a.Axis = ByCycle
	about, score, _, err := d.about(a)
	if err != nil {
		return DeteriorationTable{}, err
	}
	r, err := d.Settle(a.Rule, score)
	if err != nil {
		return DeteriorationTable{}, err
	}
	t := DeteriorationTable{About: about, Rule: r, People: []Deterioration{}}
	counts := map[EndingCount]int{}
	var times []Time
	d.population(func(q *Person) {
		x := d.TimeToDeterioration(q, score, r)
		t.People = append(t.People, x)
		times = append(times, Time{x.Days, x.Event})
		counts[EndingCount{Censor: x.Censor, Description: x.Description}]++
		if x.CannotFall {
			t.CannotFall++
		}
		if x.SingleLast {
			t.SingleLast++
		}
	})
	for ending, n := range counts {
		ending.N = n
		t.Endings = append(t.Endings, ending)
	}
	slices.SortFunc(t.Endings, func(a, b EndingCount) int {
		return cmp.Or(cmp.Compare(a.Censor, b.Censor), cmp.Compare(a.Description, b.Description))
	})
	t.Curve = KaplanMeier(times)
	t.AtRisk = t.Curve.marks(4 * d.CycleDays)
	return t, nil
}

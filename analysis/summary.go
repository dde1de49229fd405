package analysis

import (
	"math"
	"slices"
)

// Few is the number of values below which a page shows a figure greyed.
const Few = 10

// Summary describes values; a figure that the number of values does not allow
// is left out.
type Summary struct {
	N      int      `json:"n"`
	Few    bool     `json:"few"` // fewer than ten: to be shown greyed
	Mean   *float64 `json:"mean"`
	SD     *float64 `json:"sd"`     // divisor n − 1
	Low    *float64 `json:"ci_low"` // ends of the mean's 95 % t interval
	High   *float64 `json:"ci_high"`
	Min    *float64 `json:"min"`
	Q1     *float64 `json:"q1"` // quartiles by linear interpolation, R's type 7
	Median *float64 `json:"median"`
	Q3     *float64 `json:"q3"`
	Max    *float64 `json:"max"`
}

// Summarise describes the values. Their order does not matter; it is changed.
func Summarise(values []float64) Summary {
	slices.Sort(values) // and so the sums do not depend on the order of people
	s := Summary{N: len(values), Few: len(values) < Few}
	mean, sd, around := MeanInterval(values)
	s.Mean, s.SD = known(mean), known(sd)
	s.Low, s.High = around.ends()
	s.Min, s.Q1, s.Median = known(quantile(values, 0)), known(quantile(values, 0.25)), known(quantile(values, 0.5))
	s.Q3, s.Max = known(quantile(values, 0.75)), known(quantile(values, 1))
	return s
}

// known is the number, or nil for none.
func known(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// quantile is R's type 7, of sorted values.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	place := p * float64(len(sorted)-1)
	below := int(math.Floor(place))
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (place-float64(below))*(sorted[below+1]-sorted[below])
}

// ScoreRow describes a score at one visit.
type ScoreRow struct {
	Point
	Summary
}

// ScoreTable describes a score, or its change, at the visits.
type ScoreTable struct {
	About
	Low    int        `json:"low"` // the least and the most the score can be
	High   int        `json:"high"`
	MID    *float64   `json:"mid"` // lower end of the published MID, if there is one
	Visits []ScoreRow `json:"visits"`
}

// ScoreTable describes the score at the visits.
func (d *Data) ScoreTable(a Ask) (ScoreTable, error) {
	about, score, points, err := d.about(a)
	if err != nil {
		return ScoreTable{}, err
	}
	return d.describe(about, score, points, func(_ *Person, f *Form, score int) (float64, bool) { return f.Value(score) }), nil
}

// ChangeTable describes the change from baseline at the visits.
func (d *Data) ChangeTable(a Ask) (ScoreTable, error) {
	about, score, points, err := d.about(a)
	if err != nil {
		return ScoreTable{}, err
	}
	return d.describe(about, score, d.later(points), (*Person).Change), nil
}

func (d *Data) describe(about About, score int, points []Point, value func(*Person, *Form, int) (float64, bool)) ScoreTable {
	t := ScoreTable{About: about, Visits: make([]ScoreRow, len(points))}
	t.Low, t.High, _ = d.Instrument.Range(about.Scale)
	if mid := d.MID(score).Low; mid > 0 {
		t.MID = &mid
	}
	for i, point := range points {
		t.Visits[i] = ScoreRow{point, Summarise(d.values(point, score, value))}
	}
	return t
}

func (d *Data) values(point Point, score int, value func(*Person, *Form, int) (float64, bool)) []float64 {
	var out []float64
	d.population(func(q *Person) {
		if f := point.form(q, score); f != nil {
			if x, there := value(q, f, score); there {
				out = append(out, x)
			}
		}
	})
	return out
}

// Step is a step of a cumulative distribution: the share of values up to Change.
type Step struct {
	Change float64 `json:"change"`
	Share  float64 `json:"share"`
}

// Distribution is the cumulative distribution of the change from baseline at
// one visit.
type Distribution struct {
	Point
	N     int    `json:"n"`
	Few   bool   `json:"few"`   // fewer than ten
	Steps []Step `json:"steps"` // one for each value that occurs
}

// DistributionTable are the distributions at the visits.
type DistributionTable struct {
	About
	MID    *float64       `json:"mid"`
	Visits []Distribution `json:"visits"`
}

// DistributionTable gives the cumulative distribution of the change at the
// visits.
func (d *Data) DistributionTable(a Ask) (DistributionTable, error) {
	about, score, points, err := d.about(a)
	if err != nil {
		return DistributionTable{}, err
	}
	points = d.later(points)
	t := DistributionTable{About: about, Visits: make([]Distribution, len(points))}
	if mid := d.MID(score).Low; mid > 0 {
		t.MID = &mid
	}
	for i, point := range points {
		values := d.values(point, score, (*Person).Change)
		t.Visits[i] = Distribution{point, len(values), len(values) < Few, cumulate(values)}
	}
	return t, nil
}

func cumulate(values []float64) []Step {
	slices.Sort(values)
	steps := []Step{}
	for i, v := range values {
		step := Step{v, float64(i+1) / float64(len(values))}
		if n := len(steps); n > 0 && steps[n-1].Change == v {
			steps[n-1] = step
			continue
		}
		steps = append(steps, step)
	}
	return steps
}

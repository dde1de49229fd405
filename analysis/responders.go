package analysis

import (
	"errors"
	"fmt"

	"epro/study"
)

// closeness is how near two numbers of points must be to be taken for equal:
// scores are sums of fractions, and what is exactly 5 on paper may be a few
// units in the last place less here. Real differences are far larger.
const closeness = 1e-9

// reaches reports whether a difference is at least the threshold; 4.9999 does
// not reach 5.
func reaches(difference, threshold float64) bool { return difference >= threshold-closeness }

// Threshold is the number of points that a change must reach: as asked for, or
// the lower end of the published minimally important difference. A score
// without one needs it to be said.
func (p *Plan) Threshold(score int, asked float64) (float64, error) {
	switch mid := p.MID(score); {
	case asked > 0:
		return asked, nil
	case asked < 0:
		return 0, study.Fail(study.Invalid, "A threshold is a number of points above 0.", study.Field{Name: "threshold", Reason: "give a number above 0"})
	case mid.Low == 0:
		e := study.Fail(study.Invalid, fmt.Sprintf("No minimally important difference is published for %s. Say which change counts.", p.Scores[score]),
			study.Field{Name: "threshold", Reason: "give a number of points above 0"})
		e.Err = errNoThreshold
		return 0, e
	default:
		return mid.Low, nil
	}
}

// errNoThreshold marks the refusal of what needs a threshold that nobody said.
var errNoThreshold = errors.New("no published threshold")

// NeedsThreshold reports whether a table was refused because its score has no
// published threshold and none was asked for.
func NeedsThreshold(err error) bool { return errors.Is(err, errNoThreshold) }

// Share is a part of a whole with its exact interval.
type Share struct {
	N    int      `json:"n"`
	Of   int      `json:"of"`
	Rate *float64 `json:"rate"`
	Low  *float64 `json:"ci_low"` // ends of the exact 95 % interval
	High *float64 `json:"ci_high"`
}

func shareOf(n, of int) Share {
	s := Share{N: n, Of: of, Rate: share(n, of)}
	if of > 0 {
		around := ExactInterval(n, of)
		s.Low, s.High = around.ends()
	}
	return s
}

// Response counts people whose change reaches the threshold up, down, or neither.
type Response struct {
	Improved Share `json:"improved"` // by the threshold or more
	Stable   Share `json:"stable"`
	Worsened Share `json:"worsened"` // by the threshold or more
}

func responseOf(improved, stable, worsened, of int) Response {
	return Response{shareOf(improved, of), shareOf(stable, of), shareOf(worsened, of)}
}

// ResponseRow is the response at one visit: among those whose change is known,
// and among all who were there to give it. In the second the three do not add
// up to everybody; who is missing did not respond.
type ResponseRow struct {
	Point
	Few        bool     `json:"few"` // fewer than ten with a known change
	AmongValid Response `json:"among_valid"`
	AmongAll   Response `json:"among_all"`
}

// EverRow counts people who responded at all: at any visit after baseline, or
// sustained, at two valid forms in a row. Who has a baseline and a valid form
// after it is valid; all is the PRO population.
type EverRow struct {
	ImprovedAmongValid Share `json:"improved_among_valid"`
	ImprovedAmongAll   Share `json:"improved_among_all"`
	WorsenedAmongValid Share `json:"worsened_among_valid"`
	WorsenedAmongAll   Share `json:"worsened_among_all"`
}

// ResponderTable are the counts by visit, and over all visits.
type ResponderTable struct {
	About
	Threshold float64       `json:"threshold"`
	Source    string        `json:"source"` // of the threshold
	Visits    []ResponseRow `json:"visits"`
	Any       EverRow       `json:"any"`
	Sustained EverRow       `json:"sustained"`
}

// ResponderTable counts by a threshold in points; zero is the published one.
func (d *Data) ResponderTable(a Ask) (ResponderTable, error) {
	about, score, points, err := d.about(a)
	if err != nil {
		return ResponderTable{}, err
	}
	points = d.later(points)
	t := ResponderTable{About: about, Source: "as asked for", Visits: make([]ResponseRow, len(points))}
	if a.Threshold == 0 {
		t.Source = d.MID(score).Source
	}
	if t.Threshold, err = d.Threshold(score, a.Threshold); err != nil {
		return ResponderTable{}, err
	}
	for i, point := range points {
		t.Visits[i] = d.response(point, score, t.Threshold)
	}
	t.Any, t.Sustained = d.ever(score, t.Threshold, 1), d.ever(score, t.Threshold, 2)
	return t, nil
}

func (d *Data) response(point Point, score int, threshold float64) ResponseRow {
	var improved, worsened, valid, all int
	d.population(func(q *Person) {
		change, there := 0.0, false
		if f := point.form(q, score); f != nil {
			change, there = q.Change(f, score)
		}
		if there {
			valid++
			if reaches(change, threshold) {
				improved++
			} else if reaches(-change, threshold) {
				worsened++
			}
		}
		if there || point.expects(d, q) {
			all++
		}
	})
	stable := valid - improved - worsened
	return ResponseRow{Point: point, Few: valid < Few, AmongValid: responseOf(improved, stable, worsened, valid),
		AmongAll: responseOf(improved, stable, worsened, all)}
}

// ever counts people with so many valid forms in a row that reach the threshold.
func (d *Data) ever(score int, threshold float64, inARow int) EverRow {
	var improved, worsened, valid, all int
	d.population(func(q *Person) {
		all++
		up, down, longestUp, longestDown, known := 0, 0, 0, 0, false
		for i := range q.Forms {
			change, there := q.Change(&q.Forms[i], score)
			if !there {
				continue
			}
			known = true
			up, down = run(up, reaches(change, threshold)), run(down, reaches(-change, threshold))
			longestUp, longestDown = max(longestUp, up), max(longestDown, down)
		}
		if known {
			valid++
		}
		if longestUp >= inARow {
			improved++
		}
		if longestDown >= inARow {
			worsened++
		}
	})
	return EverRow{shareOf(improved, valid), shareOf(improved, all), shareOf(worsened, valid), shareOf(worsened, all)}
}

// run is the length of a run that goes on, or ends.
func run(length int, goesOn bool) int {
	if goesOn {
		return length + 1
	}
	return 0
}

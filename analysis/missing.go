package analysis

import (
	"cmp"
	"slices"
	"strings"
)

// Pattern says in which order a person's expected forms are missing.
type Pattern string

// The patterns, over the visits at which a form was expected.
const (
	PatternComplete     Pattern = "complete"
	PatternMonotone     Pattern = "monotone"     // valid up to a visit, missing from then on
	PatternIntermittent Pattern = "intermittent" // missing, then valid again
	PatternNone         Pattern = "none"         // no valid form at all
)

// PatternRow is a sequence of visits as it occurs: X valid, O expected and not
// valid, - not expected (dead, or left the trial), . outside the table.
type PatternRow struct {
	Visits string  `json:"visits"`
	Kind   Pattern `json:"pattern"`
	N      int     `json:"n"`
}

// LastRow are those whose last valid form is at one visit: their mean score at
// every visit shows whether who stops early was worse before.
type LastRow struct {
	Last  Point      `json:"last"`
	N     int        `json:"n"`
	Means []*float64 `json:"means"` // by visit; none where nobody has a valid form
}

// MissingTable describes what is missing of one score in the PRO population.
type MissingTable struct {
	About
	Kinds    map[Pattern]int `json:"kinds"`
	Patterns []PatternRow    `json:"patterns"` // most frequent first
	ByLast   []LastRow       `json:"by_last"`
}

// MissingTable counts patterns of missing forms, by cycle.
func (d *Data) MissingTable(a Ask) (MissingTable, error) {
	if err := a.everyVisit("The pattern of missing forms"); err != nil {
		return MissingTable{}, err
	}
	a.Axis = ByCycle
	about, score, _, err := d.about(a)
	if err != nil {
		return MissingTable{}, err
	}
	t := MissingTable{About: about, Kinds: map[Pattern]int{PatternComplete: 0, PatternMonotone: 0, PatternIntermittent: 0, PatternNone: 0}, Patterns: []PatternRow{}}
	counts := map[PatternRow]int{}
	d.population(func(q *Person) {
		row := q.pattern(score)
		t.Kinds[row.Kind]++
		counts[row]++
	})
	for row, n := range counts {
		row.N = n
		t.Patterns = append(t.Patterns, row)
	}
	slices.SortFunc(t.Patterns, func(a, b PatternRow) int { return cmp.Or(b.N-a.N, -cmp.Compare(a.Visits, b.Visits)) })
	t.ByLast = d.byLast(score)
	return t, nil
}

func (q *Person) pattern(score int) PatternRow {
	var visits, expected strings.Builder
	for i := range q.Visits {
		v := &q.Visits[i]
		_, valid := valueOf(v.Form, score)
		sign := byte('.')
		switch {
		case !v.Standing.Entered():
		case !v.Standing.Expected():
			sign = '-'
		case valid:
			sign = 'X'
		default:
			sign = 'O'
		}
		visits.WriteByte(sign)
		if v.Standing.Expected() {
			expected.WriteByte(sign)
		}
	}
	return PatternRow{Visits: visits.String(), Kind: kindOf(expected.String())}
}

// kindOf names a sequence of X and O.
func kindOf(expected string) Pattern {
	switch valid := strings.TrimRight(expected, "O"); {
	case valid == "" && expected == "":
		return PatternComplete // nothing was expected, so nothing is missing
	case valid == "":
		return PatternNone
	case strings.Contains(valid, "O"):
		return PatternIntermittent
	case valid == expected:
		return PatternComplete
	default:
		return PatternMonotone
	}
}

func (d *Data) byLast(score int) []LastRow {
	points := d.points(ByCycle)
	sums, counts := make([][]float64, len(points)), make([][]int, len(points))
	rows := make([]LastRow, len(points))
	for i, p := range points {
		rows[i], sums[i], counts[i] = LastRow{Last: p, Means: make([]*float64, len(points))}, make([]float64, len(points)), make([]int, len(points))
	}
	d.population(func(q *Person) {
		last := -1
		for i := range q.Visits {
			if _, valid := valueOf(q.Visits[i].Form, score); valid {
				last = i
			}
		}
		if last < 0 {
			return
		}
		rows[last].N++
		for i := range q.Visits {
			if value, valid := valueOf(q.Visits[i].Form, score); valid {
				sums[last][i] += value
				counts[last][i]++
			}
		}
	})
	for i := range rows {
		for j, n := range counts[i] {
			if n > 0 {
				mean := sums[i][j] / float64(n)
				rows[i].Means[j] = &mean
			}
		}
	}
	return slices.DeleteFunc(rows, func(r LastRow) bool { return r.N == 0 })
}

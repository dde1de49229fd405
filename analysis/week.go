package analysis

import (
	"fmt"
	"strconv"

	"epro/study"
)

// Week is a calendar visit: the multiple of the cycle length that is nearest to
// a day, of two as near the earlier. It never lies before the origin.
type Week struct {
	Target int // days from the origin: 0, 21, 42 …
	Diff   int // days from the target: negative before it
}

// week is the calendar visit of a day; the zero Week where there is no origin.
func (p *Plan) week(q *Person, on study.Date) Week {
	origin := p.OriginOf(q)
	if origin == 0 {
		return Week{}
	}
	days, length := int(on-origin), p.CycleDays
	// Half a length and less rounds down, so that a tie is the earlier.
	target := max(0, (2*days+length-1)/(2*length)) * length
	return Week{Target: target, Diff: days - target}
}

// OriginOf is the day that her calendar visits are counted from, or none.
func (p *Plan) OriginOf(q *Person) study.Date {
	if p.Origin == FromEnrolment {
		return q.EnrolledOn
	}
	return q.FirstDose.On
}

// WeekCode names a calendar visit by its target in days: W18, or D10 where
// that is no whole number of weeks.
func WeekCode(target int) string {
	if target%7 == 0 {
		return fmt.Sprintf("W%d", target/7)
	}
	return fmt.Sprintf("D%d", target)
}

// isWeekCode reports whether the text has the form of a WeekCode.
func isWeekCode(code string) bool {
	if len(code) < 2 || code[0] != 'W' && code[0] != 'D' {
		return false
	}
	_, err := strconv.ParseUint(code[1:], 10, 31)
	return err == nil
}

// WeekName is WeekCode in words.
func WeekName(target int) string {
	if target%7 == 0 {
		return fmt.Sprintf("Week %d", target/7)
	}
	return fmt.Sprintf("Day %d", target)
}

// AtWeek is the form that stands for the calendar visit: of those valid for the
// score the nearest to the target, of two as near the earlier; nil for none.
func (q *Person) AtWeek(target, score int) *Form {
	var best *Form
	for i := range q.Forms {
		f := &q.Forms[i]
		if _, valid := f.Value(score); valid && f.Week.Target == target && (best == nil || abs(f.Week.Diff) < abs(best.Week.Diff)) {
			best = f
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

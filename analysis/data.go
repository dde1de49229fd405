package analysis

import (
	"cmp"
	"slices"

	"epro/study"
)

// Data is a study at a cut: its plan, everybody in it, and what the reading was
// about.
type Data struct {
	*Plan
	People []*Person
	Run    Run
}

// Run says what a reading of the study was about. It stands in every table.
type Run struct {
	Study          string         `json:"study"`
	Protocol       string         `json:"protocol"`   // version in force
	Instrument     string         `json:"instrument"` // with its version
	Scoring        string         `json:"scoring"`    // version of the rules
	Program        string         `json:"program"`    // version of this program
	Cut            study.Instant  `json:"cut" format:"date-time"`
	Final          bool           `json:"final"` // nothing can be recorded before the cut any more
	Through        string         `json:"through"`
	Demonstration  Demonstration  `json:"demonstration"`
	Origin         Origin         `json:"origin"`
	StrictBaseline bool           `json:"strict_baseline"`
	PreDose        bool           `json:"pre_dose"`
	Site           study.SiteCode `json:"site"`           // "": all
	Regimen        string         `json:"regimen"`        // at first dose; "": all
	Participants   int            `json:"participants"`   // looked at
	Population     int            `json:"population"`     // of them in the PRO population
	NoFurtherUse   int            `json:"no_further_use"` // participants left out because they forbade it
	LeftOut        LeftOut        `json:"left_out"`       // forms
}

// Ask says which table, as a person asks for it; a zero field is the default.
type Ask struct {
	Scale     string  // code of a score; the instrument's last total
	Axis      Axis    // that of Visit; ByCycle
	Visit     string  // code on the axis; all
	From, To  string  // first and last of the visits, by their codes; all
	Threshold float64 // in points, for responders; the published MID
	Rule      Rule    // for time to deterioration
}

// About says what a table is about.
type About struct {
	Run   Run    `json:"run"`
	Scale string `json:"scale"`
	Axis  Axis   `json:"axis"`
}

// about settles what every table needs: the score's place and the visits.
func (d *Data) about(a Ask) (about About, score int, points []Point, err error) {
	if score, err = d.Score(a.Scale); err != nil {
		return about, 0, nil, err
	}
	if code := cmp.Or(a.Visit, a.From, a.To); a.Axis == "" && isWeekCode(code) && d.VisitNumber(code) == 0 {
		a.Axis = ByCalendar
	}
	if a.Axis, err = choose("axis", a.Axis, Axes); err != nil {
		return about, 0, nil, err
	}
	points, err = d.at(a)
	return About{d.Run, d.Scores[score], a.Axis}, score, points, err
}

// Population is how many are in the PRO population.
func (d *Data) Population() int {
	n := 0
	for _, q := range d.People {
		if q.InPopulation {
			n++
		}
	}
	return n
}

// LeftOut adds up the forms that the selection leaves out.
func (d *Data) LeftOut() LeftOut {
	var l LeftOut
	for _, q := range d.People {
		l.Add(q.LeftOut)
	}
	return l
}

// population calls f with everybody in the PRO population.
func (d *Data) population(f func(*Person)) {
	for _, q := range d.People {
		if q.InPopulation {
			f(q)
		}
	}
}

// Axis says how forms are sorted into visits.
type Axis string

// A form belongs to the visit of its cycle, or to the nearest calendar visit.
const (
	ByCycle    Axis = "cycle"
	ByCalendar Axis = "calendar"
)

// Axes are the choices that a person has.
var Axes = []Axis{ByCycle, ByCalendar}

// Point is a visit on an axis.
type Point struct {
	Code string `json:"visit"`      // C7D1 by cycle, W18 by the calendar
	Name string `json:"visit_name"` // Cycle 7 (week 18), Week 18
	// Number is AVISITN by cycle: 0 for the first visit, then 1, 2 …; by the
	// calendar the number of cycle lengths from the origin.
	Number int `json:"visit_number"`

	axis   Axis
	target int // by the calendar: days from the origin
}

// points are the visits of an axis: all of the plan, or the calendar visits up
// to the last for which anybody has a form.
func (d *Data) points(axis Axis) []Point {
	var out []Point
	if axis == ByCycle {
		for i, v := range d.Visits {
			out = append(out, Point{Code: v.Code, Name: v.Name, Number: i, axis: axis})
		}
		return out
	}
	last := -1
	d.population(func(q *Person) {
		for i := range q.Forms {
			last = max(last, q.Forms[i].Week.Target)
		}
	})
	for target := 0; target <= last; target += d.CycleDays {
		out = append(out, Point{Code: WeekCode(target), Name: WeekName(target), Number: target / d.CycleDays, axis: axis, target: target})
	}
	return out
}

// Reaches reports whether anybody has a form at the calendar visit of this code
// or after it.
func (d *Data) Reaches(week string) bool {
	return slices.ContainsFunc(d.points(ByCalendar), func(p Point) bool { return p.Code == week })
}

// at are the points that a question is about: the one named, those from one to
// another, or all.
func (d *Data) at(a Ask) ([]Point, error) {
	all := d.points(a.Axis)
	codes := make([]string, len(all))
	for i, p := range all {
		codes[i] = p.Code
	}
	choices := codes
	if len(all) == 0 {
		choices = []string{WeekCode(0), WeekCode(d.CycleDays), WeekCode(2*d.CycleDays) + " and so on"}
	}
	first, last := 0, len(all)-1
	for _, end := range []struct {
		name, code string
		set        []*int
	}{{"from", a.From, []*int{&first}}, {"to", a.To, []*int{&last}}, {"visit", a.Visit, []*int{&first, &last}}} {
		if end.code == "" || len(all) == 0 && isWeekCode(end.code) { // by the calendar, nobody has a form yet
			continue
		}
		i := slices.Index(codes, end.code)
		if i < 0 {
			return nil, invalidChoice(end.name, choices)
		}
		for _, set := range end.set {
			*set = i
		}
	}
	if first > last && len(all) > 0 {
		return nil, study.Fail(study.Invalid, "The last visit lies before the first.", study.Field{Name: "to", Reason: a.To + " comes before " + a.From})
	}
	return all[first : last+1], nil
}

// later are the points but the baseline visit, which has no change from itself.
func (d *Data) later(points []Point) []Point {
	return slices.DeleteFunc(points, func(p Point) bool { return p.axis == ByCycle && d.Visits[p.Number].Baseline })
}

// form is the person's form at the point that is valid for the score, or nil.
func (p Point) form(q *Person, score int) *Form {
	if p.axis == ByCalendar {
		return q.AtWeek(p.target, score)
	}
	f := q.Visits[p.Number].Form
	if _, valid := valueOf(f, score); !valid {
		return nil
	}
	return f
}

// expects reports whether the point is behind the person: its window, or by the
// calendar all days that are nearest to it, have passed at the cut.
func (p Point) expects(d *Data, q *Person) bool {
	if p.axis == ByCycle {
		return q.Visits[p.Number].Standing.Entered()
	}
	origin := d.OriginOf(q)
	last := origin + study.Date(p.target+d.CycleDays/2)
	return origin != 0 && last < q.Today && (d.Through == 0 || last <= d.Through)
}

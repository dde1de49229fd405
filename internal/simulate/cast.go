package simulate

import (
	"cmp"
	"fmt"
	"slices"

	"epro/study"
)

// ending is how somebody leaves, if she does.
type ending int

const (
	stays ending = iota
	leavesQuestionnaires
	leavesTrial
	forbidsUse
	dies
)

// role is what the story needs one participant for, besides living her year.
type role struct {
	ending      ending
	fresh       int // 1 and up: has not used her code, with an assessment open now
	heldCounts  bool
	heldWaits   bool
	corrected   bool
	voided      bool
	onPaper     bool
	wrongClock  bool
	transcribed bool // one form on paper although she has the app
	interviewed bool // one form asked over the telephone
}

// person is a participant as she comes into the study.
type person struct {
	role
	index     int
	site      int
	number    string
	enrolsOn  study.Date
	firstPlan study.Date // cycle 1 as planned at enrolment
}

const (
	monthsBack = 455 // days before today on which the first participant enrols
	freshCount = 8
	manyPeople = 48 // up to here two leave and one dies; beyond, in proportion
)

// castOf says who takes part, in the order of enrolment.
func castOf(c chance, n int, t timetable) []person {
	fresh := min(freshCount, (2*n+2)/3)
	people := make([]person, 0, n)
	for i := range n - fresh {
		people = append(people, longStanding(c, i, n-fresh, t))
	}
	assignEndings(people, n)
	assignOddities(people, n)
	for i := range fresh {
		people = append(people, newcomer(c, i, t))
	}
	slices.SortStableFunc(people, func(a, b person) int { return cmp.Compare(a.enrolsOn, b.enrolsOn) })
	var next [2]int
	for i := range people {
		p := &people[i]
		next[p.site]++
		p.index, p.number = i, fmt.Sprintf("S%02d-%03d", p.site+1, next[p.site])
	}
	return people
}

// longStanding enrols somewhere in the fifteen months before today: the
// earliest have finished their year, the latest have just begun.
func longStanding(c chance, i, of int, t timetable) person {
	ago := monthsBack - int((float64(i)+0.5)*float64(monthsBack-15)/float64(of)) + c.between(-3, 3)
	p := person{site: weighted(c, []int{0, 1}, []int{2, 1}), enrolsOn: workday(t.today - study.Date(ago))}
	p.firstPlan = workday(p.enrolsOn + study.Date(c.between(3, 11)))
	p.onPaper = i%16 == 9
	p.wrongClock = i%24 == 11
	p.transcribed = i%9 == 4
	p.interviewed = i%11 == 6
	return p
}

// assignEndings spreads those who leave or die over everybody but the first,
// who is needed for a whole year.
func assignEndings(people []person, n int) {
	scale := max(n, manyPeople)
	withdrawals, deaths := 2*scale/manyPeople, scale/manyPeople
	if n < 12 {
		withdrawals, deaths = 0, 0
	}
	total := withdrawals + deaths
	left := 0
	for j := range total {
		at := 1 + j*max(total, len(people)*4/5-1)/total
		if j%3 == 1 {
			people[at].ending = dies
			continue
		}
		people[at].ending = pastEndings[left%len(pastEndings)]
		left++
	}
}

// pastEndings is how one withdrawal after the other goes.
var pastEndings = []ending{leavesQuestionnaires, leavesTrial, leavesTrial, forbidsUse, leavesQuestionnaires}

// assignOddities gives the unusual stories to people who stay, one in so many.
func assignOddities(people []person, n int) {
	var stay []*person
	for i := range people {
		if people[i].ending == stays && !people[i].onPaper {
			stay = append(stay, &people[i])
		}
	}
	if len(stay) == 0 {
		return
	}
	each := max(1, n/manyPeople)
	for j := range each {
		stay[(4*j)%len(stay)].heldCounts = true
		stay[(4*j+1)%len(stay)].corrected = true
		stay[(4*j+2)%len(stay)].voided = true
		stay[(4*j+len(stay)/2)%len(stay)].heldWaits = true // half-way through her year: the form came lately
	}
}

// newcomer is somebody who has not used her code: every other one waits for her
// first dose, the rest have had it.
func newcomer(c chance, i int, t timetable) person {
	p := person{role: role{fresh: i + 1}, site: i / 2 % 2}
	if i%2 == 0 && t.baseline.Code != "" {
		p.firstPlan = t.today + study.Date(c.between(2, 5))
		p.enrolsOn = t.today - study.Date(c.between(2, 4))
		return p
	}
	// Her window opened yesterday or the day before, and is due tomorrow or later.
	v := t.later[i/4%len(t.later)]
	due := t.today - 1 - study.Date(v.OpensDays) - study.Date(c.between(0, 1))
	p.firstPlan = due - study.Date(v.OffsetDays+(v.Cycle-1)*t.cycleDays)
	p.enrolsOn = p.firstPlan - study.Date(c.between(3, 6))
	return p
}

// workday moves a Saturday or Sunday to the Friday before.
func workday(d study.Date) study.Date {
	switch d.UTC().Weekday() {
	case 6:
		return d - 1
	case 0:
		return d - 2
	default:
		return d
	}
}

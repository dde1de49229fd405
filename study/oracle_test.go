package study_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"epro/internal/testkit"
	"epro/study"
)

// oracle is the schedule of the default protocol written straight from
// DOMAIN.md §2, in days after the planned cycle 1, without a look at the code:
// it remembers what happened and works everything out anew from that.
type oracle struct {
	consent int
	starts  [18]int  // starts[n] is the first day of cycle n
	fact    [18]bool // given or not given
	skipped [18]bool // not given
	ended   bool     // treatment
	put     [18]int  // the days by which the end of treatment moved cycle n
	dose    *int     // the first dose, where recorded
	filled  map[string][]filledForm
}

// filledForm is a form that counted when it came.
type filledForm struct {
	on   int // the day of completion
	span [3]int
	void bool
}

func newOracle(consent int) *oracle {
	o := &oracle{consent: consent, filled: map[string][]filledForm{}}
	for n := 1; n <= 17; n++ {
		o.starts[n] = 21 * (n - 1)
	}
	return o
}

// refuses says whether the move breaks one of the rules, on a day.
func (o *oracle) refuses(n, to int, kind study.CycleKind, today int) bool {
	if kind == study.CycleNotGiven && to != o.starts[n] || kind == study.CycleGiven && to > today || to < o.consent {
		return true
	}
	plan := 0
	if n > 1 {
		plan = o.starts[1] + 21*(n-1)
	}
	if to-plan > 180 || plan-to > 180 {
		return true
	}
	moved := *o
	moved.move(n, to, kind)
	for m := 2; m <= 17; m++ {
		if moved.starts[m] <= moved.starts[m-1] {
			return true
		}
	}
	return false
}

func (o *oracle) move(n, to int, kind study.CycleKind) {
	shift := to - o.starts[n]
	o.starts[n], o.put[n] = to, 0
	for m := n + 1; m <= 17; m++ {
		if o.fact[m] {
			break
		}
		o.starts[m] += shift
	}
	o.fact[n], o.skipped[n] = kind != study.CyclePlanned, kind == study.CycleNotGiven
}

// end ends treatment: what was not settled follows the last given cycle.
func (o *oracle) end() {
	o.ended = true
	given, settled := 0, 0
	for n := 1; n <= 17; n++ {
		if o.fact[n] {
			settled = n
		}
		if o.fact[n] && !o.skipped[n] {
			given = n
		}
	}
	for n := settled + 1; given > 0 && n <= 17; n++ {
		to := max(o.starts[given]+21*(n-given), o.starts[n-1]+1)
		o.put[n] += to - o.starts[n]
		o.starts[n] = to
	}
}

// goOn retracts the end.
func (o *oracle) goOn() {
	o.ended = false
	for n := range o.starts {
		o.starts[n] -= o.put[n]
		o.put[n] = 0
	}
}

// counted is the form that stands for the visit, if any.
func (o *oracle) counted(visit string) *filledForm {
	forms := o.filled[visit]
	for i := len(forms) - 1; i >= 0; i-- {
		f := &forms[i]
		tooOld := visit == "C1D1" && f.on < o.firstDose()-14
		if !f.void && !tooOld {
			return f
		}
	}
	return nil
}

func (o *oracle) firstDose() int {
	if o.dose != nil {
		return *o.dose
	}
	return o.starts[1]
}

// place is a visit's window; gone: superseded.
type place struct {
	visit string
	span  [3]int // opens, due, closes
	done  bool
	gone  bool
}

func (o *oracle) schedule() map[string]place {
	var all []*place
	add := func(visit string, due, opens, closes int) {
		p := &place{visit: visit, span: [3]int{max(due+opens, o.consent), due, due + closes}}
		if f := o.counted(visit); f != nil {
			p.done, p.span = true, f.span
		}
		all = append(all, p)
	}
	add("C1D1", o.starts[1], -7, 0)
	for n := 2; n <= 17; n++ {
		add(cycleVisit(n), o.starts[n], -3, 7)
	}
	add("W52", o.starts[1]+364, -7, 14)
	year := all[len(all)-1].span[0]
	slices.SortStableFunc(all, func(a, b *place) int { return cmp.Compare(a.span[1], b.span[1]) })
	for _, p := range all {
		p.gone = !p.done && p.visit != "W52" && p.span[1] >= year
	}
	for i := len(all) - 1; i >= 0; i-- { // what is later is settled before what is earlier
		p := all[i]
		if p.done || p.gone {
			continue
		}
		for _, later := range all[i+1:] {
			if !later.gone {
				p.span[2] = min(p.span[2], later.span[0]-1)
				break
			}
		}
		p.gone = p.span[2] < p.span[0]
	}
	out := map[string]place{}
	for _, p := range all {
		out[p.visit] = *p
	}
	return out
}

func dayOf(d study.Date) int { return int(d - cycle1) }

func compareWithOracle(t *rapid.T, r *record, o *oracle) {
	t.Helper()
	for n, c := range r.p.Cycles {
		if dayOf(c.StartsOn) != o.starts[n+1] {
			t.Fatalf("cycle %d starts on day %d, want %d", n+1, dayOf(c.StartsOn), o.starts[n+1])
		}
	}
	want := o.schedule()
	for i := range r.p.Assessments {
		a := &r.p.Assessments[i]
		w := want[a.Visit]
		got := place{visit: a.Visit, span: [3]int{dayOf(a.Window.OpensOn), dayOf(a.Window.DueOn), dayOf(a.Window.ClosesOn)},
			done: a.Standing() != nil, gone: a.Superseded}
		if got.gone && w.gone {
			continue // its dates say nothing
		}
		if got != w {
			t.Fatalf("%s: got %+v, want %+v", a.Visit, got, w)
		}
		if n := cycleOf(a.Visit); n > 0 && a.NotGiven != o.skipped[n] {
			t.Fatalf("%s: not given is %v", a.Visit, a.NotGiven)
		}
	}
	noOverlap(t, r)
}

func cycleOf(visit string) int {
	for n := 1; n <= 17; n++ {
		if visit == cycleVisit(n) {
			return n
		}
	}
	return 0
}

// noOverlap checks that windows of assessments without a form never overlap,
// as instants, and that nothing opens before consent.
func noOverlap(t failer, r *record) {
	t.Helper()
	var open []*study.Assessment
	for i := range r.p.Assessments {
		if a := &r.p.Assessments[i]; !a.Superseded && a.Standing() == nil {
			open = append(open, a)
		}
	}
	slices.SortFunc(open, func(a, b *study.Assessment) int { return cmp.Compare(a.Window.OpensAt(), b.Window.OpensAt()) })
	for i, a := range open {
		if a.Window.OpensAt() >= a.Window.ClosesAt() {
			t.Fatalf("%s is empty: %s", a.Visit, windowText(a))
		}
		if a.Window.OpensOn < r.p.ConsentedOn() {
			t.Fatalf("%s opens before consent: %s", a.Visit, windowText(a))
		}
		if i > 0 && open[i-1].Window.ClosesAt() > a.Window.OpensAt() {
			t.Fatalf("%s (%s) overlaps %s (%s)", open[i-1].Visit, windowText(open[i-1]), a.Visit, windowText(a))
		}
	}
}

var someZones = []string{"Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "Europe/Lisbon", "Asia/Kathmandu", "America/Sao_Paulo"}

func TestCampaignTheScheduleIsThatOfTheRulesOnRandomHistories(t *testing.T) {
	checks(t, 50, 5000)
	h := historyOf(t, first())
	rapid.Check(t, func(t *rapid.T) {
		r := enrolledUnder(t, h, testkit.NewParticipant("001"))
		o := newOracle(dayOf(consented))
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { compareWithOracle(t, r, o) },
			"time passes": func(t *rapid.T) {
				r.now = r.now.Add(time.Duration(rapid.IntRange(1, 21*24).Draw(t, "hours")) * time.Hour)
			},
			"move": func(t *rapid.T) {
				n := rapid.IntRange(1, 17).Draw(t, "n")
				kind := rapid.SampledFrom([]study.CycleKind{study.CyclePlanned, study.CycleGiven, study.CycleNotGiven}).Draw(t, "kind")
				to := o.starts[n]
				if rapid.IntRange(0, 9).Draw(t, "shift") > 2 {
					to += rapid.IntRange(-12, 30).Draw(t, "by")
				}
				if rapid.IntRange(0, 19).Draw(t, "far") == 0 {
					to += rapid.IntRange(-190, 190).Draw(t, "by far")
				}
				today := dayOf(study.DateOf(r.now.In(r.p.Zone())))
				_, err := r.do(r.staff, move(n, cycle1+study.Date(to), kind))
				if want := o.refuses(n, to, kind, today); (err != nil) != want {
					t.Fatalf("cycle %d %s on day %d (today is %d): error %v, want refusal %v", n, kind, to, today, details(err), want)
				}
				if err == nil {
					o.move(n, to, kind)
				}
			},
			"fill": func(t *rapid.T) {
				var open []string
				for i := range r.p.Assessments {
					switch a := &r.p.Assessments[i]; r.p.AssessmentStatus(a, r.now) {
					case study.Open, study.Overdue:
						open = append(open, a.Visit)
					}
				}
				if len(open) == 0 {
					t.Skip("nothing is open")
				}
				visit := rapid.SampledFrom(open).Draw(t, "visit")
				before := o.schedule()[visit].span
				receipt, err := r.send(r.form(visit))
				if err != nil || !receipt.Counted {
					t.Fatalf("%s: %+v, %v", visit, receipt, details(err))
				}
				o.filled[visit] = append(o.filled[visit], filledForm{on: dayOf(study.DateOf(r.now.In(shanghai))), span: before})
			},
			"void": func(t *rapid.T) {
				for _, visit := range slices.Sorted(maps.Keys(o.filled)) {
					forms := o.filled[visit]
					for i := range forms {
						s := r.p.AtVisit(visit).Submissions[i]
						if !forms[i].void && rapid.IntRange(0, 3).Draw(t, "which") == 0 {
							r.must(study.VoidForm{Form: s.ID, Cause: study.CauseTest, Reason: "test"})
							forms[i].void = true
							return
						}
					}
				}
				t.Skip("nothing to void")
			},
			"treatment ends, or does not": func(t *rapid.T) {
				if f := r.p.Fact(study.FactTreatmentEnded); f != nil {
					r.must(study.RetractFact{Seq: f.Seq, Reason: "error"})
					o.goOn()
					return
				}
				r.must(study.RecordFact{Kind: study.FactTreatmentEnded, On: study.PartialDate(study.DateOf(r.now.In(r.p.Zone())).String())})
				o.end()
			},
			"first dose": func(t *rapid.T) {
				if f := r.p.Fact(study.FactFirstDose); f != nil {
					r.must(study.RetractFact{Seq: f.Seq, Reason: "error"})
					o.dose = nil
					return
				}
				on := dayOf(study.DateOf(r.now.In(r.p.Zone()))) - rapid.IntRange(0, 30).Draw(t, "days ago")
				if on < o.consent {
					t.Skip("before consent")
				}
				r.must(study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate((cycle1 + study.Date(on)).String())})
				o.dose = &on
			},
		})
	})
}

func TestCampaignUnfinishedWindowsNeverOverlapInAnyZone(t *testing.T) {
	checks(t, 40, 2000)
	h := historyOf(t, first())
	rapid.Check(t, func(t *rapid.T) {
		r := enrolledUnder(t, h, testkit.NewParticipant("001"))
		r.now = at(cycle1+400, "10:00")
		visits := len(r.p.Assessments)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				zone := rapid.SampledFrom(someZones).Draw(t, "zone")
				if _, err := r.do(r.staff, study.ChangeParticipant{TimeZone: zone, Reason: "moved"}); err != nil {
					t.Fatal(err)
				}
			} else {
				n := rapid.IntRange(1, 17).Draw(t, "n")
				to := r.p.Cycles[n-1].StartsOn + study.Date(rapid.IntRange(-20, 60).Draw(t, "by"))
				_, _ = r.do(r.staff, move(n, to, study.CycleGiven))
			}
			noOverlap(t, r)
			if len(r.p.Assessments) != visits {
				t.Fatalf("there are %d assessments", len(r.p.Assessments))
			}
		}
	})
}

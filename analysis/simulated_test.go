package analysis_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"epro/analysis"
	"epro/internal/simulate"
	"epro/store/sqlite"
	"epro/study"
)

// storyEnds is noon of the day on which the simulated studies end.
var storyEnds = time.Date(2026, 3, 17, 4, 0, 0, 0, time.UTC)

// simulated is a simulated study, held in memory as it is at the end. Studies
// are made once a test run.
type simulated struct {
	history *study.History
	people  []*study.Participant
}

var (
	simulatedMu sync.Mutex
	simulations = map[uint64]*simulated{}
)

func simulatedStudy(t testing.TB, participants int, seed uint64) *simulated {
	t.Helper()
	simulatedMu.Lock()
	defer simulatedMu.Unlock()
	key := seed<<16 | uint64(participants)
	if known := simulations[key]; known != nil {
		return known
	}
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "epro.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := simulate.Run(ctx, simulate.Options{Store: db, Participants: participants, Seed: seed, Now: storyEnds}); err != nil {
		t.Fatal(err)
	}
	svc := study.NewService(db, func() time.Time { return storyEnds }, func() string { return "unused" })
	s := &simulated{}
	if s.history, err = svc.History(ctx); err != nil {
		t.Fatal(err)
	}
	err = svc.PeopleAt(ctx, study.System("test"), time.Time{}, func(p *study.Participant) error {
		s.people = append(s.people, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	simulations[key] = s
	return s
}

// read is the plan and everybody under a selection. An earlier cut stands here
// for windows only: the records are those of the end.
func (s *simulated) read(t interface{ Fatal(...any) }, sel analysis.Selection) (*analysis.Plan, []*analysis.Person) {
	if sel.Cut == 0 {
		sel.Cut = study.InstantOf(storyEnds)
	}
	plan, err := analysis.NewPlan(s.history, sel)
	if err != nil {
		t.Fatal(err)
	}
	people := make([]*analysis.Person, len(s.people))
	for i, p := range s.people {
		if people[i], err = plan.Person(p); err != nil {
			t.Fatal(err)
		}
	}
	return plan, people
}

// drawSelection is any selection that makes sense for a simulated study.
func drawSelection(t *rapid.T) analysis.Selection {
	sel := analysis.Selection{
		Cut:            study.InstantOf(storyEnds.AddDate(0, 0, -rapid.IntRange(0, 500).Draw(t, "cut days back"))),
		Demonstration:  rapid.SampledFrom([]analysis.Demonstration{"", analysis.Exclude, analysis.Include, analysis.Only}).Draw(t, "demonstration"),
		Origin:         rapid.SampledFrom([]analysis.Origin{"", analysis.FromFirstDose, analysis.FromEnrolment}).Draw(t, "origin"),
		StrictBaseline: rapid.Bool().Draw(t, "strict"),
		PreDose:        rapid.Bool().Draw(t, "pre-dose"),
	}
	if rapid.Bool().Draw(t, "through") {
		sel.Through = study.DateOf(sel.Cut.Time()) - study.Date(rapid.IntRange(0, 200).Draw(t, "through days back"))
	}
	return sel
}

// Every sum is made again here, from what a person's record says, and not from
// what the table says.
func TestTheRatesReconcileAtEveryVisitAndTheDeadAreNeverMissing(t *testing.T) {
	studies := []*simulated{simulatedStudy(t, 40, 1), simulatedStudy(t, 40, 2)}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(studies).Draw(t, "study")
		plan, people := s.read(t, drawSelection(t))
		score := rapid.IntRange(0, len(plan.Scores)-1).Draw(t, "score")
		c := analysis.NewCompletion(plan, score)
		for _, q := range people {
			c.Add(q)
		}
		for i, r := range c.Rates {
			if r.NExpected != r.NPop-r.NDead-r.NOff || r.NExpected != r.NValid+r.NReceivedNotValid+r.NMissing || r.NReceived != r.NValid+r.NReceivedNotValid || r.NOffPRO > r.NMissing {
				t.Fatalf("does not reconcile: %+v", r)
			}
			coded, everybody := 0, 0
			for _, reason := range r.Reasons {
				coded += reason.N
			}
			for _, q := range people {
				v := q.Visits[i]
				if q.InPopulation && v.Asked {
					everybody++
				}
				died := q.DiedOn != 0 && q.DiedOn <= v.Window.ClosesOn
				if died && (v.Standing == analysis.Missing || v.Standing == analysis.OffPRO) {
					t.Fatalf("%s died on %s and is missing at %s, which closed on %s", q.Number, q.DiedOn, r.Visit, v.Window.ClosesOn)
				}
			}
			if coded != r.NMissing || everybody != r.NPop+r.NSuperseded+r.NNotYet {
				t.Fatalf("%d reasons for %d missing, %d people in %+v", coded, r.NMissing, everybody, r)
			}
		}
	})
}

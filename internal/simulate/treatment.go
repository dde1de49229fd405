package simulate

import (
	"context"
	"fmt"
	"time"

	"epro/study"
)

// Why cycles are put off or left out, and why treatment ends.
var (
	delayReasons = []string{"neutropenia", "thrombocytopenia", "diarrhoea", "raised liver enzymes", "infection",
		"hand-foot syndrome", "participant was travelling", "public holiday"}
	delayWeights    = []int{30, 8, 22, 10, 9, 8, 7, 6}
	notGivenReasons = []string{"diarrhoea not resolved", "neutropenia not resolved", "hospital stay for infection"}
)

// planTreatment decides how her treatment will go, and plans what the site
// writes down of it.
func (l *life) planTreatment() {
	l.starts = make([]study.Date, l.protocol.Cycles.Count)
	l.starts[0] = l.who.firstPlan
	l.ends = l.lastCycle()
	if l.who.fresh == 0 && l.luck.happens(0.12) {
		l.starts[0] += study.Date(l.luck.between(1, 5))
		l.announce(1, l.who.firstPlan, "central line was not ready")
	}
	l.plan(l.infusion(l.starts[0]), func(ctx context.Context) error { return l.firstDose(ctx) })
	for n := 2; n <= len(l.starts); n++ {
		l.planCycle(n)
	}
	if l.ends < len(l.starts) {
		l.planEndOfTreatment()
	}
}

// lastCycle is the cycle after which treatment ends: mostly the last of all.
func (l *life) lastCycle() int {
	switch {
	case l.who.ending == dies:
		return l.luck.between(3, 6)
	case l.luck.happens(0.35):
		return min(len(l.starts), 3+int(l.luck.ExpFloat64()*6))
	default:
		return len(l.starts)
	}
}

// infusion is the time of day of a dose.
func (l *life) infusion(d study.Date) time.Time {
	return study.StartOfDay(d, l.zone).Add(l.luck.span(9*time.Hour, 15*time.Hour)).Truncate(5 * time.Minute)
}

// firstDose writes down the first dose and cycle 1, a while after the infusion
// has begun.
func (l *life) firstDose(ctx context.Context) error {
	if l.gone() {
		return nil
	}
	day, dose := l.day(), study.InstantOf(l.now)
	if l.luck.happens(0.15) {
		dose = 0 // nobody wrote down the time
	}
	l.pass(l.luck.span(20*time.Minute, 90*time.Minute))
	l.body.dosed(day)
	err := l.do(ctx, l.at.coordinator, study.RecordFact{Kind: study.FactFirstDose, On: study.PartialDate(day.String()), At: dose})
	if err != nil {
		return err
	}
	l.pass(l.luck.span(time.Minute, 4*time.Minute))
	return l.do(ctx, l.at.coordinator, l.given(1, day, dose, ""))
}

func (l *life) given(n int, day study.Date, dose study.Instant, reason string) study.RecordCycle {
	return study.RecordCycle{N: n, StartedOn: day, Kind: study.CycleGiven, DoseAt: dose, Reason: reason, Confirm: true}
}

// planCycle plans cycle n after its predecessor: on time, put off, or left out.
func (l *life) planCycle(n int) {
	planned := l.starts[n-2] + study.Date(l.cycleDays)
	l.starts[n-1] = planned
	switch {
	case n > l.ends:
		return
	case l.who.fresh == 0 && l.luck.happens(0.02):
		l.plan(l.clinic(planned), func(ctx context.Context) error {
			if l.gone() {
				return nil
			}
			return l.do(ctx, l.at.coordinator, study.RecordCycle{N: n, StartedOn: l.p.Cycles[n-1].StartsOn, Kind: study.CycleNotGiven,
				Reason: pick(l.luck, notGivenReasons...), Confirm: true})
		})
		return
	case l.who.fresh == 0 && l.luck.happens(0.17):
		l.starts[n-1] += study.Date(weighted(l.luck, []int{1, 2, 3, 4, 7, 10, 14}, []int{12, 12, 10, 8, 38, 8, 12}))
		l.announce(n, planned, weighted(l.luck, delayReasons, delayWeights))
	}
	day := l.starts[n-1]
	l.plan(l.infusion(day), func(ctx context.Context) error { return l.cycleGiven(ctx, n, day) })
}

// announce writes down on the planned day that the cycle is put off.
func (l *life) announce(n int, planned study.Date, reason string) {
	to := l.starts[n-1]
	l.planCommand(l.clinic(planned-study.Date(l.luck.between(0, 1))), l.at.coordinator,
		study.RecordCycle{N: n, StartedOn: to, Kind: study.CyclePlanned, Reason: reason, Confirm: true})
}

// cycleGiven writes a cycle down: mostly the same day, sometimes days later.
func (l *life) cycleGiven(ctx context.Context, n int, day study.Date) error {
	if l.gone() {
		return nil
	}
	l.body.dosed(day)
	dose := study.InstantOf(l.now)
	if l.luck.happens(0.3) {
		dose = 0
	}
	if l.luck.happens(0.12) {
		l.planCommand(l.afternoon(day+study.Date(l.luck.between(1, 3))), l.at.coordinator, l.given(n, day, dose, ""))
		return nil
	}
	l.pass(l.luck.span(15*time.Minute, 90*time.Minute))
	return l.do(ctx, l.at.coordinator, l.given(n, day, dose, ""))
}

// planEndOfTreatment ends it after the last cycle: mostly because the disease
// progressed, else because of side effects.
func (l *life) planEndOfTreatment() {
	day := l.starts[l.ends-1] + study.Date(l.luck.between(15, 20))
	on := study.PartialDate(day.String())
	at := l.afternoon(day)
	if l.who.ending == dies || l.luck.happens(0.8) {
		l.body.progressesOn = day
		l.planCommand(at, l.at.investigator, study.RecordFact{Kind: study.FactProgressed, On: on})
	}
	l.planCommand(at.Add(5*time.Minute), l.at.investigator, study.RecordFact{Kind: study.FactTreatmentEnded, On: on})
	if l.body.progressesOn != 0 && l.luck.happens(0.6) {
		next := day + study.Date(l.luck.between(14, 30))
		l.planCommand(l.afternoon(next), l.at.investigator, study.RecordFact{Kind: study.FactNewTherapy,
			On: study.PartialDate(next.String()), Drugs: []string{"trastuzumab deruxtecan"}})
	}
}

// planLeaving plans a withdrawal or a death, if that is her story, between a
// third and two thirds of the time that she has been in the study.
func (l *life) planLeaving() {
	if l.who.ending == stays {
		return
	}
	known := int(min(l.today-l.who.enrolsOn, 330))
	l.goneOn = l.who.enrolsOn + study.Date(known*l.luck.between(35, 65)/100)
	if l.who.ending == dies {
		l.body.diesOn = l.goneOn
		l.body.progressesOn = min(l.body.progressesOn, l.goneOn-30)
	}
	fact, delay := study.RecordFact{On: study.PartialDate(l.goneOn.String())}, l.luck.between(0, 2)
	switch l.who.ending {
	case dies:
		delay = l.luck.between(2, 6)
		fact.Kind, fact.Reason = study.FactDeceased, "told by the family over the telephone"
	case leavesQuestionnaires:
		fact.Kind, fact.Level, fact.Reason = study.FactWithdrawn, study.LevelQuestionnaires, "no longer wants to fill questionnaires"
	case leavesTrial:
		fact.Kind, fact.Level, fact.Reason = study.FactWithdrawn, study.LevelTrial, "treatment continues at a hospital near home"
	default:
		fact.Kind, fact.Level, fact.Reason = study.FactWithdrawn, study.LevelNoFurtherUse, "asked that her data are not used any more"
	}
	at := l.afternoon(min(l.goneOn+study.Date(delay), l.today-2))
	l.plan(at, func(ctx context.Context) error { return l.do(ctx, l.at.coordinator, fact) })
}

// planRating plans the investigator's rating of how she is, every few visits.
func (l *life) planRating(v study.Visit, day study.Date) {
	if !v.Baseline && v.Cycle%3 != 0 && !v.Final {
		return
	}
	at := l.clinic(day)
	l.plan(at, func(ctx context.Context) error {
		if l.gone() || l.p.AtVisit(v.Code) == nil {
			return nil
		}
		err := l.do(ctx, l.at.investigator, study.RateECOG{Visit: v.Code, ECOG: l.body.ecog(l.luck, l.day()), On: l.day()})
		if err != nil {
			return fmt.Errorf("rating at %s: %w", v.Code, err)
		}
		return nil
	})
}

package simulate

import (
	"context"
	"time"

	"epro/study"
)

// planPaper plans a form on paper at the visit, which staff enter within days.
func (l *life) planPaper(v study.Visit, due study.Date) {
	at := l.earlyMorning(due)
	if !v.Baseline {
		at = l.clinic(due)
	}
	l.plan(at, func(context.Context) error {
		if !l.isOpen(v) || l.sent[v.Code] {
			return nil
		}
		l.sent[v.Code] = true
		form := l.form(v)
		form.Mode, form.ByStaff = study.ModePaper, true
		form.Assistance = weighted(l.luck, []study.Assistance{study.AssistanceNone, study.AssistanceRead}, []int{85, 15})
		form.Reason = "paper form filled at the visit"
		completed := l.now.Add(l.luck.span(6*time.Minute, 20*time.Minute))
		form.StartedAt, form.CompletedAt = study.InstantOf(l.now), study.InstantOf(completed)
		entered := l.afternoon(l.day() + study.Date(l.luck.between(0, 3)))
		if early := completed.Add(20 * time.Minute); entered.Before(early) {
			entered = early
		}
		l.plan(entered, func(ctx context.Context) error { return l.enter(ctx, form) })
		return nil
	})
}

// isOpen reports whether she is there and the visit's form can be filled now.
func (l *life) isOpen(v study.Visit) bool {
	a := l.p.AtVisit(v.Code)
	if a == nil || l.gone() {
		return false
	}
	status := l.p.AssessmentStatus(a, l.now)
	return status == study.Open || status == study.Overdue
}

// planInterview plans that the coordinator asks her over the telephone, some
// days after the form was due.
func (l *life) planInterview(v study.Visit, due study.Date) {
	l.plan(l.clinic(due+study.Date(l.luck.between(3, 5))), func(ctx context.Context) error {
		if !l.isOpen(v) {
			return nil
		}
		l.sent[v.Code] = true
		form := l.form(v)
		form.Mode, form.ByStaff, form.Assistance = study.ModeInterview, true, study.AssistanceEntered
		form.Reason = "asked over the telephone, her phone was being repaired"
		form.StartedAt = study.InstantOf(l.now)
		l.pass(l.luck.span(9*time.Minute, 16*time.Minute))
		form.CompletedAt = study.InstantOf(l.now)
		return l.enter(ctx, form)
	})
}

// enter has the coordinator enter a form; an investigator verifies most.
func (l *life) enter(ctx context.Context, form study.SubmitForm) error {
	if err := l.do(ctx, l.at.coordinator, form); err != nil {
		return err
	}
	if l.luck.happens(0.6) {
		l.plan(l.clinic(l.day()+study.Date(l.luck.between(1, 10))), func(ctx context.Context) error {
			return l.do(ctx, l.at.investigator, study.VerifyForm{Form: form.ID})
		})
	}
	return nil
}

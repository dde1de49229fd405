package simulate

import (
	"context"
	"time"

	"epro/study"
)

// planForms plans what becomes of every visit.
func (l *life) planForms() {
	for _, v := range l.protocol.Visits {
		due := l.starts[v.Cycle-1] + study.Date(v.OffsetDays)
		l.planRating(v, due)
		l.planForm(v, due)
		l.planReason(v, due+study.Date(v.ClosesDays))
	}
}

// planForm decides how the form of a visit comes about.
func (l *life) planForm(v study.Visit, due study.Date) {
	closes := due + study.Date(v.ClosesDays)
	switch {
	case l.who.fresh > 0:
		if closes < l.today && l.luck.happens(0.6) {
			l.planPaper(v, due)
		}
	case l.who.onPaper, l.who.transcribed && v.Cycle == 4 && !v.Final:
		if l.luck.happens(l.adheres) {
			l.planPaper(v, due)
		}
	case l.who.interviewed && v.Cycle == 5 && !v.Final:
		l.planInterview(v, due)
	case l.who.heldCounts && v.Code == l.later[min(1, len(l.later)-1)].Code:
		l.planTooLate(v, closes, true)
	case l.who.heldWaits && v.Code == l.lastClosed():
		l.planTooLate(v, closes, false)
	case v.Baseline:
		l.planBaseline(v, due)
	default:
		day := due + study.Date(weighted(l.luck, []int{-2, -1, 0, 1, 2, 3, 4, 5, 6}, []int{9, 17, 38, 11, 8, 6, 5, 3, 3}))
		if planned := l.starts[max(v.Cycle-2, 0)] + study.Date(l.cycleDays); !v.Final && due > planned && l.luck.happens(0.3) {
			day = planned - study.Date(l.luck.between(1, 2)) // before anybody knew of the delay
		}
		l.planFill(v, day)
	}
}

// lastClosed is the last visit, by her plan, whose window closed a few days ago.
func (l *life) lastClosed() string {
	code := ""
	for _, v := range l.later {
		if l.starts[v.Cycle-1]+study.Date(v.OffsetDays+v.ClosesDays) < l.today-4 {
			code = v.Code
		}
	}
	return code
}

// planBaseline plans the form before the first dose: in the days before, that
// morning, or, seldom, too late in the evening.
func (l *life) planBaseline(v study.Visit, due study.Date) {
	first := max(l.who.enrolsOn, due+study.Date(v.OpensDays))
	day := max(first, due-study.Date(weighted(l.luck, []int{5, 4, 3, 2, 1, 0}, []int{6, 8, 14, 22, 28, 22})))
	at := l.leisure(day)
	if day == due {
		at = l.earlyMorning(due)
		if l.luck.happens(0.15) {
			at = study.StartOfDay(due, l.zone).Add(l.luck.span(18*time.Hour, 21*time.Hour))
		}
	}
	l.plan(at, func(ctx context.Context) error { return l.fill(ctx, v) })
}

// earlyMorning is before any infusion of the day.
func (l *life) earlyMorning(d study.Date) time.Time {
	return study.StartOfDay(d, l.zone).Add(l.luck.span(7*time.Hour, 8*time.Hour+40*time.Minute))
}

// planFill plans that she takes her phone on a day.
func (l *life) planFill(v study.Visit, day study.Date) {
	l.plan(l.leisure(day), func(ctx context.Context) error { return l.fill(ctx, v) })
}

// fill is the moment at which she opens the form, or does not.
func (l *life) fill(_ context.Context, v study.Visit) error {
	a := l.p.AtVisit(v.Code)
	if a == nil || l.gone() || l.sent[v.Code] {
		return nil
	}
	switch l.p.AssessmentStatus(a, l.now) {
	case study.Open, study.Overdue:
	case study.Upcoming:
		l.planFill(v, l.day()+1) // the window has moved; she looks again tomorrow
		return nil
	default:
		return nil
	}
	if !l.luck.happens(l.willing(v)) {
		return nil
	}
	l.sendFrom(v, l.luck.happens(l.phone.offline))
	return nil
}

// willing is the chance that she fills a form today. Who is poorly fills fewer.
func (l *life) willing(v study.Visit) float64 {
	will := l.adheres
	if v.Baseline {
		will = max(will, 0.97)
	}
	if health, dip := l.body.health(l.day()); health-dip < 0.42 {
		will -= 0.18
	}
	if l.body.progressesOn != 0 && l.day() > l.body.progressesOn {
		will -= 0.12
	}
	return will
}

// sendFrom fills the form from now on, and plans its arrival.
func (l *life) sendFrom(v study.Visit, offline bool) {
	l.sent[v.Code] = true
	started := l.now
	completed := started.Add(l.luck.span(4*time.Minute, 14*time.Minute))
	arrives := completed.Add(time.Second + time.Duration(l.luck.IntN(2500))*time.Millisecond)
	if offline {
		arrives = completed.Add(weighted(l.luck, []time.Duration{
			l.luck.span(time.Hour, 12*time.Hour), l.luck.span(20*time.Hour, 96*time.Hour), l.luck.span(8*24*time.Hour, 14*24*time.Hour),
		}, []int{68, 24, 8}))
	}
	form := l.form(v)
	form.Mode, form.App = study.ModeApp, l.phone.app(l.day(), l.today)
	form.StartedAt, form.CompletedAt = l.phone.says(started), l.phone.says(completed)
	l.plan(arrives, func(ctx context.Context) error {
		form.SentAt = l.phone.says(l.now.Add(-400 * time.Millisecond))
		err := l.do(ctx, l.self(), form)
		if study.CodeOf(err) == study.WindowNotOpen {
			// The cycle was put off while she was filling the form: the app tells
			// her that it is too early now, and she fills it when it is time.
			l.sent[v.Code] = false
			l.planFill(v, l.day()+1)
			return nil
		}
		if err != nil {
			return err
		}
		l.afterwards(form.ID, v)
		return nil
	})
}

// planTooLate plans a form that she fills after the window has closed.
func (l *life) planTooLate(v study.Visit, closes study.Date, accepted bool) {
	l.plan(l.leisure(closes+study.Date(l.luck.between(1, 2))), func(context.Context) error {
		a := l.p.AtVisit(v.Code)
		if a == nil || l.p.AssessmentStatus(a, l.now) != study.Missed {
			return nil
		}
		l.sendFrom(v, false)
		if accepted {
			l.plan(l.clinic(l.day()+study.Date(l.luck.between(1, 3))), func(ctx context.Context) error { return l.accept(ctx, v) })
		}
		return nil
	})
}

package simulate

import (
	"context"
	"strconv"

	"epro/instruments"
	"epro/study"
)

// Why forms are missing, as the desk writes it down.
var (
	missing        = []study.MissingReason{"forgot", "too_ill", "declined", "technical", "staff_did_not_offer", "other", "unknown"}
	missingWeights = []int{34, 22, 10, 12, 6, 6, 10}
)

// planReason plans that the desk writes down why a form is missing, which it
// does two times in three.
func (l *life) planReason(v study.Visit, closes study.Date) {
	at := l.afternoon(closes + study.Date(l.luck.between(1, 6)))
	l.plan(at, func(ctx context.Context) error {
		a := l.p.AtVisit(v.Code)
		if a == nil || l.gone() || l.sent[v.Code] || l.p.AssessmentStatus(a, l.now) != study.Missed || !l.luck.happens(0.68) {
			return nil
		}
		c := study.CodeMissing{Assessment: a.ID, Reason: weighted(l.luck, missing, missingWeights), HealthRelated: study.No}
		switch c.Reason {
		case "too_ill":
			c.HealthRelated = study.Yes
		case "forgot", "declined", "unknown":
			c.HealthRelated = weighted(l.luck, []study.Tristate{study.No, study.Unknown}, []int{55, 45})
		case "other":
			c.Note = "away from home without the phone"
		}
		return l.do(ctx, l.at.coordinator, c)
	})
}

// accept lets the investigator count a form that was filled too late.
func (l *life) accept(ctx context.Context, v study.Visit) error {
	for _, s := range l.p.AtVisit(v.Code).Submissions {
		if s.Held() {
			return l.do(ctx, l.at.investigator, study.JudgeHeld{Form: s.ID, Accept: true,
				Reason: "in hospital until the day before; her answers are about the week of the visit"})
		}
	}
	return nil
}

// afterwards is what staff do with some forms once they have arrived.
func (l *life) afterwards(id study.SubmissionID, v study.Visit) {
	l.forms++
	switch _, s := l.p.Submission(id); {
	case s == nil || !s.Counted || v.Baseline:
	case l.who.corrected && l.forms >= 3:
		l.who.corrected = false
		l.plan(l.clinic(l.day()+study.Date(l.luck.between(1, 5))), func(ctx context.Context) error { return l.correct(ctx, id) })
	case l.who.voided && l.forms >= 2 && l.day() <= l.p.AtVisit(v.Code).Window.DueOn+2:
		l.who.voided = false
		l.plan(l.clinic(l.day()+1), func(ctx context.Context) error {
			err := l.do(ctx, l.at.investigator, study.VoidForm{Form: id, Cause: study.CauseWrongPerson,
				Reason: "her daughter tried the app and sent the form"})
			l.sent[v.Code] = false
			l.planFill(v, l.day()+1)
			return err
		})
	}
}

// correct changes one answer of a form at her word.
func (l *life) correct(ctx context.Context, id study.SubmissionID) error {
	_, s := l.p.Submission(id)
	c := study.CorrectForm{Form: id, Answers: map[string]string{}, Skipped: map[string]string{},
		Cause: study.CauseParticipants, Reason: "she telephoned: she had the scale the wrong way round in one question"}
	changed := false
	for i, a := range s.Answers {
		code := l.ins.Items[i].Code
		switch {
		case a == instruments.Skipped:
			c.Skipped[code] = instruments.ReasonSkipped
		case a == instruments.OptedOut:
			c.Skipped[code] = instruments.ReasonOptOut
		case a.Answered():
			value := int(a)
			if turned := l.ins.Lowest() + l.ins.Highest() - value; !changed && turned != value {
				value, changed = turned, true
			}
			c.Answers[code] = strconv.Itoa(value)
		}
	}
	return l.do(ctx, l.at.investigator, c)
}

package simulate

import (
	"strconv"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/study"
)

// form is her answers of today, for a visit. Who filled it how and when is for
// the caller to say.
func (l *life) form(v study.Visit) study.SubmitForm {
	f := study.SubmitForm{
		ID: study.SubmissionID(l.ids.newID()), Assessment: study.AssessmentFor(l.p.ID, v.Code),
		Instrument: l.ins.ID, Version: l.ins.Version,
		Answers: map[string]string{}, Skipped: map[string]string{},
	}
	if labels, ok := factb.Labels(l.lang); ok {
		f.Pack = labels.Pack
	}
	reached := len(l.ins.Items)
	if l.luck.happens(0.015) {
		reached -= l.luck.between(2, 9) // she was called away
	}
	for i, value := range l.body.answers(l.luck, l.day()) {
		switch item := l.ins.Items[i]; {
		case i >= reached:
		case item.OptOut != "" && l.optsOut && l.luck.happens(0.92):
			f.Skipped[item.Code] = instruments.ReasonOptOut
		case l.luck.happens(l.skips):
			f.Skipped[item.Code] = instruments.ReasonSkipped
		default:
			f.Answers[item.Code] = strconv.Itoa(value)
		}
	}
	return f
}

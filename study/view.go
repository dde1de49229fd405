package study

import (
	"fmt"
	"time"
)

// InstrumentFor is the instrument that the assessment asks for.
func (h *History) InstrumentFor(a *Assessment) InstrumentRef {
	return h.protocol(a.Protocol).Instrument
}

// VisitName is the visit's name in the language, or "week n" once treatment
// has ended before it.
func (h *History) VisitName(p *Participant, a *Assessment, lang string) string {
	v, _, _ := h.protocol(a.Protocol).Visit(a.Visit)
	ended := p.Fact(FactTreatmentEnded)
	if ended != nil && !v.Baseline && !v.Final && a.Window.DueOn > ended.On.First() {
		return weekName(lang, int(a.Window.DueOn-p.Cycles[0].StartsOn)/7)
	}
	return v.Name(lang)
}

func weekName(lang string, week int) string {
	if len(lang) >= 2 && lang[:2] == "zh" {
		return fmt.Sprintf("第 %d 周", week)
	}
	return fmt.Sprintf("Week %d", week)
}

// Next is the assessment that is open, else the one that opens next, else nil.
func (p *Participant) Next(now time.Time) *Assessment {
	var next *Assessment
	for i := range p.Assessments {
		a := &p.Assessments[i]
		switch p.AssessmentStatus(a, now) {
		case Open, Overdue:
			return a
		case Upcoming:
			if next == nil || a.Window.OpensOn < next.Window.OpensOn {
				next = a
			}
		}
	}
	return next
}

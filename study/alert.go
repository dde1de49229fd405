package study

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// AlertRule names the rule that an alert comes from.
type AlertRule string

// The rules of the protocol.
const (
	AlertMissed        AlertRule = "missed"
	AlertMissedInARow  AlertRule = "missed_in_a_row"
	AlertPushesFailing AlertRule = "pushes_failing"
	AlertHeld          AlertRule = "held"
	AlertScoreFell     AlertRule = "score_fell"
	AlertAnswer        AlertRule = "answer"
)

// AlertID names an alert for ever: "<participant>.<rule>.<what it is about>".
type AlertID string

// AlertState says what became of an alert.
type AlertState string

// An alert is open, was acknowledged, or has been open for too long.
const (
	AlertOpen         AlertState = "open"
	AlertEscalated    AlertState = "escalated"
	AlertAcknowledged AlertState = "acknowledged"
)

// Alert asks the site to look at something. It never says what it means.
type Alert struct {
	ID         AlertID      `json:"id"`
	Rule       AlertRule    `json:"rule"`
	Assessment AssessmentID `json:"assessment_id"`
	Visit      string       `json:"visit"`
	Form       SubmissionID `json:"submission_id,omitzero"`
	// About is the score or item that a rule speaks of.
	About    string        `json:"about,omitzero"`
	RaisedAt Instant       `json:"raised_at"`
	State    AlertState    `json:"state"`
	Ack      *Acknowledged `json:"acknowledged,omitzero"`
}

// Acknowledged says who looked at an alert, and what came of it.
type Acknowledged struct {
	Alert AlertID  `json:"alert"`
	At    Instant  `json:"at"`
	By    ActorRef `json:"by"`
	Note  string   `json:"note"`
}

// PushSummary is what the rules need to know of the ledger: the assessment
// whose latest message reached none of a participant's phones, and since when
// that is known. The zero value: none.
type PushSummary struct {
	FailingFor   AssessmentID
	FailingSince Instant
}

// Alerts are what the rules of the protocol in force ask the site to look at
// now, oldest first. It is pure.
func Alerts(h *History, p *Participant, pushes PushSummary, now time.Time) []Alert {
	current := h.Current()
	if current == nil || p == nil {
		return nil
	}
	w := watch{rules: current.Alerts, p: p, now: InstantOf(now)}
	w.missed()
	w.pushes(pushes)
	for _, a := range w.order() {
		w.held(a)
	}
	for _, rule := range w.rules.Scores {
		w.score(current.Protocol, rule)
	}
	slices.SortStableFunc(w.alerts, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.RaisedAt, b.RaisedAt), cmp.Compare(a.ID, b.ID))
	})
	return w.alerts
}

// watch gathers the alerts of one participant.
type watch struct {
	rules  AlertRules
	p      *Participant
	now    Instant
	alerts []Alert
}

func (w *watch) raise(on bool, rule AlertRule, a *Assessment, subject string, at Instant, change func(*Alert)) {
	if !on || at > w.now {
		return
	}
	alert := Alert{ID: alertID(w.p.ID, rule, subject), Rule: rule, Assessment: a.ID, Visit: a.Visit, RaisedAt: at, State: AlertOpen}
	if change != nil {
		change(&alert)
	}
	hours := w.rules.EscalateAfterHours
	if hours > 0 && w.now >= at+Instant(time.Duration(hours)*time.Hour/time.Millisecond) {
		alert.State = AlertEscalated
	}
	if ack, ok := w.p.Acknowledgement(alert.ID); ok {
		alert.Ack, alert.State = &ack, AlertAcknowledged
	}
	w.alerts = append(w.alerts, alert)
}

func alertID(p ParticipantID, rule AlertRule, subject string) AlertID {
	return AlertID(strings.Join([]string{string(p), string(rule), subject}, "."))
}

// order are the assessments by their due days.
func (w *watch) order() []*Assessment {
	out := make([]*Assessment, len(w.p.Assessments))
	for i := range w.p.Assessments {
		out[i] = &w.p.Assessments[i]
	}
	slices.SortStableFunc(out, func(a, b *Assessment) int { return int(a.Window.DueOn - b.Window.DueOn) })
	return out
}

func (w *watch) missed() {
	row := 0
	for _, a := range w.order() {
		switch w.p.AssessmentStatus(a, w.now.Time()) {
		case Superseded:
			continue // asked for by nobody, so no link of a row
		case Missed:
			row++
		default:
			row = 0
			continue
		}
		w.raise(w.rules.Missed, AlertMissed, a, a.Visit, a.Window.ClosesAt(), nil)
		w.raise(row == w.rules.MissedInARow, AlertMissedInARow, a, a.Visit, a.Window.ClosesAt(), nil)
	}
}

func (w *watch) pushes(s PushSummary) {
	if a := w.p.Assessment(s.FailingFor); a != nil && w.p.Stop() == nil {
		w.raise(w.rules.PushesFailing, AlertPushesFailing, a, a.Visit, s.FailingSince, nil)
	}
}

func (w *watch) held(a *Assessment) {
	for i := range a.Submissions {
		s := &a.Submissions[i]
		w.raise(w.rules.Held && s.Held(), AlertHeld, a, string(s.ID), s.ReceivedAt, func(alert *Alert) { alert.Form = s.ID })
	}
}

// score raises what one of the sponsor's rules asks for, on forms that count.
func (w *watch) score(p *Protocol, rule ScoreRule) {
	base, known := 0.0, false
	row := 0
	for _, a := range w.order() {
		s := a.Standing()
		if s == nil || s.Assistance == AssistanceProxy {
			continue
		}
		if rule.Item != "" {
			w.answer(a, s, rule)
			continue
		}
		value, has := s.score(rule.Score)
		if v, _, ok := p.Visit(a.Visit); ok && v.Baseline {
			base, known = value, has
			continue
		}
		if row++; !known || !has || base-value < float64(rule.FallsBy) {
			row = 0
		}
		w.raise(row == rule.Forms, AlertScoreFell, a, rule.Score+"."+a.Visit, s.ReceivedAt, func(alert *Alert) { alert.Form, alert.About = s.ID, rule.Score })
	}
}

func (w *watch) answer(a *Assessment, s *Submission, rule ScoreRule) {
	k, known := kits[InstrumentRef{ID: s.Instrument, Version: s.Version}]
	if !known {
		return
	}
	i, has := k.Index(rule.Item)
	if !has || i >= len(s.Answers) || !s.Answers[i].Answered() || int(s.Answers[i]) < rule.AtLeast {
		return
	}
	w.raise(true, AlertAnswer, a, rule.Item+"."+a.Visit, s.ReceivedAt, func(alert *Alert) { alert.Form, alert.About = s.ID, rule.Item })
}

// score is one of the form's scores, if it has it.
func (s *Submission) score(code string) (float64, bool) {
	scores, err := s.Scores(nil)
	if err != nil {
		return 0, false
	}
	for i, c := range ScoreCodes(s.Instrument, s.Version) {
		if c == code {
			return scores[i].Value, scores[i].Missing == 0
		}
	}
	return 0, false
}

// Participant is whom the alert is about.
func (id AlertID) Participant() ParticipantID {
	p, _, _ := strings.Cut(string(id), ".")
	return ParticipantID(p)
}

// Acknowledgement is who looked at the alert, if anybody did.
func (p *Participant) Acknowledgement(id AlertID) (Acknowledged, bool) {
	for _, a := range p.Acknowledged {
		if a.Alert == id {
			return a, true
		}
	}
	return Acknowledged{}, false
}

// AcknowledgeAlert says that somebody looked at an alert.
type AcknowledgeAlert struct {
	Alert AlertID
	Note  string
}

func (AcknowledgeAlert) action() Action { return AcknowledgeAlerts }
func (AcknowledgeAlert) why() string    { return "" }
func (c AcknowledgeAlert) decide(p *Participant, s *Situation) (Payload, error) {
	if !c.exists(p, s) {
		return nil, notFound("alert")
	}
	var f faults
	f.add(strings.TrimSpace(c.Note) == "", "note", "say what you found or did; the record keeps it")
	f.add(utf8.RuneCountInString(c.Note) > maxReason, "note", fmt.Sprintf("keep it under %d characters", maxReason))
	if err := f.err(); err != nil {
		return nil, err
	}
	if _, before := p.Acknowledgement(c.Alert); before {
		return nil, Fail(Conflict, "This alert was acknowledged before. Read who did, and what was noted.")
	}
	return AlertAcked(c), nil
}

// exists reports whether the rules raise this alert now.
func (c AcknowledgeAlert) exists(p *Participant, s *Situation) bool {
	alerts := Alerts(s.History, p, s.Pushes, s.Now.Time())
	return slices.ContainsFunc(alerts, func(a Alert) bool { return a.ID == c.Alert })
}

package study

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Channel is how somebody tried to reach a participant.
type Channel string

// Channels are the ways of trying. None holds a number or an address.
var Channels = []Channel{"phone", "text_message", "in_person", "letter", "e_mail", "relative", "other"}

// ContactOutcome is what came of trying.
type ContactOutcome string

// The outcomes that the rules speak of. A report of death stops reminders at
// once, until the death is recorded as a fact, she is reached, or the report is
// taken back as an error.
const (
	OutcomeReached         ContactOutcome = "reached"
	OutcomeReportedDead    ContactOutcome = "reported_dead"
	OutcomeReportRetracted ContactOutcome = "report_retracted"
)

// ContactOutcomes are all outcomes.
var ContactOutcomes = []ContactOutcome{OutcomeReached, "no_answer", "message_left", "call_back", "declined", "too_ill",
	"wrong_number", OutcomeReportedDead, OutcomeReportRetracted, "other"}

// Contact is an attempt to reach a participant, named by the sequence of its
// event.
type Contact struct {
	Seq        uint64         `json:"seq"`
	At         Instant        `json:"at"`
	By         ActorRef       `json:"by"`
	Assessment AssessmentID   `json:"assessment,omitzero"` // that it was about, if one
	Channel    Channel        `json:"channel"`
	Outcome    ContactOutcome `json:"outcome"`
	Note       string         `json:"note,omitzero"`
	NextOn     Date           `json:"next_on,omitzero"` // try again on this day
}

// ReportedDead is the report of her death that waits for confirmation, or nil.
func (p *Participant) ReportedDead() *Contact {
	for i := len(p.Contacts) - 1; i >= 0; i-- {
		switch p.Contacts[i].Outcome {
		case OutcomeReportedDead:
			return &p.Contacts[i]
		case OutcomeReached, OutcomeReportRetracted:
			return nil
		}
	}
	return nil
}

// LastContact is the latest attempt to reach her about the assessment, or about
// none in particular; nil if there was none.
func (p *Participant) LastContact(id AssessmentID) *Contact {
	for i := len(p.Contacts) - 1; i >= 0; i-- {
		if c := &p.Contacts[i]; c.Assessment == id || c.Assessment == "" {
			return c
		}
	}
	return nil
}

// RecordContact records an attempt to reach the participant.
type RecordContact struct {
	Assessment AssessmentID // empty: about none in particular
	Channel    Channel
	Outcome    ContactOutcome
	Note       string
	NextOn     Date
}

func (RecordContact) action() Action { return RecordContacts }
func (RecordContact) why() string    { return "" }
func (c RecordContact) decide(p *Participant, s *Situation) (Payload, error) {
	if c.Assessment != "" && p.Assessment(c.Assessment) == nil {
		return nil, notFound("assessment")
	}
	var f faults
	f.add(!slices.Contains(Channels, c.Channel), "channel", oneOf(Channels))
	f.add(!slices.Contains(ContactOutcomes, c.Outcome), "outcome", oneOf(ContactOutcomes))
	f.add(c.Outcome == "other" && strings.TrimSpace(c.Note) == "", "note", "say what the other outcome was")
	f.add(utf8.RuneCountInString(c.Note) > maxReason, "note", fmt.Sprintf("keep it under %d characters", maxReason))
	f.add(c.NextOn != 0 && c.NextOn < s.today(p), "next_on", "the next attempt cannot lie in the past")
	f.add(c.Outcome == OutcomeReportRetracted && p.ReportedDead() == nil, "outcome", "no report of death waits for confirmation")
	if err := f.err(); err != nil {
		return nil, err
	}
	return ContactRecorded{AssessmentID: c.Assessment, Channel: c.Channel, Outcome: c.Outcome, Note: c.Note, NextOn: c.NextOn}, nil
}

func (p *Participant) contactRecorded(e Event, v ContactRecorded) {
	reported := p.ReportedDead() != nil
	p.Contacts = append(p.Contacts, Contact{Seq: e.Seq, At: e.At, By: e.Actor, Assessment: v.AssessmentID, Channel: v.Channel,
		Outcome: v.Outcome, Note: v.Note, NextOn: v.NextOn})
	if reported && p.ReportedDead() == nil {
		p.RemindFrom = e.At
	}
}

// PauseReminders stops the participant's reminders, or lets them go on, as she
// wishes. She goes on taking part.
type PauseReminders struct{ Paused bool }

func (PauseReminders) action() Action { return PauseOwn }
func (PauseReminders) why() string    { return "" }
func (c PauseReminders) decide(p *Participant, _ *Situation) (Payload, error) {
	if c.Paused == !p.PausedAt.IsZero() {
		return nil, nil
	}
	return RemindersPaused(c), nil
}

func (p *Participant) remindersPaused(e Event, v RemindersPaused) {
	p.PausedAt = e.At
	if !v.Paused {
		p.PausedAt, p.RemindFrom = 0, e.At
	}
}

package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"epro/reminders"
	"epro/study"
)

// Assessment is one questionnaire due at one visit.
type Assessment struct {
	ID                study.AssessmentID     `json:"id" doc:"Stable for the visit, whatever moves."`
	Visit             string                 `json:"visit"`
	VisitName         string                 `json:"visit_name"`
	Instrument        string                 `json:"instrument"`
	InstrumentVersion string                 `json:"instrument_version"`
	OpensAt           study.Instant          `json:"opens_at" format:"date-time"`
	DueOn             study.Date             `json:"due_on" format:"date"`
	ClosesAt          study.Instant          `json:"closes_at" format:"date-time"`
	Status            study.AssessmentStatus `json:"status" enum:"upcoming,open,overdue,completed,missed,not_expected,superseded"`
	SubmissionID      *study.SubmissionID    `json:"submission_id"`
	WordingPack       string                 `json:"wording_pack,omitempty" doc:"The pack that the form was opened with and stays on until it is received; fetch the questionnaire with pack= this name."`
	RemindersAt       []study.Instant        `json:"reminders_at" format:"date-time" doc:"When she is reminded from now on, for an app that reminds by itself because no push reaches it. Empty while reminders are paused or stopped."`
	PushID            string                 `json:"push_id" doc:"What a reminder calls this assessment: its own id would say too much to whoever carries the message."`
}

// assessmentOf shows an assessment as a participant sees it.
func (s *Server) assessmentOf(h *study.History, p *study.Participant, a *study.Assessment, lang string) Assessment {
	ref := h.InstrumentFor(a)
	out := Assessment{ID: a.ID, Visit: a.Visit, VisitName: h.VisitName(p, a, lang), Instrument: ref.ID, InstrumentVersion: ref.Version,
		OpensAt: a.Window.OpensAt(), DueOn: a.Window.DueOn, ClosesAt: a.Window.ClosesAt(), Status: p.AssessmentStatus(a, s.now()),
		RemindersAt: reminders.Ahead(h, p, a, s.now()), PushID: study.OpaqueID(string(a.ID))}
	if a.Opening != nil {
		out.WordingPack = a.Opening.Pack
	}
	if form := a.Standing(); form != nil {
		out.SubmissionID = &form.ID
	} else if n := len(a.Submissions); n > 0 && a.Submissions[n-1].Void == "" && !a.Submissions[n-1].Stale {
		out.SubmissionID = &a.Submissions[n-1].ID
	}
	return out
}

type meOutput struct{ Body me }

type me struct {
	ParticipantID study.ParticipantID     `json:"participant_id"`
	StudyID       string                  `json:"study_id"`
	Language      string                  `json:"language"`
	TimeZone      string                  `json:"time_zone"`
	Status        study.ParticipantStatus `json:"status"`
	Help          help                    `json:"help"`
	Now           study.Instant           `json:"now" format:"date-time" doc:"This server's clock: windows are judged by it."`
	Next          *Assessment             `json:"next" doc:"What is open, or else what opens next."`
}

// help is whom a participant calls.
type help struct {
	Phone string `json:"phone" doc:"Of her site; empty where it has given none."`
}

// TransformSchema says that next can be null.
func (me) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return orNull(s, "next") }

// orNull lets a member that is an object be null, which huma has no tag for.
func orNull(s *huma.Schema, member string) *huma.Schema {
	s.Properties[member] = &huma.Schema{AnyOf: []*huma.Schema{s.Properties[member], {Type: "null"}}}
	return s
}

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	by := actorOf(ctx)
	p, h, err := s.person(ctx, by.Participant)
	if err != nil {
		return nil, err
	}
	out := me{ParticipantID: p.ID, StudyID: h.Current().Study, Language: p.Language, TimeZone: p.TimeZone, Status: p.Status(s.now()), Now: study.InstantOf(s.now())}
	if out.Help.Phone, err = s.study.HelpLine(ctx, p); err != nil {
		return nil, err
	}
	if a := p.Next(s.now()); a != nil {
		next := s.assessmentOf(h, p, a, p.Language)
		out.Next = &next
	}
	return &meOutput{out}, nil
}

// person is a participant with the protocol history that it is read under.
func (s *Server) person(ctx context.Context, id study.ParticipantID) (*study.Participant, *study.History, error) {
	p, err := s.study.Participant(ctx, actorOf(ctx), id)
	if err != nil {
		return nil, nil, err
	}
	h, err := s.study.History(ctx)
	return p, h, err
}

func (s *Server) myAssessments(ctx context.Context, in *Paged) (*listOutput[Assessment], error) {
	p, h, err := s.person(ctx, actorOf(ctx).Participant)
	if err != nil {
		return nil, err
	}
	items := make([]Assessment, len(p.Assessments))
	for i := range p.Assessments {
		items[i] = s.assessmentOf(h, p, &p.Assessments[i], p.Language)
	}
	return pageOf(*in, items, func(a Assessment) study.AssessmentID { return a.ID })
}

// literals are answers as they were sent: study judges each, so that a person
// hears of every fault at once.
type literals map[string]jsontext.Value

// Schema is what the OpenAPI document says of answers.
func (literals) Schema(huma.Registry) *huma.Schema {
	low, high := 0.0, 4.0
	return &huma.Schema{Type: huma.TypeObject, Description: "Item code → answer as given, never reversed.",
		AdditionalProperties: &huma.Schema{Type: huma.TypeInteger, Minimum: &low, Maximum: &high}}
}

func (l literals) text() map[string]string {
	out := make(map[string]string, len(l))
	for code, v := range l {
		out[code] = string(v)
	}
	return out
}

// FilledForm is what every filled form says, whoever sends it.
type FilledForm struct {
	Instrument        string            `json:"instrument" example:"fact-b"`
	InstrumentVersion string            `json:"instrument_version" example:"4"`
	WordingPack       string            `json:"wording_pack,omitempty"`
	Answers           literals          `json:"answers"`
	Skipped           map[string]string `json:"skipped,omitempty" doc:"Item code → skipped or opt_out."`
	StartedAt         study.Instant     `json:"started_at" format:"date-time"`
	CompletedAt       study.Instant     `json:"completed_at" format:"date-time"`
	SentAt            study.Instant     `json:"sent_at,omitempty" format:"date-time"`
	App               appInfo           `json:"app,omitempty"`
}

type appInfo struct {
	Platform string `json:"platform,omitempty" doc:"ios, android or web."`
	Version  string `json:"version,omitempty"`
}

// command is the form as study takes it.
func (f FilledForm) command(id study.SubmissionID, assessment study.AssessmentID) study.SubmitForm {
	return study.SubmitForm{ID: id, Assessment: assessment, Instrument: f.Instrument, Version: f.InstrumentVersion, Pack: f.WordingPack,
		Answers: f.Answers.text(), Skipped: f.Skipped, StartedAt: f.StartedAt, CompletedAt: f.CompletedAt,
		SentAt: f.SentAt, App: study.App{Platform: cut(f.App.Platform, 32), Version: cut(f.App.Version, 32)}}
}

// complete refuses a form without what every form has. Bodies of forms skip the
// schema, so that study can name every wrong answer at once; without this, a
// form without answers would count as one on which nothing was reached.
func (f FilledForm) complete() error {
	return needed(map[string]bool{"instrument": f.Instrument != "", "instrument_version": f.InstrumentVersion != "",
		"answers": f.Answers != nil, "started_at": !f.StartedAt.IsZero(), "completed_at": !f.CompletedAt.IsZero()})
}

// needed refuses a body without some of its members.
func needed(has map[string]bool) error {
	var missing []study.Field
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if !has[name] {
			missing = append(missing, study.Field{Name: name, Reason: "is missing"})
		}
	}
	if missing == nil {
		return nil
	}
	return study.Fail(study.Invalid, "The form is not complete. Nothing was stored.", missing...)
}

// cut keeps what is only shown to people within bounds.
func cut(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit])
	}
	return s
}

type submitInput struct {
	AssessmentID study.AssessmentID `path:"aid"`
	SubmissionID study.SubmissionID `path:"sid" format:"uuid" minLength:"36" maxLength:"36"`
	Body         FilledForm
}

type receiptOutput struct {
	Status int
	Body   study.Receipt
}

// submitOwn receives a form: 201 when it is new, 202 when it is held, 200 when
// it was received before.
func (s *Server) submitOwn(ctx context.Context, in *submitInput) (*receiptOutput, error) {
	by := actorOf(ctx)
	if err := in.Body.complete(); err != nil {
		return nil, err
	}
	c := in.Body.command(in.SubmissionID, in.AssessmentID)
	c.Mode = study.ModeApp
	if in.Body.App.Platform == "web" {
		c.Mode = study.ModeWeb
	}
	return s.submit(ctx, by.Participant, c)
}

func (s *Server) submit(ctx context.Context, id study.ParticipantID, c study.SubmitForm) (*receiptOutput, error) {
	r := requestOf(ctx)
	r.IfMatch = 0 // a form is safe to send whatever else has happened to the record
	res, err := s.study.Do(ctx, r, id, c)
	if err != nil {
		return nil, err
	}
	receipt, ok := res.After.Receipt(c.ID)
	if !ok {
		return nil, errors.New("a form that was received has no receipt")
	}
	status := http.StatusCreated
	switch {
	case res.Event == "":
		status = http.StatusOK
	case receipt.HeldCause != "":
		status = http.StatusAccepted
	}
	if status != http.StatusOK {
		s.metrics.forms.WithLabelValues(outcome(receipt)).Inc()
	}
	return &receiptOutput{Status: status, Body: receipt}, nil
}

func outcome(r study.Receipt) string {
	if r.HeldCause != "" {
		return string(r.HeldCause)
	}
	return "counted"
}

type progressInput struct {
	AssessmentID study.AssessmentID `path:"aid"`
	Body         struct {
		OpenedAt    study.Instant `json:"opened_at" format:"date-time"`
		Answered    int           `json:"answered" minimum:"0" maximum:"200"`
		Unsent      int           `json:"unsent,omitempty" minimum:"0" maximum:"200" doc:"Finished forms that the phone still holds."`
		WordingPack string        `json:"wording_pack,omitempty" maxLength:"80" doc:"The pack that is on the screen; left out: the one that is served in the participant's language. Kept the first time, until the form is received."`
	}
}

func (s *Server) progress(ctx context.Context, in *progressInput) (*empty, error) {
	by := actorOf(ctx)
	said := study.Progress{OpenedAt: in.Body.OpenedAt, Answered: in.Body.Answered, Unsent: in.Body.Unsent}
	if err := s.study.KeepProgress(ctx, by, in.AssessmentID, said); err != nil {
		return nil, err
	}
	p, _, err := s.person(ctx, by.Participant)
	if err != nil {
		return nil, err
	}
	if a := p.Assessment(in.AssessmentID); p.CanOpen(a, study.InstantOf(s.now())) {
		open := study.OpenAssessment{Assessment: a.ID, Pack: in.Body.WordingPack, OpenedAt: in.Body.OpenedAt}
		_, err = s.study.Do(ctx, study.Request{By: by}, p.ID, open)
	}
	return nil, err
}

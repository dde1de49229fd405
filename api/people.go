package api

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"epro/study"
)

// Participant is a participant's record as site staff read it.
type Participant struct {
	ID         study.ParticipantID     `json:"id"`
	Number     string                  `json:"number"`
	Site       study.SiteCode          `json:"site"`
	Status     study.ParticipantStatus `json:"status"`
	Regimen    string                  `json:"regimen"`
	Language   string                  `json:"language"`
	TimeZone   string                  `json:"time_zone"`
	Access     study.Access            `json:"access"`
	EnrolledAt study.Instant           `json:"enrolled_at" format:"date-time"`
	BoundAt    *study.Instant          `json:"bound_at" format:"date-time" doc:"When the first or latest phone was bound; null: never."`
	Consents   []study.Consent         `json:"consents"`
	Cycles     []Cycle                 `json:"cycles"`
	Facts      []Fact                  `json:"facts"`
	ECOG       []ECOG                  `json:"performance_status"`
	Contacts   []Contact               `json:"contacts"`
	PausedAt   *study.Instant          `json:"reminders_paused_at" format:"date-time" doc:"Since when she wants no reminders; null: she gets them."`
	DeadSince  *study.Instant          `json:"reported_dead_at" format:"date-time" doc:"A report of her death waits for confirmation since then; no reminder leaves."`
	Seq        uint64                  `json:"seq" doc:"Of the last event; the ETag."`
}

// Cycle is a treatment cycle with its planned and its actual first day.
type Cycle struct {
	N         int             `json:"n"`
	PlannedOn study.Date      `json:"planned_on" format:"date"`
	StartsOn  study.Date      `json:"starts_on" format:"date"`
	Kind      study.CycleKind `json:"kind" enum:"planned,given,not_given"`
	DoseAt    *study.Instant  `json:"dose_at" format:"date-time"`
}

// Fact is a dated fact; its seq is what a retraction names.
type Fact struct {
	Seq       uint64            `json:"seq"`
	Kind      study.FactKind    `json:"kind"`
	On        study.PartialDate `json:"on"`
	At        *study.Instant    `json:"at" format:"date-time"`
	Level     study.Level       `json:"level,omitempty"`
	Drugs     []string          `json:"drugs,omitempty"`
	Retracted bool              `json:"retracted"`
}

// ECOG is a performance status.
type ECOG struct {
	Visit string     `json:"visit"`
	ECOG  int        `json:"ecog"`
	On    study.Date `json:"on" format:"date"`
}

func (s *Server) participantOf(h *study.History, p *study.Participant) Participant {
	out := Participant{ID: p.ID, Number: p.Number, Site: p.Site, Status: p.Status(s.now()), Regimen: p.CurrentRegimen(),
		Language: p.Language, TimeZone: p.TimeZone, Access: p.Access, EnrolledAt: p.EnrolledAt, BoundAt: known(p.BoundAt),
		Consents: p.Consents, Contacts: contactsOf(p), PausedAt: known(p.PausedAt), Seq: p.Seq}
	if c := p.ReportedDead(); c != nil {
		out.DeadSince = &c.At
	}
	for _, c := range p.Cycles {
		out.Cycles = append(out.Cycles, Cycle{N: c.N, PlannedOn: p.PlannedOn(c.N, h.Current().Cycles.LengthDays),
			StartsOn: c.StartsOn, Kind: c.Kind, DoseAt: known(c.DoseAt)})
	}
	for _, f := range p.Facts {
		out.Facts = append(out.Facts, Fact{f.Seq, f.Kind, f.On, known(f.At), f.Level, f.Drugs, f.Retracted})
	}
	for _, e := range p.Performance {
		out.ECOG = append(out.ECOG, ECOG{e.Visit, e.ECOG, e.On})
	}
	return out
}

// known is the instant, or null where there is none.
func known(i study.Instant) *study.Instant {
	if i.IsZero() {
		return nil
	}
	return &i
}

type participantOutput struct {
	ETag string `header:"ETag"`
	Body Participant
}

func (s *Server) shown(ctx context.Context, p *study.Participant) (*participantOutput, error) {
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	return &participantOutput{ETag: etag(p.Seq), Body: s.participantOf(h, p)}, nil
}

// do carries out a command; after a failed If-Match the answer shows what
// happened since.
func (s *Server) do(ctx context.Context, id study.ParticipantID, c study.Command) (study.Result, error) {
	res, err := s.study.Do(ctx, requestOf(ctx), id, c)
	return res, s.withEvents(ctx, id, err)
}

// withEvents adds to a failed If-Match what happened to the record since.
func (s *Server) withEvents(ctx context.Context, id study.ParticipantID, err error) error {
	var stale *study.Stale
	if !errors.As(err, &stale) {
		return err
	}
	problem := problemOf(err, metaOf(ctx).id)
	since, readErr := s.study.Record(ctx, actorOf(ctx), id, stale.Since)
	if readErr != nil {
		return readErr
	}
	problem.Events = eventsOf(since)
	return problem
}

func (s *Server) doAndShow(ctx context.Context, id study.ParticipantID, c study.Command) (*participantOutput, error) {
	res, err := s.do(ctx, id, c)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, res.After)
}

// ConsentBody is a consent as it is sent.
type ConsentBody struct {
	On          study.Date `json:"on" format:"date"`
	FormVersion string     `json:"form_version"`
	Language    string     `json:"language"`
}

type enrolInput struct {
	Body struct {
		Number   string         `json:"number" doc:"The participant's number at the site; never a name."`
		Site     study.SiteCode `json:"site"`
		Regimen  string         `json:"regimen"`
		Language string         `json:"language"`
		TimeZone string         `json:"time_zone" example:"Asia/Shanghai"`
		Cycle1On study.Date     `json:"cycle1_on" format:"date"`
		Consent  *ConsentBody   `json:"consent,omitempty" doc:"Left out: screened only; no code is issued and no window opens."`
		Access   study.Access   `json:"access,omitempty" enum:"phone,paper"`
		Reason   string         `json:"reason,omitempty"`
	}
}

func (s *Server) enrol(ctx context.Context, in *enrolInput) (*participantOutput, error) {
	b := in.Body
	c := study.Enrol{Number: b.Number, Site: b.Site, Regimen: b.Regimen, Language: b.Language, TimeZone: b.TimeZone,
		Cycle1On: b.Cycle1On, Access: b.Access, Reason: b.Reason}
	if b.Consent != nil {
		c.Consent = study.Consent(*b.Consent)
	}
	p, err := s.study.Enrol(ctx, requestOf(ctx), c)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, p)
}

type participantsInput struct {
	Site   study.SiteCode          `query:"site"`
	Status study.ParticipantStatus `query:"status" enum:"screened,enrolled,active,withdrawn,deceased,completed,excluded"`
	Cursor string                  `query:"cursor" maxLength:"400"`
	Limit  int                     `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) participants(ctx context.Context, in *participantsInput) (*listOutput[Participant], error) {
	q := study.PeopleQuery{Site: in.Site, Status: in.Status, Limit: in.Limit}
	if err := readCursor(in.Cursor, &q.After); err != nil {
		return nil, err
	}
	page, more, err := s.study.Participants(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	out := &listOutput[Participant]{}
	for _, p := range page {
		out.Body.Items = append(out.Body.Items, s.participantOf(h, p))
	}
	if more {
		out.Body.Next, err = writeCursor(page[len(page)-1].Place())
	}
	return out, err
}

// PersonPath names a participant in the path.
type PersonPath struct {
	ID study.ParticipantID `path:"id"`
}

func (s *Server) participant(ctx context.Context, in *PersonPath) (*participantOutput, error) {
	p, err := s.study.Participant(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, p)
}

type changeParticipantInput struct {
	PersonPath
	Body struct {
		Language string       `json:"language,omitempty"`
		TimeZone string       `json:"time_zone,omitempty"`
		Number   string       `json:"number,omitempty"`
		Regimen  string       `json:"regimen,omitempty"`
		Access   study.Access `json:"access,omitempty" enum:"phone,paper"`
		Reason   string       `json:"reason"`
	}
}

func (s *Server) changeParticipant(ctx context.Context, in *changeParticipantInput) (*participantOutput, error) {
	return s.doAndShow(ctx, in.ID, study.ChangeParticipant(in.Body))
}

type consentInput struct {
	PersonPath
	Body struct {
		ConsentBody
		Corrects int    `json:"corrects,omitempty" minimum:"0" doc:"Which of the participant's consents this states anew because it was recorded wrongly, counted from 1; needs a reason. Left out: a first or renewed consent."`
		Reason   string `json:"reason,omitempty"`
	}
}

func (s *Server) consent(ctx context.Context, in *consentInput) (*participantOutput, error) {
	return s.doAndShow(ctx, in.ID, study.RecordConsent{Consent: study.Consent(in.Body.ConsentBody), Corrects: in.Body.Corrects, Reason: in.Body.Reason})
}

type transferInput struct {
	PersonPath
	Body struct {
		Site   study.SiteCode `json:"site"`
		On     study.Date     `json:"on" format:"date"`
		Reason string         `json:"reason"`
	}
}

func (s *Server) transfer(ctx context.Context, in *transferInput) (*participantOutput, error) {
	return s.doAndShow(ctx, in.ID, study.TransferTo(in.Body))
}

// Event is one event of a record.
type Event struct {
	Seq    uint64          `json:"seq"`
	At     study.Instant   `json:"at" format:"date-time"`
	Actor  study.ActorRef  `json:"actor"`
	Type   study.EventType `json:"type"`
	Data   eventData       `json:"data" doc:"Answers and scores only for roles that may see them."`
	Reason string          `json:"reason"`
	Hash   string          `json:"hash"`

	Signature study.Meaning `json:"signature,omitempty" doc:"The meaning under which the actor signed, giving the password again."`
}

type historyInput struct {
	PersonPath
	Paged
	After uint64 `query:"after" doc:"Only events behind this sequence."`
}

func (s *Server) history(ctx context.Context, in *historyInput) (*listOutput[Event], error) {
	events, err := s.study.Record(ctx, actorOf(ctx), in.ID, in.After)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, eventsOf(events), func(e Event) string { return e.Hash })
}

func eventsOf(events []study.ReadEvent) []Event {
	out := make([]Event, 0, len(events))
	for _, e := range events {
		out = append(out, Event{Seq: e.Seq, At: e.At, Actor: e.Actor, Type: e.Type, Data: eventData(e.Payload), Reason: e.Reason, Hash: e.Hash.String(), Signature: e.Signature})
	}
	return out
}

// eventData is an event's payload as it is stored.
type eventData jsontext.Value

// Schema says that each type of event has its own members.
func (eventData) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "By type; docs of package study, payloads."}
}

// MarshalJSON is the payload itself.
func (d eventData) MarshalJSON() ([]byte, error) { return d, nil }

type issueCodeInput struct {
	PersonPath
	Body *struct {
		Replace bool `json:"replace,omitempty" doc:"Its use ends earlier sessions and devices."`
	}
}

type issueCodeOutput struct {
	Body struct {
		Code      string        `json:"code"`
		Link      string        `json:"link"`
		ExpiresAt study.Instant `json:"expires_at" format:"date-time"`
	}
}

func (s *Server) issueCode(ctx context.Context, in *issueCodeInput) (*issueCodeOutput, error) {
	replace := in.Body != nil && in.Body.Replace
	code, err := s.auth.IssueCode(ctx, requestOf(ctx), in.ID, replace)
	if err != nil {
		return nil, s.withEvents(ctx, in.ID, err)
	}
	out := &issueCodeOutput{}
	out.Body.Code, out.Body.ExpiresAt = code.Code, study.InstantOf(code.ExpiresAt)
	out.Body.Link = metaOf(ctx).base + "/app#" + code.Code // behind the #: never sent, never logged
	return out, nil
}

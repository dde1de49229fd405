package api

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"epro/study"
)

// DevicePath names one of the participant's own devices.
type DevicePath struct {
	DeviceID study.DeviceID `path:"device_id"`
}

type deviceInput struct {
	DevicePath
	Body struct {
		Platform   string `json:"platform" enum:"android,ios,web"`
		PushTarget struct {
			Kind  string `json:"kind" enum:"fcm_token,fcm_installation,web_push"`
			Value string `json:"value" doc:"The token or id; for web_push the browser's subscription as JSON text."`
		} `json:"push_target"`
	}
}

func (s *Server) registerDevice(ctx context.Context, in *deviceInput) (*empty, error) {
	b := in.Body
	return nil, s.study.RegisterDevice(ctx, actorOf(ctx), study.Registration{ID: in.DeviceID, Platform: b.Platform,
		Target: study.PushTarget{Kind: b.PushTarget.Kind, Value: b.PushTarget.Value}})
}

func (s *Server) removeOwnDevice(ctx context.Context, in *DevicePath) (*empty, error) {
	return nil, s.study.RemoveOwnDevice(ctx, actorOf(ctx), in.DeviceID)
}

type pushKeyOutput struct {
	Body struct {
		Key string `json:"key,omitempty" doc:"The public VAPID key, base64url; absent where no web push is sent."`
	}
}

func (s *Server) pushKey(context.Context, *struct{}) (*pushKeyOutput, error) {
	out := &pushKeyOutput{}
	out.Body.Key = s.o.PushKey
	return out, nil
}

type pauseInput struct {
	Body struct {
		Paused bool `json:"paused"`
	}
}

func (s *Server) pauseReminders(ctx context.Context, in *pauseInput) (*empty, error) {
	r := requestOf(ctx)
	r.IfMatch = 0 // what she wishes does not depend on what else happened
	_, err := s.study.Do(ctx, r, r.By.Participant, study.PauseReminders{Paused: in.Body.Paused})
	return nil, err
}

type reportInput struct {
	ID   study.DeliveryID `path:"id"`
	Body struct {
		Event string        `json:"event" enum:"received,opened"`
		At    study.Instant `json:"at" format:"date-time"`
	}
}

func (s *Server) reportDelivery(ctx context.Context, in *reportInput) (*empty, error) {
	return nil, s.study.ReportDelivery(ctx, actorOf(ctx), in.ID, study.DeliveryEvent{Event: in.Body.Event, At: in.Body.At})
}

type staffDevicePath struct {
	PersonPath
	DeviceID study.DeviceID `path:"device_id"`
}

// removeDevice answers with the devices that are left.
func (s *Server) removeDevice(ctx context.Context, in *staffDevicePath) (*listOutput[Device], error) {
	if err := s.study.RemoveDevice(ctx, actorOf(ctx), in.ID, in.DeviceID); err != nil {
		return nil, err
	}
	return s.devices(ctx, &personList{PersonPath: in.PersonPath})
}

type contactInput struct {
	PersonPath
	Body struct {
		AssessmentID study.AssessmentID   `json:"assessment_id,omitempty" doc:"Left out: about no visit in particular."`
		Channel      study.Channel        `json:"channel" enum:"phone,text_message,in_person,letter,e_mail,relative,other"`
		Outcome      study.ContactOutcome `json:"outcome" enum:"reached,no_answer,message_left,call_back,declined,too_ill,wrong_number,reported_dead,report_retracted,other" doc:"reported_dead stops reminders at once, until the death is recorded as a status, she is reached, or the report is retracted."`
		Note         string               `json:"note,omitempty" doc:"No names, numbers or addresses."`
		NextOn       study.Date           `json:"next_on,omitempty" format:"date" doc:"Try again on this day."`
	}
}

func (s *Server) recordContact(ctx context.Context, in *contactInput) (*participantOutput, error) {
	b := in.Body
	res, err := s.do(ctx, in.ID, study.RecordContact{Assessment: b.AssessmentID, Channel: b.Channel, Outcome: b.Outcome, Note: b.Note, NextOn: b.NextOn})
	if err != nil {
		return nil, err
	}
	return s.shown(ctx, res.After)
}

// Contact is an attempt to reach a participant.
type Contact struct {
	At           study.Instant        `json:"at" format:"date-time"`
	By           study.ActorRef       `json:"by"`
	AssessmentID *study.AssessmentID  `json:"assessment_id"`
	Channel      study.Channel        `json:"channel"`
	Outcome      study.ContactOutcome `json:"outcome"`
	Note         string               `json:"note,omitempty"`
	NextOn       *study.Date          `json:"next_on" format:"date"`
}

func contactsOf(p *study.Participant) []Contact {
	out := make([]Contact, 0, len(p.Contacts))
	for _, c := range p.Contacts {
		out = append(out, contactOf(c))
	}
	return out
}

func contactOf(c study.Contact) Contact {
	shown := Contact{At: c.At, By: c.By, Channel: c.Channel, Outcome: c.Outcome, Note: c.Note}
	if c.Assessment != "" {
		shown.AssessmentID = &c.Assessment
	}
	if c.NextOn != 0 {
		shown.NextOn = &c.NextOn
	}
	return shown
}

// Delivery is one attempt to remind one phone, in the reminder log.
type Delivery struct {
	ID            study.DeliveryID     `json:"id"`
	ParticipantID study.ParticipantID  `json:"participant_id"`
	Number        string               `json:"number"`
	Site          study.SiteCode       `json:"site"`
	Visit         string               `json:"visit"`
	Step          string               `json:"step" doc:"Of the ladder, and its day."`
	StepAt        study.Instant        `json:"step_at" format:"date-time" doc:"When the plan wanted it to leave."`
	At            study.Instant        `json:"at" format:"date-time"`
	Platform      string               `json:"platform,omitempty"`
	Attempt       int                  `json:"attempt" doc:"From 1; 0 for a step that was merged or skipped."`
	Status        study.DeliveryStatus `json:"status" enum:"sending,accepted,rejected_target,rejected_payload,retry,unknown,skipped,merged"`
	Reason        string               `json:"reason,omitempty"`
	GivenUp       bool                 `json:"given_up" doc:"No further attempt; somebody has to look at it."`
	RetryAt       *study.Instant       `json:"retry_at" format:"date-time"`
	ReceivedAt    *study.Instant       `json:"received_at" format:"date-time" doc:"As the phone said; accepted alone does not mean that it arrived."`
	OpenedAt      *study.Instant       `json:"opened_at" format:"date-time"`
}

func (s *Server) deliveryOf(d study.Sent) Delivery {
	out := Delivery{ID: d.ID, ParticipantID: d.Participant, Number: d.Number, Site: d.Site, Visit: d.Visit, Step: d.Step, StepAt: d.StepAt,
		At: d.At, Platform: d.Platform, Attempt: d.Attempt, Status: d.StatusAt(study.InstantOf(s.now())), Reason: d.Reason,
		ReceivedAt: known(d.ReceivedAt), OpenedAt: known(d.OpenedAt)}
	if o := d.Outcome; o != nil {
		out.Reason, out.GivenUp, out.RetryAt = o.Reason, o.Dead, known(o.RetryAt)
	}
	return out
}

type deliveriesInput struct {
	Site   study.SiteCode `query:"site"`
	Since  time.Time      `query:"since" doc:"Left out: the last seven days."`
	Cursor string         `query:"cursor" maxLength:"400"`
	Limit  int            `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (s *Server) deliveries(ctx context.Context, in *deliveriesInput) (*listOutput[Delivery], error) {
	q := study.SentQuery{Site: in.Site, Since: in.Since, Limit: in.Limit}
	if q.Since.IsZero() {
		q.Since = s.now().Add(-7 * 24 * time.Hour)
	}
	if in.Cursor != "" {
		if err := readCursor(in.Cursor, &q.After); err != nil {
			return nil, err
		}
	}
	page, more, err := s.study.DeliveriesSince(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := &listOutput[Delivery]{}
	out.Body.Items = make([]Delivery, len(page))
	for i, d := range page {
		out.Body.Items[i] = s.deliveryOf(d)
	}
	if more {
		last := page[len(page)-1]
		out.Body.Next, err = writeCursor(study.SentPlace{At: last.At, ID: last.ID})
	}
	return out, err
}

// Alert asks somebody to look at something. It never says what it means.
type Alert struct {
	ID            study.AlertID       `json:"id"`
	Rule          study.AlertRule     `json:"rule" enum:"missed,missed_in_a_row,pushes_failing,held,score_fell,answer"`
	ParticipantID study.ParticipantID `json:"participant_id"`
	Number        string              `json:"number"`
	Site          study.SiteCode      `json:"site"`
	AssessmentID  study.AssessmentID  `json:"assessment_id"`
	Visit         string              `json:"visit"`
	SubmissionID  *study.SubmissionID `json:"submission_id"`
	About         string              `json:"about,omitempty" doc:"The score or item that the rule speaks of."`
	RaisedAt      study.Instant       `json:"raised_at" format:"date-time"`
	State         study.AlertState    `json:"state" enum:"open,escalated,acknowledged"`
	Acked         *Acknowledged       `json:"acknowledged"`
}

// TransformSchema says that acknowledged can be null.
func (Alert) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "acknowledged")
}

// Acknowledged says who looked at an alert, when, and what came of it.
type Acknowledged struct {
	At   study.Instant  `json:"at" format:"date-time"`
	By   study.ActorRef `json:"by"`
	Note string         `json:"note"`
}

func alertOf(a study.AlertOf) Alert {
	out := Alert{ID: a.ID, Rule: a.Rule, ParticipantID: a.Participant.ID, Number: a.Participant.Number, Site: a.Participant.Site,
		AssessmentID: a.Assessment, Visit: a.Visit, About: a.About, RaisedAt: a.RaisedAt, State: a.State}
	if a.Form != "" {
		out.SubmissionID = &a.Form
	}
	if a.Ack != nil {
		out.Acked = &Acknowledged{At: a.Ack.At, By: a.Ack.By, Note: a.Ack.Note}
	}
	return out
}

type alertsInput struct {
	Site   study.SiteCode   `query:"site"`
	State  study.AlertState `query:"state" enum:"open,escalated,acknowledged"`
	Cursor string           `query:"cursor" maxLength:"600"`
	Limit  int              `query:"limit" minimum:"1" maximum:"200" default:"200"`
}

func (s *Server) alerts(ctx context.Context, in *alertsInput) (*listOutput[Alert], error) {
	q := study.AlertsQuery{Site: in.Site, State: in.State, Limit: in.Limit}
	if err := readCursor(in.Cursor, &q.After); err != nil {
		return nil, err
	}
	page, more, err := s.study.SiteAlerts(ctx, actorOf(ctx), q)
	if err != nil {
		return nil, err
	}
	out := &listOutput[Alert]{}
	out.Body.Items = make([]Alert, len(page))
	for i, a := range page {
		out.Body.Items[i] = alertOf(a)
	}
	if more {
		out.Body.Next, err = writeCursor(page[len(page)-1].Place())
	}
	return out, err
}

type acknowledgeInput struct {
	ID   study.AlertID `path:"id"`
	Body struct {
		Note string `json:"note" doc:"What you found or did."`
	}
}

type acknowledgedOutput struct{ Body Acknowledged }

func (s *Server) acknowledge(ctx context.Context, in *acknowledgeInput) (*acknowledgedOutput, error) {
	res, err := s.do(ctx, in.ID.Participant(), study.AcknowledgeAlert{Alert: in.ID, Note: in.Body.Note})
	if err != nil {
		return nil, err
	}
	a, ok := res.After.Acknowledgement(in.ID)
	if !ok {
		return nil, errors.New("an alert that was acknowledged is not")
	}
	return &acknowledgedOutput{Acknowledged{At: a.At, By: a.By, Note: a.Note}}, nil
}

// Device is a participant's phone or browser as the staff see it: not where it
// can be reached.
type Device struct {
	ID       study.DeviceID `json:"id"`
	Platform string         `json:"platform"`
	Kind     string         `json:"kind" enum:"fcm_token,fcm_installation,web_push"`
	AddedAt  study.Instant  `json:"added_at" format:"date-time"`
	SeenAt   study.Instant  `json:"seen_at" format:"date-time" doc:"Its app was opened last."`
	Live     bool           `json:"live" doc:"Reminders go there."`
	Disabled string         `json:"disabled,omitempty" doc:"Why none goes there until it registers again."`
}

func (s *Server) devices(ctx context.Context, in *personList) (*listOutput[Device], error) {
	if _, err := s.study.Participant(ctx, actorOf(ctx), in.ID); err != nil {
		return nil, err
	}
	devices, err := s.study.Devices(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	items := make([]Device, len(devices))
	for i, d := range devices {
		items[i] = Device{ID: d.ID, Platform: d.Platform, Kind: d.Target.Kind, AddedAt: d.AddedAt, SeenAt: d.SeenAt,
			Live: d.Live(s.now()), Disabled: d.Disabled}
	}
	return pageOf(in.Paged, items, func(d Device) study.DeviceID { return d.ID })
}

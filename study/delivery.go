package study

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// recordDelivery are the rows of the ledger of reminders, of an assessment.
// Rows are added, never changed: a claim before a message leaves, an outcome
// after it, and what the phone says of it.
const recordDelivery RecordKind = "delivery"

// DeliveryID names one attempt to remind one device. It follows from what the
// attempt is, so that the same attempt can be claimed only once, and says
// nothing to whoever sees it.
type DeliveryID string

// DeliveryStatus is what became of an attempt.
type DeliveryStatus string

// A claim is sending until it has an outcome. Merged and skipped steps never
// left; the other words are those of the sender's answer.
const (
	DeliverySending         DeliveryStatus = "sending"
	DeliveryAccepted        DeliveryStatus = "accepted"
	DeliveryRejectedTarget  DeliveryStatus = "rejected_target"
	DeliveryRejectedPayload DeliveryStatus = "rejected_payload"
	DeliveryRetry           DeliveryStatus = "retry"
	DeliveryUnknown         DeliveryStatus = "unknown"
	DeliverySkipped         DeliveryStatus = "skipped"
	DeliveryMerged          DeliveryStatus = "merged"
)

// Claim is the row that is inserted before a message leaves. A step that is
// merged into a later one, or skipped for all devices, is a claim without a
// device that has its outcome with it.
type Claim struct {
	Participant ParticipantID `json:"participant"`
	Assessment  AssessmentID  `json:"assessment"`
	Step        string        `json:"step"`    // name and day, such as "due+2@2026-03-25"
	StepAt      Instant       `json:"step_at"` // when the plan wanted it to leave
	Device      DeviceID      `json:"device,omitzero"`
	Platform    string        `json:"platform,omitzero"`
	Kind        string        `json:"kind,omitzero"`    // of the target
	Attempt     int           `json:"attempt,omitzero"` // from 1
	LeaseUntil  Instant       `json:"lease_until,omitzero"`
	ExpiresAt   Instant       `json:"expires_at,omitzero"` // of no use after this

	Status DeliveryStatus `json:"status,omitzero"` // merged or skipped, if it never leaves
	Reason string         `json:"reason,omitzero"`
}

// ID is the attempt's id.
func (c Claim) ID() DeliveryID {
	return DeliveryID(OpaqueID("delivery", string(c.Assessment), c.Step, string(c.Device), fmt.Sprint(c.Attempt)))
}

// DeliveryOutcome is the row that says what became of a claim.
type DeliveryOutcome struct {
	Status  DeliveryStatus `json:"status"`
	Reason  string         `json:"reason,omitzero"`   // one word
	RetryAt Instant        `json:"retry_at,omitzero"` // when the next attempt may leave; none: there is no next
	Burned  bool           `json:"burned,omitzero"`   // it counts against the attempts
	Dead    bool           `json:"dead,omitzero"`     // given up: a person has to look at it
	At      Instant        `json:"at"`
}

// Delivery is one attempt as the ledger knows it: its claim, its outcome if
// there is one, and what the phone said.
type Delivery struct {
	ID DeliveryID
	Claim
	At         Instant // of the claim
	Outcome    *DeliveryOutcome
	ReceivedAt Instant // by the phone, as it said
	OpenedAt   Instant
}

// StatusAt is what is known of the attempt at now: one that is sending past its
// lease is unknown.
func (d *Delivery) StatusAt(now Instant) DeliveryStatus {
	switch {
	case d.Status != "":
		return d.Status
	case d.Outcome != nil:
		return d.Outcome.Status
	case now >= d.LeaseUntil:
		return DeliveryUnknown
	default:
		return DeliverySending
	}
}

// deliveryRow is one row as it is stored; exactly one member is set.
type deliveryRow struct {
	ID      DeliveryID       `json:"id"`
	Claim   *Claim           `json:"claim,omitzero"`
	Outcome *DeliveryOutcome `json:"outcome,omitzero"`
	Event   *DeliveryEvent   `json:"event,omitzero"`
}

// DeliveryEvent is what a phone says of a message.
type DeliveryEvent struct {
	Event string  `json:"event"` // received or opened
	At    Instant `json:"at"`    // as the phone says
}

func (s *Service) insertRow(ctx context.Context, key string, a AssessmentID, row deliveryRow) error {
	raw, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return s.store.InsertRecord(ctx, Record{Kind: recordDelivery, Key: key, Owner: string(a), At: InstantOf(s.now()).Time(), Data: raw})
}

// ClaimDelivery inserts the claim. That insert is the claim: ErrExists says
// that somebody else has it, and the message is not this caller's to send.
func (s *Service) ClaimDelivery(ctx context.Context, c Claim) (DeliveryID, error) {
	id := c.ID()
	return id, s.insertRow(ctx, string(id), c.Assessment, deliveryRow{ID: id, Claim: &c})
}

// SettleDelivery adds what became of a claim. Of two outcomes the first one
// stands.
func (s *Service) SettleDelivery(ctx context.Context, c Claim, o DeliveryOutcome) error {
	id := c.ID()
	err := s.insertRow(ctx, string(id)+"/outcome", c.Assessment, deliveryRow{ID: id, Outcome: &o})
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// ReportDelivery keeps what the participant's phone says of a message; the
// first report of each kind stands.
func (s *Service) ReportDelivery(ctx context.Context, by Actor, id DeliveryID, e DeliveryEvent) error {
	if err := permit(by, ReportOwn); err != nil {
		return err
	}
	if e.Event != "received" && e.Event != "opened" {
		return invalid("event", "use one of: received, opened")
	}
	r, err := s.store.Record(ctx, recordDelivery, string(id))
	if errors.Is(err, ErrNotFound) {
		return notFound("message")
	}
	if err != nil {
		return err
	}
	var row deliveryRow
	if err := json.Unmarshal(r.Data, &row); err != nil {
		return err
	}
	if row.Claim == nil || row.Claim.Participant != by.Participant || row.Claim.Device == "" {
		return notFound("message")
	}
	err = s.insertRow(ctx, string(id)+"/"+e.Event, row.Claim.Assessment, deliveryRow{ID: id, Event: &e})
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// Deliveries is everything that the ledger holds of one assessment, in the
// order of the claims. It is what plans, exports and pages read.
func (s *Service) Deliveries(ctx context.Context, a AssessmentID) ([]Delivery, error) {
	records, err := s.store.Records(ctx, recordDelivery, string(a), time.Time{})
	if err != nil {
		return nil, err
	}
	return joinRows(records)
}

// DeliveriesAt is everything that the ledger held of a participant's reminders
// at the cut (zero: all of it), in the order of the claims and their ids, over
// all her visits, those that a later amendment took away as well. An attempt is
// among them when it was claimed at or before the cut, by the server's clock;
// its outcome and what her phone said of it are there when they were recorded by
// then too. So the same cut gives the same deliveries whenever it is read, and
// an attempt whose outcome came later has none: ask its StatusAt with the cut.
// The steps that were merged or skipped for all phones are rows without a
// device. Nothing in it says where a phone is reached; whether she forbade any
// further use is the caller's to ask.
func (s *Service) DeliveriesAt(ctx context.Context, by Actor, id ParticipantID, cut time.Time) ([]Delivery, error) {
	if err := permit(by, ExportData); err != nil {
		return nil, err
	}
	records, err := s.store.RecordsUnder(ctx, recordDelivery, string(AssessmentFor(id, "")), cut)
	if err != nil {
		return nil, err
	}
	return joinRows(records)
}

// joinRows brings the rows of each attempt together.
func joinRows(records []Record) ([]Delivery, error) {
	found := map[DeliveryID]*Delivery{}
	rows := make([]deliveryRow, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r.Data, &rows[i]); err != nil {
			return nil, fmt.Errorf("a row of the reminder ledger cannot be read: %w", err)
		}
		if c := rows[i].Claim; c != nil {
			found[rows[i].ID] = &Delivery{ID: rows[i].ID, Claim: *c, At: InstantOf(r.At)}
		}
	}
	for _, row := range rows {
		d := found[row.ID]
		switch {
		case d == nil:
		case row.Outcome != nil:
			d.Outcome = row.Outcome
		case row.Event != nil && row.Event.Event == "received":
			d.ReceivedAt = row.Event.At
		case row.Event != nil:
			d.OpenedAt = row.Event.At
		}
	}
	out := make([]Delivery, 0, len(found))
	for _, d := range found {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Delivery) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

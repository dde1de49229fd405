package study

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"
)

// ReadEvent is one event of a record as an actor may read it: without answers
// and scores for those who may not see them.
type ReadEvent struct {
	Event
	Hash Hash
}

// Record is the participant's stream behind a sequence, as far as the actor
// may read it.
func (s *Service) Record(ctx context.Context, by Actor, id ParticipantID, after uint64) ([]ReadEvent, error) {
	if err := permit(by, ReadHistory); err != nil {
		return nil, err
	}
	if _, err := s.Participant(ctx, by, id); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := s.store.Stream(ctx, id.Stream(), after)
	if err != nil {
		return nil, err
	}
	return readable(entries, h.SeesAnswers(by))
}

// FormRecord is the part of a participant's stream that concerns one form.
func (s *Service) FormRecord(ctx context.Context, by Actor, id ParticipantID, form SubmissionID) ([]ReadEvent, error) {
	events, err := s.Record(ctx, by, id, 0)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(events, func(e ReadEvent) bool {
		var names struct {
			SubmissionID SubmissionID `json:"submission_id"`
		}
		return json.Unmarshal(e.Payload, &names) != nil || names.SubmissionID != form
	}), nil
}

// Audit is a page of everything that was recorded behind a place, by time,
// without answers and scores, and the place to go on from (nil at the end).
// Site-bound roles read only their sites' participants, their sites and the
// study's own record.
func (s *Service) Audit(ctx context.Context, by Actor, after Place, limit int) ([]ReadEvent, *Place, error) {
	if err := permit(by, ReadAudit); err != nil {
		return nil, nil, err
	}
	entries, err := s.store.Recent(ctx, after, limit)
	if err != nil {
		return nil, nil, err
	}
	var next *Place
	if n := len(entries); n == limit && n > 0 {
		last := entries[n-1]
		next = &Place{At: last.At, Stream: last.Stream, Seq: last.Seq}
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, nil, err
	}
	if by.Role == RoleMonitor {
		visible := entries[:0]
		for _, n := range entries {
			sees, err := s.mayAudit(ctx, h, by, n.Stream)
			if err != nil {
				return nil, nil, err
			}
			if sees {
				visible = append(visible, n)
			}
		}
		entries = visible
	}
	events, err := readable(entries, false)
	return events, next, err
}

// AuditOf is what was recorded in one stream behind a sequence, as Audit shows it.
func (s *Service) AuditOf(ctx context.Context, by Actor, stream StreamID, after uint64) ([]ReadEvent, error) {
	if err := permit(by, ReadAudit); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	if by.Role == RoleMonitor {
		sees, err := s.mayAudit(ctx, h, by, stream)
		if err != nil {
			return nil, err
		}
		if !sees {
			return nil, notFound("record")
		}
	}
	entries, err := s.store.Stream(ctx, stream, after)
	if err != nil {
		return nil, err
	}
	return readable(entries, false)
}

// mayAudit reports whether a site-bound actor may read the stream's events.
func (s *Service) mayAudit(ctx context.Context, h *History, by Actor, id StreamID) (bool, error) {
	switch id.Kind() {
	case "study":
		return true, nil
	case "site":
		return by.Sees(SiteCode(id.Key())), nil
	case "participant":
		p, err := s.load(ctx, h, ParticipantID(id.Key()))
		return p != nil && by.Sees(p.Site), err
	default:
		return false, nil
	}
}

// readable opens entries, without answers and scores unless they may be seen.
func readable(entries []Entry, answers bool) ([]ReadEvent, error) {
	out := make([]ReadEvent, 0, len(entries))
	for _, n := range entries {
		e, err := n.Open()
		if err != nil {
			return nil, err
		}
		if !answers {
			if err := redact(&e); err != nil {
				return nil, err
			}
		}
		out = append(out, ReadEvent{Event: e, Hash: n.Hash})
	}
	return out, nil
}

// redacted are the members of a payload that only readers of answers see, and
// the questionnaire's licensed text; the digest of each stays.
var redacted = map[EventType][]string{
	SubmissionReceived{}.EventType():  {"answers", "skipped", "scores"},
	SubmissionCorrected{}.EventType(): {"answers", "skipped", "scores"},
	WordingImported{}.EventType():     {"text"},
}

func redact(e *Event) error {
	names, some := redacted[e.Type]
	if !some {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal(e.Payload, &members); err != nil {
		return err
	}
	for _, name := range names {
		delete(members, name)
	}
	raw, err := json.Marshal(members, json.Deterministic(true))
	e.Payload = raw
	return err
}

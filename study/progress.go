package study

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// recordProgress is how far an unsent form is, by assessment; counts only.
const recordProgress RecordKind = "progress"

// progressLives is how long that is kept.
const progressLives = 2 * 365 * 24 * time.Hour

// Progress is what a phone said of a form that it has not sent.
type Progress struct {
	OpenedAt Instant `json:"opened_at"`
	Answered int     `json:"answered"`
	Unsent   int     `json:"unsent"` // finished forms that the phone still holds
	SaidAt   Instant `json:"-"`      // when the phone said so
}

// KeepProgress keeps how far a participant's form is.
func (s *Service) KeepProgress(ctx context.Context, by Actor, id AssessmentID, said Progress) error {
	p, err := s.Participant(ctx, by, by.Participant)
	if err != nil {
		return err
	}
	if p.Assessment(id) == nil {
		return notFound("assessment")
	}
	raw, err := json.Marshal(said)
	if err != nil {
		return err
	}
	now := InstantOf(s.now()).Time()
	return s.store.PutRecord(ctx, Record{Kind: recordProgress, Key: string(id), Owner: string(p.ID.Stream()), At: now,
		ExpiresAt: now.Add(progressLives), Data: raw})
}

// ProgressOf is how far a participant's forms are, by assessment. Who may know
// is the caller's to check.
func (s *Service) ProgressOf(ctx context.Context, id ParticipantID) (map[AssessmentID]Progress, error) {
	records, err := s.store.Records(ctx, recordProgress, string(id.Stream()), time.Time{})
	if err != nil {
		return nil, err
	}
	out := map[AssessmentID]Progress{}
	for _, r := range records {
		var p Progress
		if err := json.Unmarshal(r.Data, &p); err != nil {
			return nil, fmt.Errorf("the progress of a form cannot be read: %w", err)
		}
		p.SaidAt = InstantOf(r.At)
		out[AssessmentID(r.Key)] = p
	}
	return out, nil
}

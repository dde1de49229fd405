package study

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"
)

// recordSettings are what a member of staff chose on the pages, by account. It
// is a convenience and no record of the study: the last choice wins.
const recordSettings RecordKind = "desk_settings"

// Settings are what the pages remember of a member of staff.
type Settings struct {
	Site SiteCode `json:"site,omitzero"` // shown last
	List string   `json:"list,omitzero"` // filter and order of the list of participants
}

// Settings are what the actor chose last; nothing yet is no error.
func (s *Service) Settings(ctx context.Context, by Actor) (out Settings, err error) {
	r, err := s.store.Record(ctx, recordSettings, string(by.Staff))
	if errors.Is(err, ErrNotFound) {
		return Settings{}, nil
	}
	if err != nil {
		return Settings{}, err
	}
	return out, json.Unmarshal(r.Data, &out)
}

// KeepSettings remembers what the actor chose.
func (s *Service) KeepSettings(ctx context.Context, by Actor, chosen Settings) error {
	raw, err := json.Marshal(chosen)
	if err != nil {
		return err
	}
	return s.store.PutRecord(ctx, Record{Kind: recordSettings, Key: string(by.Staff), Owner: string(by.Staff.Stream()), At: InstantOf(s.now()).Time(), Data: raw})
}

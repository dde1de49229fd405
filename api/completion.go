package api

import (
	"context"
	"errors"

	"epro/analysis"
	"epro/export"
	"epro/study"
)

type completionInput struct {
	Site  study.SiteCode `query:"site" doc:"One of your own sites; left out: all of them."`
	AsOf  string         `query:"as_of" maxLength:"40" doc:"A date (its end in the study's time zone) or an instant; left out: now."`
	Scale string         `query:"scale" maxLength:"20" doc:"The score that makes a form valid; left out: the instrument's total."`
}

type completionOutput struct{ Body SiteCompletion }

// SiteCompletion is where the participants of a site stand at every visit.
type SiteCompletion struct {
	AsOf  study.Instant `json:"as_of" format:"date-time"`
	Scale string        `json:"scale"`
	analysis.Grid
}

func (s *Server) completion(ctx context.Context, in *completionInput) (*completionOutput, error) {
	cut, err := s.cut(ctx, in.AsOf)
	if err != nil {
		return nil, renamed(err, "cut", "as_of")
	}
	if cut.At.After(s.now()) {
		cut.At = study.InstantOf(s.now()).Time()
	}
	grid, err := export.SiteCompletion(ctx, s.study, actorOf(ctx), in.Site, cut.At, in.Scale)
	if err != nil {
		return nil, err
	}
	return &completionOutput{SiteCompletion{AsOf: study.InstantOf(cut.At), Scale: grid.Scale(), Grid: *grid}}, nil
}

// renamed is the error with a field by the name that this address gives it.
func renamed(err error, from, to string) error {
	var e *study.Error
	if errors.As(err, &e) {
		for i := range e.Fields {
			if e.Fields[i].Name == from {
				e.Fields[i].Name = to
			}
		}
	}
	return err
}

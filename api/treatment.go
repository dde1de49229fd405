package api

import (
	"context"

	"epro/study"
)

type cycleInput struct {
	PersonPath
	N    int `path:"n" minimum:"1"`
	Body struct {
		StartedOn study.Date      `json:"started_on,omitempty" format:"date"`
		Kind      study.CycleKind `json:"kind,omitempty" enum:"planned,given,not_given" doc:"Left out: given for today or earlier, planned for later."`
		DoseAt    study.Instant   `json:"dose_at,omitempty" format:"date-time"`
		Reason    string          `json:"reason,omitempty" doc:"Needed unless the date is the planned one."`
		Confirm   bool            `json:"confirm,omitempty" doc:"After reading the warnings of a dry run."`
		DryRun    bool            `json:"dry_run,omitempty"`
	}
}

type cycleOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		Changes  []study.Change `json:"changes"`
		Warnings []string       `json:"warnings" doc:"What must be confirmed before the move is made."`
	}
}

func (s *Server) cycle(ctx context.Context, in *cycleInput) (*cycleOutput, error) {
	b := in.Body
	c := study.RecordCycle{N: in.N, StartedOn: b.StartedOn, Kind: b.Kind, DoseAt: b.DoseAt, Reason: b.Reason, Confirm: b.Confirm}
	out := &cycleOutput{}
	if b.DryRun {
		var err error
		out.Body.Changes, out.Body.Warnings, err = s.study.PreviewCycle(ctx, actorOf(ctx), in.ID, c)
		return out, err
	}
	res, err := s.do(ctx, in.ID, c)
	if err != nil {
		return nil, err
	}
	out.ETag, out.Body.Changes = etag(res.After.Seq), s.study.Changes(res)
	return out, nil
}

type statusInput struct {
	PersonPath
	Body struct {
		Status string            `json:"status" enum:"screen_failure,enrolled_in_error,lost_to_follow_up,withdrawn,deceased,end_of_follow_up,retract"`
		Level  study.Level       `json:"level,omitempty" enum:"questionnaires,trial,no_further_use" doc:"Of a withdrawal."`
		On     study.PartialDate `json:"on,omitempty" doc:"YYYY-MM-DD; a death also YYYY-MM or YYYY."`
		Seq    uint64            `json:"seq,omitempty" doc:"Of the fact to retract."`
		Reason string            `json:"reason"`
	}
}

func (s *Server) status(ctx context.Context, in *statusInput) (*participantOutput, error) {
	b := in.Body
	if b.Status == "retract" {
		return s.doAndShow(ctx, in.ID, study.RetractFact{Seq: b.Seq, Kinds: study.StatusFacts, Reason: b.Reason})
	}
	return s.doAndShow(ctx, in.ID, study.RecordFact{Kind: study.FactKind(b.Status), On: b.On, Level: b.Level, Reason: b.Reason})
}

type treatmentInput struct {
	PersonPath
	Body struct {
		Event  string            `json:"event" enum:"first_dose,ended,progressed,regimen_changed,new_therapy,retract"`
		On     study.PartialDate `json:"on,omitempty" doc:"YYYY-MM-DD"`
		At     study.Instant     `json:"at,omitempty" format:"date-time" doc:"The time of a first dose, where known."`
		Drugs  []string          `json:"drugs,omitempty"`
		Seq    uint64            `json:"seq,omitempty" doc:"Of the fact to retract."`
		Reason string            `json:"reason,omitempty"`
	}
}

func (s *Server) treatment(ctx context.Context, in *treatmentInput) (*participantOutput, error) {
	b := in.Body
	if b.Event == "retract" {
		return s.doAndShow(ctx, in.ID, study.RetractFact{Seq: b.Seq, Kinds: study.TreatmentFacts, Reason: b.Reason})
	}
	return s.doAndShow(ctx, in.ID, study.RecordFact{Kind: study.FactKind(b.Event), On: b.On, At: b.At, Drugs: b.Drugs, Reason: b.Reason})
}

type ecogInput struct {
	PersonPath
	Body struct {
		Visit  string     `json:"visit"`
		ECOG   int        `json:"ecog" minimum:"0" maximum:"4"`
		On     study.Date `json:"on" format:"date"`
		Reason string     `json:"reason,omitempty"`
	}
}

func (s *Server) ecog(ctx context.Context, in *ecogInput) (*participantOutput, error) {
	return s.doAndShow(ctx, in.ID, study.RateECOG(in.Body))
}

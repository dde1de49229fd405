package api

import (
	"context"

	"epro/analysis"
	"epro/export"
	"epro/study"
)

// analysisInput is what every analysis address takes. The variant of time to
// deterioration and its like are ignored where they mean nothing.
type analysisInput struct {
	Scale          string                 `query:"scale" maxLength:"20" doc:"Code of a score; left out: the instrument's total."`
	Visit          string                 `query:"visit" maxLength:"20" doc:"A visit on the axis, such as C7D1 or W18; left out: all."`
	From           string                 `query:"from" maxLength:"20" doc:"First visit on the axis; left out: the first of all."`
	To             string                 `query:"to" maxLength:"20" doc:"Last visit on the axis; left out: the last of all."`
	Axis           analysis.Axis          `query:"axis" enum:"cycle,calendar" doc:"By the visit's cycle (the default), or by the nearest calendar visit."`
	Cut            string                 `query:"cut" maxLength:"40" doc:"What was recorded by then: a date (its end in the study's time zone) or an instant; left out: now."`
	Through        string                 `query:"through" maxLength:"10" doc:"Only forms and facts dated on or before this date."`
	Demonstration  analysis.Demonstration `query:"demonstration" enum:"exclude,include,only" doc:"Left out: include in a simulated study, else exclude."`
	Origin         analysis.Origin        `query:"origin" enum:"first_dose,enrolment" doc:"Day that calendar visits are counted from."`
	StrictBaseline bool                   `query:"strict_baseline" doc:"Leave out baseline forms whose order to the first dose is unknown."`
	PreDose        bool                   `query:"pre_dose" doc:"Leave out forms after baseline that were not certainly completed before their cycle's dose."`
	Site           study.SiteCode         `query:"site"`
	Regimen        string                 `query:"regimen" maxLength:"200" doc:"Regimen at the first dose."`
	Threshold      float64                `query:"threshold" minimum:"0" maximum:"1000" doc:"Points that count as a change; left out or 0: the lower end of the published minimally important difference."`
	Variant        analysis.Variant       `query:"variant" enum:"first,confirmed,definitive" doc:"Which fall is a deterioration."`
	Death          analysis.Handling      `query:"death" enum:"censor,event" doc:"A death: censored, or an event within 42 days of the last valid form."`
	Gap            analysis.Handling      `query:"gap" enum:"censor,event" doc:"Two or more missed: censored before them, or what follows counts."`
	Progression    analysis.Handling      `query:"progression" enum:"ignore,censor" doc:"Progression or new therapy: ignored, or censored."`
}

func (in *analysisInput) ask() analysis.Ask {
	return analysis.Ask{Scale: in.Scale, Axis: in.Axis, Visit: in.Visit, From: in.From, To: in.To, Threshold: in.Threshold,
		Rule: analysis.Rule{Threshold: in.Threshold, Variant: in.Variant, Death: in.Death, Gap: in.Gap, Progression: in.Progression}}
}

type tableOutput[T any] struct{ Body T }

// table answers with one table of package analysis.
func table[T any](s *Server, build func(*analysis.Data, analysis.Ask) (T, error)) func(context.Context, *analysisInput) (*tableOutput[T], error) {
	return func(ctx context.Context, in *analysisInput) (*tableOutput[T], error) {
		cut, err := s.cut(ctx, in.Cut)
		if err != nil {
			return nil, err
		}
		through, err := export.ParseThrough(in.Through)
		if err != nil {
			return nil, err
		}
		data, err := export.Gather(ctx, s.study, actorOf(ctx), export.Question{Cut: cut, Through: through, Demonstration: in.Demonstration,
			Origin: in.Origin, StrictBaseline: in.StrictBaseline, PreDose: in.PreDose, Site: in.Site, Regimen: in.Regimen, Program: s.o.Version})
		if err != nil {
			return nil, err
		}
		body, err := build(data, in.ask())
		if err != nil {
			return nil, err
		}
		return &tableOutput[T]{body}, nil
	}
}

// cut reads a cut in the study's own zone.
func (s *Server) cut(ctx context.Context, text string) (export.Cut, error) {
	h, err := s.study.History(ctx)
	if err != nil {
		return export.Cut{}, err
	}
	zone, err := study.LoadZone(h.Current().TimeZone)
	if err != nil {
		return export.Cut{}, err
	}
	return export.ParseCut(text, zone, s.now())
}

package export

import (
	"context"
	"time"

	"epro/analysis"
	"epro/scoring"
	"epro/study"
)

// Question says what package analysis is to look at.
type Question struct {
	Cut           Cut // zero: now
	Through       study.Date
	Demonstration Demonstration
	Origin        analysis.Origin
	// StrictBaseline and PreDose are the sensitivity runs of analysis.Selection.
	StrictBaseline, PreDose bool
	Site                    study.SiteCode // at the cut; empty: all
	Regimen                 string         // on the day of the first dose; empty: all
	Program                 string         // version of this program
}

// Gather reads the study at the cut for package analysis. Who has forbidden any
// further use by now is left out, whatever the cut.
func Gather(ctx context.Context, svc *study.Service, by study.Actor, q Question) (*analysis.Data, error) {
	if !by.May(study.ExportData) {
		return nil, study.Fail(study.Forbidden, "Your role does not allow this. Ask the study's administrator if it should.")
	}
	now := study.InstantOf(svc.Now()).Time()
	if q.Cut.At.IsZero() {
		q.Cut = Cut{At: now}
	}
	st, err := svc.Study(ctx)
	if err != nil {
		return nil, err
	}
	o, err := Options{Demonstration: q.Demonstration}.settle(st)
	if err != nil {
		return nil, err
	}
	if q.Origin == "" {
		q.Origin = analysis.FromFirstDose
	}
	history, err := inForceAt(st.History, q.Cut.At, "cut")
	if err != nil {
		return nil, err
	}
	plan, err := analysis.NewPlan(history, analysis.Selection{Cut: study.InstantOf(earlier(q.Cut.At, now)), Through: q.Through,
		Demonstration: o.Demonstration, Origin: q.Origin, StrictBaseline: q.StrictBaseline, PreDose: q.PreDose})
	if err != nil {
		return nil, err
	}
	d := &analysis.Data{Plan: plan}
	d.Run = analysis.Run{Study: plan.Study, Protocol: history.Current().Version, Instrument: plan.Instrument.ID + " " + plan.Instrument.Version,
		Scoring: scoring.Version, Program: q.Program, Cut: study.InstantOf(q.Cut.At), Final: q.Cut.Final, Through: q.Through.String(),
		Demonstration: o.Demonstration, Origin: q.Origin, StrictBaseline: q.StrictBaseline, PreDose: q.PreDose, Site: q.Site, Regimen: q.Regimen}
	current := !q.Cut.At.Before(now)
	err = peopleFor(ctx, svc, by, q.Cut.At, current, func(p *study.Participant) error {
		if q.Site != "" && p.Site != q.Site {
			return nil
		}
		out, err := forbidden(ctx, svc, p, current)
		if err != nil {
			return err
		}
		if out {
			d.Run.NoFurtherUse++
			return nil
		}
		person, err := plan.Person(p)
		if err == nil && (q.Regimen == "" || q.Regimen == person.Regimen) {
			d.People = append(d.People, person)
		}
		return err
	})
	d.Run.Participants, d.Run.Population, d.Run.LeftOut = len(d.People), d.Population(), d.LeftOut()
	return d, err
}

// peopleFor reads everybody at the cut; records of now from what is kept of
// each, without folding them anew.
func peopleFor(ctx context.Context, svc *study.Service, by study.Actor, cut time.Time, current bool, f func(*study.Participant) error) error {
	if current {
		// An analyst may not list participants; their State goes into figures only.
		return svc.SitePeopleAt(ctx, study.System("analysis"), "", time.Time{}, f)
	}
	return svc.PeopleAt(ctx, by, cut, f)
}

// forbidden reports whether the participant has forbidden any further use by
// now. A reading with an older cut is made now all the same, so the record as
// it stands today decides; current says that p is that record.
func forbidden(ctx context.Context, svc *study.Service, p *study.Participant, current bool) (bool, error) {
	if !current {
		var err error
		// An analyst may not read single participants; this asks for a yes or no only.
		if p, err = svc.Participant(ctx, study.System("export"), p.ID); err != nil {
			return false, err
		}
	}
	left := p.Fact(study.FactWithdrawn)
	return left != nil && left.Level == study.LevelNoFurtherUse, nil
}

// inForceAt are the protocol versions that were adopted by the cut: what was in
// force later changes nothing before it. field is what the cut is called.
func inForceAt(h *study.History, cut time.Time, field string) (*study.History, error) {
	then := h.UpTo(cut)
	if then.Current() == nil {
		return nil, study.Fail(study.Invalid, "No protocol was in force at the cut, so there is nothing to look at.",
			study.Field{Name: field, Reason: "give one that does not lie before the study's first protocol"})
	}
	return then, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// SiteCompletion is a site's completion for its staff, at an instant of now or
// the past (zero: now); an empty site is all of the actor's own. An empty scale
// is the instrument's last total. Each participant, as she stood then, is also
// given to the functions named.
func SiteCompletion(ctx context.Context, svc *study.Service, by study.Actor, site study.SiteCode, asOf time.Time, scale string, each ...func(*study.Participant)) (*analysis.Grid, error) {
	if site != "" && !by.Sees(site) {
		return nil, study.Fail(study.NotFound, "There is no such site, or it is not yours to see.")
	}
	now := svc.Now()
	if asOf.IsZero() || asOf.After(now) {
		asOf = now
	}
	history, err := svc.History(ctx)
	if err != nil {
		return nil, err
	}
	if history, err = inForceAt(history, asOf, "as_of"); err != nil {
		return nil, err
	}
	plan, err := analysis.NewPlan(history, analysis.Selection{Cut: study.InstantOf(asOf)})
	if err != nil {
		return nil, err
	}
	score, err := plan.Score(scale)
	if err != nil {
		return nil, err
	}
	g := analysis.NewGrid(plan, score)
	cut := asOf
	if !cut.Before(now) {
		cut = time.Time{}
	}
	return g, svc.SitePeopleAt(ctx, by, site, cut, func(p *study.Participant) error {
		for _, f := range each {
			f(p)
		}
		return g.Add(p, asOf)
	})
}

package analysis

import (
	"cmp"
	"fmt"
	"slices"

	"epro/scoring"
	"epro/study"
)

// Person is what analysis needs of a participant. Days are calendar days where
// she lives; a partial date is the earliest day that it can mean, a death's none
// before a day on which she was seen alive.
type Person struct {
	ID      study.ParticipantID
	Number  string
	Site    study.SiteCode // at the cut
	Regimen string         // on the day of the first dose; tables are split by it
	Current string         // regimen at the cut

	// Today is her day when the cut has passed: those before it are over.
	Today       study.Date
	EnrolledOn  study.Date
	ConsentedOn study.Date
	FirstDose   Dose

	// What ended or changed her part, each dated or none. Off is leaving the
	// trial in any way but death; OffPRO leaving the questionnaires only.
	EndedOn, ProgressedOn, NewTherapyOn study.Date
	OffOn, OffPROOn, DiedOn             study.Date

	// InPopulation: consented, at least one dose, not enrolled in error.
	InPopulation bool
	Visits       []VisitOf  // as in Plan.Visits
	Forms        []Form     // those that stand and are left in, by completion
	Baselines    []Baseline // as in Plan.Scores
	// LeftOut are the standing forms that the selection leaves out.
	LeftOut LeftOut
}

// LeftOut counts forms that a selection leaves out.
type LeftOut struct {
	Demonstration int `json:"demonstration"` // shown without a licensed wording pack
	Licensed      int `json:"licensed"`      // shown with one
	AfterThrough  int `json:"after_through"` // completed after the last day asked for
	NotPreDose    int `json:"not_pre_dose"`  // after baseline and not certainly before the dose, where asked
}

// Add adds another count.
func (l *LeftOut) Add(o LeftOut) {
	l.Demonstration += o.Demonstration
	l.Licensed += o.Licensed
	l.AfterThrough += o.AfterThrough
	l.NotPreDose += o.NotPreDose
}

// VisitOf is a visit of one person. Asked is false where the protocol versions
// that apply to her do not have it.
type VisitOf struct {
	Asked      bool
	Window     study.Window
	Superseded bool
	NotDone    *study.NotDone // the coded reason of a missing form, if any
	Form       *Form          // one of Person.Forms, or nil
	Standing   Standing
}

// Form is a form that stands for its visit, placed in time.
type Form struct {
	*study.Submission
	Visit       int // index in Plan.Visits
	CompletedOn study.Date
	Points      []scoring.Score // as in Plan.Scores
	Answered    int             // items, of the whole form
	InTime      bool            // completed inside the window
	Proxy       bool            // somebody else answered
	Timing      Timing          // to the dose of its cycle
	StudyDay    int             // from the first dose, without a day 0; 0: no dose
	OnTreatment bool            // from the first dose to the end of treatment
	Week        Week            // by the calendar
}

// Counts reports whether the form is one that can be valid: in time, by the
// participant herself.
func (f *Form) Counts() bool { return f != nil && f.InTime && !f.Proxy }

// Received reports whether the form counts and answers at least one item.
func (f *Form) Received() bool { return f.Counts() && f.Answered > 0 }

// Value is the form's score, if the form is valid for it.
func (f *Form) Value(score int) (float64, bool) {
	if !f.Counts() || f.Points[score].Missing != scoring.NotMissing {
		return 0, false
	}
	return f.Points[score].Value, true
}

// Person computes what analysis needs of the participant. A form that this
// program cannot score, or whose stored scores differ, is an error.
func (p *Plan) Person(of *study.Participant) (*Person, error) {
	if of.Mismatch != "" {
		return nil, fmt.Errorf("participant %s, %s; run epro verify", of.ID, of.Mismatch)
	}
	q := &Person{ID: of.ID, Number: of.Number, Site: of.Site, Current: of.RegimenOn(p.Through),
		Today: study.DateOf(p.after().Time().In(of.Zone())), EnrolledOn: study.DateOf(of.EnrolledAt.Time().In(of.Zone())), ConsentedOn: of.ConsentedOn(), Visits: make([]VisitOf, len(p.Visits))}
	q.facts(of, p.Through)
	if err := p.place(q, of); err != nil {
		return nil, err
	}
	slices.SortStableFunc(q.Forms, func(a, b Form) int { return cmp.Compare(a.CompletedAt, b.CompletedAt) })
	for i := range q.Forms {
		q.Visits[q.Forms[i].Visit].Form = &q.Forms[i]
	}
	for i := range q.Visits {
		q.Visits[i].Standing = p.standing(q, &q.Visits[i])
	}
	p.baselines(q)
	return q, nil
}

// facts reads what is dated on or before the last day that counts.
func (q *Person) facts(of *study.Participant, through study.Date) {
	on := func(kind study.FactKind) study.Date {
		if f := of.FactBy(kind, through); f != nil {
			return f.On.First()
		}
		return 0
	}
	q.FirstDose = FirstDose(of, through)
	q.EndedOn, q.ProgressedOn = on(study.FactTreatmentEnded), on(study.FactProgressed)
	if died := of.FactBy(study.FactDeceased, through); died != nil {
		q.DiedOn = of.StopsOn(died)
	}
	q.OffOn = earliest(on(study.FactEndOfFollowUp), on(study.FactScreenFailure))
	for _, f := range of.Facts {
		day := f.On.First()
		switch {
		case f.Retracted, through != 0 && day > through:
		case f.Kind == study.FactNewTherapy:
			q.NewTherapyOn = earliest(q.NewTherapyOn, day)
		case f.Kind == study.FactWithdrawn && f.Level == study.LevelQuestionnaires:
			q.OffPROOn = earliest(q.OffPROOn, day)
		case f.Kind == study.FactWithdrawn:
			q.OffOn = earliest(q.OffOn, day)
		}
	}
	if q.FirstDose.On != 0 {
		q.Regimen = of.RegimenAtDose
	}
	q.InPopulation = q.ConsentedOn != 0 && q.FirstDose.On != 0 && on(study.FactEnrolledInError) == 0 &&
		(through == 0 || q.ConsentedOn <= through)
}

// earliest is the earlier of two days, of which either may be none.
func earliest(a, b study.Date) study.Date {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// place puts the assessments in the order of the plan and collects the forms.
func (p *Plan) place(q *Person, of *study.Participant) error {
	q.Forms = make([]Form, 0, withForms(of))
	for i := range of.Assessments {
		a := &of.Assessments[i]
		number := p.numbers[a.Visit]
		if number == 0 {
			return fmt.Errorf("assessment %s: no protocol version has visit %s", a.ID, a.Visit)
		}
		q.Visits[number-1] = VisitOf{Asked: true, Window: a.Window, Superseded: a.Superseded, NotDone: a.NotDone}
		s := a.Standing()
		if s == nil {
			continue
		}
		zone, err := study.LoadZone(a.Window.Zone)
		if err != nil {
			return fmt.Errorf("assessment %s: %w", a.ID, err)
		}
		completedOn := study.DateOf(s.CompletedAt.Time().In(zone))
		if p.leaves(s, completedOn) {
			q.LeftOut.Add(p.leftOut(s))
			continue
		}
		f, err := p.form(q, of, a, s, completedOn)
		if err != nil {
			return err
		}
		if f.Visit = number - 1; p.PreDose && !p.Visits[f.Visit].Baseline && f.Timing != PreDose {
			q.LeftOut.NotPreDose++
			continue
		}
		q.Forms = append(q.Forms, f)
	}
	return nil
}

// withForms is how many assessments have a form of any kind.
func withForms(of *study.Participant) int {
	n := 0
	for i := range of.Assessments {
		if len(of.Assessments[i].Submissions) > 0 {
			n++
		}
	}
	return n
}

// leftOut says why a form is left out.
func (p *Plan) leftOut(s *study.Submission) LeftOut {
	switch {
	case s.Demonstration && p.Demonstration == Exclude:
		return LeftOut{Demonstration: 1}
	case !s.Demonstration && p.Demonstration == Only:
		return LeftOut{Licensed: 1}
	default:
		return LeftOut{AfterThrough: 1}
	}
}

// form places a form in time and scores it anew, with the scoring version that
// it was stored with.
func (p *Plan) form(q *Person, of *study.Participant, a *study.Assessment, s *study.Submission, on study.Date) (Form, error) {
	if s.Instrument != p.Instrument.ID || s.Version != p.Instrument.Version {
		return Form{}, fmt.Errorf("form %s is of %s version %s, this run of %s version %s", s.ID, s.Instrument, s.Version, p.Instrument.ID, p.Instrument.Version)
	}
	visit, _, err := p.visit(a)
	if err != nil {
		return Form{}, err
	}
	f := Form{Submission: s, CompletedOn: on, InTime: a.InTime(s), Proxy: s.Assistance == study.AssistanceProxy,
		Timing: CycleDose(of, visit.Cycle, p.Through).Timing(s.CompletedAt, on), StudyDay: q.FirstDose.StudyDay(on)}
	if f.Points, err = s.Scores(nil); err != nil {
		return Form{}, err
	}
	f.Answered = s.Answers.Count()
	f.OnTreatment = f.StudyDay > 0 && (q.EndedOn == 0 || on <= q.EndedOn)
	f.Week = p.week(q, on)
	return f, nil
}

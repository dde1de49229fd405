package study

import (
	"fmt"
	"slices"
	"strings"

	"epro/instruments"
	"epro/scoring"
)

// form finds the form that a command names.
func (p *Participant) form(id SubmissionID) (*Submission, error) {
	_, s := p.Submission(id)
	if s == nil {
		return nil, notFound("form")
	}
	return s, nil
}

// JudgeHeld accepts or rejects a held form.
type JudgeHeld struct {
	Form   SubmissionID
	Accept bool
	Reason string
}

func (JudgeHeld) action() Action { return DecideHeld }
func (c JudgeHeld) why() string  { return c.Reason }
func (c JudgeHeld) decide(p *Participant, _ *Situation) (Payload, error) {
	s, err := p.form(c.Form)
	if err != nil {
		return nil, err
	}
	if err := needReason(c.Reason); err != nil {
		return nil, err
	}
	want := Rejected
	if c.Accept {
		want = Accepted
	}
	switch {
	case s.Held():
		return HeldDecided{SubmissionID: c.Form, Accept: c.Accept}, nil
	case s.HeldCause != "" && s.Decision == want && s.Void == "":
		return nil, nil
	default:
		return nil, Fail(Conflict, "This form is not waiting for a decision.")
	}
}

// CorrectForm states a form's answers anew, on the participant's evidence.
type CorrectForm struct {
	Form    SubmissionID
	Answers map[string]string
	Skipped map[string]string
	Cause   Cause
	Reason  string
}

func (CorrectForm) action() Action { return CorrectForms }
func (c CorrectForm) why() string  { return c.Reason }
func (c CorrectForm) decide(p *Participant, _ *Situation) (Payload, error) {
	s, err := p.form(c.Form)
	if err != nil {
		return nil, err
	}
	if err := checkCause(c.Cause, c.Reason); err != nil {
		return nil, err
	}
	if s.Void != "" {
		return nil, Fail(Conflict, "This form is void; nothing in it counts.")
	}
	k := kits[InstrumentRef{ID: s.Instrument, Version: s.Version}]
	answers, marks, err := checkForm(k, instruments.Form{Answers: c.Answers, Skipped: c.Skipped, Paper: !s.Mode.Electronic()})
	if err != nil {
		return nil, err
	}
	var flags []Flag
	for _, m := range marks {
		flags = append(flags, Flag(m))
	}
	// A tick beside an answer is no answer, but it can be wrong all the same.
	sameTick := slices.Contains(flags, FlagQ1Conflict) == slices.Contains(s.Flags, FlagQ1Conflict)
	if slices.Equal(answers, s.Answers) && sameTick {
		return nil, invalid("answers", "these are the answers that the form has; a correction changes at least one")
	}
	given, skipped := statedOf(k, answers, c.Skipped)
	return SubmissionCorrected{SubmissionID: c.Form, Revision: s.Revision + 1, Answers: given, Skipped: skipped,
		Scores: storedScores(k, answers), ScoringVersion: scoring.Version, Cause: c.Cause, Flags: flags}, nil
}

func checkCause(cause Cause, reason string) error {
	var f faults
	f.add(!slices.Contains(Causes, cause), "cause", oneOf(Causes))
	f.add(strings.TrimSpace(reason) == "", "reason", "say why; the record keeps it")
	return f.err()
}

// VoidForm takes a form out of every count.
type VoidForm struct {
	Form   SubmissionID
	Cause  Cause
	Reason string
}

func (VoidForm) action() Action { return VoidForms }
func (c VoidForm) why() string  { return c.Reason }
func (c VoidForm) decide(p *Participant, _ *Situation) (Payload, error) {
	s, err := p.form(c.Form)
	if err != nil {
		return nil, err
	}
	if err := checkCause(c.Cause, c.Reason); err != nil {
		return nil, err
	}
	if s.Void != "" {
		return nil, Fail(Conflict, "This form is void already.")
	}
	return SubmissionVoided{SubmissionID: c.Form, Cause: c.Cause}, nil
}

// VerifyForm says that the form was compared with its source by a second person.
type VerifyForm struct {
	Form   SubmissionID
	Reason string
}

func (VerifyForm) action() Action { return VerifyForms }
func (c VerifyForm) why() string  { return c.Reason }
func (c VerifyForm) decide(p *Participant, s *Situation) (Payload, error) {
	form, err := p.form(c.Form)
	if err != nil {
		return nil, err
	}
	switch {
	case form.Void != "":
		return nil, Fail(Conflict, "This form is void; there is nothing to verify.")
	case form.By == s.By.Ref(), form.RevisedBy == s.By.Ref():
		return nil, Fail(Forbidden, "Whoever entered or corrected a form cannot verify it. Ask a second person.")
	case form.Verified == form.Revision:
		return nil, nil
	}
	return SubmissionVerified{SubmissionID: c.Form, Revision: form.Revision}, nil
}

// RecordFact records a dated fact of treatment or of taking part.
type RecordFact struct {
	Kind   FactKind
	On     PartialDate // only a death may be dated in part
	At     Instant     // the time of a first dose, where known
	Level  Level       // of a withdrawal
	Drugs  []string
	Reason string
}

func (RecordFact) action() Action { return RecordFacts }
func (c RecordFact) why() string  { return c.Reason }
func (c RecordFact) decide(p *Participant, s *Situation) (Payload, error) {
	if err := c.check(p, s); err != nil {
		return nil, err
	}
	if old := p.Fact(c.Kind); old != nil && !c.again(old) {
		if old.On == c.On && old.At == c.At && old.Level == c.Level {
			return nil, nil
		}
		return nil, Fail(Conflict, fmt.Sprintf("%s is recorded already (seq %d). Retract that one with a reason, then record it anew.", c.Kind, old.Seq))
	}
	return FactRecorded{Kind: c.Kind, On: c.On, At: c.At, Level: c.Level, Drugs: c.Drugs}, nil
}

// again reports whether the fact may be recorded beside the latest of its kind:
// a person dies once, changes therapy as often as need be, and who has left the
// questionnaires may leave the trial later.
func (c RecordFact) again(latest *Fact) bool {
	switch c.Kind {
	case FactRegimenChanged, FactNewTherapy:
		return true
	case FactWithdrawn:
		return c.Level.beyond(latest.Level)
	default:
		return false
	}
}

func (c RecordFact) check(p *Participant, s *Situation) error {
	var f faults
	status := slices.Contains(StatusFacts, c.Kind)
	f.add(!status && !slices.Contains(TreatmentFacts, c.Kind), "kind", oneOf(slices.Concat(TreatmentFacts, StatusFacts)))
	_, err := ParsePartialDate(string(c.On))
	f.add(err != nil, "on", "give the day as YYYY-MM-DD")
	if err == nil {
		f.add(!c.On.Exact() && c.Kind != FactDeceased, "on", "give the whole date as YYYY-MM-DD; only a death may be dated in part")
		f.add(c.On.First() > s.today(p), "on", "it cannot lie in the future")
		consent := p.ConsentedOn()
		f.add(consent == 0 && c.Kind == FactFirstDose, "on", "nobody has a dose before consent; record the consent first")
		f.add(consent != 0 && c.On.Last() < consent && c.Kind != FactScreenFailure, "on", "it cannot lie before consent")
		f.add(!c.At.IsZero() && DateOf(c.At.Time().In(p.Zone())) != c.On.First(), "at", "the time must lie on the day given, in the participant's time zone")
		f.add(c.At > s.Now, "at", "the time cannot lie in the future")
	}
	f.add(c.Kind == FactWithdrawn && !slices.Contains(Levels, c.Level), "level", oneOf(Levels))
	f.add(c.Kind != FactWithdrawn && c.Level != "", "level", "only a withdrawal has a level")
	f.add(status && strings.TrimSpace(c.Reason) == "", "reason", "say why; the record keeps it")
	f.add(len(c.Drugs) > 12 || slices.ContainsFunc(c.Drugs, func(d string) bool { return !plainText(d, 64) }), "drugs", "at most 12 names of up to 64 characters")
	f.add(c.Kind == FactRegimenChanged && len(c.Drugs) == 0, "drugs", "name the drugs of the new regimen")
	return f.err()
}

// RetractFact takes a fact back. What it stopped and is still open opens again.
type RetractFact struct {
	Seq    uint64
	Kinds  []FactKind // what the route may retract
	Reason string
}

func (RetractFact) action() Action { return RecordFacts }
func (c RetractFact) why() string  { return c.Reason }
func (c RetractFact) decide(p *Participant, _ *Situation) (Payload, error) {
	if err := needReason(c.Reason); err != nil {
		return nil, err
	}
	for _, f := range p.Facts {
		if f.Seq != c.Seq || c.Kinds != nil && !slices.Contains(c.Kinds, f.Kind) {
			continue
		}
		if f.Retracted {
			return nil, nil
		}
		return FactRetracted{Seq: c.Seq}, nil
	}
	return nil, invalid("seq", "no such fact is recorded; the history shows the seq of each")
}

// RecordCycle states the first day of a treatment cycle and moves what follows.
type RecordCycle struct {
	N         int
	StartedOn Date
	Kind      CycleKind // empty: given for today or earlier, planned for later
	DoseAt    Instant
	Reason    string
	Confirm   bool // of what Warnings said
}

func (RecordCycle) action() Action { return RecordCycles }
func (c RecordCycle) why() string  { return c.Reason }
func (c RecordCycle) decide(p *Participant, s *Situation) (Payload, error) {
	v, warnings, err := c.plan(p, s)
	if err != nil {
		return nil, err
	}
	rules := s.History.Current().Cycles
	planned := c.StartedOn == p.Cycles[c.N-1].StartsOn || c.StartedOn == p.PlannedOn(c.N, rules.LengthDays)
	if !planned || v.Kind == CycleNotGiven {
		if err := needReason(c.Reason); err != nil {
			return nil, err
		}
	}
	if len(warnings) > 0 && !c.Confirm {
		return nil, invalid("confirm", strings.Join(warnings, " ")+" Send confirm: true if that is right.")
	}
	said := Cycle{N: c.N, StartsOn: v.StartedOn, Kind: v.Kind, DoseAt: v.DoseAt, Seq: p.Cycles[c.N-1].Seq}
	if said.Seq != 0 && said == p.Cycles[c.N-1] {
		return nil, nil
	}
	return v, nil
}

// plan checks the move and says what the person should know before it is made.
func (c RecordCycle) plan(p *Participant, s *Situation) (CycleRecorded, []string, error) {
	if c.N < 1 || c.N > len(p.Cycles) {
		return CycleRecorded{}, nil, notFound("cycle")
	}
	today := s.today(p)
	if c.StartedOn == 0 && c.Kind == CycleNotGiven {
		c.StartedOn = p.Cycles[c.N-1].StartsOn
	}
	if c.Kind == "" {
		c.Kind = CyclePlanned
		if c.StartedOn <= today {
			c.Kind = CycleGiven
		}
	}
	if err := c.check(p, s, today); err != nil {
		return CycleRecorded{}, nil, err
	}
	after := p.clone()
	recorded := CycleRecorded{N: c.N, StartedOn: c.StartedOn, Kind: c.Kind, DoseAt: c.DoseAt}
	after.cycleRecorded(Event{Seq: p.Seq + 1}, recorded)
	if bad := outOfOrder(after.Cycles); bad > 0 {
		return CycleRecorded{}, nil, invalid("started_on", fmt.Sprintf("cycle %d would not start after cycle %d", bad, bad-1))
	}
	after.reschedule(s.History, s.Now)
	return recorded, c.warnings(p, after, s), nil
}

func (c RecordCycle) check(p *Participant, s *Situation, today Date) error {
	rules := s.History.Current().Cycles
	kinds := []CycleKind{CyclePlanned, CycleGiven, CycleNotGiven}
	var f faults
	f.add(!slices.Contains(kinds, c.Kind), "kind", oneOf(kinds))
	f.add(c.StartedOn == 0, "started_on", "give the first day of the cycle as YYYY-MM-DD")
	if c.StartedOn != 0 {
		f.add(c.Kind == CycleGiven && c.StartedOn > today, "started_on", "a cycle that was given cannot start in the future")
		f.add(c.StartedOn < p.ConsentedOn(), "started_on", "a cycle cannot start before consent")
		f.add(c.Kind == CycleGiven && len(p.Consents) == 0, "kind", "no cycle is given before consent; record the consent first")
		off := c.StartedOn - p.PlannedOn(c.N, rules.LengthDays)
		f.add(max(off, -off) > Date(rules.MaxShiftDays), "started_on", fmt.Sprintf("that is over %d days from plan", rules.MaxShiftDays))
		f.add(c.Kind == CycleNotGiven && c.StartedOn != p.Cycles[c.N-1].StartsOn, "started_on",
			"a cycle that was not given keeps its planned day, "+p.Cycles[c.N-1].StartsOn.String())
	}
	f.add(!c.DoseAt.IsZero() && c.Kind != CycleGiven, "dose_at", "only a cycle that was given has a time of dose")
	f.add(c.DoseAt > s.Now, "dose_at", "the time cannot lie in the future")
	f.add(!c.DoseAt.IsZero() && DateOf(c.DoseAt.Time().In(p.Zone())) != c.StartedOn, "dose_at", "the time must lie on the day given, in the participant's time zone")
	return f.err()
}

// outOfOrder is the first cycle that does not start after its predecessor, or 0.
func outOfOrder(cycles []Cycle) int {
	for i := 1; i < len(cycles); i++ {
		if cycles[i].StartsOn <= cycles[i-1].StartsOn {
			return cycles[i].N
		}
	}
	return 0
}

// warnings are the sentences that ask for confirmation: unusual gaps, and open
// or future assessments that the move would make missed or superseded.
func (c RecordCycle) warnings(p, after *Participant, s *Situation) []string {
	rules := s.History.Current().Cycles
	var out []string
	gap := func(a, b int) {
		if a < 1 || b > len(after.Cycles) || b-1 != a {
			return
		}
		was := p.Cycles[b-1].StartsOn - p.Cycles[a-1].StartsOn
		days := after.Cycles[b-1].StartsOn - after.Cycles[a-1].StartsOn
		if days != was && (days < Date(rules.MinGapDays) || days > Date(rules.MaxGapDays)) {
			out = append(out, fmt.Sprintf("Cycle %d would start %d days after cycle %d.", b, days, a))
		}
	}
	last := c.N
	for last < len(after.Cycles) && !after.Cycles[last].settled() {
		last++
	}
	gap(c.N-1, c.N)
	gap(last, last+1)
	for _, ch := range changes(p, after, s.Now) {
		was := ch.StatusBefore == Upcoming || ch.StatusBefore == Open || ch.StatusBefore == Overdue
		switch {
		case was && (ch.StatusAfter == Missed || ch.StatusAfter == Superseded):
			out = append(out, fmt.Sprintf("Visit %s is %s now and would be %s.", ch.Visit, ch.StatusBefore, ch.StatusAfter))
		case was && ch.StatusAfter == "":
			out = append(out, fmt.Sprintf("Visit %s is %s now and would not be asked for any more.", ch.Visit, ch.StatusBefore))
		}
	}
	return out
}

// Change is what a command or an amendment does to one assessment. One that is
// asked for by one side only has neither dates nor a status on the other.
type Change struct {
	Visit        string           `json:"visit"`
	From         Dates            `json:"from"`
	To           Dates            `json:"to"`
	StatusBefore AssessmentStatus `json:"status_before"`
	StatusAfter  AssessmentStatus `json:"status_after"`
}

// Dates are a window's dates without its zone.
type Dates struct {
	OpensOn  Date `json:"opens_on"`
	DueOn    Date `json:"due_on"`
	ClosesOn Date `json:"closes_on"`
}

func (w Window) dates() Dates { return Dates{w.OpensOn, w.DueOn, w.ClosesOn} }

// changes are the assessments whose window or status differs between two
// States, both seen at now; then those that only the first has.
func changes(before, after *Participant, now Instant) []Change {
	out := []Change{}
	for i := range after.Assessments {
		a := &after.Assessments[i]
		c := Change{Visit: a.Visit, To: a.Window.dates(), StatusAfter: after.AssessmentStatus(a, now.Time())}
		if old := before.AtVisit(a.Visit); old != nil {
			c.From, c.StatusBefore = old.Window.dates(), before.AssessmentStatus(old, now.Time())
		}
		if c.From != c.To || c.StatusBefore != c.StatusAfter {
			out = append(out, c)
		}
	}
	for i := range before.Assessments {
		if old := &before.Assessments[i]; after.AtVisit(old.Visit) == nil {
			out = append(out, Change{Visit: old.Visit, From: old.Window.dates(), StatusBefore: before.AssessmentStatus(old, now.Time())})
		}
	}
	return out
}

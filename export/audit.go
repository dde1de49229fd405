package export

import (
	"strconv"

	"epro/study"
)

// trail is a row of the audit trail: an event, or one item that a correction
// changed.
type trail struct {
	view  *view
	event study.Event
	about about
	item  string // of a correction
	old   string
	now   string
}

// about is what an event is about. No free text is in it.
type about struct {
	form       study.SubmissionID
	assessment study.AssessmentID
	revision   int
	cause      study.Cause
	missing    study.MissingReason
	kind       string
	cycle      int
	visit      string
	on         string
	dataset    string
	said       map[string]string // what the form says of each item, if the event states it
}

// aboutOf takes from an event's payload what a row needs; events of other types
// are named only.
func aboutOf(payload study.Payload) about {
	switch p := payload.(type) {
	case study.SubmissionReceived:
		return about{form: p.SubmissionID, assessment: p.AssessmentID, revision: 1, said: said(p.Answers, p.Skipped)}
	case study.SubmissionCorrected:
		return about{form: p.SubmissionID, revision: p.Revision, cause: p.Cause, said: said(p.Answers, p.Skipped)}
	case study.SubmissionVoided:
		return about{form: p.SubmissionID, cause: p.Cause}
	case study.SubmissionVerified:
		return about{form: p.SubmissionID, revision: p.Revision}
	case study.HeldDecided:
		if p.Accept {
			return about{form: p.SubmissionID, kind: string(study.Accepted)}
		}
		return about{form: p.SubmissionID, kind: string(study.Rejected)}
	case study.NotDoneRecorded:
		return about{assessment: p.AssessmentID, missing: p.Reason}
	case study.CycleRecorded:
		return about{cycle: p.N, kind: string(p.Kind), on: p.StartedOn.String()}
	case study.FactRecorded:
		return about{kind: string(p.Kind), on: string(p.On)}
	case study.PerformanceRecorded:
		return about{visit: p.Visit, on: p.On.String()}
	case study.ConsentRecorded:
		return about{on: p.Consent.On.String()}
	case study.ConsentCorrected:
		return about{on: p.Consent.On.String()}
	case study.Transferred:
		return about{on: p.On.String()}
	case study.DataExported:
		return about{dataset: p.Dataset}
	default:
		return about{}
	}
}

// said is what a form says of each item.
func said(answers map[string]int, skipped map[string]string) map[string]string {
	out := make(map[string]string, len(answers)+len(skipped))
	for code, why := range skipped {
		out[code] = why
	}
	for code, answer := range answers {
		out[code] = strconv.Itoa(answer)
	}
	return out
}

// audit has a row for every event of the log.
func audit() Dataset {
	d := Dataset{
		Name: "audit", Label: "Audit trail", Member: "AUDIT",
		Row:  "an event of the record, or one item that a correction changed; events of names being taken are left out",
		Keys: []string{"STREAM", "SEQ", "ITEM"},
	}
	fields := trailFields()
	d.Columns = columnsOf(fields)
	d.event = func(v *view, e study.Event, out emit) error {
		return v.trail(e, rowsOf(v, fields, out))
	}
	return d
}

// trail calls each with the event, and with every item that it changed. What a
// form said before is remembered while its stream is read.
func (v *view) trail(e study.Event, each func(*trail) error) error {
	payload, err := study.PayloadOf(e)
	if err != nil {
		return err
	}
	row := trail{view: v, event: e, about: aboutOf(payload)}
	if e.Stream != v.trailOf {
		v.trailOf, v.said = e.Stream, map[study.SubmissionID]map[string]string{}
	}
	if err := each(&row); err != nil || row.about.said == nil {
		return err
	}
	before, now := v.said[row.about.form], row.about.said
	v.said[row.about.form] = now
	if before == nil {
		return nil
	}
	for _, item := range v.instrument.Items {
		if row.item, row.old, row.now = item.Code, before[item.Code], now[item.Code]; row.old != row.now {
			if err := each(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

func trailFields() []field[*trail] {
	return []field[*trail]{
		{Column{Name: "STUDYID", Label: "Study Identifier"}, func(r *trail) Value { return TextOf(r.view.studyID()) }},
		{Column{Name: "USUBJID", Label: "Unique Subject Identifier", Note: "Empty for events of the study, a site or a staff account."}, func(r *trail) Value {
			if r.event.Stream.Kind() != "participant" {
				return Value{}
			}
			return TextOf(r.view.studyID() + "-" + r.event.Stream.Key())
		}},
		{Column{Name: "STREAM", Label: "Record That the Event Belongs To"}, func(r *trail) Value { return TextOf(r.event.Stream) }},
		{Column{Name: "SEQ", Label: "Sequence in the Record", Kind: Integer}, func(r *trail) Value { return IntegerOf(int(r.event.Seq)) }},
		{Column{Name: "EVENTID", Label: "Event Identifier"}, func(r *trail) Value { return TextOf(r.event.ID) }},
		{Column{Name: "EVENTDTM", Label: "Recorded", Kind: Instant, Note: "By the server's clock."}, func(r *trail) Value { return InstantOf(r.event.At) }},
		{Column{Name: "EVENT", Label: "What Happened"}, func(r *trail) Value { return TextOf(r.event.Type) }},
		{Column{Name: "ACTROLE", Label: "Role of Whoever Did It"}, func(r *trail) Value { return TextOf(r.event.Actor.Role) }},
		{Column{Name: "ACTBY", Label: "Identifier of Whoever Did It", Note: "An opaque id; of the system, which part of the program."},
			func(r *trail) Value { return TextOf(r.event.Actor.ID) }},
		{Column{Name: "REASONFL", Label: "A Reason Was Given", Kind: Flag, Note: "Reasons are free text and stay in the record."},
			func(r *trail) Value { return FlagOf(r.event.Reason != "") }},
		{Column{Name: "ASSESSID", Label: "Assessment Identifier"}, func(r *trail) Value { return TextOf(r.about.assessment) }},
		{Column{Name: "FORMID", Label: "Form Identifier"}, func(r *trail) Value { return TextOf(r.about.form) }},
		{Column{Name: "REVISION", Label: "Revision of the Answers", Kind: Integer}, func(r *trail) Value { return unlessZero(r.about.revision) }},
		{Column{Name: "CAUSE", Label: "Cause of a Correction or Voiding", Codes: causes}, func(r *trail) Value { return TextOf(r.about.cause) }},
		{Column{Name: "NOTDONE", Label: "Reason of a Missing Form", Codes: missingForms}, func(r *trail) Value { return TextOf(r.about.missing) }},
		{Column{Name: "KIND", Label: "Kind of Fact, Cycle or Decision"}, func(r *trail) Value { return TextOf(r.about.kind) }},
		{Column{Name: "CYCLE", Label: "Treatment Cycle", Kind: Integer}, func(r *trail) Value { return unlessZero(r.about.cycle) }},
		{Column{Name: "VISIT", Label: "Visit Code"}, func(r *trail) Value { return TextOf(r.about.visit) }},
		{Column{Name: "ONDTC", Label: "Date That Was Stated", Note: "ISO 8601; the day, or day and month, may be unknown."}, func(r *trail) Value { return TextOf(r.about.on) }},
		{Column{Name: "ITEM", Label: "Item That a Correction Changed", Note: "Empty in the row of the event itself."}, func(r *trail) Value { return TextOf(r.item) }},
		{Column{Name: "OLDVAL", Label: "Answer Before", Note: "0 to 4, skipped or opt_out; empty: not reached."}, func(r *trail) Value { return TextOf(r.old) }},
		{Column{Name: "NEWVAL", Label: "Answer After"}, func(r *trail) Value { return TextOf(r.now) }},
		{Column{Name: "DATASET", Label: "Dataset That Was Exported"}, func(r *trail) Value { return TextOf(r.about.dataset) }},
		{Column{Name: "PREVHASH", Label: "SHA-256 of the Event Before"}, func(r *trail) Value {
			if r.event.Prev == (study.Hash{}) {
				return Value{}
			}
			return TextOf(r.event.Prev.String())
		}},
	}
}

// unlessZero is the number, or missing where it does not apply.
func unlessZero(n int) Value {
	if n == 0 {
		return Value{}
	}
	return IntegerOf(n)
}

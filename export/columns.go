package export

import (
	"epro/analysis"
	"epro/study"
)

// The columns below stand in every dataset that has a row per form or visit.

// record is a row that comes from a participant's record.
type record interface {
	who() (*view, *study.Participant)
}

// planned is a row about one visit of a participant.
type planned interface {
	record
	at() (a *study.Assessment, v study.Visit, number int)
}

// subjectID is USUBJID.
func subjectID(r record) Value {
	v, p := r.who()
	return TextOf(v.studyID() + "-" + string(p.ID))
}

// identity says whose row it is.
func identity[R record]() []field[R] {
	return []field[R]{
		{Column{Name: "STUDYID", Label: "Study Identifier"}, func(r R) Value { v, _ := r.who(); return TextOf(v.studyID()) }},
		{Column{Name: "SITEID", Label: "Study Site Identifier", Note: "The site at the cut; a participant can move."},
			func(r R) Value { _, p := r.who(); return TextOf(p.Site) }},
		{Column{Name: "USUBJID", Label: "Unique Subject Identifier", Note: "STUDYID, a hyphen and the participant's id, which never changes."},
			func(r R) Value { return subjectID(r) }},
		{Column{Name: "SUBJID", Label: "Subject Number at the Site", Note: "As at the cut; a number can be corrected."},
			func(r R) Value { _, p := r.who(); return TextOf(p.Number) }},
	}
}

// visits says which visit it is and when it was due.
func visits[R planned]() []field[R] {
	window := func(r R) study.Window { a, _, _ := r.at(); return a.Window }
	return []field[R]{
		{Column{Name: "VISIT", Label: "Visit Code"}, func(r R) Value { a, _, _ := r.at(); return TextOf(a.Visit) }},
		{Column{Name: "VISITNUM", Label: "Visit Number", Kind: Integer, Note: "The place of the visit in the protocol; amendments add numbers and change none."},
			func(r R) Value { _, _, n := r.at(); return IntegerOf(n) }},
		{Column{Name: "VISITNM", Label: "Visit Name", Note: "In English where the protocol has it."},
			func(r R) Value { _, v, _ := r.at(); return TextOf(visitName(v)) }},
		{Column{Name: "PROTVER", Label: "Protocol Version of the Window"}, func(r R) Value { a, _, _ := r.at(); return TextOf(a.Protocol) }},
		{Column{Name: "WINLO", Label: "First Day of the Window", Kind: Date}, func(r R) Value { return DateOf(window(r).OpensOn) }},
		{Column{Name: "DUEDT", Label: "Due Date", Kind: Date}, func(r R) Value { return DateOf(window(r).DueOn) }},
		{Column{Name: "WINHI", Label: "Last Day of the Window", Kind: Date}, func(r R) Value { return DateOf(window(r).ClosesOn) }},
		{Column{Name: "WINTZ", Label: "Time Zone of the Window and of ADT", Note: "IANA name."},
			func(r R) Value { return TextOf(window(r).Zone) }},
	}
}

func visitName(v study.Visit) string {
	if name, ok := v.Names["en"]; ok {
		return name
	}
	return v.Code
}

// filled says how the form was filled.
func filled() []field[*form] {
	return []field[*form]{
		{Column{Name: "ADT", Label: "Date of Completion", Kind: Date, Note: "The calendar date in WINTZ, by the server's clock where the phone's was off."},
			func(f *form) Value { return DateOf(f.completedOn()) }},
		{Column{Name: "MODE", Label: "Mode of Administration", Codes: modes}, func(f *form) Value { return TextOf(f.submission.Mode) }},
		{Column{Name: "ASSIST", Label: "Assistance", Codes: assistances, Note: "Empty where the participant filled the form alone on her own device."},
			func(f *form) Value { return TextOf(f.submission.Assistance) }},
		{Column{Name: "LANG", Label: "Language of the Participant", Note: "As at the cut; the wording shown on the form is PACK."},
			func(f *form) Value { return TextOf(f.participant.Language) }},
		{Column{Name: "PACK", Label: "Wording Pack Shown"}, func(f *form) Value { return TextOf(f.submission.Pack) }},
		{Column{Name: "DEMOFL", Label: "Demonstration Wording", Kind: Flag, Note: "Y: shown without a licensed wording pack."},
			func(f *form) Value { return FlagOf(f.submission.Demonstration) }},
		{Column{Name: "INSTR", Label: "Instrument"}, func(f *form) Value { return TextOf(f.submission.Instrument) }},
		{Column{Name: "INSTRVER", Label: "Instrument Version"}, func(f *form) Value { return TextOf(f.submission.Version) }},
		{Column{Name: "SCOREVER", Label: "Scoring Version"}, func(f *form) Value { return TextOf(f.submission.Scoring) }},
	}
}

// timing relates the form to treatment.
func timing() []field[*form] {
	return []field[*form]{
		{Column{Name: "TRTSDT", Label: "Date of First Dose", Kind: Date}, func(f *form) Value {
			if dose := f.view.fact(f.participant, study.FactFirstDose); dose != nil {
				return DateOf(dose.On.First())
			}
			return Value{}
		}},
		{Column{Name: "ADY", Label: "Study Day of Completion", Kind: Integer, Unit: "days", Note: "The first dose is day 1, the day before it day -1; there is no day 0."},
			(*form).studyDay},
		{Column{Name: "CYCLE", Label: "Treatment Cycle of the Visit", Kind: Integer}, func(f *form) Value { return IntegerOf(f.visit.Cycle) }},
		{Column{Name: "CYCKIND", Label: "Status of the Cycle", Codes: cycleKinds}, func(f *form) Value { return TextOf(f.cycle().Kind) }},
		{Column{Name: "CYCSTDT", Label: "Actual First Day of the Cycle", Kind: Date, Note: "Empty unless the cycle was given; for cycle 1 the first dose."},
			func(f *form) Value { return DateOf(f.cycleStartedOn()) }},
		{Column{Name: "CYCDAY", Label: "Days from Actual Cycle Start", Kind: Integer, Unit: "days", Note: "0 on the day itself, negative before it."},
			(*form).fromCycleStart},
		{Column{Name: "RELDOSE", Label: "Before or After the Cycle's Dose", Codes: doseTimings}, func(f *form) Value { return TextOf(f.doseTiming()) }},
		{Column{Name: "INTIMEFL", Label: "Completed in Its Window", Kind: Flag, Note: "The window in force, or as it was at completion. A form that the site accepted all the same has N and is valid in no table."},
			func(f *form) Value { return FlagOf(f.assessment.InTime(f.submission)) }},
		{Column{Name: "BEFDELFL", Label: "Completed, Then the Cycle Moved", Kind: Flag}, func(f *form) Value { return FlagOf(f.beforeDelay()) }},
		{Column{Name: "RECOVLFL", Label: "Recall Overlaps the Last Form", Kind: Flag, Note: "Fewer days from the last standing form than the instrument looks back on."},
			func(f *form) Value { return FlagOf(f.recallOverlap()) }},
	}
}

// The closed lists that cells take their values from.
var (
	modes = []Code{
		{string(study.ModeApp), "the participant, on her phone's app"}, {string(study.ModeWeb), "the participant, in a browser"},
		{string(study.ModeTablet), "the participant, on the clinic's tablet"},
		{string(study.ModePaper), "on paper, entered by staff"}, {string(study.ModeInterview), "asked and entered by staff"}}
	assistances = []Code{
		{string(study.AssistanceNone), "no help"}, {string(study.AssistanceRead), "read aloud"},
		{string(study.AssistanceEntered), "the participant's answers, entered by somebody else"},
		{string(study.AssistanceProxy), "somebody else answered; never valid for analysis"}}
	cycleKinds = []Code{
		{string(study.CyclePlanned), "not recorded as given yet"}, {string(study.CycleGiven), "given"}, {string(study.CycleNotGiven), "not given"}}
	doseTimings = []Code{
		{string(analysis.PreDose), "completed before the dose"}, {string(analysis.PostDose), "completed after the dose"},
		{string(analysis.TimingUnknown), "on the day of a dose whose time is not known, or no dose recorded"}}
	heldCauses = []Code{
		{string(study.HeldNotExpected), "completed after the participant had left or died"},
		{string(study.HeldLocked), "the site's data were locked"},
		{string(study.HeldStaffEntry), "staff had entered a form for the visit"},
		{string(study.HeldEarly), "completed before the window opened"},
		{string(study.HeldClosed), "completed after the window had closed"},
		{string(study.HeldArrivedLate), "completed in time, arrived too long after closing"}}
	decisions = []Code{
		{string(study.Accepted), "counts after all"}, {string(study.Rejected), "stays out"}}
	causes = []Code{
		{string(study.CauseWrongPerson), "somebody else's answers"}, {string(study.CauseWrongVisit), "another visit's form"},
		{string(study.CauseTest), "a test"}, {string(study.CauseDuplicate), "the same form twice"},
		{string(study.CauseEntryError), "entered wrongly"}, {string(study.CauseParticipants), "the participant asked for it"},
		{string(study.CauseOther), "another cause; the record has the reason"}}
	missingForms = []Code{
		{"too_ill", "too ill"}, {"declined", "declined this form"}, {"forgot", "forgot it"}, {"technical", "phone, tablet or network failed"},
		{"staff_did_not_offer", "staff did not offer it"}, {"language", "no form in her language"},
		{"progression_stopped_pros", "questionnaires stopped at progression"}, {"lost_to_follow_up", "lost to follow-up"},
		{"other", "another reason; the record has it"}, {"unknown", "nobody knows"}}
	itemStatuses = []Code{
		{"answered", "a choice was made"}, {"skipped", "seen and passed"},
		{"opt_out", "the box that excuses from the item was ticked"}, {"not_reached", "the form says nothing about the item"}}
)

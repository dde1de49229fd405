package export

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"epro/instruments"
	"epro/scoring"
	"epro/study"
)

// finding is a row of SDTM's QS: an item, or a score, of a received form.
type finding struct {
	*occasion
	test   test
	number int // within the participant, from 1
	answer instruments.Answer
	score  *scoring.Score // nil: an item
	last   bool           // the last one with a result before the first dose
}

// occasion is a form with the cells that all its rows share.
type occasion struct {
	*form
	subject, visitName, epoch, completed, day Value
}

func newOccasion(f *form) *occasion {
	return &occasion{form: f, subject: subjectID(f), visitName: TextOf(strings.ToUpper(visitName(f.visit))), epoch: TextOf(f.epoch()),
		completed: TextOf(f.submission.CompletedAt.Time().In(f.view.zone(f.assessment.Window.Zone)).Format(time.RFC3339)), day: f.studyDay()}
}

// test is what SDTM calls an item or score.
type test struct {
	id      string // the instrument's own code
	name    string
	section string // empty for a score
	instruments.Codes
}

// qs is SDTM's QS: a row for every item of every received form, answered or
// not, and for every score of a form that stands.
func qs(ins *instruments.Instrument) Dataset {
	d := Dataset{
		Name: "qs", Label: "Questionnaires", Member: "QS",
		Row:  "an item of a received form, answered or not, or a score of a form that stands for its visit",
		Keys: []string{"USUBJID", "QSSEQ"},
	}
	tests := testsOf(ins)
	fields := slices.Concat(qsTest(ins), qsResult(), qsTiming(ins))
	return table(d, fields, func(v *view, p *study.Participant, each func(*finding) error) error {
		return v.findings(p, tests, each)
	})
}

// testsOf are the items, then the scores.
func testsOf(ins *instruments.Instrument) []test {
	sections := map[string]string{"PWB": "PHYSICAL WELL-BEING", "SWB": "SOCIAL/FAMILY WELL-BEING", "EWB": "EMOTIONAL WELL-BEING",
		"FWB": "FUNCTIONAL WELL-BEING", "BCS": "ADDITIONAL CONCERNS"}
	var tests []test
	for _, item := range ins.Items {
		tests = append(tests, test{item.Code, concept(item), sections[item.Subscale], item.Codes})
	}
	for _, s := range ins.Subscales {
		tests = append(tests, test{s.Code, cmp.Or(s.QSTEST, s.Name), "", s.Codes})
	}
	for _, s := range ins.Totals {
		tests = append(tests, test{s.Code, cmp.Or(s.QSTEST, s.Name), "", s.Codes})
	}
	for i := range tests {
		tests[i].CDISC = cmp.Or(tests[i].CDISC, tests[i].id)
		if i >= len(ins.Items) {
			tests[i].LOINC = "" // it names the section's heading, not its score
		}
	}
	return tests
}

// findings calls each with every row of the participant, form by form in the
// order of completion.
func (v *view) findings(p *study.Participant, tests []test, each func(*finding) error) error {
	order := v.received(p)
	slices.SortStableFunc(order, func(x, y received) int { return cmp.Compare(x.submission.CompletedAt, y.submission.CompletedAt) })
	last, err := v.lastBeforeDose(p, order, len(tests))
	if err != nil {
		return err
	}
	number := 0
	for _, r := range order {
		f, err := v.form(p, r)
		if err != nil {
			return err
		}
		if v.leaves(f) {
			continue
		}
		on := newOccasion(f)
		for i := range tests {
			row := finding{occasion: on, test: tests[i], number: number + 1, last: last[i] == r.submission}
			if items := len(r.submission.Answers); i < items {
				row.answer = r.submission.Answers[i]
			} else if row.score = &f.scores[i-items]; row.score.Missing != scoring.NotMissing || !f.standing {
				continue // a derived value that does not exist has no record
			}
			number++
			if err := each(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastBeforeDose is, for each test, the last standing form with a result that
// was not completed after the first dose.
func (v *view) lastBeforeDose(p *study.Participant, order []received, tests int) ([]*study.Submission, error) {
	last := make([]*study.Submission, tests)
	for _, r := range order {
		f, err := v.form(p, r)
		if err != nil {
			return nil, err
		}
		if !f.standing || !f.beforeFirstDose() || v.excludes(f) {
			continue
		}
		for i, a := range r.submission.Answers {
			if a.Answered() {
				last[i] = r.submission
			}
		}
		for i, s := range f.scores {
			if s.Missing == scoring.NotMissing {
				last[len(r.submission.Answers)+i] = r.submission
			}
		}
	}
	return last, nil
}

func qsTest(ins *instruments.Instrument) []field[*finding] {
	return []field[*finding]{
		{Column{Name: "STUDYID", Label: "Study Identifier"}, func(r *finding) Value { return TextOf(r.view.studyID()) }},
		{Column{Name: "DOMAIN", Label: "Domain Abbreviation", Codes: []Code{{"QS", "questionnaires"}}}, func(*finding) Value { return TextOf("QS") }},
		{Column{Name: "USUBJID", Label: "Unique Subject Identifier"}, func(r *finding) Value { return r.subject }},
		{Column{Name: "QSSEQ", Label: "Sequence Number", Kind: Integer, Note: "Within the participant, in the order of completion."},
			func(r *finding) Value { return IntegerOf(r.number) }},
		{Column{Name: "QSGRPID", Label: "Group ID", Note: "The form: FORMID in items_wide, which has its mode, language, device times and flags."},
			func(r *finding) Value { return TextOf(r.submission.ID) }},
		{Column{Name: "QSSPID", Label: "Sponsor-Defined Identifier", Note: "The instrument's own code of the item or score."},
			func(r *finding) Value { return TextOf(r.test.id) }},
		{Column{Name: "QSTESTCD", Label: "Question Short Name", Note: "CDISC controlled terminology, code list " + cmp.Or(ins.CDISC, "none") + "."},
			func(r *finding) Value { return TextOf(r.test.CDISC) }},
		{Column{Name: "QSTEST", Label: "Question Name", Note: "For items our own short label: the names in CDISC's terminology paraphrase the licensed wording. QSTESTCD finds them."},
			func(r *finding) Value { return TextOf(r.test.name) }},
		{Column{Name: "QSCAT", Label: "Category of Question"}, func(*finding) Value { return TextOf(cmp.Or(ins.Category, ins.Name)) }},
		{Column{Name: "QSSCAT", Label: "Subcategory for Question", Note: "Empty for scores."}, func(r *finding) Value { return TextOf(r.test.section) }},
	}
}

// notDone are the reasons why an item of a received form has no answer.
var notDone = map[instruments.Answer]string{instruments.OptedOut: "PREFER NOT TO ANSWER",
	instruments.Skipped: "ITEM SKIPPED", instruments.NotReached: "ITEM NOT REACHED"}

func qsResult() []field[*finding] {
	y := []Code{{"Y", "yes"}}
	only := func(yes bool, word string) Value {
		if !yes {
			return Value{}
		}
		return TextOf(word)
	}
	return []field[*finding]{
		{Column{Name: "QSORRES", Label: "Finding in Original Units", Note: "The number of the choice, as given; empty for derived scores."}, func(r *finding) Value {
			return only(r.score == nil && r.answer.Answered(), strconv.Itoa(int(r.answer)))
		}},
		{Column{Name: "QSSTRESC", Label: "Character Result in Std Format", Note: "Never reversed."}, func(r *finding) Value { return TextOf(r.result().String()) }},
		{Column{Name: "QSSTRESN", Label: "Numeric Finding in Standard Units", Kind: Number, Note: "Never reversed; scores unrounded."}, (*finding).result},
		{Column{Name: "QSSTAT", Label: "Completion Status", Codes: []Code{{"NOT DONE", "the item has no answer"}}},
			func(r *finding) Value { return only(r.score == nil && !r.answer.Answered(), "NOT DONE") }},
		{Column{Name: "QSREASND", Label: "Reason Not Performed", Codes: []Code{{"PREFER NOT TO ANSWER", "the box that excuses from the item was ticked"},
			{"ITEM SKIPPED", "seen and passed"}, {"ITEM NOT REACHED", "the form says nothing about the item"}}},
			func(r *finding) Value { return only(r.score == nil && !r.answer.Answered(), notDone[r.answer]) }},
		{Column{Name: "QSLOBXFL", Label: "Last Observation Before Exposure Flag", Codes: y, Note: "One a test at most, of the forms that stand; on the day of a first dose without a time, the form counts as before it."},
			func(r *finding) Value { return only(r.last, "Y") }},
		{Column{Name: "QSDRVFL", Label: "Derived Flag", Codes: y}, func(r *finding) Value { return only(r.score != nil, "Y") }},
		{Column{Name: "QSEVAL", Label: "Evaluator", Codes: []Code{{"STUDY SUBJECT", "the participant"}, {"PROXY", "somebody else answered"}}},
			func(r *finding) Value {
				if r.submission.Assistance == study.AssistanceProxy {
					return TextOf("PROXY")
				}
				return TextOf("STUDY SUBJECT")
			}},
	}
}

// result is the answer or score as a number, if there is one.
func (r *finding) result() Value {
	switch {
	case r.score != nil:
		return NumberOf(r.score.Value)
	case r.answer.Answered():
		return NumberOf(float64(r.answer))
	default:
		return Value{}
	}
}

func qsTiming(ins *instruments.Instrument) []field[*finding] {
	recall := "-P" + strconv.Itoa(ins.RecallDays) + "D"
	return []field[*finding]{
		{Column{Name: "VISITNUM", Label: "Visit Number", Kind: Integer}, func(r *finding) Value { return IntegerOf(r.visitNumber) }},
		{Column{Name: "VISIT", Label: "Visit Name", Note: "In English where the protocol has it, in capitals."},
			func(r *finding) Value { return r.visitName }},
		{Column{Name: "EPOCH", Label: "Epoch", Codes: []Code{{"SCREENING", "before the first dose"}, {"TREATMENT", "to the end of treatment"}, {"FOLLOW-UP", "after it"}}},
			func(r *finding) Value { return r.epoch }},
		{Column{Name: "QSDTC", Label: "Date/Time of Finding", Note: "When the form was completed, in the participant's time with its offset, ISO 8601."},
			func(r *finding) Value { return r.completed }},
		{Column{Name: "QSDY", Label: "Study Day of Finding", Kind: Integer, Unit: "days", Note: "The first dose is day 1; there is no day 0."},
			func(r *finding) Value { return r.day }},
		{Column{Name: "QSEVLINT", Label: "Evaluation Interval", Codes: []Code{{recall, "the days before"}}, Note: "What the questions look back on, ISO 8601."}, func(*finding) Value { return TextOf(recall) }},
		{Column{Name: "LOINC", Label: "LOINC Code of the Item", Note: "Not part of SDTM; empty for scores, which have none."}, func(r *finding) Value { return TextOf(r.test.LOINC) }},
		{Column{Name: "NCIT", Label: "NCI Thesaurus Code", Note: "Not part of SDTM."}, func(r *finding) Value { return TextOf(r.test.NCIt) }},
		{Column{Name: "STANDFL", Label: "Form Stands for Its Visit", Kind: Flag, Note: "Not part of SDTM. N: held, voided or replaced; such forms have no scores."},
			func(r *finding) Value { return FlagOf(r.standing) }},
	}
}

// epoch is the part of the trial in which the form was completed.
func (f *form) epoch() string {
	ended := f.view.fact(f.participant, study.FactTreatmentEnded)
	switch {
	case f.view.fact(f.participant, study.FactFirstDose) == nil || f.beforeFirstDose():
		return "SCREENING"
	case ended != nil && f.completedOn() > ended.On.First():
		return "FOLLOW-UP"
	default:
		return "TREATMENT"
	}
}

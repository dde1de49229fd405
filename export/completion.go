package export

import (
	"slices"

	"epro/analysis"
	"epro/study"
)

// rateRow is one visit of the table of completion of one score.
type rateRow struct {
	view  *view
	scale string
	visit analysis.Visit
	*analysis.Rates
}

// completion has a row for every score and visit, over the PRO population.
func completion() Dataset {
	d := Dataset{
		Name: "completion", Label: "Completion by visit", Member: "COMPL",
		Row:  "a score at a visit, counted over the PRO population; a visit is counted for whom its window has closed at the cut",
		Keys: []string{"PARAMCD", "VISITNUM"},
	}
	fields := slices.Concat(rateVisit(), rateCounts(), rateReasons())
	d.Columns = columnsOf(fields)
	d.person = func(v *view, p *study.Participant, _ emit) error {
		person, err := v.plan.Person(p)
		if err != nil {
			return stopped(err)
		}
		for _, t := range v.completions() {
			t.Add(person)
		}
		return nil
	}
	d.last = func(v *view, out emit) error {
		each := rowsOf(v, fields, out)
		for _, t := range v.completions() {
			for i := range t.Rates {
				if err := each(&rateRow{v, t.Scale, v.plan.Visits[i], &t.Rates[i]}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return d
}

// completions are the tables of all scores, which grow with every person.
func (v *view) completions() []*analysis.Completion {
	if v.tables == nil {
		for i := range v.plan.Scores {
			v.tables = append(v.tables, analysis.NewCompletion(v.plan, i))
		}
	}
	return v.tables
}

func rateVisit() []field[*rateRow] {
	return []field[*rateRow]{
		{Column{Name: "STUDYID", Label: "Study Identifier"}, func(r *rateRow) Value { return TextOf(r.view.studyID()) }},
		{Column{Name: "PARAMCD", Label: "Score That Makes a Form Valid"}, func(r *rateRow) Value { return TextOf(r.scale) }},
		{Column{Name: "VISIT", Label: "Visit Code"}, func(r *rateRow) Value { return TextOf(r.visit.Code) }},
		{Column{Name: "VISITNUM", Label: "Visit Number", Kind: Integer}, func(r *rateRow) Value { return IntegerOf(r.visit.Number) }},
		{Column{Name: "VISITNM", Label: "Visit Name"}, func(r *rateRow) Value { return TextOf(r.visit.Name) }},
	}
}

func rateCounts() []field[*rateRow] {
	count := func(name, label, note string, of func(*analysis.Rates) int) field[*rateRow] {
		return field[*rateRow]{Column{Name: name, Label: label, Kind: Integer, Unit: "participants", Note: note},
			func(r *rateRow) Value { return IntegerOf(of(r.Rates)) }}
	}
	rate := func(name, label, note string, of func(*analysis.Rates) *float64) field[*rateRow] {
		return field[*rateRow]{Column{Name: name, Label: label, Kind: Number, Note: note}, func(r *rateRow) Value {
			if x := of(r.Rates); x != nil {
				return NumberOf(*x)
			}
			return Value{}
		}}
	}
	return []field[*rateRow]{
		count("NPOP", "PRO Population", "Whose window has closed.", func(r *analysis.Rates) int { return r.NPop }),
		count("NDEAD", "Died on or before Closing", "And no form was received.", func(r *analysis.Rates) int { return r.NDead }),
		count("NOFF", "Left the Trial on or before Closing", "And no form was received.", func(r *analysis.Rates) int { return r.NOff }),
		count("NOFFPRO", "Left the Questionnaires", "Also counted as missing.", func(r *analysis.Rates) int { return r.NOffPRO }),
		count("NEXPECT", "Expected", "NPOP - NDEAD - NOFF = NVALID + NNOTVAL + NMISS.", func(r *analysis.Rates) int { return r.NExpected }),
		count("NRECEIV", "Received", "In time, not by a proxy, at least one item answered.", func(r *analysis.Rates) int { return r.NReceived }),
		count("NVALID", "Valid for the Score", "", func(r *analysis.Rates) int { return r.NValid }),
		count("NNOTVAL", "Received and Not Valid", "", func(r *analysis.Rates) int { return r.NReceivedNotValid }),
		count("NMISS", "Missing", "", func(r *analysis.Rates) int { return r.NMissing }),
		count("NSUPERS", "Superseded by a Later Visit", "Not in NPOP.", func(r *analysis.Rates) int { return r.NSuperseded }),
		count("NNOTYET", "Window Not Closed Yet", "Not in NPOP.", func(r *analysis.Rates) int { return r.NNotYet }),
		rate("RATEFIX", "Fixed Rate", "NVALID / NPOP.", func(r *analysis.Rates) *float64 { return r.RateFixed }),
		rate("RATEVAR", "Variable Rate", "NVALID / NEXPECT.", func(r *analysis.Rates) *float64 { return r.RateVariable }),
		rate("RATEVARP", "Variable Rate without NOFFPRO", "NVALID / (NEXPECT - NOFFPRO).", func(r *analysis.Rates) *float64 { return r.RateVariableOnPRO }),
	}
}

// rateReasons has the number of missing forms by their coded reason.
func rateReasons() []field[*rateRow] {
	names := []string{"RTOOILL", "RDECLIN", "RFORGOT", "RTECHN", "RSTAFF", "RLANG", "RPROGR", "RLOST", "ROTHER", "RUNKNOW"}
	var fields []field[*rateRow]
	add := func(name, label string, reason study.MissingReason) {
		fields = append(fields, field[*rateRow]{Column{Name: name, Label: label, Kind: Integer, Unit: "participants"}, func(r *rateRow) Value {
			for _, c := range r.Reasons {
				if c.Reason == reason {
					return IntegerOf(c.N)
				}
			}
			return IntegerOf(0)
		}})
	}
	for i, reason := range study.MissingReasons {
		add(names[i], "Missing: "+string(reason), reason)
	}
	add("RNONE", "Missing: no reason coded", "")
	return fields
}

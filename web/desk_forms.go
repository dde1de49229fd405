package web

import (
	"net/http"
	"strconv"
	"strings"

	"epro/instruments"
	"epro/study"
)

// itemRow is one item of a questionnaire on a page.
type itemRow struct {
	Code, Text, Section string
	First               bool // of its section
	Value               string
	Score               string
	Earlier             []string // answers before each correction
	OptOut, OptOutText  string   // the box that excuses from it
}

// sheetOf are the items of an instrument in the words that are given.
func sheetOf(ins *instruments.Instrument, words *study.Wording) []itemRow {
	rows := make([]itemRow, len(ins.Items))
	section := ""
	for i, item := range ins.Items {
		rows[i] = itemRow{Code: item.Code, Text: words.Text.Items[item.Code], Section: words.Text.Sections[item.Subscale], First: item.Subscale != section, OptOut: item.OptOut}
		section = item.Subscale
	}
	return rows
}

// wording is the text of a questionnaire: that of a form or of a pack by its
// name, else the one in a language that would be opened now, else in English.
func (d *desk) wording(v *visit, lang, pack string) (*study.Wording, error) {
	words, err := d.Study.Wording(v.UserContext(), v.by, lang, pack)
	if err != nil && study.CodeOf(err) == study.Invalid {
		return d.Study.Wording(v.UserContext(), v.by, "en", "")
	}
	return words, err
}

// answersFrom reads a typed sheet: a digit is an answer; empty, x or - is
// skipped; q ticks the box that excuses from the item.
func answersFrom(v *visit, rows []itemRow) (answers, skipped map[string]string) {
	answers, skipped = map[string]string{}, map[string]string{}
	for i := range rows {
		row := &rows[i]
		row.Value = v.value("item." + row.Code)
		for part := range strings.FieldsSeq(strings.ToLower(row.Value)) {
			switch {
			case part == "q" && row.OptOut != "":
				skipped[row.Code] = "opt_out"
			case part == "x" || part == "-":
				skipped[row.Code] = "skipped"
			default:
				answers[row.Code] = part
			}
		}
		if row.Value == "" {
			skipped[row.Code] = "skipped"
		}
	}
	return answers, skipped
}

// formView is the page of one form.
type formView struct {
	head
	ID                                 study.ParticipantID
	Form                               study.SubmissionID
	Number, Visit, VisitName, Zone     string
	Mode                               study.Mode
	Assistance                         study.Assistance
	Started, Completed, Sent, Received string
	State                              string
	HeldCause                          study.HeldCause
	Held, Counts, Void, Verified       bool
	MayVerify                          bool
	Flags                              []option
	Revision                           int
	Pack                               string
	Demonstration                      bool
	Digest                             string
	Items                              []itemRow
	Scores                             []scoreRow
	May                                mayDo
	Seq                                uint64
	Event                              string
	Causes                             []option
	In                                 map[string]string
	History                            []historyRow
	Problem                            *problem
	Conflict                           []historyRow
}

type scoreRow struct{ Code, Value, Answered, Note string }

func formID(v *visit) study.SubmissionID { return study.SubmissionID(v.Params("form")) }

func formPath(v *visit) string { return personPath(personID(v)) + "/forms/" + v.Params("form") }

func (d *desk) form(v *visit) error { return d.showForm(v, http.StatusOK, nil) }

// one is the form of the path with its assessment.
func (d *desk) one(v *visit) (*study.Participant, *study.History, *study.Assessment, *study.Submission, error) {
	p, h, err := d.person(v)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	a, f := p.Submission(formID(v))
	if f == nil {
		return nil, nil, nil, nil, study.Fail(study.NotFound, "There is no such form, or it is not yours to see.")
	}
	return p, h, a, f, nil
}

func (d *desk) showForm(v *visit, status int, wrong error) error {
	p, h, a, f, err := d.one(v)
	if err != nil {
		return err
	}
	record, err := d.Study.FormRecord(v.UserContext(), v.by, p.ID, f.ID)
	if err != nil {
		return err
	}
	zone := p.Zone()
	view := formView{head: d.head(v, "Form of "+p.Number+", "+a.Visit, "participants"), ID: p.ID, Form: f.ID, Number: p.Number, Visit: a.Visit, VisitName: h.VisitName(p, a, "en"),
		Zone: p.TimeZone, Mode: f.Mode, Assistance: f.Assistance, Started: local(f.StartedAt, zone), Completed: local(f.CompletedAt, zone), Sent: local(f.SentAt, zone),
		Received: local(f.ReceivedAt, zone), State: formWord(f, a.Standing()), HeldCause: f.HeldCause, Held: f.Held(), Counts: f == a.Standing(), Void: f.Void != "",
		Verified: f.Verified == f.Revision, Flags: options(f.Flags, ""), Revision: f.Revision, Pack: f.Pack, Demonstration: f.Demonstration, Digest: f.Digest.String(),
		May: d.may(v), Seq: p.Seq, Event: d.NewID(), Causes: options(study.Causes, v.value("cause")), In: typed(v, "reason", "cause", "accept"), Problem: problemOf(wrong)}
	view.MayVerify = view.May.Write && f.By != v.by.Ref() && f.RevisedBy != v.by.Ref() && !view.Verified && !view.Void
	view.History = d.history(v, record, zone, false)
	if view.Conflict, err = d.conflict(v, p.ID, zone, wrong); err != nil {
		return err
	}
	if view.May.SeeAnswers {
		words, err := d.wording(v, p.Language, f.Pack)
		if err != nil {
			return err
		}
		if err := view.reveal(f, words); err != nil {
			return err
		}
		if wrong != nil && v.value("item."+view.Items[0].Code) != "" {
			answersFrom(v, view.Items) // what was typed, not what is stored
		}
	}
	return d.show(v.Ctx, status, "form.html", view)
}

// reveal adds answers and scores for whoever may see them.
func (view *formView) reveal(f *study.Submission, words *study.Wording) error {
	ins, ok := study.InstrumentOf(f.Instrument, f.Version)
	if !ok {
		return nil
	}
	view.Items = sheetOf(ins, words)
	for i := range view.Items {
		view.Items[i].Value = answerWord(f.Answers[i])
		for _, earlier := range f.Earlier {
			if was := answerWord(earlier.Answers[i]); was != view.Items[i].Value || len(view.Items[i].Earlier) > 0 {
				view.Items[i].Earlier = append(view.Items[i].Earlier, was)
			}
		}
	}
	scores, err := f.Scores(nil)
	if err != nil {
		return err
	}
	for i, code := range study.ScoreCodes(f.Instrument, f.Version) {
		row := scoreRow{Code: code, Value: "missing", Answered: strings.Join([]string{strconv.Itoa(int(scores[i].Answered)), strconv.Itoa(int(scores[i].Items))}, " of ")}
		if scores[i].Missing == 0 {
			row.Value = strconv.FormatFloat(scores[i].Value, 'f', 1, 64)
		} else {
			row.Note = word(scores[i].Missing.String())
		}
		if scores[i].Prorated {
			row.Note = "prorated"
		}
		view.Scores = append(view.Scores, row)
	}
	return nil
}

func answerWord(a instruments.Answer) string {
	switch {
	case a.Answered():
		return strconv.Itoa(int(a))
	case a == instruments.OptedOut:
		return "q"
	default:
		return "x"
	}
}

func (d *desk) decideHeld(v *visit) error {
	return d.doForm(v, study.JudgeHeld{Form: formID(v), Accept: v.value("accept") == "yes", Reason: v.value("reason")}, "", "The decision is kept.")
}

func (d *desk) correct(v *visit) error {
	_, _, _, f, err := d.one(v)
	if err != nil {
		return err
	}
	ins, ok := study.InstrumentOf(f.Instrument, f.Version)
	if !ok || !d.may(v).SeeAnswers {
		return study.Fail(study.Forbidden, "The protocol does not show answers to your role. Ask an investigator to correct the form.")
	}
	words, err := d.wording(v, "", f.Pack)
	if err != nil {
		return err
	}
	answers, skipped := answersFrom(v, sheetOf(ins, words))
	c := study.CorrectForm{Form: f.ID, Answers: answers, Skipped: skipped, Cause: study.Cause(v.value("cause")), Reason: v.value("reason")}
	return d.doForm(v, c, c.Meaning(), "Corrected. The earlier answers stay readable.")
}

func (d *desk) void(v *visit) error {
	c := study.VoidForm{Form: formID(v), Cause: study.Cause(v.value("cause")), Reason: v.value("reason")}
	return d.doForm(v, c, c.Meaning(), "The form is void. It stays readable and counts nowhere.")
}

func (d *desk) verify(v *visit) error {
	c := study.VerifyForm{Form: formID(v), Reason: v.value("reason")}
	return d.doForm(v, c, c.Meaning(), "Verified.")
}

// doForm carries a command on a form out, signed where it has a meaning.
func (d *desk) doForm(v *visit, c study.Command, means study.Meaning, said string) error {
	if _, _, _, _, err := d.one(v); err != nil {
		return err
	}
	r, err := d.signed(v, means)
	if err == nil {
		_, err = d.Study.Do(v.UserContext(), r, personID(v), c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showForm(v, status, wrong) })
	}
	return v.done(formPath(v), said)
}

// signed is the request with the signature that its form carries. Pages ask for
// one always, whatever the protocol leaves open to programs.
func (d *desk) signed(v *visit, means study.Meaning) (study.Request, error) {
	r := v.request()
	if means == "" {
		return r, nil
	}
	r.Signature = means
	return r, d.Auth.Sign(v.UserContext(), v.by, field(v.Ctx, "password"), address(v.Ctx))
}

// paperView is the page on which a paper form or an interview is typed in.
type paperView struct {
	head
	ID                             study.ParticipantID
	Number, Visit, VisitName, Zone string
	Opens, Closes                  study.Date
	Status                         study.AssessmentStatus
	Items                          []itemRow
	Modes, Helps                   []option
	In                             map[string]string
	Form, Event                    string // ids made when the page was opened
	Pack                           string // the wording that the paper bears
	Seq                            uint64
	Problem                        *problem
	Conflict                       []historyRow
}

func (d *desk) askPaper(v *visit) error { return d.showPaper(v, http.StatusOK, nil) }

// visitOf is the assessment of the path.
func (d *desk) visitOf(v *visit) (*study.Participant, *study.History, *study.Assessment, error) {
	p, h, err := d.person(v)
	if err != nil {
		return nil, nil, nil, err
	}
	a := p.AtVisit(v.Params("visit"))
	if a == nil {
		return nil, nil, nil, study.Fail(study.NotFound, "There is no such visit.")
	}
	return p, h, a, nil
}

func (d *desk) showPaper(v *visit, status int, wrong error) error {
	p, h, a, err := d.visitOf(v)
	if err != nil {
		return err
	}
	ref := h.InstrumentFor(a)
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	if !ok || !v.by.May(study.EnterForms) {
		return study.Fail(study.Forbidden, "Your role does not enter forms.")
	}
	view := paperView{head: d.head(v, "Paper form of "+p.Number+", "+a.Visit, "participants"), ID: p.ID, Number: p.Number, Visit: a.Visit, VisitName: h.VisitName(p, a, "en"),
		Zone: p.TimeZone, Opens: a.Window.OpensOn, Closes: a.Window.ClosesOn, Status: p.AssessmentStatus(a, d.Now()), Seq: p.Seq, Problem: problemOf(wrong),
		In: typed(v, "on", "at", "mode", "assistance", "reason", "form", "event"), Form: d.NewID(), Event: d.NewID()}
	words, err := d.wording(v, p.Language, v.value("pack"))
	if err != nil {
		return err
	}
	view.Items, view.Pack = sheetOf(ins, words), words.Pack
	if wrong != nil {
		answersFrom(v, view.Items)
		view.Form, view.Event = view.In["form"], view.In["event"] // the same form, sent again
	} else {
		view.In["reason"] = "filled on paper at the visit"
		view.In["on"] = study.DateOf(d.Now().In(p.Zone())).String()
	}
	view.Modes = options([]study.Mode{study.ModePaper, study.ModeInterview, study.ModeTablet}, view.In["mode"])
	view.Helps = options([]study.Assistance{study.AssistanceNone, study.AssistanceRead, study.AssistanceEntered, study.AssistanceProxy}, view.In["assistance"])
	if view.Conflict, err = d.conflict(v, p.ID, p.Zone(), wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "paper.html", view)
}

func (d *desk) enterPaper(v *visit) error {
	p, h, a, err := d.visitOf(v)
	if err != nil {
		return err
	}
	c, err := d.paper(v, p, h, a)
	if err == nil {
		_, err = d.Study.Do(v.UserContext(), v.request(), p.ID, c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showPaper(v, status, wrong) })
	}
	return v.done(personPath(p.ID)+"/forms/"+string(c.ID), "The form is entered. A second person compares it with the paper and verifies it here.")
}

// paper is the form as it was typed in.
func (d *desk) paper(v *visit, p *study.Participant, h *study.History, a *study.Assessment) (study.SubmitForm, error) {
	ref := h.InstrumentFor(a)
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	form := v.value("form")
	if !ok || !uuidText.MatchString(form) {
		return study.SubmitForm{}, study.Fail(study.Invalid, "Open this page anew from the participant's page.")
	}
	words, err := d.wording(v, p.Language, v.value("pack"))
	if err != nil {
		return study.SubmitForm{}, err
	}
	rows := sheetOf(ins, words)
	c := study.SubmitForm{ID: study.SubmissionID(form), Assessment: a.ID, Instrument: ref.ID, Version: ref.Version, Pack: words.Pack,
		ByStaff: true, Mode: study.Mode(v.value("mode")), Assistance: study.Assistance(v.value("assistance")), Reason: v.value("reason")}
	c.Answers, c.Skipped = answersFrom(v, rows)
	on, err := dateField(v, "on")
	if err == nil && on == 0 {
		err = study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "on", Reason: "give the day that the form bears"})
	}
	if err != nil {
		return c, err
	}
	c.CompletedAt = d.filledAt(on, v.value("at"), p)
	c.StartedAt = c.CompletedAt
	return c, nil
}

// filledAt is when a paper form was filled: the time that it bears, else noon of
// its day, or now where that has not come yet.
func (d *desk) filledAt(on study.Date, clock string, p *study.Participant) study.Instant {
	minutes := 12 * 60
	if hour, minute, ok := strings.Cut(clock, ":"); ok {
		h, _ := strconv.Atoi(hour)
		m, _ := strconv.Atoi(minute)
		minutes = min(max(h, 0), 23)*60 + min(max(m, 0), 59)
	}
	at := study.InstantOf(study.WallTime(on, minutes, p.Zone()))
	now := study.InstantOf(d.Now())
	if clock == "" && at > now && on == study.DateOf(d.Now().In(p.Zone())) {
		return now
	}
	return at
}

// blankView is a questionnaire to be printed and filled with a pen.
type blankView struct {
	head
	ID                             study.ParticipantID
	Lang, Number, Visit            string
	Assessment                     study.AssessmentID
	Opens, Closes                  study.Date
	Banner, Copyright, Instruction string
	Pack                           string
	Choices                        []option
	Items                          []itemRow
}

func (d *desk) blank(v *visit) error {
	p, h, a, err := d.visitOf(v)
	if err != nil {
		return err
	}
	ref := h.InstrumentFor(a)
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	if !ok {
		return study.Fail(study.NotFound, "This questionnaire is not known here.")
	}
	words, err := d.wording(v, p.Language, "")
	if err != nil {
		return err
	}
	rows, labels := sheetOf(ins, words), words.Text
	view := blankView{head: d.head(v, "Blank form for "+p.Number+", "+a.Visit, "participants"), ID: p.ID, Lang: labels.Language, Number: p.Number, Visit: a.Visit, Assessment: a.ID,
		Opens: a.Window.OpensOn, Closes: a.Window.ClosesOn, Banner: words.Banner, Copyright: labels.Copyright, Instruction: labels.Instructions, Pack: words.Pack, Items: rows}
	for i := range view.Items {
		view.Items[i].OptOutText = labels.OptOut[view.Items[i].OptOut]
	}
	for i, c := range ins.Choices {
		view.Choices = append(view.Choices, option{Value: strconv.Itoa(c.Value), Name: labels.Options[i]})
	}
	return d.show(v.Ctx, http.StatusOK, "blank.html", view)
}

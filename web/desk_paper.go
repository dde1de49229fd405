package web

import (
	"net/http"
	"strconv"
	"strings"

	"epro/study"
)

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

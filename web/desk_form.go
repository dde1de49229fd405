package web

import (
	"net/http"
	"strconv"
	"strings"

	"epro/certify"
	"epro/study"
)

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
	In                                 returned
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
		May: d.may(v), Seq: p.Seq, Event: d.NewID(), Causes: options(study.Causes, ""), In: v.returned(formPath(v)), Problem: problemOf(wrong)}
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
		view.Items[i].Value = certify.AnswerWord(f.Answers[i])
		for _, earlier := range f.Earlier {
			if was := certify.AnswerWord(earlier.Answers[i]); was != view.Items[i].Value || len(view.Items[i].Earlier) > 0 {
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

package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"epro/study"
)

// personView is the page of one participant.
type personView struct {
	head
	ID                      study.ParticipantID
	Number                  string
	Site                    study.SiteCode
	Status                  study.ParticipantStatus
	Regimen, Language, Zone string
	Enrolled, Bound, Code   string
	Access                  study.Access
	Seq                     uint64
	Paused                  string // since when she wants no reminders
	May                     mayDo
	Scores                  bool
	Visits                  []visitRow
	Cycles                  []cycleRow
	Devices                 []deviceRow
	Facts                   []factRow
	Kinds, Levels           []option
	In                      returned
	Performance             []study.Performance
	VisitCodes              []option
	Consents                []study.Consent
	Report                  *contactRow // of her death, waiting for confirmation
	Problem                 *problem
	Contacts                []contactRow
	Contact                 contactForm
	Conflict                []historyRow
	History                 []historyRow
}

// visitRow is a visit in the participant's timeline.
type visitRow struct {
	Visit, Name              string
	OpensOn, DueOn, ClosesOn study.Date
	Status                   study.AssessmentStatus
	Tone, Reason, Score      string
	Marks                    []string
	Forms                    []formLink
	CanEnter, CanExplain     bool
	Why                      whyView
}

type formLink struct {
	ID   study.SubmissionID
	What string
}

type cycleRow struct {
	N                   int
	StartsOn, PlannedOn study.Date
	Kind                study.CycleKind
}

// contactRow is an attempt to reach the participant.
type contactRow struct {
	At, Who string
	Channel study.Channel
	Outcome study.ContactOutcome
	Note    string
	Next    string
}

type deviceRow struct {
	ID                    study.DeviceID
	Platform, Seen, State string
}

type factRow struct {
	Seq       uint64
	Kind      study.FactKind
	On        study.PartialDate
	Detail    string
	Recorded  string
	Retracted bool
}

// whyView is the small form that asks why a form is missing.
type whyView struct {
	Participant study.ParticipantID
	Visit       string
	Seq         uint64
	Reasons     []option
	In          returned
}

// Form is the address of the form below the participant's page.
func (w whyView) Form() string { return "/visits/" + w.Visit + "/not-done" }

func personID(v *visit) study.ParticipantID { return study.ParticipantID(v.Params("id")) }

func personPath(id study.ParticipantID) string { return "/desk/participants/" + string(id) }

func (d *desk) participant(v *visit) error { return d.showPerson(v, http.StatusOK, nil) }

// showPerson shows the participant, after a refusal with what was typed.
func (d *desk) showPerson(v *visit, status int, wrong error) error {
	ctx := v.UserContext()
	p, err := d.Study.Participant(ctx, v.by, personID(v))
	if err != nil {
		return err
	}
	h, err := d.Study.History(ctx)
	if err != nil {
		return err
	}
	record, err := d.Study.Record(ctx, v.by, p.ID, 0)
	if err != nil {
		return err
	}
	zone := p.Zone()
	view := personView{head: d.head(v, "Participant "+p.Number, "participants"), ID: p.ID, Number: p.Number, Site: p.Site, Status: p.Status(d.Now()),
		Regimen: p.CurrentRegimen(), Language: p.Language, Zone: p.TimeZone, Enrolled: local(p.EnrolledAt, zone), Bound: local(p.BoundAt, zone),
		Access: p.Access, Seq: p.Seq, May: d.may(v), Problem: problemOf(wrong), In: v.returned(personPath(p.ID)), Performance: p.Performance, Consents: p.Consents}
	if p.Code != nil {
		view.Code = codeState(p.Code, d.Now(), zone)
	}
	view.Scores = view.May.SeeAnswers
	d.addVisits(&view, h, p)
	for _, c := range p.Cycles {
		view.Cycles = append(view.Cycles, cycleRow{c.N, c.StartsOn, p.PlannedOn(c.N, h.Current().Cycles.LengthDays), c.Kind})
	}
	for _, f := range p.Facts {
		detail := string(f.Level)
		if len(f.Drugs) > 0 {
			detail = strings.Join(f.Drugs, " + ")
		}
		view.Facts = append(view.Facts, factRow{f.Seq, f.Kind, f.On, detail, local(f.RecordedAt, zone), f.Retracted})
	}
	if err := d.addReach(v, &view, p); err != nil {
		return err
	}
	kind := view.In.Of("/facts", "kind")
	view.Kinds = append(options(study.TreatmentFacts, kind), options(study.StatusFacts, kind)...)
	view.Levels = options([]study.Level{study.LevelQuestionnaires, study.LevelTrial, study.LevelNoFurtherUse}, view.In.Of("/facts", "level"))
	view.History = d.history(v, record, zone, true)
	if view.Conflict, err = d.conflict(v, p.ID, zone, wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "participant.html", view)
}

// addReach adds the participant's phones and the attempts to reach her.
func (d *desk) addReach(v *visit, view *personView, p *study.Participant) error {
	devices, err := d.Study.Devices(v.UserContext(), p.ID)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		state := "reach it"
		switch {
		case dev.Disabled != "":
			state = "stopped: " + word(dev.Disabled)
		case !dev.Live(d.Now()):
			state = "stopped: not heard of for long"
		}
		view.Devices = append(view.Devices, deviceRow{dev.ID, dev.Platform, local(dev.SeenAt, p.Zone()), state})
	}
	names := map[string]string{}
	for i := len(p.Contacts) - 1; i >= 0; i-- {
		c := p.Contacts[i]
		view.Contacts = append(view.Contacts, contactRow{local(c.At, p.Zone()), d.nameOf(v, c.By, names), c.Channel, c.Outcome, c.Note, c.NextOn.String()})
	}
	if c := p.ReportedDead(); c != nil && p.Fact(study.FactDeceased) == nil {
		view.Report = &contactRow{local(c.At, p.Zone()), d.nameOf(v, c.By, names), c.Channel, c.Outcome, c.Note, ""}
	}
	view.Paused = local(p.PausedAt, p.Zone())
	view.Contact = contactForm{Participant: p.ID, Channels: options(study.Channels, ""), Outcomes: options(study.ContactOutcomes, ""), In: view.In}
	return nil
}

// typed is what was typed into the fields, to show it again after a refusal.
func typed(v *visit, names ...string) map[string]string {
	in := map[string]string{}
	if v.Method() == http.MethodPost {
		for _, name := range names {
			in[name] = v.value(name)
		}
	}
	return in
}

func codeState(c *study.IssuedCode, now time.Time, zone *time.Location) string {
	switch {
	case !c.UsedAt.IsZero():
		return "used " + local(c.UsedAt, zone)
	case c.ExpiresAt.Time().Before(now):
		return "expired " + local(c.ExpiresAt, zone)
	default:
		return "works until " + local(c.ExpiresAt, zone)
	}
}

// tones give a status its colour; the word beside it says the same.
var tones = map[study.AssessmentStatus]string{study.Overdue: " bad", study.Open: " warn", study.Missed: " bad", study.Completed: " good"}

func (d *desk) addVisits(view *personView, h *study.History, p *study.Participant) {
	reasons := options(study.MissingReasons, "")
	for i := range p.Assessments {
		a := &p.Assessments[i]
		row := visitRow{Visit: a.Visit, Name: h.VisitName(p, a, "en"), OpensOn: a.Window.OpensOn, DueOn: a.Window.DueOn, ClosesOn: a.Window.ClosesOn,
			Status: p.AssessmentStatus(a, d.Now())}
		row.Tone = tones[row.Status]
		if a.NotDone != nil && row.Status != study.Completed {
			row.Reason = word(a.NotDone.Reason)
		}
		if a.Repeat {
			row.Marks = append(row.Marks, "asked for again")
		}
		if a.NotGiven {
			row.Marks = append(row.Marks, "cycle not given")
		}
		standing := a.Standing()
		for j := range a.Submissions {
			f := &a.Submissions[j]
			row.Forms = append(row.Forms, formLink{f.ID, formWord(f, standing)})
		}
		if view.Scores && standing != nil {
			row.Score = totalOf(standing)
		}
		row.CanEnter = row.Status == study.Open || row.Status == study.Overdue || row.Status == study.Missed
		row.CanExplain = row.Status == study.Missed || row.Status == study.Overdue || row.Status == study.Open
		row.Why = whyView{p.ID, a.Visit, p.Seq, reasons, view.In}
		view.VisitCodes = append(view.VisitCodes, option{Value: a.Visit, Name: a.Visit + " " + row.Name})
		view.Visits = append(view.Visits, row)
	}
}

// formWord is a form in a few words.
func formWord(f, standing *study.Submission) string {
	switch {
	case f.Void != "":
		return word(f.Mode) + ", void"
	case f.Held():
		return word(f.Mode) + ", held"
	case f.Decision == study.Rejected:
		return word(f.Mode) + ", rejected"
	case f == standing:
		return word(f.Mode)
	default:
		return word(f.Mode) + ", does not count"
	}
}

// totalOf is the instrument's last score, its grand total, as people read it.
func totalOf(f *study.Submission) string {
	scores, err := f.Scores(nil)
	if err != nil || len(scores) == 0 {
		return ""
	}
	total := scores[len(scores)-1]
	if total.Missing != 0 {
		return "missing"
	}
	return fmt.Sprintf("%.1f", total.Value)
}

// conflict is what happened since the page was opened, when that is why a
// change was refused.
func (d *desk) conflict(v *visit, id study.ParticipantID, zone *time.Location, err error) ([]historyRow, error) {
	var stale *study.Stale
	if !errors.As(err, &stale) {
		return nil, nil
	}
	since, err := d.Study.Record(v.UserContext(), v.by, id, stale.Since)
	if err != nil {
		return nil, err
	}
	return d.history(v, since, zone, false), nil
}

// refused shows the form again when whoever sent it can put it right, and says
// so of everything else.
func refused(err error, again func(status int, wrong error) error) error {
	if !refusal(err) {
		return err
	}
	return again(statusOfPage(study.CodeOf(err)), err)
}

func (d *desk) recordFact(v *visit) error {
	c := study.RecordFact{Kind: study.FactKind(v.value("kind")), On: study.PartialDate(v.value("on")), Level: study.Level(v.value("level")), Reason: v.value("reason")}
	for drug := range strings.SplitSeq(v.value("drugs"), ",") {
		if drug = strings.TrimSpace(drug); drug != "" {
			c.Drugs = append(c.Drugs, drug)
		}
	}
	return d.doPerson(v, c, "Recorded.")
}

func (d *desk) retractFact(v *visit) error {
	var seq uint64
	_, _ = fmt.Sscan(v.value("fact"), &seq)
	return d.doPerson(v, study.RetractFact{Seq: seq, Reason: v.value("reason")}, "Retracted. What it had stopped goes on where it is still open; nothing of the past is sent.")
}

func (d *desk) notDone(v *visit) error {
	c := study.CodeMissing{Assessment: study.AssessmentFor(personID(v), v.Params("visit")), Reason: study.MissingReason(v.value("reason")),
		HealthRelated: study.Tristate(v.value("health_related")), Note: v.value("note")}
	return d.doPerson(v, c, "The reason is kept.")
}

// doPerson carries a command out and shows the participant.
func (d *desk) doPerson(v *visit, c study.Command, said string) error {
	if _, err := d.Study.Do(v.UserContext(), v.request(), personID(v), c); err != nil {
		return refused(err, func(status int, wrong error) error { return d.showPerson(v, status, wrong) })
	}
	return v.done(personPath(personID(v)), said)
}

package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"epro/certify"
	"epro/scoring"
	"epro/study"
)

// Form is a form that was received, as staff see it. Answers and scores are
// there only for roles that may see them.
type Form struct {
	ID          study.SubmissionID    `json:"id"`
	Revision    int                   `json:"revision"`
	Mode        study.Mode            `json:"mode"`
	Assistance  study.Assistance      `json:"assistance,omitempty"`
	Counted     bool                  `json:"counted" doc:"As the receipt said."`
	Standing    bool                  `json:"standing" doc:"This is the form that counts for the visit now."`
	Held        bool                  `json:"held" doc:"Waits for a decision."`
	HeldCause   study.HeldCause       `json:"held_cause,omitempty"`
	Decision    study.Decision        `json:"decision,omitempty"`
	Void        study.Cause           `json:"void,omitempty"`
	Flags       []study.Flag          `json:"flags"`
	CompletedAt study.Instant         `json:"completed_at" format:"date-time"`
	ReceivedAt  study.Instant         `json:"received_at" format:"date-time"`
	Verified    bool                  `json:"verified"`
	Answers     map[string]int        `json:"answers,omitempty"`
	Scores      map[string]*FormScore `json:"scores,omitempty"`
}

// FormScore is one score; value is null when it is missing.
type FormScore struct {
	Value    *float64 `json:"value"`
	Answered int      `json:"answered"`
	Items    int      `json:"items"`
	Prorated bool     `json:"prorated"`
	Missing  string   `json:"missing,omitempty"`
}

// StaffAssessment is an assessment with everything that was received for it.
type StaffAssessment struct {
	Assessment
	Repeat   bool     `json:"repeat" doc:"The baseline form grew too old and is asked for again."`
	NotGiven bool     `json:"not_given" doc:"The cycle was not given."`
	NotDone  *NotDone `json:"not_done"`
	Forms    []Form   `json:"forms"`
}

// TransformSchema says that not_done can be null.
func (StaffAssessment) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "not_done")
}

// NotDone is the latest reason why a form is missing.
type NotDone struct {
	Reason        study.MissingReason `json:"reason"`
	HealthRelated study.Tristate      `json:"health_related"`
	Note          string              `json:"note,omitempty"`
	At            study.Instant       `json:"at" format:"date-time"`
	By            study.ActorRef      `json:"by"`
}

func (s *Server) assessments(ctx context.Context, in *personList) (*listOutput[StaffAssessment], error) {
	p, h, err := s.person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	items := make([]StaffAssessment, len(p.Assessments))
	for i := range p.Assessments {
		if items[i], err = s.staffAssessment(ctx, h, p, &p.Assessments[i]); err != nil {
			return nil, err
		}
	}
	return pageOf(in.Paged, items, func(a StaffAssessment) study.AssessmentID { return a.ID })
}

func (s *Server) staffAssessment(ctx context.Context, h *study.History, p *study.Participant, a *study.Assessment) (StaffAssessment, error) {
	out := StaffAssessment{Assessment: s.assessmentOf(h, p, a, "en"), Repeat: a.Repeat, NotGiven: a.NotGiven, Forms: []Form{}}
	if a.NotDone != nil {
		done := NotDone(*a.NotDone)
		out.NotDone = &done
	}
	standing := a.Standing()
	for i := range a.Submissions {
		f := &a.Submissions[i]
		form := Form{ID: f.ID, Revision: f.Revision, Mode: f.Mode, Assistance: f.Assistance, Counted: f.Counted, Standing: f == standing,
			Held: f.Held(), HeldCause: f.HeldCause, Decision: f.Decision, Void: f.Void, Flags: f.Flags,
			CompletedAt: f.CompletedAt, ReceivedAt: f.ReceivedAt, Verified: f.Verified == f.Revision}
		if h.SeesAnswers(actorOf(ctx)) {
			if err := form.reveal(f); err != nil {
				return out, err
			}
		}
		out.Forms = append(out.Forms, form)
	}
	return out, nil
}

// reveal adds answers and scores.
func (f *Form) reveal(s *study.Submission) error {
	ins, ok := study.InstrumentOf(s.Instrument, s.Version)
	scores, err := s.Scores(nil)
	if err != nil || !ok {
		return err
	}
	f.Answers, f.Scores = map[string]int{}, map[string]*FormScore{}
	for i, a := range s.Answers {
		if a.Answered() {
			f.Answers[ins.Items[i].Code] = int(a)
		}
	}
	for i, code := range study.ScoreCodes(s.Instrument, s.Version) {
		sc := scores[i]
		shown := &FormScore{Answered: int(sc.Answered), Items: int(sc.Items), Prorated: sc.Prorated, Missing: sc.Missing.String()}
		if sc.Missing == scoring.NotMissing {
			shown.Value = &sc.Value
		}
		f.Scores[code] = shown
	}
	return nil
}

// FormPath names a form in the path.
type FormPath struct {
	PersonPath
	AssessmentID study.AssessmentID `path:"aid"`
	SubmissionID study.SubmissionID `path:"sid"`
}

// named checks that the path's three parts belong together, so that a form is
// not reached through another visit's address.
func (s *Server) named(ctx context.Context, in FormPath) (*study.Participant, *study.Submission, error) {
	p, err := s.study.Participant(ctx, actorOf(ctx), in.ID)
	if err != nil {
		return nil, nil, err
	}
	a, f := p.Submission(in.SubmissionID)
	if f == nil || a.ID != in.AssessmentID {
		return nil, nil, study.Fail(study.NotFound, "There is no such form, or it is not yours to see.")
	}
	return p, f, nil
}

// doForm carries out a command on a form and shows its assessment.
func (s *Server) doForm(ctx context.Context, in FormPath, c study.Command) (*staffAssessmentOutput, error) {
	if _, _, err := s.named(ctx, in); err != nil {
		return nil, err
	}
	res, err := s.do(ctx, in.ID, c)
	if err != nil {
		return nil, err
	}
	return s.showAssessment(ctx, res.After, in.AssessmentID)
}

type staffAssessmentOutput struct {
	ETag string `header:"ETag"`
	Body StaffAssessment
}

func (s *Server) showAssessment(ctx context.Context, p *study.Participant, id study.AssessmentID) (*staffAssessmentOutput, error) {
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.staffAssessment(ctx, h, p, p.Assessment(id))
	return &staffAssessmentOutput{ETag: etag(p.Seq), Body: a}, err
}

type enterFormInput struct {
	PersonPath
	AssessmentID study.AssessmentID `path:"aid"`
	SubmissionID study.SubmissionID `path:"sid" format:"uuid" minLength:"36" maxLength:"36"`
	Body         struct {
		FilledForm
		Mode       study.Mode       `json:"mode" enum:"paper_transcribed,interview,clinic_tablet"`
		Assistance study.Assistance `json:"assistance,omitempty" enum:"none,read_aloud,entered_by_other,proxy"`
		Reason     string           `json:"reason"`
	}
}

func (s *Server) enterForm(ctx context.Context, in *enterFormInput) (*receiptOutput, error) {
	if err := in.Body.complete(); err != nil {
		return nil, err
	}
	c := in.Body.command(in.SubmissionID, in.AssessmentID)
	c.ByStaff, c.Mode, c.Assistance, c.Reason = true, in.Body.Mode, in.Body.Assistance, in.Body.Reason
	if c.Assistance == "" {
		c.Assistance = study.AssistanceNone
	}
	return s.submit(ctx, in.ID, c)
}

type correctInput struct {
	FormPath
	Body struct {
		Answers literals          `json:"answers"`
		Skipped map[string]string `json:"skipped,omitempty"`
		Cause   study.Cause       `json:"cause"`
		Reason  string            `json:"reason"`
		signable
	}
}

func (s *Server) correct(ctx context.Context, in *correctInput) (*staffAssessmentOutput, error) {
	if err := needed(map[string]bool{"answers": in.Body.Answers != nil}); err != nil {
		return nil, err
	}
	c := study.CorrectForm{Form: in.SubmissionID, Answers: in.Body.Answers.text(), Skipped: in.Body.Skipped,
		Cause: in.Body.Cause, Reason: in.Body.Reason}
	return s.doSigned(ctx, in.FormPath, c, in.Body.Signature, c.Meaning())
}

type voidInput struct {
	FormPath
	Body struct {
		Cause  study.Cause `json:"cause" enum:"wrong_person,wrong_visit,test,duplicate,entry_error,participant_request,other"`
		Reason string      `json:"reason"`
		signable
	}
}

func (s *Server) void(ctx context.Context, in *voidInput) (*staffAssessmentOutput, error) {
	c := study.VoidForm{Form: in.SubmissionID, Cause: in.Body.Cause, Reason: in.Body.Reason}
	return s.doSigned(ctx, in.FormPath, c, in.Body.Signature, c.Meaning())
}

type acceptInput struct {
	FormPath
	Body struct {
		Accept bool   `json:"accept"`
		Reason string `json:"reason"`
	}
}

func (s *Server) accept(ctx context.Context, in *acceptInput) (*staffAssessmentOutput, error) {
	return s.doForm(ctx, in.FormPath, study.JudgeHeld{Form: in.SubmissionID, Accept: in.Body.Accept, Reason: in.Body.Reason})
}

type verifyInput struct {
	FormPath
	Body *struct {
		Reason string `json:"reason,omitempty"`
		signable
	}
}

func (s *Server) verify(ctx context.Context, in *verifyInput) (*staffAssessmentOutput, error) {
	c := study.VerifyForm{Form: in.SubmissionID}
	var sig *Signature
	if in.Body != nil {
		c.Reason, sig = in.Body.Reason, in.Body.Signature
	}
	return s.doSigned(ctx, in.FormPath, c, sig, c.Meaning())
}

type notDoneInput struct {
	PersonPath
	AssessmentID study.AssessmentID `path:"aid"`
	Body         struct {
		Reason        study.MissingReason `json:"reason"`
		HealthRelated study.Tristate      `json:"health_related" enum:"yes,no,unknown"`
		Note          string              `json:"note,omitempty"`
	}
}

func (s *Server) notDone(ctx context.Context, in *notDoneInput) (*staffAssessmentOutput, error) {
	res, err := s.do(ctx, in.ID, study.CodeMissing{Assessment: in.AssessmentID, Reason: in.Body.Reason,
		HealthRelated: in.Body.HealthRelated, Note: in.Body.Note})
	if err != nil {
		return nil, err
	}
	return s.showAssessment(ctx, res.After, in.AssessmentID)
}

type copyOutput struct {
	Body FormCopy
}

// pdfType is the media type of a PDF.
const pdfType = "application/pdf"

type pdfOutput struct {
	Type string `header:"Content-Type"`
	Name string `header:"Content-Disposition"`
	Body []byte
}

func (s *Server) copyPDF(ctx context.Context, in *FormPath) (*pdfOutput, error) {
	if _, _, err := s.named(ctx, *in); err != nil {
		return nil, err
	}
	c, err := certify.Gather(ctx, s.study, certify.Request{By: actorOf(ctx), Participant: in.ID, Form: in.SubmissionID, Program: s.o.Version})
	if err != nil {
		return nil, err
	}
	raw, err := s.o.Fonts.PDF(c)
	if err != nil {
		return nil, err
	}
	return &pdfOutput{pdfType, `attachment; filename="` + string(c.Form) + `.pdf"`, raw}, c.Record(ctx, s.study, actorOf(ctx), "pdf", raw)
}

// FormCopy is a form with every event that concerns it, hashes included, so
// that it can be checked against the record.
type FormCopy struct {
	Study       string              `json:"study"`
	Protocol    string              `json:"protocol"`
	Participant study.ParticipantID `json:"participant"`
	Number      string              `json:"number"`
	Site        study.SiteCode      `json:"site"`
	TimeZone    string              `json:"time_zone"`
	Assessment  StaffAssessment     `json:"assessment"`
	Events      []Event             `json:"events"`
	MadeAt      study.Instant       `json:"made_at" format:"date-time"`
}

func (s *Server) copyOf(ctx context.Context, in *FormPath) (*copyOutput, error) {
	p, _, err := s.named(ctx, *in)
	if err != nil {
		return nil, err
	}
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	record, err := s.study.FormRecord(ctx, actorOf(ctx), in.ID, in.SubmissionID)
	if err != nil {
		return nil, err
	}
	a, err := s.staffAssessment(ctx, h, p, p.Assessment(in.AssessmentID))
	return &copyOutput{FormCopy{Study: h.Current().Study, Protocol: p.Assessment(in.AssessmentID).Protocol, Participant: p.ID,
		Number: p.Number, Site: p.Site, TimeZone: p.TimeZone, Assessment: a, Events: eventsOf(record), MadeAt: study.InstantOf(s.now())}}, err
}

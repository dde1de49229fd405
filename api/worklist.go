package api

import (
	"context"

	"epro/study"
)

// WorkItem is one line of a worklist. Members that say nothing in a list are
// left out of its items.
type WorkItem struct {
	ParticipantID study.ParticipantID    `json:"participant_id"`
	Number        string                 `json:"number"`
	Site          study.SiteCode         `json:"site"`
	TimeZone      string                 `json:"time_zone"`
	AssessmentID  study.AssessmentID     `json:"assessment_id,omitzero" required:"false"`
	Visit         string                 `json:"visit,omitzero" required:"false"`
	VisitName     string                 `json:"visit_name,omitzero" required:"false"`
	Status        study.AssessmentStatus `json:"status,omitzero" required:"false"`
	Baseline      bool                   `json:"baseline,omitzero" required:"false"`
	OpensOn       study.Date             `json:"opens_on,omitzero" required:"false" format:"date"`
	DueOn         study.Date             `json:"due_on,omitzero" required:"false" format:"date"`
	ClosesOn      study.Date             `json:"closes_on,omitzero" required:"false" format:"date"`
	ClosesAt      study.Instant          `json:"closes_at,omitzero" required:"false" format:"date-time"`
	DaysOverdue   int                    `json:"days_overdue" doc:"Calendar days at the participant's home since the due day."`
	DaysLeft      int                    `json:"days_left" doc:"Calendar days until the last day of the window; 0 on that day."`
	HoursLeft     int                    `json:"hours_left" doc:"Whole hours until the window closes."`

	Since        study.Instant      `json:"since,omitzero" required:"false" format:"date-time" doc:"From when it waits."`
	SubmissionID study.SubmissionID `json:"submission_id,omitzero" required:"false"`
	HeldCause    study.HeldCause    `json:"held_cause,omitzero" required:"false"`
	CodeUntil    study.Instant      `json:"code_expires_at,omitzero" required:"false" format:"date-time"`
	AlertID      study.AlertID      `json:"alert_id,omitzero" required:"false"`
	Rule         study.AlertRule    `json:"rule,omitzero" required:"false" doc:"That the alert comes from."`
	About        string             `json:"about,omitzero" required:"false"`
	Escalated    bool               `json:"escalated,omitzero" required:"false" doc:"Nobody has acknowledged the alert for too long."`
	NoRoute      bool               `json:"no_route,omitzero" required:"false" doc:"The call came up because no message can reach her."`
	LastContact  *Contact           `json:"last_contact,omitempty" doc:"The latest attempt to reach her about this visit."`
}

// Worklist is what there is to do, as of one moment.
type Worklist struct {
	AsOf         study.Instant `json:"as_of" format:"date-time"`
	Overdue      []WorkItem    `json:"overdue" doc:"Past due, the window still open; the first to close first."`
	ClosingSoon  []WorkItem    `json:"closing_soon" doc:"Open, and closes within 48 hours."`
	Today        []WorkItem    `json:"today" doc:"Due today and not completed; a baseline first."`
	CallTasks    []WorkItem    `json:"call_tasks" doc:"Whom to telephone."`
	Alerts       []WorkItem    `json:"alerts" doc:"Not acknowledged; the escalated first."`
	Held         []WorkItem    `json:"held" doc:"Forms that wait for a decision."`
	NotActivated []WorkItem    `json:"not_activated" doc:"Enrolled, phone never bound."`
	NoRoute      []WorkItem    `json:"no_route" doc:"No message can reach her, and a window is open or opens within seven days."`
	Unexplained  []WorkItem    `json:"unexplained" doc:"Missed, and nobody has said why."`
}

type worklistInput struct {
	Site study.SiteCode `query:"site" doc:"Left out: every site of the account."`
}

type worklistOutput struct{ Body Worklist }

func (s *Server) worklist(ctx context.Context, in *worklistInput) (*worklistOutput, error) {
	w, err := s.study.Worklist(ctx, actorOf(ctx), in.Site)
	if err != nil {
		return nil, err
	}
	return &worklistOutput{Worklist{AsOf: w.AsOf, Overdue: workItems(w.Overdue), ClosingSoon: workItems(w.ClosingSoon), Today: workItems(w.Today),
		CallTasks: workItems(w.CallTasks), Alerts: workItems(w.Alerts), Held: workItems(w.Held), NotActivated: workItems(w.NotActivated),
		NoRoute: workItems(w.NoRoute), Unexplained: workItems(w.Unexplained)}}, nil
}

func workItems(items []study.WorkItem) []WorkItem {
	out := make([]WorkItem, len(items))
	for i, x := range items {
		out[i] = WorkItem{ParticipantID: x.ParticipantID, Number: x.Number, Site: x.Site, TimeZone: x.TimeZone, AssessmentID: x.AssessmentID,
			Visit: x.Visit, VisitName: x.VisitName, Status: x.Status, Baseline: x.Baseline, OpensOn: x.OpensOn, DueOn: x.DueOn, ClosesOn: x.ClosesOn,
			ClosesAt: x.ClosesAt, DaysOverdue: x.DaysOverdue, DaysLeft: x.DaysLeft, HoursLeft: x.HoursLeft, Since: x.Since, SubmissionID: x.SubmissionID,
			HeldCause: x.HeldCause, CodeUntil: x.CodeUntil, AlertID: x.AlertID, Rule: x.Rule, About: x.About, Escalated: x.Escalated, NoRoute: x.NoRoute}
		if x.LastContact != nil {
			contact := contactOf(*x.LastContact)
			out[i].LastContact = &contact
		}
	}
	return out
}

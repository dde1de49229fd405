package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"epro/analysis"
	"epro/export"
	"epro/instruments/wording"
	"epro/study"
)

// route is one operation: where it is, what it needs, what it does.
type route struct {
	method, path string
	action       study.Action // "" needs no token
	status       int
	tag, summary string
	raw          bool  // the body is judged by study alone, every fault of the answers at once
	also         []int // other good statuses than status
	body         any   // what the body looks like, where the handler takes its bytes
	streams      bool  // the good answer is a file, not JSON
	pdf          bool  // the good answer is a PDF
	register     func(*Server, huma.API, huma.Operation)
}

// routes are all routes of the API, on one page. What a route needs is an
// action; package study says which roles may do it.
func (s *Server) routes() []route { //nolint:funlen // a table, on one page on purpose
	const (
		get, post, put, patch = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch
		ok, created, none     = http.StatusOK, http.StatusCreated, http.StatusNoContent

		person     = "/v1/participants/{id}"
		assessment = person + "/assessments/{aid}"
		form       = assessment + "/submissions/{sid}"
		packs      = "/v1/wording-packs"
	)
	return []route{
		on(post, "/v1/auth/enrol", "", created, "Auth", "Bind a phone with an enrolment code", s.enrolPhone),
		on(post, "/v1/auth/login", "", ok, "Auth", "Sign in with a staff account", s.login),
		on(post, "/v1/auth/firebase", "", ok, "Auth", "Sign a phone in with a Firebase ID token, the first time with an enrolment code too", s.signInByFirebase),
		on(post, "/v1/auth/refresh", "", ok, "Auth", "Exchange a refresh token for a new pair", s.refresh),
		on(post, "/v1/auth/logout", "", none, "Auth", "End the session", s.logout),
		on(post, "/v1/auth/authenticator", "", ok, "Auth", "Set up the authenticator app of an account that has none", s.setUpAuthenticator),
		on(post, "/v1/auth/setup", "", created, "Auth", "Make the first administrator with the one-time set-up token", s.setup),

		on(get, "/v1/me", study.ReadOwn, ok, "Patient", "Who I am and what is next", s.me),
		on(get, "/v1/me/assessments", study.ReadOwn, ok, "Patient", "All my assessments with their windows", s.myAssessments),
		on(get, "/v1/instruments/{instrument}", study.ReadQuestionnaire, ok, "Patient", "The questionnaire with its wording", s.questionnaire).answers(http.StatusNotModified),
		on(put, "/v1/me/assessments/{aid}/submissions/{sid}", study.SubmitOwn, created, "Patient", "Send a filled form; safe to repeat", s.submitOwn).raws().answers(ok, http.StatusAccepted),
		on(put, "/v1/me/assessments/{aid}/progress", study.SubmitOwn, none, "Patient", "Say how far a form is, counts only", s.progress),

		on(post, "/v1/participants", study.EnrolPeople, created, "Site staff", "Enrol a participant", s.enrol),
		on(get, "/v1/participants", study.ReadParticipants, ok, "Site staff", "List participants", s.participants),
		on(get, person, study.ReadParticipants, ok, "Site staff", "One participant", s.participant),
		on(patch, person, study.ChangeDetails, ok, "Site staff", "Change language, zone, number, regimen or access", s.changeParticipant),
		on(post, person+"/consent", study.ChangeDetails, created, "Site staff", "Record a consent, first or renewed, or correct one", s.consent),
		on(post, person+"/transfer", study.Transfer, ok, "Site staff", "Move to another site", s.transfer),
		on(get, person+"/assessments", study.ReadParticipants, ok, "Site staff", "All assessments of a participant", s.assessments),
		on(get, person+"/history", study.ReadHistory, ok, "Site staff", "The record: who did what, when and why", s.history),
		on(post, person+"/enrolment-codes", study.IssueCodes, created, "Site staff", "Issue an enrolment code", s.issueCode),
		on(put, person+"/cycles/{n}", study.RecordCycles, ok, "Site staff", "State or preview the start of a cycle", s.cycle),
		on(post, person+"/status", study.RecordFacts, ok, "Site staff", "Record or retract a fact of taking part", s.status),
		on(post, person+"/treatment", study.RecordFacts, created, "Site staff", "Record or retract a fact of treatment", s.treatment),
		on(post, person+"/performance-status", study.RecordECOG, created, "Site staff", "Record an ECOG performance status", s.ecog),
		on(put, form, study.EnterForms, created, "Site staff", "Enter a form from paper or an interview", s.enterForm).raws().answers(ok, http.StatusAccepted),
		on(post, form+"/corrections", study.CorrectForms, created, "Site staff", "Correct a form on the participant's evidence", s.correct).raws(),
		on(post, form+"/void", study.VoidForms, created, "Site staff", "Take a form out of every count", s.void),
		on(post, form+"/acceptance", study.DecideHeld, created, "Site staff", "Accept or reject a held form", s.accept),
		on(post, form+"/verification", study.VerifyForms, created, "Site staff", "Verify a form against its source", s.verify),
		on(get, form+"/copy", study.ReadHistory, ok, "Site staff", "Certified copy of a form as JSON", s.copyOf),
		on(get, form+"/copy.pdf", study.ExportView, ok, "Site staff", "Certified copy of a form as PDF; that it was made is recorded", s.copyPDF).pdfs(),
		on(post, assessment+"/not-done", study.RecordNotDone, created, "Site staff", "Say why a form is missing", s.notDone),

		on(get, "/v1/completion", study.ReadParticipants, ok, "Site staff", "Where everybody stands at every visit, and the rates", s.completion),

		on(get, "/v1/analysis/completion", study.ExportData, ok, "Analyst", "Who was expected and who sent a valid form", table(s, (*analysis.Data).CompletionTable)),
		on(get, "/v1/analysis/scores", study.ExportData, ok, "Analyst", "A score at each visit", table(s, (*analysis.Data).ScoreTable)),
		on(get, "/v1/analysis/change", study.ExportData, ok, "Analyst", "Its change from baseline", table(s, (*analysis.Data).ChangeTable)),
		on(get, "/v1/analysis/responders", study.ExportData, ok, "Analyst", "Who changed by a threshold", table(s, (*analysis.Data).ResponderTable)),
		on(get, "/v1/analysis/deterioration", study.ExportData, ok, "Analyst", "Time to deterioration", table(s, (*analysis.Data).DeteriorationTable)),
		on(get, "/v1/analysis/distribution", study.ExportData, ok, "Analyst", "Cumulative distribution of the change", table(s, (*analysis.Data).DistributionTable)),
		on(get, "/v1/analysis/items", study.ExportData, ok, "Analyst", "The items of a score at each visit", table(s, (*analysis.Data).ItemTable)),
		on(get, "/v1/analysis/missing", study.ExportData, ok, "Analyst", "Patterns of missing forms", table(s, (*analysis.Data).MissingTable)),
		on(get, "/v1/analysis/alpha", study.ExportData, ok, "Analyst", "Cronbach's alpha of each subscale", table(s, (*analysis.Data).AlphaTable)),
		on(get, "/v1/worklist", study.ReadParticipants, ok, "Site staff", "What there is to do now, by site", s.worklist),
		on(get, "/v1/exports", study.ExportData, ok, "Analyst", "Datasets with their columns, and formats", s.exports),
		on(get, "/v1/exports/{dataset}.{format}", study.ExportData, ok, "Analyst", "A dataset as a file, or everything as study.zip", s.export).files(),

		on(get, "/v1/sites", study.ReadSites, ok, "Admin", "List sites", s.sites),
		on(post, "/v1/sites", study.ManageSites, created, "Admin", "Open a site", s.createSite),
		on(put, "/v1/sites/{code}/contact", study.ManageSites, ok, "Admin", "Say which number a site's participants call", s.setSiteContact),
		on(patch, "/v1/sites/{code}", study.ManageSites, ok, "Admin", "Change a site's name, time zone or language", s.changeSite),
		on(put, "/v1/sites/{code}/closing", study.ManageSites, ok, "Admin", "Close a site to new participants, or open it again", s.closeSite),
		on(put, "/v1/sites/{code}/lock", study.LockSites, ok, "Admin", "Lock or unlock a site's data", s.lockSite),
		on(get, "/v1/staff", study.ManageStaff, ok, "Admin", "List staff accounts", s.staff),
		on(post, "/v1/staff", study.ManageStaff, created, "Admin", "Open a staff account", s.createStaff),
		on(patch, "/v1/staff/{id}", study.ManageStaff, ok, "Admin", "Change an account's rights, or disable it", s.changeStaff),
		on(post, "/v1/staff/{id}/password", study.ManageStaff, created, "Admin", "Give an account a new password", s.resetPassword),
		on(get, packs, study.ManageWording, ok, "Admin", "All wording packs, without their text", s.wordingPacks),
		on(post, packs, study.ManageWording, created, "Admin", "Bring a wording pack in; a second person has to approve it", s.importPack).raws().takes(wording.Pack{}),
		on(get, packs+"/{pack}", study.ManageWording, ok, "Admin", "A wording pack with its text, to be read before it is approved", s.wordingPack),
		on(post, packs+"/{pack}/approval", study.ManageWording, created, "Admin", "Approve a wording pack, or take it out of use", s.decidePack),
		on(get, "/v1/audit", study.ReadAudit, ok, "Admin", "Everything that was recorded, by time", s.audit),
		on(get, "/v1/study", study.ReadStudy, ok, "Admin", "The protocol in force", s.studyInForce),
	}
}

// reminderRoutes are those of reminders, contacts and alerts.
func (s *Server) reminderRoutes() []route {
	const (
		get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
		ok, created, none   = http.StatusOK, http.StatusCreated, http.StatusNoContent

		person = "/v1/participants/{id}"
	)
	return []route{
		on(put, "/v1/me/devices/{device_id}", study.RegisterOwn, none, "Patient", "Say where reminders reach this phone", s.registerDevice),
		on(del, "/v1/me/devices/{device_id}", study.RegisterOwn, none, "Patient", "No more reminders on this phone", s.removeOwnDevice),
		on(get, "/v1/me/push-key", study.ReadOwn, ok, "Patient", "The key that browsers subscribe to reminders with", s.pushKey),
		on(put, "/v1/me/reminders", study.PauseOwn, none, "Patient", "Pause reminders, or let them go on", s.pauseReminders),
		on(post, "/v1/me/deliveries/{id}/events", study.ReportOwn, none, "Patient", "Say that a reminder arrived or was opened", s.reportDelivery),
		on(post, person+"/contacts", study.RecordContacts, created, "Site staff", "Record an attempt to reach a participant", s.recordContact),
		on(get, person+"/devices", study.ReadParticipants, ok, "Site staff", "The phones that reminders go to", s.devices),
		on(del, person+"/devices/{device_id}", study.RemoveDevices, ok, "Site staff", "Forget a phone, such as a lost one", s.removeDevice),
		on(get, "/v1/alerts", study.ReadAlerts, ok, "Site staff", "What the protocol's rules ask the site to look at", s.alerts),
		on(post, "/v1/alerts/{id}/acknowledgement", study.AcknowledgeAlerts, created, "Site staff", "Say that you looked at an alert, and what came of it", s.acknowledge),
		on(get, "/v1/deliveries", study.ReadDeliveries, ok, "Site staff", "The reminder log: what was sent to whom, and what became of it", s.deliveries),
	}
}

// on makes a route of a handler; errors become problems at this one place.
func on[I, O any](method, path string, action study.Action, status int, tag, summary string, h func(context.Context, *I) (*O, error)) route {
	return route{method: method, path: path, action: action, status: status, tag: tag, summary: summary,
		register: func(s *Server, api huma.API, op huma.Operation) {
			huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
				out, err := h(ctx, in)
				if err == nil {
					return out, nil
				}
				s.logHandler(ctx, op.OperationID, err)
				return nil, problemOf(err, metaOf(ctx).id)
			})
		}}
}

func (r route) raws() route {
	r.raw = true
	return r
}

// files marks a route that answers with a file of any of the export's formats.
func (r route) files() route {
	r.streams = true
	return r
}

// pdfs marks a route that answers with a PDF.
func (r route) pdfs() route {
	r.pdf = true
	return r
}

func (r route) answers(also ...int) route {
	r.also = also
	return r
}

// takes says what a body looks like that the handler reads byte for byte.
func (r route) takes(body any) route {
	r.body = body
	return r
}

// describe adds to a registered operation what huma cannot know: the other good
// statuses (a 304 has no body, the others have the same), and what a body looks
// like that is read byte for byte.
func (r route) describe(op huma.Operation, schemas huma.Registry) {
	responses := op.Responses
	if r.body != nil {
		op.RequestBody.Content["application/json"].Schema = schemas.Schema(reflect.TypeOf(r.body), true, "")
	}
	for _, status := range r.also {
		response := &huma.Response{Description: http.StatusText(status)}
		if status != http.StatusNotModified {
			response.Content = responses[strconv.Itoa(r.status)].Content
		}
		responses[strconv.Itoa(status)] = response
	}
}

// operation is how the OpenAPI document describes the route.
func (r route) operation() huma.Operation {
	op := huma.Operation{
		OperationID: operationID(r), Method: r.method, Path: r.path, DefaultStatus: r.status,
		Summary: r.summary, Tags: []string{r.tag}, MaxBodyBytes: maxBody, SkipValidateBody: r.raw,
		Responses: map[string]*huma.Response{},
	}
	if r.body != nil {
		op.RequestBody = &huma.RequestBody{}
	}
	if r.streams {
		file := &huma.Response{Description: "The file. Digest and X-Row-Count follow it as trailers.", Content: map[string]*huma.MediaType{}}
		for _, f := range export.AllFormats() {
			kind, _, _ := strings.Cut(f.ContentType, ";")
			file.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses[strconv.Itoa(r.status)] = file
	}
	if r.pdf {
		op.Responses[strconv.Itoa(r.status)] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{
			pdfType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	if r.action != "" {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Extensions = map[string]any{"x-action": string(r.action), "x-roles": study.RolesFor(r.action)}
	}
	return op
}

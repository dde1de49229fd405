package study

import (
	"slices"
)

// Action names something that an actor may be allowed to do: a command, or a
// kind of reading.
type Action string

// Every action. Routes and commands name one; what has none cannot be done.
const (
	ReadOwn           Action = "own.read"           // a participant reads her own record
	SubmitOwn         Action = "own.submit"         // and fills her own forms
	BindOwn           Action = "own.bind"           // and binds her phone
	PauseOwn          Action = "own.pause"          // and says whether she wants reminders
	RegisterOwn       Action = "own.devices"        // and where they reach her
	ReportOwn         Action = "own.deliveries"     // and which arrived
	ReadQuestionnaire Action = "questionnaire.read" // the instrument with its wording
	ReadParticipants  Action = "participants.read"  // who is in the study and where each stands
	ReadHistory       Action = "history.read"       // the stream, answers only where AnswersFor says so
	ReadAnswers       Action = "answers.read"       // answers and scores of one participant
	EnrolPeople       Action = "participants.enrol"
	ChangeDetails     Action = "participants.change"
	Transfer          Action = "participants.transfer"
	IssueCodes        Action = "codes.issue"
	RecordCycles      Action = "cycles.record"
	RecordFacts       Action = "facts.record"
	RecordECOG        Action = "ecog.record"
	EnterForms        Action = "forms.enter"
	CorrectForms      Action = "forms.correct"
	VoidForms         Action = "forms.void"
	DecideHeld        Action = "forms.decide"
	VerifyForms       Action = "forms.verify"
	RecordNotDone     Action = "not_done.record"
	RecordContacts    Action = "contacts.record"
	RemoveDevices     Action = "devices.remove"
	ReadDeliveries    Action = "deliveries.read" // what was sent to whom, and what became of it
	ReadAlerts        Action = "alerts.read"
	AcknowledgeAlerts Action = "alerts.acknowledge"
	LockSites         Action = "sites.lock"
	ReadSites         Action = "sites.read"
	ManageSites       Action = "sites.manage"
	ManageStaff       Action = "staff.manage"
	ReadAudit         Action = "audit.read"
	CountPhones       Action = "devices.count" // how many phones of which kind there are, by site
	ReadStudy         Action = "study.read"
	AdoptProtocol     Action = "protocol.adopt"
	ExportData        Action = "data.export"
	ManageWording     Action = "wording.manage" // bring wording packs in, read, approve and withdraw them
	ExportView        Action = "view.export"    // a list of the desk as a file
)

// permissions is the one place that says which role may do what. A role that
// is not listed may not.
var permissions = map[Action][]Role{
	ReadOwn:           {RoleParticipant},
	SubmitOwn:         {RoleParticipant},
	BindOwn:           {RoleParticipant},
	PauseOwn:          {RoleParticipant},
	RegisterOwn:       {RoleParticipant},
	ReportOwn:         {RoleParticipant},
	ReadQuestionnaire: {RoleParticipant, RoleCoordinator, RoleInvestigator, RoleMonitor, RoleAnalyst, RoleAdmin},
	ReadParticipants:  {RoleCoordinator, RoleInvestigator, RoleMonitor},
	ReadHistory:       {RoleCoordinator, RoleInvestigator, RoleMonitor},
	ReadAnswers:       {RoleCoordinator, RoleInvestigator, RoleMonitor}, // and the protocol's AnswersFor
	EnrolPeople:       {RoleCoordinator, RoleInvestigator},
	ChangeDetails:     {RoleCoordinator, RoleInvestigator},
	Transfer:          {RoleCoordinator, RoleInvestigator},
	IssueCodes:        {RoleCoordinator, RoleInvestigator},
	RecordCycles:      {RoleCoordinator, RoleInvestigator},
	RecordFacts:       {RoleCoordinator, RoleInvestigator},
	RecordECOG:        {RoleCoordinator, RoleInvestigator},
	EnterForms:        {RoleCoordinator, RoleInvestigator},
	CorrectForms:      {RoleCoordinator, RoleInvestigator},
	VoidForms:         {RoleCoordinator, RoleInvestigator},
	DecideHeld:        {RoleCoordinator, RoleInvestigator},
	VerifyForms:       {RoleCoordinator, RoleInvestigator},
	RecordNotDone:     {RoleCoordinator, RoleInvestigator},
	RecordContacts:    {RoleCoordinator, RoleInvestigator},
	RemoveDevices:     {RoleCoordinator, RoleInvestigator},
	ReadDeliveries:    {RoleCoordinator, RoleInvestigator, RoleMonitor},
	ReadAlerts:        {RoleCoordinator, RoleInvestigator, RoleMonitor},
	AcknowledgeAlerts: {RoleCoordinator, RoleInvestigator},
	LockSites:         {RoleInvestigator},
	ReadSites:         {RoleCoordinator, RoleInvestigator, RoleMonitor, RoleAdmin},
	ManageSites:       {RoleAdmin},
	ManageStaff:       {RoleAdmin},
	ReadAudit:         {RoleAdmin, RoleMonitor},
	CountPhones:       {RoleAdmin, RoleMonitor},
	ReadStudy:         {RoleCoordinator, RoleInvestigator, RoleMonitor, RoleAnalyst, RoleAdmin},
	AdoptProtocol:     {}, // from the command line only
	ExportData:        {RoleAnalyst},
	ManageWording:     {RoleAdmin},
	ExportView:        {RoleCoordinator, RoleInvestigator, RoleMonitor},
}

// May reports whether the actor's role allows the action. The system may do
// everything; its name in the record says which part of the program it was.
func (a Actor) May(action Action) bool {
	roles, known := permissions[action]
	return known && (a.Role == RoleSystem || slices.Contains(roles, a.Role))
}

// RolesFor are the roles that may do the action.
func RolesFor(action Action) []Role { return slices.Clone(permissions[action]) }

// SeesAnswers reports whether the protocol lets this actor's role read answers
// and scores. Investigators always may; administrators never.
func (h *History) SeesAnswers(a Actor) bool {
	switch a.Role {
	case RoleInvestigator, RoleSystem:
		return true
	case RoleCoordinator, RoleMonitor:
		current := h.Current()
		return current != nil && slices.Contains(current.Visibility.AnswersFor, a.Role)
	default:
		return false
	}
}

// permit refuses what the role does not allow.
func permit(a Actor, action Action) error {
	if a.May(action) {
		return nil
	}
	return Fail(Forbidden, "Your role does not allow this. Ask the study's administrator if it should.")
}

// permitFor also refuses a participant's record that is not the actor's to
// see, as if it did not exist.
func permitFor(a Actor, action Action, p *Participant) error {
	if err := permit(a, action); err != nil {
		return err
	}
	own := a.Role == RoleParticipant && p != nil && a.Participant == p.ID
	if p == nil || !own && !a.Sees(p.Site) {
		return notFound("participant")
	}
	return nil
}

func notFound(what string) error {
	return Fail(NotFound, "There is no such "+what+", or it is not yours to see.")
}

package study

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"epro/instruments"
)

// EventType names the event of each payload; the names are stored for ever.
func (ProtocolAdopted) EventType() EventType     { return "protocol_adopted" }
func (DataExported) EventType() EventType        { return "data_exported" }        //nolint:revive // see ProtocolAdopted
func (WordingImported) EventType() EventType     { return "wording_imported" }     //nolint:revive // see ProtocolAdopted
func (WordingDecided) EventType() EventType      { return "wording_decided" }      //nolint:revive // see ProtocolAdopted
func (AssessmentOpened) EventType() EventType    { return "assessment_opened" }    //nolint:revive // see ProtocolAdopted
func (SiteCreated) EventType() EventType         { return "site_created" }         //nolint:revive // see ProtocolAdopted
func (SiteContactSet) EventType() EventType      { return "site_contact_set" }     //nolint:revive // see ProtocolAdopted
func (SiteLocked) EventType() EventType          { return "site_locked" }          //nolint:revive // see ProtocolAdopted
func (SiteUnlocked) EventType() EventType        { return "site_unlocked" }        //nolint:revive // see ProtocolAdopted
func (StaffCreated) EventType() EventType        { return "staff_created" }        //nolint:revive // see ProtocolAdopted
func (StaffChanged) EventType() EventType        { return "staff_changed" }        //nolint:revive // see ProtocolAdopted
func (PasswordReset) EventType() EventType       { return "password_reset" }       //nolint:revive // see ProtocolAdopted
func (SiteChanged) EventType() EventType         { return "site_changed" }         //nolint:revive // see ProtocolAdopted
func (SiteClosed) EventType() EventType          { return "site_closed" }          //nolint:revive // see ProtocolAdopted
func (SiteReopened) EventType() EventType        { return "site_reopened" }        //nolint:revive // see ProtocolAdopted
func (StaffInvited) EventType() EventType        { return "staff_invited" }        //nolint:revive // see ProtocolAdopted
func (SessionsEnded) EventType() EventType       { return "sessions_ended" }       //nolint:revive // see ProtocolAdopted
func (NameClaimed) EventType() EventType         { return "name_claimed" }         //nolint:revive // see ProtocolAdopted
func (ParticipantEnrolled) EventType() EventType { return "participant_enrolled" } //nolint:revive // see ProtocolAdopted
func (ConsentRecorded) EventType() EventType     { return "consent_recorded" }     //nolint:revive // see ProtocolAdopted
func (ConsentCorrected) EventType() EventType    { return "consent_corrected" }    //nolint:revive // see ProtocolAdopted
func (CodeIssued) EventType() EventType          { return "code_issued" }          //nolint:revive // see ProtocolAdopted
func (PhoneBound) EventType() EventType          { return "phone_bound" }          //nolint:revive // see ProtocolAdopted
func (SubmissionReceived) EventType() EventType  { return "submission_received" }  //nolint:revive // see ProtocolAdopted
func (HeldDecided) EventType() EventType         { return "held_decided" }         //nolint:revive // see ProtocolAdopted
func (SubmissionCorrected) EventType() EventType { return "submission_corrected" } //nolint:revive // see ProtocolAdopted
func (SubmissionVoided) EventType() EventType    { return "submission_voided" }    //nolint:revive // see ProtocolAdopted
func (SubmissionVerified) EventType() EventType  { return "submission_verified" }  //nolint:revive // see ProtocolAdopted
func (CycleRecorded) EventType() EventType       { return "cycle_recorded" }       //nolint:revive // see ProtocolAdopted
func (FactRecorded) EventType() EventType        { return "fact_recorded" }        //nolint:revive // see ProtocolAdopted
func (FactRetracted) EventType() EventType       { return "fact_retracted" }       //nolint:revive // see ProtocolAdopted
func (PerformanceRecorded) EventType() EventType { return "performance_recorded" } //nolint:revive // see ProtocolAdopted
func (DetailsChanged) EventType() EventType      { return "details_changed" }      //nolint:revive // see ProtocolAdopted
func (Transferred) EventType() EventType         { return "transferred" }          //nolint:revive // see ProtocolAdopted
func (NotDoneRecorded) EventType() EventType     { return "not_done_recorded" }    //nolint:revive // see ProtocolAdopted
func (ContactRecorded) EventType() EventType     { return "contact_recorded" }     //nolint:revive // see ProtocolAdopted
func (RemindersPaused) EventType() EventType     { return "reminders_paused" }     //nolint:revive // see ProtocolAdopted
func (AlertAcked) EventType() EventType          { return "alert_acknowledged" }   //nolint:revive // see ProtocolAdopted

// eventVersion is the version that every payload type is written at today.
const eventVersion = 1

// decoders turn a stored payload back into its type, by event type.
var decoders = map[EventType]func(Event) (Payload, error){}

func init() {
	register[ProtocolAdopted]()
	register[DataExported]()
	register[WordingImported]()
	register[WordingDecided]()
	register[AssessmentOpened]()
	register[SiteCreated]()
	register[SiteContactSet]()
	register[SiteLocked]()
	register[SiteUnlocked]()
	register[SiteChanged]()
	register[SiteClosed]()
	register[SiteReopened]()
	register[StaffCreated]()
	register[StaffChanged]()
	register[PasswordReset]()
	register[StaffInvited]()
	register[SessionsEnded]()
	register[NameClaimed]()
	register[ParticipantEnrolled]()
	register[ConsentRecorded]()
	register[ConsentCorrected]()
	register[CodeIssued]()
	register[PhoneBound]()
	register[SubmissionReceived]()
	register[HeldDecided]()
	register[SubmissionCorrected]()
	register[SubmissionVoided]()
	register[SubmissionVerified]()
	register[CycleRecorded]()
	register[FactRecorded]()
	register[FactRetracted]()
	register[PerformanceRecorded]()
	register[DetailsChanged]()
	register[Transferred]()
	register[NotDoneRecorded]()
	register[ContactRecorded]()
	register[RemindersPaused]()
	register[AlertAcked]()
}

// EventTypes are all types of events, in the order of their names.
func EventTypes() []EventType { return slices.Sorted(maps.Keys(decoders)) }

func register[P Payload]() {
	var zero P
	decoders[zero.EventType()] = func(e Event) (Payload, error) {
		if e.V != eventVersion {
			return nil, fmt.Errorf("event %s has version %d; this program knows %d: upgrade it", e.Type, e.V, eventVersion)
		}
		var p P
		if err := json.Unmarshal(e.Payload, &p, json.RejectUnknownMembers(true)); err != nil {
			return nil, err
		}
		return p, nil
	}
}

// PayloadOf is what the event says. An unknown type or version is an error:
// a program that does not understand an event must not compute without it.
func PayloadOf(e Event) (Payload, error) {
	decode, ok := decoders[e.Type]
	if !ok {
		return nil, fmt.Errorf("event type %q is unknown to this program: upgrade it", e.Type)
	}
	p, err := decode(e)
	if err != nil {
		return nil, fmt.Errorf("%s seq %d: %w", e.Stream, e.Seq, err)
	}
	return p, nil
}

// answersOf splits checked answers into the two readable maps of an event.
func answersOf(ins *instruments.Instrument, a instruments.Answers) (answers map[string]int, skipped map[string]string) {
	answers, skipped = make(map[string]int, len(a)), map[string]string{}
	for i, v := range a {
		switch {
		case v.Answered():
			answers[ins.Items[i].Code] = int(v)
		case v == instruments.Skipped:
			skipped[ins.Items[i].Code] = "skipped"
		case v == instruments.OptedOut:
			skipped[ins.Items[i].Code] = "opt_out"
		}
	}
	return answers, skipped
}

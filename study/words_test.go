package study_test

import (
	"fmt"
	"strings"
	"testing"

	"epro/study"
)

func join[T any](words ...T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprint(w)
	}
	return strings.Join(out, " ")
}

// What is stored is never renamed: every word, letter by letter.
func TestStoredWordsArePinned(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"roles", join(study.RoleParticipant, study.RoleCoordinator, study.RoleInvestigator, study.RoleMonitor, study.RoleAnalyst, study.RoleAdmin, study.RoleSystem),
			"participant coordinator investigator monitor analyst admin system"},
		{"staff roles", join(study.StaffRoles...), "coordinator investigator monitor analyst admin"},
		{"access", join(study.AccessPhone, study.AccessPaper), "phone paper"},
		{"modes", join(study.ModeApp, study.ModeWeb, study.ModeTablet, study.ModePaper, study.ModeInterview), "self_app self_web clinic_tablet paper_transcribed interview"},
		{"assistance", join(study.AssistanceNone, study.AssistanceRead, study.AssistanceEntered, study.AssistanceProxy), "none read_aloud entered_by_other proxy"},
		{"cycles", join(study.CyclePlanned, study.CycleGiven, study.CycleNotGiven), "planned given not_given"},
		{"treatment", join(study.TreatmentFacts...), "first_dose ended progressed regimen_changed new_therapy"},
		{"status facts", join(study.StatusFacts...), "screen_failure enrolled_in_error lost_to_follow_up withdrawn deceased end_of_follow_up"},
		{"levels", join(study.LevelQuestionnaires, study.LevelTrial, study.LevelNoFurtherUse), "questionnaires trial no_further_use"},
		{"causes", join(study.Causes...), "wrong_person wrong_visit test duplicate entry_error participant_request other"},
		{"missing", join(study.MissingReasons...), "too_ill declined forgot technical staff_did_not_offer language progression_stopped_pros lost_to_follow_up other unknown"},
		{"tristate", join(study.Yes, study.No, study.Unknown), "yes no unknown"},
		{"held", join(study.HeldNotExpected, study.HeldLocked, study.HeldStaffEntry, study.HeldEarly, study.HeldClosed, study.HeldArrivedLate),
			"not_expected locked staff_entry completed_early window_closed arrived_too_late"},
		{"flags", join(study.FlagTimeUncertain, study.FlagWindowMoved, study.FlagLateArrival, study.FlagFinishedAfterClose, study.FlagQ1Conflict, study.FlagElectronicExists,
			study.FlagOtherWording),
			"time_uncertain window_moved late_arrival finished_after_close q1_conflict electronic_exists other_wording"},
		{"participants", join(study.StatusScreened, study.StatusEnrolled, study.StatusActive, study.StatusWithdrawn, study.StatusDeceased, study.StatusCompleted, study.StatusExcluded),
			"screened enrolled active withdrawn deceased completed excluded"},
		{"assessments", join(words...), "upcoming open overdue completed missed not_expected superseded"},
		{"wording", join(study.WordingStatuses...), "waiting in_use replaced not_yet expired refused withdrawn"},
		{"decisions", join(study.Accepted, study.Rejected), "accepted rejected"},
		{"claims", join(study.ClaimNumber, study.ClaimUsername), "number username"},
		{"streams", join(study.StudyStream, study.ParticipantID("p").Stream(), study.SiteCode("S").Stream(), study.StaffID("u").Stream()), "study participant/p site/S staff/u"},
		{"claim stream's hash", string(study.ClaimStream(study.ClaimUsername, "ann")), "claim/username/49915e0d7d4b402e3017d010bc1c0e83"},
		{"claim stream", string(study.ClaimStream(study.ClaimNumber, "S01", " Ab ")), string(study.ClaimStream(study.ClaimNumber, "S01", " aB"))},
		{"channels", join(study.Channels...), "phone text_message in_person letter e_mail relative other"},
		{"contact outcomes", join(study.ContactOutcomes...), "reached no_answer message_left call_back declined too_ill wrong_number reported_dead report_retracted other"},
		{"alert rules", join(study.AlertMissed, study.AlertMissedInARow, study.AlertPushesFailing, study.AlertHeld, study.AlertScoreFell, study.AlertAnswer),
			"missed missed_in_a_row pushes_failing held score_fell answer"},
		{"events", join(study.EventTypes()...), "alert_acknowledged assessment_opened code_issued consent_corrected consent_recorded contact_recorded cycle_recorded data_exported details_changed fact_recorded fact_retracted held_decided name_claimed " +
			"not_done_recorded participant_enrolled password_reset performance_recorded phone_bound protocol_adopted reminders_paused sessions_ended site_changed site_closed site_contact_set site_created site_locked site_reopened site_unlocked staff_changed " +
			"staff_created staff_invited submission_corrected submission_received submission_verified submission_voided transferred wording_decided wording_imported"},
		{"codes", join(study.Invalid, study.InvalidAnswers, study.Unauthenticated, study.Forbidden, study.NotFound, study.Conflict, study.AlreadySubmitted, study.WindowNotOpen,
			study.VersionMismatch, study.WindowClosed, study.NotExpected, study.Locked, study.TooLarge, study.TooMany, study.Unavailable, study.Internal),
			"invalid invalid_answers unauthenticated forbidden not_found conflict already_submitted window_not_open version_mismatch window_closed not_expected locked " +
				"too_large too_many unavailable internal"},
		{"an assessment's id", string(study.AssessmentFor("p", "C2D1")), "p.C2D1"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestAPartialDateCoversItsMonthOrYear(t *testing.T) {
	for _, c := range []struct{ text, first, last string }{
		{"2026-03-17", "2026-03-17", "2026-03-17"}, {"2026-03", "2026-03-01", "2026-03-31"}, {"2028-02", "2028-02-01", "2028-02-29"},
		{"2026-12", "2026-12-01", "2026-12-31"}, {"2026", "2026-01-01", "2026-12-31"},
	} {
		p, err := study.ParsePartialDate(c.text)
		if err != nil || p.First().String() != c.first || p.Last().String() != c.last || p.Exact() != (len(c.text) == 10) {
			t.Errorf("%s: %s to %s, %v", c.text, p.First(), p.Last(), err)
		}
	}
	for _, text := range []string{"", "2026-13", "2026-02-30", "26", "2026-3", "2026-03-17T00:00", "1776"} {
		if _, err := study.ParsePartialDate(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

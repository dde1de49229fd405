package export

import (
	"slices"
	"strconv"
	"strings"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/study"
)

// itemsWide has a row for every form that was received, whatever became of it.
func itemsWide(ins *instruments.Instrument) Dataset {
	d := Dataset{
		Name: "items_wide", Label: "Received forms with their answers",
		Member: "ITEMSW",
		Row:    "a form that was received: counted, held, voided or replaced, each flagged",
		Keys:   []string{"SITEID", "SUBJID", "VISITNUM", "RECVDTM"},
	}
	fields := slices.Concat(identity[*form](), visits[*form](), filled(), arrival(), fate(), timing(), answers(ins), statuses(ins))
	return table(d, fields, (*view).forms)
}

// arrival has the clocks of a form.
func arrival() []field[*form] {
	return []field[*form]{
		{Column{Name: "STARTDTM", Label: "Started", Kind: Instant, Note: "By the phone's clock."},
			func(f *form) Value { return InstantOf(f.submission.StartedAt) }},
		{Column{Name: "COMPDTM", Label: "Completed", Kind: Instant, Note: "By the server's clock where the phone's was off; then FLAGS has time_uncertain."},
			func(f *form) Value { return InstantOf(f.submission.CompletedAt) }},
		{Column{Name: "SAIDDTM", Label: "Completed as the Phone Said", Kind: Instant}, func(f *form) Value { return InstantOf(f.submission.SaidAt) }},
		{Column{Name: "SENTDTM", Label: "Sent as the Phone Said", Kind: Instant}, func(f *form) Value { return InstantOf(f.submission.SentAt) }},
		{Column{Name: "RECVDTM", Label: "Received by the Server", Kind: Instant}, func(f *form) Value { return InstantOf(f.submission.ReceivedAt) }},
		{Column{Name: "APPVER", Label: "Version of the Sending Program"}, func(f *form) Value { return TextOf(f.submission.App.Version) }},
		{Column{Name: "ENTRROLE", Label: "Role of Whoever Sent or Entered It"}, func(f *form) Value { return TextOf(f.submission.By.Role) }},
		{Column{Name: "ENTRBY", Label: "Id of the Staff Who Entered It", Note: "Empty for the participant's own forms; an opaque id."},
			func(f *form) Value {
				if f.submission.By.Role == study.RoleParticipant {
					return Value{}
				}
				return TextOf(f.submission.By.ID)
			}},
	}
}

// fate says what became of a form.
func fate() []field[*form] {
	return []field[*form]{
		{Column{Name: "FORMID", Label: "Form Identifier"}, func(f *form) Value { return TextOf(f.submission.ID) }},
		{Column{Name: "COUNTFL", Label: "Counted When Received", Kind: Flag, Note: "As the receipt said."},
			func(f *form) Value { return FlagOf(f.submission.Counted) }},
		{Column{Name: "HELDCAUS", Label: "Cause Why It Was Held", Codes: heldCauses}, func(f *form) Value { return TextOf(f.submission.HeldCause) }},
		{Column{Name: "DECISION", Label: "Decision on a Held Form", Codes: decisions, Note: "Empty while a held form waits."},
			func(f *form) Value { return TextOf(f.submission.Decision) }},
		{Column{Name: "VOIDCAUS", Label: "Cause Why It Was Voided", Codes: causes}, func(f *form) Value { return TextOf(f.submission.Void) }},
		{Column{Name: "STALEFL", Label: "Baseline Form Too Old at First Dose", Kind: Flag}, func(f *form) Value { return FlagOf(f.submission.Stale) }},
		{Column{Name: "STANDFL", Label: "Stands for Its Visit", Kind: Flag, Note: "At most one form of a visit stands; scores_wide has those."},
			func(f *form) Value { return FlagOf(f.standing) }},
		{Column{Name: "REVISION", Label: "Revision of the Answers", Kind: Integer, Note: "1, and one more for each correction; the row has the latest answers, the audit trail the earlier."},
			func(f *form) Value { return IntegerOf(f.submission.Revision) }},
		{Column{Name: "VERIFYFL", Label: "Revision Verified by a Second Person", Kind: Flag},
			func(f *form) Value { return FlagOf(f.submission.Verified == f.submission.Revision) }},
		{Column{Name: "FLAGS", Label: "Flags of the Form", Note: flagsNote}, func(f *form) Value { return joined(f.submission.Flags) }},
	}
}

const flagsNote = "Joined by semicolons: time_uncertain (the phone's clock was off), window_moved (in time for the window as it was at completion), " +
	"late_arrival (received after closing), finished_after_close (started inside the window, finished within the grace time), " +
	"q1_conflict (on paper both opt-out box and answer), electronic_exists (a staff entry beside the participant's own form), other_wording (shown in another wording than it was opened with)."

func joined(flags []study.Flag) Value {
	words := make([]string, len(flags))
	for i, f := range flags {
		words[i] = string(f)
	}
	return TextOf(strings.Join(words, ";"))
}

// answers has a column per item with the answer as given.
func answers(ins *instruments.Instrument) []field[*form] {
	choices := make([]Code, len(ins.Choices))
	for i, c := range ins.Choices {
		choices[i] = Code{Value: strconv.Itoa(c.Value)}
	}
	choices[0].Meaning, choices[len(choices)-1].Meaning = "the weakest choice", "the strongest choice"
	fields := make([]field[*form], len(ins.Items))
	for i, item := range ins.Items {
		note := "As given, never reversed."
		if item.Reversed {
			note = "As given; reversed only when scored."
		}
		fields[i] = field[*form]{
			Column{Name: item.Code, Label: concept(item), Kind: Integer, Codes: choices, Note: note},
			func(f *form) Value {
				if a := f.submission.Answers[i]; a.Answered() {
					return IntegerOf(int(a))
				}
				return Value{}
			}}
	}
	return fields
}

// concept is our own short label of what the item asks about; never its text.
func concept(item instruments.Item) string {
	labels, _ := factb.Labels("en")
	if label, ok := labels.Items[item.Code]; ok {
		return item.Code + " " + label
	}
	return item.Code
}

// statuses has a column per item that says why an answer is missing.
func statuses(ins *instruments.Instrument) []field[*form] {
	fields := make([]field[*form], len(ins.Items))
	for i, item := range ins.Items {
		fields[i] = field[*form]{
			Column{Name: item.Code + "_ST", Label: item.Code + " status", Codes: itemStatuses},
			func(f *form) Value { return TextOf(itemStatus(f.submission.Answers[i])) }}
	}
	return fields
}

package export

import (
	"slices"
	"strings"

	"epro/study"
)

// attempt is one attempt to remind one device, or a step that never left.
type attempt struct {
	view        *view
	participant *study.Participant
	visit       string
	device      int // in the order in which devices were first tried, from 1
	*study.Delivery
}

func (r *attempt) who() (*view, *study.Participant) { return r.view, r.participant }

// reminders has a row for every attempt in the ledger of reminders.
func reminders() Dataset {
	d := Dataset{
		Name: "reminders", Label: "Reminders", Member: "REMIND",
		Row:  "an attempt to remind one device of one visit, or a step that was merged into a later one or skipped",
		Keys: []string{"SITEID", "SUBJID", "TRIEDDTM", "DELIVID"},
	}
	fields := slices.Concat(identity[*attempt](), reminderStep(), reminderOutcome())
	d.Columns = columnsOf(fields)
	d.deliveries = func(v *view, p *study.Participant, ledger []study.Delivery, out emit) error {
		each, devices := rowsOf(v, fields, out), map[study.DeviceID]int{"": 0}
		for i := range ledger {
			row := attempt{view: v, participant: p, visit: strings.TrimPrefix(string(ledger[i].Assessment), string(study.AssessmentFor(p.ID, ""))), Delivery: &ledger[i]}
			if _, known := devices[row.Device]; !known {
				devices[row.Device] = len(devices)
			}
			row.device = devices[row.Device]
			if through := v.options.Through; through != 0 && study.DateOf(row.At.Time().In(p.Zone())) > through {
				continue
			}
			if err := each(&row); err != nil {
				return err
			}
		}
		return nil
	}
	return d
}

func reminderStep() []field[*attempt] {
	return []field[*attempt]{
		{Column{Name: "VISIT", Label: "Visit Code"}, func(r *attempt) Value { return TextOf(r.visit) }},
		{Column{Name: "VISITNUM", Label: "Visit Number", Kind: Integer, Note: "As in items_wide."}, func(r *attempt) Value { return unlessZero(r.view.plan.VisitNumber(r.visit)) }},
		{Column{Name: "ASSESSID", Label: "Assessment Identifier"}, func(r *attempt) Value { return TextOf(r.Assessment) }},
		{Column{Name: "STEP", Label: "Step of the Reminder Ladder", Note: "The anchor in the window and the days from it, and behind an at sign the day: due+2@2026-03-25."},
			func(r *attempt) Value { return TextOf(r.Step) }},
		{Column{Name: "PLANDTM", Label: "Planned to Leave", Kind: Instant}, func(r *attempt) Value { return InstantOf(r.StepAt) }},
		{Column{Name: "TRIEDDTM", Label: "Tried, Merged or Skipped", Kind: Instant, Note: "By the server's clock, just before the message left."},
			func(r *attempt) Value { return InstantOf(r.At) }},
		{Column{Name: "DEVNUM", Label: "Device of the Participant", Kind: Integer, Note: "A number in the order in which her devices were first tried; empty for a step that never left."},
			func(r *attempt) Value { return unlessZero(r.device) }},
		{Column{Name: "PLATFORM", Label: "Kind of Device"}, func(r *attempt) Value { return TextOf(r.Platform) }},
		{Column{Name: "ROUTE", Label: "Kind of Push Target"}, func(r *attempt) Value { return TextOf(r.Kind) }},
		{Column{Name: "ATTEMPT", Label: "Attempt at the Step and Device", Kind: Integer}, func(r *attempt) Value { return unlessZero(r.Attempt) }},
	}
}

func reminderOutcome() []field[*attempt] {
	outcome := func(f func(*study.DeliveryOutcome) Value) func(*attempt) Value {
		return func(r *attempt) Value {
			if r.Outcome == nil {
				return Value{}
			}
			return f(r.Outcome)
		}
	}
	return []field[*attempt]{
		{Column{Name: "STATUS", Label: "What Became of It", Codes: deliveryStatuses, Note: "At the cut."}, func(r *attempt) Value { return TextOf(r.StatusAt(study.InstantOf(r.view.options.asOf))) }},
		{Column{Name: "STATREAS", Label: "Why", Note: "A word of the program; of a merged step the one that it was merged into."}, func(r *attempt) Value {
			if r.Outcome != nil {
				return TextOf(r.Outcome.Reason)
			}
			return TextOf(r.Reason)
		}},
		{Column{Name: "OUTCDTM", Label: "Outcome Known", Kind: Instant}, outcome(func(o *study.DeliveryOutcome) Value { return InstantOf(o.At) })},
		{Column{Name: "RETRYDTM", Label: "Next Attempt Not Before", Kind: Instant}, outcome(func(o *study.DeliveryOutcome) Value { return InstantOf(o.RetryAt) })},
		{Column{Name: "GIVENUP", Label: "Given Up", Kind: Flag, Note: "A person had to look at it."}, outcome(func(o *study.DeliveryOutcome) Value { return FlagOf(o.Dead) })},
		{Column{Name: "RECVDTM", Label: "Received by the Device", Kind: Instant, Note: "As the device said; few say it."}, func(r *attempt) Value { return InstantOf(r.ReceivedAt) }},
		{Column{Name: "OPENDTM", Label: "Opened", Kind: Instant, Note: "As the device said."}, func(r *attempt) Value { return InstantOf(r.OpenedAt) }},
		{Column{Name: "DELIVID", Label: "Delivery Identifier"}, func(r *attempt) Value { return TextOf(r.ID) }},
	}
}

var deliveryStatuses = []Code{
	{string(study.DeliverySending), "under way at the cut"}, {string(study.DeliveryAccepted), "taken by the push service, or written to the log where there is none"},
	{string(study.DeliveryRejectedTarget), "the push service no longer knows the device"}, {string(study.DeliveryRejectedPayload), "the push service refused the message"},
	{string(study.DeliveryRetry), "failed, to be tried again"}, {string(study.DeliveryUnknown), "nobody knows whether it left"},
	{string(study.DeliverySkipped), "never left; STATREAS says why"}, {string(study.DeliveryMerged), "never left, because a later step took its place"}}

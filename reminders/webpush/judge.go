package webpush

import (
	"context"
	"errors"
	"net/http"
	"time"

	"epro/reminders"
)

// reason is one case of what can become of a message, and the word for it in
// the ledger and the metrics.
type reason string

const (
	accepted        reason = "accepted"
	gone            reason = "gone"
	badSubscription reason = "bad_subscription"
	unknownKind     reason = "unknown_target_kind"
	invalidMessage  reason = "invalid_message"
	tooLarge        reason = "too_large"
	expired         reason = "expired"
	keyRefused      reason = "key_refused"
	refused         reason = "refused"
	quota           reason = "quota"
	unavailable     reason = "unavailable"
	unreachable     reason = "unreachable"
	notSent         reason = "not_sent"
	answerLost      reason = "answer_lost"
	stopped         reason = "stopped"
	privateAddress  reason = "private_address"
	unexpected      reason = "unexpected_answer"
)

// consequences is what follows from each case. Each browser chose its own push
// service, so nothing that one service says stops messages to the others: the
// scope is always one device. Only 404 and 410 say that a subscription is gone
// (RFC 8030, §7.3); no fault of theirs or ours ever drops one.
var consequences = map[reason]reminders.Outcome{
	accepted: {Status: reminders.Accepted, Burns: true},

	gone:            {Status: reminders.RejectedTarget, Target: reminders.Delete, Burns: true},
	badSubscription: {Status: reminders.RejectedTarget, Burns: true, Alarm: true},
	unknownKind:     {Status: reminders.RejectedTarget, Burns: true, Alarm: true},

	invalidMessage: {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	tooLarge:       {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	refused:        {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	expired:        {Status: reminders.RejectedPayload, Burns: true},

	// The subscription was made for another key, or our clock is wrong: then it
	// would be every device.
	keyRefused:     {Status: reminders.Retry, Burns: true, Wait: 15 * time.Minute, Alarm: true},
	quota:          {Status: reminders.Retry, Burns: true, Wait: time.Minute},
	unavailable:    {Status: reminders.Retry, Burns: true, Wait: 10 * time.Second},
	unexpected:     {Status: reminders.Retry, Burns: true, Wait: time.Minute, Alarm: true},
	unreachable:    {Status: reminders.Retry, Wait: 10 * time.Second},
	notSent:        {Status: reminders.Retry, Wait: 10 * time.Second},
	privateAddress: {Status: reminders.Retry, Wait: time.Minute, Alarm: true},
	stopped:        {Status: reminders.Retry},

	answerLost: {Status: reminders.Unknown, Burns: true, Wait: time.Minute},
}

// consequence is the case's row, with the cause for the log.
func consequence(r reason, err error) reminders.Outcome {
	o := consequences[r]
	o.Reason, o.Scope = string(r), reminders.OneDevice
	if r != accepted {
		o.Err = err
	}
	return o
}

// judge reads an answer's status.
func judge(status int) reason {
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return accepted
	case http.StatusNotFound, http.StatusGone:
		return gone
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusTooManyRequests:
		return quota
	case http.StatusBadRequest:
		return refused
	case http.StatusUnauthorized, http.StatusForbidden:
		return keyRefused
	}
	if status >= 500 {
		return unavailable
	}
	return unexpected
}

// unanswered tells what is certain when no answer came.
func unanswered(caller context.Context, err error, written bool) reason {
	switch {
	case written:
		return answerLost
	case errors.Is(caller.Err(), context.Canceled):
		return stopped
	case errors.Is(err, errPrivate):
		return privateAddress // a hotel's network answers so to every name
	case errors.Is(err, context.DeadlineExceeded):
		return notSent
	default:
		return unreachable
	}
}

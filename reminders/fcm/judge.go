package fcm

import (
	"sync/atomic"
	"time"

	"epro/reminders"
)

// reason is one case of what can become of a message, and the word for it in
// the ledger and the metrics.
type reason string

const (
	accepted            reason = "accepted"
	unregistered        reason = "unregistered"
	senderMismatch      reason = "sender_mismatch"
	invalidToken        reason = "invalid_token"
	invalidArgument     reason = "invalid_argument"
	schemaRefused       reason = "schema_refused"
	invalidMessage      reason = "invalid_message"
	tooLarge            reason = "too_large"
	expired             reason = "expired"
	unknownKind         reason = "unknown_target_kind"
	wrongProject        reason = "wrong_project"
	forbidden           reason = "forbidden"
	platformCredentials reason = "platform_credentials"
	accessRefused       reason = "access_refused"
	credentialsRefused  reason = "credentials_refused"
	noAccessToken       reason = "no_access_token"
	deviceQuota         reason = "device_quota"
	projectQuota        reason = "project_quota"
	internal            reason = "internal"
	unavailable         reason = "unavailable"
	unreachable         reason = "unreachable"
	notSent             reason = "not_sent"
	answerLost          reason = "answer_lost"
	unreadable          reason = "unreadable_answer"
	stopped             reason = "stopped"
	unexpected          reason = "unexpected_answer"
)

// Google asks for at least ten seconds after a server error, and for a minute
// after a 429 that names no time (reference: scaling FCM sends). A message whose
// fate is unknown waits for a minute, so that the first copy is on the phone
// before the second replaces it.
const (
	afterError   = 10 * time.Second
	afterQuota   = time.Minute
	afterUnknown = time.Minute
	// longPause is for what only a person can mend.
	longPause     = 15 * time.Minute
	platformPause = 30 * time.Minute
)

// consequences is what follows from each case. Only three touch a target, and
// each of those is Google's own word about this one device.
var consequences = map[reason]reminders.Outcome{
	accepted: {Status: reminders.Accepted, Burns: true},

	unregistered:   {Status: reminders.RejectedTarget, Target: reminders.Delete, Burns: true},
	senderMismatch: {Status: reminders.RejectedTarget, Target: reminders.Disable, Burns: true, Alarm: true},
	invalidToken:   {Status: reminders.RejectedTarget, Target: reminders.Disable, Burns: true},
	unknownKind:    {Status: reminders.RejectedTarget, Burns: true, Alarm: true},

	invalidArgument: {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	invalidMessage:  {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	tooLarge:        {Status: reminders.RejectedPayload, Burns: true, Alarm: true},
	expired:         {Status: reminders.RejectedPayload, Burns: true},
	schemaRefused:   {Status: reminders.RejectedPayload, Burns: true, Alarm: true, Scope: reminders.WholeProject, Pause: longPause},

	wrongProject:        {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: longPause, Alarm: true},
	forbidden:           {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: longPause, Alarm: true},
	unexpected:          {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: longPause, Alarm: true},
	platformCredentials: {Status: reminders.Retry, Scope: reminders.OnePlatform, Pause: platformPause, Alarm: true},
	accessRefused:       {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: time.Minute, Alarm: true},
	credentialsRefused:  {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: time.Minute, Alarm: true},
	noAccessToken:       {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: time.Minute, Alarm: true},

	deviceQuota:  {Status: reminders.Retry, Burns: true, Wait: afterQuota},
	projectQuota: {Status: reminders.Retry, Scope: reminders.WholeProject, Pause: afterQuota},
	internal:     {Status: reminders.Retry, Burns: true, Wait: afterError},
	unavailable:  {Status: reminders.Retry, Scope: reminders.WholeProject, Burns: true, Wait: afterError},
	unreachable:  {Status: reminders.Retry, Scope: reminders.WholeProject, Wait: afterError},
	notSent:      {Status: reminders.Retry, Scope: reminders.WholeProject, Wait: afterError},
	stopped:      {Status: reminders.Retry},

	answerLost: {Status: reminders.Unknown, Burns: true, Wait: afterUnknown},
	unreadable: {Status: reminders.Unknown, Burns: true, Wait: afterUnknown},
}

// consequence is the case's row. Without a scope it concerns one device.
func consequence(r reason) reminders.Outcome {
	o := consequences[r]
	o.Reason = string(r)
	if o.Scope == "" {
		o.Scope = reminders.OneDevice
	}
	return o
}

// judge turns exchanges into outcomes. It remembers as much of the last ones as
// is needed to tell one bad device from a bad configuration; that a service is
// down shows in failures in a row, which the dispatcher counts.
type judge struct {
	// proven: since the last blamed message Google took another of the same shape.
	proven atomic.Bool
	// locked counts refusals in a row for want of a good access token.
	locked atomic.Int32
}

// outcome says what follows from an exchange.
func (j *judge) outcome(x *exchange, target string, now time.Time) reminders.Outcome {
	r := recognise(x)
	o := consequence(r)
	if r != accepted {
		o.Err = x.cause(target)
	}
	switch asked := reminders.RetryAfter(x.header, now); {
	case o.Status != reminders.Retry:
	case o.Pause > 0:
		o.Pause = max(o.Pause, asked)
	case r != stopped:
		o.Wait = max(o.Wait, asked)
	}
	return j.remember(r, o)
}

func (j *judge) remember(r reason, o reminders.Outcome) reminders.Outcome {
	switch r {
	case accepted:
		j.proven.Store(true)
	case invalidArgument:
		// Google names no field for most bad tokens. When it has just taken the
		// same message for another device, the token is what is wrong; when two in
		// a row are refused, it may be all messages.
		if j.proven.Swap(false) {
			o.Status, o.Target, o.Alarm = reminders.RejectedTarget, reminders.Disable, false
		}
	case accessRefused, credentialsRefused, noAccessToken:
		// 1, 2, 4, 8, then 15 minutes.
		doublings := min(j.locked.Add(1)-1, 4)
		o.Pause = max(o.Pause, min(time.Minute<<doublings, longPause))
		return o
	case unavailable, unreachable, notSent, stopped:
		return o // which says nothing of our access
	}
	j.locked.Store(0)
	return o
}

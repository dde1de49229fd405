package reminders

import (
	"context"
	"time"
)

// Sender hands one message to one device. It makes exactly one attempt: trying
// again is the dispatcher's, whose ledger knows what was tried. It is safe for
// concurrent use and returns when the context ends.
type Sender interface {
	Send(ctx context.Context, m Message) Outcome
}

// TargetKind says what a push target's value is.
type TargetKind string

// A registration token of Firebase Cloud Messaging, a Firebase installation id,
// or a browser's push subscription as JSON.
const (
	FCMToken        TargetKind = "fcm_token"
	FCMInstallation TargetKind = "fcm_installation"
	WebPush         TargetKind = "web_push"
)

// Target is where a device can be reached. It is personal data: it prints as
// its kind only.
type Target struct {
	Kind  TargetKind `json:"kind"`
	Value string     `json:"value"`
}

// String keeps the value out of logs.
func (t Target) String() string { return string(t.Kind) }

// Message is one reminder for one device.
type Message struct {
	Delivery   string // the opaque id of the delivery, which the phone names in its receipts
	Assessment string // the opaque id of what is due; the app opens on it
	Target     Target
	Platform   string // of the device: "android", "ios" or "web"; empty: not known
	Title      string // in the participant's language
	Body       string
	// Collapse is the same for every attempt at one step, so that a phone
	// replaces the earlier message and never stacks. At most 64 bytes; for web
	// push at most 32 characters of the URL-safe base64 alphabet.
	Collapse string
	// ExpiresAt is when the message is of no use any more.
	ExpiresAt time.Time
}

// Status is what became of an attempt.
type Status string

// What became of an attempt. Unknown means that the message may have arrived:
// the answer was lost or not readable.
const (
	Accepted        Status = "accepted"
	RejectedTarget  Status = "rejected_target"
	RejectedPayload Status = "rejected_payload"
	Retry           Status = "retry"
	Unknown         Status = "unknown"
)

// Scope is whom an outcome concerns.
type Scope string

// One device, every device of a platform, or everything that this sender sends.
const (
	OneDevice    Scope = "device"
	OnePlatform  Scope = "platform"
	WholeProject Scope = "project"
)

// Fate is what becomes of a device's target.
type Fate string

// A target stays, is deleted because it is gone for good, or is disabled until
// the phone registers again.
const (
	Keep    Fate = ""
	Delete  Fate = "delete"
	Disable Fate = "disable"
)

// Outcome is what became of one attempt and what follows from it.
type Outcome struct {
	Status Status
	// Reason is one word for the ledger and the metrics, such as
	// "unregistered". It never holds text of the service.
	Reason string
	Target Fate
	Scope  Scope
	// Wait is the shortest time before the next try of this message, as the
	// service asked for; zero: the dispatcher's own back-off.
	Wait time.Duration
	// Pause stops everything within Scope for so long; zero: nothing stops.
	Pause time.Duration
	// Burns reports whether the try counts against the message's attempts. A
	// fault of our configuration, or of the network before anything was
	// written, does not.
	Burns bool
	// Alarm reports whether a person has to look at it.
	Alarm bool
	// Err is for the log only.
	Err error
}

package study

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// ParticipantID names a participant for ever; it is fixed at enrolment and
// means nothing outside this system.
type ParticipantID string

// SiteCode is the short upper-case code of a site, such as "S01".
type SiteCode string

// StaffID names a staff account.
type StaffID string

// AssessmentID names one instrument due from one participant at one visit:
// "<participant>.<visit code>". It is stable for the visit, whatever moves.
type AssessmentID string

// SubmissionID is the UUID that the phone makes when a form is opened.
type SubmissionID string

// EventID is a UUID made before the first attempt to append its event.
type EventID string

// StreamID names a stream: "participant/<id>", "site/<code>", "staff/<id>",
// "claim/<kind>/<hash>", or "study".
type StreamID string

// StudyStream is the one stream that holds the protocol in force and what
// concerns the study as a whole.
const StudyStream StreamID = "study"

// Stream is the stream that holds this participant's record.
func (id ParticipantID) Stream() StreamID { return StreamID("participant/" + string(id)) }

// Stream is the stream that holds this site's record.
func (c SiteCode) Stream() StreamID { return StreamID("site/" + string(c)) }

// Stream is the stream that holds this account's rights.
func (id StaffID) Stream() StreamID { return StreamID("staff/" + string(id)) }

// Kind is the part of the stream's name before the first slash.
func (s StreamID) Kind() string {
	kind, _, _ := strings.Cut(string(s), "/")
	return kind
}

// Key is the part of the stream's name after the first slash.
func (s StreamID) Key() string {
	_, key, _ := strings.Cut(string(s), "/")
	return key
}

// ClaimKind says what sort of name a claim makes unique.
type ClaimKind string

// The names that are unique across streams. Site codes need no claim: the
// code is the stream's own key.
const (
	ClaimNumber   ClaimKind = "number"   // a participant's number within a site
	ClaimUsername ClaimKind = "username" // a staff account's user name
)

// claimStream is the stream whose first event names the owner of a name. Case
// and surrounding space do not make two names different.
func claimStream(kind ClaimKind, parts ...string) StreamID {
	folded := strings.ToLower(strings.TrimSpace(strings.Join(parts, "\x00")))
	sum := sha256.Sum256([]byte(folded))
	return StreamID("claim/" + string(kind) + "/" + hex.EncodeToString(sum[:16]))
}

// AssessmentFor is the id of a participant's assessment at a visit.
func AssessmentFor(id ParticipantID, visit string) AssessmentID {
	return AssessmentID(string(id) + "." + visit)
}

package fcmtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Answer is what a request gets. The zero Answer, Accept, takes the message.
type Answer struct {
	Status     int           // 0: 200 with the message's name
	Body       string        // with a Status
	RetryAfter string        // header, if not empty
	Delay      time.Duration // before anything is decided
	Taken      bool          // the message is delivered though the answer is an error
	Cut        bool          // the connection ends without an answer
	Hang       bool          // no answer comes as long as the caller waits
}

// With is the answer with a Retry-After header.
func (a Answer) With(retryAfter string) Answer {
	a.RetryAfter = retryAfter
	return a
}

const (
	fcmDetail   = `{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":%q}`
	fieldDetail = `{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":%q,"description":"Invalid value"}]}`
	quotaDetail = `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","domain":"googleapis.com"}`
)

// failure is an error in Google's form.
func failure(code int, status, text, details string) Answer {
	return Answer{Status: code, Body: fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[%s]}}`, code, text, status, details)}
}

// The answers that are told apart, as Google gives them.
var (
	Accept = Answer{}
	// TakenThenCut delivers the message and cuts the connection.
	TakenThenCut = Answer{Taken: true, Cut: true}
	// Cut reads the request, delivers nothing and cuts the connection.
	Cut = Answer{Cut: true}
	// Hang takes the message and never answers.
	Hang = Answer{Taken: true, Hang: true}

	Unregistered   = failure(404, "NOT_FOUND", "Requested entity was not found.", fmt.Sprintf(fcmDetail, "UNREGISTERED"))
	WrongProject   = failure(404, "NOT_FOUND", "Requested entity was not found.", "")
	SenderMismatch = failure(403, "PERMISSION_DENIED", "SenderId mismatch", fmt.Sprintf(fcmDetail, "SENDER_ID_MISMATCH"))
	Forbidden      = failure(403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied on resource.", "")
	// InvalidArgument names no field, as for most bad tokens.
	InvalidArgument = failure(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token", fmt.Sprintf(fcmDetail, "INVALID_ARGUMENT"))
	InvalidToken    = failure(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", fmt.Sprintf(fcmDetail, "INVALID_ARGUMENT")+","+fmt.Sprintf(fieldDetail, "message.token"))
	// SchemaError comes from the gate before the messaging service.
	SchemaError         = failure(400, "INVALID_ARGUMENT", "Invalid JSON payload received.", fmt.Sprintf(fieldDetail, "message.android"))
	DeviceQuota         = failure(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", fmt.Sprintf(fcmDetail, "QUOTA_EXCEEDED"))
	ProjectQuota        = failure(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Send requests'.", quotaDetail)
	PlatformCredentials = failure(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", fmt.Sprintf(fcmDetail, "THIRD_PARTY_AUTH_ERROR"))
	Unauthenticated     = failure(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "")
	Internal            = failure(500, "INTERNAL", "Internal error encountered.", fmt.Sprintf(fcmDetail, "INTERNAL"))
	Unavailable         = failure(503, "UNAVAILABLE", "The service is currently unavailable.", fmt.Sprintf(fcmDetail, "UNAVAILABLE"))
	BadGateway          = Answer{Status: http.StatusBadGateway, Body: "<html><title>502</title></html>"}
	GatewayTimeout      = Answer{Status: http.StatusGatewayTimeout, Body: "<html><title>504</title></html>"}
	// SignInPage is what a hotel's network answers to everything.
	SignInPage = Answer{Status: http.StatusOK, Body: "<html><title>Please sign in</title></html>"}

	// InvalidGrant is how the token endpoint refuses an account or its key.
	InvalidGrant = Answer{Status: http.StatusBadRequest, Body: `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`}
)

// write sends the answer; ok is what goes out when it has no status.
func (a Answer) write(w http.ResponseWriter, ok string) int {
	status, body := a.Status, a.Body
	if status == 0 {
		status, body = http.StatusOK, ok
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // whoever asked may be gone
	return status
}

package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/study"
)

// statuses is the one table from error code to HTTP status.
var statuses = map[study.Code]int{
	study.Invalid:          http.StatusBadRequest,
	study.InvalidAnswers:   http.StatusUnprocessableEntity,
	study.Unauthenticated:  http.StatusUnauthorized,
	study.Forbidden:        http.StatusForbidden,
	study.NotFound:         http.StatusNotFound,
	study.Conflict:         http.StatusConflict,
	study.AlreadySubmitted: http.StatusConflict,
	study.WindowNotOpen:    http.StatusConflict,
	study.VersionMismatch:  http.StatusConflict,
	study.WindowClosed:     http.StatusConflict,
	study.NotExpected:      http.StatusConflict,
	study.Locked:           http.StatusConflict,
	study.TooLarge:         http.StatusRequestEntityTooLarge,
	study.TooMany:          http.StatusTooManyRequests,
	study.Unavailable:      http.StatusServiceUnavailable,
	study.Internal:         http.StatusInternalServerError,
}

// Problem is the body of every error: RFC 9457 with the code, the fields that
// are wrong and the request's id. It never repeats what was sent.
type Problem struct {
	Type      string        `json:"type" doc:"Always about:blank; the code tells problems apart."`
	Title     string        `json:"title"`
	Status    int           `json:"status"`
	Code      study.Code    `json:"code"`
	Detail    string        `json:"detail" doc:"A sentence that a person can act on."`
	Fields    []study.Field `json:"fields,omitempty"`
	Events    []Event       `json:"events,omitempty" doc:"After a failed If-Match: what happened since."`
	RequestID string        `json:"request_id"`

	retryAfter int
}

// Error is the detail; huma wants errors.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders says when to try again, where that is known.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// maxFields bounds the answer to a body in which everything is wrong.
const maxFields = 100

func newProblem(code study.Code, detail, requestID string, fields ...study.Field) *Problem {
	status := statuses[code]
	if more := len(fields) - maxFields; more > 0 {
		fields = append(slices.Clip(fields[:maxFields]), study.Field{Name: "and more", Reason: strconv.Itoa(more) + " other fields are wrong too"})
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code,
		Detail: detail, Fields: fields, RequestID: requestID}
}

// problemOf is what a person gets to see of an error: what carries no code is
// internal, and its text stays in the log.
func problemOf(err error, requestID string) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var e *study.Error
	if !errors.As(err, &e) {
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return newProblem(study.Unavailable, "The request took too long. Try again.", requestID)
		default:
			return newProblem(study.Internal, "Something went wrong on our side. The study team can find it by the request id.", requestID)
		}
	}
	p = newProblem(e.Code, e.Message, requestID, e.Fields...)
	var wait auth.RetryAfter
	if errors.As(err, &wait) {
		p.retryAfter = wait.Seconds
	} else if e.Code == study.Unavailable {
		p.retryAfter = 2
	}
	return p
}

// humaProblem replaces huma's own error body, which would echo the values that
// were sent, a patient's answers among them.
func humaProblem(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	id := ""
	if ctx != nil {
		id = requestID(fiberOf(ctx))
	}
	if status == http.StatusInternalServerError && len(errs) > 0 {
		return problemOf(errs[0], id)
	}
	switch status {
	case http.StatusRequestEntityTooLarge:
		return tooLarge(id)
	case http.StatusRequestTimeout:
		return newProblem(study.Unavailable, "The request arrived too slowly. Try again.", id)
	}
	var fields []study.Field
	for _, err := range errs {
		fields = append(fields, fieldOf(err))
	}
	return newProblem(study.Invalid, "The request is not as this route expects it. Nothing was stored.", id, fields...)
}

// fieldOf keeps a validation error's place and reason, and drops its value.
func fieldOf(err error) study.Field {
	var place *placeError
	if errors.As(err, &place) {
		return study.Field{Name: place.name, Reason: place.reason}
	}
	var detailer huma.ErrorDetailer
	if errors.As(err, &detailer) {
		d := detailer.ErrorDetail()
		name := strings.TrimPrefix(d.Location, "body.")
		if strings.HasPrefix(d.Message, "unmarshal: ") || name == "body" && d.Value != nil {
			return placeOf(strings.TrimPrefix(d.Message, "unmarshal: "))
		}
		return study.Field{Name: name, Reason: d.Message}
	}
	return study.Field{Name: "body", Reason: "is not as expected"}
}

// placeOf takes a placeError apart that huma has made a text of. A name may hold
// anything, the separator too; our reasons do not.
func placeOf(text string) study.Field {
	i := strings.LastIndex(text, ": ")
	if i < 0 {
		return study.Field{Name: "body", Reason: "is not as this route expects it"}
	}
	return study.Field{Name: text[:i], Reason: text[i+2:]}
}

func tooLarge(requestID string) *Problem {
	return newProblem(study.TooLarge, "The request is larger than this route takes ("+strconv.Itoa(maxBody>>10)+" KB).", requestID)
}

// fiberProblem answers what Fiber refuses before a route is reached.
func fiberProblem(c *fiber.Ctx, err error) error {
	id := requestID(c)
	if id == "" { // refused before any handler ran, such as a body over the limit
		id = newRequestID()
		c.Set("X-Request-Id", id)
		secure(c)
	}
	p := problemOf(err, id)
	var fe *fiber.Error
	if errors.As(err, &fe) {
		switch fe.Code {
		case http.StatusNotFound:
			p = newProblem(study.NotFound, "There is nothing at this address.", id)
		case http.StatusMethodNotAllowed:
			p = newProblem(study.Invalid, "This address does not take that method.", id)
			p.Status, p.Title = fe.Code, http.StatusText(fe.Code)
		case http.StatusRequestEntityTooLarge:
			p = tooLarge(id)
			linger(c)
		case http.StatusRequestHeaderFieldsTooLarge, http.StatusBadRequest, http.StatusRequestTimeout:
			p = newProblem(study.Invalid, "The request could not be read.", id)
			p.Status, p.Title = fe.Code, http.StatusText(fe.Code)
		}
	}
	return sendProblem(c, p)
}

func sendProblem(c *fiber.Ctx, p *Problem) error {
	body, err := encode(p)
	if err != nil {
		return err
	}
	for name, values := range p.GetHeaders() {
		c.Set(name, values[0])
	}
	c.Set(fiber.HeaderContentType, p.ContentType(""))
	return c.Status(p.Status).Send(body)
}

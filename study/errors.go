package study

import "errors"

// Code classifies an error for programs; the table in package api turns it
// into an HTTP status.
type Code string

// Every code that leaves the program.
const (
	Invalid          Code = "invalid"           // the request is not well formed
	InvalidAnswers   Code = "invalid_answers"   // items or values that the instrument does not have
	Unauthenticated  Code = "unauthenticated"   // no session, or one that has ended
	Forbidden        Code = "forbidden"         // this role may not do this
	NotFound         Code = "not_found"         // does not exist, or is somebody else's
	Conflict         Code = "conflict"          // something else happened first, or the same name is taken
	AlreadySubmitted Code = "already_submitted" // the visit has an electronic form already
	WindowNotOpen    Code = "window_not_open"   // too early
	VersionMismatch  Code = "version_mismatch"  // not the instrument version that was assigned
	WindowClosed     Code = "window_closed"     // too late
	NotExpected      Code = "not_expected"      // withdrawn, died, excluded
	Locked           Code = "locked"            // the site's data are locked
	TooLarge         Code = "too_large"         // the body is over its limit
	TooMany          Code = "too_many"          // too many attempts
	Unavailable      Code = "unavailable"       // the store cannot be reached; try again
	Internal         Code = "internal"          // a fault of ours
)

// Field names one part of a request that is wrong, and why, in a sentence
// that never repeats what was sent.
type Field struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Error is the one error type that people get to see. Message is a sentence
// they can act on; Err is for the log only and never leaves the program.
type Error struct {
	Code    Code
	Message string
	Fields  []Field
	Err     error
}

// Error is the message, followed by the cause when there is one: for the log.
func (e *Error) Error() string {
	if e.Err != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Err.Error()
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fail makes a coded error with a sentence for the person who asked.
func Fail(code Code, message string, fields ...Field) *Error {
	return &Error{Code: code, Message: message, Fields: fields}
}

// AsError is the coded error in err, if there is one.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// CodeOf is the code of the error, or Internal when it carries none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

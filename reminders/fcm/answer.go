package fcm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// errorAnswer is what Google sends with every error: a google.rpc.Status, whose
// details tell the device's faults from the project's.
type errorAnswer struct {
	Error struct {
		Status  string        `json:"status"`
		Message string        `json:"message"`
		Details []errorDetail `json:"details"`
	} `json:"error"`
}

type errorDetail struct {
	Type            string `json:"@type"`
	ErrorCode       string `json:"errorCode"` // of a FcmError
	FieldViolations []struct {
		Field string `json:"field"`
	} `json:"fieldViolations"` // of a BadRequest
}

// fcmError is the code that only the messaging service itself gives; empty: the
// answer came from something before it.
func (e errorAnswer) fcmError() string {
	for _, d := range e.Error.Details {
		if strings.HasSuffix(d.Type, "google.firebase.fcm.v1.FcmError") {
			return d.ErrorCode
		}
	}
	return ""
}

// blames reports whether the answer names a field as wrong.
func (e errorAnswer) blames(field string) bool {
	for _, d := range e.Error.Details {
		for _, v := range d.FieldViolations {
			if v.Field == field {
				return true
			}
		}
	}
	return false
}

// recognise says which case an exchange is.
func recognise(x *exchange) reason {
	switch {
	case !x.begun:
		return invalidMessage
	case x.tooBig:
		return tooLarge
	case x.status == 0:
		return unanswered(x)
	case x.status == http.StatusOK:
		var sent struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(x.body, &sent); err != nil || sent.Name == "" {
			return unreadable
		}
		return accepted
	}
	var e errorAnswer
	if err := json.Unmarshal(x.body, &e); err != nil {
		e = errorAnswer{} // a page of something in between
	}
	return refused(x.status, e)
}

// unanswered tells what is certain when no whole answer came.
func unanswered(x *exchange) reason {
	var token *tokenError
	switch {
	case errors.As(x.err, &token) && token.refused:
		return credentialsRefused
	case errors.As(x.err, &token):
		return noAccessToken
	case x.written:
		return answerLost
	case x.stopped:
		return stopped
	case errors.Is(x.err, context.DeadlineExceeded), errors.Is(x.err, context.Canceled):
		return notSent
	default:
		return unreachable
	}
}

// refused reads an error answer by its status and Google's detail. A status
// alone never touches a target: a wrong project answers 404 for every device.
func refused(status int, e errorAnswer) reason {
	code := e.fcmError()
	switch status {
	case http.StatusNotFound:
		if code == "UNREGISTERED" {
			return unregistered
		}
		return wrongProject
	case http.StatusForbidden:
		if code == "SENDER_ID_MISMATCH" {
			return senderMismatch
		}
		return forbidden
	case http.StatusBadRequest:
		switch {
		case code != "INVALID_ARGUMENT":
			return schemaRefused
		case e.blames("message.token"):
			return invalidToken
		}
		return invalidArgument
	case http.StatusUnauthorized:
		if code == "THIRD_PARTY_AUTH_ERROR" {
			return platformCredentials
		}
		return accessRefused
	case http.StatusTooManyRequests:
		if code == "QUOTA_EXCEEDED" {
			return deviceQuota
		}
		return projectQuota
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusInternalServerError:
		return internal
	}
	if status > 500 {
		return unavailable
	}
	return unexpected
}

// cause is for the log: what happened, without the target.
func (x *exchange) cause(target string) error {
	if x.err != nil || x.status == 0 {
		return x.err
	}
	if x.status == http.StatusOK {
		return fmt.Errorf("fcm answered 200 with %d bytes that are no message's name", len(x.body))
	}
	var e errorAnswer
	_ = json.Unmarshal(x.body, &e) // a page gives nothing
	words := []string{fmt.Sprintf("fcm answered %d", x.status), e.Error.Status, e.fcmError(),
		fmt.Sprintf("%.200s", strings.ReplaceAll(e.Error.Message, target, "…"))}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return errors.New(strings.Join(words, " "))
}

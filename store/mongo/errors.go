package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"epro/study"
)

// The server's error codes that a person can do something about.
const (
	codeUnauthorized = 13
	codeAuthFailed   = 18
	codeTooLarge     = 10334
	codeDiskFull     = 14031
	codeAtlasError   = 8000 // a hosted server's own word for a refused login
)

const messageUnreachable = "The database cannot be reached; try again in a moment."

// sentences tell a person what to do about an error code.
var sentences = map[int]string{
	codeUnauthorized: "The database refuses this user; give the user the role readWrite on the study's database.",
	codeAuthFailed:   "The database refuses the user name or the password; check the store's URL.",
	codeAtlasError:   "The database refuses the user name or the password; check the store's URL.",
	codeTooLarge:     "This is too large to be stored.",
	codeDiskFull:     "The database's disk is full, so nothing was stored; make room on it.",
}

// hasCode reports whether the server answered with one of the codes.
func hasCode(err error, codes ...int) bool {
	var answered mongo.ServerError
	if !errors.As(err, &answered) {
		return false
	}
	for _, code := range codes {
		if answered.HasErrorCode(code) {
			return true
		}
	}
	return false
}

// coded gives an error of the driver its code. What the contract answers with,
// and what carries a code already, passes through. The driver may tell of a
// context's end in its own words; what matters is that the caller gave up.
func coded(ctx context.Context, err error) error {
	var known *study.Error
	if err == nil || errors.Is(err, study.ErrNotFound) || errors.Is(err, study.ErrExists) || errors.As(err, &known) {
		return err
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return &study.Error{Code: study.Unavailable, Message: sentence(err), Err: err}
}

func sentence(err error) string {
	for code, text := range sentences {
		if hasCode(err, code) {
			return text
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return "The request ended before the database answered; try again."
	}
	return messageUnreachable
}

// errClosed answers every call after Close.
var errClosed = &study.Error{Code: study.Unavailable, Message: "The store is closed; start the program again."}

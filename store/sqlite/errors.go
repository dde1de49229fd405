package sqlite

import (
	"context"
	"errors"
	"fmt"

	"epro/study"
)

// SQLite's result codes that are told apart. The primary code is the low byte.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeTooBig     = 18
	codeConstraint = 19
	codeNotADB     = 26

	codePrimaryKeyTaken = codeConstraint | 6<<8
	codeRaisedByTrigger = codeConstraint | 7<<8
	codeUniqueTaken     = codeConstraint | 8<<8
	codeNoRoomForShm    = codeIOErr | 19<<8 // the -shm file could not grow
)

// resultCode is SQLite's extended result code, or 0 when the error has none.
func resultCode(err error) int {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	return 0
}

func primaryCode(err error) int { return resultCode(err) & 0xff }

// isTaken reports whether an insert failed because its key is in use.
func isTaken(err error) bool {
	switch resultCode(err) {
	case codePrimaryKeyTaken, codeUniqueTaken, codeRaisedByTrigger:
		return true
	}
	return false
}

// isIOError reports whether the disk failed, in a way that leaves open what
// is on it. A -shm file that cannot grow is a full disk and loses nothing.
func isIOError(err error) bool {
	return primaryCode(err) == codeIOErr && resultCode(err) != codeNoRoomForShm
}

// isOwn reports whether a failed statement says something about its own
// values only, so that the rest of the transaction can go on.
func isOwn(err error) bool {
	return primaryCode(err) == codeConstraint || primaryCode(err) == codeTooBig
}

// sentences tell a person what to do about a result code.
var sentences = map[int]string{
	codeBusy:     "The database is locked by another program; try again when that one has finished.",
	codeLocked:   "The database is locked by another program; try again when that one has finished.",
	codeReadOnly: "The database may not be written; check the permissions of its file and folder.",
	codeIOErr:    "The disk that holds the database failed; check the disk, then start the program again.",
	codeCorrupt:  "The database is damaged; stop the program and restore the last backup.",
	codeFull:     "The disk is full, so nothing was stored; make room on the disk that holds the database.",
	codeCantOpen: "The database cannot be opened; check that its folder exists and may be written.",
	codeTooBig:   "This is too large to be stored.",
	codeNotADB:   "The database is damaged; stop the program and restore the last backup.",
}

// unavailable codes an error of the driver. What the contract answers with,
// and what carries a code already, passes through.
func unavailable(err error) error {
	var coded *study.Error
	if err == nil || errors.Is(err, study.ErrNotFound) || errors.Is(err, study.ErrExists) || errors.As(err, &coded) {
		return err
	}
	message := sentences[primaryCode(err)]
	switch {
	case resultCode(err) == codeNoRoomForShm:
		message = sentences[codeFull]
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		message = "The request ended before the database answered; try again."
	case message == "":
		message = "The database could not be used; try again."
	}
	return &study.Error{Code: study.Unavailable, Message: message, Err: err}
}

// readError codes the error of a read. A driver that was interrupted tells so
// in its own words; what matters is that the caller gave up.
func readError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return unavailable(err)
}

// errClosed answers every call after Close.
var errClosed = &study.Error{Code: study.Unavailable, Message: "The store is closed; start the program again."}

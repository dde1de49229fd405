// Package auth turns an enrolment code, a password or a token into a
// study.Actor. It speaks no HTTP and decides nothing about a participant.
//
// Everything it keeps is a study.Record beside the log, and the only thing
// that settles a race between processes is the unique insert of a record: the
// use of a code, the rotation of a refresh token, the end of a session, a new
// signing key are each the first insert of one key. No record that matters is
// read, changed and written back.
//
// The secret file is the root of every key here. The store alone does not
// give anybody a session, nor does the file without the store: codes are kept
// as HMACs, passwords as argon2id hashes, signing keys and authenticator
// secrets encrypted, and refresh tokens not at all.
package auth

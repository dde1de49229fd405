// Package study holds the rules of the field: the protocol, the calendar of
// visits and their windows, the events of a participant's record, what they
// add up to (Fold), what may happen next (Decide), and the Service that ties
// these to a Store. It knows no HTTP, no database and no clock of its own: the
// time and fresh identifiers are handed in.
//
// A record is an append-only list of events, called a stream. Everything else
// (State, windows, statuses, scores, completion) is computed from it, so a
// page, an export and an audit can never tell different stories.
package study

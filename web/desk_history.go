package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"epro/certify"
	"epro/study"
)

// historyRow is an event as an inspector reads it.
type historyRow struct {
	Seq           uint64
	At, Who, What string
	Changes       []string
	More          []string // fields that few look at
	Reason        string
	Signed        study.Meaning
}

// history turns events into lines, the latest first if asked for. What a field
// was before is taken from the events before it.
func (d *desk) history(v *visit, events []study.ReadEvent, zone *time.Location, latestFirst bool) []historyRow {
	names := map[string]string{}
	trail := certify.NewTrail()
	rows := make([]historyRow, 0, len(events))
	for _, e := range events {
		row := historyRow{Seq: e.Seq, At: local(e.At, zone), Who: d.nameOf(v, e.Actor, names), What: word(e.Type), Reason: e.Reason, Signed: e.Signature}
		row.Changes, row.More = changesOf(e, trail, zone)
		rows = append(rows, row)
	}
	if latestFirst {
		slices.Reverse(rows)
	}
	return rows
}

// nameOf is the user name behind an event, or which part of the program it was.
func (d *desk) nameOf(v *visit, who study.ActorRef, known map[string]string) string {
	switch who.Role {
	case study.RoleParticipant:
		return "participant"
	case study.RoleSystem:
		return "the system (" + who.ID + ")"
	}
	if name, ok := known[who.ID]; ok {
		return name
	}
	name := who.ID
	if staff, err := d.Study.Staff(v.UserContext(), study.StaffID(who.ID)); err == nil {
		name = staff.Username
	}
	known[who.ID] = name + ", " + word(who.Role)
	return known[who.ID]
}

// changesOf are an event's fields in words, each with what it was before. The
// sums are left to the certified copy.
func changesOf(e study.ReadEvent, trail *certify.Trail, zone *time.Location) (shown, more []string) {
	said := func(field, value string) string {
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return local(study.InstantOf(t), zone)
		}
		if field != "flags" && field != "drugs" && !strings.HasPrefix(field, "item.") {
			return value // somebody's own text, or a word that is told as it is stored
		}
		parts := strings.Split(value, ", ")
		for i := range parts {
			parts[i] = word(parts[i])
		}
		return strings.Join(parts, ", ")
	}
	for _, c := range trail.Next(e) {
		switch line := fieldName(c.Field) + ": " + said(c.Field, c.Now); {
		case c.Field == "digest", strings.HasPrefix(c.Field, "scores.") && (strings.HasSuffix(c.Field, ".prorated") || strings.HasSuffix(c.Field, ".missing")):
		case c.Earlier:
			shown = append(shown, fmt.Sprintf("%s: %s → %s", fieldName(c.Field), said(c.Field, c.Was), said(c.Field, c.Now)))
		case technical[c.Field] || strings.HasPrefix(c.Field, "app."):
			more = append(more, line)
		default:
			shown = append(shown, line)
		}
	}
	return shown, more
}

// technical are fields that are there for programs; a page shows them on demand.
var technical = map[string]bool{"submission_id": true, "assessment_id": true, "instrument": true, "instrument_version": true, "scoring_version": true,
	"wording_pack": true, "demonstration": true, "started_at": true, "sent_at": true, "received_at": true, "revision": true, "code": true, "text": true}

package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

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
	old := map[string]string{}
	rows := make([]historyRow, 0, len(events))
	for _, e := range events {
		row := historyRow{Seq: e.Seq, At: local(e.At, zone), Who: d.nameOf(v, e.Actor, names), What: word(e.Type), Reason: e.Reason, Signed: e.Signature}
		row.Changes, row.More = changesOf(e, old, zone)
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

// changesOf are an event's fields in words, each with what it was before.
func changesOf(e study.ReadEvent, old map[string]string, zone *time.Location) (shown, more []string) {
	var fields map[string]any
	if json.Unmarshal(e.Payload, &fields) != nil {
		return nil, nil
	}
	subject := subjectOf(e, fields)
	for name, value := range flat("", fields) {
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			value = local(study.InstantOf(t), zone)
		}
		key := string(e.Stream) + subject + name
		was, had := old[key]
		old[key] = value
		line := fieldName(name) + ": " + value
		switch {
		case had && was == value:
			continue
		case had:
			line = fmt.Sprintf("%s: %s → %s", fieldName(name), was, value)
		case technical[name] || strings.HasPrefix(name, "app."):
			more = append(more, line)
			continue
		}
		shown = append(shown, line)
	}
	slices.Sort(shown)
	slices.Sort(more)
	return shown, more
}

// technical are fields that are there for programs; a page shows them on demand.
var technical = map[string]bool{"submission_id": true, "assessment_id": true, "instrument": true, "instrument_version": true, "scoring_version": true,
	"wording_pack": true, "demonstration": true, "started_at": true, "sent_at": true, "received_at": true, "revision": true, "code": true}

// subjectOf names what an event speaks of, so that the same field of another
// form or cycle is not taken for its earlier value.
func subjectOf(e study.ReadEvent, fields map[string]any) string {
	for _, name := range []string{"submission_id", "assessment_id", "n", "visit"} {
		if id, ok := fields[name]; ok {
			return fmt.Sprint(name, "/", id, "/")
		}
	}
	switch e.Type {
	case "participant_enrolled", "details_changed", "transferred", "site_created", "site_changed", "staff_created", "staff_changed":
		return "details/"
	case "contact_recorded": // a call is nothing that an earlier one became
		return fmt.Sprint(e.Type, "/", e.Seq, "/")
	}
	return fmt.Sprint(e.Type, "/", fields["kind"], "/")
}

// flat are the members of a payload with their paths; hashes and the schema's
// own bookkeeping are left out, for the copy has them.
func flat(prefix string, fields map[string]any) map[string]string {
	out := map[string]string{}
	for name, value := range fields {
		switch v := value.(type) {
		case map[string]any:
			for k, inner := range flat(prefix+name+".", v) {
				out[k] = inner
			}
		case []any:
			parts := make([]string, len(v))
			for i, x := range v {
				parts[i] = word(x)
			}
			out[prefix+name] = strings.Join(parts, ", ")
		case float64:
			out[prefix+name] = fmt.Sprint(v)
		case nil:
		default:
			if name != "digest" && !strings.HasPrefix(prefix, "scores.") {
				out[prefix+name] = fmt.Sprint(v)
			}
		}
	}
	return out
}

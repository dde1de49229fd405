package certify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"epro/study"
)

// Change is one field of an event, and what it was before.
type Change struct {
	// Field is the path of a payload's member, such as "app.version", or
	// "item.GP1": the answer to an item, or why there is none.
	Field string `json:"field"`
	Was   string `json:"was,omitzero"`
	Now   string `json:"now"`
	// Earlier: an earlier event stated the field, as Was.
	Earlier bool `json:"earlier,omitzero"`
}

// Trail turns the events of a record, in their order, into what each changed.
type Trail struct {
	known map[string]map[string]string // by what the events speak of, then by field
}

// NewTrail is a Trail before the first event.
func NewTrail() *Trail { return &Trail{map[string]map[string]string{}} }

// Next are the fields of the next event, by name; one that was stated before
// with the same value changed nothing and is left out.
func (t *Trail) Next(e study.ReadEvent) []Change {
	var members map[string]any
	if json.Unmarshal(e.Payload, &members) != nil {
		return nil
	}
	about := string(e.Stream) + subjectOf(e, members)
	if t.known[about] == nil {
		t.known[about] = map[string]string{}
	}
	was, now := t.known[about], asItems(flat("", members))
	if _, answers := members["answers"]; answers {
		for field := range was { // an item that an answer was taken from
			if _, still := now[field]; !still && strings.HasPrefix(field, "item.") {
				now[field] = "not_reached"
			}
		}
	}
	var out []Change
	for _, field := range slices.Sorted(maps.Keys(now)) {
		before, had := was[field]
		if !had || before != now[field] {
			out = append(out, Change{Field: field, Was: before, Now: now[field], Earlier: had})
		}
		was[field] = now[field]
	}
	return out
}

// formOf is the form that an event is about, if it is about one.
func formOf(e study.ReadEvent) study.SubmissionID {
	var names struct {
		SubmissionID study.SubmissionID `json:"submission_id"`
	}
	if json.Unmarshal(e.Payload, &names) != nil {
		return ""
	}
	return names.SubmissionID
}

// asItems makes one field of what a form says of an item: its answer and the
// reason for having none, which on paper can stand together.
func asItems(fields map[string]string) map[string]string {
	out := make(map[string]string, len(fields))
	for name, value := range fields {
		kind, item, _ := strings.Cut(name, ".")
		switch kind {
		case "answers":
			out["item."+item] = value
			if why, both := fields["skipped."+item]; both {
				out["item."+item] = why + ", " + value
			}
		case "skipped":
			if _, both := fields["answers."+item]; !both {
				out["item."+item] = value
			}
		default:
			out[name] = value
		}
	}
	return out
}

// subjectOf names what an event speaks of, so that the same field of another
// form or cycle is not taken for its earlier value.
func subjectOf(e study.ReadEvent, members map[string]any) string {
	for _, name := range []string{"submission_id", "assessment_id", "n", "visit"} {
		if id, ok := members[name]; ok {
			return fmt.Sprint(name, "/", id, "/")
		}
	}
	switch e.Type {
	case "participant_enrolled", "details_changed", "transferred", "site_created", "site_changed", "staff_created", "staff_changed":
		return "details/"
	case "contact_recorded": // a call is nothing that an earlier one became
		return fmt.Sprint(e.Type, "/", e.Seq, "/")
	}
	return fmt.Sprint(e.Type, "/", members["kind"], "/")
}

// flat are the members of a payload with their paths.
func flat(prefix string, members map[string]any) map[string]string {
	out := map[string]string{}
	for name, value := range members {
		switch v := value.(type) {
		case map[string]any:
			maps.Copy(out, flat(prefix+name+".", v))
		case []any:
			parts := make([]string, len(v))
			for i, x := range v {
				parts[i] = fmt.Sprint(x)
			}
			out[prefix+name] = strings.Join(parts, ", ")
		case nil:
		default:
			out[prefix+name] = fmt.Sprint(v)
		}
	}
	return out
}

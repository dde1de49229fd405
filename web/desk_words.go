package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// deskWords are the functions that the templates may use.
var deskWords = template.FuncMap{
	"word": word, "fieldName": fieldName, "deskMenu": func() []menuEntry { return deskMenu }, "adminMenu": func() []menuEntry { return adminMenu },
	"days": days, "act": act, "why": why, "contact": contactFor, "cycleOf": cycleNumber,
	"at": func(i study.Instant, zone string) string { return local(i, zoneOf(zone)) },
}

// action is a line of a list and what may be done from it.
type action struct {
	Item  study.WorkItem
	Write bool
}

func act(item study.WorkItem, may mayDo) action { return action{item, may.Write} }

// why is the small form for a line of a list. It sends no sequence: the list
// showed none, and a reason for a missing form undoes nothing.
func why(item study.WorkItem, reasons []option) whyView {
	return whyView{Participant: item.ParticipantID, Visit: item.Visit, Reasons: reasons}
}

// contactFor is the small form that logs a call from a line of a list.
func contactFor(item study.WorkItem, back string) contactForm {
	return contactForm{item.ParticipantID, item.AssessmentID, back, options(study.Channels, ""), options(study.ContactOutcomes, "")}
}

// cycleNumber is the cycle in a visit's code such as C3D1, or none.
func cycleNumber(visit string) string {
	n, _, ok := strings.Cut(strings.TrimPrefix(visit, "C"), "D")
	if _, err := strconv.Atoi(n); !ok || err != nil {
		return ""
	}
	return n
}

// menuEntry is an entry of the menu.
type menuEntry struct{ ID, Path, Name string }

var deskMenu = []menuEntry{
	{"morning", "/desk", "Morning"}, {"participants", "/desk/participants", "Participants"}, {"heat", "/desk/completion", "Completion"},
	{"alerts", "/desk/alerts", "Alerts"}, {"reminders", "/desk/reminders", "Reminder log"}, {"devices", "/desk/devices", "Devices"},
}

var adminMenu = []menuEntry{
	{"admin", "/admin", "Overview"}, {"staff", "/admin/staff", "Staff"}, {"sites", "/admin/sites", "Sites"},
	{"protocol", "/admin/protocol", "Protocol"}, {"audit", "/admin/audit", "Audit"},
}

// words are what people read instead of a stored word that is not one.
var words = map[string]string{
	"window_closed": "completed after its window closed", "arrived_too_late": "arrived over 28 days after closing", "locked": "the site was locked",
	"staff_entry": "staff had entered a form for the visit", "completed_early": "completed before its window opened", "missed_in_a_row": "missed in a row",
	"not_expected": "not expected", "pushes_failing": "reminders fail", "score_fell": "a score fell", "answer": "an answer to look at", "held": "a form is held",
	"missed": "missed", "no_answer": "no answer", "questionnaires": "questionnaires only",
}

// word is a stored word as people read it.
func word(w any) string {
	s := fmt.Sprint(w)
	if known, ok := words[s]; ok {
		return known
	}
	return strings.ReplaceAll(s, "_", " ")
}

// fieldName is a field of the record as a page calls it.
func fieldName(name string) string {
	_, rest, nested := strings.Cut(name, ".")
	if nested && strings.HasPrefix(name, "answers.") {
		return "Item " + rest
	}
	name = strings.ReplaceAll(strings.ReplaceAll(name, "_", " "), ".", ": ")
	return strings.ToUpper(name[:1]) + name[1:]
}

// days is a number of days in words.
func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// local is an instant as the clock on the wall shows it in the zone.
func local(i study.Instant, zone *time.Location) string {
	if i.IsZero() {
		return ""
	}
	return i.Time().In(zone).Format("2006-01-02 15:04")
}

// query writes pairs of names and values for an address.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q.Encode()
}

// zoneOf is the zone by its name; UTC for one that this machine does not know.
func zoneOf(name string) *time.Location {
	if loc, err := study.LoadZone(name); err == nil {
		return loc
	}
	return time.UTC
}

// option is one choice of a list.
type option struct {
	Value, Name string
	Chosen      bool
}

// options are the words of a list, one of them chosen.
func options[T ~string](all []T, chosen string) []option {
	out := make([]option, len(all))
	for i, w := range all {
		out[i] = option{string(w), word(w), string(w) == chosen}
	}
	return out
}

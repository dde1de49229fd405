package web

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// deskWords are the functions that the templates may use.
var deskWords = template.FuncMap{
	"word": word, "fieldName": fieldName,
	"days": days, "act": act, "why": why, "contact": contactFor, "pick": pick, "ecogGrades": func() []option { return ecogGrades }, "cycleOf": cycleNumber,
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
	return contactForm{item.ParticipantID, item.AssessmentID, back, options(study.Channels, ""), options(study.ContactOutcomes, ""), returned{}}
}

// cycleNumber is the cycle in a visit's code such as C3D1, or none.
func cycleNumber(visit string) string {
	n, _, ok := strings.Cut(strings.TrimPrefix(visit, "C"), "D")
	if _, err := strconv.Atoi(n); !ok || err != nil {
		return ""
	}
	return n
}

// menuEntry is an entry of the menu, for whoever may do one of its actions.
type menuEntry struct {
	ID, Path, Name string
	needs          []study.Action
}

var menu = []menuEntry{
	{"morning", "/desk", "Morning", []study.Action{study.ReadParticipants}},
	{"participants", "/desk/participants", "Participants", []study.Action{study.ReadParticipants}},
	{"heat", "/desk/completion", "Completion", []study.Action{study.ReadParticipants}},
	{"alerts", "/desk/alerts", "Alerts", []study.Action{study.ReadAlerts}},
	{"reminders", "/desk/reminders", "Reminder log", []study.Action{study.ReadDeliveries}},
	{"devices", "/desk/devices", "Devices", []study.Action{study.ReadParticipants}},
	{"lab", "/lab", "Analysis", []study.Action{study.ExportData}},
	{"admin", "/admin", "Overview", []study.Action{study.ManageStaff}},
	{"staff", "/admin/staff", "Staff", []study.Action{study.ManageStaff}},
	{"sites", "/admin/sites", "Sites", []study.Action{study.ManageSites, study.LockSites}},
	{"wording", "/admin/wording", "Wording", []study.Action{study.ManageWording}},
	{"phones", "/admin/devices", "Phones and keys", []study.Action{study.ManageStaff}},
	{"protocol", "/admin/protocol", "Protocol", []study.Action{study.ManageStaff}},
	{"audit", "/admin/audit", "Audit", []study.Action{study.ReadAudit}},
}

// menuFor are the entries for an actor's role.
func menuFor(by study.Actor) []menuEntry {
	return slices.DeleteFunc(slices.Clone(menu), func(e menuEntry) bool { return !slices.ContainsFunc(e.needs, by.May) })
}

// ecogGrades are those of the Eastern Cooperative Oncology Group (Oken et al.,
// Am J Clin Oncol 1982;5:649), in our own words; 5, dead, is a fact of its own.
var ecogGrades = []option{{Value: "0", Name: "0 fully active"}, {Value: "1", Name: "1 light work only"}, {Value: "2", Name: "2 cares for herself, up most of the day"},
	{Value: "3", Name: "3 in bed or chair over half of the day"}, {Value: "4", Name: "4 always in bed or chair"}}

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
	kind, rest, nested := strings.Cut(name, ".")
	if nested && (kind == "item" || kind == "answers") {
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

// utc is an instant for people who work for several sites.
func utc(i study.Instant) string { return local(i, time.UTC) + " UTC" }

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

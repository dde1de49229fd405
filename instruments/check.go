package instruments

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The reasons that a form may give for an item without an answer. They are part
// of what phones send and never change.
const (
	ReasonSkipped = "skipped"
	ReasonOptOut  = "opt_out"
)

// maxFaultText is the number of characters of a sender's text that a Fault
// repeats: enough to recognise it, too few to flood a log or a page.
const maxFaultText = 40

// Form is a filled-in questionnaire as it was sent, before it has been checked.
type Form struct {
	// Answers holds, by item code, the literal exactly as it was sent: the raw
	// JSON text or the cell of a data file.
	Answers map[string]string
	// Skipped holds, by item code, ReasonSkipped or ReasonOptOut.
	Skipped map[string]string
	// Paper marks a transcription. Paper cannot stop a person from ticking the
	// opt-out box and answering too, so that is a flag there and not a fault.
	Paper bool
}

// LogValue keeps a person's answers out of logs: only the counts are written.
func (f Form) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("answers", len(f.Answers)), slog.Int("skipped", len(f.Skipped)))
}

// Fault is one thing about a form that its sender has to change.
type Fault struct {
	// Item is the code as it was sent, cut to 40 characters.
	Item string
	// Value is the offending text as it was sent, cut to 40 characters.
	Value string
	// Reason is a sentence a person can act on. It never repeats Value, so that
	// it may be logged.
	Reason string
}

// LogValue leaves Value, which may be an answer, out of logs.
func (f Fault) LogValue() slog.Value {
	return slog.GroupValue(slog.String("item", f.Item), slog.String("reason", f.Reason))
}

func fault(item, value, reason string) Fault {
	return Fault{Item: cut(item), Value: cut(value), Reason: reason}
}

func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	n := 0
	for i := range text {
		if n == maxFaultText {
			return text[:i]
		}
		n++
	}
	return text
}

// Check turns a form into answers, or says everything that is wrong with it.
//
// A literal counts only if it is exactly the decimal text of a choice; nothing
// is trimmed, rounded, clamped or read as missing. An item that the form does
// not name is NotReached. Faults come in item order, then the unknown items
// sorted; when there are any, answers and flags are nil. The one flag is the
// opt-out box's code in small letters + "_conflict" ("q1_conflict"): box and
// answer together on paper, where the answer is kept.
func (ins *Instrument) Check(f Form) (answers Answers, flags []string, faults []Fault) {
	answers = make(Answers, len(ins.Items))
	for i := range ins.Items {
		item := &ins.Items[i]
		answer, conflict, wrong := ins.checkItem(item, f)
		answers[i] = answer
		if conflict {
			flags = append(flags, strings.ToLower(item.OptOut)+"_conflict")
		}
		faults = append(faults, wrong...)
	}
	faults = append(faults, ins.unknownItems(f)...)
	if len(faults) > 0 {
		return nil, nil, faults
	}
	return answers, flags, nil
}

// checkItem looks at what a form says about one item. The answer is meaningful
// only if nothing is wrong.
func (ins *Instrument) checkItem(item *Item, f Form) (answer Answer, conflict bool, wrong []Fault) {
	raw, answered := f.Answers[item.Code]
	reason, skipped := f.Skipped[item.Code]
	answer, mark := NotReached, NotReached
	if answered {
		var why string
		if answer, why = ins.choice(raw); why != "" {
			wrong = append(wrong, fault(item.Code, raw, why))
		}
	}
	if skipped {
		var why string
		if mark, why = item.skip(reason); why != "" {
			wrong = append(wrong, fault(item.Code, reason, why))
		}
	}
	switch {
	case answered && skipped && f.Paper && mark == OptedOut:
		conflict = true
	case answered && skipped:
		wrong = append(wrong, fault(item.Code, raw, "is both answered and skipped; send one of the two"))
	case skipped:
		answer = mark
	}
	return answer, conflict, wrong
}

// choice reads a literal; why is empty when it is one of the choices.
func (ins *Instrument) choice(raw string) (answer Answer, why string) {
	for _, c := range ins.Choices {
		if raw == strconv.Itoa(c.Value) {
			return Answer(c.Value), ""
		}
	}
	switch {
	case raw == "" || raw == "null":
		return NotReached, `has no value; leave the item out, or name it under "skipped"`
	case strings.HasPrefix(raw, `"`):
		return NotReached, "is text; send the bare number, " + ins.choiceList()
	}
	return NotReached, "must be exactly " + ins.choiceList() + ", without sign, point, leading zero or space"
}

func (ins *Instrument) choiceList() string {
	texts := make([]string, len(ins.Choices))
	for i, c := range ins.Choices {
		texts[i] = strconv.Itoa(c.Value)
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// skip reads a reason; why is empty when the item may be left out for it.
func (item *Item) skip(reason string) (mark Answer, why string) {
	switch {
	case reason == ReasonSkipped:
		return Skipped, ""
	case reason == ReasonOptOut && item.OptOut != "":
		return OptedOut, ""
	case reason == ReasonOptOut:
		return NotReached, "has no opt-out box; only an item with the box can be skipped that way"
	}
	return NotReached, `a reason for skipping is "skipped", or "opt_out" on the item with the box`
}

func (ins *Instrument) unknownItems(f Form) []Fault {
	unknown := map[string]string{}
	for _, sent := range []map[string]string{f.Skipped, f.Answers} {
		for code, value := range sent {
			if _, known := ins.Index(code); !known {
				unknown[code] = value
			}
		}
	}
	var faults []Fault
	for _, code := range slices.Sorted(maps.Keys(unknown)) {
		faults = append(faults, fault(code, unknown[code], ins.whyUnknown(code)))
	}
	return faults
}

func (ins *Instrument) whyUnknown(code string) string {
	for _, item := range ins.Items {
		if item.OptOut != "" && item.OptOut == code {
			return fmt.Sprintf("is the opt-out box and not an item; send it as skipped: {%q:%q}", item.Code, ReasonOptOut)
		}
	}
	return fmt.Sprintf("is not an item of %s version %s; codes are written exactly as published", ins.ID, ins.Version)
}

// Package instruments says what a questionnaire is, as data: its items by
// published code, its choices, which items make a subscale, which are
// reverse-scored, how many must be answered, and which subscales make a total.
// It also checks a filled-in form against that definition.
//
// Nothing here knows a particular questionnaire; those are in sub-packages
// (factb). No licensed wording is kept, only codes and structure.
package instruments

import "slices"

// Codes are an element's names in the public vocabularies. An empty field
// means that no code is known, never that one may be made up.
type Codes struct {
	// LOINC is the number of the question, of the section heading (for a
	// subscale: the heading, not its score) or of the panel (for an instrument).
	LOINC string
	// CDISC is the SDTM QSTESTCD of an item or score; for an instrument, the
	// submission value of the code list that they are taken from.
	CDISC string
	// NCIt is the concept code in the NCI Thesaurus.
	NCIt string
	// QSTEST is the SDTM test name of a score, at most 40 characters. Items have
	// none here because their test names paraphrase licensed wording.
	QSTEST string
}

// Choice is one of the answers that every item of an instrument offers.
type Choice struct {
	// Value is what is stored when the choice is made, 0 to 9.
	Value int
}

// Item is one question, named by its published code.
type Item struct {
	// Code is the published code, such as "GP1": letters and digits.
	Code string
	// Subscale is the code of the section in which the item is asked and scored.
	Subscale string
	// Reversed items score lowest choice + highest choice − answer.
	Reversed bool
	// OptOut is the code of the box that excuses from this item ("Q1" on GS7),
	// or empty. The box is no item and never scored.
	OptOut string
	Codes
}

// Threshold is the share of a scale's items that must be answered before the
// scale is scored, as a fraction of whole numbers so that a share that falls
// exactly on it is decided exactly. The zero Threshold asks for nothing.
type Threshold struct {
	// Num and Den are the fraction, such as 1 and 2 for half.
	Num, Den int
	// OrMore lets the exact share pass ("half or more"); without it the share
	// must be strictly greater ("more than half").
	OrMore bool
}

// Met reports whether answered out of items satisfies the threshold.
func (t Threshold) Met(answered, items int) bool {
	if t == (Threshold{}) {
		return true
	}
	share, bound := t.Den*answered, t.Num*items
	return share > bound || t.OrMore && share == bound
}

// MID is a published minimally important difference in points of the score. It
// is a guide for differences between groups, not for one person's change. The
// zero MID means that none is published.
type MID struct {
	// Low and High are the ends of the published interval, Low <= High.
	Low, High float64
	// Source is the publication, with any reservation a reader must see.
	Source string
}

// Subscale is a score made of items: the sum of the answered items' scores,
// times the number of items, divided by the number answered.
type Subscale struct {
	// Code is the published short name, such as "PWB".
	Code string
	// Name is our own short name for people to read.
	Name string
	// Items are the codes of its items. An item may serve more than one subscale.
	Items []string
	// Needs is the share of Items that must be answered.
	Needs Threshold
	// MID is the published minimally important difference, if any.
	MID MID
	Codes
}

// Total is a score made of subscales: their plain sum, missing when one of them
// is missing. It is never prorated itself.
type Total struct {
	// Code is the published short name, such as "TOI".
	Code string
	// Name is our own short name for people to read.
	Name string
	// Parts are the codes of the subscales that are added; they share no item.
	Parts []string
	// Needs is the share of the parts' items, taken together, that must be
	// answered as well; zero when only the parts count.
	Needs Threshold
	// MID is the published minimally important difference, if any.
	MID MID
	Codes
}

// Instrument is a questionnaire in one version. It is read-only once Validate
// has passed.
type Instrument struct {
	// ID and Version name it in addresses and in stored records.
	ID, Version string
	// Name is for people to read.
	Name string
	// RecallDays is the number of days the questions look back on.
	RecallDays int
	// Category is the SDTM QSCAT, or empty where none is known.
	Category string
	// Choices are what every item offers; their values rise one by one.
	Choices []Choice
	// Items are in the order in which they are asked; Answers follow it.
	Items []Item
	// Subscales and Totals are in the order in which they are reported.
	Subscales []Subscale
	Totals    []Total
	Codes
}

// Index gives back the place of an item in Items; false when there is no item
// of exactly that code.
func (ins *Instrument) Index(code string) (int, bool) {
	i := slices.IndexFunc(ins.Items, func(item Item) bool { return item.Code == code })
	return i, i >= 0
}

// ItemsOf gives back the item codes of a subscale, or of all parts of a total;
// nil for a code that is neither.
func (ins *Instrument) ItemsOf(score string) []string {
	for _, sub := range ins.Subscales {
		if sub.Code == score {
			return slices.Clone(sub.Items)
		}
	}
	var items []string
	for _, total := range ins.Totals {
		if total.Code != score {
			continue
		}
		for _, part := range total.Parts {
			items = append(items, ins.ItemsOf(part)...)
		}
	}
	return items
}

// Range gives back the lowest and highest value a subscale or total can take,
// in points; false for a code that is neither.
func (ins *Instrument) Range(score string) (low, high int, ok bool) {
	items := len(ins.ItemsOf(score))
	if items == 0 {
		return 0, 0, false
	}
	return items * ins.Lowest(), items * ins.Highest(), true
}

// Lowest gives back the smallest choice value.
func (ins *Instrument) Lowest() int { return ins.Choices[0].Value }

// Highest gives back the largest choice value.
func (ins *Instrument) Highest() int { return ins.Choices[len(ins.Choices)-1].Value }

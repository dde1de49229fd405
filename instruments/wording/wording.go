// Package wording reads wording packs: the licensed text of a questionnaire in
// one language, as a file that the licensee writes. It knows the shape of a pack
// and what its texts may hold; whether a study may use it is decided above.
// docs/wording-packs.md describes the file for those who write one.
package wording

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// Pack is one language's text of one instrument. Every text is plain text in
// Unicode's composed form (NFC), to be shown as it stands and never as markup.
type Pack struct {
	// ID and Version name the pack; another text is another version.
	ID      string `json:"id"`
	Version string `json:"version"`
	// Instrument and InstrumentVersion name the questionnaire, such as fact-b and 4.
	Instrument        string `json:"instrument"`
	InstrumentVersion string `json:"instrument_version"`
	// Language is a BCP 47 tag: language, then script and region where needed.
	Language string `json:"language"`
	// Source says which document of the owner the text was taken from.
	Source  string  `json:"source"`
	Licence Licence `json:"licence"`
	// Copyright is the owner's line, shown wherever the questionnaire is.
	Copyright string `json:"copyright"`
	// Instructions stand before the items; Recall is the period that the answers
	// are about, shown with every item.
	Instructions string `json:"instructions"`
	Recall       string `json:"recall"`
	// Options are in the order of the instrument's choices.
	Options []string `json:"options"`
	// Sections are the headings by subscale, OptOut the boxes by their own code,
	// Items the questions by code.
	Sections map[string]string `json:"sections"`
	OptOut   map[string]string `json:"opt_out"`
	Items    map[string]string `json:"items"`
	// QSTest are the SDTM test names by item, at most 40 characters each; all or
	// none.
	QSTest map[string]string `json:"qstest,omitzero"`
}

// Licence is what the licensee and the owner agreed.
type Licence struct {
	Holder    string `json:"holder"`
	Agreement string `json:"agreement"` // its number
	Trial     string `json:"trial"`     // the study's identifier, as in the protocol
	// ValidFrom and ValidTo are the first and the last day, as YYYY-MM-DD.
	ValidFrom string `json:"valid_from"`
	ValidTo   string `json:"valid_to"`
	// MaxParticipants is how many persons may be asked; 0: the licence does not say.
	MaxParticipants int `json:"max_participants,omitzero"`
}

// Name is how stored records name the pack: its id and version.
func (p *Pack) Name() string { return p.ID + "@" + p.Version }

// Ended reports whether the licence's last day lies before the day, written as
// YYYY-MM-DD.
func (l Licence) Ended(day string) bool { return l.ValidTo < day } // dates of this form sort as text

// Covers reports whether the licence is valid on the day, written as YYYY-MM-DD.
func (l Licence) Covers(day string) bool { return l.ValidFrom <= day && !l.Ended(day) }

// Decode reads a pack that was checked when it came in. It judges nothing: what
// is in a study's record must be readable whatever later versions would refuse.
func Decode(text []byte) (*Pack, error) {
	p := &Pack{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("decode a wording pack: %w", err)
	}
	return p, nil
}

// Fault is something wrong with a pack's file, and where. The reason is a
// sentence that never repeats what stands there.
type Fault struct {
	Place  string // such as items.GP1, options[2] or line 7
	Reason string
}

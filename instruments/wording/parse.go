package wording

import (
	"fmt"
	"regexp"
	"strconv"

	"epro/instruments"
)

// MaxBytes is the most that a pack's file may have; a pack is about 12 KB.
const MaxBytes = 60 << 10

// The most characters that the parts of a pack may have.
const (
	maxItem        = 400
	maxOption      = 80
	maxSection     = 120
	maxOptOut      = 400
	maxInstruction = 1500
	maxRecall      = 200
	maxCopyright   = 300
	maxLicence     = 200 // each text of the licence, and the source
	maxQSTest      = 40  // by SDTM
)

// maxFaults bounds what a file of nothing but faults can make of an answer.
const maxFaults = 200

var (
	packID      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,47}$`)
	packVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,15}$`)
)

// Finder finds an instrument by id and version.
type Finder func(id, version string) (*instruments.Instrument, bool)

// Parse reads and checks a pack's file. A pack with any fault is not given
// back; every fault is named with its place.
func Parse(text []byte, find Finder) (*Pack, []Fault) {
	if len(text) > MaxBytes {
		return nil, []Fault{{"pack", fmt.Sprintf("the file is larger than %d KB; a pack is far smaller, so this is likely another file", MaxBytes>>10)}}
	}
	root, broken := tree(text)
	if broken != nil {
		return nil, []Fault{*broken}
	}
	r := &reader{}
	p := r.pack(root, find)
	if len(r.faults) > 0 {
		return nil, r.faults
	}
	return p, nil
}

func (r *reader) pack(root *node, find Finder) *Pack {
	top := r.object(root, "", []string{"id", "version", "instrument", "instrument_version", "language", "source", "licence", "copyright",
		"instructions", "recall", "options", "sections", "opt_out", "items", "qstest"})
	if top == nil {
		return nil
	}
	p := &Pack{
		ID:         r.word(top, "id", packID, "write 1 to 48 small letters, digits or hyphens"),
		Version:    r.word(top, "version", packVersion, "write 1 to 16 letters, digits, dots or hyphens, in quotes"),
		Instrument: r.text(top, "instrument", maxLicence), InstrumentVersion: r.text(top, "instrument_version", maxLicence),
		Language: r.text(top, "language", maxLicence), Source: r.text(top, "source", maxLicence), Copyright: r.text(top, "copyright", maxCopyright),
		Instructions: r.text(top, "instructions", maxInstruction), Recall: r.text(top, "recall", maxRecall),
	}
	if wrong := tagFault(p.Language); p.Language != "" && wrong != "" {
		r.fault("language", "%s", wrong)
	}
	r.licence(top, &p.Licence)
	ins, known := find(p.Instrument, p.InstrumentVersion)
	if !known {
		if p.Instrument != "" && p.InstrumentVersion != "" {
			r.fault("instrument", "this program does not know that questionnaire and version; fact-b version \"4\" is one that it knows")
		}
		return nil // what belongs into a pack of an unknown instrument, nobody can say
	}
	r.questions(top, p, ins)
	return p
}

// questions reads the parts whose names and number the instrument decides.
func (r *reader) questions(top *object, p *Pack, ins *instruments.Instrument) {
	p.Options = r.options(top, len(ins.Choices))
	var sections, boxes, items []string
	for _, s := range ins.Subscales {
		sections = append(sections, s.Code)
	}
	for _, item := range ins.Items {
		items = append(items, item.Code)
		if item.OptOut != "" {
			boxes = append(boxes, item.OptOut)
		}
	}
	p.Sections = r.texts(top, "sections", sections, maxSection)
	p.OptOut = r.texts(top, "opt_out", boxes, maxOptOut)
	p.Items = r.texts(top, "items", items, maxItem)
	r.distinct("items", items, p.Items)
	if top.members["qstest"] != nil {
		p.QSTest = r.texts(top, "qstest", items, maxQSTest)
		r.distinct("qstest", items, p.QSTest)
	}
}

func (r *reader) licence(top *object, l *Licence) {
	in := r.part(top, "licence", []string{"holder", "agreement", "trial", "valid_from", "valid_to", "max_participants"})
	if in == nil {
		return
	}
	l.Holder, l.Agreement, l.Trial = r.text(in, "holder", maxLicence), r.text(in, "agreement", maxLicence), r.text(in, "trial", maxLicence)
	l.ValidFrom, l.ValidTo = r.day(in, "valid_from"), r.day(in, "valid_to")
	if l.ValidFrom != "" && l.ValidTo != "" && l.ValidTo < l.ValidFrom {
		r.fault("licence.valid_to", "lies before valid_from")
	}
	if n := in.members["max_participants"]; n != nil {
		var err error
		if l.MaxParticipants, err = strconv.Atoi(n.text); err != nil || n.kind != '0' || l.MaxParticipants < 1 || l.MaxParticipants > 1_000_000 {
			r.fault("licence.max_participants", "write a whole number from 1, or leave it out")
		}
	}
}

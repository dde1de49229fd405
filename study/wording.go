package study

import (
	"slices"
	"sync"

	"epro/instruments/factb"
	"epro/instruments/wording"
)

// WordingPack is a pack of licensed text, as the study's record has it.
type WordingPack struct {
	*wording.Pack
	Hash       Hash // of the pack's canonical JSON
	ImportedAt Instant
	ImportedBy ActorRef
	Decisions  []WordingDecision // in order; none: it waits for a second person
}

// WordingDecision is what somebody said of a pack: it may be shown, or not, or
// not any more.
type WordingDecision struct {
	Approve bool
	At      Instant
	By      ActorRef
	Reason  string
}

// approvedAt is when the approval that holds at the instant was given; zero for
// none.
func (p *WordingPack) approvedAt(at Instant) Instant {
	var since Instant
	for _, d := range p.Decisions {
		switch {
		case d.At > at:
			return since
		case d.Approve:
			since = d.At
		default:
			since = 0
		}
	}
	return since
}

// wasShown reports whether the pack was ever approved, so that somebody may
// have read it.
func (p *WordingPack) wasShown() bool {
	return slices.ContainsFunc(p.Decisions, func(d WordingDecision) bool { return d.Approve })
}

// WordingPacks are all packs of a study, in the order of their import.
type WordingPacks []WordingPack

// named is the pack of this name, or nil.
func (w WordingPacks) named(name string) *WordingPack {
	i := slices.IndexFunc(w, func(p WordingPack) bool { return p.Name() == name })
	if i < 0 {
		return nil
	}
	return &w[i]
}

// serving is the pack that is shown at the instant to somebody who asks for the
// language, or nil: approved, within its licence's days in the study's zone,
// the nearest by language, the one approved last among equals.
func (w WordingPacks) serving(p *Protocol, lang string, at Instant) *WordingPack {
	day := DateOf(at.Time().In(mustZone(p.TimeZone))).String()
	var best *WordingPack
	var bestDistance int
	var bestSince Instant
	for i := range w {
		pack := &w[i]
		since := pack.approvedAt(at)
		distance, suits := wording.Suits(pack.Language, lang)
		if since == 0 || !suits || !pack.Licence.Covers(day) || pack.Instrument != p.Instrument.ID || pack.InstrumentVersion != p.Instrument.Version {
			continue
		}
		if best == nil || distance < bestDistance || distance == bestDistance && since >= bestSince {
			best, bestDistance, bestSince = pack, distance, since
		}
	}
	return best
}

// WordingStatus is the one word for where a pack stands.
type WordingStatus string

// The words, derived, never stored.
const (
	WordingWaiting   WordingStatus = "waiting"   // for a second person
	WordingInUse     WordingStatus = "in_use"    // shown to whoever asks for its language
	WordingReplaced  WordingStatus = "replaced"  // approved, and so is a later one of the same language
	WordingEarly     WordingStatus = "not_yet"   // approved, and the licence has not begun
	WordingExpired   WordingStatus = "expired"   // the licence has ended
	WordingRefused   WordingStatus = "refused"   // looked at and never approved
	WordingWithdrawn WordingStatus = "withdrawn" // approved once, and taken out of use
)

// WordingStatuses are all the words.
var WordingStatuses = []WordingStatus{WordingWaiting, WordingInUse, WordingReplaced, WordingEarly, WordingExpired, WordingRefused, WordingWithdrawn}

// WordingStatus is the one word for where the pack stands at the instant.
func (st *Study) WordingStatus(p *WordingPack, now Instant) WordingStatus {
	protocol := st.History.Current().Protocol
	day := DateOf(now.Time().In(mustZone(protocol.TimeZone))).String()
	switch serving := st.Wording.serving(protocol, p.Language, now); {
	case len(p.Decisions) > 0 && p.approvedAt(now) == 0 && p.wasShown():
		return WordingWithdrawn
	case len(p.Decisions) > 0 && p.approvedAt(now) == 0:
		return WordingRefused
	case p.Licence.Ended(day):
		return WordingExpired
	case len(p.Decisions) == 0:
		return WordingWaiting
	case !p.Licence.Covers(day):
		return WordingEarly
	case serving != nil && serving.Hash == p.Hash:
		return WordingInUse
	default:
		return WordingReplaced
	}
}

// Wording is the text that a questionnaire is shown with: a licensed pack, or
// our own labels.
type Wording struct {
	Pack     string // its name in stored records
	Hash     Hash   // zero: our own labels
	Licensed bool
	Banner   string // has to stand on every screen of a form without licensed text
	Text     *wording.Pack
}

// Wording is the pack as it would be shown.
func (p *WordingPack) Wording() *Wording {
	return &Wording{Pack: p.Name(), Hash: p.Hash, Licensed: true, Text: p.Pack}
}

// ownLabels are our own labels in every language that there are any in.
var ownLabels = sync.OnceValue(func() []*Wording {
	var all []*Wording
	for _, lang := range factb.Languages() {
		l, _ := factb.Labels(lang)
		text := &wording.Pack{Language: l.Language, Copyright: l.Copyright,
			Instructions: l.Instruction, Recall: l.Recall, Options: l.Choices, Sections: l.Subscales, Items: l.Items, OptOut: map[string]string{}}
		for _, item := range factb.FACTB.Items {
			if item.OptOut != "" {
				text.OptOut[item.OptOut] = l.OptOut
			}
		}
		all = append(all, &Wording{Pack: l.Pack, Banner: l.Banner, Text: text})
	}
	return all
})

// labelsIn are our own labels in the language, or nil.
func labelsIn(lang string) *Wording {
	l, ok := factb.Labels(lang)
	if !ok {
		return nil
	}
	return labelsNamed(l.Pack)
}

// labelsNamed are our own labels of this name, or nil.
func labelsNamed(pack string) *Wording {
	for _, w := range ownLabels() {
		if w.Pack == pack {
			return w
		}
	}
	return nil
}

// shown is the text of this name that somebody may have read, or nil.
func (w WordingPacks) shown(name string) *Wording {
	if pack := w.named(name); pack != nil && pack.wasShown() {
		return pack.Wording()
	}
	return labelsNamed(name)
}

// served is the text that is shown at the instant to somebody who asks for the
// language, or nil: a licensed one, else our own labels.
func (w WordingPacks) served(p *Protocol, lang string, at Instant) *Wording {
	if pack := w.serving(p, lang, at); pack != nil {
		return pack.Wording()
	}
	return labelsIn(lang)
}

// errUnlicensed says why no form can be opened where licensed text is required.
func errUnlicensed() error {
	return Fail(Unavailable, "No questionnaire can be opened: this study requires the licensed wording, and no approved wording pack in this language is valid today. "+
		"Ask the study's administrator to import one and have it approved.")
}

// errNoLanguage says that there is no text in the language asked for.
func errNoLanguage(p *Protocol) error {
	return Fail(Invalid, "There is no wording in that language.", Field{Name: "lang", Reason: oneOf(p.Languages)})
}

// toOpen is the text that a form is opened with at the instant.
func (w WordingPacks) toOpen(p *Protocol, lang string, at Instant) (*Wording, error) {
	text := w.served(p, lang, at)
	switch {
	case p.requiresLicence() && (text == nil || !text.Licensed):
		return nil, errUnlicensed()
	case text == nil:
		return nil, errNoLanguage(p)
	}
	return text, nil
}

// knownByName is the text of this name for somebody who says that it was shown.
func (w WordingPacks) knownByName(name, field string) (*Wording, error) {
	if text := w.shown(name); text != nil {
		return text, nil
	}
	return nil, Fail(Invalid, "This study has never shown that wording pack.",
		Field{Name: field, Reason: "send the pack that the questionnaire was fetched with, or leave it out"})
}

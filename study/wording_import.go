package study

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"epro/instruments/wording"
)

// wordingImported adds a pack to the study's State. It was checked when it came
// in, and is only read now: later versions may be stricter.
func (st *Study) wordingImported(e Event, v WordingImported) error {
	if sha256.Sum256([]byte(v.Text)) != v.Hash {
		return fmt.Errorf("the wording pack's text does not have its recorded hash")
	}
	pack, err := wording.Decode([]byte(v.Text))
	if err != nil {
		return err
	}
	st.Wording = append(slices.Clip(st.Wording), WordingPack{Pack: pack, Hash: v.Hash, ImportedAt: e.At, ImportedBy: e.Actor})
	return nil
}

func (st *Study) wordingDecided(e Event, v WordingDecided) error {
	st.Wording = slices.Clone(st.Wording)
	pack := st.Wording.named(v.Pack)
	if pack == nil || pack.Hash != v.Hash {
		return fmt.Errorf("the wording pack that was decided on is not in the record")
	}
	pack.Decisions = append(slices.Clip(pack.Decisions), WordingDecision{Approve: v.Approve, At: e.At, By: e.Actor, Reason: e.Reason})
	return nil
}

// CheckWording reads a wording pack's file and names every fault of it. What
// only a study can judge is judged by ImportWording.
func CheckWording(text []byte) (*wording.Pack, Hash, error) {
	pack, faults := wording.Parse(text, InstrumentOf)
	if len(faults) > 0 {
		fields := make([]Field, len(faults))
		for i, f := range faults {
			fields[i] = Field{Name: f.Place, Reason: f.Reason}
		}
		return nil, Hash{}, refuseWording(fields)
	}
	canonical, err := canonicalWording(text)
	if err != nil {
		return nil, Hash{}, err
	}
	return pack, sha256.Sum256(canonical), nil
}

func refuseWording(faults []Field) error {
	message := "The wording pack has a fault. Nothing was stored; correct it and try again."
	if len(faults) > 1 {
		message = fmt.Sprintf("The wording pack has %d faults. Nothing was stored; correct them and try again.", len(faults))
	}
	return Fail(Invalid, message, faults...)
}

// canonicalWording is the form of a pack that is hashed and kept, so that the
// same text is the same pack however its file is laid out.
func canonicalWording(text []byte) ([]byte, error) {
	canonical := jsontext.Value(slices.Clone(text))
	if err := canonical.Canonicalize(); err != nil {
		return nil, fmt.Errorf("canonical form of a wording pack: %w", err)
	}
	return canonical, nil
}

// ImportWording brings a wording pack in. It is shown to nobody before a second
// person has approved it. The same pack again changes nothing.
func (s *Service) ImportWording(ctx context.Context, r Request, text []byte) (*Study, *WordingPack, error) {
	if err := permit(r.By, ManageWording); err != nil {
		return nil, nil, err
	}
	pack, hash, err := CheckWording(text)
	if err != nil {
		return nil, nil, err
	}
	canonical, err := canonicalWording(text)
	if err != nil {
		return nil, nil, err
	}
	st, err := change(ctx, s, r, s.studyStream(), func(st *Study) (Payload, error) {
		if known, err := st.takesPack(pack, hash, InstantOf(s.now())); known || err != nil {
			return nil, err
		}
		return WordingImported{Pack: pack.Name(), Language: pack.Language, Hash: hash, Text: string(canonical)}, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return st, st.Wording.named(pack.Name()), nil
}

// PreviewWording says what ImportWording would: every fault of the pack, or what
// would come in. Nothing is stored.
func (s *Service) PreviewWording(ctx context.Context, by Actor, text []byte) (*Study, *WordingPack, error) {
	st, err := s.WordingPacks(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	pack, hash, err := CheckWording(text)
	if err != nil {
		return nil, nil, err
	}
	_, err = st.takesPack(pack, hash, InstantOf(s.now()))
	return st, &WordingPack{Pack: pack, Hash: hash}, err
}

// takesPack reports whether the very pack is there already, or why it cannot
// come in.
func (st *Study) takesPack(pack *wording.Pack, hash Hash, now Instant) (known bool, err error) {
	if same := st.Wording.named(pack.Name()); same != nil {
		if same.Hash == hash {
			return true, nil
		}
		return false, Fail(Conflict, "There is a wording pack "+pack.Name()+" with another text. Give the changed text a new version.")
	}
	return false, st.checkLicence(pack, now)
}

// checkLicence names what makes a sound pack none for this study.
func (st *Study) checkLicence(pack *wording.Pack, now Instant) error {
	current := st.History.Current()
	if current == nil {
		return Fail(Unavailable, "No protocol is in force yet. Start the server once to put the embedded one in force.")
	}
	var f faults
	f.add(pack.Instrument != current.Instrument.ID || pack.InstrumentVersion != current.Instrument.Version, "instrument",
		fmt.Sprintf("this study uses %s version %s", current.Instrument.ID, current.Instrument.Version))
	f.add(pack.Licence.Trial != current.Study, "licence.trial", "the licence has to be for this study: write its identifier, "+current.Study)
	f.add(pack.Licence.Ended(st.day(now)), "licence.valid_to", "the licence has ended; write the last day of the one that is valid now")
	suits := slices.ContainsFunc(current.Languages, func(lang string) bool { _, ok := wording.Suits(pack.Language, lang); return ok })
	f.add(!suits, "language", "no participant of this study can have this language; the protocol has: "+oneOf(current.Languages))
	if len(f) > 0 {
		return refuseWording(f)
	}
	return nil
}

// day is the date at the study's own zone, as licences write it.
func (st *Study) day(at Instant) string {
	return DateOf(at.Time().In(mustZone(st.History.Current().TimeZone))).String()
}

// Warnings say what about a pack's licence somebody should know before it is
// too late.
func (st *Study) Warnings(p *WordingPack, now Instant) []string {
	out := []string{}
	last := now.Time().AddDate(0, 0, st.History.Current().days())
	if day := DateOf(last); p.Licence.ValidTo < day.String() && !p.Licence.Ended(st.day(now)) {
		out = append(out, fmt.Sprintf("The licence ends on %s; somebody who starts today is asked until %s.", p.Licence.ValidTo, day))
	}
	return out
}

// days is how long a participant is asked at most, from the first day of cycle 1.
func (p *Protocol) days() int {
	last := 0
	for _, v := range p.Visits {
		last = max(last, (v.Cycle-1)*p.Cycles.LengthDays+v.OffsetDays+v.ClosesDays)
	}
	return last
}

// DecideWording approves a pack, or takes it out of use. Whoever brought it in
// cannot approve it: a second person reads every word.
type DecideWording struct {
	Pack    string
	Approve bool
	Reason  string
}

// DecideWording carries the decision out.
func (s *Service) DecideWording(ctx context.Context, r Request, c DecideWording) (*Study, *WordingPack, error) {
	if err := permit(r.By, ManageWording); err != nil {
		return nil, nil, err
	}
	r.Reason = c.Reason
	st, err := change(ctx, s, r, s.studyStream(), func(st *Study) (Payload, error) { return c.decide(st, r.By, InstantOf(s.now())) })
	if err != nil {
		return nil, nil, err
	}
	return st, st.Wording.named(c.Pack), nil
}

func (c DecideWording) decide(st *Study, by Actor, now Instant) (Payload, error) {
	pack := st.Wording.named(c.Pack)
	if pack == nil {
		return nil, notFound("wording pack")
	}
	if len([]rune(c.Reason)) > maxReason {
		return nil, invalid("reason", fmt.Sprintf("keep the reason under %d characters", maxReason))
	}
	decided := WordingDecided{Pack: c.Pack, Hash: pack.Hash, Approve: c.Approve}
	if n := len(pack.Decisions); n > 0 && pack.Decisions[n-1].Approve == c.Approve {
		return nil, nil
	}
	if !c.Approve {
		return decided, needReason(c.Reason)
	}
	switch {
	case by.Role == RoleSystem, pack.ImportedBy == by.Ref():
		return nil, Fail(Forbidden, "Whoever brought a wording pack in cannot approve it. Ask a second administrator to read it and approve it.")
	case pack.Licence.Ended(st.day(now)):
		return nil, Fail(Conflict, "The licence of this wording pack ended on "+pack.Licence.ValidTo+". Import one with the licence that is valid now.")
	}
	return decided, nil
}

// Wording is the text in the language; with a pack's name, that text, as long
// as it was ever shown: a running form stays on the text that it was opened with.
func (s *Service) Wording(ctx context.Context, by Actor, lang, pack string) (*Wording, error) {
	if err := permit(by, ReadQuestionnaire); err != nil {
		return nil, err
	}
	h, err := s.History(ctx)
	if err != nil {
		return nil, err
	}
	st, err := s.Study(ctx)
	if err != nil {
		return nil, err
	}
	protocol := h.Current().Protocol
	if pack == "" {
		return st.Wording.toOpen(protocol, lang, InstantOf(s.now()))
	}
	text, err := st.Wording.knownByName(pack, "pack")
	if err == nil && !text.Licensed && protocol.requiresLicence() {
		return nil, errUnlicensed()
	}
	return text, err
}

// ShownWording is the text of the pack that a form names, whatever became of
// the pack since; whether its licence still lets it be shown is the caller's to
// ask. ErrNotFound: this study never showed such a pack.
func (s *Service) ShownWording(ctx context.Context, by Actor, pack string) (*Wording, error) {
	if err := permit(by, ReadQuestionnaire); err != nil {
		return nil, err
	}
	st, err := s.Study(ctx)
	if err != nil {
		return nil, err
	}
	if text := st.Wording.shown(pack); text != nil {
		return text, nil
	}
	return nil, ErrNotFound
}

// WordingPacks are all wording packs with the study that they are judged in.
func (s *Service) WordingPacks(ctx context.Context, by Actor) (*Study, error) {
	if err := permit(by, ManageWording); err != nil {
		return nil, err
	}
	if _, err := s.History(ctx); err != nil {
		return nil, err
	}
	return s.loadStudy(ctx)
}

// WordingPack is the pack of this name, whatever became of it.
func (s *Service) WordingPack(ctx context.Context, by Actor, name string) (*Study, *WordingPack, error) {
	st, err := s.WordingPacks(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	pack := st.Wording.named(name)
	if pack == nil {
		return nil, nil, notFound("wording pack")
	}
	return st, pack, nil
}

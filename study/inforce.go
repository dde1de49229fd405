package study

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Study is the State of the study's own stream.
type Study struct {
	Tip
	History   *History
	Simulated bool // the store holds a simulated study, no real participant
	Wording   WordingPacks
}

// foldStudy adds entries to the study's State.
func foldStudy(st *Study, entries ...Entry) (*Study, error) {
	next := &Study{History: newHistory(nil)}
	if st != nil {
		*next = *st
	}
	for _, n := range entries {
		e, payload, err := next.follow(n)
		if err != nil {
			return nil, err
		}
		switch v := payload.(type) {
		case ProtocolAdopted:
			p, err := ParseProtocol([]byte(v.Text))
			if err != nil {
				return nil, n.fault("the protocol in force cannot be read: " + err.Error())
			}
			if ProtocolHash([]byte(v.Text)) != v.Hash {
				return nil, n.fault("the protocol's text does not have its recorded hash")
			}
			next.History = newHistory(append(slices.Clip(next.History.versions), InForce{Protocol: p, Text: v.Text, Hash: v.Hash,
				EffectiveOn: v.EffectiveOn, AdoptedAt: e.At}))
			next.Simulated = v.Simulated
		case WordingImported:
			if err := next.wordingImported(e, v); err != nil {
				return nil, n.fault(err.Error())
			}
		case WordingDecided:
			if err := next.wordingDecided(e, v); err != nil {
				return nil, n.fault(err.Error())
			}
		case DataExported:
		default:
			return nil, n.fault(fmt.Sprintf("event %s does not belong in the study's record", n.Type))
		}
	}
	return next, nil
}

// Study is the study's State; one read in the last few seconds will do.
func (s *Service) Study(ctx context.Context) (*Study, error) {
	if known, ok := s.plan.Get(StudyStream); ok && s.recent(known.readAt) {
		return known.state, nil
	}
	return s.loadStudy(ctx)
}

// loadStudy reads what was added since the study was read last: a protocol is
// parsed once.
func (s *Service) loadStudy(ctx context.Context) (*Study, error) {
	known, ok := s.plan.Get(StudyStream)
	if !ok {
		known.state = &Study{History: newHistory(nil)}
	}
	entries, err := s.store.Stream(ctx, StudyStream, known.state.Seq)
	if err != nil {
		return nil, err
	}
	st := known.state
	if len(entries) > 0 {
		if st, err = foldStudy(st, entries...); err != nil {
			return nil, err
		}
	}
	s.plan.Add(StudyStream, fresh[*Study]{st, s.now()})
	return st, nil
}

// History is the protocol versions in force; an error when there is none yet.
func (s *Service) History(ctx context.Context) (*History, error) {
	st, err := s.Study(ctx)
	if err != nil {
		return nil, err
	}
	if st.History.Current() == nil {
		return nil, Fail(Unavailable, "No protocol is in force yet. Start the server once to put the embedded one in force.")
	}
	return st.History, nil
}

// Adopt puts a protocol in force from a date on; the first one applies to
// everything. The same text again changes nothing.
func (s *Service) Adopt(ctx context.Context, r Request, text []byte, effective Date, simulated bool) (*Study, error) {
	if err := permit(r.By, AdoptProtocol); err != nil {
		return nil, err
	}
	p, err := ParseProtocol(text)
	if err != nil {
		return nil, err
	}
	if _, known := kits[InstrumentRef{ID: p.Instrument.ID, Version: p.Instrument.Version}]; !known {
		return nil, invalid("instrument", "this program does not know that instrument and version")
	}
	return change(ctx, s, r, s.studyStream(), func(st *Study) (Payload, error) {
		return adopt(st, p, text, effective, simulated)
	})
}

// studyStream is how the study's stream is read and kept.
func (s *Service) studyStream() stream[*Study] {
	return stream[*Study]{
		id: StudyStream, load: s.loadStudy, tip: func(st *Study) Tip { return st.Tip }, step: byFold(foldStudy),
		snapshot: func(*Study) (*Snapshot, error) { return nil, nil },
		keep:     func(st *Study) { s.plan.Add(StudyStream, fresh[*Study]{st, s.now()}) },
	}
}

func adopt(st *Study, p *Protocol, text []byte, effective Date, simulated bool) (Payload, error) {
	current := st.History.Current()
	adopted := ProtocolAdopted{Version: p.Version, Hash: ProtocolHash(text), Text: string(text), Simulated: simulated}
	if current == nil {
		return adopted, nil
	}
	adopted.EffectiveOn, adopted.Simulated = effective, st.Simulated
	var f faults
	f.add(p.Study != current.Study, "study", "an amendment cannot change the study's identifier, "+current.Study)
	f.add(slices.ContainsFunc(st.History.versions, func(v InForce) bool { return v.Version == p.Version && v.Hash != adopted.Hash }),
		"version", "this version is in force with another text; give the amendment a new version")
	f.add(effective == 0, "effective", "give the day from which the amendment applies as YYYY-MM-DD")
	f.add(effective != 0 && effective < current.EffectiveOn, "effective", "it cannot apply before the amendment before it")
	f.add(p.Cycles.LengthDays != current.Cycles.LengthDays, "cycles.length_days", "participants are on cycles of the old length; start a new study instead")
	if current.Hash == adopted.Hash {
		return nil, nil
	}
	return adopted, f.err()
}

// CheckInForce compares a protocol file with what is in force, for a server
// that is given one.
func (st *Study) CheckInForce(text []byte) error {
	current := st.History.Current()
	if current == nil || current.Hash == ProtocolHash(text) {
		return nil
	}
	return Fail(Conflict, strings.Join([]string{
		"The protocol file is not the one in force (version " + current.Version + ", SHA-256 " + current.Hash.String()[:12] + "…).",
		"Use that file, or put the new one in force with: epro protocol amend FILE -effective DATE."}, " "))
}

// RecordExport notes that a file left the system.
func (s *Service) RecordExport(ctx context.Context, r Request, e DataExported) error {
	return s.recordExport(ctx, r, ExportData, e)
}

// RecordViewExport records that a list of the desk left the system as a file.
func (s *Service) RecordViewExport(ctx context.Context, r Request, e DataExported) error {
	return s.recordExport(ctx, r, ExportView, e)
}

func (s *Service) recordExport(ctx context.Context, r Request, action Action, e DataExported) error {
	if err := permit(r.By, action); err != nil {
		return err
	}
	_, err := change(ctx, s, r, s.studyStream(), func(*Study) (Payload, error) { return e, nil })
	return err
}

// Effect is what an amendment would change for one participant.
type Effect struct {
	Participant PeoplePlace
	Changes     []Change
}

// PreviewAmendment says what a protocol would change, for every participant
// whom it changes, were it put in force from a date on. Nothing is stored.
func (s *Service) PreviewAmendment(ctx context.Context, by Actor, text []byte, effective Date) ([]Effect, error) {
	if err := permit(by, AdoptProtocol); err != nil {
		return nil, err
	}
	st, err := s.loadStudy(ctx)
	if err != nil {
		return nil, err
	}
	p, err := ParseProtocol(text)
	if err != nil {
		return nil, err
	}
	if payload, err := adopt(st, p, text, effective, st.Simulated); err != nil || payload == nil {
		return nil, err
	}
	amended := newHistory(append(slices.Clip(st.History.versions),
		InForce{Protocol: p, Text: string(text), Hash: ProtocolHash(text), EffectiveOn: effective, AdoptedAt: InstantOf(s.now())}))
	var effects []Effect
	err = s.PeopleAt(ctx, by, time.Time{}, func(before *Participant) error {
		entries, err := s.store.Stream(ctx, before.ID.Stream(), 0)
		if err != nil {
			return err
		}
		after, err := FoldParticipant(amended, nil, entries...)
		if err != nil {
			return err
		}
		if ch := changes(before, after, InstantOf(s.now())); len(ch) > 0 {
			effects = append(effects, Effect{before.Place(), ch})
		}
		return nil
	})
	return effects, err
}

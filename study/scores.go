package study

import (
	"fmt"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

// Scores are a form's scores by code, as an event stores them.
type Scores map[string]StoredScore

// StoredScore is one score: Value is absent when it is missing, and Missing
// says why.
type StoredScore struct {
	Value    *float64 `json:"value,omitzero"`
	Answered int      `json:"answered"`
	Items    int      `json:"items"`
	Prorated bool     `json:"prorated"`
	Missing  string   `json:"missing,omitzero"`
}

// kit is an instrument with its scorer.
type kit struct {
	*instruments.Instrument
	scorer *scoring.Scorer
}

// kits are the instruments that this program knows, by id and version.
var kits = func() map[InstrumentRef]kit {
	known := map[InstrumentRef]kit{}
	for _, ins := range []*instruments.Instrument{factb.FACTB, factb.FACTG} {
		scorer, err := scoring.New(ins)
		if err != nil {
			panic(fmt.Sprintf("instrument %s: %v", ins.ID, err)) // data in this program; a test builds every one
		}
		known[InstrumentRef{ID: ins.ID, Version: ins.Version}] = kit{ins, scorer}
	}
	return known
}()

// InstrumentOf is the instrument of this id and version, if the program knows it.
func InstrumentOf(id, version string) (*instruments.Instrument, bool) {
	k, ok := kits[InstrumentRef{ID: id, Version: version}]
	return k.Instrument, ok
}

// ScoreCodes are the codes of the instrument's scores: subscales, then totals.
func ScoreCodes(id, version string) []string {
	return kits[InstrumentRef{ID: id, Version: version}].scorer.Codes()
}

// Scores computes the form's scores from its answers, in the order of
// ScoreCodes, appending to dst. The form's stored scoring version must be one
// that this program computes.
func (s *Submission) Scores(dst []scoring.Score) ([]scoring.Score, error) {
	k, ok := kits[InstrumentRef{ID: s.Instrument, Version: s.Version}]
	if !ok || s.Scoring != scoring.Version {
		return nil, fmt.Errorf("form %s: instrument %s %s with scoring %s is unknown to this program", s.ID, s.Instrument, s.Version, s.Scoring)
	}
	return k.scorer.Score(dst, s.Answers), nil
}

// storedScores are the scores in the shape of an event.
func storedScores(k kit, a instruments.Answers) Scores {
	var room [16]scoring.Score
	out := make(Scores, len(k.scorer.Codes()))
	for i, sc := range k.scorer.Score(room[:0], a) {
		stored := StoredScore{Answered: int(sc.Answered), Items: int(sc.Items), Prorated: sc.Prorated, Missing: sc.Missing.String()}
		if sc.Missing == scoring.NotMissing {
			value := sc.Value
			stored.Value = &value
		}
		out[k.scorer.Codes()[i]] = stored
	}
	return out
}

// mismatch names the first stored score that the answers do not give, or is empty.
func mismatch(k kit, a instruments.Answers, stored Scores) string {
	fresh := storedScores(k, a)
	if len(fresh) != len(stored) {
		return "the number of scores"
	}
	for _, code := range k.scorer.Codes() {
		f, s := fresh[code], stored[code]
		sameValue := (f.Value == nil) == (s.Value == nil) && (f.Value == nil || *f.Value == *s.Value)
		f.Value, s.Value = nil, nil
		if !sameValue || f != s {
			return code
		}
	}
	return ""
}

// sheet turns an event's two maps back into answers by item.
func sheet(k kit, answers map[string]int, skipped map[string]string) (instruments.Answers, error) {
	out := make(instruments.Answers, len(k.Items))
	for i, item := range k.Items {
		out[i] = instruments.NotReached
		if v, ok := answers[item.Code]; ok {
			out[i] = instruments.Answer(v)
			continue
		}
		switch skipped[item.Code] {
		case "skipped":
			out[i] = instruments.Skipped
		case "opt_out":
			out[i] = instruments.OptedOut
		}
	}
	for code := range answers {
		if _, ok := k.Index(code); !ok {
			return nil, fmt.Errorf("item %s is not in %s", code, k.ID)
		}
	}
	return out, nil
}

package study

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"
)

// History is the protocol versions that were put in force, in order. What a
// participant's record adds up to depends on it, and on nothing else besides
// the record itself.
type History struct {
	versions []InForce
	mark     string // see stamp
}

func newHistory(versions []InForce) *History {
	h := &History{versions: versions}
	sum := sha256.New()
	for _, v := range versions {
		fmt.Fprintf(sum, "%s %s %s\n", v.Hash, v.EffectiveOn, v.AdoptedAt)
	}
	h.mark = fmt.Sprintf("%s-%x", foldVersion, sum.Sum(nil)[:8])
	return h
}

// InForce is a protocol version and the day from which it applies.
type InForce struct {
	*Protocol
	Text        string
	Hash        Hash
	EffectiveOn Date
	AdoptedAt   Instant
}

// reaches reports whether this version may change a window: one that opens on
// or after the day on which the version takes effect, and had not opened when
// it was adopted. The first version applies to everything.
func (in *InForce) reaches(w Window) bool {
	return in.EffectiveOn == 0 || w.OpensOn >= in.EffectiveOn && w.OpensAt() > in.AdoptedAt
}

// Current is the version put in force last, or nil before the first.
func (h *History) Current() *InForce {
	if h == nil || len(h.versions) == 0 {
		return nil
	}
	return &h.versions[len(h.versions)-1]
}

// Versions are all versions, first to last.
func (h *History) Versions() []InForce { return h.versions }

// stamp identifies the fold version and this history, for snapshots.
func (h *History) stamp() string { return h.mark }

// protocol is the version of this name; versions are unique within a study.
func (h *History) protocol(version string) *Protocol {
	for i := range h.versions {
		if h.versions[i].Version == version {
			return h.versions[i].Protocol
		}
	}
	return h.versions[0].Protocol
}

// visitFor is the visit as it applies to this participant: an amendment
// changes a visit only where it reaches its window, as made so far. A visit
// that only a later version has applies when that one reaches it; one that a
// later version dropped stays where it had opened before.
func (h *History) visitFor(code string, p *Participant) (v Visit, version string, ok bool) {
	for i := range h.versions {
		in := &h.versions[i]
		if ok && !in.reaches(p.window(v)) {
			return v, version, true
		}
		newer, _, has := in.Visit(code)
		has = has && newer.Cycle <= len(p.Cycles)
		switch {
		case has && (ok || in.reaches(p.window(newer))):
			v, version, ok = newer, in.Version, true
		case !has:
			ok = false
		}
	}
	return v, version, ok
}

// UpTo is the history as it was recorded by the cut; the zero time is all of it.
func (h *History) UpTo(cut time.Time) *History {
	if h == nil || cut.IsZero() {
		return h
	}
	n := slices.IndexFunc(h.versions, func(in InForce) bool { return in.AdoptedAt.Time().After(cut) })
	if n < 0 {
		return h
	}
	return newHistory(h.versions[:n])
}

// visitCodes are the codes of all visits of all versions: those of the current
// version in its order, then those that it dropped.
func (h *History) visitCodes() []string {
	var codes []string
	for i := len(h.versions) - 1; i >= 0; i-- {
		for _, v := range h.versions[i].Visits {
			if !slices.Contains(codes, v.Code) {
				codes = append(codes, v.Code)
			}
		}
	}
	return codes
}

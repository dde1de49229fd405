package export

import (
	"cmp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"epro/scoring"
	"epro/study"
)

// Manifest is manifest.json of an archive: what is in it, and what it was made
// from. It does not say when it was made, so that the same cut gives the same
// bytes.
type Manifest struct {
	ExportID      string             `json:"export_id"`
	Study         string             `json:"study"`
	Cut           study.Instant      `json:"cut"`
	Final         bool               `json:"final"` // nothing can be recorded before the cut any more
	Through       string             `json:"through"`
	Demonstration Demonstration      `json:"demonstration"` // what was done with forms shown without a licensed wording pack
	Deterioration string             `json:"deterioration"` // how tte counts
	Simulated     bool               `json:"simulated"`     // the study is a simulated one, no real person's
	Program       string             `json:"program"`
	Instrument    string             `json:"instrument"`
	Scoring       string             `json:"scoring"`
	Protocols     []ManifestProtocol `json:"protocols"`
	Packs         []string           `json:"wording_packs"` // shown with the forms in the archive
	Participants  int                `json:"participants"`
	LeftOut       []string           `json:"left_out"`
	Files         []ManifestFile     `json:"files"`
	NotWritten    []ManifestRefusal  `json:"not_written"`
}

// ManifestProtocol is a protocol version that was in force at the cut.
type ManifestProtocol struct {
	Version     string `json:"version"`
	EffectiveOn string `json:"effective_on"` // empty: from the beginning
	SHA256      string `json:"sha256"`
}

// ManifestFile is a data file of the archive.
type ManifestFile struct {
	Name    string `json:"name"`
	Dataset string `json:"dataset"`
	Format  string `json:"format"`
	Rows    int    `json:"rows"`
	Columns int    `json:"columns"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
}

// ManifestRefusal is a dataset that a format cannot hold, and why.
type ManifestRefusal struct {
	Dataset string `json:"dataset"`
	Format  string `json:"format"`
	Why     string `json:"why"`
}

// manifest describes the archive of these files.
func (e *Export) manifest(spools []*spool) ([]byte, error) {
	s, current := e.summary, e.history.Current()
	m := Manifest{ExportID: s.ExportID, Study: current.Study, Cut: study.InstantOf(s.Cut.At), Final: s.Cut.Final, Through: s.Through.String(),
		Demonstration: s.Demonstration, Deterioration: cmp.Or(e.options.ruleText(), "by default"), Simulated: e.simulated, Program: s.Program, Instrument: current.Instrument.ID + " " + current.Instrument.Version,
		Scoring: scoring.Version, Packs: e.packs(), Participants: s.Participants, LeftOut: s.LeftOut.Sentences()}
	for _, v := range e.history.Versions() {
		m.Protocols = append(m.Protocols, ManifestProtocol{v.Version, v.EffectiveOn.String(), v.Hash.String()})
	}
	for _, f := range spools {
		m.Files = append(m.Files, ManifestFile{f.name, f.part.dataset.Name, f.format.Name, f.part.seen.rows, len(f.part.dataset.Columns), f.size, hexOf(f.sum)})
	}
	for _, f := range e.formats() {
		for _, p := range e.parts {
			if why := p.cannot(f); why != "" {
				m.NotWritten = append(m.NotWritten, ManifestRefusal{p.dataset.Name, f.Name, why})
			}
		}
	}
	raw, err := json.Marshal(m, jsontext.WithIndent("  "), json.FormatNilSliceAsNull(false))
	return append(raw, '\n'), err
}

// lower is a name in small letters, as files are called.
func lower(name string) string { return strings.ToLower(name) }

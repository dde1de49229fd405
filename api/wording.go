package api

import (
	"context"

	"epro/instruments/wording"
	"epro/study"
)

// WordingPack is a pack of licensed text, without the text.
type WordingPack struct {
	Pack              string              `json:"pack" doc:"Its name: id and version."`
	Instrument        string              `json:"instrument"`
	InstrumentVersion string              `json:"instrument_version"`
	Language          string              `json:"language"`
	Source            string              `json:"source"`
	Hash              string              `json:"hash" doc:"SHA-256 of the pack's canonical JSON (RFC 8785)."`
	Status            study.WordingStatus `json:"status" enum:"waiting,in_use,replaced,not_yet,expired,refused,withdrawn"`
	Licence           wording.Licence     `json:"licence"`
	ImportedAt        study.Instant       `json:"imported_at" format:"date-time"`
	ImportedBy        study.ActorRef      `json:"imported_by"`
	Decisions         []WordingDecision   `json:"decisions"`
	Warnings          []string            `json:"warnings" doc:"What somebody should see to before it is too late."`
}

// WordingDecision is what somebody said of a pack.
type WordingDecision struct {
	Approve bool           `json:"approve"`
	At      study.Instant  `json:"at" format:"date-time"`
	By      study.ActorRef `json:"by"`
	Reason  string         `json:"reason,omitempty"`
}

// WordingPackText is a pack with its text, as a second person reads it.
type WordingPackText struct {
	WordingPack
	Questionnaire *Questionnaire    `json:"questionnaire" doc:"As it would be shown."`
	QSTest        map[string]string `json:"qstest,omitempty" doc:"SDTM test names by item."`
}

func (s *Server) packOf(st *study.Study, p *study.WordingPack) WordingPack {
	now := study.InstantOf(s.now())
	out := WordingPack{Pack: p.Name(), Instrument: p.Instrument, InstrumentVersion: p.InstrumentVersion, Language: p.Language, Source: p.Source,
		Hash: p.Hash.String(), Status: st.WordingStatus(p, now), Licence: p.Licence, ImportedAt: p.ImportedAt, ImportedBy: p.ImportedBy,
		Decisions: []WordingDecision{}, Warnings: st.Warnings(p, now)}
	for _, d := range p.Decisions {
		out.Decisions = append(out.Decisions, WordingDecision(d))
	}
	return out
}

type packOutput struct{ Body WordingPack }

func (s *Server) wordingPacks(ctx context.Context, in *Paged) (*listOutput[WordingPack], error) {
	st, err := s.study.WordingPacks(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	items := make([]WordingPack, len(st.Wording))
	for i := range st.Wording {
		items[i] = s.packOf(st, &st.Wording[i])
	}
	return pageOf(*in, items, func(p WordingPack) string { return p.Hash })
}

// importPackInput is the pack's file as it is: package wording names every
// fault of it at once, where the decoder would stop at the first.
type importPackInput struct {
	RawBody []byte `contentType:"application/json"`
}

func (s *Server) importPack(ctx context.Context, in *importPackInput) (*packOutput, error) {
	st, pack, err := s.study.ImportWording(ctx, requestOf(ctx), in.RawBody)
	if err != nil {
		return nil, err
	}
	return &packOutput{s.packOf(st, pack)}, nil
}

// PackPath names a wording pack in the path.
type PackPath struct {
	Pack string `path:"pack" maxLength:"80"`
}

type packTextOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         WordingPackText
}

func (s *Server) wordingPack(ctx context.Context, in *PackPath) (*packTextOutput, error) {
	st, pack, err := s.study.WordingPack(ctx, actorOf(ctx), in.Pack)
	if err != nil {
		return nil, err
	}
	q, err := render(study.InstrumentRef{}, pack.Wording())
	return &packTextOutput{"no-store", WordingPackText{WordingPack: s.packOf(st, pack), Questionnaire: q, QSTest: pack.QSTest}}, err
}

type decidePackInput struct {
	PackPath
	Body struct {
		Approve bool   `json:"approve" doc:"False: it may not be shown, or not any more."`
		Reason  string `json:"reason,omitempty" doc:"Needed when approve is false."`
	}
}

func (s *Server) decidePack(ctx context.Context, in *decidePackInput) (*packOutput, error) {
	st, pack, err := s.study.DecideWording(ctx, requestOf(ctx), study.DecideWording{Pack: in.Pack, Approve: in.Body.Approve, Reason: in.Body.Reason})
	if err != nil {
		return nil, err
	}
	return &packOutput{s.packOf(st, pack)}, nil
}

package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"epro/instruments/wording"
	"epro/study"
)

// Questionnaire is an instrument with its wording in one language.
type Questionnaire struct {
	ID          string          `json:"id"`
	Version     string          `json:"version"`
	RecallDays  int             `json:"recall_days"`
	Recall      string          `json:"recall" doc:"The period that the answers are about, to be shown with every item."`
	Instruction string          `json:"instruction"`
	Subscales   []QSubscale     `json:"subscales"`
	Items       []QItem         `json:"items"`
	Wording     QuestionWording `json:"wording"`
}

// QSubscale is a section of the questionnaire.
type QSubscale struct {
	Code  string   `json:"code"`
	Name  string   `json:"name"`
	Items []string `json:"items"`
}

// QItem is one question. OptOut is the box that says "I prefer not to answer".
type QItem struct {
	Code     string    `json:"code"`
	Subscale string    `json:"subscale"`
	Text     string    `json:"text"`
	Choices  []QChoice `json:"choices"`
	OptOut   *QOptOut  `json:"opt_out,omitempty"`
}

// QChoice is one answer that can be given.
type QChoice struct {
	Value int    `json:"value"`
	Label string `json:"label"`
}

// QOptOut is a box that stands in for an answer.
type QOptOut struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// QuestionWording says whose words these are.
type QuestionWording struct {
	Pack      string `json:"pack" doc:"Its name, to be sent back with progress and with the form."`
	Hash      string `json:"hash,omitempty" doc:"SHA-256 of the licensed pack."`
	Language  string `json:"language"`
	Direction string `json:"direction" enum:"ltr,rtl"`
	Licensed  bool   `json:"licensed"`
	Banner    string `json:"banner,omitempty" doc:"Shown on every screen of an unlicensed questionnaire."`
	Copyright string `json:"copyright" doc:"Shown on every screen of the questionnaire."`
}

type questionnaireInput struct {
	Instrument  string `path:"instrument"`
	Lang        string `query:"lang" doc:"BCP 47; empty: the participant's language, else English. Served is the licensed text nearest to it (the same script; the same region first), else our own labels."`
	Pack        string `query:"pack" maxLength:"80" doc:"A wording pack by name, such as an assessment's wording_pack: a running form stays on the text that it was opened with."`
	IfNoneMatch string `header:"If-None-Match"`
}

type questionnaireOutput struct {
	Status       int
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         *Questionnaire
}

func (s *Server) questionnaire(ctx context.Context, in *questionnaireInput) (*questionnaireOutput, error) {
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	ref := h.Current().Instrument
	if in.Instrument != ref.ID {
		return nil, study.Fail(study.NotFound, "This study does not use that questionnaire; it uses "+ref.ID+".")
	}
	lang, err := s.language(ctx, in.Lang)
	if err != nil {
		return nil, err
	}
	text, err := s.study.Wording(ctx, actorOf(ctx), lang, in.Pack)
	if err != nil {
		return nil, err
	}
	q, err := render(ref, text)
	if err != nil {
		return nil, err
	}
	raw, err := encode(q)
	if err != nil {
		return nil, err
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(raw))[:18] + `"`
	out := &questionnaireOutput{Status: http.StatusOK, ETag: tag, CacheControl: "private, no-cache", Body: q}
	if matchesTag(in.IfNoneMatch, tag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

// matchesTag reports whether an If-None-Match names the tag: it may hold several,
// weak ones, or a star (RFC 9110 §13.1.2).
func matchesTag(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// language is the one asked for, else the participant's own, else English.
func (s *Server) language(ctx context.Context, asked string) (string, error) {
	by := actorOf(ctx)
	if asked != "" || by.Role != study.RoleParticipant {
		if asked == "" {
			asked = "en"
		}
		return asked, nil
	}
	p, err := s.study.Participant(ctx, by, by.Participant)
	if err != nil {
		return "", err
	}
	return p.Language, nil
}

// render joins the instrument's structure with its words. They are text: a page
// that shows them as anything else breaks its own policy.
func render(ref study.InstrumentRef, w *study.Wording) (*Questionnaire, error) {
	l := w.Text
	if w.Licensed { // our own labels serve a questionnaire and its parts
		ref = study.InstrumentRef{ID: l.Instrument, Version: l.InstrumentVersion}
	}
	ins, ok := study.InstrumentOf(ref.ID, ref.Version)
	if !ok {
		return nil, fmt.Errorf("instrument %s %s is unknown", ref.ID, ref.Version)
	}
	q := &Questionnaire{ID: ins.ID, Version: ins.Version, RecallDays: ins.RecallDays, Recall: l.Recall, Instruction: l.Instructions,
		Wording: QuestionWording{Pack: w.Pack, Language: l.Language, Direction: wording.Direction(l.Language),
			Licensed: w.Licensed, Banner: w.Banner, Copyright: l.Copyright}}
	if w.Licensed {
		q.Wording.Hash = w.Hash.String()
	}
	for _, sub := range ins.Subscales {
		q.Subscales = append(q.Subscales, QSubscale{Code: sub.Code, Name: l.Sections[sub.Code], Items: sub.Items})
	}
	choices := make([]QChoice, len(ins.Choices))
	for i, c := range ins.Choices {
		choices[i] = QChoice{Value: c.Value, Label: l.Options[i]}
	}
	for _, item := range ins.Items {
		qi := QItem{Code: item.Code, Subscale: item.Subscale, Text: l.Items[item.Code], Choices: choices}
		if item.OptOut != "" {
			qi.OptOut = &QOptOut{Code: item.OptOut, Text: l.OptOut[item.OptOut]}
		}
		q.Items = append(q.Items, qi)
	}
	return q, nil
}

package web

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"epro/study"
)

// certified is a form with everything that the record says of it: as shown, all
// times with their zone, its history with signatures and hashes.
type certified struct {
	Study       string              `json:"study"`
	Protocol    string              `json:"protocol"`
	Site        study.SiteCode      `json:"site"`
	Participant study.ParticipantID `json:"participant_id"`
	Number      string              `json:"number"`
	TimeZone    string              `json:"time_zone"`
	Visit       string              `json:"visit"`
	Form        study.SubmissionID  `json:"submission_id"`
	Wording     string              `json:"wording_pack"`
	Copyright   string              `json:"copyright"`
	State       string              `json:"state"`
	Items       []certifiedItem     `json:"items,omitzero"` // for whoever may see answers
	Events      []certifiedEvent    `json:"events"`
	MadeAt      study.Instant       `json:"made_at"`
	MadeBy      string              `json:"made_by"`
}

type certifiedItem struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Answer string `json:"answer"` // a choice, x for skipped, q for the box that excuses
}

type certifiedEvent struct {
	study.Event
	Hash study.Hash `json:"hash"`
}

func (d *desk) copyJSON(v *visit) error {
	p, h, a, f, err := d.one(v)
	if err != nil {
		return err
	}
	record, err := d.Study.FormRecord(v.UserContext(), v.by, p.ID, f.ID)
	if err != nil {
		return err
	}
	words, err := d.wording(v, p.Language, f.Pack)
	if err != nil {
		return err
	}
	out := certified{Study: h.Current().Study, Protocol: a.Protocol, Site: p.Site, Participant: p.ID, Number: p.Number, TimeZone: p.TimeZone, Visit: a.Visit,
		Form: f.ID, Wording: f.Pack, Copyright: words.Text.Copyright, State: formWord(f, a.Standing()), MadeAt: study.InstantOf(d.Now()), MadeBy: v.page.Staff.Username}
	if ins, ok := study.InstrumentOf(f.Instrument, f.Version); ok && h.SeesAnswers(v.by) {
		for i, row := range sheetOf(ins, words) {
			out.Items = append(out.Items, certifiedItem{row.Code, row.Text, answerWord(f.Answers[i])})
		}
	}
	for _, e := range record {
		out.Events = append(out.Events, certifiedEvent{e.Event, e.Hash})
	}
	raw, err := json.Marshal(out, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.json"`, f.ID))
	return v.Status(http.StatusOK).Send(raw)
}

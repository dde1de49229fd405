// Package certify makes certified copies of forms: everything that the record
// says of one form, checked against the record's chain, as data and as a PDF
// that an inspector can read without this program.
package certify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"epro/instruments"
	"epro/study"
)

// Copy is a form with everything that the record says of it: as shown, all
// times with their zone, its history with signatures and hashes.
type Copy struct {
	Study        string              `json:"study"`
	Protocol     string              `json:"protocol"` // that the visit's window was made from
	ProtocolHash study.Hash          `json:"protocol_hash"`
	Site         study.SiteCode      `json:"site"`
	SiteName     string              `json:"site_name"`
	SiteLanguage string              `json:"site_language"`
	Participant  study.ParticipantID `json:"participant_id"`
	Number       string              `json:"number"`
	TimeZone     string              `json:"time_zone"`

	Assessment study.AssessmentID `json:"assessment_id"`
	Visit      string             `json:"visit"`
	VisitName  string             `json:"visit_name"` // in the site's language
	OpensOn    study.Date         `json:"opens_on"`
	DueOn      study.Date         `json:"due_on"`
	ClosesOn   study.Date         `json:"closes_on"`

	Form              study.SubmissionID `json:"submission_id"`
	Revision          int                `json:"revision"`
	State             State              `json:"state"`
	HeldCause         study.HeldCause    `json:"held_cause,omitzero"`
	Instrument        string             `json:"instrument"`
	InstrumentVersion string             `json:"instrument_version"`
	Mode              study.Mode         `json:"mode"`
	Assistance        study.Assistance   `json:"assistance,omitzero"`
	EnteredBy         string             `json:"entered_by"`
	Flags             []study.Flag       `json:"flags"`
	Digest            study.Hash         `json:"digest"`

	StartedAt   study.Instant `json:"started_at"`
	CompletedAt study.Instant `json:"completed_at"` // by the server's clock
	SaidAt      study.Instant `json:"said_at"`      // completion as the phone said
	SentAt      study.Instant `json:"sent_at,omitzero"`
	ReceivedAt  study.Instant `json:"received_at"`

	Wording       string     `json:"wording_pack"`
	WordingHash   study.Hash `json:"wording_hash,omitzero"` // of a licensed pack
	Copyright     string     `json:"copyright"`
	Demonstration bool       `json:"demonstration"`
	// WordingEnded: the pack's licence no longer allows its text to be printed.
	WordingEnded bool `json:"wording_ended,omitzero"`

	// Complete: answers and scores are part of this copy, because whoever made
	// it may see them.
	Complete bool    `json:"complete"`
	Items    []Item  `json:"items,omitzero"`
	Scoring  string  `json:"scoring_version"`
	Scores   []Score `json:"scores,omitzero"`

	Events []Event       `json:"events"`  // of the participant's record, those about this form
	Seq    uint64        `json:"seq"`     // the last event of the participant's record
	Head   study.Hash    `json:"head"`    // its hash, which vouches for all events before it
	LastAt study.Instant `json:"last_at"` // when that event was recorded

	Program string        `json:"program"`
	MadeAt  study.Instant `json:"made_at"`
	MadeBy  string        `json:"made_by"`
}

// State is what a form counts for.
type State string

// The states of a form exclude each other.
const (
	Counts      State = "counts"
	Held        State = "held"
	Rejected    State = "rejected"
	Void        State = "void"
	NotStanding State = "does_not_count" // another form of the visit does
)

// Item is an answer as it stands.
type Item struct {
	Code   string `json:"code"`
	Text   string `json:"text"`   // empty where the wording may not be shown
	Answer string `json:"answer"` // a choice, x for skipped, q for the box that excuses
	Label  string `json:"label"`  // of the choice, as it was shown
}

// Score is one score as it stands.
type Score struct {
	Code     string   `json:"code"`
	Value    *float64 `json:"value"` // not rounded; null when missing
	Answered int      `json:"answered"`
	Items    int      `json:"items"`
	Prorated bool     `json:"prorated"`
	Missing  string   `json:"missing,omitzero"` // why
}

// Event is an event about the form, with who it was in words and each field's
// earlier value.
type Event struct {
	study.Event
	Hash    study.Hash `json:"hash"`
	Who     string     `json:"who"`
	Changes []Change   `json:"changes"`
}

// Request is who asks for a copy of which form.
type Request struct {
	By          study.Actor
	Participant study.ParticipantID
	Form        study.SubmissionID
	Program     string // the version of this program
}

// Gather reads everything for a copy, and checks the participant's whole record
// on the way: an event that was changed, is missing or was put in makes no copy.
func Gather(ctx context.Context, svc *study.Service, r Request) (*Copy, error) {
	p, err := svc.Participant(ctx, r.By, r.Participant)
	if err != nil {
		return nil, err
	}
	record, err := svc.Record(ctx, r.By, p.ID, 0)
	if err != nil {
		return nil, err
	}
	if err := chained(record); err != nil {
		return nil, err
	}
	a, f := p.Submission(r.Form)
	if f == nil {
		return nil, study.Fail(study.NotFound, "There is no such form, or it is not yours to see.")
	}
	h, err := svc.History(ctx)
	if err != nil {
		return nil, err
	}
	last := record[len(record)-1]
	c := &Copy{Seq: last.Seq, Head: last.Hash, LastAt: last.At, Program: r.Program, MadeAt: study.InstantOf(svc.Now()), Complete: h.SeesAnswers(r.By)}
	c.about(h, p, a)
	c.form(a, f)
	names := &names{ctx, svc, map[string]string{}}
	c.EnteredBy, c.MadeBy = names.of(f.By), names.of(r.By.Ref())
	if site, err := svc.Site(ctx, r.By, p.Site); err == nil {
		c.SiteName, c.SiteLanguage = site.Name, site.Language
		c.VisitName = h.VisitName(p, a, site.Language)
	}
	if err := c.wording(ctx, svc, r.By, h, f); err != nil {
		return nil, err
	}
	c.history(record, names)
	return c, nil
}

// chained checks that each event follows the one before it, from the first on.
// The bytes of every event were compared with its hash when it was read.
func chained(record []study.ReadEvent) error {
	var prev study.Hash
	for i, e := range record {
		if e.Seq != uint64(i)+1 || e.Prev != prev {
			return fmt.Errorf("no certified copy of %s: event %d does not follow the one before it", e.Stream, e.Seq)
		}
		prev = e.Hash
	}
	if len(record) == 0 {
		return errors.New("no certified copy of a record without events")
	}
	return nil
}

func (c *Copy) about(h *study.History, p *study.Participant, a *study.Assessment) {
	c.Study, c.Protocol = h.Current().Study, a.Protocol
	for _, in := range h.Versions() {
		if in.Version == a.Protocol {
			c.ProtocolHash = in.Hash
		}
	}
	c.Site, c.Participant, c.Number, c.TimeZone = p.Site, p.ID, p.Number, p.TimeZone
	c.Assessment, c.Visit, c.VisitName = a.ID, a.Visit, h.VisitName(p, a, "en")
	c.OpensOn, c.DueOn, c.ClosesOn = a.Window.OpensOn, a.Window.DueOn, a.Window.ClosesOn
}

func (c *Copy) form(a *study.Assessment, f *study.Submission) {
	c.Form, c.Revision, c.State, c.HeldCause = f.ID, f.Revision, stateOf(a, f), f.HeldCause
	c.Instrument, c.InstrumentVersion, c.Mode, c.Assistance = f.Instrument, f.Version, f.Mode, f.Assistance
	c.Flags, c.Digest = append([]study.Flag{}, f.Flags...), f.Digest
	c.StartedAt, c.CompletedAt, c.SaidAt, c.SentAt, c.ReceivedAt = f.StartedAt, f.CompletedAt, f.SaidAt, f.SentAt, f.ReceivedAt
	c.Wording, c.WordingHash, c.Demonstration, c.Scoring = f.Pack, f.PackHash, f.Demonstration, f.Scoring
}

func stateOf(a *study.Assessment, f *study.Submission) State {
	switch {
	case f.Void != "":
		return Void
	case f.Held():
		return Held
	case f.Decision == study.Rejected:
		return Rejected
	case f != a.Standing():
		return NotStanding
	default:
		return Counts
	}
}

// wording adds the answers and scores with the words that they were given on,
// where both may be shown. A licence that has ended takes the text away, not
// the answers.
func (c *Copy) wording(ctx context.Context, svc *study.Service, by study.Actor, h *study.History, f *study.Submission) error {
	words, err := svc.ShownWording(ctx, by, f.Pack)
	if err != nil && !errors.Is(err, study.ErrNotFound) {
		return err
	}
	if words != nil {
		c.Copyright = words.Text.Copyright
		zone, err := study.LoadZone(h.Current().TimeZone)
		if err != nil {
			return err
		}
		if words.Licensed && !words.Text.Licence.Covers(c.MadeAt.Time().In(zone).Format(time.DateOnly)) {
			c.WordingEnded, words = true, nil
		}
	}
	ins, ok := study.InstrumentOf(f.Instrument, f.Version)
	if !c.Complete || !ok {
		return nil
	}
	for i, item := range ins.Items {
		row := Item{Code: item.Code, Answer: AnswerWord(f.Answers[i])}
		if words != nil {
			row.Text = words.Text.Items[item.Code]
			if at := slices.IndexFunc(ins.Choices, func(ch instruments.Choice) bool { return f.Answers[i].Answered() && ch.Value == int(f.Answers[i]) }); at >= 0 && at < len(words.Text.Options) {
				row.Label = words.Text.Options[at]
			}
			if f.Answers[i] == instruments.OptedOut {
				row.Label = words.Text.OptOut[item.OptOut]
			}
		}
		c.Items = append(c.Items, row)
	}
	return c.score(f)
}

// AnswerWord is an answer as staff type it: a choice, x for skipped, q for the
// box that excuses from the item.
func AnswerWord(a instruments.Answer) string {
	switch {
	case a.Answered():
		return fmt.Sprint(int(a))
	case a == instruments.OptedOut:
		return "q"
	default:
		return "x"
	}
}

func (c *Copy) score(f *study.Submission) error {
	scores, err := f.Scores(nil)
	if err != nil {
		return err
	}
	for i, code := range study.ScoreCodes(f.Instrument, f.Version) {
		s := Score{Code: code, Answered: int(scores[i].Answered), Items: int(scores[i].Items), Prorated: scores[i].Prorated}
		if scores[i].Missing == 0 {
			s.Value = &scores[i].Value
		} else {
			s.Missing = scores[i].Missing.String()
		}
		c.Scores = append(c.Scores, s)
	}
	return nil
}

func (c *Copy) history(record []study.ReadEvent, names *names) {
	trail := NewTrail()
	for _, e := range record {
		if formOf(e) == c.Form {
			c.Events = append(c.Events, Event{Event: e.Event, Hash: e.Hash, Who: names.of(e.Actor), Changes: trail.Next(e)})
		}
	}
}

// Record keeps in the study's record that this copy left the system: who made
// it, of which form, and its SHA-256, so that a copy can be compared with what
// was made.
func (c *Copy) Record(ctx context.Context, svc *study.Service, by study.Actor, format string, copied []byte) error {
	sum := sha256.Sum256(copied)
	hash := hex.EncodeToString(sum[:])
	return svc.RecordViewExport(ctx, study.Request{By: by}, study.DataExported{ExportID: hash[:16], Dataset: "certified_copy", Format: format,
		Options: map[string]string{"participant": string(c.Participant), "form": string(c.Form), "head": c.Head.String(), "sha256": hash}})
}

// names are the user names behind events.
type names struct {
	ctx   context.Context //nolint:containedctx // of one call of Gather
	svc   *study.Service
	known map[string]string
}

// of is who it was: a user name with the role, or the participant, or a part of
// this program.
func (n *names) of(who study.ActorRef) string {
	if who.Role == study.RoleParticipant {
		return string(who.Role)
	}
	if n.known[who.ID] == "" {
		n.known[who.ID] = who.ID
		if staff, err := n.svc.Staff(n.ctx, study.StaffID(who.ID)); err == nil && who.Role != study.RoleSystem {
			n.known[who.ID] = staff.Username
		}
	}
	return n.known[who.ID] + " (" + strings.ReplaceAll(string(who.Role), "_", " ") + ")"
}

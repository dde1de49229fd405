package certify

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// PDF is the copy on A4 pages, in the language of its site where the fonts can
// print it. The same copy gives the same bytes.
func (fonts *Fonts) PDF(c *Copy) ([]byte, error) {
	pages, escapes := 1, 0
	for {
		p := &printer{Copy: c, tongue: fonts.tongueOf(c.SiteLanguage), fonts: fonts, zone: zoneOf(c.TimeZone), escapes: escapes}
		raw, err := p.write(pages)
		if err != nil {
			return nil, err
		}
		n := p.sheet.pdf.PageNo()
		if n == pages && p.sheet.escapes == escapes {
			return raw, nil
		}
		pages, escapes = n, p.sheet.escapes // known now; written again with it
	}
}

// zoneOf is the zone by its name; UTC for one that this machine does not know.
func zoneOf(name string) *time.Location {
	if loc, err := study.LoadZone(name); err == nil {
		return loc
	}
	return time.UTC
}

// printer writes one copy.
type printer struct {
	*Copy
	tongue

	fonts   *Fonts
	zone    *time.Location
	sheet   *sheet
	escapes int // found the time before
}

func (p *printer) write(pages int) ([]byte, error) {
	s := newSheet(p.fonts, pages, p.LastAt.Time(), p.t("Certified copy")+" "+string(p.Form), p.lang)
	p.sheet = s
	s.head = func(page int) (left, right, foot string) {
		return p.t("Certified copy") + " · " + p.Study + " · " + string(p.Site) + " · " + p.Number + " · " + p.Visit,
			s.pageOf(p.t("page %d of %d"), page),
			p.t("Form") + " " + string(p.Form) + " · " + p.t("made") + " " + p.at(p.MadeAt) + " · " + p.MadeBy
	}
	s.page()
	p.top()
	p.facts()
	p.times()
	p.answers()
	p.scores()
	p.history()
	p.chain()
	p.statement()
	var out bytes.Buffer
	err := s.output(&out)
	return out.Bytes(), err
}

// at is an instant as the clock on the participant's wall showed it, with its
// distance from UTC.
func (p *printer) at(i study.Instant) string {
	if i.IsZero() {
		return ""
	}
	return i.Time().In(p.zone).Format("2006-01-02 15:04:05 -07:00")
}

func (p *printer) top() {
	s := p.sheet
	title := p.t("Certified copy of a filled questionnaire")
	if !p.Complete {
		title = p.t("Copy of a form's record, without answers")
	}
	s.text(title, style{size: 16, bold: true})
	s.space(2)
	note := style{size: 9, bold: true}
	if p.Demonstration {
		s.text(p.t("Demonstration: filled on our own short labels, not on a licensed questionnaire."), note)
	}
	if p.State != Counts {
		s.text(p.t("This form does not count for its visit")+": "+p.state()+".", note)
	}
	if !p.Complete {
		s.text(p.t("Answers and scores are not on this copy, because the protocol does not show them to the role of whoever made it. Their digest is."), note)
	}
	if p.lang != tongueFor(p.SiteLanguage).lang {
		s.text(p.t("In English, because this server has no font for the site's language. Whoever runs it can name one (setting copy-font)."), note)
	}
	if p.escapes > 0 {
		s.text(fmt.Sprintf(p.t("%d characters could not be printed here. Each stands at its place as U+ and its number in Unicode, in square brackets; none is left out. The copy as JSON has them as they are."), p.escapes), note)
	}
}

// pairs writes names and values; those without a value are left out.
func (p *printer) pairs(pairs ...string) {
	t := p.sheet.table([]float64{46, textWidth - 46})
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			t.row(pairs[i], pairs[i+1])
		}
	}
}

func (p *printer) facts() {
	p.sheet.heading(p.t("What was filled, and by whom"))
	p.pairs(
		p.t("Study"), p.Study,
		p.t("Protocol version"), p.Protocol+" · SHA-256 "+p.ProtocolHash.String(),
		p.t("Site"), strings.TrimSuffix(string(p.Site)+" · "+p.SiteName, " · "),
		p.t("Participant"), p.Number+" · "+string(p.Participant),
		p.t("Visit"), p.Visit+" · "+p.VisitName,
		p.t("Window"), fmt.Sprintf(p.t("opens %s, due %s, last day %s (dates at the participant's home)"), p.OpensOn, p.DueOn, p.ClosesOn),
		p.t("Form"), string(p.Form),
		p.t("Revision"), strconv.Itoa(p.Revision),
		p.t("State"), p.state(),
		p.t("Instrument"), p.Instrument+" "+p.t("version")+" "+p.InstrumentVersion,
		p.t("Wording"), p.wordingLine(),
		p.t("Copyright"), p.Copyright,
		p.t("How it was filled"), p.word(string(p.Mode)),
		p.t("Help"), p.word(string(p.Assistance)),
		p.t("Entered by"), p.who(p.EnteredBy),
		p.t("Flags"), p.list(p.Flags),
		p.t("Digest of what was sent"), p.Digest.String(),
	)
}

func (p *printer) state() string {
	said := p.word(string(p.State))
	if p.HeldCause != "" {
		said += " (" + p.t("was held") + ": " + p.word("held_"+string(p.HeldCause)) + ")"
	}
	return said
}

func (p *printer) wordingLine() string {
	if p.WordingHash == (study.Hash{}) {
		return p.Wording
	}
	return p.Wording + " · SHA-256 " + p.WordingHash.String()
}

func (p *printer) list(flags []study.Flag) string {
	said := make([]string, len(flags))
	for i, f := range flags {
		said[i] = p.word(string(f))
	}
	return strings.Join(said, ", ")
}

func (p *printer) times() {
	p.sheet.heading(p.t("Times"))
	both := func(i study.Instant) string {
		if i.IsZero() {
			return ""
		}
		return p.at(i) + " · " + i.String()
	}
	p.pairs(
		p.t("Time zone"), p.TimeZone+" · "+p.t("each time stands with its distance from UTC, then in UTC"),
		p.t("Started"), both(p.StartedAt),
		p.t("Completed"), both(p.CompletedAt),
		p.t("Completed, by the phone"), both(p.SaidAt),
		p.t("Sent, by the phone"), both(p.SentAt),
		p.t("Received"), both(p.ReceivedAt),
	)
}

func (p *printer) answers() {
	if len(p.Items) == 0 {
		return
	}
	p.sheet.heading(fmt.Sprintf(p.t("Answers as they stand (revision %d)"), p.Revision))
	switch {
	case p.WordingEnded:
		p.sheet.text(p.t("The licence of the wording has ended, so that its text is not printed; the pack is named above with its hash."), body)
	case p.Items[0].Text == "":
		p.sheet.text(p.t("The text of the wording is not in this store; the pack is named above."), body)
	}
	t := p.sheet.table([]float64{16, 104, 54}, p.t("Item"), p.t("As it was shown"), p.t("Answer"))
	for _, item := range p.Items {
		t.row(item.Code, item.Text, p.answer(item))
	}
}

// answer is an answer in words: the choice's number, then its label.
func (p *printer) answer(i Item) string {
	said := i.Answer
	switch i.Answer {
	case "x":
		said = p.t("not answered")
	case "q":
		said = p.t("box ticked: does not answer")
	}
	switch {
	case i.Label == "":
		return said
	case strings.HasPrefix(i.Label, i.Answer+" "): // it names its own number
		return i.Label
	}
	return said + " · " + i.Label
}

func (p *printer) scores() {
	if len(p.Scores) == 0 {
		return
	}
	p.sheet.heading(fmt.Sprintf(p.t("Scores (rules: version %s)"), p.Scoring))
	t := p.sheet.table([]float64{30, 50, 40, 54}, p.t("Scale"), p.t("Score, not rounded"), p.t("Items answered"), p.t("Note"))
	for _, sc := range p.Scores {
		value, note := p.t("missing"), p.word(sc.Missing)
		if sc.Value != nil {
			value = strconv.FormatFloat(*sc.Value, 'g', -1, 64)
		}
		if sc.Prorated {
			note = p.t("prorated")
		}
		t.row(sc.Code, value, fmt.Sprintf(p.t("%d of %d"), sc.Answered, sc.Items), note)
	}
}

func (p *printer) history() {
	p.sheet.heading(p.t("History: who did what, when and why"))
	t := p.sheet.table([]float64{9, 42, 33, 90}, p.t("No."), p.t("When"), p.t("Who"), p.t("What · old → new · why"))
	for _, e := range p.Events {
		t.row(strconv.FormatUint(e.Seq, 10), p.at(e.At), p.who(e.Who), strings.Join(p.told(e), "\n"))
	}
}

// told is what an event says, line by line.
func (p *printer) told(e Event) []string {
	lines := []string{p.word(string(e.Type))}
	var stated []string
	for _, c := range e.Changes {
		if c.Earlier {
			lines = append(lines, p.field(c.Field)+": "+p.value(c.Field, c.Was)+" → "+p.value(c.Field, c.Now))
			continue
		}
		stated = append(stated, p.field(c.Field)+": "+p.value(c.Field, c.Now))
	}
	if len(stated) > 0 {
		lines = append(lines, strings.Join(stated, "; "))
	}
	if e.Reason != "" {
		lines = append(lines, p.t("Why")+": "+e.Reason)
	}
	if e.Signature != "" {
		lines = append(lines, p.t("Signed, with the password given again")+": "+p.word(string(e.Signature)))
	}
	return append(lines, "SHA-256 "+e.Hash.String())
}

// field is a member of a payload as a reader calls it.
func (p *printer) field(name string) string {
	kind, rest, nested := strings.Cut(name, ".")
	if !nested {
		return p.word(name)
	}
	return p.word(kind) + " " + strings.ReplaceAll(rest, ".", " ")
}

// value is a member's value: stored words in the reader's language, all else as
// it is.
func (p *printer) value(field, value string) string {
	switch kind, _, _ := strings.Cut(field, "."); kind {
	case "mode", "assistance", "cause", "item", "scores", "accept", "counted", "demonstration":
		return p.word(value)
	case "held_cause":
		return p.word("held_" + value)
	case "flags":
		said := strings.Split(value, ", ")
		for i := range said {
			said[i] = p.word(said[i])
		}
		return strings.Join(said, ", ")
	default:
		return value
	}
}

func (p *printer) chain() {
	p.sheet.heading(p.t("The record that this copy was made from"))
	p.pairs(
		p.t("Record"), string(p.Participant.Stream()),
		p.t("Events"), fmt.Sprintf(p.t("1 to %d, the last of %s"), p.Seq, p.at(p.LastAt)),
		p.t("Hash of the last event"), p.Head.String(),
	)
	p.sheet.space(1)
	p.sheet.text(p.t("Each event's hash (SHA-256) covers its own content and the hash of the event before it, so that the last hash vouches for all of them."), body)
}

func (p *printer) statement() {
	s := p.sheet
	s.room(58)
	s.heading(p.t("Statement"))
	certified := p.t("This copy was made by the program epro from the electronic record of the study. Before it was made, every event of the participant's record was read, compared with its hash, and found to follow the one before it. It has everything that the record says of this form: the content, who entered it and when, every change with what was there before, the reasons, and the signatures.")
	if !p.Complete {
		certified = p.t("This copy was made by the program epro from the electronic record of the study. Before it was made, every event of the participant's record was read, compared with its hash, and found to follow the one before it. It has what the record says of this form without its answers and scores.")
	}
	s.text(certified, style{size: 9})
	s.space(2)
	p.pairs(p.t("Made by"), p.who(p.MadeBy), p.t("Made at"), p.at(p.MadeAt)+" · "+p.MadeAt.String(), p.t("Program"), "epro "+p.Program)
	s.space(14)
	s.text(p.t("On paper: name, signature, date")+"  ____________________________________________________", style{size: 9})
}

package study

// Opening is a form that was begun and not received yet: which text it is
// filled in with, whatever is approved or withdrawn in the meantime.
type Opening struct {
	Pack string  `json:"pack"`
	At   Instant `json:"at"` // as the phone said
}

// OpenAssessment says that the participant has begun a form, and with which
// text. Only the first time is recorded; a form that the phone filled without
// saying so is as good.
type OpenAssessment struct {
	Assessment AssessmentID
	Pack       string // as fetched; empty: the one that is served in her language
	OpenedAt   Instant
}

func (OpenAssessment) action() Action { return SubmitOwn }
func (OpenAssessment) why() string    { return "" }
func (c OpenAssessment) decide(p *Participant, s *Situation) (Payload, error) {
	a := p.Assessment(c.Assessment)
	if a == nil {
		return nil, notFound("assessment")
	}
	if !p.CanOpen(a, s.Now) {
		return nil, nil
	}
	at := min(c.OpenedAt, s.Now)
	text, err := s.text(p, a, nil, c.Pack, at)
	if err != nil {
		return nil, err
	}
	if c.Pack == "" && !text.Licensed && s.History.Current().requiresLicence() {
		return nil, errUnlicensed() // one that she names is on her screen: that is a fact
	}
	return AssessmentOpened{AssessmentID: a.ID, WordingPack: text.Pack, OpenedAt: at}, nil
}

// CanOpen reports whether a form can be begun: its window is open, and none is
// begun or received.
func (p *Participant) CanOpen(a *Assessment, now Instant) bool {
	status := p.AssessmentStatus(a, now.Time())
	return a.Opening == nil && a.electronic() == nil && (status == Open || status == Overdue)
}

// text is what a form is or was filled in with: as named, else as it was opened
// with, else as it was served at the instant in the participant's language, or
// in English where there is nothing in hers.
func (s *Situation) text(p *Participant, a *Assessment, opened *Opening, named string, at Instant) (*Wording, error) {
	switch {
	case named != "":
		return s.Wording.knownByName(named, "wording_pack")
	case opened != nil:
		return s.Wording.knownByName(opened.Pack, "wording_pack")
	}
	protocol := s.History.protocol(a.Protocol)
	if text := s.Wording.served(protocol, p.Language, at); text != nil {
		return text, nil
	}
	return labelsIn("en"), nil
}

func (p *Participant) opened(h *History, v AssessmentOpened) error {
	a, err := p.asked(h, v.AssessmentID)
	if err != nil {
		return err
	}
	a.Opening = &Opening{Pack: v.WordingPack, At: v.OpenedAt}
	return nil
}

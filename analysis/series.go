package analysis

import "epro/study"

// series are a person's valid forms after baseline, for one score, and what
// ends them.
type series struct {
	base   *Form
	forms  []*Form
	fell   []bool
	gap    int        // the first form after two or more missed, or -1
	diedOn study.Date // none if it came after the forms were cut
	cut    bool       // by progression or new therapy
}

func (p *Plan) series(q *Person, score int, r Rule) series {
	s := series{base: q.Baselines[score].Form, gap: -1, diedOn: q.DiedOn}
	until := study.Date(0)
	if r.Progression == AsCensored {
		until = earliest(q.ProgressedOn, q.NewTherapyOn)
	}
	if until != 0 {
		s.cut = true
		if s.diedOn > until {
			s.diedOn = 0
		}
	}
	previous := s.base
	for i := range q.Forms {
		f := &q.Forms[i]
		change, there := q.Change(f, score)
		if !there || until != 0 && f.CompletedOn > until {
			continue
		}
		if s.gap < 0 && q.missedBetween(previous, f, score) >= 2 {
			s.gap = len(s.forms)
		}
		s.forms, s.fell = append(s.forms, f), append(s.fell, reaches(-change, r.Threshold))
		previous = f
	}
	return s
}

// missedBetween counts the visits due between those of two forms that gave no
// valid form. Two forms that follow each other have none but missed between.
func (q *Person) missedBetween(a, b *Form, score int) int {
	from, to := q.Visits[a.Visit].Window.DueOn, q.Visits[b.Visit].Window.DueOn
	n := 0
	for i := range q.Visits {
		v := &q.Visits[i]
		_, valid := valueOf(v.Form, score)
		if v.Standing.Entered() && !valid && v.Window.DueOn > from && v.Window.DueOn < to {
			n++
		}
	}
	return n
}

// event is the place of the form that is the deterioration, or -1. Later forms
// are looked at even behind a gap: a recovery seen there is one.
func (s series) event(r Rule) int {
	last := len(s.fell) - 1
	switch r.Variant {
	case ConfirmedFall:
		for i, fell := range s.fell {
			if fell && (i < last && s.fell[i+1] || i == last && s.died()) {
				return i
			}
		}
		return -1
	case DefinitiveFall:
		at := -1
		for i := last; i >= 0 && s.fell[i]; i-- {
			at = i
		}
		return at
	default:
		for i, fell := range s.fell {
			if fell {
				return i
			}
		}
		return -1
	}
}

// died reports whether death came within 42 days of the last valid form.
func (s series) died() bool {
	return s.diedOn != 0 && s.diedOn-s.last() <= afterLastForm
}

// last is the day of the last valid form.
func (s series) last() study.Date { return s.before(len(s.forms)) }

// before is the day of the valid form before the one at i: of baseline before
// the first.
func (s series) before(i int) study.Date {
	if i == 0 {
		return s.base.CompletedOn
	}
	return s.forms[i-1].CompletedOn
}

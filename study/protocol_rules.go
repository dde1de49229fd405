package study

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Limits of a protocol's figures. They catch slips of the pen, not designs.
const (
	maxVisits    = maxItems
	maxLanguages = 40
	maxRegimens  = maxItems
	maxTextRunes = 200
	maxWindow    = 365  // days on either side of the due day
	maxOffset    = 3650 // days after the start of a cycle
)

// unwrittenForms stands for form rules that are not in the file. Nothing and
// zero are not the same there: with zero days every form would arrive late.
var unwrittenForms = FormRules{-1, -1, -1, -1, -1}

var (
	studyID     = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	visitCode   = regexp.MustCompile(`^[A-Z0-9]{1,16}$`)
	languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)
)

// faultList gathers what is wrong with a protocol.
type faultList []Field

// need notes a fault unless ok.
func (l *faultList) need(ok bool, path, reason string, args ...any) bool {
	if !ok {
		*l = append(*l, Field{Name: path, Reason: fmt.Sprintf(reason, args...)})
	}
	return ok
}

// between notes a fault unless n lies from least to most, both included.
func (l *faultList) between(n, least, most int, path string) bool {
	return l.need(n >= least && n <= most, path, "write a number from %d to %d", least, most)
}

// faults are everything that is wrong with the protocol.
func (p *Protocol) faults() []Field {
	var l faultList
	p.checkHead(&l)
	p.checkCycles(&l)
	p.checkVisits(&l)
	p.checkForms(&l)
	p.checkReminders(&l)
	p.checkAlerts(&l)
	return l
}

func (p *Protocol) checkHead(l *faultList) {
	l.need(studyID.MatchString(p.Study), "study", "name the study in 1 to 64 small letters, digits and hyphens")
	l.need(written(p.Version, 32), "version", "give the protocol a version of 1 to 32 characters, such as \"1.0\"")
	l.need(len([]rune(p.Title)) <= maxTextRunes, "title", "shorten the title to %d characters", maxTextRunes)
	_, err := LoadZone(p.TimeZone)
	l.need(err == nil, "time_zone", "%v", err)
	rules := []SignatureRule{"", SignaturesOptional, SignaturesRequired}
	l.need(slices.Contains(rules, p.Signatures), "signatures", "write optional or required")
	l.need(written(p.Instrument.ID, 64), "instrument.id", "name the instrument, such as fact-b")
	l.need(written(p.Instrument.Version, 32), "instrument.version", "give the version of the instrument, such as \"4\"")
	l.need(slices.Contains([]WordingRule{"", WordingOptional, WordingRequired}, p.Wording), "wording",
		"write required if no form may be opened without licensed wording, else optional")

	l.need(len(p.Languages) > 0 && len(p.Languages) <= maxLanguages, "languages", "list 1 to %d languages", maxLanguages)
	each(p.Languages, "languages", func(tag, path string, repeated bool) {
		l.need(languageTag.MatchString(tag), path, "write a language tag such as en, zh, zh-Hans or pt-BR")
		l.need(!repeated, path, "this language is in the list already; remove one of the two")
	})
	l.need(len(p.Regimens) > 0 && len(p.Regimens) <= maxRegimens, "regimens", "list 1 to %d regimens that a participant can have", maxRegimens)
	each(p.Regimens, "regimens", func(name, path string, repeated bool) {
		l.need(written(name, 64), path, "name the regimen in 1 to 64 characters, such as capecitabine")
		l.need(!repeated, path, "this regimen is in the list already; remove one of the two")
	})
}

// each calls f for every item of a list with its path, and tells whether an
// earlier item is the same.
func each[S ~string](items []S, list string, f func(item S, path string, repeated bool)) {
	seen := map[S]bool{}
	for i, item := range items {
		f(item, fmt.Sprintf("%s[%d]", list, i), seen[item])
		seen[item] = true
	}
}

// written reports whether the text says something, in one line of at most so
// many characters, without space around it.
func written(s string, most int) bool {
	return s != "" && strings.TrimSpace(s) == s && len([]rune(s)) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

func (p *Protocol) checkCycles(l *faultList) {
	c := p.Cycles
	length := l.between(c.LengthDays, 7, 90, "cycles.length_days")
	l.between(c.Count, 1, 60, "cycles.count")
	if l.between(c.MinGapDays, 1, 365, "cycles.min_gap_days") && length {
		l.need(c.MinGapDays <= c.LengthDays, "cycles.min_gap_days", "the shortest usual gap may not exceed length_days; lower it to %d or less", c.LengthDays)
	}
	if l.between(c.MaxGapDays, 1, 730, "cycles.max_gap_days") && length {
		l.need(c.MaxGapDays >= c.LengthDays, "cycles.max_gap_days", "the longest usual gap may not be below length_days; raise it to %d or more", c.LengthDays)
	}
	l.between(c.MaxShiftDays, 1, 3650, "cycles.max_shift_days")
}

func (p *Protocol) checkForms(l *faultList) {
	l.between(p.Forms.BaselineMaxAgeDays, 0, 365, "forms.baseline_max_age_days")
	l.between(p.Forms.GraceMinutes, 0, 24*60, "forms.grace_minutes")
	l.between(p.Forms.LateArrivalDays, 0, 365, "forms.late_arrival_days")
	l.between(p.Forms.ClockToleranceMinutes, 0, 24*60, "forms.clock_tolerance_minutes")
	l.between(p.Forms.RecallDays, 0, 90, "forms.recall_days")
	each(p.Visibility.AnswersFor, "visibility.answers_for", func(role Role, path string, repeated bool) {
		known := role == RoleCoordinator || role == RoleInvestigator || role == RoleMonitor
		l.need(known, path, "write coordinator, investigator or monitor; no other role works with single answers")
		l.need(!known || !repeated, path, "this role is in the list already; remove one of the two")
	})
}

func (p *Protocol) checkVisits(l *faultList) {
	if !l.need(len(p.Visits) > 0 && len(p.Visits) <= maxVisits, "visits", "list 1 to %d visits", maxVisits) {
		return
	}
	codes := map[string]bool{}
	for i, v := range p.Visits {
		path := fmt.Sprintf("visits[%d]", i)
		l.need(visitCode.MatchString(v.Code), path+".code", "write a code of 1 to 16 capital letters and digits, such as C3D1")
		l.need(!codes[v.Code] || v.Code == "", path+".code", "an earlier visit has this code; give each visit its own")
		codes[v.Code] = true
		p.checkNames(l, v, path+".names")
		p.checkWindow(l, v, path)
	}
	p.checkBaseline(l)
	p.checkOrder(l)
}

func (p *Protocol) checkNames(l *faultList, v Visit, path string) {
	languages := p.Languages[:min(len(p.Languages), maxLanguages)]
	for i, tag := range languages {
		if languageTag.MatchString(tag) && !slices.Contains(languages[:i], tag) {
			l.need(v.Names[tag] != "", path+"."+tag, "add the visit's name in this language; participants can choose it")
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(v.Names)) {
		l.need(languageTag.MatchString(tag), path+"."+tag, "write a language tag such as en, zh, zh-Hans or pt-BR before the name")
		l.need(v.Names[tag] == "" || written(v.Names[tag], maxTextRunes), path+"."+tag, "write the name in one line of at most %d characters", maxTextRunes)
	}
}

func (p *Protocol) checkWindow(l *faultList, v Visit, path string) {
	if p.Cycles.Count >= 1 && p.Cycles.Count <= 60 {
		l.between(v.Cycle, 1, p.Cycles.Count, path+".cycle")
	} else {
		l.need(v.Cycle >= 1, path+".cycle", "write the number of the cycle that the visit belongs to; the first is 1")
	}
	l.between(v.OffsetDays, -maxWindow, maxOffset, path+".offset_days")
	l.need(v.OpensDays <= 0 && v.OpensDays >= -maxWindow, path+".opens_days",
		"write a number from -%d to 0: the window opens so many days before the due day, or on it", maxWindow)
	l.need(v.ClosesDays >= 0 && v.ClosesDays <= maxWindow, path+".closes_days",
		"write a number from 0 to %d: the window closes so many days after the due day, or with it", maxWindow)
}

// checkBaseline looks at the visits that there can be only one of.
func (p *Protocol) checkBaseline(l *faultList) {
	baseline, final := -1, -1
	for i, v := range p.Visits {
		path := fmt.Sprintf("visits[%d]", i)
		if v.Baseline && l.need(baseline < 0, path+".baseline", "visits[%d] is the baseline already; only one can be", baseline) {
			baseline = i
			l.need(v.Cycle == 1, path+".cycle", "the baseline precedes the first dose, so it belongs to cycle 1")
			l.need(v.OffsetDays == 0, path+".offset_days", "the baseline is due on the first day of cycle 1; remove this or write 0")
		}
		if v.Final && l.need(final < 0, path+".final", "visits[%d] is the final visit already; only one can be", final) {
			final = i
			l.need(!v.Baseline, path+".final", "a visit cannot be both baseline and final; remove one of the two")
		}
	}
	l.need(baseline >= 0, "visits", "mark the visit before the first dose with baseline: true")
}

// plannedDue is the due day when every cycle starts as planned, in days after
// the start of cycle 1, and whether the figures allow to say so.
func (p *Protocol) plannedDue(v Visit) (day int, ok bool) {
	var wrong faultList
	p.checkCycles(&wrong)
	p.checkWindow(&wrong, v, "")
	if len(wrong) > 0 {
		return 0, false
	}
	return p.Cycles.LengthDays*(v.Cycle-1) + v.OffsetDays, true
}

// checkOrder looks at neighbours. The final visit supersedes the cycle visits
// that its window meets, so its window may overlap theirs; and they, each other's
// neighbours without it, may still not overlap.
func (p *Protocol) checkOrder(l *faultList) {
	last, closes := -1, -1 // the visit before; the one before that is not final
	for i, v := range p.Visits {
		due, ok := p.plannedDue(v)
		if !ok {
			continue
		}
		if last >= 0 {
			before, _ := p.plannedDue(p.Visits[last])
			l.need(due > before, fmt.Sprintf("visits[%d]", i),
				"this visit is planned for day %d, and visits[%d] before it for day %d; list the visits in the order of their planned days", due, last, before)
		}
		last = i
		if v.Final {
			continue
		}
		if closes >= 0 {
			before, _ := p.plannedDue(p.Visits[closes])
			ends := before + p.Visits[closes].ClosesDays
			l.need(before >= due || due+v.OpensDays > ends, fmt.Sprintf("visits[%d].opens_days", i),
				"the window opens on day %d, and that of visits[%d] lasts until day %d; let this one open later or that one close earlier", due+v.OpensDays, closes, ends)
		}
		closes = i
	}
}

// Baseline is the visit that must precede the first dose.
func (p *Protocol) Baseline() (Visit, bool) {
	for _, v := range p.Visits {
		if v.Baseline {
			return v, true
		}
	}
	return Visit{}, false
}

// Visit is the visit of that code, and its place in the plan.
func (p *Protocol) Visit(code string) (Visit, int, bool) {
	for i, v := range p.Visits {
		if v.Code == code {
			return v, i, true
		}
	}
	return Visit{}, -1, false
}

// Name is what the visit is called in the language, or in the nearest one that
// it has a name in: zh-Hans-CN looks for zh-Hans and zh, then for English. A
// visit without any of them is called by its code.
func (v Visit) Name(lang string) string {
	for tag := lang; tag != ""; {
		if name := v.Names[tag]; name != "" {
			return name
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return cmp.Or(v.Names["en"], v.Code)
}

package study

import (
	"fmt"
	"slices"
)

// AlertRules say what the site is asked to look at. What is not written is off.
type AlertRules struct {
	Missed        bool `yaml:"missed"`
	MissedInARow  int  `yaml:"missed_in_a_row"` // so many; 0: off
	PushesFailing bool `yaml:"pushes_failing"`
	Held          bool `yaml:"held"`
	// EscalateAfterHours is when an alert that nobody acknowledged escalates;
	// 0: never.
	EscalateAfterHours int         `yaml:"escalate_after_hours"`
	Scores             []ScoreRule `yaml:"scores"`
}

// ScoreRule is an alert on a score that fell below baseline, on so many forms
// in a row, or on an answer. It is for the sponsor to set: a difference that
// matters on average is no rule for one patient.
type ScoreRule struct {
	Score   string `yaml:"score"`
	FallsBy int    `yaml:"falls_by"`
	Forms   int    `yaml:"forms"`
	Item    string `yaml:"item"`
	AtLeast int    `yaml:"at_least"`
}

func (p *Protocol) checkAlerts(l *faultList) {
	a := p.Alerts
	l.need(a.MissedInARow == 0 || a.MissedInARow >= 2 && a.MissedInARow <= maxVisits, "alerts.missed_in_a_row", "write a number from 2 to %d, or 0 for no such alert", maxVisits)
	l.between(a.EscalateAfterHours, 0, 24*28, "alerts.escalate_after_hours")
	k, known := kits[p.Instrument]
	for i, r := range a.Scores {
		path := fmt.Sprintf("alerts.scores[%d]", i)
		if !l.need((r.Score != "") != (r.Item != ""), path, "write either score with falls_by and forms, or item with at_least") {
			continue
		}
		if r.Score != "" {
			l.need(!known || slices.Contains(k.scorer.Codes(), r.Score), path+".score", "the instrument has no such score")
			l.between(r.FallsBy, 1, 1000, path+".falls_by")
			l.between(r.Forms, 1, 10, path+".forms")
			l.need(r.AtLeast == 0, path+".at_least", "this belongs to a rule on an item; remove it")
			continue
		}
		if known {
			_, has := k.Index(r.Item)
			l.need(has, path+".item", "the instrument has no such item")
		}
		l.between(r.AtLeast, 0, 100, path+".at_least")
		l.need(r.FallsBy == 0 && r.Forms == 0, path, "falls_by and forms belong to a rule on a score; remove them")
	}
}

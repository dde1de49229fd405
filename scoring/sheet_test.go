package scoring_test

import (
	"strconv"
	"strings"
	"testing"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

// sheet reads a form in the stored text form, spaces between sections allowed.
func sheet(t testing.TB, text string) instruments.Answers {
	t.Helper()
	var a instruments.Answers
	if err := a.UnmarshalText([]byte(strings.ReplaceAll(text, " ", ""))); err != nil {
		t.Fatal(err)
	}
	return a
}

func scorer(t testing.TB, ins *instruments.Instrument) *scoring.Scorer {
	t.Helper()
	s, err := scoring.New(ins)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scoresOf gives back the scores of a form by code.
func scoresOf(s *scoring.Scorer, a instruments.Answers) map[string]scoring.Score {
	byCode := map[string]scoring.Score{}
	codes := s.Codes()
	for i, score := range s.Score(nil, a) {
		byCode[codes[i]] = score
	}
	return byCode
}

// factB is shared by the tests; a Scorer is read-only.
var factB = func() *scoring.Scorer {
	s, err := scoring.New(factb.FACTB)
	if err != nil {
		panic(err)
	}
	return s
}()

// written gives back values as a table would show them, "-" for missing.
func written(scores []scoring.Score) string {
	var texts []string
	for _, s := range scores {
		text := "-"
		if s.Missing == scoring.NotMissing {
			text = strconv.FormatFloat(s.Value, 'g', -1, 64)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

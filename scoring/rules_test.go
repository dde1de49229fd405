package scoring_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

// sections are the first item and the number of items of each subscale on the
// form, by hand.
var sections = []struct {
	code     string
	at, size int
}{{"PWB", 0, 7}, {"SWB", 7, 7}, {"EWB", 14, 6}, {"FWB", 20, 7}, {"BCS", 27, 10}}

func TestEverySetOfAnsweredItemsAtEveryLevel(t *testing.T) {
	for _, section := range sections {
		for answered := range 1 << section.size {
			for level := range 5 {
				a := slices.Repeat(instruments.Answers{instruments.NotReached}, 37)
				for i := range section.size {
					if answered>>i&1 == 1 {
						a[section.at+i] = instruments.Answer(level)
					}
				}
				agree(t, a, factB.Score(nil, a))
			}
		}
	}
}

func TestEveryAnswerToEveryItemMovesItsScoreByOneAStep(t *testing.T) {
	for _, section := range sections {
		for i := range section.size {
			for gaps := range section.size {
				for v := range 5 {
					a := slices.Repeat(instruments.Answers{2}, 37)
					for g := range gaps {
						a[section.at+(i+1+g)%section.size] = instruments.Skipped
					}
					a[section.at+i] = instruments.Answer(v)
					agree(t, a, factB.Score(nil, a))
				}
			}
		}
	}
}

func forms() *rapid.Generator[instruments.Answers] {
	return rapid.Custom(func(t *rapid.T) instruments.Answers {
		gaps := rapid.IntRange(0, 20).Draw(t, "gaps")
		a := make(instruments.Answers, 37)
		for i := range a {
			a[i] = instruments.Answer(rapid.IntRange(0, 4).Draw(t, "answer"))
		}
		for range gaps {
			a[rapid.IntRange(0, 36).Draw(t, "gap")] = instruments.Answer(rapid.IntRange(-3, -1).Draw(t, "kind"))
		}
		return a
	})
}

func TestAnyFormAgreesWithTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := forms().Draw(t, "form")
		agree(t, a, factB.Score(nil, a))
	})
}

func TestNoScoreLeavesItsRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for code, s := range scoresOf(factB, forms().Draw(t, "form")) {
			low, high, _ := factb.FACTB.Range(code)
			if s.Value < float64(low) || s.Value > float64(high) || math.IsNaN(s.Value) || s.Answered > s.Items {
				t.Fatalf("%s: %+v", code, s)
			}
			if s.Missing != scoring.NotMissing && (s.Value != 0 || s.Prorated) {
				t.Fatalf("%s is missing and has a value: %+v", code, s)
			}
		}
	})
}

func TestABetterAnswerNeverLowersAScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := forms().Draw(t, "form")
		i := rapid.IntRange(0, 36).Draw(t, "item")
		if !a[i].Answered() {
			t.Skip()
		}
		better := slices.Clone(a)
		better[i]++
		if oracleReversed(oracleItems[i]) {
			better[i] -= 2
		}
		if better[i] < 0 || better[i] > 4 {
			t.Skip()
		}
		before, after := factB.Score(nil, a), factB.Score(nil, better)
		for k := range before {
			if after[k].Value < before[k].Value || after[k].Missing != before[k].Missing {
				t.Fatalf("%s fell from %+v to %+v", oracleOrder[k], before[k], after[k])
			}
		}
	})
}

func TestSwappingItemsThatScoreAlikeChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := forms().Draw(t, "form")
		i, j := rapid.IntRange(0, 36).Draw(t, "i"), rapid.IntRange(0, 36).Draw(t, "j")
		one, other := oracleItems[i], oracleItems[j]
		if oracleScale(one) != oracleScale(other) || oracleReversed(one) != oracleReversed(other) {
			t.Skip()
		}
		swapped := slices.Clone(a)
		swapped[i], swapped[j] = swapped[j], swapped[i]
		if !slices.Equal(factB.Score(nil, a), factB.Score(nil, swapped)) {
			t.Fatalf("%s and %s are not alike", one, other)
		}
	})
}

func TestBestAnswersWithGapsAreExactlyTheMaximum(t *testing.T) {
	best := sheet(t, "0000000 4444444 040000 4444444 0004000040")
	rapid.Check(t, func(t *rapid.T) {
		a := slices.Clone(best)
		for range rapid.IntRange(0, 20).Draw(t, "gaps") {
			a[rapid.IntRange(0, 36).Draw(t, "gap")] = instruments.NotReached
		}
		for code, s := range scoresOf(factB, a) {
			if _, high, _ := factb.FACTB.Range(code); s.Missing == scoring.NotMissing && s.Value != float64(high) {
				t.Fatalf("%s: %+v", code, s)
			}
		}
	})
}

func TestTotalsArePlainSumsOfTheirParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := factB.Score(nil, forms().Draw(t, "form"))
		for total, sum := range map[int]float64{
			5: s[0].Value + s[1].Value + s[2].Value + s[3].Value,
			6: s[0].Value + s[3].Value + s[4].Value,
			7: s[0].Value + s[1].Value + s[2].Value + s[3].Value + s[4].Value,
		} {
			if s[total].Missing == scoring.NotMissing && s[total].Value != sum {
				t.Fatalf("total %d is %v, the parts make %v", total, s[total].Value, sum)
			}
		}
	})
}

func TestASiblingTotalChangesNoOtherScore(t *testing.T) {
	sibling := *factb.FACTB
	sibling.Totals = append([]instruments.Total{{Code: "PHYS", Name: "x", Parts: []string{"PWB", "FWB"}}}, factb.FACTB.Totals...)
	s := scorer(t, &sibling)
	rapid.Check(t, func(t *rapid.T) {
		a := forms().Draw(t, "form")
		with, without := scoresOf(s, a), scoresOf(factB, a)
		for code, score := range without {
			if with[code] != score {
				t.Fatalf("%s is %+v and was %+v", code, with[code], score)
			}
		}
		phys := with["PHYS"]
		if phys.Missing == scoring.NotMissing && phys.Value != without["PWB"].Value+without["FWB"].Value {
			t.Fatalf("PHYS is %+v", phys)
		}
	})
}

func FuzzScore(f *testing.F) {
	f.Add([]byte("0123401432104310234004321021234012340"))
	f.Add([]byte{0, 4, 255, 254, 253, 252, 128, 127, 13, 16})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := make(instruments.Answers, len(raw))
		for i, b := range raw {
			a[i] = instruments.Answer(int8(b))
			if b >= '0' && b <= '9' {
				a[i] = instruments.Answer(b - '0')
			}
		}
		agree(t, a, factB.Score(nil, a))
	})
}

func ExampleScorer_Score() {
	s, _ := scoring.New(factb.FACTB)
	answers, _, _ := factb.FACTB.Check(instruments.Form{
		Answers: map[string]string{"GE1": "0", "GE2": "4", "GE3": "1", "GE4": "0"},
	})
	scores := s.Score(nil, answers)
	for i, code := range s.Codes()[:3] {
		fmt.Println(code, scores[i].Value, scores[i].Answered, scores[i].Prorated, scores[i].Missing)
	}
	// Output:
	// PWB 0 0 false too_few_answered
	// SWB 0 0 false too_few_answered
	// EWB 22.5 4 true
}

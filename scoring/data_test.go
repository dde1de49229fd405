package scoring_test

import (
	"fmt"
	"slices"
	"testing"

	"epro/instruments"
	"epro/scoring"
)

// Thresholds are data: these instruments exist only here, made of numbered items.

// invented makes an instrument with one subscale a size and a total of them all.
func invented(needs, overall instruments.Threshold, sizes ...int) *instruments.Instrument {
	ins := &instruments.Instrument{ID: "invented", Version: "1", Name: "Invented"}
	for v := range 5 {
		ins.Choices = append(ins.Choices, instruments.Choice{Value: v})
	}
	total := instruments.Total{Code: "ALL", Name: "all", Needs: overall}
	for k, size := range sizes {
		sub := instruments.Subscale{Code: fmt.Sprintf("S%d", k), Name: "s", Needs: needs}
		for range size {
			code := fmt.Sprintf("X%d", len(ins.Items)+1)
			ins.Items = append(ins.Items, instruments.Item{Code: code, Subscale: sub.Code})
			sub.Items = append(sub.Items, code)
		}
		ins.Subscales = append(ins.Subscales, sub)
		total.Parts = append(total.Parts, sub.Code)
	}
	ins.Totals = []instruments.Total{total}
	return ins
}

var (
	moreThanHalf   = instruments.Threshold{Num: 1, Den: 2}
	moreThanEighty = instruments.Threshold{Num: 4, Den: 5}
)

// firstOf answers the first n of every subscale of the given sizes with 4.
func firstOf(sizes, n []int) instruments.Answers {
	var a instruments.Answers
	for k, size := range sizes {
		for i := range size {
			answer := instruments.NotReached
			if i < n[k] {
				answer = 4
			}
			a = append(a, answer)
		}
	}
	return a
}

func TestExactlyEightyPercentOfFortyOrFortyFiveItemsIsMissing(t *testing.T) {
	for _, c := range []struct {
		sizes, answered []int
		missing         scoring.Missing
	}{
		{[]int{7, 7, 6, 7, 13}, []int{6, 6, 5, 5, 10}, scoring.TooFewOverall}, // 32 of 40
		{[]int{7, 7, 6, 7, 13}, []int{6, 6, 5, 6, 10}, scoring.NotMissing},    // 33 of 40
		{[]int{7, 7, 6, 7, 18}, []int{6, 6, 5, 5, 14}, scoring.TooFewOverall}, // 36 of 45
		{[]int{7, 7, 6, 7, 18}, []int{6, 6, 5, 5, 15}, scoring.NotMissing},    // 37 of 45
	} {
		s := scorer(t, invented(moreThanHalf, moreThanEighty, c.sizes...))
		all := scoresOf(s, firstOf(c.sizes, c.answered))["ALL"]
		if all.Missing != c.missing || c.missing == scoring.NotMissing && all.Value != float64(4*all.Items) {
			t.Errorf("%v of %v: %+v", c.answered, c.sizes, all)
		}
	}
}

func TestHalfOrMoreScoresAtExactlyHalf(t *testing.T) {
	sizes := []int{6, 7, 10}
	s := scorer(t, invented(instruments.Threshold{Num: 1, Den: 2, OrMore: true}, instruments.Threshold{}, sizes...))
	got := scoresOf(s, firstOf(sizes, []int{3, 4, 5}))
	if got["S0"].Value != 24 || got["S1"].Value != 28 || got["S2"].Value != 40 || got["ALL"].Value != 92 {
		t.Errorf("at half: %+v", got)
	}
	got = scoresOf(s, firstOf(sizes, []int{2, 3, 4}))
	for code, score := range got {
		if score.Missing == scoring.NotMissing {
			t.Errorf("below half: %s %+v", code, score)
		}
	}
}

func TestAnItemMayServeTwoSubscales(t *testing.T) {
	// As B3 does in FACT-B+4, where it counts in BCS and in the arm subscale.
	ins := invented(moreThanHalf, instruments.Threshold{}, 4, 3)
	ins.Subscales = append(ins.Subscales, instruments.Subscale{Code: "ARM", Name: "arm", Items: []string{"X7", "X1"}, Needs: moreThanHalf})
	got := scoresOf(scorer(t, ins), instruments.Answers{4, 1, 1, 1, 2, 2, 3})
	if got["S0"].Value != 7 || got["S1"].Value != 7 || got["ARM"].Value != 7 || got["ALL"].Value != 14 || got["ALL"].Items != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestManySubscalesNeedMoreThanOneWord(t *testing.T) {
	sizes := []int{40, 3, 20, 7, 7, 6, 7, 10, 1, 60, 19, 5}
	s := scorer(t, invented(moreThanHalf, instruments.Threshold{}, sizes...))
	scores := s.Score(nil, firstOf(sizes, sizes))
	for k, size := range sizes {
		if want := (scoring.Score{Value: float64(4 * size), Answered: uint8(size), Items: uint8(size)}); scores[k] != want {
			t.Errorf("S%d: %+v", k, scores[k])
		}
	}
}

func TestReversalMirrorsTheChoicesWhereverTheyStart(t *testing.T) {
	ins := invented(moreThanHalf, instruments.Threshold{}, 2)
	ins.Choices = ins.Choices[1:]
	ins.Items[1].Reversed = true
	s := scorer(t, ins)
	for v := instruments.Answer(1); v <= 4; v++ {
		if got := scoresOf(s, instruments.Answers{1, v})["S0"]; got.Value != float64(1+5-v) {
			t.Errorf("%d: %+v", v, got)
		}
	}
	if got := scoresOf(s, instruments.Answers{1, 0})["S0"]; got.Answered != 1 {
		t.Errorf("0 is no choice here: %+v", got)
	}
}

func TestEveryAnsweredCountOfEverySizeAgreesWithTheThreshold(t *testing.T) {
	for _, needs := range []instruments.Threshold{moreThanHalf, {Num: 1, Den: 2, OrMore: true}, moreThanEighty, {Num: 1, Den: 1, OrMore: true}, {Num: 0, Den: 1}} {
		for size := 1; size <= 20; size++ {
			s := scorer(t, invented(needs, instruments.Threshold{}, size))
			for answered := range size + 1 {
				got := s.Score(nil, firstOf([]int{size}, []int{answered}))[0]
				if (got.Missing == scoring.NotMissing) != (answered > 0 && needs.Met(answered, size)) {
					t.Errorf("%+v: %d of %d: %+v", needs, answered, size, got)
				}
			}
		}
	}
	if slices.Contains(scorer(t, invented(moreThanHalf, moreThanEighty, 3)).Codes(), "") {
		t.Error("a score has no code")
	}
}

package scoring_test

import (
	"fmt"
	"slices"
	"testing"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

// The numbers are those of the list of mistakes that careless scorers make
// (reference/scoring.md §6). Each row is a form on which the mistake shows: the
// right figure and the one that the mistake gives. Not here, because they are
// made elsewhere: 16 and 34 (analysis), 24 (cmd/epro), 29 and 33 (study).
var mistakes = []struct {
	number            int
	name, form, score string
	right, mistaken   string
}{
	{1, "half of EWB is enough", "0000000 4444444 040... 4444444 0004000040", "EWB", "-", "24"},
	{1, "half of BCS is enough", "0000000 4444444 040000 4444444 00040.....", "BCS", "-", "40"},
	{2, "P2 forgotten", "0000000 4444444 040000 4444444 0004000040", "BCS", "40", "36"},
	{2, "P2 not reversed", "2222222 2222222 222222 2222222 2222222220", "BCS", "22", "18"},
	{3, "B4 reversed", "2222222 2222222 222222 2222222 2224222222", "BCS", "22", "18"},
	{3, "B9 reversed", "2222222 2222222 222222 2222222 2222222242", "BCS", "22", "18"},
	{3, "GE2 reversed", "2222222 2222222 242222 2222222 2222222222", "EWB", "14", "10"},
	{4, "total prorated over its own items", "0000... 2222222 222222 2222222 2222222222", "FACTB", "88", "82.70588235294117"},
	{5, "total skips an empty part", "000.... 2222222 222222 2222222 2222222222", "FACTB", "-", "60"},
	{6, "0 for what cannot be scored", "....... 2222222 222222 2222222 2222222222", "PWB", "-", "0"},
	{7, "missing read as 0 in reversed items", "222222. 2222222 222222 2222222 2222222222", "PWB", "14", "16"},
	{7, "missing read as 0 in the others", "2222222 222222. 222222 2222222 2222222222", "SWB", "14", "12"},
	{8, "missing reversed to 4, then prorated", "222222. 2222222 222222 2222222 2222222222", "PWB", "14", "18.666666666666668"},
	{9, "no 80 % rule", "22222.. 22222.. 222222 22222.. 2222222222", "FACTG", "-", "54"},
	{9, "FACT-B tested on the items of FACT-G", "22222.. 22222.. 222222 22222.. 2222222222", "FACTB", "74", "-"},
	{9, "FACT-G tested on the items of FACT-B", "22222.. 22222.. 222222 222222. 222222....", "FACTG", "54", "-"},
	{9, "80 % rule for TOI", "2222... 2222222 222222 2222... 222222....", "TOI", "48", "-"},
	{10, "FACT-B missing because FACT-G is", "22222.. 22222.. 222222 22222.. 2222222222", "FACTB", "74", "-"},
	{11, "SWB of six items without GS7", "2222222 333333o 222222 2222222 2222222222", "SWB", "21", "18"},
	{12, "GS7 skipped stored as 0", "2222222 333333s 222222 2222222 2222222222", "SWB", "21", "18"},
	{13, "EWB times seven", "2222222 2222222 222222 2222222 2222222222", "EWB", "12", "14"},
	{14, "TOI with SWB for FWB", "2222222 0000000 222222 4444444 2222222222", "TOI", "62", "34"},
	{14, "TOI as FACT-G and BCS", "2222222 2222222 222222 2222222 2222222222", "TOI", "48", "74"},
	{15, "subscales rounded", "222221. 2222222 222222 2222222 2222222222", "PWB", "15.166666666666666", "15.17"},
	{15, "total of rounded subscales", "222221. 222223. 222222 2222222 2222222222", "FACTG", "56.33333333333333", "56.34"},
	{18, "code 8 taken for a number", "2222222 2222228 222222 2222222 2222222222", "SWB", "14", "20"},
	{19, "reversal as 5 - x", "0000000 2222222 222222 2222222 2222222222", "PWB", "28", "35"},
	{21, "integer division", "222221. 2222222 222222 2222222 2222222222", "PWB", "15.166666666666666", "15"},
	{21, "divided before multiplied", "222221. 2222222 222222 2222222 2222222222", "PWB", "15.166666666666666", "14"},
	{22, "mean for the score", "2222222 2222222 222222 2222222 2222222222", "PWB", "14", "2"},
	{26, "unanswered P2 makes BCS shorter", "2222222 2222222 222222 2222222 222222222.", "BCS", "20", "18"},
	{28, "best with gaps beside the maximum", "0000000 4444444 040000 4444444 0004..0.40", "BCS", "40", "40.00000000000001"},
	{30, "symptoms counted upwards", "4444444 2222222 222222 2222222 2222222222", "PWB", "0", "28"},
	{32, "B3 counted twice in the total", "2222222 2222222 222222 2222222 2202222222", "FACTB", "76", "80"},
}

func TestMistakesThatShowInAFigure(t *testing.T) {
	for _, m := range mistakes {
		t.Run(fmt.Sprintf("%02d %s", m.number, m.name), func(t *testing.T) {
			a := sheet(t, m.form)
			agree(t, a, factB.Score(nil, a))
			got := written([]scoring.Score{scoresOf(factB, a)[m.score]})
			if got != m.right || got == m.mistaken {
				t.Errorf("%s is %s, want %s; the mistake gives %s", m.score, got, m.right, m.mistaken)
			}
		})
	}
}

// faulty reports whether a form with this one answer is refused.
func faulty(code, literal string) bool {
	_, _, faults := factb.FACTB.Check(instruments.Form{Answers: map[string]string{code: literal}})
	return len(faults) > 0
}

func TestMistakesThatShowInTheScoresCompany(t *testing.T) {
	allTwo := sheet(t, "2222222 2222222 222222 2222222 2222222222")
	t.Run("17 the share compared in floating point", func(t *testing.T) {
		sizes := []int{40}
		s := scorer(t, invented(moreThanHalf, moreThanEighty, sizes...))
		if all := scoresOf(s, firstOf(sizes, []int{32}))["ALL"]; all.Missing != scoring.TooFewOverall {
			t.Errorf("32 of 40: %+v", all)
		}
	})
	t.Run("23 scoring twice", func(t *testing.T) {
		a := slices.Clone(allTwo)
		a[0] = 4
		once := factB.Score(nil, a)
		if twice := factB.Score(nil, a); !slices.Equal(once, twice) || a[0] != 4 {
			t.Errorf("%+v, then %+v", once, twice)
		}
	})
	t.Run("27 a prorated score passed off as complete", func(t *testing.T) {
		a := slices.Clone(allTwo)
		a[36] = instruments.Skipped
		got := scoresOf(factB, a)
		for code, prorated := range map[string]bool{"PWB": false, "BCS": true, "FACTG": false, "TOI": true, "FACTB": true} {
			if s := got[code]; s.Prorated != prorated || (s.Answered < s.Items) != prorated {
				t.Errorf("%s: %+v", code, s)
			}
		}
	})
}

func TestMistakesInWhatIsAcceptedAsAnAnswer(t *testing.T) {
	t.Run("18 other numbers quietly dropped", func(t *testing.T) {
		for _, literal := range []string{"5", "6", "7", "8", "9", "10", "99", "-1"} {
			if !faulty("GP1", literal) {
				t.Errorf("%s is accepted", literal)
			}
		}
	})
	t.Run("19 answers coded 1 to 5", func(t *testing.T) {
		if !faulty("GF3", "5") {
			t.Error("5 is accepted")
		}
	})
	t.Run("20 what merely looks like a number", func(t *testing.T) {
		for _, literal := range []string{"2.5", `"2.0"`, "2.0", " 3 ", "TRUE", "true", "３", "3,0"} {
			if !faulty("GF3", literal) {
				t.Errorf("%s is accepted", literal)
			}
		}
	})
	t.Run("25 a similar code taken for the item", func(t *testing.T) {
		for _, code := range []string{"BP1", "B10", "gp1", "GP10", "P1"} {
			if !faulty(code, "2") {
				t.Errorf("%s is accepted", code)
			}
		}
	})
	t.Run("31 the box Q1 taken for an item", func(t *testing.T) {
		if !faulty("Q1", "1") || len(factb.FACTB.Items) != 37 {
			t.Error("Q1 is accepted")
		}
	})
}

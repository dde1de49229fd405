package scoring_test

import (
	"slices"
	"strings"
	"testing"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

func TestStoredNamesArePinned(t *testing.T) {
	if scoring.Version != "facit-1" {
		t.Error("a new version needs a recorded re-scoring of every study")
	}
	for m, want := range map[scoring.Missing]string{0: "", 1: "too_few_answered", 2: "component_missing", 3: "too_few_overall"} {
		if m.String() != want {
			t.Errorf("%d is %q", m, m.String())
		}
	}
	if scoring.NotMissing != 0 || scoring.TooFewAnswered != 1 || scoring.ComponentMissing != 2 || scoring.TooFewOverall != 3 {
		t.Error("the reasons have changed places")
	}
	if got := scoring.Missing(9).String(); got != "missing(9)" {
		t.Errorf("got %q", got)
	}
}

func TestScoresComeInTheOrderOfTheCodes(t *testing.T) {
	if got := factB.Codes(); !slices.Equal(got, oracleOrder) {
		t.Errorf("got %v", got)
	}
	factB.Codes()[0] = "changed"
	if factB.Codes()[0] != "PWB" {
		t.Error("a caller can change the scorer's codes")
	}
}

// Worked out by hand from the table, independently of oracle and code.
func TestGoldenForms(t *testing.T) {
	for _, c := range []struct{ name, form, want string }{
		{"best", "0000000 4444444 040000 4444444 0004000040", "28 28 24 28 40 108 96 148"},
		{"worst", "4444444 0000000 404444 0000000 4440444404", "0 0 0 0 0 0 0 0"},
		{"all two", "2222222 2222222 222222 2222222 2222222222", "14 14 12 14 20 54 48 74"},
		{"all zero", "0000000 0000000 000000 0000000 0000000000", "28 0 20 0 32 48 60 80"},
		{"all four", "4444444 4444444 444444 4444444 4444444444", "0 28 4 28 8 60 36 68"},
		{"as printed", "0123401 4321043 102340 0432102 1234012340", "17 17 10 12 28 56 57 84"},
		{"one gap each", "0.00000 44444.4 .40000 4444.44 000400004.", "28 28 24 28 40 108 96 148"},
		{"GS7 opted out", "1111111 333333o 121111 2222222 1112111121", "21 21 17 14 28 73 63 101"},
		{"fewest", "1111... 3333... 1211.. 2222... 111211....", "21 21 16.5 14 28.333333333333332 - 63.33333333333333 -"},
		{"nothing", "....... ....... ...... ....... ..........", "- - - - - - - -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := sheet(t, c.form)
			scores := factB.Score(nil, a)
			agree(t, a, scores)
			if got := written(scores); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestExactlyHalfAnsweredIsNotScored(t *testing.T) {
	got := scoresOf(factB, sheet(t, "000.... 444.... 040... 444.... 00040....."))
	for code, answered := range map[string]uint8{"PWB": 3, "SWB": 3, "EWB": 3, "FWB": 3, "BCS": 5} {
		if s := got[code]; s.Missing != scoring.TooFewAnswered || s.Answered != answered || s.Value != 0 || s.Prorated {
			t.Errorf("%s: %+v", code, s)
		}
	}
}

func TestFactBIsGivenWhenFactGIsNot(t *testing.T) {
	got := scoresOf(factB, sheet(t, "00000.. 44444.. 04000. 44444.. 0004000040"))
	if g := got["FACTG"]; g.Missing != scoring.TooFewOverall || g.Answered != 20 {
		t.Errorf("FACTG with 20: %+v", g)
	}
	if b := got["FACTB"]; b.Missing != scoring.NotMissing || b.Value != 148 || b.Answered != 30 || !b.Prorated {
		t.Errorf("FACTB with 30: %+v", b)
	}
	got = scoresOf(factB, sheet(t, "0000000 444444. 04000. 4444... 000400...."))
	if g, b := got["FACTG"], got["FACTB"]; g.Missing != scoring.NotMissing || g.Answered != 22 || b.Missing != scoring.TooFewOverall || b.Answered != 28 {
		t.Errorf("FACTG with 22 and FACTB with 28: %+v %+v", g, b)
	}
}

func TestMissingPartIsNamedBeforeTheTotalsOwnCount(t *testing.T) {
	got := scoresOf(factB, sheet(t, "000.... ....... 040000 4444444 0004000040"))
	for _, code := range []string{"FACTG", "TOI", "FACTB"} {
		if got[code].Missing != scoring.ComponentMissing || got[code].Value != 0 {
			t.Errorf("%s: %+v", code, got[code])
		}
	}
}

func TestScoringAllocatesNothingAndLeavesTheAnswersAlone(t *testing.T) {
	for _, text := range []string{"0123401 4321043 102340 0432102 1234012340", "01.3401 432104o 10.340 0432.02 123401s340", "9999999"} {
		a := sheet(t, text)
		before := slices.Clone(a)
		dst := make([]scoring.Score, 0, 8)
		if n := testing.AllocsPerRun(100, func() { dst = factB.Score(dst[:0], a) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
		if !slices.Equal(a, before) {
			t.Errorf("the answers became %v", a)
		}
	}
}

func TestScoresAreAppendedToWhatIsThere(t *testing.T) {
	a := sheet(t, "0123401 4321043 102340 0432102 1234012340")
	alone := factB.Score(nil, a)
	for _, room := range []int{1, 4, 9, 20} {
		there := append(make([]scoring.Score, 0, room), scoring.Score{Value: 7})
		both := factB.Score(there, a)
		if len(both) != 9 || both[0].Value != 7 || !slices.Equal(both[1:], alone) {
			t.Errorf("room %d: %+v", room, both)
		}
	}
}

func TestOldScoresInTheRoomDoNotShineThrough(t *testing.T) {
	full := factB.Score(nil, sheet(t, "0000000 4444444 040000 4444444 0004000040"))
	empty := sheet(t, strings.Repeat(".", 37))
	if again := factB.Score(full[:0], empty); !slices.Equal(again, factB.Score(nil, empty)) {
		t.Errorf("got %+v", again)
	}
}

func TestValuesOutsideTheChoicesCountAsUnanswered(t *testing.T) {
	base := sheet(t, "0000000 4444444 040000 4444444 0004000040")
	for strange := -128; strange <= 127; strange++ {
		for at := range base {
			a := slices.Clone(base)
			a[at] = instruments.Answer(strange)
			agree(t, a, factB.Score(nil, a))
		}
	}
}

func TestAnswersOfTheWrongLengthAreCutOrUnanswered(t *testing.T) {
	base := sheet(t, "0000000 4444444 040000 4444444 0004000040")
	for n := range len(base) {
		agree(t, base[:n], factB.Score(nil, base[:n]))
	}
	longer := append(slices.Clone(base), 4, 4, 4, 99)
	agree(t, longer, factB.Score(nil, longer))
}

func TestAFaultyInstrumentGetsNoScorer(t *testing.T) {
	if _, err := scoring.New(&instruments.Instrument{ID: "x"}); err == nil {
		t.Error("got a scorer")
	}
}

func TestFactGScoresAsItDoesInsideFactB(t *testing.T) {
	g := scorer(t, factb.FACTG)
	if got := strings.Join(g.Codes(), " "); got != "PWB SWB EWB FWB FACTG" {
		t.Fatalf("got %s", got)
	}
	for _, text := range []string{
		"0123401 4321043 102340 0432102 1234012340", "00000.. 44444.. 04000. 444444. 0004000040",
		"00000.. 44444.. 04000. 44444.. 0004000040", "000.... 4444444 040000 4444444 0004000040",
	} {
		a := sheet(t, text)
		inB := scoresOf(factB, a)
		for code, alone := range scoresOf(g, a[:27]) {
			if alone != inB[code] {
				t.Errorf("%s: %s is %+v alone and %+v inside", text, code, alone, inB[code])
			}
		}
	}
}

package scoring_test

import (
	"math"
	"math/big"
	"strings"

	"epro/instruments"
	"epro/scoring"
)

// The oracle is a second scorer, written from the manual's table with sets of
// its own and in exact fractions. It must never read the instrument's data.

var (
	oracleItems = strings.Fields(`GP1 GP2 GP3 GP4 GP5 GP6 GP7 GS1 GS2 GS3 GS4 GS5 GS6 GS7 GE1 GE2 GE3 GE4 GE5 GE6
		GF1 GF2 GF3 GF4 GF5 GF6 GF7 B1 B2 B3 B4 B5 B6 B7 B8 B9 P2`)
	oracleParts = map[string]string{
		"FACTG": "PWB SWB EWB FWB", "TOI": "PWB FWB BCS", "FACTB": "PWB SWB EWB FWB BCS",
	}
	oracleOrder = strings.Fields("PWB SWB EWB FWB BCS FACTG TOI FACTB")
)

func oracleReversed(code string) bool {
	switch code {
	case "GP1", "GP2", "GP3", "GP4", "GP5", "GP6", "GP7", "GE1", "GE3", "GE4", "GE5", "GE6",
		"B1", "B2", "B3", "B5", "B6", "B7", "B8", "P2":
		return true
	}
	return false
}

func oracleScale(code string) string {
	for prefix, scale := range map[string]string{"GP": "PWB", "GS": "SWB", "GE": "EWB", "GF": "FWB"} {
		if strings.HasPrefix(code, prefix) {
			return scale
		}
	}
	return "BCS"
}

// exact is one score as the oracle sees it; value is nil when it is missing.
type exact struct {
	value           *big.Rat
	answered, items int
	missing         scoring.Missing
}

func oracle(a instruments.Answers) map[string]exact {
	result := map[string]exact{}
	for _, scale := range oracleOrder[:5] {
		e := exact{missing: scoring.TooFewAnswered}
		sum := new(big.Rat)
		for i, code := range oracleItems {
			if oracleScale(code) != scale {
				continue
			}
			e.items++
			if i >= len(a) || a[i] < 0 || a[i] > 4 {
				continue
			}
			e.answered++
			points := int64(a[i])
			if oracleReversed(code) {
				points = 4 - points
			}
			sum.Add(sum, big.NewRat(points, 1))
		}
		if big.NewRat(int64(e.answered), int64(e.items)).Cmp(big.NewRat(1, 2)) > 0 {
			e.value = sum.Mul(sum, big.NewRat(int64(e.items), int64(e.answered)))
			e.missing = scoring.NotMissing
		}
		result[scale] = e
	}
	for _, total := range oracleOrder[5:] {
		result[total] = oracleTotal(total, result)
	}
	return result
}

func oracleTotal(code string, scales map[string]exact) exact {
	e := exact{value: new(big.Rat)}
	for _, part := range strings.Fields(oracleParts[code]) {
		p := scales[part]
		e.items += p.items
		e.answered += p.answered
		if p.value == nil {
			e.missing = scoring.ComponentMissing
			continue
		}
		e.value.Add(e.value, p.value)
	}
	share := big.NewRat(int64(e.answered), int64(e.items))
	if e.missing == scoring.NotMissing && code != "TOI" && share.Cmp(big.NewRat(4, 5)) <= 0 {
		e.missing = scoring.TooFewOverall
	}
	if e.missing != scoring.NotMissing {
		e.value = nil
	}
	return e
}

// failer is what a *testing.T and a *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// agree compares a form's scores with the oracle's. A subscale has to be the
// nearest double to the fraction; a total may be off by the rounding of its parts.
func agree(t failer, a instruments.Answers, scores []scoring.Score) {
	t.Helper()
	want := oracle(a)
	if len(scores) != len(oracleOrder) {
		t.Fatalf("%d scores", len(scores))
	}
	for i, code := range oracleOrder {
		w, got := want[code], scores[i]
		value, tolerance := 0.0, 0.0
		if w.value != nil {
			value, _ = w.value.Float64()
		}
		if i >= 5 {
			tolerance = 1e-12
		}
		prorated := w.value != nil && w.answered < w.items
		if math.Abs(got.Value-value) > tolerance || int(got.Answered) != w.answered || int(got.Items) != w.items ||
			got.Missing != w.missing || got.Prorated != prorated {
			t.Fatalf("%v: %s is %+v, want %v, %d of %d, %q", a, code, got, w.value, w.answered, w.items, w.missing)
		}
	}
}

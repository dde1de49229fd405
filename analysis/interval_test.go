package analysis_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/analysis"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within*max(1, math.Abs(b)) }

// The rule of three's exact form: with none of n the upper end is
// 1 − 0.025^(1/n).
func TestAnExactIntervalOfNobodyOrEverybodyIsKnownInClosedForm(t *testing.T) {
	for n := 1; n < 300; n++ {
		end := math.Pow(0.025, 1/float64(n))
		if got := analysis.ExactInterval(0, n); got.Low != 0 || !near(got.High, 1-end, 1e-12) {
			t.Errorf("0 of %d: %v", n, got)
		}
		if got := analysis.ExactInterval(n, n); got.High != 1 || !near(got.Low, end, 1e-12) {
			t.Errorf("%d of %d: %v", n, n, got)
		}
	}
	if got := analysis.ExactInterval(0, 0); got != (analysis.Interval{Low: 0, High: 1}) {
		t.Errorf("0 of 0: %v", got)
	}
}

// binomial is the chance of at most k of n, added up term by term.
func binomial(k, n int, p float64) float64 {
	sum := 0.0
	for i := 0; i <= k; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

func TestTheEndsOfAnExactIntervalLeaveTwoAndAHalfPerCentBeyondThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 200).Draw(t, "n")
		k := rapid.IntRange(1, n-1).Draw(t, "k")
		got := analysis.ExactInterval(k, n)
		if high := binomial(k, n, got.High); !near(high, 0.025, 1e-9) {
			t.Errorf("%d of %d, upper end %v: %v beyond it", k, n, got.High, high)
		}
		if low := 1 - binomial(k-1, n, got.Low); !near(low, 0.025, 1e-9) {
			t.Errorf("%d of %d, lower end %v: %v beyond it", k, n, got.Low, low)
		}
	})
}

// t quantiles from the tables in every textbook: 12.706 and 2.262 at 1 and 9
// degrees of freedom.
func TestATIntervalIsTheOneOfTheTextbook(t *testing.T) {
	mean, sd, around := analysis.MeanInterval([]float64{1, 3})
	if mean != 2 || !near(sd, math.Sqrt2, 1e-15) || !near(around.High, 2+12.706, 5e-4) || !near(around.Low, 2-12.706, 5e-4) {
		t.Errorf("%v %v %v", mean, sd, around)
	}
	mean, sd, around = analysis.MeanInterval([]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	if mean != 4.5 || !near(around.High-mean, 2.262*sd/math.Sqrt(10), 1e-3) {
		t.Errorf("%v %v %v", mean, sd, around)
	}
	if mean, sd, around := analysis.MeanInterval([]float64{7}); mean != 7 || !math.IsNaN(sd) || around != nil {
		t.Errorf("one value: %v %v %v", mean, sd, around)
	}
	if mean, _, around := analysis.MeanInterval(nil); !math.IsNaN(mean) || around != nil {
		t.Errorf("no value: %v %v", mean, around)
	}
}

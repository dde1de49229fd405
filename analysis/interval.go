package analysis

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is that of every interval, and tail what lies beyond one end.
const (
	confidence = 0.95
	tail       = (1 - confidence) / 2
)

// Interval is a 95 % confidence interval.
type Interval struct{ Low, High float64 }

// ends are the interval's ends as tables have them: none of no interval.
func (i *Interval) ends() (low, high *float64) {
	if i == nil {
		return nil, nil
	}
	return &i.Low, &i.High
}

// MeanInterval is the mean, the standard deviation (divisor n − 1) and the t
// interval of the mean. A single value has neither of the last two (NaN, nil),
// and no value not even a mean.
func MeanInterval(values []float64) (mean, sd float64, around *Interval) {
	n := float64(len(values))
	switch n {
	case 0:
		return math.NaN(), math.NaN(), nil
	case 1:
		return values[0], math.NaN(), nil
	}
	mean, sd = stat.MeanStdDev(values, nil)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(1-tail) * sd / math.Sqrt(n)
	return mean, sd, &Interval{mean - half, mean + half}
}

// ExactInterval is the Clopper–Pearson interval of a share, n of total.
func ExactInterval(n, total int) Interval {
	out := Interval{0, 1}
	if n > 0 {
		out.Low = distuv.Beta{Alpha: float64(n), Beta: float64(total - n + 1)}.Quantile(tail)
	}
	if n < total {
		out.High = distuv.Beta{Alpha: float64(n + 1), Beta: float64(total - n)}.Quantile(1 - tail)
	}
	return out
}

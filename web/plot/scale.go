package plot

import (
	"math"
	"strconv"
)

// narrowest is the least spread that an axis is stretched to fill; what differs
// by less differs in the rounding of its last figures only.
const narrowest = 1e-6

// Around is an axis that holds all values, with round ticks: about as many as
// asked for. No value is an axis from 0 to 1.
func Around(label string, ticks int, values ...float64) Axis {
	if len(values) == 0 {
		values = []float64{0, 1}
	}
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	if high-low < narrowest {
		low, high = low-1, high+1
	}
	step := roundStep((high - low) / float64(max(ticks, 1)))
	a := Axis{Label: label, Min: math.Floor(low/step) * step, Max: math.Ceil(high/step) * step}
	for i := math.Round(a.Min / step); i*step <= a.Max+step/1e6; i++ {
		at := i * step
		a.Ticks = append(a.Ticks, Tick{at, strconv.FormatFloat(round(at), 'f', -1, 64)})
	}
	return a
}

// roundStep is the next step of 1, 2 or 5 times a power of ten.
func roundStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough*(1-1e-12) {
			return m * power
		}
	}
	return 10 * power
}

// round takes off what binary fractions leave, and the sign of nothing.
func round(x float64) float64 { return math.Round(x*1e9)/1e9 + 0 }

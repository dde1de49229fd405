package analysis

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Time is a time to an event, or until which there was none.
type Time struct {
	Days  int
	Event bool
}

// KMStep is a day on which the curve is known anew: with an event or a
// censored time.
type KMStep struct {
	Days     int     `json:"days"`
	AtRisk   int     `json:"n_risk"` // just before
	Events   int     `json:"n_event"`
	Censored int     `json:"n_censor"`
	Survival float64 `json:"survival"` // share without an event after this day
	// SE is Greenwood's standard error of Survival.
	SE float64 `json:"se"`
	// Low and High are the ends of the log-log interval; none at exactly 1 or 0.
	Low  *float64 `json:"ci_low"`
	High *float64 `json:"ci_high"`
}

// Curve is a Kaplan–Meier estimate.
type Curve struct {
	N      int      `json:"n"`
	Events int      `json:"events"`
	Steps  []KMStep `json:"steps"`
	// Median is the day on which the curve reaches a half, the middle between
	// two events where it stays there; none if it does not fall so far. Its
	// interval's ends are where the curve's own interval reaches a half.
	Median     *float64 `json:"median"`
	MedianLow  *float64 `json:"median_low"`
	MedianHigh *float64 `json:"median_high"`
}

// KaplanMeier is the product-limit estimate. Events come before censored times
// of the same day.
func KaplanMeier(times []Time) Curve {
	times = slices.Clone(times)
	slices.SortFunc(times, func(a, b Time) int { return cmp.Compare(a.Days, b.Days) })
	c := Curve{N: len(times), Steps: []KMStep{}}
	survival, greenwood, left := 1.0, 0.0, len(times)
	z := distuv.UnitNormal.Quantile(1 - tail)
	for i := 0; i < len(times); {
		step := KMStep{Days: times[i].Days, AtRisk: left}
		for ; i < len(times) && times[i].Days == step.Days; i++ {
			if times[i].Event {
				step.Events++
			} else {
				step.Censored++
			}
		}
		n, events := float64(step.AtRisk), float64(step.Events)
		survival *= (n - events) / n
		if step.Events > 0 {
			greenwood += events / (n * (n - events)) // infinite once nobody is left
		}
		step.Survival = survival
		if survival > 0 {
			step.SE = survival * math.Sqrt(greenwood)
		}
		step.Low, step.High = logLog(survival, z*math.Sqrt(greenwood)).ends()
		left -= step.Events + step.Censored
		c.Events += step.Events
		c.Steps = append(c.Steps, step)
	}
	c.Median = c.reachesHalf(func(s KMStep) *float64 { return &s.Survival })
	c.MedianLow = c.reachesHalf(func(s KMStep) *float64 { return s.Low })
	c.MedianHigh = c.reachesHalf(func(s KMStep) *float64 { return s.High })
	return c
}

// logLog is the interval on the scale of log(−log S): half is the half width on
// that of log S.
func logLog(s, half float64) *Interval {
	if s <= 0 || s >= 1 {
		return nil
	}
	at, width := math.Log(-math.Log(s)), half/math.Log(s)
	return &Interval{Low: math.Exp(-math.Exp(at - width)), High: math.Exp(-math.Exp(at + width))}
}

// halfTolerance is how near to a half is a half, as in R's survival.
const halfTolerance = 1.4901161193847656e-08

// reachesHalf is the day on which a curve is first at or below a half. Where it
// stays at exactly a half it is the middle between that day and the next fall.
func (c Curve) reachesHalf(curve func(KMStep) *float64) *float64 {
	first, at := -1, 0.0
	for i, s := range c.Steps {
		known := curve(s)
		if known == nil || *known >= 0.5+halfTolerance {
			continue
		}
		y := *known
		if first < 0 {
			first, at = i, y
			if math.Abs(y-0.5) >= halfTolerance {
				break
			}
			continue
		}
		if y < at {
			middle := float64(c.Steps[first].Days+s.Days) / 2
			return &middle
		}
	}
	if first < 0 {
		return nil
	}
	day := float64(c.Steps[first].Days)
	return &day
}

// marks are the numbers at risk at day 0 and so many days apart, up to the last
// time.
func (c Curve) marks(apart int) []RiskMark {
	out := []RiskMark{}
	for day := 0; len(c.Steps) > 0 && day <= c.Steps[len(c.Steps)-1].Days; day += apart {
		out = append(out, RiskMark{day, c.AtRisk(day)})
	}
	return out
}

// AtRisk is how many had neither an event nor a censored time before the day.
func (c Curve) AtRisk(day int) int {
	left := c.N
	for _, s := range c.Steps {
		if s.Days >= day {
			break
		}
		left = s.AtRisk - s.Events - s.Censored
	}
	return left
}

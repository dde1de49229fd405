package simulate

import (
	"math"

	"epro/instruments"
	"epro/study"
)

// body is how somebody is, from 0 to 1: a level of her own that wanders slowly,
// falls after each dose and recovers, gets worse once the disease progresses,
// and shows in every item with its own colour.
type body struct {
	ins          *instruments.Instrument
	level        float64
	mood         float64 // wanders from form to form
	sensitivity  float64 // to chemotherapy
	responds     float64 // gained over the first months, if treatment works
	items        []float64
	firstDose    study.Date
	lastDose     study.Date
	doses        int
	progressesOn study.Date
	diesOn       study.Date
}

func newBody(c chance, ins *instruments.Instrument) body {
	b := body{
		ins: ins, level: c.normal(0.74, 0.08), sensitivity: max(0.2, c.normal(1, 0.35)),
		responds: c.normal(0.07, 0.05), items: make([]float64, len(ins.Items)),
	}
	for i := range b.items {
		b.items[i] = c.normal(0, 0.11) // what troubles her more, or less, than others
	}
	return b
}

// dosed is told of every dose.
func (b *body) dosed(day study.Date) {
	if b.doses++; b.doses == 1 {
		b.firstDose = day
	}
	b.lastDose = day
}

// health is how she is on a day, and dip is how much of that the last dose takes.
func (b *body) health(day study.Date) (health, dip float64) {
	health = b.level + b.mood
	if b.doses > 0 {
		since := float64(day - b.lastDose)
		dip = b.sensitivity * (0.16*math.Exp(-max(0, since)/6) + 0.07*(1-math.Exp(-float64(b.doses)/3)))
		health += b.responds * (1 - math.Exp(-float64(day-b.firstDose)/60))
	}
	if b.progressesOn != 0 && day > b.progressesOn {
		health -= 0.05 + 0.0016*float64(min(day-b.progressesOn, 120))
	}
	if b.diesOn != 0 && day > b.diesOn-60 {
		health -= 0.004 * float64(60-(b.diesOn-day))
	}
	return health, dip
}

// tints are how a subscale follows health, the dip after a dose, and time.
var tints = map[string]struct{ offset, health, dip float64 }{
	"PWB": {0.10, 1.0, 1.0},
	"SWB": {0.32, 0.6, 0.1},
	"EWB": {0.12, 0.8, 0.3},
	"FWB": {-0.06, 1.0, 0.7},
	"BCS": {-0.08, 0.9, 0.5},
}

// burdens are items that stand out in this disease and its treatment, in the
// direction of wellness.
var burdens = map[string]float64{
	"GP1": -0.14, "GP2": 0.04, "GP5": -0.08, "GP7": 0.10, "GS7": -0.22, "GE2": 0.06, "GE6": -0.14,
	"GF1": -0.06, "GF4": 0.08, "GF5": -0.05, "B1": 0.10, "B3": 0.12, "B4": -0.16, "B5": -0.12, "B6": -0.14, "B9": -0.04, "P2": 0.02,
}

// answers are what she would answer to every item on a day. A reverse-scored
// item asks about a trouble, so that who is well answers it low.
func (b *body) answers(c chance, day study.Date) []int {
	b.mood = 0.72*b.mood + c.normal(0, 0.045)
	health, dip := b.health(day)
	low, high := b.ins.Lowest(), b.ins.Highest()
	out := make([]int, len(b.items))
	for i, item := range b.ins.Items {
		tint, known := tints[item.Subscale]
		if !known {
			tint.health, tint.dip = 1, 0.5
		}
		well := tint.offset + tint.health*health - tint.dip*dip + burdens[item.Code] + b.items[i] + c.normal(0, 0.09)
		step := int(math.Round(float64(high-low) * min(1, max(0, well))))
		if item.Reversed {
			out[i] = high - step
		} else {
			out[i] = low + step
		}
	}
	return out
}

// ecog is the investigator's rating, 0 to 4; lower is better.
func (b *body) ecog(c chance, day study.Date) int {
	health, dip := b.health(day)
	return min(4, max(0, int(math.Round(3.2-4*(health-dip)+c.normal(0, 0.3)))))
}

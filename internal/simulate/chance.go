package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// chance is where one participant's luck comes from. Everybody has her own, so
// that what happens to one does not depend on who else is simulated when.
type chance struct{ *rand.Rand }

// newChance is the source for one participant (or another stream) of a seed.
// The streams are spread out because PCG's neighbours begin alike.
func newChance(seed, stream uint64) chance {
	return chance{rand.New(rand.NewPCG(spread(seed), spread(stream^spread(seed+1))))}
}

// spread is the finalizer of SplitMix64: near numbers become far ones.
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// newID is a UUID of version 4 in form, though anything but random.
func (c chance) newID() string {
	high, low := c.Uint64(), c.Uint64()
	high = high&^0xf000 | 0x4000
	low = low&^(0xc<<60) | 0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&0xffffffffffff)
}

// happens is true with probability p.
func (c chance) happens(p float64) bool { return c.Float64() < p }

// between is a whole number from low to high, both included.
func (c chance) between(low, high int) int { return low + c.IntN(high-low+1) }

// span is a length of time from low to high, to the second.
func (c chance) span(low, high time.Duration) time.Duration {
	return low + time.Duration(c.Int64N(int64((high-low)/time.Second)+1))*time.Second
}

// normal is a draw from the normal distribution.
func (c chance) normal(mean, deviation float64) float64 { return mean + deviation*c.NormFloat64() }

// pick is one of the values.
func pick[T any](c chance, values ...T) T { return values[c.IntN(len(values))] }

// weighted is one of the values, each with its weight.
func weighted[T any](c chance, values []T, weights []int) T {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := c.IntN(total)
	for i, w := range weights {
		if at -= w; at < 0 {
			return values[i]
		}
	}
	return values[len(values)-1]
}

package scoring

import (
	"math/bits"
	"slices"

	"epro/instruments"
)

// ones has a 1 in each of a word's eight bytes. A product with it has the sum
// of the other factor's bytes in its highest byte.
const ones = 0x0101010101010101

// width is the number of answers that are looked at together.
const width = 8

// chunk is up to eight neighbouring items of one subscale. Their answers make
// one word, a byte an item, so that a few operations on the word score them all.
type chunk struct {
	at      int    // the first of the eight
	items   uint64 // 0x80 in the bytes of the subscale's items
	flipped uint64 // 0xff in the bytes of those that are reverse-scored
	base    uint64 // lowest + highest choice in the same bytes: the answer is taken from it
	// The subscale's last chunk has every score that its sum and count can make,
	// at sum<<shift + count, so that scoring neither branches nor divides.
	scores []Score
	shift  uint8
}

// limits find the answers that are a choice. Added to a byte below 0x80, under
// sets its highest bit from the lowest choice on, and over above the highest.
type limits struct{ under, over uint64 }

func limitsOf(ins *instruments.Instrument) limits {
	return limits{under: uint64(0x80-ins.Lowest()) * ones, over: uint64(0x7f-ins.Highest()) * ones}
}

// add gives back the answered items' scores, a byte an item, and 0x80 in the
// bytes of the items that are answered. No byte can carry into its neighbour.
func (c *chunk) add(l limits, word uint64) (scores, answered uint64) {
	low := word &^ (0x80 * ones)
	answered = (low + l.under) &^ (low + l.over) &^ word & c.items
	all := answered | (answered - answered>>7)
	word &= all
	turned := word & c.flipped
	return word - turned + (c.base&all - turned), answered
}

// sum adds the eight bytes of a word; together they must stay below 256.
func sum(word uint64) uint64 { return word * ones >> 56 }

// chunksOf cuts a subscale's items into as few words as their places allow.
func chunksOf(ins *instruments.Instrument, sub instruments.Subscale) []chunk {
	var chunks []chunk
	items := len(ins.Items)
	for next := 0; next < items; next++ {
		if !has(sub, ins.Items[next]) {
			continue
		}
		c := chunk{at: max(0, min(next, items-width))}
		for ; next < min(c.at+width, items); next++ {
			if has(sub, ins.Items[next]) {
				c.take(ins, next)
			}
		}
		next--
		chunks = append(chunks, c)
	}
	chunks[len(chunks)-1].workOut(sub, ins.Highest())
	return chunks
}

func (c *chunk) workOut(sub instruments.Subscale, highest int) {
	items := len(sub.Items)
	c.shift = uint8(bits.Len(uint(items)))
	c.scores = make([]Score, (items*highest+1)<<c.shift)
	for at := range c.scores {
		if answered := at & (1<<c.shift - 1); answered <= items {
			c.scores[at] = subscaleScore(sub, at>>c.shift, answered)
		}
	}
}

func has(sub instruments.Subscale, item instruments.Item) bool {
	return slices.Contains(sub.Items, item.Code)
}

func (c *chunk) take(ins *instruments.Instrument, item int) {
	at := 8 * (item - c.at)
	c.items |= 0x80 << at
	if ins.Items[item].Reversed {
		c.flipped |= 0xff << at
		c.base |= uint64(ins.Lowest()+ins.Highest()) << at
	}
}

// scoreSubscales fills in the scores of the subscales and says how many there are.
func scoreSubscales(into []Score, l limits, chunks []chunk, a instruments.Answers) int {
	next, points, answered := 0, uint64(0), uint64(0)
	for i := range chunks {
		c := &chunks[i]
		b := a[c.at:][:width:width]
		word := uint64(uint8(b[0])) | uint64(uint8(b[1]))<<8 | uint64(uint8(b[2]))<<16 | uint64(uint8(b[3]))<<24 |
			uint64(uint8(b[4]))<<32 | uint64(uint8(b[5]))<<40 | uint64(uint8(b[6]))<<48 | uint64(uint8(b[7]))<<56
		p, n := c.add(l, word)
		points += sum(p)
		answered += sum(n >> 7)
		if c.scores != nil {
			into[next] = c.scores[points<<(c.shift%64)+answered]
			next, points, answered = next+1, 0, 0
		}
	}
	return next
}

// subscaleScore is the rule for one subscale: sum of the answered items' scores,
// number of them answered.
func subscaleScore(sub instruments.Subscale, sum, answered int) Score {
	items := len(sub.Items)
	score := Score{Answered: uint8(answered), Items: uint8(items)}
	if answered < fewest(sub.Needs, items) {
		score.Missing = TooFewAnswered
		return score
	}
	// The product is a whole number and the division the only rounding, so that a
	// best possible form with gaps scores exactly the maximum.
	score.Value = float64(sum*items) / float64(answered)
	score.Prorated = answered < items
	return score
}

// fewest is the smallest count that meets the threshold, at least one because
// nothing can be made of no answers at all.
func fewest(t instruments.Threshold, items int) int {
	n := 1
	for n < items && !t.Met(n, items) {
		n++
	}
	return n
}

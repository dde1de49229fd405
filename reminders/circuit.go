package reminders

import (
	"sync"
	"time"
)

// circuits hold back messages that would fail for the same cause as others just
// did: a wrong key, a service that is down.
type circuits struct {
	mu    sync.Mutex
	open  map[string]*circuit
	batch map[TargetKind]*refusals
}

// begin starts a batch of so many messages of each kind.
func (c *circuits) begin(messages map[TargetKind]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batch = map[TargetKind]*refusals{}
	for kind, n := range messages {
		c.batch[kind] = &refusals{of: n}
	}
}

type circuit struct {
	until   time.Time
	probing bool
	row     int  // failures of the service in a row
	refused bool // it is open because of too many refusals
}

// refusals counts, within one batch, the messages that were refused for one
// device each in a way that a person has to look at.
type refusals struct{ of, refused int }

// One refused device is its own affair. More than one message in a hundred of a
// batch, and three at least, is more likely a fault of ours, such as another
// project's key, which would cost every message its life and every device its
// target: the rest waits, and one message goes first.
const (
	refusedOfHundred = 1
	refusedAtLeast   = 3
	pauseOfRefusals  = 15 * time.Minute
)

// failuresInARow of a service open its circuit, for a while.
const (
	failuresInARow = 5
	pauseInARow    = time.Minute
)

func scopeKeys(kind TargetKind, platform string) []string {
	return []string{string(kind), string(kind) + "/" + platform}
}

// allow reports whether a message may leave. When a pause is over one message
// goes first; the others wait for what becomes of it.
func (c *circuits) allow(kind TargetKind, platform string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range scopeKeys(kind, platform) {
		if x := c.open[key]; x != nil && !x.until.IsZero() && (x.probing || now.Before(x.until)) {
			return false
		}
	}
	for _, key := range scopeKeys(kind, platform) {
		if x := c.open[key]; x != nil && !x.until.IsZero() {
			x.probing = true
		}
	}
	return true
}

// release lets the next message be the first one, if this one did not leave.
func (c *circuits) release(kind TargetKind, platform string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range scopeKeys(kind, platform) {
		if x := c.open[key]; x != nil {
			x.probing = false
		}
	}
}

// note takes in what became of a message, and reports whether it was the one
// after which too many of the batch were refused.
func (c *circuits) note(kind TargetKind, platform string, o Outcome, now time.Time) (tooMany bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[string]*circuit{}
	}
	keys := scopeKeys(kind, platform)
	failed := ""
	switch {
	case o.Status == Accepted:
	case o.Scope == WholeProject:
		failed = keys[0]
	case o.Scope == OnePlatform:
		failed = keys[1]
	}
	for _, key := range keys {
		if c.open[key] == nil {
			c.open[key] = &circuit{}
		}
		c.open[key].note(o, key == failed, now)
	}
	return c.noteRefusal(kind, o, now)
}

// note takes in what became of a message that this circuit is for.
func (x *circuit) note(o Outcome, failed bool, now time.Time) {
	x.probing = false
	switch {
	case !failed && x.refused && o.Status != Accepted:
		// That others are refused as well, or are in doubt, mends nothing.
	case !failed:
		// The service answered, so its own circuit closes.
		*x = circuit{}
	default:
		x.row++
		switch {
		case o.Pause > 0:
			x.until = now.Add(o.Pause)
		case x.row >= failuresInARow:
			x.until = now.Add(pauseInARow)
		default:
			x.until = time.Time{}
		}
	}
}

func (c *circuits) noteRefusal(kind TargetKind, o Outcome, now time.Time) (tooMany bool) {
	batch, x := c.batch[kind], c.open[string(kind)]
	if batch == nil || !o.Alarm || o.Scope != OneDevice {
		return false
	}
	batch.refused++
	often := batch.refused >= refusedAtLeast && 100*batch.refused > refusedOfHundred*batch.of
	if !often && !x.refused {
		return false
	}
	tooMany = !x.refused
	x.refused, x.until = true, now.Add(pauseOfRefusals)
	return tooMany
}

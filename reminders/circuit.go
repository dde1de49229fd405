package reminders

import (
	"sync"
	"time"
)

// circuits hold back messages that would fail for the same cause as others just
// did: a wrong key, a service that is down.
type circuits struct {
	mu   sync.Mutex
	open map[string]*circuit
}

type circuit struct {
	until   time.Time
	probing bool
	row     int // failures of the service in a row
}

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

// note takes in what became of a message.
func (c *circuits) note(kind TargetKind, platform string, o Outcome, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[string]*circuit{}
	}
	keys := scopeKeys(kind, platform)
	failed := ""
	switch o.Scope {
	case WholeProject:
		failed = keys[0]
	case OnePlatform:
		failed = keys[1]
	}
	for _, key := range keys {
		x := c.open[key]
		if x == nil {
			x = &circuit{}
			c.open[key] = x
		}
		x.probing = false
		if key != failed || o.Status == Accepted {
			// The service answered, so its own circuit closes.
			x.until, x.row = time.Time{}, 0
			continue
		}
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

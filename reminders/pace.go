package reminders

import (
	"context"
	"sync"
	"time"
)

// pace spreads messages: at most so many a second, and fewer in the first
// minute, so that a service sees no wall of requests after a start.
type pace struct {
	perSecond float64
	ramp      time.Duration
	now       func() time.Time

	mu    sync.Mutex
	begun time.Time
	next  time.Time
}

// wait returns when the next message may leave, or the context ends.
func (p *pace) wait(ctx context.Context) error {
	if p.perSecond <= 0 {
		return ctx.Err()
	}
	delay := p.reserve()
	if delay <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// reserve takes the next place and says how far away it is.
func (p *pace) reserve() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.begun.IsZero() {
		p.begun = now
	}
	rate := p.perSecond
	if age := now.Sub(p.begun); age < p.ramp {
		rate *= max(float64(age)/float64(p.ramp), 0.1)
	}
	p.next = maxTime(p.next, now)
	delay := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(time.Second) / rate))
	return delay
}

package reminders_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/reminders"
)

var blamed = reminders.Outcome{Status: reminders.RejectedTarget, Reason: "sender_mismatch", Target: reminders.Disable, Scope: reminders.OneDevice, Burns: true, Alarm: true}

// atATime has few messages on their way at once.
func atATime(n int) func(*reminders.Options) {
	return func(o *reminders.Options) { o.Workers = n }
}

func (p *post) devicesThatLive() int {
	p.t.Helper()
	live := 0
	for _, id := range p.people {
		devices, err := p.Devices(p.t.Context(), id)
		p.check(err)
		for _, d := range devices {
			if d.Disabled == "" {
				live++
			}
		}
	}
	return live
}

// A key of another project has every device refused, one by one.
func TestRefusalsOfMoreThanOneInAHundredHoldTheBatchBack(t *testing.T) {
	const people, workers = 40, 2
	p := newPost(t, people)
	var said bytes.Buffer
	p.d = newDispatcher(t, p.Fixture, p.sender, atATime(workers), func(o *reminders.Options) { o.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	p.sender.answers = []reminders.Outcome{blamed}
	p.sweep()
	first := len(p.sender.sent)
	if first < 3 || first > 3+workers-1 {
		t.Fatalf("%d left before the circuit opened", first)
	}
	p.pass(14)
	if n := len(p.sender.sent); n != first {
		t.Errorf("%d more left while it was open", n-first)
	}
	p.pass(3)
	if n := len(p.sender.sent) - first; n != 1 {
		t.Errorf("%d went first", n)
	}
	p.pass(12)
	if n := len(p.sender.sent) - first; n != 1 {
		t.Errorf("%d left though the first was refused too", n)
	}
	if n := strings.Count(said.String(), "too many reminders"); n != 1 {
		t.Errorf("said %d times", n)
	}
	p.sender.answers = []reminders.Outcome{{Status: reminders.Accepted, Scope: reminders.OneDevice}}
	p.pass(10)
	if live := p.devicesThatLive(); live != people-first-1 || len(p.sender.sent) != people {
		t.Errorf("%d devices are left, %d messages left in all", live, len(p.sender.sent))
	}
}

// Two bad devices of many are their own affair.
func TestSingleRefusalsHoldNobodyBack(t *testing.T) {
	p := newPost(t, 30)
	p.d = newDispatcher(t, p.Fixture, p.sender, atATime(1))
	p.sender.answers = []reminders.Outcome{blamed, {Status: reminders.Accepted}, {Status: reminders.Accepted}, blamed, {Status: reminders.Accepted}}
	p.sweep()
	if live := p.devicesThatLive(); live != 28 || len(p.sender.sent) != 30 {
		t.Errorf("%d devices are left, %d messages left", live, len(p.sender.sent))
	}
}

// Failures of the service count in a row: an answer in between begins anew.
func TestFiveFailuresInARowOpenTheServicesCircuitForAMinute(t *testing.T) {
	p := newPost(t, 30)
	p.d = newDispatcher(t, p.Fixture, p.sender, atATime(1))
	down := reminders.Outcome{Status: reminders.Retry, Reason: "unavailable", Scope: reminders.WholeProject}
	ok := reminders.Outcome{Status: reminders.Accepted}
	p.sender.answers = []reminders.Outcome{down, down, down, down, ok, down, down, down, down, down, ok}
	p.sweep()
	if n := len(p.sender.sent); n != 10 {
		t.Errorf("%d left, and the fifth failure in a row was the tenth message", n)
	}
	p.Clock.Advance(59 * time.Second)
	p.sweep()
	if n := len(p.sender.sent); n != 10 {
		t.Errorf("%d left within the minute", n-10)
	}
	p.pass(30)
	if got := reached(p); got != 30 {
		t.Errorf("%d of 30 were reminded in the end", got)
	}
}

func reached(p *post) int {
	got := map[string]bool{}
	for _, m := range p.sender.sent {
		got[m.Target.Value] = true
	}
	return len(got)
}

// A fault of one platform's key leaves the other platform's messages alone.
func TestAPlatformsCircuitHoldsThatPlatformOnly(t *testing.T) {
	p := newPost(t, 6)
	ios := &byPlatform{fault: map[string]reminders.Outcome{
		"android": {Status: reminders.Retry, Reason: "platform_credentials", Scope: reminders.OnePlatform, Pause: 30 * time.Minute, Alarm: true},
	}}
	for _, id := range p.people[3:] {
		p.registerOn(id, "ios", "ios-"+string(id))
	}
	p.d = newDispatcher(t, p.Fixture, ios, atATime(1))
	p.sweep()
	p.pass(5)
	if ios.sent["android"] != 1 || ios.sent["ios"] != 3 {
		t.Errorf("left for each platform: %v", ios.sent)
	}
}

// byPlatform answers as the platform's fault says.
type byPlatform struct {
	fault map[string]reminders.Outcome
	mu    sync.Mutex
	sent  map[string]int
}

func (s *byPlatform) Send(_ context.Context, m reminders.Message) reminders.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		s.sent = map[string]int{}
	}
	s.sent[m.Platform]++
	if o, is := s.fault[m.Platform]; is {
		return o
	}
	return reminders.Outcome{Status: reminders.Accepted, Scope: reminders.OneDevice}
}

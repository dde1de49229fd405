package reminders_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/reminders"
	"epro/study"
)

// tally keeps what an observer is told.
type tally struct {
	mu   sync.Mutex
	due  int
	sent map[string]int
	lag  []time.Duration
}

func (o *tally) Due(n int) { o.mu.Lock(); defer o.mu.Unlock(); o.due += n }

func (o *tally) Lag(behind time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lag = append(o.lag, behind)
}

func (o *tally) Sent(kind, status, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent == nil {
		o.sent = map[string]int{}
	}
	o.sent[strings.Join([]string{kind, status, reason}, "/")]++
}

func (o *tally) text() string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(o.sent)) {
		out = append(out, fmt.Sprint(key, " ", o.sent[key]))
	}
	return fmt.Sprint(o.due, " due: ", strings.Join(out, ", "))
}

func TestAnObserverIsToldWhatWasDueWhatBecameOfItAndTheLag(t *testing.T) {
	p := newPost(t, 4)
	o := &tally{}
	p.d = newDispatcher(t, p.Fixture, p.sender, atATime(1), func(options *reminders.Options) { options.Observe = o })
	p.sender.answers = []reminders.Outcome{
		{Status: reminders.RejectedTarget, Reason: "unregistered", Target: reminders.Delete, Scope: reminders.OneDevice},
		{Status: reminders.Retry, Reason: "internal", Scope: reminders.OneDevice, Burns: true},
		{Status: reminders.Accepted, Reason: "accepted"},
	}
	due, err := p.Store.RecordsBetween(t.Context(), reminders.CursorKind, study.RecordPlace{}, p.Clock.Now(), 1)
	p.check(err)
	behind := p.Clock.Now().Sub(due[0].At)
	p.sweep()
	if got, want := o.text(), "4 due: fcm_token/accepted/accepted 2, fcm_token/rejected_target/unregistered 1, fcm_token/retry/internal 1"; got != want {
		t.Errorf("after the sweep: %s\nwant %s", got, want)
	}
	if len(o.lag) != 1 || o.lag[0] != behind || behind <= 0 {
		t.Errorf("the lag is told as %v, want %v", o.lag, behind)
	}
	p.pass(2)
	if got, want := o.text(), "5 due: fcm_token/accepted/accepted 3, fcm_token/rejected_target/unregistered 1, fcm_token/retry/internal 1"; got != want {
		t.Errorf("after the retry: %s\nwant %s", got, want)
	}
	p.pass(1)
	if last := o.lag[len(o.lag)-1]; last != 0 {
		t.Errorf("with nothing due the lag is %v", last)
	}
}

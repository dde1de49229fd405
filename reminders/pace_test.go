package reminders_test

import (
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
)

// leaveAt are the instants after the start at which so many messages leave when
// somebody always wants to send.
func leaveAt(n int, perSecond float64, ramp time.Duration) []time.Duration {
	clock := testkit.NewClock(testkit.Start)
	next := reminders.Reserve(perSecond, ramp, clock.Now)
	out := make([]time.Duration, n)
	for i := range out {
		clock.Advance(next())
		out[i] = clock.Now().Sub(testkit.Start)
	}
	return out
}

func TestNoSecondSeesMoreMessagesThanTheRate(t *testing.T) {
	const rate = 300
	at := leaveAt(5000, rate, time.Minute)
	for i := rate + 1; i < len(at); i++ {
		if at[i]-at[i-rate-1] < time.Second {
			t.Fatalf("messages %d to %d leave within a second of %v", i-rate-1, i, at[i])
		}
	}
}

func TestTheRateIsReachedGraduallyAfterAStart(t *testing.T) {
	const rate = 100
	count := map[int]int{} // by second
	for _, at := range leaveAt(20_000, rate, time.Minute) {
		count[int(at/time.Second)]++
	}
	for second, limits := range map[int][2]int{0: {9, 11}, 5: {9, 11}, 15: {24, 27}, 30: {49, 52}, 45: {74, 77}, 61: {99, 101}, 120: {99, 101}} {
		if n := count[second]; n < limits[0] || n > limits[1] {
			t.Errorf("%d leave in second %d, want %d to %d", n, second, limits[0], limits[1])
		}
	}
}

// What was not used is not saved up: after a quiet night no wall of messages.
func TestARestDoesNotSaveUpMessages(t *testing.T) {
	clock := testkit.NewClock(testkit.Start)
	next := reminders.Reserve(10, time.Second, clock.Now)
	next()
	clock.Advance(time.Hour)
	if wait := next(); wait != 0 {
		t.Errorf("the first after a rest waits for %v", wait)
	}
	for i := range 20 {
		if wait, want := next(), time.Duration(i+1)*100*time.Millisecond; wait != want {
			t.Errorf("message %d after a rest waits for %v, want %v", i+2, wait, want)
		}
	}
}

package testkit

import (
	"syscall"
	"testing"
	"time"
)

// Processor is the processor time that this program has taken so far. On a
// machine with other work it says more of a program than the clock does.
func Processor(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

package auth

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func waitOf(t *testing.T, err error) time.Duration {
	t.Helper()
	seconds, ok := WaitOf(err)
	if study.CodeOf(err) != study.TooMany || !ok {
		t.Fatalf("got %v", err)
	}
	return time.Duration(seconds) * time.Second
}

func TestAnAccountBacksOffAfterFiveFailures(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	for _, username := range []string{"anna", "nobody"} {
		from := 0
		try := func(password string) error {
			from++
			_, err := w.Login(t.Context(), Credentials{Username: username, Password: password, Address: fmt.Sprintf("2001:db8:0:%x::1", from)})
			return err
		}
		for range 5 {
			w.refused(try("wrong"), study.Unauthenticated)
		}
		for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
			if wait := waitOf(t, try(goodPassword)); wait != time.Duration(seconds)*time.Second {
				t.Fatalf("%s has to wait %v, not %d s", username, wait, seconds)
			}
			w.clock.pass(time.Duration(seconds)*time.Second - time.Millisecond)
			if wait := waitOf(t, try(goodPassword)); wait != time.Second {
				t.Fatalf("%s has to wait %v at the end", username, wait)
			}
			w.clock.pass(time.Millisecond)
			w.refused(try("wrong"), study.Unauthenticated)
		}
	}
	w.clock.pass(15 * time.Minute)
	_, err := w.login("anna", goodPassword)
	w.must(err)
	for range 5 { // the right password has wiped the slate
		_, err := w.login("anna", "wrong")
		w.refused(err, study.Unauthenticated)
	}
}

func TestAnAddressGetsThirtyFailuresInAQuarterOfAnHour(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	try := func(n int, address string) error {
		_, err := w.Login(t.Context(), Credentials{Username: fmt.Sprintf("user%d", n), Password: "wrong", Address: address})
		return err
	}
	for n := range 30 {
		w.refused(try(n, fmt.Sprintf("2001:db8::%x", n+1)), study.Unauthenticated)
	}
	if wait := waitOf(t, try(31, "2001:db8::ffff")); wait != 15*time.Minute {
		t.Errorf("it has to wait %v", wait)
	}
	w.refused(try(32, "2001:db8:0:1::1"), study.Unauthenticated)
	w.refused(try(33, "not an address"), study.Unauthenticated)
	w.clock.pass(15*time.Minute + time.Millisecond)
	w.refused(try(34, "2001:db8::1"), study.Unauthenticated)
	for _, same := range []string{"::ffff:192.0.2.1", "192.0.2.1:443", "[::ffff:192.0.2.1]:443"} {
		if addressKey(same) != addressKey("192.0.2.1") {
			t.Errorf("%s has another key", same)
		}
	}
}

func TestGuessesMadeAllAtOnceAreCountedAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.account("anna", study.RoleAnalyst)
	other := w.process(w.store, Options{})
	var wg sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		wg.Go(func() {
			a := []*Auth{w.Auth, other}[i%2]
			_, errs[i] = a.Login(t.Context(), Credentials{Username: "anna", Password: "wrong", Address: fmt.Sprintf("198.51.100.%d", i)})
		})
	}
	wg.Wait()
	looked := 0
	for _, err := range errs {
		switch study.CodeOf(err) {
		case study.Unauthenticated:
			looked++
		case study.TooMany:
		default:
			t.Error(err)
		}
	}
	if looked > 5 {
		t.Errorf("%d guesses were looked at", looked)
	}
}

func TestEnrolmentsAreLimitedPerAddressAndInTotal(t *testing.T) {
	w := newWorld(t)
	good := w.code(w.participant(), false)
	wrong := codeFrom(mac([32]byte{9}, "unknown"))
	try := func(code, address string) error {
		_, err := w.Enrol(t.Context(), Enrolment{Code: code, Address: address})
		return err
	}
	for range 25 {
		w.refused(try("00000-00000-1", "192.0.2.1"), study.Invalid) // mistyped: not counted
	}
	for range 20 {
		w.refused(try(wrong, "192.0.2.1"), study.Unauthenticated)
	}
	if wait := waitOf(t, try(good, "192.0.2.1")); wait != time.Hour {
		t.Errorf("it has to wait %v", wait)
	}
	w.clock.pass(30 * time.Minute)
	for n := 20; n < 600; n++ {
		r, err := w.record(kindEnrolFailure, fmt.Sprint(n), addressKey(fmt.Sprintf("198.51.%d.1", n%200)), time.Hour, struct{}{})
		w.must(err)
		w.must(w.store.InsertRecord(t.Context(), r))
	}
	if wait := waitOf(t, try(good, "203.0.113.1")); wait != 30*time.Minute {
		t.Errorf("everybody has to wait %v", wait)
	}
	w.clock.pass(30*time.Minute + time.Millisecond)
	w.must(try(good, "203.0.113.1"))
}

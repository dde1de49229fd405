package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"epro/study"
)

// RetryAfter is the cause of a TooMany: when the next attempt is looked at.
type RetryAfter struct{ Seconds int }

// Error says so in words, for the log.
func (r RetryAfter) Error() string { return fmt.Sprintf("try again after %d s", r.Seconds) }

// limit bounds the failures of one owner (empty: of all) within a window.
type limit struct {
	kind   study.RecordKind
	owner  string
	window time.Duration
	// wait is how long the next attempt has to wait after these failures.
	wait func(failures []study.Record, now time.Time) time.Duration
}

// enrolLimits are those of reference/ux_security.md §4.4: with 600 guesses an
// hour at 50 bits and 500 codes that are live, three days of guessing hit one
// with a chance of 2e-8.
func enrolLimits(address string) []limit {
	return []limit{
		{kindEnrolFailure, addressKey(address), time.Hour, atMost(20, time.Hour)},
		{kindEnrolFailure, "", time.Hour, atMost(600, time.Hour)},
	}
}

// loginLimits slow down guessing at one account, and from one address at all.
// An account is never locked for good, or anybody could lock out a site; at a
// quarter of an hour a try, a day has 96, below the 100 consecutive failures
// that NIST SP 800-63B allows.
func (a *Auth) loginLimits(username, address string) []limit {
	return []limit{
		{kindLoginFailure, addressKey(address), 15 * time.Minute, atMost(30, 15*time.Minute)},
		{kindLoginFailure, a.accountKey(username), day, backOff},
	}
}

// accountKey is what an account's failures are counted under. People type
// passwords where the user name goes, so the name itself is not kept.
func (a *Auth) accountKey(username string) string {
	sum := mac(a.secrets.lookups, "username", foldName(username))
	return "account/" + hex.EncodeToString(sum[:16])
}

// addressKey is what an address's failures are counted under: an IPv6 address
// by its /64, because one customer has all of that (RFC 6177).
func addressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		withPort, err := netip.ParseAddrPort(address)
		if err != nil {
			return "address/unknown"
		}
		ip = withPort.Addr()
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		return "address/" + netip.PrefixFrom(ip, 64).Masked().String()
	}
	return "address/" + ip.String()
}

// atMost allows n failures in a window.
func atMost(n int, window time.Duration) func([]study.Record, time.Time) time.Duration {
	return func(failures []study.Record, now time.Time) time.Duration {
		if len(failures) < n {
			return 0
		}
		return failures[len(failures)-n].At.Add(window).Sub(now)
	}
}

// backOff lets five failures pass, then asks for 1, 2, 4, … seconds after the
// latest, up to a quarter of an hour.
func backOff(failures []study.Record, now time.Time) time.Duration {
	const free, longest = 5, 15 * time.Minute
	n := len(failures)
	if n < free {
		return 0
	}
	pause := longest
	if doublings := n - free; doublings < 10 {
		pause = min(longest, time.Second<<doublings)
	}
	return failures[n-1].At.Add(pause).Sub(now)
}

// try is an attempt that counts as failed until it is forgiven: so a crash
// counts, and so do guesses that are made all at once.
type try struct {
	a       *Auth
	records []study.Record
}

// admit lets an attempt pass, or says how long to wait. The failure is stored
// before the others are counted: of any number of attempts at the same moment,
// the last one stored sees all.
func (a *Auth) admit(ctx context.Context, limits ...limit) (*try, error) {
	t := &try{a: a}
	if err := t.check(ctx, limits); err != nil {
		return nil, err
	}
	for _, l := range limits {
		if l.owner == "" {
			continue
		}
		key, err := a.fresh(16)
		if err != nil {
			return nil, err
		}
		r, err := a.record(l.kind, hex.EncodeToString(key), l.owner, l.window, struct{}{})
		if err != nil {
			return nil, err
		}
		t.records = append(t.records, r)
		if _, err := a.insert(ctx, r); err != nil {
			t.forgive(ctx)
			return nil, err
		}
	}
	if err := t.check(ctx, limits); err != nil {
		t.forgive(ctx)
		return nil, err
	}
	return t, nil
}

// check counts everybody else's failures.
func (t *try) check(ctx context.Context, limits []limit) error {
	now := t.a.now()
	var longest time.Duration
	for _, l := range limits {
		failures, err := t.a.store.Records(ctx, l.kind, l.owner, now.Add(-l.window))
		if err != nil {
			return storeError(err)
		}
		failures = slices.DeleteFunc(failures, func(r study.Record) bool {
			return slices.ContainsFunc(t.records, func(own study.Record) bool { return own.Key == r.Key })
		})
		longest = max(longest, l.wait(failures, now))
	}
	if longest <= 0 {
		return nil
	}
	return tooMany(longest)
}

func tooMany(wait time.Duration) error {
	seconds := int((wait + time.Second - 1) / time.Second)
	text := fmt.Sprintf("%d seconds", seconds)
	if seconds > 120 {
		text = fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
	return &study.Error{Code: study.TooMany, Message: "Too many attempts failed. Wait " + text + ", then try again.", Err: RetryAfter{seconds}}
}

// forgive takes the failure back. Should the store fail now, the attempt stays
// counted until its window is over, which is no reason to fail what worked.
func (t *try) forgive(ctx context.Context) {
	for _, r := range t.records {
		_ = t.a.store.DeleteRecord(context.WithoutCancel(ctx), r.Kind, r.Key)
	}
}

// forgiveAccount forgets an account's failures, after its right password.
func (a *Auth) forgiveAccount(ctx context.Context, username string) {
	ctx = context.WithoutCancel(ctx)
	failures, err := a.store.Records(ctx, kindLoginFailure, a.accountKey(username), time.Time{})
	if err != nil {
		return // as in forgive
	}
	for _, r := range failures {
		_ = a.store.DeleteRecord(ctx, r.Kind, r.Key)
	}
}

// WaitOf is how many seconds a TooMany asks to wait, for a Retry-After header.
func WaitOf(err error) (seconds int, ok bool) {
	var wait RetryAfter
	ok = errors.As(err, &wait)
	return wait.Seconds, ok
}

// gate lets so many through at a time as it has room for.
type gate chan struct{}

// enter waits for room; leave makes it again.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return storeError(ctx.Err())
	}
}

func (g gate) leave() { <-g }

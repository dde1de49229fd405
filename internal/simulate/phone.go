package simulate

import (
	"slices"
	"time"

	"epro/study"
)

// phone is what she fills forms with.
type phone struct {
	name, platform string
	slow           time.Duration // how far its clock is behind
	updates        int           // days after a release before she has it
	offline        float64       // the chance that there is no network when she is done
}

func newPhone(c chance, wrongClock bool) phone {
	p := phone{platform: pick(c, "android", "android", "ios"), updates: c.between(0, 60), offline: pick(c, 0.02, 0.05, 0.2)}
	p.name = pick(c, "Phone", "My phone", "Family phone")
	if wrongClock {
		p.slow = c.span(11*time.Minute, 90*time.Minute)
	}
	return p
}

// releases are the versions of the app, by days before today.
var releases = []struct {
	daysAgo int
	version string
}{{1000, "1.0.0"}, {330, "1.1.0"}, {190, "1.2.1"}, {60, "1.3.0"}}

// app is the program on the phone on a day.
func (p phone) app(day, today study.Date) study.App {
	for _, r := range slices.Backward(releases) {
		if today-day <= study.Date(r.daysAgo-p.updates) {
			return study.App{Platform: p.platform, Version: r.version}
		}
	}
	return study.App{Platform: p.platform, Version: releases[0].version}
}

// says is what the phone's clock shows.
func (p phone) says(at time.Time) study.Instant { return study.InstantOf(at.Add(-p.slow)) }

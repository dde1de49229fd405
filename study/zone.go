package study

import (
	"errors"
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // so that zones load on a machine without zone files
)

// zoneName is Area/Location, or UTC. The one-word aliases stay out because
// some are traps (EST never changes its clocks), and so do the lower-case
// folders of a system's zone directory (right/... counts leap seconds).
var zoneName = regexp.MustCompile(`^(UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+-]*){1,2})$`)

// errZone does not repeat what was written: it reaches answers and logs.
var errZone = errors.New("this is no time zone of the IANA database; write its area and city, " +
	"for example Asia/Shanghai or Europe/Berlin, or UTC")

// loadedZones keeps what was loaded: reading a zone again costs a file each time.
// Only names that exist get in, so it cannot grow without end.
var loadedZones sync.Map // string → *time.Location

// LoadZone is the time zone of that IANA name, such as Asia/Shanghai.
func LoadZone(name string) (*time.Location, error) {
	if loc, ok := loadedZones.Load(name); ok {
		return loc.(*time.Location), nil //nolint:errcheck,forcetypeassert // nothing else is ever stored
	}
	if !zoneName.MatchString(name) {
		return nil, errZone
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, errZone
	}
	loadedZones.Store(name, loc)
	return loc, nil
}

// StartOfDay is the instant at which the date begins in loc.
func StartOfDay(d Date, loc *time.Location) time.Time { return WallTime(d, 0, loc) }

// widestOffset is more than any zone was ever away from UTC.
const widestOffset = 26 * 60 * 60

// WallTime is the first instant at which a wall clock in loc shows the date d
// at so many minutes after midnight (0 to 1439), or later. So a time that the
// clocks show twice is the first of the two; one that they leap over is the
// moment of the leap; and so is any time of a day that the calendar leapt over.
// A later wall time is never an earlier instant.
func WallTime(d Date, minutes int, loc *time.Location) time.Time {
	wall := d.UTC().Unix() + int64(minutes)*60
	t := time.Unix(wall-widestOffset, 0).In(loc)
	for {
		// Between start and end the offset is one; the first such stretch whose
		// clocks get as far as wall holds the answer.
		start, end := t.ZoneBounds()
		if !end.IsZero() && !end.After(t) {
			// Go's bound is 365 days after New Year, so on 31 December of a leap
			// year it lies behind us (golang/go#81583) and the loop would stand
			// still. No zone has a change left before midnight UTC.
			end = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
		_, offset := t.Zone()
		at := wall - int64(offset)
		if !end.IsZero() && at >= end.Unix() {
			t = end
			continue
		}
		if !start.IsZero() && at < start.Unix() {
			at = start.Unix() // the leap into this stretch passed over wall
		}
		return time.Unix(at, 0).UTC()
	}
}

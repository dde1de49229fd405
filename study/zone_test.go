package study

import (
	"archive/zip"
	"flag"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The properties of this package draw the same cases every time; -rapid.seed
// on the command line still wins, because it is read later.
func init() {
	if err := flag.Set("rapid.seed", "20260317"); err != nil {
		panic(err)
	}
}

// zoneFiles are all zones of the Go toolchain's own database, which is the one
// that time/tzdata embeds, by name.
func zoneFiles(t testing.TB) map[string]string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env GOROOT: %v", err)
	}
	z, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string]string{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = string(b)
	}
	if len(files) < 500 {
		t.Fatalf("the database has only %d zones", len(files))
	}
	return files
}

// differentZones are the zones of zoneFiles without aliases: one name for
// each different content.
func differentZones(t testing.TB) map[string]*time.Location {
	t.Helper()
	nameOf := map[string]string{}
	for name, data := range zoneFiles(t) {
		if other := nameOf[data]; other == "" || name < other {
			nameOf[data] = name
		}
	}
	locs := map[string]*time.Location{}
	for data, name := range nameOf {
		loc, err := time.LoadLocationFromTZData(name, []byte(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		locs[name] = loc
	}
	return locs
}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return loc
}

func dateOf(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryZoneWithAnAreaAndACityLoads(t *testing.T) {
	for name := range zoneFiles(t) {
		_, err := LoadZone(name)
		wanted := strings.Contains(name, "/") || name == "UTC"
		if (err == nil) != wanted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAZoneIsLoadedOnce(t *testing.T) {
	first, second := zoneOf(t, "Asia/Shanghai"), zoneOf(t, "Asia/Shanghai")
	if first != second {
		t.Error("two different locations for one name")
	}
}

func TestWhatIsNoZoneNameIsRefusedWithAnExample(t *testing.T) {
	for _, name := range []string{"", " ", "Local", "local", "UTC+2", "UTC+02:00", "+02:00", "GMT+8", "utc", "EST", "PRC",
		"Asia", "Asia/", "/Asia/Shanghai", "Asia/Shanghai ", "Asia/Shanghai\n", "asia/shanghai", "Asia/Atlantis",
		"right/Asia/Shanghai", "posix/Asia/Shanghai", "../Asia/Shanghai", "Asia/../Asia/Shanghai", "Asia\\Shanghai",
		"Asia/Shanghai\x00", strings.Repeat("A", 1<<16)} {
		loc, err := LoadZone(name)
		if err == nil {
			t.Errorf("%.40q was taken for %v", name, loc)
			continue
		}
		if !strings.Contains(err.Error(), "Asia/Shanghai or Europe/Berlin") || len(err.Error()) > 200 {
			t.Errorf("%.40q: the error does not say what to write: %v", name, err)
		}
	}
}

func TestWallTimesOnTheDaysThatClocksChange(t *testing.T) {
	for _, c := range []struct{ name, zone, wall, want string }{
		{"a plain zone", "Asia/Shanghai", "2026-03-17 09:00", "2026-03-17T01:00:00Z"},
		{"a plain midnight", "Asia/Shanghai", "2026-03-17 00:00", "2026-03-16T16:00:00Z"},
		{"an offset of three quarters", "Asia/Kathmandu", "2026-03-17 09:00", "2026-03-17T03:15:00Z"},
		{"UTC", "UTC", "2026-03-17 23:59", "2026-03-17T23:59:00Z"},
		{"the last day of a leap year", "Europe/Berlin", "2028-12-31 09:00", "2028-12-31T08:00:00Z"},
		{"after the last day of a leap year", "Europe/Berlin", "2029-01-01 00:00", "2028-12-31T23:00:00Z"},
		{"just before a gap", "Europe/Berlin", "2026-03-29 01:59", "2026-03-29T00:59:00Z"},
		{"where a gap begins", "Europe/Berlin", "2026-03-29 02:00", "2026-03-29T01:00:00Z"},
		{"in a gap", "Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:00:00Z"},
		{"where a gap ends", "Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z"},
		{"just after a gap", "Europe/Berlin", "2026-03-29 03:01", "2026-03-29T01:01:00Z"},
		{"in an overlap", "Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z"},
		{"where an overlap begins", "Europe/Berlin", "2026-10-25 02:00", "2026-10-25T00:00:00Z"},
		{"where an overlap ends", "Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z"},
		{"a gap at midnight, São Paulo", "America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04T03:00:00Z"},
		{"midnight shown never but once, São Paulo", "America/Sao_Paulo", "2018-02-18 00:00", "2018-02-18T03:00:00Z"},
		{"a gap at midnight, Cairo", "Africa/Cairo", "2026-04-24 00:00", "2026-04-23T22:00:00Z"},
		{"a gap at midnight, Beirut", "Asia/Beirut", "2026-03-29 00:00", "2026-03-28T22:00:00Z"},
		{"a gap at midnight, Havana", "America/Havana", "2026-03-08 00:00", "2026-03-08T05:00:00Z"},
		{"midnight twice, Havana", "America/Havana", "2026-11-01 00:00", "2026-11-01T04:00:00Z"},
		{"a gap at midnight, Azores", "Atlantic/Azores", "2026-03-29 00:00", "2026-03-29T01:00:00Z"},
		{"midnight twice, Azores", "Atlantic/Azores", "2026-10-25 00:00", "2026-10-25T00:00:00Z"},
		{"a minute past midnight back to yesterday", "America/St_Johns", "2010-11-07 00:00", "2010-11-07T02:30:00Z"},
		{"half an hour's gap", "Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30:00Z"},
		{"half an hour's overlap", "Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45:00Z"},
		{"the eve of a day that never was", "Pacific/Apia", "2011-12-29 23:59", "2011-12-30T09:59:00Z"},
		{"the start of a day that never was", "Pacific/Apia", "2011-12-30 00:00", "2011-12-30T10:00:00Z"},
		{"noon of a day that never was", "Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z"},
		{"the morrow of a day that never was", "Pacific/Apia", "2011-12-31 00:00", "2011-12-30T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			date, clock, _ := strings.Cut(c.wall, " ")
			at, err := time.Parse("15:04", clock)
			if err != nil {
				t.Fatal(err)
			}
			got := WallTime(dateOf(t, date), at.Hour()*60+at.Minute(), zoneOf(t, c.zone))
			if got.Format(time.RFC3339) != c.want || got.Location() != time.UTC {
				t.Errorf("%s in %s is %s, want %s", c.wall, c.zone, got.Format(time.RFC3339), c.want)
			}
		})
	}
}

// wallClock is what the wall clock in loc shows, as if it were in UTC: two
// readings can then be compared as numbers.
func wallClock(t time.Time, loc *time.Location) int64 {
	_, offset := t.In(loc).Zone()
	return t.Unix() + int64(offset)
}

// clockReadings are what the clock in loc shows every five minutes from 26 hours
// before midnight UTC of the date, which is before it begins anywhere, to 26
// hours after its end. Every change of these years falls on such a minute; one
// that did not would be noticed as a wrong wall time.
func clockReadings(d Date, loc *time.Location) []int64 {
	shows := make([]int64, (26+24+26)*60/5)
	for i := range shows {
		shows[i] = wallClock(readAt(d, i), loc)
	}
	return shows
}

func readAt(d Date, i int) time.Time {
	return d.UTC().Add(time.Duration(5*i-26*60) * time.Minute)
}

// scan finds a wall time of the date the slow way: the first reading at
// which the clock shows it, or else the first at which it shows a later one.
func scan(d Date, wall int64, shows []int64) time.Time {
	i := slices.Index(shows, wall)
	if i < 0 {
		i = slices.IndexFunc(shows, func(shown int64) bool { return shown > wall })
	}
	return readAt(d, i)
}

// restless are the days near a change of offset, where a wall time may be
// missing or doubled. Everywhere else the clock's reading identifies it.
func restless(from, to Date, loc *time.Location) map[Date]bool {
	days := map[Date]bool{}
	_, before := from.UTC().In(loc).Zone()
	for d := from; d <= to; d++ {
		_, now := d.UTC().In(loc).Zone()
		if now != before {
			for near := d - 2; near <= d+1; near++ {
				days[near] = true
			}
		}
		before = now
	}
	return days
}

// TestWallTimesOfEveryZone runs through every day of a study's life.
func TestWallTimesOfEveryZone(t *testing.T) {
	from, to := NewDate(2024, time.January, 1), NewDate(2028, time.December, 31)
	scanned := 0
	for name, loc := range differentZones(t) {
		slow := restless(from-3, to+3, loc)
		for d := from; d <= to; d++ {
			var shows []int64
			if slow[d] {
				shows = clockReadings(d, loc)
			}
			for _, minutes := range []int{0, 2*60 + 30, 9 * 60} {
				wall := d.UTC().Unix() + int64(minutes)*60
				got := WallTime(d, minutes, loc)
				if shows != nil {
					scanned++
					if want := scan(d, wall, shows); !got.Equal(want) {
						t.Fatalf("%s: %s + %d min is %s, want %s", name, d, minutes, got, want.UTC())
					}
				} else if wallClock(got, loc) != wall {
					t.Fatalf("%s: %s + %d min is %s, when the clock shows something else", name, d, minutes, got)
				}
			}
		}
	}
	t.Logf("%d wall times near a change of the clocks", scanned)
	if scanned < 5000 {
		t.Errorf("only %d wall times near a change of the clocks: the slow days are not found", scanned)
	}
}

func TestDaysBeginInOrderAndOnTheirOwnDate(t *testing.T) {
	locs := differentZones(t)
	names := slices.Sorted(maps.Keys(locs)) // map order is chance
	rapid.Check(t, func(t *rapid.T) {
		loc := locs[rapid.SampledFrom(names).Draw(t, "zone")]
		d := Date(rapid.Int32Range(int32(NewDate(1900, 1, 1)), int32(NewDate(2200, 1, 1))).Draw(t, "date"))
		start, next := StartOfDay(d, loc), StartOfDay(d+1, loc)
		if next.Before(start) {
			t.Fatalf("%s begins at %s, the next day at %s", d, start, next)
		}
		// A day without an instant was left out by its calendar.
		if exists := next.After(start); exists != (DateOf(start.In(loc)) == d) {
			t.Fatalf("%s begins at %s, the next day at %s, but the date there is %s", d, start, next, DateOf(start.In(loc)))
		}
		minutes := rapid.IntRange(0, 1438).Draw(t, "minutes")
		if WallTime(d, minutes+1, loc).Before(WallTime(d, minutes, loc)) {
			t.Fatalf("%s: minute %d comes before the one that precedes it", d, minutes+1)
		}
	})
}

func TestNoStudyDayOfAnyZoneBeginsOnAnotherDate(t *testing.T) {
	for name, loc := range differentZones(t) {
		before := StartOfDay(NewDate(2023, time.December, 31), loc)
		for d := NewDate(2024, time.January, 1); d <= NewDate(2028, time.December, 31); d++ {
			start := StartOfDay(d, loc)
			if !start.After(before) || DateOf(start.In(loc)) != d {
				t.Fatalf("%s: %s begins at %s, the day before at %s", name, d, start, before)
			}
			before = start
		}
	}
}

func ExampleWallTime() {
	berlin, err := LoadZone("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	fmt.Println(WallTime(NewDate(2026, time.March, 29), 150, berlin).In(berlin))   // does not exist
	fmt.Println(WallTime(NewDate(2026, time.October, 25), 150, berlin).In(berlin)) // exists twice
	// Output:
	// 2026-03-29 03:00:00 +0200 CEST
	// 2026-10-25 02:30:00 +0200 CEST
}

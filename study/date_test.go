package study

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNoDateIsTheZeroValueAndEmptyText(t *testing.T) {
	var none Date
	if none.String() != "" {
		t.Errorf("no date prints %q", none.String())
	}
	text, err := none.MarshalText()
	if err != nil || len(text) != 0 {
		t.Errorf("no date marshals to %q, %v", text, err)
	}
	got := NewDate(2026, time.March, 17)
	if err := got.UnmarshalText(nil); err != nil || got != 0 {
		t.Errorf("empty text reads as %d, %v", got, err)
	}
	if first := NewDate(1, time.January, 1); first != 1 {
		t.Errorf("the first day of the calendar is %d, want 1", first)
	}
	if epoch := NewDate(1970, time.January, 1); epoch != unixDayOne || epoch.UTC().Unix() != 0 {
		t.Errorf("1970-01-01 is %d, %s", epoch, epoch.UTC())
	}
}

func TestOnlyADateInFullIsADate(t *testing.T) {
	for _, s := range []string{"2026-03-17", "2024-02-29", "2000-02-29", "1900-01-01", "2200-12-31"} {
		if d, err := ParseDate(s); err != nil || d.String() != s {
			t.Errorf("%s reads as %q, %v", s, d, err)
		}
	}
	for _, s := range []string{"", "2026-2-3", "2026-02-30", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00",
		"26-02-03", "02/03/2026", "20260203", "2026-02-03T00:00:00Z", " 2026-02-03", "2026-02-03 ", "2026-02-03\n",
		"1899-12-31", "2201-01-01", "-026-02-03", "+2026-02-03", "２０２６-02-03", "today"} {
		if d, err := ParseDate(s); err == nil || d != 0 {
			t.Errorf("%q was taken for %s", s, d)
		}
		var d Date
		if s != "" && d.UnmarshalText([]byte(s)) == nil {
			t.Errorf("%q was unmarshalled as %s", s, d)
		}
	}
}

func TestAFailedUnmarshalLeavesTheDateAlone(t *testing.T) {
	d := NewDate(2026, time.March, 17)
	if err := d.UnmarshalText([]byte("2026-02-30")); err == nil || d != NewDate(2026, time.March, 17) {
		t.Errorf("%s, %v", d, err)
	}
}

func TestADateIsTextInJSON(t *testing.T) {
	type form struct {
		On    Date `json:"on"`
		Never Date `json:"never"`
	}
	want := form{On: NewDate(2024, time.February, 29)}
	b, err := json.Marshal(want)
	if err != nil || string(b) != `{"on":"2024-02-29","never":""}` {
		t.Fatalf("%s, %v", b, err)
	}
	var got form
	if err := json.Unmarshal(b, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheDateOfAnInstantIsThatOfItsOwnLocation(t *testing.T) {
	at := time.Date(2026, time.March, 17, 20, 0, 0, 0, time.UTC)
	if got := DateOf(at).String(); got != "2026-03-17" {
		t.Errorf("in UTC: %s", got)
	}
	if got := DateOf(at.In(time.FixedZone("", 8*60*60))).String(); got != "2026-03-18" {
		t.Errorf("eight hours east: %s", got)
	}
}

func TestLeapDaysAreCounted(t *testing.T) {
	for _, c := range []struct {
		from string
		days Date
		want string
	}{
		{"2024-02-28", 1, "2024-02-29"}, {"2024-02-29", 1, "2024-03-01"}, {"2023-02-28", 1, "2023-03-01"},
		{"2024-02-29", 366, "2025-03-01"}, {"2100-02-28", 1, "2100-03-01"}, {"2000-02-28", 1, "2000-02-29"},
		{"2026-01-01", -1, "2025-12-31"}, {"2026-03-17", 364, "2027-03-16"},
	} {
		d, err := ParseDate(c.from)
		if got := (d + c.days).String(); err != nil || got != c.want {
			t.Errorf("%s + %d days is %s, want %s (%v)", c.from, c.days, got, c.want, err)
		}
	}
}

func TestDaysAddAsTheCalendarDoes(t *testing.T) {
	first, last := NewDate(1900, time.January, 1), NewDate(2200, time.December, 31)
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.Int32Range(int32(first), int32(last)).Draw(t, "date"))
		n := rapid.IntRange(-4000, 4000).Draw(t, "days")
		year, month, day := d.UTC().Date()
		if got := NewDate(year, month, day); got != d {
			t.Fatalf("%s comes back as %s", d, got)
		}
		if got, want := d+Date(n), DateOf(d.UTC().AddDate(0, 0, n)); got != want {
			t.Fatalf("%s + %d days is %s, want %s", d, n, got, want)
		}
		if got := NewDate(year, month, day+n) - d; got != Date(n) {
			t.Fatalf("the difference is %d days, want %d", got, n)
		}
		back, err := ParseDate(d.String())
		if err != nil || back != d {
			t.Fatalf("%s reads as %s, %v", d, back, err)
		}
	})
}

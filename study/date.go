package study

import (
	"fmt"
	"time"
)

// Date is a calendar date without time or zone: the number of days since
// 0001-01-01, plus one, so that the zero value is "no date". Adding whole
// numbers adds days; subtracting two dates gives days.
type Date int32

const secondsPerDay = 24 * 60 * 60

// unixDayOne is 1970-01-01 as a Date.
const unixDayOne = 719163

// DateOf is the calendar date of t in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return NewDate(y, m, d)
}

// NewDate is the date of year, month and day; out-of-range values are
// normalised as time.Date does.
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()/secondsPerDay + unixDayOne)
}

// ParseDate reads YYYY-MM-DD and nothing else.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return 0, fmt.Errorf("%.20q is not a date; write it as YYYY-MM-DD, for example 2026-03-17", s)
	}
	return DateOf(t), nil
}

// UTC is midnight UTC of the date.
func (d Date) UTC() time.Time {
	return time.Unix((int64(d)-unixDayOne)*secondsPerDay, 0).UTC()
}

// String is YYYY-MM-DD, or empty for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.UTC().Format(time.DateOnly)
}

// MarshalText is String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	got, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = got
	return nil
}

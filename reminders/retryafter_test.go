package reminders

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfterIsSecondsOrADateAndNeverMoreThanAnHour(t *testing.T) {
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"1":                             time.Second,
		" 121 ":                         121 * time.Second,
		"3600":                          time.Hour,
		"3601":                          time.Hour,
		"99999999999999999999999":       time.Hour,
		"-5":                            0,
		"1.5":                           0,
		"soon":                          0,
		"Sat, 28 Nov 2026 09:00:30 GMT": 30 * time.Second,
		"Sat, 28 Nov 2026 08:00:00 GMT": 0,
		"Sun, 28 Nov 2027 09:00:00 GMT": time.Hour,
	} {
		h := http.Header{}
		h.Set("Retry-After", text)
		if got := RetryAfter(h, now); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := RetryAfter(http.Header{}, now); got != 0 {
		t.Errorf("no header: got %s", got)
	}
}

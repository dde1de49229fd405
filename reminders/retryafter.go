package reminders

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestAsked bounds what a service may ask for: who comes back after an hour
// bothers nobody, and a reminder that waits for days is lost.
const longestAsked = time.Hour

// RetryAfter is how long an answer's Retry-After header asks to wait (RFC 9110,
// §10.2.3: seconds or a date), at most an hour; zero when there is none, or none
// that makes sense.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(longestAsked/time.Second))) * time.Second
	}
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return longestAsked // a number, but a huge one
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestAsked)
}

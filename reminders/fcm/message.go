package fcm

import (
	"strconv"
	"time"

	"firebase.google.com/go/v4/messaging"

	"epro/reminders"
)

// maxLife is the longest that Google keeps a message, in its documentation of a
// message's lifespan: 28 days.
const maxLife = 28 * 24 * time.Hour

// channel is the Android notification channel that the app creates, and the
// thread that an iPhone groups by. Both can be read on the phone, so the name
// says nothing.
const channel = "reminders"

// wire is the message as Google takes it: one text, two opaque ids, and for the
// device's platform how long it may wait and what it replaces. Where the platform
// is not known it says so for all three, which takes twice the time to encode.
func wire(m reminders.Message, link string, now time.Time) *messaging.Message {
	life := min(m.ExpiresAt.Sub(now).Truncate(time.Second), maxLife)
	out := &messaging.Message{
		// The SDK has no field for installation ids yet; the service takes them as tokens.
		Token:        m.Target.Value,
		Notification: &messaging.Notification{Title: m.Title, Body: m.Body},
		Data:         map[string]string{"delivery": m.Delivery, "assessment": m.Assessment},
	}
	switch m.Platform {
	case "android":
		out.Android = android(m, life)
	case "ios":
		out.APNS = apns(m, now.Add(life))
	case "web":
		out.Webpush = browser(m, life, link)
	default:
		out.Android, out.APNS, out.Webpush = android(m, life), apns(m, now.Add(life)), browser(m, life, link)
	}
	return out
}

func android(m reminders.Message, life time.Duration) *messaging.AndroidConfig {
	return &messaging.AndroidConfig{CollapseKey: m.Collapse, Priority: "high", TTL: &life,
		Notification: &messaging.AndroidNotification{ChannelID: channel, Tag: m.Collapse,
			// The lock screen shows that something came, not what.
			Visibility: messaging.VisibilityPrivate}}
}

func apns(m reminders.Message, until time.Time) *messaging.APNSConfig {
	return &messaging.APNSConfig{
		Headers: map[string]string{
			"apns-collapse-id": m.Collapse,
			"apns-expiration":  strconv.FormatInt(until.Unix(), 10),
			"apns-priority":    "10", // at once: a person is to see it
			"apns-push-type":   "alert",
		},
		Payload: &messaging.APNSPayload{Aps: &messaging.Aps{ThreadID: channel, Sound: "default",
			// Never "time-sensitive": a reminder does not break through a person's quiet.
			CustomData: map[string]any{"interruption-level": "active"}}},
	}
}

func browser(m reminders.Message, life time.Duration, link string) *messaging.WebpushConfig {
	out := &messaging.WebpushConfig{Headers: map[string]string{
		"TTL":     strconv.Itoa(int(life / time.Second)),
		"Topic":   m.Collapse,
		"Urgency": "high", // Safari on iPhones shows nothing below it
	}}
	if link != "" {
		out.FCMOptions = &messaging.WebpushFCMOptions{Link: link}
	}
	return out
}

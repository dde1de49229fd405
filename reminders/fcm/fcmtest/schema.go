package fcmtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// request and what it holds are the fields of the API's version 1 that a
// reminder can have. Google knows more; a field that is not here is refused, so
// that a new one is added on purpose.
type request struct {
	ValidateOnly bool    `json:"validate_only"`
	Message      message `json:"message"`
}

type message struct {
	Token        string            `json:"token"`
	Topic        string            `json:"topic"`
	Condition    string            `json:"condition"`
	Data         map[string]string `json:"data"`
	Notification *struct {
		Title string `json:"title"`
		Body  string `json:"body"`
		Image string `json:"image"`
	} `json:"notification"`
	Android *android `json:"android"`
	APNS    *apns    `json:"apns"`
	Webpush *webpush `json:"webpush"`
}

type android struct {
	CollapseKey  string `json:"collapse_key"`
	Priority     string `json:"priority"`
	TTL          string `json:"ttl"`
	Notification *struct {
		ChannelID  string `json:"channel_id"`
		Tag        string `json:"tag"`
		Visibility string `json:"visibility"`
	} `json:"notification"`
}

type apns struct {
	Headers map[string]string `json:"headers"`
	Payload struct {
		Aps struct {
			Sound             string `json:"sound"`
			ThreadID          string `json:"thread-id"`
			InterruptionLevel string `json:"interruption-level"`
		} `json:"aps"`
	} `json:"payload"`
}

type webpush struct {
	Headers map[string]string `json:"headers"`
	Options *struct {
		Link string `json:"link"`
	} `json:"fcm_options"`
}

// wrong is a fault that the gate (schema) or the messaging service finds.
type wrong struct {
	error
	schema bool
}

// maxPayload is the documented limit for a message to one device.
const maxPayload = 4096

// parse reads a request as strictly as can be.
func parse(body []byte) (*request, *wrong) {
	m := &request{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return m, &wrong{err, true}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, &wrong{errors.New("more than one JSON value"), true}
	}
	if len(body) > maxPayload {
		return m, &wrong{fmt.Errorf("the message has %d bytes, at most %d are taken", len(body), maxPayload), false}
	}
	if err := m.Message.check(); err != nil {
		return m, &wrong{err, false}
	}
	return m, nil
}

// check applies the rules of the messaging service.
func (m *message) check() error {
	targets := 0
	for _, t := range []string{m.Token, m.Topic, m.Condition} {
		if t != "" {
			targets++
		}
	}
	if targets != 1 {
		return fmt.Errorf("there are %d targets, not one", targets)
	}
	for key := range m.Data {
		if key == "from" || key == "message_type" || strings.HasPrefix(key, "google") || strings.HasPrefix(key, "gcm") {
			return fmt.Errorf("the data key %q is reserved", key)
		}
	}
	return errors.Join(m.Android.check(), m.APNS.check(), m.Webpush.check())
}

var seconds = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?s$`)

// maxTTL is 28 days in seconds.
const maxTTL = 2_419_200

func (a *android) check() error {
	if a == nil {
		return nil
	}
	if a.Priority != "" && a.Priority != "high" && a.Priority != "normal" {
		return fmt.Errorf("android.priority %q", a.Priority)
	}
	if a.TTL != "" {
		n, err := strconv.ParseFloat(strings.TrimSuffix(a.TTL, "s"), 64)
		if !seconds.MatchString(a.TTL) || err != nil || n > maxTTL {
			return fmt.Errorf("android.ttl %q", a.TTL)
		}
	}
	if n := a.Notification; n != nil && !slices.Contains([]string{"", "PRIVATE", "PUBLIC", "SECRET"}, n.Visibility) {
		return fmt.Errorf("android.notification.visibility %q", n.Visibility)
	}
	return nil
}

func (a *apns) check() error {
	if a == nil {
		return nil
	}
	for key, value := range a.Headers {
		ok := false
		switch key {
		case "apns-collapse-id":
			ok = len(value) <= 64
		case "apns-expiration":
			_, err := strconv.ParseInt(value, 10, 64)
			ok = err == nil
		case "apns-priority":
			ok = value == "5" || value == "10" || value == "1"
		case "apns-push-type":
			ok = value == "alert" || value == "background"
		}
		if !ok {
			return fmt.Errorf("apns header %s: %q", key, value)
		}
	}
	if l := a.Payload.Aps.InterruptionLevel; !slices.Contains([]string{"", "passive", "active", "time-sensitive", "critical"}, l) {
		return fmt.Errorf("interruption-level %q", l)
	}
	return nil
}

var topic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`) // RFC 8030, §5.4

func (p *webpush) check() error {
	if p == nil {
		return nil
	}
	for key, value := range p.Headers {
		ok := false
		switch key {
		case "TTL":
			n, err := strconv.Atoi(value)
			ok = err == nil && n >= 0 && n <= maxTTL
		case "Topic":
			ok = topic.MatchString(value)
		case "Urgency":
			ok = slices.Contains([]string{"very-low", "low", "normal", "high"}, value)
		}
		if !ok {
			return fmt.Errorf("webpush header %s: %q", key, value)
		}
	}
	if o := p.Options; o != nil && !strings.HasPrefix(o.Link, "https://") {
		return fmt.Errorf("webpush.fcm_options.link %q", o.Link)
	}
	return nil
}

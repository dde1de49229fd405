package webpush

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"epro/reminders"
	"epro/study"
)

// Options are what a Sender is made from.
type Options struct {
	Key Key
	// Contact is how an operator of a push service reaches the server's: a
	// mailto: or https: address.
	Contact string
	// Hosts are the push services that may be called; nil: DefaultHosts.
	Hosts []string
	// Timeout bounds one Send; zero: 15 seconds.
	Timeout time.Duration
	Now     func() time.Time // nil: time.Now
	// Roots and Private are for a push service of one's own, in tests: the
	// certificates to trust, and that private addresses may be called.
	Roots   *x509.CertPool
	Private bool
}

// LogValue is the public key.
func (o Options) LogValue() slog.Value { return o.Key.LogValue() }

// Sender sends to browsers.
type Sender struct {
	badges  *badges
	hosts   []string
	client  *http.Client
	timeout time.Duration
	now     func() time.Time
}

var _ reminders.Sender = (*Sender)(nil)

// New makes a Sender.
func New(o Options) (*Sender, error) {
	if o.Key.private == nil {
		return nil, study.Fail(study.Invalid, "Web push needs a key.")
	}
	if u, err := url.Parse(o.Contact); err != nil || u.Scheme != "mailto" && u.Scheme != "https" || u.Opaque == "" && u.Host == "" {
		return nil, study.Fail(study.Invalid, fmt.Sprintf("Push services want to know whom to write to: give a mailto: or https: address, not %q.", o.Contact))
	}
	if o.Hosts == nil {
		o.Hosts = DefaultHosts()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sender{
		badges: &badges{key: o.Key, contact: o.Contact, random: rand.Reader, now: o.Now, kept: map[string]badge{}},
		hosts:  o.Hosts, client: newClient(o.Roots, o.Private), timeout: cmp.Or(o.Timeout, 15*time.Second), now: o.Now,
	}, nil
}

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// Kinds are the targets that a Sender can reach.
func Kinds() []reminders.TargetKind { return []reminders.TargetKind{reminders.WebPush} }

// payload is what the page's service worker gets.
type payload struct {
	Title      string `json:"title"`
	Body       string `json:"body"`
	Tag        string `json:"tag"` // notifications with one tag replace each other
	Delivery   string `json:"delivery"`
	Assessment string `json:"assessment"`
}

// Send makes one request and says what became of it. It never returns later
// than its time-out.
func (s *Sender) Send(ctx context.Context, m reminders.Message) reminders.Outcome {
	if m.Target.Kind != reminders.WebPush {
		return consequence(unknownKind, nil)
	}
	life := min(m.ExpiresAt.Sub(s.now()).Truncate(time.Second), maxLife)
	if life < time.Second {
		return consequence(expired, nil)
	}
	to, err := parseSubscription(m.Target.Value, s.hosts)
	if err != nil {
		return consequence(badSubscription, err)
	}
	plain, err := json.Marshal(payload{m.Title, m.Body, m.Collapse, m.Delivery, m.Assessment})
	if err != nil {
		return consequence(invalidMessage, err)
	}
	if len(plain) > maxPlain {
		return consequence(tooLarge, fmt.Errorf("%d bytes", len(plain)))
	}
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	status, header, written, err := s.post(limited, to, plain, m.Collapse, life)
	if err != nil {
		return consequence(unanswered(ctx, err, written), err)
	}
	o := consequence(judge(status), fmt.Errorf("the push service answered %d", status))
	if o.Status == reminders.Retry {
		o.Wait = max(o.Wait, reminders.RetryAfter(header, s.now()))
	}
	return o
}

// maxLife is the longest that services keep a message.
const maxLife = 28 * 24 * time.Hour

// post makes the request and reads the answer's head; its body says nothing
// that we use, and some of it is read so that the connection can serve again.
func (s *Sender) post(ctx context.Context, to subscription, plain []byte, collapse string, life time.Duration) (status int, h http.Header, written bool, err error) {
	var wrote atomic.Bool // the trace's hooks may run on other goroutines
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http itself takes another connection when nothing went out on the first.
		GetConn: func(string) { wrote.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { wrote.Store(true) },
	})
	body, err := seal(plain, to, rand.Reader)
	if err != nil {
		return 0, nil, false, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, false, errors.New("the endpoint is no URL")
	}
	badge, err := s.badges.header(to.endpoint.Scheme + "://" + strings.ToLower(to.endpoint.Host))
	if err != nil {
		return 0, nil, false, err
	}
	r.Header.Set("Authorization", badge)
	r.Header.Set("Content-Encoding", "aes128gcm")
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("TTL", strconv.Itoa(int(life/time.Second)))
	r.Header.Set("Urgency", "high") // Safari on iPhones shows nothing below it
	r.Header.Set("Topic", collapse)
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, nil, wrote.Load(), withoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // the status is all that counts
	return resp.StatusCode, resp.Header, true, nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 10

// withoutURL takes the endpoint out of an error: whoever knows it knows the
// device.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

package fcm

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"

	"epro/reminders"
)

// Options are what a Sender is made from.
type Options struct {
	Credentials Credentials
	// Project is the Firebase project; empty: the one of the credentials.
	Project string
	// Link is the https address that a browser opens when its notification is
	// clicked; empty: none. It carries no id, because whoever holds the phone
	// sees it.
	Link string
	// Endpoint is where the API is, with its version; empty: Google's.
	Endpoint string
	// Timeout bounds one Send; zero: 15 seconds.
	Timeout time.Duration
	// Transport is for the network; nil: one that is made for this service.
	Transport http.RoundTripper
	Now       func() time.Time // nil: time.Now
}

// LogValue is project and account.
func (o Options) LogValue() slog.Value {
	return slog.GroupValue(slog.String("project", o.Project), slog.Any("account", o.Credentials))
}

// Sender sends through Firebase Cloud Messaging.
type Sender struct {
	client  *messaging.Client
	tokens  *tokens
	judge   judge
	project string
	account string
	link    string
	timeout time.Duration
	now     func() time.Time
}

var _ reminders.Sender = (*Sender)(nil)

// emulator is the variable that makes Google's SDK believe unsigned tokens.
const emulator = "FIREBASE_AUTH_EMULATOR_HOST"

// RefuseEmulator is an error when the environment switches the SDK's checks off.
func RefuseEmulator() error {
	if os.Getenv(emulator) == "" {
		return nil
	}
	return unusable(nil, "%s is set: with it Google's library believes tokens that nobody signed. Take it out of the server's environment.", emulator)
}

// New makes a Sender. It calls nobody; Probe does.
func New(ctx context.Context, o Options) (*Sender, error) {
	if err := RefuseEmulator(); err != nil {
		return nil, err
	}
	if o.Credentials.config == nil {
		return nil, unusable(nil, "Firebase needs the credentials of a service account.")
	}
	o.Project = cmp.Or(o.Project, o.Credentials.Project)
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = newNetwork()
	}
	if !projectID.MatchString(o.Project) {
		return nil, unusable(nil, "%q is no Firebase project id; it has 6 to 30 small letters, digits and hyphens and stands in the project's settings.", o.Project)
	}
	if o.Link != "" && !strings.HasPrefix(o.Link, "https://") {
		return nil, unusable(nil, "The address that notifications open must begin with https://, not be %q.", o.Link)
	}
	t := &tokens{config: o.Credentials.config, client: &http.Client{Transport: o.Transport, Timeout: tokenTimeout}, now: o.Now}
	options := []option.ClientOption{option.WithHTTPClient(&http.Client{
		Transport:     &once{network: o.Transport, tokens: t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/v1") {
			return nil, unusable(nil, "The address of Firebase's API must be a URL that ends in /v1, not %q.", o.Endpoint)
		}
		options = append(options, option.WithEndpoint(o.Endpoint))
	}
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: o.Project}, options...)
	if err != nil {
		return nil, err
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return nil, err
	}
	return &Sender{client: client, tokens: t, project: o.Project, account: o.Credentials.Account,
		link: o.Link, timeout: o.Timeout, now: o.Now}, nil
}

var projectID = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]$`)

// Kinds are the targets that a Sender can reach.
func Kinds() []reminders.TargetKind {
	return []reminders.TargetKind{reminders.FCMToken, reminders.FCMInstallation}
}

// Send makes one request and says what became of it. It never returns later
// than its time-out.
func (s *Sender) Send(ctx context.Context, m reminders.Message) reminders.Outcome {
	if m.Target.Kind != reminders.FCMToken && m.Target.Kind != reminders.FCMInstallation {
		return consequence(unknownKind)
	}
	if m.ExpiresAt.Sub(s.now()) < time.Second {
		return consequence(expired)
	}
	x := s.exchange(ctx, wire(m, s.link, s.now()), s.client.Send)
	return s.judge.outcome(x, m.Target.Value, s.now())
}

// exchange lets the SDK send and tells what happened on the wire.
func (s *Sender) exchange(ctx context.Context, m *messaging.Message, send func(context.Context, *messaging.Message) (string, error)) *exchange {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	x := &exchange{}
	if _, err := send(withExchange(limited, x), m); !x.begun {
		x.err = errors.Join(errors.New("the SDK refused the message"), err)
	}
	x.stopped = errors.Is(ctx.Err(), context.Canceled)
	return x
}

// Package firebase checks the ID tokens of Firebase Authentication, for studies
// whose app signs patients in with it. A token says which Firebase user asks,
// and nothing else of it is believed: what a person may do is in our own record.
package firebase

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/auth"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"

	"epro/study"
)

// Options are what a Verifier is made from.
type Options struct {
	Project string // whose users may sign in
	// Transport fetches Google's public keys; nil: the usual one, with an end to
	// every wait.
	Transport *http.Transport
}

// Verifier checks ID tokens of one project. It is safe for concurrent use.
type Verifier struct {
	client  *auth.Client
	project string
}

// timeout bounds one check, which may have to fetch Google's keys first.
const timeout = 10 * time.Second

// emulator is the variable that makes the SDK believe tokens nobody signed.
const emulator = "FIREBASE_AUTH_EMULATOR_HOST"

// swapping guards the moment in which the SDK looks at http.DefaultTransport.
var swapping sync.Mutex

// New makes a Verifier. Call it at the start, before anything else uses the
// network: the SDK fetches Google's keys with a copy of http.DefaultTransport and
// ignores every option, so that variable is another for a moment.
func New(ctx context.Context, o Options) (*Verifier, error) {
	if os.Getenv(emulator) != "" {
		return nil, study.Fail(study.Invalid, emulator+" is set: with it Google's library believes tokens that nobody signed. Take it out of the server's environment.")
	}
	if o.Project == "" {
		return nil, study.Fail(study.Invalid, "Signing in by Firebase needs the project's id: -firebase-project.")
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout, IdleConnTimeout: 90 * time.Second}
	}
	// Without a token source and an account the SDK would look for some on this
	// machine and in its network. Neither is used to check a token.
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: o.Project, ServiceAccountID: "none"}, option.WithTokenSource(noTokens{}))
	if err != nil {
		return nil, err
	}
	swapping.Lock()
	defer swapping.Unlock()
	usual := http.DefaultTransport
	http.DefaultTransport = o.Transport
	defer func() { http.DefaultTransport = usual }()
	client, err := app.Auth(ctx)
	if err != nil {
		return nil, err
	}
	return &Verifier{client: client, project: o.Project}, nil
}

type noTokens struct{}

// Token fails: this program asks nothing of Firebase that needs one.
func (noTokens) Token() (*oauth2.Token, error) { return nil, errors.New("no credentials for Firebase") }

// User checks an ID token and says whose it is. A token that is not good is
// study.Unauthenticated; when Google's keys cannot be had it is
// study.Unavailable.
func (v *Verifier) User(ctx context.Context, idToken string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	token, err := v.client.VerifyIDToken(ctx, idToken)
	switch {
	case err == nil && token.Firebase.Tenant == "":
		return v.project + "/" + token.UID, nil
	case err == nil:
		return "", study.Fail(study.Unauthenticated, "Users of a Firebase tenant cannot sign in here.")
	case auth.IsCertificateFetchFailed(err), ctx.Err() != nil:
		return "", &study.Error{Code: study.Unavailable, Err: errors.New("the keys for ID tokens cannot be fetched from Google"),
			Message: "Signing in by Firebase is not possible just now; try again in a moment, or use your code."}
	default: // the cause is not kept: it may quote the token
		return "", study.Fail(study.Unauthenticated, "This sign-in is not valid any more. Sign in again in the app.")
	}
}

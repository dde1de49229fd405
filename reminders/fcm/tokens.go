package fcm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

const (
	// renewBefore is how long before its end an access token is replaced. It is
	// more than a request may take.
	renewBefore = time.Minute
	// tokenTimeout bounds the call for a token, which many messages wait for.
	tokenTimeout = 10 * time.Second
	// askAgainAfter is how long a failure is handed to whoever asks next. With
	// hundreds of messages under way an outage is one call, not hundreds.
	askAgainAfter = 10 * time.Second
)

// tokens keeps an access token. However many messages need one, one call is
// under way at a time. x/oauth2's own source waits for that call under a lock
// that no context can leave.
type tokens struct {
	config *jwt.Config
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	token    string
	until    time.Time
	err      error
	failedAt time.Time
	running  chan struct{} // closed when the call under way has ended; nil: none is
}

// tokenError says why there is no access token.
type tokenError struct {
	refused bool // by the token endpoint, which knows the account or its key no more
	err     error
}

func (e *tokenError) Error() string { return "no access token: " + e.err.Error() }
func (e *tokenError) Unwrap() error { return e.err }

// get is an access token that is good for a while, or a *tokenError, or the
// context's error.
func (t *tokens) get(ctx context.Context) (string, error) {
	for {
		t.mu.Lock()
		now := t.now()
		switch {
		case now.Before(t.until.Add(-renewBefore)):
			defer t.mu.Unlock()
			return t.token, nil
		case t.running == nil && t.err != nil && now.Before(t.failedAt.Add(askAgainAfter)):
			defer t.mu.Unlock()
			return "", t.err
		case t.running == nil:
			t.running = make(chan struct{})
			go t.fetch(context.WithoutCancel(ctx), t.running)
		}
		done := t.running
		t.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// fetch asks for a token. It does not end with the message that needed it
// first: the others wait for it as well.
func (t *tokens) fetch(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	got, err := t.config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, t.client)).Token()
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(done)
	t.running, t.err, t.failedAt = nil, nil, t.now()
	if err != nil {
		t.err = readTokenError(err)
		return
	}
	// The expiry counts from the real clock, ours may be another.
	life := time.Until(got.Expiry)
	if life <= renewBefore {
		t.err = &tokenError{err: fmt.Errorf("the token ends after %s", life.Round(time.Second))}
		return
	}
	t.token, t.until = got.AccessToken, t.failedAt.Add(life)
}

// forget drops a token that was refused, unless another has replaced it.
func (t *tokens) forget(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token, t.until = "", time.Time{}
	}
}

// readTokenError leaves the answer's text out, which may repeat what was sent.
func readTokenError(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) || answer.Response == nil {
		return &tokenError{err: err}
	}
	status := answer.Response.StatusCode
	return &tokenError{
		refused: status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout,
		err:     fmt.Errorf("the token endpoint answered %d %.60s", status, answer.ErrorCode),
	}
}

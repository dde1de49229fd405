package fcm

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// maxPayload is the most that Google takes of a message to one device, in
	// bytes. We count the whole request, which is always more than Google counts.
	maxPayload = 4096
	// maxAnswer bounds what is read of an answer; a real one has below 2 KB.
	maxAnswer = 64 << 10
	// statusKept stands for what the SDK would repeat the request for: it never
	// repeats at this status, and no server sends it.
	statusKept = 599
)

// exchange is what became of one request, as the wire told it.
type exchange struct {
	stopped bool // the caller gave up
	begun   bool // the SDK found nothing wrong with the message
	tooBig  bool // and we did
	written bool // something may have reached the service
	status  int  // zero: no whole answer
	header  http.Header
	body    []byte
	err     error // what happened instead of an answer
}

type exchangeKey struct{}

// withExchange is a context whose one request is noted in x.
func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// once is a transport that makes one request for each that it is given, adds
// the access token, and notes what became of it. To the SDK every failure looks
// like an answer, because the SDK repeats after a failure of the network and
// after a 503: up to five notifications of one message, of which the caller
// would hear nothing.
type once struct {
	network http.RoundTripper
	tokens  *tokens
}

// RoundTrip never fails.
func (t *once) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		x = &exchange{}
	}
	x.begun = true
	if x.tooBig = r.ContentLength > maxPayload; x.tooBig {
		return kept(r, http.Header{}, nil), closeBody(r)
	}
	token, err := t.tokens.get(ctx)
	if err != nil {
		x.err = err
		return kept(r, http.Header{}, nil), closeBody(r)
	}
	t.exchange(r, x, token)
	if x.status == http.StatusUnauthorized {
		t.tokens.forget(token)
	}
	if x.status == 0 || x.status == http.StatusServiceUnavailable {
		return kept(r, x.header, x.body), nil
	}
	return answer(r, x.status, x.header, x.body), nil
}

// exchange makes the request and reads the whole answer.
func (t *once) exchange(r *http.Request, x *exchange, token string) {
	var written atomic.Bool // the trace's hooks may run on other goroutines
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		// net/http itself takes another connection when nothing went out on the first.
		GetConn: func(string) { written.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { written.Store(true) },
	})
	r = r.WithContext(ctx)
	r.Header = r.Header.Clone()
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := t.network.RoundTrip(r)
	if err == nil {
		defer resp.Body.Close()
		var body []byte
		if body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err == nil {
			x.status, x.header, x.body = resp.StatusCode, resp.Header, body
		}
	}
	x.err, x.written = err, written.Load()
}

func closeBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

// kept is an answer that the SDK does not repeat the request for.
func kept(r *http.Request, h http.Header, body []byte) *http.Response {
	return answer(r, statusKept, h, body)
}

func answer(r *http.Request, status int, h http.Header, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r}
}

// newNetwork is a transport with an end to everything but the wait for the
// answer, which the context bounds. Idle connections are checked, because a
// wave of reminders comes after a long silence.
func newNetwork() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   100,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 10 * time.Second},
	}
}

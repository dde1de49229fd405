package fcm_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
)

// remote is a local Firebase in a process of its own, so that the processor
// time of ours is the sender's alone.
type remote struct {
	Endpoint    string
	Credentials json.RawMessage
	Certificate []byte // nil: no TLS
}

const asServer = "EPRO_TEST_AS_FCM"

// TestMain is the remote when it is told to be.
func TestMain(m *testing.M) {
	kind := os.Getenv(asServer)
	if kind == "" {
		os.Exit(m.Run())
	}
	s := fcmtest.Start(kind == "h2")
	s.Quiet()
	r := remote{Endpoint: s.Endpoint(), Credentials: s.Credentials()}
	if kind == "h2" {
		r.Certificate = s.Certificate().Raw
	}
	err := json.NewEncoder(os.Stdout).Encode(r)
	_, stop := io.Copy(io.Discard, os.Stdin) // until the benchmark ends
	s.Close()
	if errors.Join(err, stop) != nil {
		os.Exit(1)
	}
}

func startRemote(b *testing.B, kind string) (r remote) {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), asServer+"="+kind)
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = errors.Join(in.Close(), c.Wait()) })
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		b.Fatal(err)
	}
	return r
}

// transport reaches the remote, with a connection for each message under way
// where the protocol needs one.
func (r remote) transport(b *testing.B) *http.Transport {
	b.Helper()
	t := &http.Transport{MaxIdleConnsPerHost: inFlight, ForceAttemptHTTP2: true}
	if r.Certificate != nil {
		c, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			b.Fatal(err)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		t.TLSClientConfig.RootCAs.AddCert(c)
	}
	b.Cleanup(t.CloseIdleConnections)
	return t
}

// inFlight is how many messages are under way at once, as in the dispatcher.
const inFlight = 64

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs send from inFlight goroutines and reports the processor time for
// a message, and the cores that Google's default quota of 10,000 messages a
// second would take.
func measure(b *testing.B, send func() error) {
	b.Helper()
	if err := send(); err != nil { // the token and the first connection
		b.Fatal(err)
	}
	b.SetParallelism(inFlight / 2)
	b.ReportAllocs()
	before := cpu()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := send(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	each := (cpu() - before).Seconds() / float64(b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(each*1e6, "cpu-µs/msg")
	b.ReportMetric(each*10_000, "cores@quota")
}

// recorder keeps the last request's body and token.
type recorder struct {
	http.RoundTripper
	body []byte
	auth string
}

// RoundTrip keeps and passes on.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.body, r.auth = body, req.Header.Get("Authorization")
	req.Body = io.NopCloser(bytes.NewReader(body))
	return r.RoundTripper.RoundTrip(req)
}

func (r remote) sender(b *testing.B, t http.RoundTripper) *fcm.Sender {
	b.Helper()
	credentials, err := fcm.ParseCredentials(r.Credentials)
	if err != nil {
		b.Fatal(err)
	}
	s, err := fcm.New(b.Context(), fcm.Options{Credentials: credentials, Endpoint: r.Endpoint, Transport: t, Link: "https://app.example/app"})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkSend compares this package with a bare net/http client that posts the
// same bytes, over HTTP/2 and TLS as Google speaks, and over plain HTTP/1.1.
func BenchmarkSend(b *testing.B) {
	for _, kind := range []string{"h2", "h1"} {
		r := startRemote(b, kind)
		m := messageTo(token, time.Now().Add(time.Hour))
		kept := &recorder{RoundTripper: r.transport(b)}
		if o := r.sender(b, kept).Send(b.Context(), m); o.Status != reminders.Accepted {
			b.Fatalf("got %+v", o)
		}
		sender := r.sender(b, r.transport(b))
		b.Run(kind+"/sdk", func(b *testing.B) {
			measure(b, func() error { return sender.Send(b.Context(), m).Err })
		})
		bare := &http.Client{Transport: r.transport(b)}
		b.Run(kind+"/bare", func(b *testing.B) {
			measure(b, func() error { return post(b, bare, r.Endpoint, kept) })
		})
	}
}

func post(b *testing.B, c *http.Client, endpoint string, kept *recorder) error {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, endpoint+"/projects/"+fcmtest.Project+"/messages:send", bytes.NewReader(kept.body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", kept.auth)
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return err
}

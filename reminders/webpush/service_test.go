package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/reminders"
)

// browser is a subscriber: what its page hands out, and what only it can read.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

func newBrowser(t testing.TB) browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, authBytes)
	rand.Read(auth)
	return browser{key, auth}
}

// subscription is PushSubscription.toJSON().
func (b browser) subscription(endpoint string) string {
	text, err := json.Marshal(map[string]any{"endpoint": endpoint, "expirationTime": nil, "keys": map[string]string{
		"p256dh": base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()),
		"auth":   base64.RawURLEncoding.EncodeToString(b.auth)}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// open decrypts a body as RFC 8188 and RFC 8291 say a browser does it.
func (b browser) open(body []byte) ([]byte, error) {
	if len(body) < headerBytes || body[20] != pointBytes {
		return nil, errors.New("no header of aes128gcm")
	}
	salt, point, text := [saltBytes]byte(body[:16]), body[21:headerBytes], body[headerBytes:]
	sender, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	key, nonce, err := contentKeys(shared, b.auth, b.key.PublicKey().Bytes(), point, salt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, text, nil)
	if err != nil {
		return nil, err
	}
	plain = []byte(strings.TrimRight(string(plain), "\x00"))
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("no delimiter of a last record")
	}
	return plain[:len(plain)-1], nil
}

// service is a push service of one browser, as strict as the standards.
type service struct {
	http    *httptest.Server
	browser browser
	server  Key // that the browser subscribed to

	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request)
	pushed []pushed
	faults []error
}

type pushed struct {
	header  http.Header
	payload payload
	size    int
}

func newService(t testing.TB, server Key) *service {
	t.Helper()
	s := &service{browser: newBrowser(t), server: server}
	s.http = httptest.NewTLSServer(http.HandlerFunc(s.push))
	s.http.Config.ErrorLog = nil
	t.Cleanup(s.http.Close)
	return s
}

func (s *service) push(w http.ResponseWriter, r *http.Request) {
	p, err := s.read(r)
	s.mu.Lock()
	answer := s.answer
	if err != nil {
		s.faults = append(s.faults, err)
	}
	s.pushed = append(s.pushed, p)
	s.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

func (s *service) read(r *http.Request) (pushed, error) {
	p := pushed{header: r.Header.Clone()}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return p, err
	}
	p.size = len(body)
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" || len(body) > 4096 {
		return p, fmt.Errorf("request %s %v", r.Method, r.Header)
	}
	if err := s.checkVAPID(r); err != nil {
		return p, err
	}
	plain, err := s.browser.open(body)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(plain, &p.payload)
}

// checkVAPID verifies who sends, as RFC 8292 says.
func (s *service) checkVAPID(r *http.Request) error {
	var token, key string
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid ")
	for _, f := range strings.Split(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(f), "=")
		switch name {
		case "t":
			token = value
		case "k":
			key = value
		}
	}
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 || key != s.server.Public() {
		return errors.New("no VAPID of the server that the browser subscribed to")
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return errors.New("no signature")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("the signature is wrong")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if claims.Aud != s.http.URL || claims.Sub != "mailto:push@study.example" || left <= 0 || left > 24*time.Hour {
		return fmt.Errorf("claims %+v", claims)
	}
	return nil
}

// says makes the service answer so from now on.
func (s *service) says(status int, retryAfter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}
}

// world is a sender and a push service of one browser.
type world struct {
	*Sender
	service *service
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	key, err := KeyFromSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, key)
	roots := x509.NewCertPool()
	roots.AddCert(s.http.Certificate())
	o := Options{Key: key, Contact: "mailto:push@study.example", Roots: roots, Private: true, Hosts: []string{s.http.Listener.Addr().String()}}
	for _, c := range change {
		c(&o)
	}
	sender, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &world{sender, s}
}

var testSecret = []byte("a secret for tests, of 32 bytes.")

func (w *world) message() reminders.Message {
	return reminders.Message{
		Delivery: "01J0DELIVERY", Assessment: "01J0ASSESSMENT",
		Target: reminders.Target{Kind: reminders.WebPush, Value: w.service.browser.subscription(w.service.http.URL + "/push/8f3a")},
		Title:  "A task is waiting", Body: "Please open the app when it suits you.", Collapse: "k3sJ9xQ2", ExpiresAt: w.now().Add(6*time.Hour + 500*time.Millisecond),
	}
}

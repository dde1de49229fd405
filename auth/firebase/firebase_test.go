package firebase_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"epro/auth/firebase"
	"epro/study"
)

const project = "epro-test"

// google publishes the certificates of the keys that sign ID tokens.
type google struct {
	key   *rsa.PrivateKey
	asked atomic.Int32
	down  atomic.Bool
	*firebase.Verifier
}

func newGoogle(t *testing.T) *google {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &google{key: key}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "securetoken"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	published, err := json.Marshal(map[string]string{"k1": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.asked.Add(1)
		if g.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(published)
	}))
	t.Cleanup(server.Close)
	// Whatever name the SDK has in it, it reaches our server.
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the name is Google's, the certificate httptest's
	}
	before := http.DefaultTransport
	if g.Verifier, err = firebase.New(t.Context(), firebase.Options{Project: project, Transport: transport}); err != nil {
		t.Fatal(err)
	}
	if http.DefaultTransport != before {
		t.Fatal("http.DefaultTransport was not put back")
	}
	return g
}

// token makes an ID token; change may spoil it.
func (g *google) token(t *testing.T, change func(header, claims map[string]any)) string {
	t.Helper()
	now := time.Now().Unix()
	header := map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	claims := map[string]any{"iss": "https://securetoken.google.com/" + project, "aud": project, "sub": "user-1", "iat": now - 10, "exp": now + 3600,
		"auth_time": now - 10, "role": "admin", "firebase": map[string]any{"sign_in_provider": "phone"}}
	if change != nil {
		change(header, claims)
	}
	encode := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := encode(header) + "." + encode(claims)
	if header["alg"] == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, g.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestAGoodTokenIsItsUserAndNothingElse(t *testing.T) {
	g := newGoogle(t)
	for range 3 {
		if user, err := g.User(t.Context(), g.token(t, nil)); err != nil || user != "epro-test/user-1" {
			t.Fatalf("got %q, %v", user, err)
		}
	}
	if n := g.asked.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestABadTokenIsNobody(t *testing.T) {
	g := newGoogle(t)
	other := newGoogle(t)
	for name, token := range map[string]string{
		"no token":        "",
		"unsigned":        g.token(t, func(h, _ map[string]any) { h["alg"] = "none" }),
		"another key":     other.token(t, nil),
		"unknown key id":  g.token(t, func(h, _ map[string]any) { h["kid"] = "k2" }),
		"another project": g.token(t, func(_, c map[string]any) { c["aud"], c["iss"] = "p", "https://securetoken.google.com/p" }),
		"another issuer":  g.token(t, func(_, c map[string]any) { c["iss"] = "https://evil.example/epro-test" }),
		"over":            g.token(t, func(_, c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
		"of tomorrow":     g.token(t, func(_, c map[string]any) { c["iat"] = time.Now().Add(24 * time.Hour).Unix() }),
		"no subject":      g.token(t, func(_, c map[string]any) { c["sub"] = "" }),
		"of a tenant":     g.token(t, func(_, c map[string]any) { c["firebase"] = map[string]any{"tenant": "t1"} }),
	} {
		user, err := g.User(t.Context(), token)
		if user != "" || study.CodeOf(err) != study.Unauthenticated {
			t.Errorf("%s: got %q, %v", name, user, err)
		}
		if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error repeats the token", name)
		}
	}
}

func TestWithoutGooglesKeysNobodyIsRefusedForGood(t *testing.T) {
	g := newGoogle(t)
	g.down.Store(true)
	if _, err := g.User(t.Context(), g.token(t, nil)); study.CodeOf(err) != study.Unavailable {
		t.Errorf("got %v", err)
	}
	g.down.Store(false)
	if _, err := g.User(t.Context(), g.token(t, nil)); err != nil {
		t.Errorf("the keys are back: %v", err)
	}
}

func TestAnEmulatorInTheEnvironmentIsRefused(t *testing.T) {
	t.Setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
	if _, err := firebase.New(t.Context(), firebase.Options{Project: project}); err == nil || !strings.Contains(err.Error(), "FIREBASE_AUTH_EMULATOR_HOST") {
		t.Errorf("got %v", err)
	}
}

func TestTheProjectMustBeNamed(t *testing.T) {
	if _, err := firebase.New(t.Context(), firebase.Options{}); study.CodeOf(err) != study.Invalid {
		t.Errorf("got %v", err)
	}
}

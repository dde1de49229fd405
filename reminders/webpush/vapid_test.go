package webpush

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Subscriptions are bound to the key, so a secret must give the same for ever.
func TestASecretGivesTheSameKeyForEver(t *testing.T) {
	key, err := KeyFromSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	const want = "BLuOT5ZXf9jl-qUDYkMxSDD72c2kQ5fol9S5yn1m-kAvZL-PRm18NmGOjR58-EEMFdUlokxV7UmpYyfAnhQRHR8"
	if got := key.Public(); got != want {
		t.Errorf("got %s", got)
	}
	other, err := KeyFromSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil || other.Public() == key.Public() {
		t.Errorf("another secret: %v", err)
	}
	if _, err := KeyFromSecret([]byte("short")); err == nil {
		t.Error("a short secret was taken")
	}
	if got := key.LogValue().String(); got != key.Public() {
		t.Errorf("logs %s", got)
	}
}

func TestAKeyMayComeFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, der []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	a, err := ReadKey(write("pkcs8", "PRIVATE"+" KEY", pkcs8, err))
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(private)
	b, err := ReadKey(write("sec1", "EC PRIVATE"+" KEY", sec1, err))
	if err != nil || a.Public() != b.Public() || len(a.Public()) != 87 {
		t.Fatalf("%s and %s, %v", a.Public(), b.Public(), err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := x509.MarshalPKCS8PrivateKey(other)
	for _, file := range []string{write("p384", "PRIVATE"+" KEY", p384, err), write("cut", "PRIVATE"+" KEY", pkcs8[:20], nil), filepath.Join(dir, "absent")} {
		if _, err := ReadKey(file); err == nil || !strings.Contains(err.Error(), "web push key") && !strings.Contains(err.Error(), "P-256") {
			t.Errorf("%s: got %v", file, err)
		}
	}
}

package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"time"

	"epro/study"
)

// Key is the server's own key, by which push services know that messages to a
// subscription come from whom the browser subscribed to. With another key every
// subscription is void.
type Key struct {
	private *ecdsa.PrivateKey
	public  string
}

// LogValue is the public half.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.public) }

// Public is the applicationServerKey that a page subscribes with, in base64 as
// PushManager.subscribe takes it.
func (k Key) Public() string { return k.public }

// KeyFromSecret derives the key from the server's secret, so that it is the same
// on every machine that has that file, and nothing is kept that could be lost.
func KeyFromSecret(secret []byte) (Key, error) {
	if len(secret) < 32 {
		return Key{}, study.Fail(study.Invalid, "The secret must have at least 32 bytes.")
	}
	// 64 bits more than the key has, so that the reduction's bias is of no account
	// (FIPS 186-5, A.2.1).
	bits, err := hkdf.Key(sha256.New, secret, nil, "epro/webpush/vapid/1", 40)
	if err != nil {
		return Key{}, err
	}
	one := big.NewInt(1)
	order := new(big.Int).Sub(elliptic.P256().Params().N, one)
	d := new(big.Int).SetBytes(bits)
	d.Mod(d, order).Add(d, one)
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		return Key{}, err
	}
	return keyOf(private)
}

// ReadKey reads the key from a PEM file, as this makes one:
// openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.
func ReadKey(file string) (Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Key{}, &study.Error{Code: study.Invalid, Err: err,
			Message: fmt.Sprintf("The web push key %q cannot be read; check its name and permissions.", file)}
	}
	if block, _ := pem.Decode(text); block != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			parsed, err = x509.ParseECPrivateKey(block.Bytes)
		}
		if private, ok := parsed.(*ecdsa.PrivateKey); ok && err == nil && private.Curve == elliptic.P256() {
			return keyOf(private)
		}
	}
	// The cause is not kept: it might quote the file.
	return Key{}, study.Fail(study.Invalid, fmt.Sprintf("The file %q holds no private key of the curve P-256 in PEM; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.", file))
}

func keyOf(private *ecdsa.PrivateKey) (Key, error) {
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return Key{}, err
	}
	return Key{private: private, public: base64.RawURLEncoding.EncodeToString(point)}, nil
}

const (
	// badgeLife is how long one signature serves. Services take a day at most.
	badgeLife = 12 * time.Hour
	// badgeRenew is how long before its end it is replaced.
	badgeRenew = time.Hour
)

// badges keeps the signed name of the server for each push service (RFC 8292,
// §2). One serves all messages to that service.
type badges struct {
	key     Key
	contact string
	random  io.Reader
	now     func() time.Time

	mu   sync.Mutex
	kept map[string]badge // by the service's origin; the list of hosts bounds them
}

type badge struct {
	text  string
	until time.Time
}

// maxBadges bounds what is kept should a wildcard of the list have many hosts.
const maxBadges = 256

// header is the Authorization for a service.
func (b *badges) header(origin string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if kept, ok := b.kept[origin]; ok && now.Before(kept.until.Add(-badgeRenew)) {
		return kept.text, nil
	}
	until := now.Add(badgeLife)
	token, err := b.sign(origin, until)
	if err != nil {
		return "", err
	}
	if len(b.kept) >= maxBadges {
		clear(b.kept)
	}
	text := "vapid t=" + token + ", k=" + b.key.public
	b.kept[origin] = badge{text, until}
	return text, nil
}

// sign makes the JWT of RFC 8292: ES256 over audience, end and contact.
func (b *badges) sign(origin string, until time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub"`
	}{origin, until.Unix(), b.contact})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(b.random, b.key.private, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature), nil
}

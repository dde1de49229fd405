package auth

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"epro/study"
)

// Options are what an Auth is made from.
type Options struct {
	Store  study.Store
	Study  *study.Service
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader but in tests
	Secret []byte    // at least 32 bytes, see LoadSecret
	Issuer string    // the "iss" of access tokens; empty: "epro"
	// SecondFactor refuses staff who have no authenticator app.
	SecondFactor bool
	PasswordCost Cost  // zero: DefaultCost
	Users        Users // who sign in by Firebase; nil: nobody
}

// LogValue is the issuer, without the secret.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.Issuer) }

// Auth knows who asks. It is safe for concurrent use, by several processes on
// one store and one secret as well.
type Auth struct {
	store        study.Store
	study        *study.Service
	now          func() time.Time
	random       io.Reader
	issuer       string
	secondFactor bool
	users        Users // nil: nobody signs in by Firebase

	secrets   secrets
	passwords *passwords
	keyring   keyring
	parser    *jwt.Parser // of access tokens
	lax       *jwt.Parser // the same but for the dates, to sign out with an old token

	// Attempts count as failures until they have gone well, so at most as many
	// run at once in this process as fit below the limits; the others wait.
	enrolling, signingIn gate

	verified *lru.Cache[[32]byte, verified] // access tokens by their SHA-256
	families *liveness
}

// LogValue is the issuer, without the keys.
func (a *Auth) LogValue() slog.Value { return slog.StringValue(a.issuer) }

// New makes an Auth; it loads the signing keys, or makes the first one.
func New(ctx context.Context, o Options) (*Auth, error) {
	if len(o.Secret) < minSecret {
		return nil, study.Fail(study.Invalid, "The secret must have at least 32 bytes.")
	}
	if o.Issuer == "" {
		o.Issuer = "epro"
	}
	if o.PasswordCost == (Cost{}) {
		o.PasswordCost = DefaultCost
	}
	secrets, err := deriveSecrets(o.Secret)
	if err != nil {
		return nil, err
	}
	random := &lockedReader{from: o.Random}
	seen, _ := lru.New[[32]byte, verified](4096) // the only error is a size below 1
	a := &Auth{
		store: o.Store, study: o.Study, now: o.Now, random: random, issuer: o.Issuer, secondFactor: o.SecondFactor, users: o.Users,
		secrets: secrets, passwords: newPasswords(o.PasswordCost, random),
		enrolling: make(gate, 8), signingIn: make(gate, 4),
		verified: seen, families: newLiveness(),
	}
	a.parser, a.lax = parsers(o.Issuer, o.Now)
	return a, a.firstKey(ctx)
}

// lockedReader lets several requests read chance at once, whatever it is.
type lockedReader struct {
	mu   sync.Mutex
	from io.Reader
}

// Read fills p or fails.
func (r *lockedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return io.ReadFull(r.from, p)
}

// fresh is n random bytes.
func (a *Auth) fresh(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(a.random, b); err != nil {
		return nil, &study.Error{Code: study.Unavailable, Message: "The system's source of random numbers failed; try again.", Err: err}
	}
	return b, nil
}

package auth

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"epro/study"
)

const (
	// publishFirst is how long a new key is published before it signs. Every
	// process has read it by then.
	publishFirst = 10 * time.Minute
	// rereadKeys is how old the keys in memory may be.
	rereadKeys = 5 * time.Minute
	// rereadForUnknown is how often an unknown key id may cause another reading:
	// anybody can send one.
	rereadForUnknown = 10 * time.Second
)

// signingKey is one generation of the key that signs access tokens.
type signingKey struct {
	generation int
	kid        string
	private    ed25519.PrivateKey
	madeAt     time.Time
}

func (k signingKey) public() ed25519.PublicKey {
	return ed25519.PublicKey(k.private[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

// thumbprint is the key's id: the JWK thumbprint of RFC 7638, with the members
// that RFC 8037 (§2) names for Ed25519.
func thumbprint(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// keySet is all generations, oldest first.
type keySet []signingKey

// signsAt is when a key begins to sign. The first of all signs at once: no
// process can hold an older one.
func (s keySet) signsAt(i int) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return s[i].madeAt.Add(publishFirst)
}

// signer is the newest key that signs already.
func (s keySet) signer(now time.Time) signingKey {
	i := len(s) - 1
	for i > 0 && now.Before(s.signsAt(i)) {
		i--
	}
	return s[i]
}

// published are the keys whose tokens are accepted: every new one, and an old
// one until the last token that it can have signed has expired.
func (s keySet) published(now time.Time) keySet {
	for i := range s {
		last := i == len(s)-1
		if last || now.Before(s.signsAt(i+1).Add(accessLifetime+leeway)) {
			return s[i:]
		}
	}
	return nil
}

func (s keySet) find(kid string, now time.Time) (ed25519.PublicKey, bool) {
	for _, k := range s.published(now) {
		if k.kid == kid {
			return k.public(), true
		}
	}
	return nil, false
}

// keyring is the keys as this process knows them.
type keyring struct {
	mu     sync.Mutex
	set    keySet
	readAt time.Time
}

// keys are the keys, read anew when those in memory are older than maxAge.
func (a *Auth) keys(ctx context.Context, maxAge time.Duration) (keySet, error) {
	a.keyring.mu.Lock()
	defer a.keyring.mu.Unlock()
	now := a.now()
	if age := now.Sub(a.keyring.readAt); a.keyring.set != nil && age >= 0 && age < maxAge {
		return a.keyring.set, nil
	}
	set, err := a.readKeys(ctx)
	if err == nil {
		a.keyring.set, a.keyring.readAt = set, now
	}
	return set, err
}

// sealedKey is a signing key as it is stored.
type sealedKey struct {
	KeyID  string `json:"kid"`
	Sealed []byte `json:"sealed"` // the seed, encrypted under the secret file
}

func (a *Auth) readKeys(ctx context.Context) (keySet, error) {
	records, err := a.store.Records(ctx, kindSigningKey, "", time.Time{})
	if err != nil {
		return nil, storeError(err)
	}
	set := keySet{}
	for _, r := range records {
		k, err := a.openKey(r)
		if err != nil {
			return nil, err
		}
		set = append(set, k)
	}
	slices.SortFunc(set, func(a, b signingKey) int { return cmp.Compare(a.generation, b.generation) })
	return set, nil
}

func (a *Auth) openKey(r study.Record) (signingKey, error) {
	var stored sealedKey
	if err := decode(r, &stored); err != nil {
		return signingKey{}, err
	}
	seed, err := a.unseal(stored.Sealed, keyName(r.Key))
	if err != nil || len(seed) != ed25519.SeedSize {
		return signingKey{}, &study.Error{Code: study.Unavailable, Err: err,
			Message: "The secret file does not fit this store. Use the one that was made with it, or restore both from the same backup."}
	}
	k := signingKey{private: ed25519.NewKeyFromSeed(seed), madeAt: r.At}
	k.kid = thumbprint(k.public())
	k.generation, err = strconv.Atoi(r.Key)
	if err != nil || k.kid != stored.KeyID {
		return signingKey{}, fmt.Errorf("signing key %q is damaged", r.Key)
	}
	return k, nil
}

func keyName(generation string) string { return "signing key " + generation }

// firstKey loads the keys and makes the first one where there is none.
func (a *Auth) firstKey(ctx context.Context) error {
	set, err := a.keys(ctx, 0)
	if err != nil || len(set) > 0 {
		return err
	}
	if err := a.makeKey(ctx, 1); err != nil {
		return err
	}
	_, err = a.keys(ctx, 0)
	return err
}

// Rotate makes a new signing key. It is published at once and signs ten
// minutes later; the old one stays published until its last token has expired.
func (a *Auth) Rotate(ctx context.Context) error {
	set, err := a.keys(ctx, 0)
	if err != nil {
		return err
	}
	next := 1
	if len(set) > 0 {
		next = set[len(set)-1].generation + 1
	}
	if err := a.makeKey(ctx, next); err != nil {
		return err
	}
	_, err = a.keys(ctx, 0)
	return err
}

// makeKey makes a generation, unless another process has made it: then that
// one serves.
func (a *Auth) makeKey(ctx context.Context, generation int) error {
	seed, err := a.fresh(ed25519.SeedSize)
	if err != nil {
		return err
	}
	key := strconv.Itoa(generation)
	sealed, err := a.seal(seed, keyName(key))
	if err != nil {
		return err
	}
	k := signingKey{private: ed25519.NewKeyFromSeed(seed)}
	r, err := a.record(kindSigningKey, key, "", 0, sealedKey{KeyID: thumbprint(k.public()), Sealed: sealed})
	if err != nil {
		return err
	}
	_, err = a.insert(ctx, r)
	return err
}

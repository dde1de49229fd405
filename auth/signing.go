package auth

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"epro/study"
)

const (
	// rereadKeys is how old the keys in memory may be.
	rereadKeys = 5 * time.Minute
	// rereadForUnknown is how often an unknown key id may cause another reading:
	// anybody can send one.
	rereadForUnknown = 10 * time.Second
)

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

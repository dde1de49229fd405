package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// secrets are the keys that are derived from the secret file, one for each
// purpose, so that what one of them makes means nothing to another.
type secrets struct {
	sealing   [32]byte // encrypts signing keys and authenticator secrets
	codes     [32]byte // makes enrolment codes from events
	lookups   [32]byte // hides codes and user names that are used as keys
	refresh   [32]byte // makes refresh tokens
	families  [32]byte // names the session of an attempt to enrol
	passwords [32]byte // makes the password of a request that may be repeated
	setup     [32]byte // makes the set-up link
}

// deriveSecrets derives the keys by HKDF (RFC 5869) with SHA-256. The secret
// is random and not a password, so no salt is needed (its §3.1).
func deriveSecrets(secret []byte) (secrets, error) {
	var s secrets
	for label, key := range map[string]*[32]byte{
		"sealing": &s.sealing, "codes": &s.codes, "lookups": &s.lookups, "refresh": &s.refresh,
		"families": &s.families, "passwords": &s.passwords, "setup": &s.setup,
	} {
		b, err := hkdf.Key(sha256.New, secret, nil, "epro/auth/"+label+"/1", len(key))
		if err != nil {
			return secrets{}, fmt.Errorf("derive the key for %s: %w", label, err)
		}
		copy(key[:], b)
	}
	return s, nil
}

// mac is HMAC-SHA-256 over the parts, each with its length, so that no two
// lists of parts give the same input.
func mac(key [32]byte, parts ...string) [32]byte {
	h := hmac.New(sha256.New, key[:])
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return [32]byte(h.Sum(nil))
}

// uuidFrom shapes a MAC as a UUID of version 8 (RFC 9562, §5.8): an id that
// every attempt at the same thing computes anew.
func uuidFrom(sum [32]byte) string {
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	x := hex.EncodeToString(sum[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// isUUID reports whether s is the usual text form of a UUID.
func isUUID(s string) bool {
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		digit := '0' <= s[i] && s[i] <= '9' || 'a' <= s[i]|0x20 && s[i]|0x20 <= 'f'
		if hyphen && s[i] != '-' || !hyphen && !digit {
			return false
		}
	}
	return len(s) == 36
}

// seal encrypts with AES-256-GCM. The name of what is sealed is authenticated
// with it, so that one sealed record cannot be passed off as another. A fresh
// random nonce is safe for 2^32 records (NIST SP 800-38D, §8.3).
func (a *Auth) seal(plain []byte, name string) ([]byte, error) {
	gcm, err := a.secrets.gcm()
	if err != nil {
		return nil, err
	}
	nonce, err := a.fresh(gcm.NonceSize())
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nonce, nonce, plain, []byte(name)), nil
}

// unseal opens what seal made.
func (a *Auth) unseal(sealed []byte, name string) ([]byte, error) {
	gcm, err := a.secrets.gcm()
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize() {
		return nil, errors.New("sealed text is too short")
	}
	nonce, text := sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():]
	return gcm.Open(nil, nonce, text, []byte(name))
}

func (s *secrets) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.sealing[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

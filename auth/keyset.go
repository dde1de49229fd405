package auth

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// publishFirst is how long a new key is published before it signs. Every
// process has read it by then.
const publishFirst = 10 * time.Minute

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

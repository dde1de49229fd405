package auth

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"
)

// jwk is a public key as RFC 7517 and RFC 8037 write it.
type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	KeyID string `json:"kid"`
	Alg   string `json:"alg"`
	Use   string `json:"use"`
}

// JWKS is the set of public keys (RFC 7517, §5) with which others can verify
// access tokens. While the store cannot be read it is what was read last.
func (a *Auth) JWKS() []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	set, err := a.keys(ctx, rereadKeys)
	if err != nil {
		a.keyring.mu.Lock()
		set = a.keyring.set
		a.keyring.mu.Unlock()
	}
	out := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range set.published(a.now()) {
		out.Keys = append(out.Keys, jwk{Type: "OKP", Curve: "Ed25519", KeyID: k.kid, Alg: signingMethod.Alg(), Use: "sig",
			X: base64.RawURLEncoding.EncodeToString(k.public())})
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return []byte(`{"keys":[]}`)
	}
	return raw
}

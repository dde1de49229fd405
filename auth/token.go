package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"epro/study"
)

const (
	// accessLifetime is how long an access token works. Rights and sessions are
	// looked up anyway, so this bounds only how long a leaked log is of use.
	accessLifetime = 10 * time.Minute
	// leeway is how far two processes' clocks may be apart: a process more than
	// 2 s off the database's is not ready, so two are at most 4 s apart.
	leeway = 5 * time.Second
	// maxToken is the size of the longest token that is looked at. Ours have
	// about 500 bytes.
	maxToken = 4096
	// tokenType is the "typ" of RFC 9068, §2.1, so that no other token of this
	// or another program can be mistaken for an access token (RFC 8725, §3.11).
	tokenType = "at+jwt"
	// audience is the "aud" of access tokens.
	audience = "epro"
)

var signingMethod = jwt.SigningMethodEdDSA

// claims are what an access token says. All of them are required and no
// others are understood. Of RFC 9068, client_id and jti are left out: there
// are no clients to tell apart, and no list of single tokens.
type claims struct {
	Issuer    string         `json:"iss"`
	Subject   study.StreamID `json:"sub"`
	Audience  []string       `json:"aud"`
	IssuedAt  int64          `json:"iat"` // these three in Unix seconds
	NotBefore int64          `json:"nbf"`
	ExpiresAt int64          `json:"exp"`
	Family    string         `json:"sid"`
	Role      study.Role     `json:"role"` // for the client's eyes; rights are read anew each time
}

// UnmarshalJSON is strict where the library's own decoding is not: a claim
// that is unknown, repeated or written in other letters makes the token void.
func (c *claims) UnmarshalJSON(b []byte) error {
	type plain claims
	return json.Unmarshal(b, (*plain)(c), json.RejectUnknownMembers(true))
}

// Validate refuses an empty claim; the library calls it after its own checks.
func (c *claims) Validate() error {
	if c.Subject.Key() == "" || c.Family == "" || c.Role == "" || c.IssuedAt == 0 || !slices.Equal(c.Audience, []string{audience}) {
		return errors.New("a claim is missing")
	}
	return nil
}

func numericDate(seconds int64) (*jwt.NumericDate, error) {
	if seconds <= 0 {
		return nil, nil // missing: the parser requires all three
	}
	return jwt.NewNumericDate(time.Unix(seconds, 0)), nil
}

// GetExpirationTime is exp.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(c.ExpiresAt) }

// GetIssuedAt is iat.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return numericDate(c.IssuedAt) }

// GetNotBefore is nbf.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return numericDate(c.NotBefore) }

// GetIssuer is iss.
func (c *claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject is sub.
func (c *claims) GetSubject() (string, error) { return string(c.Subject), nil }

// GetAudience is aud.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return c.Audience, nil }

// parsers are the one that Verify uses, and one that overlooks the dates.
func parsers(issuer string, now func() time.Time) (strict, lax *jwt.Parser) {
	base := []jwt.ParserOption{
		jwt.WithValidMethods([]string{signingMethod.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithTimeFunc(now), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
	}
	strict = jwt.NewParser(slices.Concat(base, []jwt.ParserOption{jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired()})...)
	// A token that was good is good for signing out.
	lax = jwt.NewParser(slices.Concat(base, []jwt.ParserOption{jwt.WithLeeway(staffLifetime.absolute)})...)
	return strict, lax
}

// sign makes an access token.
func (a *Auth) sign(ctx context.Context, c *claims) (string, error) {
	set, err := a.keys(ctx, rereadKeys)
	if err != nil {
		return "", err
	}
	if len(set) == 0 {
		return "", study.Fail(study.Unavailable, "The store has lost its signing keys. Start the server again.")
	}
	key := set.signer(a.now())
	t := jwt.NewWithClaims(signingMethod, c)
	t.Header["typ"], t.Header["kid"] = tokenType, key.kid
	return t.SignedString(key.private)
}

// parse checks an access token's form, signature and dates.
func (a *Auth) parse(ctx context.Context, parser *jwt.Parser, token string) (*claims, error) {
	kid, ok := keyOf(token)
	if !ok {
		return nil, errSession()
	}
	set, err := a.keys(ctx, rereadKeys)
	if err != nil {
		return nil, err
	}
	if _, known := set.find(kid, a.now()); !known {
		if set, err = a.keys(ctx, rereadForUnknown); err != nil {
			return nil, err
		}
	}
	public, known := set.find(kid, a.now())
	if !known {
		return nil, errSession()
	}
	c := &claims{}
	if _, err := parser.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return public, nil }); err != nil {
		return nil, errSession() // the cause may quote the token, and is nobody's business
	}
	return c, nil
}

// keyOf is the key id in the token's header, if that is exactly as ours are. A
// header that names a key by address or brings its own (jku, x5u, jwk) is not
// (RFC 8725, §3.1, §3.5 and §3.10).
func keyOf(token string) (kid string, ok bool) {
	// Go's base64 skips line breaks, which would give one token many spellings.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return "", false
	}
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(head)
	if err != nil {
		return "", false
	}
	var h struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}
	if err := json.Unmarshal(raw, &h, json.RejectUnknownMembers(true)); err != nil {
		return "", false
	}
	return h.Kid, h.Alg == signingMethod.Alg() && h.Typ == tokenType
}

func errSession() error {
	return study.Fail(study.Unauthenticated, "This session has ended, or there was none. Sign in again.")
}

package auth

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"epro/study"
)

// forge signs any header and claims, as text, with a key.
func forge(header, claims string, private ed25519.PrivateKey) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(text)))
}

// forger knows the signing key and makes good tokens with one thing wrong.
type forger struct {
	kid     string
	private ed25519.PrivateKey
	at      int64
}

func (w *world) forger() forger {
	key := w.keyring.set.signer(w.clock.now())
	return forger{kid: key.kid, private: key.private, at: w.clock.now().Unix()}
}

func (f forger) header() string {
	return fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"at+jwt"}`, f.kid)
}

func (f forger) claims() string {
	return fmt.Sprintf(`{"iss":"epro","sub":"participant/p1","aud":["epro"],"iat":%d,"nbf":%d,"exp":%d,"sid":"f","role":"participant"}`,
		f.at, f.at, f.at+600)
}

// The cases are those of RFC 8725, and what a sloppy parser lets through.
func TestOnlyAnAccessTokenOfOursIsAccepted(t *testing.T) {
	w := newWorld(t)
	f := w.forger()
	if _, err := w.Verify(t.Context(), forge(f.header(), f.claims(), f.private)); err != nil {
		t.Fatalf("the forger's tools are no good: %v", err)
	}
	_, stranger, err := ed25519.GenerateKey(w.random)
	w.must(err)
	good := forge(f.header(), f.claims(), f.private)
	parts := strings.Split(good, ".")
	header := func(old, new string) string {
		return forge(strings.Replace(f.header(), old, new, 1), f.claims(), f.private)
	}
	claim := func(old, new string) string {
		return forge(f.header(), strings.Replace(f.claims(), old, new, 1), f.private)
	}
	hmacOver := func(key []byte) string {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "epro", "sub": "participant/p1", "aud": "epro", "exp": f.at + 600})
		token.Header["kid"], token.Header["typ"] = f.kid, tokenType
		signed, err := token.SignedString(key)
		w.must(err)
		return signed
	}
	public, _ := f.private.Public().(ed25519.PublicKey)
	for name, token := range map[string]string{
		"empty": "", "dots": "..", "another key": forge(f.header(), f.claims(), stranger),
		"alg none":              base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(f.header(), "EdDSA", "none", 1))) + "." + parts[1] + ".",
		"alg None, signed":      header("EdDSA", "None"),
		"HMAC with public key":  hmacOver(public),
		"HMAC with its text":    hmacOver([]byte(base64.RawURLEncoding.EncodeToString(public))),
		"another algorithm":     header("EdDSA", "ES256"),
		"typ JWT":               header("at+jwt", "JWT"),
		"no typ":                header(`,"typ":"at+jwt"`, ``),
		"no kid":                header(fmt.Sprintf(`"kid":%q,`, f.kid), ``),
		"kid of nobody":         header(f.kid, "nobody"),
		"kid traversal":         header(f.kid, "../../../../dev/null"),
		"kid injection":         header(f.kid, "' OR 1=1 --"),
		"jku":                   header(`"typ"`, `"jku":"https://example.org/jwks","typ"`),
		"x5u":                   header(`"typ"`, `"x5u":"https://example.org/x","typ"`),
		"own jwk":               header(`"typ"`, `"jwk":{"kty":"OKP"},"typ"`),
		"crit":                  header(`"typ"`, `"crit":["exp"],"typ"`),
		"repeated header":       header(`"typ"`, `"alg":"EdDSA","typ"`),
		"wrong issuer":          claim(`"iss":"epro"`, `"iss":"opre"`),
		"no issuer":             claim(`"iss":"epro",`, ``),
		"wrong audience":        claim(`["epro"]`, `["other"]`),
		"further audience":      claim(`["epro"]`, `["epro","other"]`),
		"no audience":           claim(`"aud":["epro"],`, ``),
		"expired":               claim(fmt.Sprintf(`"exp":%d`, f.at+600), fmt.Sprintf(`"exp":%d`, f.at-5)),
		"no expiry":             claim(fmt.Sprintf(`"exp":%d,`, f.at+600), ``),
		"expiry as text":        claim(fmt.Sprintf(`"exp":%d`, f.at+600), fmt.Sprintf(`"exp":"%d"`, f.at+600)),
		"not yet":               claim(fmt.Sprintf(`"nbf":%d`, f.at), fmt.Sprintf(`"nbf":%d`, f.at+6)),
		"no not-before":         claim(fmt.Sprintf(`"nbf":%d,`, f.at), ``),
		"issued in the future":  claim(fmt.Sprintf(`"iat":%d`, f.at), fmt.Sprintf(`"iat":%d`, f.at+6)),
		"no subject":            claim(`"sub":"participant/p1",`, ``),
		"nobody's subject":      claim(`participant/p1`, `participant/`),
		"a site's subject":      claim(`participant/p1`, `site/S01`),
		"unknown staff":         claim(`participant/p1`, `staff/nobody`),
		"no session":            claim(`"sid":"f",`, ``),
		"no role":               claim(`,"role":"participant"`, ``),
		"repeated claim":        claim(`"sid"`, `"sub":"participant/p2","sid"`),
		"claim in capitals":     claim(`"sid"`, `"SUB":"participant/p2","sid"`),
		"unknown claim":         claim(`"sid"`, `"admin":true,"sid"`),
		"claims are a list":     forge(f.header(), `[]`, f.private),
		"claims are null":       forge(f.header(), `null`, f.private),
		"huge":                  claim(`"f"`, `"`+strings.Repeat("f", 4096)+`"`),
		"truncated":             good[:len(good)-1],
		"without signature":     parts[0] + "." + parts[1],
		"empty signature":       parts[0] + "." + parts[1] + ".",
		"four parts":            good + ".",
		"padding":               good + "=",
		"loose last bits":       good[:len(good)-1] + string(good[len(good)-1]+1),
		"white space":           good + "\n",
		"claims of another one": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(f.claims(), "p1", "p2", 1))) + "." + parts[2],
		"a refresh token":       w.phone(w.participant()).RefreshToken,
	} {
		for range 2 { // the second time it might come from memory
			if actor, err := w.Verify(t.Context(), token); study.CodeOf(err) != study.Unauthenticated || actor.Role != "" {
				t.Errorf("%s: %+v, %v", name, actor, err)
			}
		}
	}
}

func TestATokenSaysWhoAndForWhom(t *testing.T) {
	w := newWorld(t)
	s := w.phone(w.participant())
	token, _, err := jwt.NewParser().ParseUnverified(s.AccessToken, jwt.MapClaims{})
	w.must(err)
	c, _ := token.Claims.(jwt.MapClaims)
	if token.Header["typ"] != "at+jwt" || token.Header["alg"] != "EdDSA" || len(token.Header) != 3 ||
		c["sub"] != string(s.Participant.Stream()) || c["iss"] != "epro" || c["role"] != "participant" || len(c) != 8 {
		t.Errorf("got %v, %v", token.Header, c)
	}
}

func TestATokenLastsTenMinutesFromMemoryToo(t *testing.T) {
	w := newWorld(t)
	s := w.phone(w.participant())
	w.clock.pass(10*time.Minute + leeway - time.Millisecond)
	w.works(w.Auth, s, true)
	w.clock.pass(time.Millisecond)
	w.works(w.Auth, s, false)
	w.clock.pass(-11 * time.Minute)
	w.works(w.Auth, s, false) // not valid yet, by a clock so far behind
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	s := w.phone(w.participant())
	tools := w.forger()
	f.Add(s.AccessToken)
	f.Add(s.RefreshToken)
	f.Add(forge(tools.header(), strings.Replace(tools.claims(), "p1", "", 1), tools.private))
	f.Add("..")
	ours := map[string]bool{s.AccessToken: true, s.RefreshToken: true}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := w.Verify(t.Context(), token); err == nil && !ours[token] {
			t.Fatalf("%q was accepted", token)
		} else if err != nil && study.CodeOf(err) != study.Unauthenticated {
			t.Fatalf("%q: %v", token, err)
		}
		if _, _, ok := w.readRefreshToken(token); ok && !ours[token] {
			t.Fatalf("%q was taken for a refresh token", token)
		}
	})
}

package fcmtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// sendingScope is the scope that a token must be asked for.
const sendingScope = "https://www.googleapis.com/auth/firebase.messaging"

// token is the token endpoint: it takes a JWT that the account's key has signed
// (RFC 7523).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	var a Answer
	a, s.oauth = next(s.oauth)
	life := s.life
	s.mu.Unlock()
	if !s.wait(r, a.Delay) {
		return
	}
	switch {
	case a.Hang:
		s.wait(r, time.Hour)
		return
	case a.Cut:
		panic(http.ErrAbortHandler)
	}
	if a.Status == 0 {
		if err := s.checkGrant(r); err != nil {
			a = InvalidGrant
		}
	}
	access := "ya29." + rand.Text()
	if a.Status == 0 {
		s.mu.Lock()
		s.issued[access] = time.Now().Add(life)
		s.mu.Unlock()
	}
	a.write(w, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, access, int(life/time.Second)))
}

// checkGrant verifies everything that Google documents of the grant.
func (s *Server) checkGrant(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if got := r.PostForm.Get("grant_type"); got != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return fmt.Errorf("grant type %q", got)
	}
	parts := strings.Split(r.PostForm.Get("assertion"), ".")
	if len(parts) != 3 {
		return errors.New("no JWT")
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err := errors.Join(err, decodePart(parts[0], &header), decodePart(parts[1], &claims)); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	now := time.Now().Unix()
	switch {
	case header.Alg != "RS256", header.Kid != "k1":
		return fmt.Errorf("header %v", header)
	case claims.Iss != Account, claims.Aud != s.http.URL+"/token", claims.Scope != sendingScope:
		return fmt.Errorf("claims %v", claims)
	case claims.Exp < now, claims.Exp > claims.Iat+3600, claims.Iat > now+60:
		return fmt.Errorf("times %v", claims)
	}
	return nil
}

func decodePart(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

package auth

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// A signed token is version, family, generation, the instant it was issued,
// and an HMAC over them. Its version says what it is good for.
//
// A refresh token is one. The token that follows it can be computed from it and
// from the record that says when it was used, so nothing secret is stored, and
// a phone that lost the answer gets the very same successor again.
const (
	refreshVersion = 1
	pageVersion    = 2 // a browser's session with the pages
	signedPart     = 1 + familyBytes + 4 + 8
	signedBytes    = signedPart + 32
)

// staffRetry is how long staff may ask again with a used token. Their networks
// are good, and their tokens are worth more than a participant's.
const staffRetry = 60 * time.Second

// generation counts a family's refresh tokens from 0.
type generation struct {
	n        uint32
	issuedAt study.Instant
}

func (a *Auth) refreshToken(family string, g generation) string {
	return a.signedToken(refreshVersion, family, g)
}

func (a *Auth) signedToken(version byte, family string, g generation) string {
	b := make([]byte, 0, signedBytes)
	b = append(b, version)
	b, _ = base64.RawURLEncoding.AppendDecode(b, []byte(family)) // we made it
	b = binary.BigEndian.AppendUint32(b, g.n)
	b = binary.BigEndian.AppendUint64(b, uint64(g.issuedAt))
	sum := mac(a.secrets.refresh, string(b))
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:]...))
}

// readRefreshToken says which family and generation a token is; ok means that
// it is ours.
func (a *Auth) readRefreshToken(token string) (family string, g generation, ok bool) {
	return a.readSigned(refreshVersion, token)
}

func (a *Auth) readSigned(version byte, token string) (family string, g generation, ok bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(signedBytes) {
		return "", generation{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != signedBytes || b[0] != version { // line breaks are skipped, so it may be shorter
		return "", generation{}, false
	}
	sum := mac(a.secrets.refresh, string(b[:signedPart]))
	if !hmac.Equal(sum[:], b[signedPart:]) {
		return "", generation{}, false
	}
	rest := b[1+familyBytes : signedPart]
	g = generation{n: binary.BigEndian.Uint32(rest), issuedAt: study.Instant(binary.BigEndian.Uint64(rest[4:]))}
	return base64.RawURLEncoding.EncodeToString(b[1 : 1+familyBytes]), g, true
}

// rotationKey is fixed in width, so that the keys sort as the numbers do.
func rotationKey(family string, n uint32) string { return fmt.Sprintf("%s/%010d", family, n) }

// Refresh exchanges a refresh token for a new pair. The same token again gives
// the same successor, as long as that one has not been used (staff: and within
// a minute). After that somebody else has a copy, and the whole family ends:
// nobody can tell which of the two is the thief. The address is kept only then.
// Guesses are not counted, because one costs us an HMAC and has 256 bits to hit.
func (a *Auth) Refresh(ctx context.Context, refreshToken, address string) (Session, error) {
	id, g, ok := a.readRefreshToken(refreshToken)
	if !ok {
		return Session{}, errSession()
	}
	f, alive, err := a.family(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if !alive || !a.now().Before(g.issuedAt.Time().Add(lifetimeOf(f.owner).sliding)) {
		return Session{}, errSession()
	}
	staff, err := a.accountOf(ctx, f.owner)
	if study.CodeOf(err) == study.Unauthenticated {
		// The account was disabled; should it be enabled again, old sessions stay dead.
		if err := a.end(ctx, f.id, f.owner, ending{Why: "the account may not sign in"}); err != nil {
			return Session{}, err
		}
	}
	if err != nil {
		return Session{}, err
	}
	next, reused, err := a.rotate(ctx, f, g)
	if err != nil {
		return Session{}, err
	}
	if reused {
		if err := a.end(ctx, f.id, f.owner, ending{Why: "a refresh token was used twice", Address: address}); err != nil {
			return Session{}, err
		}
		return Session{}, errSession()
	}
	return a.issue(ctx, f, next, staff)
}

// rotate marks a generation as used and gives the next one, or says that it
// had been used in a way that a lost answer does not explain.
func (a *Auth) rotate(ctx context.Context, f family, g generation) (next generation, reused bool, err error) {
	// The mark must outlive the token that it marks, which expires one sliding
	// lifetime after it was issued.
	r, err := a.record(kindRotation, rotationKey(f.id, g.n), f.id, lifetimeOf(f.owner).sliding+day, struct{}{})
	if err != nil {
		return next, false, err
	}
	first, err := a.insert(ctx, r)
	if err != nil {
		return next, false, err
	}
	if first {
		return generation{g.n + 1, study.InstantOf(r.At)}, false, nil
	}
	used, found, err := a.read(ctx, kindRotation, r.Key, nil)
	if err != nil {
		return next, false, err
	}
	_, successorUsed, err := a.read(ctx, kindRotation, rotationKey(f.id, g.n+1), nil)
	if err != nil {
		return next, false, err
	}
	tooLate := f.owner.Kind() != "participant" && a.now().Sub(used.At) > staffRetry
	if !found || successorUsed || tooLate {
		return next, true, nil
	}
	return generation{g.n + 1, study.InstantOf(used.At)}, false, nil
}

// current is the generation of a family that has not been used yet.
func (a *Auth) current(ctx context.Context, f family) (generation, error) {
	used, err := a.store.Records(ctx, kindRotation, f.id, time.Time{})
	if err != nil {
		return generation{}, storeError(err)
	}
	g := generation{0, study.InstantOf(f.startAt)}
	for _, r := range used {
		_, digits, _ := strings.Cut(r.Key, "/")
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return generation{}, fmt.Errorf("a rotation record of family %s cannot be read: %w", f.id, err)
		}
		if uint32(n) >= g.n {
			g = generation{uint32(n) + 1, study.InstantOf(r.At)}
		}
	}
	return g, nil
}

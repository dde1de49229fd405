package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"

	"epro/study"
)

// Cost is how much work one argon2id hash (RFC 9106) takes.
type Cost struct {
	MemoryKiB, Passes uint32
	Lanes             uint8
}

// DefaultCost is 64 MiB and three passes, the second choice of RFC 9106 (§4),
// but in one lane: several would make the time depend on the machine's cores.
var DefaultCost = Cost{MemoryKiB: 64 << 10, Passes: 3, Lanes: 1}

const (
	saltBytes = 16 // RFC 9106, §3.1
	hashBytes = 32
	// hashesAtOnce bounds the memory that people who sign in can take: 256 MiB
	// at the default cost.
	hashesAtOnce = 4
)

// passwords hashes passwords, a few at a time.
type passwords struct {
	cost   Cost
	random io.Reader
	slots  chan struct{}
}

func newPasswords(cost Cost, random io.Reader) *passwords {
	return &passwords{cost: cost, random: random, slots: make(chan struct{}, hashesAtOnce)}
}

// key does the work, when it is its turn.
func (p *passwords) key(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &study.Error{Code: study.Unavailable, Message: "Too many people sign in just now; try again in a moment.", Err: ctx.Err()}
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, c.Passes, c.MemoryKiB, c.Lanes, hashBytes), nil
}

// hash is the password's hash in PHC form:
// $argon2id$v=19$m=65536,t=3,p=1$salt$hash.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", &study.Error{Code: study.Unavailable, Message: "The system's source of random numbers failed; try again.", Err: err}
	}
	key, err := p.key(ctx, password, salt, p.cost)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.MemoryKiB, p.cost.Passes, p.cost.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// verify reports whether the password has the hash. Without a hash, as for an
// unknown account, it does the same work and says no.
func (p *passwords) verify(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		_, err := p.key(ctx, password, make([]byte, saltBytes), p.cost)
		return false, err
	}
	cost, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	got, err := p.key(ctx, password, salt, cost)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// parsePHC reads what hash wrote. A cost far beyond what anybody chooses is
// refused before it eats the memory.
func parsePHC(hash string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errPHC
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Lanes)
	if err != nil || c.MemoryKiB > 1<<20 || c.Passes == 0 || c.Passes > 100 || c.Lanes == 0 {
		return c, nil, nil, errPHC
	}
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(salt) < 8 || len(key) != hashBytes {
		return c, nil, nil, errPHC
	}
	return c, salt, key, nil
}

var errPHC = study.Fail(study.Internal, "A stored password hash cannot be read. Ask an administrator to reset this password.")

package auth

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"epro/study"
)

// CheckpointKey is the Ed25519 key that signs checkpoints, derived from the
// secret file, so that it is the same on every machine that has that file.
//
// Whoever holds the secret can sign anything. A signature therefore shows that
// a checkpoint was not touched by somebody without the secret, and a checkpoint
// protects against somebody with it only when it was kept where they cannot
// write.
func CheckpointKey(secret []byte) (ed25519.PrivateKey, error) {
	if len(secret) < minSecret {
		return nil, study.Fail(study.Invalid, "The secret must have at least 32 bytes.")
	}
	seed, err := hkdf.Key(sha256.New, secret, nil, "epro/auth/checkpoints/1", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// SignCheckpoints signs checkpoints with the key.
func SignCheckpoints(key ed25519.PrivateKey) study.Signer {
	return func(statement []byte) (study.Signature, error) {
		return study.Signature{Key: publicOf(key), Sum: ed25519.Sign(key, statement)}, nil
	}
}

// CheckCheckpoints believes what was signed with the private half of this key,
// and nothing else: the key that a checkpoint names proves nothing.
func CheckCheckpoints(public ed25519.PublicKey) study.SignatureCheck {
	return func(statement []byte, s study.Signature) error {
		switch {
		case !public.Equal(ed25519.PublicKey(s.Key)):
			return study.Fail(study.Invalid, "The checkpoint was signed with another key. Give the public key that was written beside it, if you trust where it comes from, or the secret file of that server.")
		case !ed25519.Verify(public, statement, s.Sum):
			return study.Fail(study.Invalid, "The checkpoint's signature is wrong: it was changed after it was signed.")
		}
		return nil
	}
}

// CheckpointKeyText is the public half as it is written beside checkpoints.
func CheckpointKeyText(key ed25519.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(publicOf(key)) + "\n"
}

// ParseCheckpointKey reads what CheckpointKeyText wrote.
func ParseCheckpointKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, study.Fail(study.Invalid, "The file holds no public key of checkpoints; it has one line of 44 characters.")
	}
	return key, nil
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

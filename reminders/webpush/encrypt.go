package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	saltBytes   = 16
	authBytes   = 16
	pointBytes  = 65 // an uncompressed point of P-256
	headerBytes = saltBytes + 4 + 1 + pointBytes
	// recordBytes is the one record's size, of which every push service takes
	// 4,096 bytes (RFC 8030, §7.2).
	recordBytes = 4096
	// maxPlain is what fits into it beside header, delimiter and tag.
	maxPlain = recordBytes - headerBytes - 1 - 16
	// padTo is what a text is filled up to, so that its length says nothing.
	// Padding to the full record costs some phones their battery and some
	// services refuse it.
	padTo = 1024
)

// encrypt makes the body of a push message: RFC 8291 with the one record of
// RFC 8188. The key is used once.
func encrypt(plain []byte, to subscription, key *ecdh.PrivateKey, salt [saltBytes]byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("%d bytes, at most %d fit", len(plain), maxPlain)
	}
	shared, err := key.ECDH(to.public)
	if err != nil {
		return nil, err
	}
	public := key.PublicKey().Bytes()
	content, nonce, err := contentKeys(shared, to.auth, to.public.Bytes(), public, salt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(content)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, recordBytes)
	out = append(out, salt[:]...)
	out = binary.BigEndian.AppendUint32(out, recordBytes)
	out = append(out, pointBytes)
	out = append(out, public...)
	padded := append(append(make([]byte, 0, max(len(plain)+1, padTo)), plain...), 2) // 2: the last record
	padded = padded[:max(len(padded), padTo)]
	return gcm.Seal(out, nonce, padded, nil), nil
}

// contentKeys are the key and the nonce of RFC 8291, §3.4, for either side.
func contentKeys(shared, auth, receiver, sender []byte, salt [saltBytes]byte) (content, nonce []byte, err error) {
	ikm, err := hkdf.Key(sha256.New, shared, auth, "WebPush: info\x00"+string(receiver)+string(sender), 32)
	if err != nil {
		return nil, nil, err
	}
	if content, err = hkdf.Key(sha256.New, ikm, salt[:], "Content-Encoding: aes128gcm\x00", 16); err != nil {
		return nil, nil, err
	}
	nonce, err = hkdf.Key(sha256.New, ikm, salt[:], "Content-Encoding: nonce\x00", 12)
	return content, nonce, err
}

// seal encrypts with a fresh key and salt.
func seal(plain []byte, to subscription, random io.Reader) ([]byte, error) {
	var salt [saltBytes]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return nil, err
	}
	key, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return nil, err
	}
	return encrypt(plain, to, key, salt)
}

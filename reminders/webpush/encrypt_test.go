package webpush

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"
)

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291, appendix A: keys, nonce and the header's bytes.
func TestTheStandardsExampleGivesItsKeys(t *testing.T) {
	sender, err := ecdh.P256().NewPrivateKey(unbase64(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := ecdh.P256().NewPrivateKey(unbase64(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	auth, salt := unbase64(t, "BTBZMqHH6r4Tts7J_aSIgg"), [saltBytes]byte(unbase64(t, "DGv6ra1nlYgDCS1FRnbzlw"))
	shared, err := sender.ECDH(receiver.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(shared); got != "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs" {
		t.Errorf("shared secret %s", got)
	}
	key, nonce, err := contentKeys(shared, auth, receiver.PublicKey().Bytes(), sender.PublicKey().Bytes(), salt)
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(key); got != "oIhVW04MRdy2XN9CiKLxTg" {
		t.Errorf("content encryption key %s", got)
	}
	if got := base64.RawURLEncoding.EncodeToString(nonce); got != "4h_95klXJ5E_qnoN" {
		t.Errorf("nonce %s", got)
	}
	body, err := encrypt([]byte("When I grow up, I want to be a watermelon"), subscription{public: receiver.PublicKey(), auth: auth}, sender, salt)
	if err != nil {
		t.Fatal(err)
	}
	want := unbase64(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if !bytes.HasPrefix(body, want[:headerBytes]) {
		t.Errorf("header %x", body[:headerBytes])
	}
	// GCM's counter mode gives the same first bytes whatever is filled up behind.
	const text = 41 + 1 // with the delimiter
	if !bytes.Equal(body[headerBytes:headerBytes+text], want[headerBytes:headerBytes+text]) {
		t.Errorf("text %x", body[headerBytes:headerBytes+text])
	}
	if got, err := (browser{receiver, auth}).open(want); err != nil || string(got) != "When I grow up, I want to be a watermelon" {
		t.Errorf("the standard's own message: %q, %v", got, err)
	}
}

func TestWhatIsSealedOpensAndFitsIntoOneRecord(t *testing.T) {
	b := newBrowser(t)
	s, err := parseSubscription(b.subscription("https://fcm.googleapis.com/x"), DefaultHosts())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, maxPlain).Draw(t, "plain")
		body, err := seal(plain, s, randomOf(t))
		if err != nil || len(body) > recordBytes {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
		if got, err := b.open(body); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %q, %v", got, err)
		}
	})
	if _, err := seal(make([]byte, maxPlain+1), s, bytes.NewReader(make([]byte, 64))); err == nil {
		t.Error("a byte too much was taken")
	}
}

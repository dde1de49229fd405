package auth

import (
	"bytes"
	"strings"
	"testing"

	"epro/study"
)

// The key may never change for the same secret: checkpoints are kept for years.
func TestTheKeyOfCheckpointsIsDecidedByTheSecret(t *testing.T) {
	key, err := CheckpointKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if text := CheckpointKeyText(key); text != "CUJyAVeBKbGeQeqIgYgxUHD3YP+Ni1S0UxspYeIJYTU=\n" {
		t.Errorf("the key is %q", text)
	}
	other, err := CheckpointKey(bytes.Repeat([]byte{8}, 32))
	if err != nil || other.Equal(key) {
		t.Errorf("two secrets give one key: %v", err)
	}
	if _, err := CheckpointKey(make([]byte, 31)); study.CodeOf(err) != study.Invalid {
		t.Errorf("a short secret: %v", err)
	}
}

func TestOnlyTheKeysOwnSignatureIsBelieved(t *testing.T) {
	key, err := CheckpointKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParseCheckpointKey(CheckpointKeyText(key))
	if err != nil {
		t.Fatal(err)
	}
	statement := []byte("root 1")
	signed, err := SignCheckpoints(key)(statement)
	if err != nil {
		t.Fatal(err)
	}
	check := CheckCheckpoints(public)
	if err := check(statement, signed); err != nil {
		t.Error(err)
	}
	if err := check([]byte("root 2"), signed); err == nil || !strings.Contains(err.Error(), "changed after it was signed") {
		t.Errorf("another statement: %v", err)
	}
	otherKey, err := CheckpointKey(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	forged, err := SignCheckpoints(otherKey)(statement)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(statement, forged); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("another key: %v", err)
	}
	forged.Key = signed.Key
	if err := check(statement, forged); err == nil {
		t.Error("another key under this one's name is believed")
	}
	for _, text := range []string{"", "x", CheckpointKeyText(key) + "x"} {
		if _, err := ParseCheckpointKey(text); study.CodeOf(err) != study.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

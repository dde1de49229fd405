package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"epro/study"
)

// minSecret is the least number of bytes in a secret: as many as the keys that
// are derived from it have.
const minSecret = 32

// maxSecretFile bounds what is read of a file that may be the wrong one.
const maxSecretFile = 4096

// LoadSecret reads the secret file, or makes it with 32 random bytes as
// hexadecimal digits, readable by its owner only. It refuses a file that
// others may write. Others may read it: that is how container platforms hand
// secrets out, to a machine that nobody else is on.
func LoadSecret(path string, random io.Reader) ([]byte, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeSecret(path, random); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, secretError(err, "The secret file %q cannot be made; check that its folder may be written.", path)
	}
	return readSecret(path) // another process may have been first
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, secretError(err, "The secret file %q cannot be read; check its name and permissions.", path)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		return nil, secretError(err, "The secret file %q is no ordinary file; name a file.", path)
	case info.Mode().Perm()&0o022 != 0:
		return nil, secretError(nil, "The secret file %q may be written by others; take that right away with: chmod go-w.", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return nil, secretError(err, "The secret file %q cannot be read; check the disk.", path)
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) < minSecret {
		// The cause is not kept: it would quote the file.
		return nil, secretError(nil, "The secret file %q must hold at least 64 hexadecimal digits and nothing else; make one with: openssl rand -hex 32.", path)
	}
	return secret, nil
}

// makeSecret writes the file under another name and then links it, which
// fails when the name is taken: no other process ever reads half a secret, and
// none is replaced.
func makeSecret(path string, random io.Reader) error {
	secret := make([]byte, minSecret)
	if _, err := io.ReadFull(random, secret); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".secret-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the new name durable: sessions and codes depend on it.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	_ = f.Sync() // where folders cannot be synced, their names need not be
	return f.Close()
}

func secretError(err error, sentence, path string) error {
	return &study.Error{Code: study.Unavailable, Message: fmt.Sprintf(sentence, path), Err: err}
}

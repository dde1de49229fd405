package auth

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"epro/study"
)

func TestTheSecretFileIsMadeOnceForItsOwnerOnly(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "new", "secret")
	var wg sync.WaitGroup
	secrets := make([][]byte, 8)
	for i := range secrets {
		wg.Go(func() {
			var err error
			if secrets[i], err = LoadSecret(path, w.random); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, s := range secrets {
		if len(s) != 32 || !bytes.Equal(s, secrets[0]) {
			t.Fatal("two processes got different secrets")
		}
	}
	info, err := os.Stat(path)
	w.must(err)
	if info.Mode().Perm() != 0o600 || info.Size() != 65 {
		t.Errorf("mode %v, %d bytes", info.Mode(), info.Size())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	w.must(err)
	if len(left) != 1 {
		t.Errorf("%d files were left", len(left))
	}
}

func TestASecretFileThatCannotBeTrustedIsRefused(t *testing.T) {
	w := newWorld(t)
	good := strings.Repeat("0123456789abcdef", 4)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {good + "\n", 0o644, ""},
		"longer":             {good + good, 0o400, ""},
		"group may write":    {good, 0o660, "chmod go-w"},
		"others may write":   {good, 0o602, "chmod go-w"},
		"empty":              {"", 0o600, "openssl"},
		"short":              {good[:62], 0o600, "openssl"},
		"no hexadecimal":     {strings.Repeat("secret pass word", 4), 0o600, "openssl"},
		"half a digit":       {good + "a", 0o600, "openssl"},
	} {
		path := filepath.Join(t.TempDir(), "secret")
		w.must(os.WriteFile(path, []byte(c.text), 0o600))
		w.must(os.Chmod(path, c.mode))
		_, err := LoadSecret(path, w.random)
		switch {
		case c.want == "":
			w.must(err)
		case study.CodeOf(err) != study.Unavailable || !strings.Contains(message(err), c.want):
			t.Errorf("%s: %v", name, err)
		case c.text != "" && strings.Contains(err.Error(), c.text[:16]):
			t.Errorf("%s: the error shows the secret", name)
		}
	}
	_, err := LoadSecret(t.TempDir(), w.random)
	w.refused(err, study.Unavailable)
}

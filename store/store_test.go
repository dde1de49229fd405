package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"epro/store"
	"epro/study"
)

func TestAFileIsOpenedByItsPath(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "data", "epro.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAURLThatIsNotUnderstoodIsAnsweredWithWhatIs(t *testing.T) {
	for url, words := range map[string]string{
		"":                                  "sqlite:PATH",
		"epro.db":                           "sqlite:PATH",
		"postgres://user:secret@host/study": "sqlite:PATH",
		"SQLITE:epro.db":                    "sqlite:PATH",
		"sqlite:":                           "names no file",
		"sqlite://data/epro.db":             "right behind the colon",
		"sqlite::memory:":                   "lost with the program",
		"mongodb://user:secret@host/study":  "no MongoDB store yet",
		"mongodb+srv://user:secret@host":    "no MongoDB store yet",
	} {
		s, err := store.Open(t.Context(), url)
		var coded *study.Error
		if !errors.As(err, &coded) || coded.Code != study.Invalid || !strings.Contains(coded.Message, words) {
			t.Errorf("%s is answered with %v", url, err)
		}
		if s != nil {
			t.Errorf("%s gave a store besides its error", url)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %v", err)
		}
	}
}

func TestAStoreThatCannotBeOpenedIsNil(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir())
	if err == nil || s != nil {
		t.Errorf("a folder gave the store %v and the error %v", s, err)
	}
}

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
		"mongodb:user:secret@host":          "mongodb://USER:PASSWORD@HOST/DATABASE",
		"mongodb://user:secret@":            "mongodb://USER:PASSWORD@HOST/DATABASE",
		"mongodb://user:secr%et@host/study": "mongodb://USER:PASSWORD@HOST/DATABASE",
		"mongodb://user:secret@host/a.b":    "a character that MongoDB does not allow",
		"mongodb+srv://user:secret@a:b@c/d": "mongodb://USER:PASSWORD@HOST/DATABASE",
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

// Nothing listens on port 1; whoever waits for it does so for as long as the
// URL says.
func TestAMongoDBThatIsNotThereIsUnavailable(t *testing.T) {
	s, err := store.Open(t.Context(), "mongodb://user:secret@127.0.0.1:1/study?serverSelectionTimeoutMS=20")
	if study.CodeOf(err) != study.Unavailable || errors.Is(err, study.ErrNotFound) || s != nil {
		t.Errorf("a server that is not there gave the store %v and the error %v", s, err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the password is in %v", err)
	}
}

func TestAStoreThatCannotBeOpenedIsNil(t *testing.T) {
	s, err := store.Open(t.Context(), "sqlite:"+t.TempDir())
	if err == nil || s != nil {
		t.Errorf("a folder gave the store %v and the error %v", s, err)
	}
}

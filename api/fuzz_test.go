package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"epro/internal/testkit"
)

// FuzzSubmissionBody sends anything at all as a form: it is never a fault of
// ours, it is stored only when the answer is 2xx, and an error never repeats it.
func FuzzSubmissionBody(f *testing.F) {
	s := start(f, testkit.Store(f))
	s.baseline()
	p, token := s.phone(f, "001")
	good, err := json.Marshal(s.sheet(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, w := range wrongForms(s.Clock.Now()) {
		switch body := w.body.(type) {
		case string:
			f.Add([]byte(body))
		case []byte:
			f.Add(body)
		default:
			raw, err := json.Marshal(body)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s.Clock.Set(testkit.Cycle1.UTC().Add(time.Hour)) // whoever fuzzes for an hour would lose the session
		before := s.formsOf(t, p)
		got := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, body)
		stored := s.formsOf(t, p) - before
		switch {
		case got.status >= 500:
			t.Fatalf("%d %s", got.status, got.body)
		case got.status == 201 || got.status == 202:
			if stored != 1 {
				t.Fatalf("%d: %d forms stored", got.status, stored)
			}
			p, token = s.phone(t, s.NewID()[:32]) // whose visit is free for the next body
		case stored != 0:
			t.Fatalf("%d: %d forms stored", got.status, stored)
		}
	})
}

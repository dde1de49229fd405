package auth

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func published(t *testing.T, a *Auth) []string {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(a.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range set.Keys {
		if len(k) != 6 || k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["alg"] != "EdDSA" || k["use"] != "sig" || len(k["x"]) != 43 {
			t.Errorf("got %v", k)
		}
		ids = append(ids, k["kid"])
	}
	return ids
}

func TestProcessesThatStartAtOnceAgreeOnOneKey(t *testing.T) {
	w := newWorld(t)
	records, err := w.store.Records(t.Context(), kindSigningKey, "", time.Time{})
	w.must(err)
	for _, r := range records {
		w.must(w.store.DeleteRecord(t.Context(), r.Kind, r.Key))
	}
	var wg sync.WaitGroup
	all := make([]*Auth, 8)
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = w.tryProcess(w.store, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range all {
		if ids := published(t, a); len(ids) != 1 || ids[0] != published(t, all[0])[0] {
			t.Errorf("got %v", ids)
		}
	}
}

// The life of a key: published, then signing, then kept for its last tokens.
func TestAKeyIsPublishedBeforeItSignsAndAfterItSigned(t *testing.T) {
	w := newWorld(t)
	other := w.process(w.store, Options{})
	id := w.participant()
	kidOf := func(a *Auth) string {
		next, err := a.begin(t.Context(), w.newID(), id.Stream(), "")
		w.must(err)
		s, err := a.issue(t.Context(), next, generation{}, nil)
		w.must(err)
		for _, verifier := range []*Auth{w.Auth, other} {
			w.works(verifier, s, true)
		}
		kid, _ := keyOf(s.AccessToken)
		return kid
	}
	old := kidOf(w.Auth)
	w.must(w.Rotate(t.Context()))
	ids := published(t, w.Auth)
	if len(ids) != 2 || ids[0] != old {
		t.Fatalf("published are %v", ids)
	}
	if len(published(t, other)) != 1 {
		t.Error("the other process re-reads its keys all the time")
	}
	w.clock.pass(5 * time.Minute)
	if len(published(t, other)) != 2 {
		t.Error("after five minutes the other process does not know the new key")
	}
	w.clock.pass(5*time.Minute - time.Millisecond)
	if kidOf(w.Auth) != old || kidOf(other) != old {
		t.Error("the new key signs too early")
	}
	last := w.phone(id)
	w.clock.pass(time.Millisecond)
	if kidOf(w.Auth) != ids[1] || kidOf(other) != ids[1] {
		t.Error("the new key does not sign")
	}
	w.clock.pass(10*time.Minute + leeway - time.Second - time.Millisecond)
	w.works(other, last, true) // the last token of the old key, to its end (tokens count whole seconds)
	w.clock.pass(time.Second + time.Millisecond)
	if ids := published(t, other); len(ids) != 1 || ids[0] == old {
		t.Errorf("published are %v", ids)
	}
	w.works(w.Auth, last, false)
}

func TestAnUnknownKeyIsLookedForButNotAtEveryRequest(t *testing.T) {
	w := newWorld(t)
	counted := &failing{Store: w.store}
	idle := w.process(counted, Options{})
	w.must(w.Rotate(t.Context()))
	w.clock.pass(publishFirst)
	s := w.phone(w.participant())
	w.must(second(idle.keys(t.Context(), 0)))
	idle.keyring.set = idle.keyring.set[:1] // it missed the rotation
	w.works(idle, s, false)
	w.clock.pass(rereadForUnknown)
	w.works(idle, s, true)
	f := w.forger()
	unknown := forge(strings.Replace(f.header(), f.kid, "unknown", 1), f.claims(), f.private)
	before := counted.count()
	for range 100 {
		_, err := idle.Verify(t.Context(), unknown)
		w.refused(err, study.Unauthenticated)
	}
	if n := counted.count() - before; n > 1 {
		t.Errorf("a hundred unknown keys cost %d readings", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestTwoRotationsAtOnceMakeOneKey(t *testing.T) {
	w := newWorld(t)
	other := w.process(w.store, Options{})
	w.must(w.makeKey(t.Context(), 2))
	w.must(other.makeKey(t.Context(), 2))
	w.must(second(w.keys(t.Context(), 0)))
	if ids := published(t, w.Auth); len(ids) != 2 {
		t.Errorf("published are %v", ids)
	}
}

func TestAnotherSecretDoesNotFitTheStore(t *testing.T) {
	w := newWorld(t)
	_, err := w.tryProcess(w.store, Options{Secret: []byte(strings.Repeat("x", 32))})
	w.refused(err, study.Unavailable)
	if !strings.Contains(message(err), "secret file does not fit this store") {
		t.Error(err)
	}
	_, err = w.tryProcess(w.store, Options{Secret: []byte("short")})
	w.refused(err, study.Invalid)
}

func TestASealedKeyCannotPassForAnother(t *testing.T) {
	w := newWorld(t)
	w.must(w.Rotate(t.Context()))
	one, _, err := w.read(t.Context(), kindSigningKey, "1", nil)
	w.must(err)
	one.Key = "2"
	w.must(w.store.PutRecord(t.Context(), one))
	_, err = w.tryProcess(w.store, Options{})
	w.refused(err, study.Unavailable)
}

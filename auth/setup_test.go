package auth

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/study"
)

func (w *world) setupLink() string {
	w.t.Helper()
	token, err := w.SetupToken(w.t.Context())
	w.must(err)
	return token
}

func TestTheSetupLinkMakesTheFirstAdministratorOnce(t *testing.T) {
	w := newWorld(t)
	token := w.setupLink()
	other, err := w.process(w.store, Options{}).SetupToken(t.Context())
	w.must(err)
	if token == "" || token != other {
		t.Fatalf("the link is %q, and %q in another process", token, other)
	}
	admin, err := w.Setup(t.Context(), token, "Root", goodPassword, "192.0.2.1")
	w.must(err)
	if admin.Role != study.RoleAdmin {
		t.Errorf("got %+v", admin)
	}
	_, err = w.login("root", goodPassword)
	w.must(err)
	if token := w.setupLink(); token != "" {
		t.Error("the link is still offered")
	}
	again, err := w.Setup(t.Context(), token, "root", goodPassword, "")
	w.must(err)
	if again.ID != admin.ID {
		t.Error("a repetition made another account")
	}
	for _, try := range [][2]string{{"root", goodPassword + "!"}, {"second", goodPassword}} {
		_, err := w.Setup(t.Context(), token, try[0], try[1], "")
		w.refused(err, study.Unauthenticated)
	}
	staff, err := w.study.AllStaff(t.Context(), w.admin)
	w.must(err)
	if len(staff) != 1 {
		t.Errorf("%d accounts", len(staff))
	}
}

func TestTheSetupLinkDiesWithTheFirstAccount(t *testing.T) {
	w := newWorld(t)
	token := w.setupLink()
	w.account("command", study.RoleAnalyst)
	if w.setupLink() != "" {
		t.Error("the link is still offered")
	}
	_, err := w.Setup(t.Context(), token, "root", goodPassword, "")
	w.refused(err, study.Unauthenticated)
}

func TestAWrongLinkIsRefusedAndCounted(t *testing.T) {
	w := newWorld(t)
	_, err := w.Setup(t.Context(), "", "root", goodPassword, "192.0.2.1") // there is none yet
	w.refused(err, study.Unauthenticated)
	token := w.setupLink()
	for n := range 29 {
		_, err := w.Setup(t.Context(), strings.Repeat("x", n), "root", goodPassword, "192.0.2.1")
		w.refused(err, study.Unauthenticated)
	}
	_, err = w.Setup(t.Context(), token, "root", goodPassword, "192.0.2.1")
	if wait := waitOf(t, err); wait != 15*time.Minute {
		t.Errorf("it has to wait %v", wait)
	}
}

func TestABadNameOrPasswordDoesNotUseTheLinkUp(t *testing.T) {
	w := newWorld(t)
	token := w.setupLink()
	for _, try := range [][2]string{{"", goodPassword}, {"no spaces", goodPassword}, {"root", "short"}, {"root", "the root of all passwords"}} {
		_, err := w.Setup(t.Context(), token, try[0], try[1], "")
		w.refused(err, study.Invalid)
	}
	_, err := w.Setup(t.Context(), token, "other", goodPassword, "")
	w.must(err)
}

func TestOneOfManyBecomesTheFirstAdministrator(t *testing.T) {
	w := newWorld(t)
	token := w.setupLink()
	other := w.process(w.store, Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 12 {
		wg.Go(func() {
			_, err := []*Auth{w.Auth, other}[i%2].Setup(t.Context(), token, fmt.Sprintf("root%d", i), goodPassword, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if study.CodeOf(err) != study.Unauthenticated {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	staff, err := w.study.AllStaff(t.Context(), w.admin)
	w.must(err)
	if won != 1 || len(staff) != 1 {
		t.Errorf("%d won, %d accounts", won, len(staff))
	}
}

func TestUserNamesFollowStudysRule(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"", "a", "ab", "a b", " ab", ".ab", "a.b_c-d@e", "é12", "a\n", "A1", strings.Repeat("a", 64), strings.Repeat("a", 65), "-ab", "a/b"} {
		_, err := w.study.CreateStaff(t.Context(), w.by(w.admin), study.CreateStaff{Username: name, Rights: study.Rights{Role: study.RoleAnalyst}})
		if theirs, ours := study.CodeOf(err) == study.Invalid, checkUsername(name) != nil; theirs != ours {
			t.Errorf("%q: refused by study %v, by us %v", name, theirs, ours)
		}
	}
}

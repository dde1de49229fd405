package auth

import (
	"sync"
	"testing"

	"epro/store/mongo/mongotest"
	"epro/study"
)

// A clinic's phones share one address. Attempts count as failures until they
// have gone well, which must not make a crowd of right codes look like an attack.
func TestManyRightCodesAtOnceFromOneAddressAllPass(t *testing.T) {
	w := newWorld(t)
	crowd := 64
	if mongotest.Wanted() {
		crowd = 40 // the stand-in for MongoDB reads whole collections; more than 30 are what matters
	}
	codes := make([]string, crowd)
	for i := range codes {
		codes[i] = w.code(w.participant(), false)
	}
	errs := make([]error, len(codes))
	var wg sync.WaitGroup
	for i, code := range codes {
		wg.Go(func() { _, errs[i] = w.Enrol(t.Context(), Enrolment{Code: code, Address: "192.0.2.1"}) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("phone %d: %v", i, err)
		}
	}
}

func TestManyRightPasswordsAtOnceAllPass(t *testing.T) {
	w := newWorld(t)
	_, password, err := w.CreateStaff(t.Context(), study.Request{By: study.System("test")},
		study.CreateStaff{Username: "crowd", Rights: study.Rights{Role: study.RoleAnalyst}}, "")
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 32)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = w.Login(t.Context(), Credentials{Username: "crowd", Password: password, Address: "192.0.2.1"})
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
	}
}

package api_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"epro/internal/testkit"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// rounds is how often a race is run: often enough to meet it in CI, and a
// thousand times in the campaign. The stand-in for MongoDB reads its whole
// collections, so that each round takes longer than the one before.
func rounds(ci int) int {
	if mongotest.Wanted() {
		ci /= 5
	}
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		return 1000
	}
	return ci
}

// atOnce lets go of all requests at the same moment.
func atOnce(t testing.TB, n int, ask func(i int) (reply, error)) []reply {
	t.Helper()
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	got, errs := make([]reply, n), make([]error, n)
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			got[i], errs[i] = ask(i)
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func statuses(got []reply) []int {
	var out []int
	for _, r := range got {
		out = append(out, r.status)
	}
	slices.Sort(out)
	return out
}

// formsOf are the forms in a participant's stream.
func (s *server) formsOf(t testing.TB, p *study.Participant) int {
	t.Helper()
	entries, err := s.Store.Stream(t.Context(), p.ID.Stream(), 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if e.Type == "submission_received" {
			n++
		}
	}
	return n
}

func TestCampaignTwoFormsForOneAssessmentAtOnce(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	for i := range rounds(50) {
		p, token := s.phone(t, fmt.Sprintf("%04d", i))
		ids := []string{s.NewID(), s.NewID()}
		got := atOnce(t, 2, func(j int) (reply, error) {
			return s.try("PUT", formAt(p, "C1D1", ids[j]), token, s.sheet(uint64(j)))
		})
		if fmt.Sprint(statuses(got)) != "[201 409]" {
			t.Fatalf("round %d: %v\n%s\n%s", i, statuses(got), got[0].body, got[1].body)
		}
		for _, r := range got {
			if r.status == 409 {
				r.refused(t, 409, study.AlreadySubmitted)
			}
		}
		if n := s.formsOf(t, p); n != 1 {
			t.Fatalf("round %d: %d forms in the record", i, n)
		}
		for j, r := range got { // the one that was told 201 is the one that stays
			if r.status == 201 && s.call(t, "PUT", formAt(p, "C1D1", ids[j]), token, s.sheet(uint64(j))).status != 200 {
				t.Fatalf("round %d: the receipt was for another form", i)
			}
		}
	}
}

func TestCampaignTheSameFormTwiceAtOnce(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	for i := range rounds(50) {
		p, token := s.phone(t, fmt.Sprintf("%04d", i))
		id, form := s.NewID(), s.sheet(uint64(i))
		got := atOnce(t, 2, func(int) (reply, error) { return s.try("PUT", formAt(p, "C1D1", id), token, form) })
		if fmt.Sprint(statuses(got)) != "[200 201]" || string(got[0].body) != string(got[1].body) {
			t.Fatalf("round %d: %v\n%s\n%s", i, statuses(got), got[0].body, got[1].body)
		}
		if n := s.formsOf(t, p); n != 1 {
			t.Fatalf("round %d: %d forms in the record", i, n)
		}
	}
}

// One id with two contents: one is stored, the other is told that it is not.
func TestCampaignOneIDWithTwoContentsAtOnce(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	for i := range rounds(20) {
		p, token := s.phone(t, fmt.Sprintf("%04d", i))
		id := s.NewID()
		got := atOnce(t, 2, func(j int) (reply, error) {
			return s.try("PUT", formAt(p, "C1D1", id), token, s.sheet(uint64(j)))
		})
		if fmt.Sprint(statuses(got)) != "[201 409]" || s.formsOf(t, p) != 1 {
			t.Fatalf("round %d: %v\n%s\n%s", i, statuses(got), got[0].body, got[1].body)
		}
	}
}

// Many at once: nobody is told "too many changes", for all but one are answered
// from what the first one wrote.
func TestManyFormsForOneAssessmentAtOnce(t *testing.T) {
	s := start(t, testkit.Store(t))
	s.baseline()
	p, token := s.phone(t, "001")
	got := atOnce(t, 32, func(j int) (reply, error) {
		return s.try("PUT", formAt(p, "C1D1", fmt.Sprintf("00000000-0000-4000-8000-%012d", j)), token, s.sheet(uint64(j)))
	})
	counts := map[int]int{}
	for _, r := range got {
		counts[r.status]++
	}
	if counts[201] != 1 || counts[409] != 31 || s.formsOf(t, p) != 1 {
		t.Errorf("%v", counts)
	}
}

package simulate_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"epro/instruments/factb"
	"epro/internal/simulate"
	"epro/store/sqlite"
	"epro/study"
)

// now is noon of a Tuesday in Shanghai.
var now = time.Date(2026, 3, 17, 4, 0, 0, 0, time.UTC)

func openStore(t testing.TB) study.Store {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "epro.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t testing.TB, store study.Store, n int, seed uint64, now time.Time) simulate.Result {
	t.Helper()
	r, err := simulate.Run(context.Background(), simulate.Options{Store: store, Participants: n, Seed: seed, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// log is every entry of a store, in order.
func log(t *testing.T, store study.Store) []study.Entry {
	t.Helper()
	var all []study.Entry
	for n, err := range store.Entries(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// people are all participants, folded from the log.
func people(t *testing.T, store study.Store) []*study.Participant {
	t.Helper()
	svc := study.NewService(store, func() time.Time { return now }, func() string { return "unused" })
	var all []*study.Participant
	err := svc.PeopleAt(context.Background(), study.System("test"), time.Time{}, func(p *study.Participant) error {
		all = append(all, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	one, two, three := openStore(t), openStore(t), openStore(t)
	a := run(t, one, 20, 7, now)
	b := run(t, two, 20, 7, now.Add(11*time.Hour)) // the same date in Shanghai
	run(t, three, 20, 8, now)
	same := func(a, b study.Entry) bool { return a.Stream == b.Stream && bytes.Equal(a.Bytes, b.Bytes) }
	if first := log(t, one); !slices.EqualFunc(first, log(t, two), same) {
		t.Error("the same seed and date gave other entries")
	} else if slices.EqualFunc(first, log(t, three), same) {
		t.Error("another seed gave the same entries")
	}
	if !slices.Equal(a.Fresh, b.Fresh) || a.Counts != b.Counts {
		t.Errorf("%+v, then %+v", a, b)
	}
}

func TestASimulatedStoreVerifies(t *testing.T) {
	store := openStore(t)
	r := run(t, store, 24, 3, now)
	svc := study.NewService(store, func() time.Time { return now }, func() string { return "unused" })
	report, err := svc.Verify(context.Background())
	if err != nil || len(report.Faults) > 0 || report.Participants != 24 || report.Forms != r.Counts.Forms || report.Snapshots != 24 {
		t.Errorf("%+v, %v", report, err)
	}
	st, err := svc.Study(context.Background())
	if err != nil || !st.Simulated {
		t.Errorf("the store is not marked as simulated: %v", err)
	}
}

func TestThePromisedStoriesHappen(t *testing.T) {
	for _, n := range []int{12, 16, 48} {
		c := run(t, openStore(t), n, uint64(n), now).Counts
		if c.Withdrawn != 2 || c.Died != 1 {
			t.Errorf("%d participants: %d withdrew, %d died", n, c.Withdrawn, c.Died)
		}
		if n == 48 && (c.Held != 2 || c.Voided != 1) {
			t.Errorf("%d held, %d voided", c.Held, c.Voided)
		}
	}
}

func TestEightAreFreshOnBothSites(t *testing.T) {
	for _, n := range []int{12, 30} {
		store := openStore(t)
		r := run(t, store, n, 5, now)
		bySite := map[study.SiteCode]int{}
		for _, p := range people(t, store) {
			if !slices.Contains(r.Fresh, p.ID) {
				if p.Access == study.AccessPhone && p.BoundAt.IsZero() {
					t.Errorf("%s has no phone and is not fresh", p.Number)
				}
				continue
			}
			bySite[p.Site]++
			for _, at := range []time.Time{now.Add(-4 * time.Hour), now, now.Add(19 * time.Hour)} { // midnight to midnight in Shanghai
				count := map[study.AssessmentStatus]int{}
				for i := range p.Assessments {
					count[p.AssessmentStatus(&p.Assessments[i], at)]++
				}
				if count[study.Open] != 1 || count[study.Upcoming] == 0 || p.Code != nil || p.Status(at) != study.StatusEnrolled {
					t.Errorf("%s at %s: %v, %s", p.Number, at, count, p.Status(at))
				}
			}
		}
		if len(r.Fresh) != 8 || bySite["S01"] != 4 || bySite["S02"] != 4 {
			t.Errorf("%d participants: fresh %d, by site %v", n, len(r.Fresh), bySite)
		}
	}
}

func TestNothingIsRecordedToday(t *testing.T) {
	store := openStore(t)
	run(t, store, 16, 2, now)
	midnight := time.Date(2026, 3, 16, 16, 0, 0, 0, time.UTC)
	for _, n := range log(t, store) {
		if !n.At.Before(midnight) {
			t.Errorf("%s %d %s is of %s", n.Stream, n.Seq, n.Type, n.At)
		}
	}
}

// figures are what a reader would look at first.
type figures struct {
	answered, completed, missed, coded int
	kinds                              map[string]int
	factb                              float64
	reversed, plain                    float64 // mean answer
}

func figuresOf(t *testing.T, all []*study.Participant) figures {
	f := figures{kinds: map[string]int{}}
	var reversed, plain []int
	for _, p := range all {
		f.kinds[string(p.Status(now))]++
		for _, c := range p.Cycles {
			f.kinds[string(c.Kind)]++
		}
		for i := range p.Assessments {
			a := &p.Assessments[i]
			switch p.AssessmentStatus(a, now) {
			case study.Completed:
				f.completed++
			case study.Missed:
				f.missed++
				if a.NotDone != nil {
					f.coded++
				}
			}
			for j := range a.Submissions {
				s := &a.Submissions[j]
				scores, err := s.Scores(nil)
				if err != nil {
					t.Fatal(err)
				}
				f.answered++
				f.factb += scores[7].Value
				f.kinds[string(s.Mode)]++
				f.kinds["revision "+string(rune('0'+s.Revision))]++
				for _, flag := range s.Flags {
					f.kinds[string(flag)]++
				}
				for k, v := range s.Answers {
					switch {
					case !v.Answered():
						f.kinds[map[bool]string{true: "opt_out", false: "skipped"}[v == -3]]++
					case factb.FACTB.Items[k].Reversed:
						reversed = append(reversed, int(v))
					default:
						plain = append(plain, int(v))
					}
				}
			}
		}
	}
	f.factb /= float64(f.answered)
	f.reversed, f.plain = mean(reversed), mean(plain)
	return f
}

func mean(values []int) float64 {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return float64(sum) / float64(len(values))
}

func TestTheYearIsBelievable(t *testing.T) {
	store := openStore(t)
	run(t, store, 48, 1, now)
	f := figuresOf(t, people(t, store))
	if rate := float64(f.completed) / float64(f.completed+f.missed); rate < 0.82 || rate > 0.95 {
		t.Errorf("completed %d of %d", f.completed, f.completed+f.missed)
	}
	if part := float64(f.coded) / float64(f.missed); part < 0.45 || part > 0.9 {
		t.Errorf("%d of %d missed visits have a reason", f.coded, f.missed)
	}
	if f.factb < 85 || f.factb > 120 {
		t.Errorf("mean FACT-B %.1f", f.factb)
	}
	// Who is fairly well answers low where an item asks about a trouble.
	if f.reversed > 1.7 || f.plain < 2.2 {
		t.Errorf("mean answer %.2f to reverse-scored items, %.2f to others", f.reversed, f.plain)
	}
	for _, kind := range []string{"completed", "active", "enrolled", "withdrawn", "deceased", "given", "not_given", "planned",
		"self_app", "paper_transcribed", "interview", "revision 2", "late_arrival", "time_uncertain", "opt_out", "skipped"} {
		if f.kinds[kind] == 0 {
			t.Errorf("there is no %s", kind)
		}
	}
}

func TestARealStudyIsRefused(t *testing.T) {
	store := openStore(t)
	ids := 0
	svc := study.NewService(store, func() time.Time { return now }, func() string { ids++; return string(rune('a' + ids)) })
	if _, err := svc.Adopt(context.Background(), study.Request{By: study.System("test")}, study.DefaultProtocolText(), 0, false); err != nil {
		t.Fatal(err)
	}
	_, err := simulate.Run(context.Background(), simulate.Options{Store: store, Participants: 2, Now: now})
	if study.CodeOf(err) != study.Conflict || len(log(t, store)) != 1 {
		t.Errorf("got %v, and %d entries", err, len(log(t, store)))
	}
}

func TestAnyParticipantIsRefused(t *testing.T) {
	store := openStore(t)
	run(t, store, 1, 1, now)
	before := len(log(t, store))
	_, err := simulate.Run(context.Background(), simulate.Options{Store: store, Participants: 2, Now: now})
	if study.CodeOf(err) != study.Conflict || len(log(t, store)) != before {
		t.Errorf("got %v", err)
	}
}

func TestNumbersOutOfRangeAreRefused(t *testing.T) {
	for _, n := range []int{-1, 0, 1001} {
		_, err := simulate.Run(context.Background(), simulate.Options{Store: openStore(t), Participants: n, Now: now})
		if study.CodeOf(err) != study.Invalid {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestAStoppedSimulationSaysSo(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := simulate.Run(ctx, simulate.Options{Store: openStore(t), Participants: 4, Now: now}); err == nil {
		t.Error("got no error")
	}
}

// The small count covers every branch of the story; the campaign takes the
// size that the brief of this package promises.
func TestManyParticipantsGoThrough(t *testing.T) {
	n := 96
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		n = 500
	}
	r := run(t, openStore(t), n, 11, now)
	if len(r.Participants) != n || r.Counts.Withdrawn != 2*n/48 || r.Counts.Died != n/48 || len(r.Fresh) != 8 {
		t.Errorf("%d participants: %+v, %d fresh", len(r.Participants), r.Counts, len(r.Fresh))
	}
}

package study_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/store/storetest"
	"epro/study"
)

func eventsOf(t failer, f *testkit.Fixture, id study.StreamID) int {
	t.Helper()
	entries, err := f.Store.Stream(context.Background(), id, 0)
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	return len(entries)
}

func TestALostAnswerIsReadBackAndIsASuccess(t *testing.T) {
	store := storetest.Faulty(testkit.SQLite(t))
	f := testkit.Study(t, store)
	store.FailNext(false) // the claim of the number
	store.FailNext(false) // and the first event
	p := f.Enrol(t, "001")
	f.Clock.Set(at(cycle1+21, "10:00"))
	store.FailNext(false)
	if receipt := f.Submit(t, p.ID, "C2D1", 1); !receipt.Counted {
		t.Errorf("receipt %+v", receipt)
	}
	store.FailNext(false)
	if _, err := f.LockSite(t.Context(), study.Request{By: f.Investigator}, testkit.Site, true, "x"); err != nil {
		t.Error(details(err))
	}
	if n := eventsOf(t, f, p.ID.Stream()); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestAFailureBeforeTheWriteIsUnavailableAndARetrySucceedsOnce(t *testing.T) {
	store := storetest.Faulty(testkit.SQLite(t))
	f := testkit.Study(t, store)
	store.FailNext(true)
	enrol := testkit.NewParticipant("001")
	r := study.Request{By: f.Coordinator, EventID: study.EventID(f.NewID())}
	if _, err := f.Service.Enrol(t.Context(), r, enrol); study.CodeOf(err) != study.Unavailable {
		t.Fatal(details(err))
	}
	p, err := f.Service.Enrol(t.Context(), r, enrol)
	if err != nil {
		t.Fatal(details(err))
	}
	f.Clock.Set(at(cycle1+21, "10:00"))
	form := testkit.Form(p.ID, "C2D1", "s1", f.Clock.Now(), testkit.Answers(1))
	store.FailNext(true)
	if _, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form); study.CodeOf(err) != study.Unavailable {
		t.Fatal(details(err))
	}
	for range 3 {
		res, err := f.Do(t.Context(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form)
		if err != nil || res.After.Seq != 2 {
			t.Fatalf("%v", details(err))
		}
	}
}

// The claim is written and the process dies: whoever meets it completes it.
func TestAClaimThatWasLeftEmptyIsCompleted(t *testing.T) {
	store := storetest.Faulty(testkit.SQLite(t))
	f := testkit.Study(t, store)
	dying := &dieAfterClaim{Store: store}
	other := study.NewService(dying, f.Clock.Now, testkit.IDs(2))
	if _, err := other.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant("007")); study.CodeOf(err) != study.Unavailable {
		t.Fatal(details(err))
	}
	p := f.Enrol(t, "007")
	entries, err := store.Stream(t.Context(), study.ClaimStream(study.ClaimNumber, string(testkit.Site), "007"), 0)
	if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].Bytes), string(p.ID)) {
		t.Errorf("claim %v, %v; participant %s", entries, err, p.ID)
	}
	if n := eventsOf(t, f, p.ID.Stream()); n != 1 {
		t.Errorf("%d events", n)
	}
	_, err = f.Service.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant("007"))
	if study.CodeOf(err) != study.Conflict {
		t.Error(details(err))
	}
}

// dieAfterClaim writes claims and nothing else.
type dieAfterClaim struct{ study.Store }

func (d *dieAfterClaim) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	if e.Stream.Kind() != "claim" {
		return study.Fail(study.Unavailable, "gone")
	}
	return d.Store.Append(ctx, e, snap)
}

func TestIfMatchRefusesWhatChangedSince(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	change := func(language string, match uint64) error {
		_, err := f.Do(t.Context(), study.Request{By: f.Coordinator, IfMatch: match}, p.ID, study.ChangeParticipant{Language: language, Reason: "x"})
		return err
	}
	if err := change("zh", 1); err != nil {
		t.Fatal(details(err))
	}
	err := change("en", 1)
	var stale *study.Stale
	if study.CodeOf(err) != study.Conflict || !errors.As(err, &stale) || stale.Since != 1 {
		t.Fatal(details(err))
	}
	if err := change("en", 2); err != nil {
		t.Fatal(details(err))
	}
}

func TestAnEventIDMakesARequestHappenOnce(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	r := study.Request{By: f.Coordinator, EventID: study.EventID(f.NewID())}
	p, err := f.Service.Enrol(t.Context(), r, testkit.NewParticipant("001"))
	if err != nil {
		t.Fatal(details(err))
	}
	other := f.Enrol(t, "002")
	f.Clock.Advance(3 * 365 * 24 * time.Hour) // the repetition is not judged anew
	again, err := f.Service.Enrol(t.Context(), r, testkit.NewParticipant("001"))
	if err != nil || again.ID != p.ID || again.Seq != 1 {
		t.Fatalf("%+v, %v", again, details(err))
	}
	r.EventID = study.EventID(f.NewID())
	ecog := study.RateECOG{Visit: "C1D1", ECOG: 1, On: cycle1}
	for range 3 {
		res, err := f.Do(t.Context(), r, p.ID, ecog)
		if err != nil || res.Event != r.EventID || len(res.After.Performance) != 1 {
			t.Fatalf("%+v, %v", res.After, details(err))
		}
	}

	t.Run("only for who may make it", func(t *testing.T) {
		moved := testkit.Staff(study.RoleCoordinator, f.Coordinator.Staff, testkit.OtherSite) // the same account, other rights since
		elsewhere := testkit.NewParticipant("001")
		elsewhere.Site = testkit.OtherSite
		entries, err := f.Store.Stream(t.Context(), p.ID.Stream(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			by   study.Actor
			code study.Code
		}{{moved, study.NotFound}, {f.Elsewhere, study.Conflict}, {f.Analyst, study.Conflict}} {
			res, err := f.Do(t.Context(), study.Request{By: c.by, EventID: r.EventID}, p.ID, ecog)
			if study.CodeOf(err) != c.code || res.After != nil {
				t.Errorf("%s: %v, %v", c.by.Role, res.After, details(err))
			}
			if c.by.Role != study.RoleCoordinator {
				continue
			}
			got, err := f.Service.Enrol(t.Context(), study.Request{By: c.by, EventID: entries[0].ID}, elsewhere)
			if study.CodeOf(err) != c.code || got != nil {
				t.Errorf("%v, %v", got, details(err))
			}
		}
	})

	t.Run("not for another record", func(t *testing.T) {
		if _, err := f.Do(t.Context(), r, other.ID, ecog); study.CodeOf(err) != study.Conflict {
			t.Error(details(err))
		}
		if _, err := f.CreateStaff(t.Context(), study.Request{By: f.System, EventID: r.EventID}, study.CreateStaff{Username: "ann", Rights: study.Rights{Role: study.RoleAdmin}}); study.CodeOf(err) != study.Conflict {
			t.Error(details(err))
		}
	})
}

func TestTheSameEventIDInParallelHappensOnce(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	r := study.Request{By: f.Coordinator, EventID: study.EventID(f.NewID())}
	errs := parallel(16, func(int) error {
		_, err := f.Do(context.Background(), r, p.ID, study.RateECOG{Visit: "C1D1", ECOG: 1, On: cycle1 - 10})
		return err
	})
	for _, err := range errs {
		if err != nil {
			t.Error(details(err))
		}
	}
	if n := eventsOf(t, f, p.ID.Stream()); n != 2 {
		t.Errorf("%d events", n)
	}
}

func parallel(n int, do func(int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errs
}

// Two Services on one store are two processes. All send at once; one form is
// in the record, and everybody else is told so.
func TestCampaignTwoProcessesRaceForOneAssessment(t *testing.T) {
	for round := range times(2, 200) {
		f := testkit.Study(t, testkit.SQLite(t))
		second := study.NewService(f.Store, f.Clock.Now, testkit.IDs(99))
		p := f.Enrol(t, "001")
		f.Clock.Set(at(cycle1+21, "10:00"))
		shared := testkit.Form(p.ID, "C2D1", "shared", f.Clock.Now(), testkit.Answers(1))
		errs := parallel(64, func(i int) error {
			svc, form := f.Service, shared
			if i%2 == 1 {
				svc = second
			}
			if round%2 == 0 { // another form each; else the same from everywhere
				form = testkit.Form(p.ID, "C2D1", study.SubmissionID(fmt.Sprintf("s%d", i)), f.Clock.Now(), testkit.Answers(uint64(i)))
			}
			_, err := svc.Do(context.Background(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form)
			return err
		})
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case round%2 == 1 || study.CodeOf(err) != study.AlreadySubmitted:
				t.Errorf("round %d: %v", round, details(err))
			}
		}
		if want := map[int]int{0: 1, 1: 64}[round%2]; won != want {
			t.Errorf("round %d: %d were accepted, want %d", round, won, want)
		}
		if n := eventsOf(t, f, p.ID.Stream()); n != 2 {
			t.Errorf("round %d: %d events", round, n)
		}
		for _, svc := range []*study.Service{f.Service, second} {
			if got, err := svc.Participant(t.Context(), f.Coordinator, p.ID); err != nil || len(got.AtVisit("C2D1").Submissions) != 1 {
				t.Errorf("round %d: %v", round, details(err))
			}
		}
	}
}

func TestTwoProcessesRaceForOneNumber(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	second := study.NewService(f.Store, f.Clock.Now, testkit.IDs(99))
	won := 0
	for _, err := range parallel(16, func(i int) error {
		_, err := []*study.Service{f.Service, second}[i%2].Enrol(context.Background(), study.Request{By: f.Coordinator}, testkit.NewParticipant("001"))
		return err
	}) {
		switch {
		case err == nil:
			won++
		case study.CodeOf(err) != study.Conflict:
			t.Error(details(err))
		}
	}
	page, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{})
	if won != 1 || len(page) != 1 || err != nil {
		t.Errorf("%d won, %d enrolled, %v", won, len(page), err)
	}
}

// keepNoSnapshot is a store like MongoDB at its worst: the event is written,
// the snapshot after it never is.
type keepNoSnapshot struct{ study.Store }

func (k keepNoSnapshot) Append(ctx context.Context, e study.Entry, _ *study.Snapshot) error {
	return k.Store.Append(ctx, e, nil)
}

func TestRepairMakesSnapshotsThatWereLostOrAreStale(t *testing.T) {
	db := testkit.SQLite(t)
	f := testkit.Study(t, db)
	p := f.Enrol(t, "001")
	losing := study.NewService(keepNoSnapshot{db}, f.Clock.Now, testkit.IDs(3))
	since := f.Clock.Now()
	if _, err := losing.Do(t.Context(), study.Request{By: f.Coordinator}, p.ID, study.ChangeParticipant{Number: "009", Reason: "x"}); err != nil {
		t.Fatal(details(err))
	}
	q, err := losing.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant("002"))
	if err != nil {
		t.Fatal(details(err))
	}
	made, err := f.Repair(t.Context(), since.Add(-time.Minute))
	if err != nil || made != 2 {
		t.Fatalf("made %d, %v", made, err)
	}
	for id, want := range map[study.ParticipantID]string{p.ID: "009", q.ID: "002"} {
		snap, err := db.Snapshot(t.Context(), id.Stream())
		if err != nil || snap.Label != want || snap.Seq == 0 {
			t.Errorf("snapshot %+v, %v", snap.Label, err)
		}
	}
	if made, err = f.Repair(t.Context(), time.Time{}); made != 0 || err != nil {
		t.Errorf("again: %d, %v", made, err)
	}
	report, err := f.Verify(t.Context())
	if err != nil || len(report.Faults) != 0 || report.Snapshots != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Whoever was killed between an entry and its snapshot may have been the last
// for a long time.
func TestALagFromBeforeALongStopIsRepairedAtTheNextStart(t *testing.T) {
	db := testkit.SQLite(t)
	f := testkit.Study(t, db)
	keep := func(svc *study.Service, want int) {
		t.Helper()
		if made, err := svc.KeepRepaired(t.Context()); err != nil || made != want {
			t.Errorf("made %d, not %d: %v", made, want, err)
		}
	}
	losing := study.NewService(keepNoSnapshot{db}, f.Clock.Now, testkit.IDs(3))
	enrol := func(number string) {
		t.Helper()
		if _, err := losing.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant(number)); err != nil {
			t.Fatal(details(err))
		}
	}
	enrol("001")
	f.Clock.Advance(24 * time.Hour)
	keep(f.Service, 1) // nobody has ever looked
	keep(f.Service, 0)
	f.Clock.Advance(30 * time.Second)
	enrol("002")
	f.Clock.Advance(7 * 24 * time.Hour)
	keep(study.NewService(db, f.Clock.Now, testkit.IDs(4)), 1)
	enrol("003")
	broken := study.NewService(storetest.Broken(), f.Clock.Now, testkit.IDs(5))
	if _, err := broken.KeepRepaired(t.Context()); study.CodeOf(err) != study.Unavailable {
		t.Errorf("%v", err)
	}
	f.Clock.Advance(time.Hour)
	keep(f.Service, 1)
	page, _, err := f.Participants(t.Context(), f.Coordinator, study.PeopleQuery{})
	if err != nil || len(page) != 3 {
		t.Errorf("%d in the list, %v", len(page), err)
	}
}

func TestAWrongSnapshotIsFoundByVerifyAndMendedByRebuild(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	snap, err := f.Store.Snapshot(t.Context(), p.ID.Stream())
	if err != nil {
		t.Fatal(err)
	}
	snap.Label = "666"
	if err := f.Store.PutSnapshot(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	report, err := f.Verify(t.Context())
	if err != nil || len(report.Faults) != 1 || report.Faults[0].Stream != p.ID.Stream() {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := f.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err = f.Verify(t.Context()); err != nil || len(report.Faults) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
}

// After an amendment nobody goes on with a State that was folded under the
// protocol before it: neither this process, nor another, nor a list.
func TestAnAmendmentReachesEveryProcess(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	second := study.NewService(f.Store, f.Clock.Now, testkit.IDs(99))
	p := f.Enrol(t, "001")
	if _, err := second.Participant(t.Context(), f.Coordinator, p.ID); err != nil {
		t.Fatal(details(err))
	}
	wider := []byte(amended(t, "2", "opens_days: -3, closes_days: 7}", "opens_days: -2, closes_days: 5}"))
	if _, err := f.Adopt(t.Context(), study.Request{By: f.System}, wider, day("2026-03-01"), false); err != nil {
		t.Fatal(details(err))
	}
	f.Clock.Advance(6 * time.Second)
	want := span(cycle1+21, -2, 5)
	for i, svc := range []*study.Service{f.Service, second} {
		got, err := svc.Participant(t.Context(), f.Coordinator, p.ID)
		if err != nil || windowText(got.AtVisit("C2D1")) != want {
			t.Errorf("process %d: %s, %v", i+1, windowText(got.AtVisit("C2D1")), err)
		}
		page, _, err := svc.Participants(t.Context(), f.Coordinator, study.PeopleQuery{})
		if err != nil || len(page) != 1 || windowText(page[0].AtVisit("C2D1")) != want {
			t.Errorf("list of process %d: %v", i+1, err)
		}
	}
	if made, err := f.Repair(t.Context(), f.Clock.Now()); err != nil || made != 1 {
		t.Errorf("repair made %d, %v", made, err)
	}
	if report, err := f.Verify(t.Context()); err != nil || len(report.Faults) != 0 || report.Snapshots != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestACutShowsWhatWasRecordedByThen(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	b := f.Enrol(t, "002")
	a := f.Enrol(t, "001")
	cut := f.Clock.Now()
	at := func(cut time.Time) string {
		t.Helper()
		var out []string
		if err := f.PeopleAt(t.Context(), f.Analyst, cut, func(p *study.Participant) error {
			out = append(out, fmt.Sprintf("%s/%s/%d/%s", p.Site, p.Number, p.Seq, windowText(p.AtVisit("C2D1"))))
			return nil
		}); err != nil {
			t.Fatal(details(err))
		}
		return strings.Join(out, " ")
	}
	then := at(cut)
	w := span(cycle1+21, -3, 7)
	if want := "S01/001/1/" + w + " S01/002/1/" + w; then != want {
		t.Fatalf("%s, want %s", then, want)
	}
	f.Clock.Advance(time.Millisecond)
	do := func(id study.ParticipantID, c study.Command) {
		t.Helper()
		if _, err := f.Do(t.Context(), study.Request{By: f.Coordinator}, id, c); err != nil {
			t.Fatal(details(err))
		}
	}
	do(a.ID, study.TransferTo{Site: testkit.OtherSite, On: consented, Reason: "x"})
	do(b.ID, study.ChangeParticipant{Number: "009", Reason: "x"})
	f.Enrol(t, "005")
	wider := []byte(amended(t, "2", "opens_days: -3, closes_days: 7}", "opens_days: -2, closes_days: 5}"))
	if _, err := f.Adopt(t.Context(), study.Request{By: f.System}, wider, day("2026-03-01"), false); err != nil {
		t.Fatal(details(err))
	}
	if got := at(cut); got != then {
		t.Errorf("the same cut later gives %s, was %s", got, then)
	}
	w = span(cycle1+21, -2, 5)
	if got, want := at(time.Time{}), "S01/005/1/"+w+" S01/009/2/"+w+" S02/001/2/"+w; got != want {
		t.Errorf("now: %s, want %s", got, want)
	}
	if got := at(testkit.Start.Add(-time.Hour)); got != "" {
		t.Errorf("before anybody: %s", got)
	}
	for _, by := range []study.Actor{f.Coordinator, f.Admin, f.Monitor} {
		if err := f.PeopleAt(t.Context(), by, cut, func(*study.Participant) error { return nil }); study.CodeOf(err) != study.Forbidden {
			t.Errorf("%s: %v", by.Role, err)
		}
	}
}

func TestTheSnapshotNamesTheFirstInstantsThatAreLeft(t *testing.T) {
	r := enrolled(t)
	r.complete("C1D1", at(cycle1-2, "10:00"))
	snap, err := study.SnapshotOf(r.p, r.h)
	if err != nil {
		t.Fatal(err)
	}
	w := r.visit("C2D1").Window
	if !snap.OpensAt.Equal(w.OpensAt().Time()) || !snap.DueAt.Equal(w.DueAt().Time()) || !snap.ClosesAt.Equal(w.ClosesAt().Time()) {
		t.Errorf("%s %s %s", snap.OpensAt, snap.DueAt, snap.ClosesAt)
	}
	r.must(withdrawal(cycle1 - 2))
	if snap, err = study.SnapshotOf(r.p, r.h); err != nil || !snap.OpensAt.IsZero() || !snap.DueAt.IsZero() || !snap.ClosesAt.IsZero() {
		t.Errorf("after withdrawal: %+v", snap.OpensAt)
	}
	r.must(study.RetractFact{Seq: r.p.Seq, Reason: "x"})
	if snap, err = study.SnapshotOf(r.p, r.h); err != nil || snap.OpensAt.IsZero() {
		t.Error("after retraction there is nothing left")
	}
}

func TestABrokenStoreNeverSaysNotFound(t *testing.T) {
	good := testkit.Study(t, testkit.SQLite(t))
	p := good.Enrol(t, "001")
	s := study.NewService(storetest.Broken(), good.Clock.Now, good.NewID)
	by, ctx := study.Request{By: good.System}, t.Context()
	because := by
	because.Reason = "x"
	calls := map[string]func() error{
		"Participant":  func() error { _, err := s.Participant(ctx, good.System, p.ID); return err },
		"Participants": func() error { _, _, err := s.Participants(ctx, good.System, study.PeopleQuery{}); return err },
		"Record":       func() error { _, err := s.Record(ctx, good.System, p.ID, 0); return err },
		"Do":           func() error { _, err := s.Do(ctx, by, p.ID, study.RateECOG{}); return err },
		"Enrol":        func() error { _, err := s.Enrol(ctx, by, testkit.NewParticipant("1")); return err },
		"Preview":      func() error { _, _, err := s.PreviewCycle(ctx, good.System, p.ID, study.RecordCycle{}); return err },
		"Study":        func() error { _, err := s.Study(ctx); return err },
		"Adopt":        func() error { _, err := s.Adopt(ctx, by, study.DefaultProtocolText(), 0, false); return err },
		"Site":         func() error { _, err := s.Site(ctx, good.System, testkit.Site); return err },
		"Sites":        func() error { _, err := s.Sites(ctx, good.System); return err },
		"CreateSite":   func() error { _, err := s.CreateSite(ctx, by, study.CreateSite{}); return err },
		"Contact":      func() error { _, err := s.SetSiteContact(ctx, by, testkit.Site, "+86 21 5555 0100"); return err },
		"HelpLine":     func() error { _, err := s.HelpLine(ctx, p); return err },
		"LockSite":     func() error { _, err := s.LockSite(ctx, by, testkit.Site, true, "x"); return err },
		"ChangeSite": func() error {
			_, err := s.ChangeSite(ctx, because, testkit.Site, study.SiteChanged{TimeZone: "Asia/Urumqi"})
			return err
		},
		"CloseSite": func() error { _, err := s.CloseSite(ctx, because, testkit.Site, true); return err },
		"Invite":    func() error { return s.RecordInvitation(ctx, because, "x", 1) },
		"Sessions":  func() error { return s.RecordSessionsEnded(ctx, because, "x", 1) },
		"PreviewTransfer": func() error {
			_, err := s.PreviewTransfer(ctx, good.System, p.ID, study.TransferTo{Site: testkit.OtherSite, On: 1, Reason: "x"})
			return err
		},
		"AuditOf":    func() error { _, err := s.AuditOf(ctx, good.System, "site/S01", 0); return err },
		"Phones":     func() error { _, err := s.CountDevices(ctx, good.System); return err },
		"Staff":      func() error { _, err := s.Staff(ctx, "x"); return err },
		"ByUsername": func() error { _, err := s.StaffByUsername(ctx, "x"); return err },
		"AllStaff":   func() error { _, err := s.AllStaff(ctx, good.System); return err },
		"CreateStaff": func() error {
			_, err := s.CreateStaff(ctx, by, study.CreateStaff{Username: "ann", Rights: study.Rights{Role: study.RoleAdmin}})
			return err
		},
		"ChangeStaff": func() error {
			_, err := s.ChangeStaff(ctx, by, "x", study.StaffChanged{Rights: study.Rights{Role: study.RoleAdmin}})
			return err
		},
		"PasswordReset": func() error { return s.RecordPasswordReset(ctx, by, "x") },
		"PeopleAt":      func() error { return s.PeopleAt(ctx, good.System, time.Time{}, nil) },
		"Verify":        func() error { _, err := s.Verify(ctx); return err },
		"Rebuild":       func() error { _, err := s.Rebuild(ctx); return err },
		"Repair":        func() error { _, err := s.Repair(ctx, time.Time{}); return err },
		"RecordExport":  func() error { return s.RecordExport(ctx, by, study.DataExported{}) },
	}
	for name, call := range calls {
		if err := call(); study.CodeOf(err) != study.Unavailable {
			t.Errorf("%s: %v", name, details(err))
		}
	}
}

package study_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/internal/testkit"
	"epro/store/sqlite"
	"epro/study"
)

// What holds after every step of TestCampaignRandomStudiesKeepTheInvariants,
// whoever did what and when:
//
//  1. A submission that was acknowledged is in the record for ever, under the
//     same receipt, with its answers as given (now, or as an earlier revision).
//  2. An assessment has at most one standing form, and it is neither void nor
//     held nor rejected nor too old.
//  3. No electronic form is taken for an assessment that has one which is
//     neither void nor rejected; only a baseline that grew too old may have a
//     second, and forms of other visits never grow old.
//  4. The window of a completed assessment does not move while it is completed.
//  5. The windows of assessments without a form do not overlap, as instants,
//     and open no earlier than consent.
//  6. There is one assessment a visit of the protocol, each with exactly one of
//     the seven words; a word agrees with the window and the clock.
//  7. After withdrawal, death, exclusion or end of follow-up nothing is
//     upcoming, open or overdue that closes on or after that day, and the
//     snapshot offers no instant to remind of.
//  8. A refused command, and one that the record says already, changes nothing:
//     the sequence is the same; an accepted one adds exactly one event.
//  9. The cycles start in strictly ascending order, none before consent.
//  10. What the Service gives is what folding the stored stream afresh gives, to
//     the byte; the stored snapshot is the same.
//  11. The record is only ever added to: the entries before stay byte for byte.
//  12. Revisions of a form count 1, 2, 3 …, and a stored score is always what
//     its answers give.
//  13. No two participants have the same number at the same site.
//  14. At the end verify finds nothing, and a rebuild gives the same snapshots.
type campaignRun struct {
	f       *testkit.Fixture
	people  []study.ParticipantID
	h       *study.History
	c       commander
	known   map[study.ParticipantID]*study.Participant // after the last step
	acks    map[study.SubmissionID]acknowledged
	windows map[study.AssessmentID]study.Window // of what is completed
	entries map[study.ParticipantID]int
}

type acknowledged struct {
	person  study.ParticipantID
	receipt study.Receipt
	answers string
}

func TestCampaignRandomStudiesKeepTheInvariants(t *testing.T) {
	checks(t, 12, 1500)
	steps := times(40, 100)
	rapid.Check(t, func(rt *rapid.T) {
		store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "epro.db"))
		if err != nil {
			rt.Fatalf("open: %v", err)
		}
		defer func() {
			if err := store.Close(); err != nil {
				rt.Errorf("close: %v", err)
			}
		}()
		f := testkit.Study(t, store)
		run := &campaignRun{f: f, c: commander{newID: f.NewID, zones: someZones}, known: map[study.ParticipantID]*study.Participant{},
			acks: map[study.SubmissionID]acknowledged{}, windows: map[study.AssessmentID]study.Window{}, entries: map[study.ParticipantID]int{}}
		run.start(rt)
		for range steps {
			run.step(rt)
		}
		run.finish(rt)
	})
}

func (r *campaignRun) start(t *rapid.T) {
	ctx := context.Background()
	h, err := r.f.History(ctx)
	if err != nil {
		t.Fatalf("history: %v", err)
	}
	r.h = h
	for n := 1; n <= 2; n++ {
		p, err := r.f.Service.Enrol(ctx, study.Request{By: r.f.Coordinator}, testkit.NewParticipant(fmt.Sprintf("%03d", n)))
		if err != nil {
			t.Fatalf("enrol: %v", details(err))
		}
		r.people, r.known[p.ID] = append(r.people, p.ID), p
	}
}

// step lets time pass, lets somebody do something, and checks everything.
func (r *campaignRun) step(t *rapid.T) {
	ctx := context.Background()
	switch rapid.IntRange(0, 3).Draw(t, "time") {
	case 0:
		r.f.Clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
	case 1, 2:
		r.f.Clock.Advance(time.Duration(rapid.IntRange(1, 9*24).Draw(t, "hours")) * time.Hour)
	}
	if rapid.IntRange(0, 24).Draw(t, "lock") == 0 {
		lock := rapid.Bool().Draw(t, "locked")
		if _, err := r.f.LockSite(ctx, study.Request{By: r.f.Investigator}, testkit.Site, lock, "cleaning"); err != nil {
			t.Fatalf("lock: %v", details(err))
		}
	}
	id := rapid.SampledFrom(r.people).Draw(t, "participant")
	before := r.known[id]
	by, command := r.c.draw(t, before, r.f.Clock.Now())
	res, err := r.f.Do(ctx, study.Request{By: by}, id, command)
	after := r.load(t, id)
	switch {
	case err != nil || res.Event == "":
		if stateJSON(t, after) != stateJSON(t, before) { // 8
			t.Fatalf("%T: event %q, error %v, and yet the State changed", command, res.Event, details(err))
		}
	case after.Seq != before.Seq+1:
		t.Fatalf("%T: from seq %d to %d", command, before.Seq, after.Seq)
	}
	if code := study.CodeOf(err); err != nil && (code == study.Internal || code == study.Unavailable) {
		t.Fatalf("%T: %v", command, details(err))
	}
	r.known[id] = after
	if f, ok := command.(study.SubmitForm); ok && err == nil {
		r.acknowledge(t, before, after, f)
	}
	r.check(t, after, id)
}

func (r *campaignRun) load(t *rapid.T, id study.ParticipantID) *study.Participant {
	entries, err := r.f.Store.Stream(context.Background(), id.Stream(), 0)
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	p, err := study.FoldParticipant(r.h, nil, entries...)
	if err != nil {
		t.Fatalf("fold: %v", err)
	}
	return p
}

func (r *campaignRun) acknowledge(t *rapid.T, before, p *study.Participant, f study.SubmitForm) {
	if a := before.Assessment(f.Assessment); p.Seq > before.Seq && f.Mode.Electronic() { // 3
		for _, s := range a.Submissions {
			if s.Mode.Electronic() && s.Void == "" && s.Decision != study.Rejected && !s.Stale {
				t.Fatalf("%s has form %s and got %s", a.ID, s.ID, f.ID)
			}
		}
	}
	receipt, ok := p.Receipt(f.ID)
	if !ok {
		t.Fatalf("form %s was accepted and is not there", f.ID)
	}
	if _, again := r.acks[f.ID]; !again {
		_, s := p.Submission(f.ID)
		text, _ := s.Answers.MarshalText()
		r.acks[f.ID] = acknowledged{p.ID, receipt, string(text)}
	}
}

func (r *campaignRun) check(t *rapid.T, p *study.Participant, id study.ParticipantID) {
	r.checkForms(t, p)
	r.checkSchedule(t, p)
	r.checkStore(t, p)
	for sid, ack := range r.acks { // 1
		if ack.person != id {
			continue
		}
		receipt, ok := p.Receipt(sid)
		if !ok || !sameReceipt(receipt, ack.receipt) {
			t.Fatalf("receipt of %s was %+v and is %+v", sid, ack.receipt, receipt)
		}
		_, s := p.Submission(sid)
		first := s.Answers
		if len(s.Earlier) > 0 {
			first = s.Earlier[0].Answers
		}
		if text, _ := first.MarshalText(); string(text) != ack.answers {
			t.Fatalf("the first answers of %s were %s and are %s", sid, ack.answers, text)
		}
	}
}

func (r *campaignRun) checkForms(t *rapid.T, p *study.Participant) {
	for i := range p.Assessments {
		a := &p.Assessments[i]
		for j := range a.Submissions {
			s := &a.Submissions[j]
			if s.Stale && a.Visit != "C1D1" { // 3
				t.Fatalf("%s: a form of another visit than baseline grew old", a.ID)
			}
			for k, e := range s.Earlier { // 12
				if e.Revision != k+1 {
					t.Fatalf("form %s has revisions %+v", s.ID, s.Earlier)
				}
			}
			if s.Revision != len(s.Earlier)+1 || s.Verified > s.Revision {
				t.Fatalf("form %s: revision %d after %d", s.ID, s.Revision, len(s.Earlier))
			}
		}
		s := a.Standing()
		if s != nil && (s.Void != "" || s.Stale || s.Held() || s.Decision == study.Rejected) { // 2
			t.Fatalf("%s: %+v stands", a.ID, s)
		}
		was, completed := r.windows[a.ID]
		if s != nil && completed && was != a.Window { // 4
			t.Fatalf("%s is completed and moved from %+v to %+v", a.ID, was, a.Window)
		}
		delete(r.windows, a.ID)
		if s != nil {
			r.windows[a.ID] = a.Window
		}
	}
	if p.Mismatch != "" {
		t.Fatalf("mismatch: %s", p.Mismatch)
	}
}

var words = []study.AssessmentStatus{study.Upcoming, study.Open, study.Overdue, study.Completed, study.Missed, study.Unexpected, study.Superseded}

func (r *campaignRun) checkSchedule(t *rapid.T, p *study.Participant) {
	noOverlap(t, &record{failer: t, p: p})          // 5
	protocol := r.h.Current()                       // 6
	if len(p.Assessments) != len(protocol.Visits) { //
		t.Fatalf("there are %d assessments", len(p.Assessments))
	}
	now, stop := r.f.Clock.Now(), p.Stop()
	for i := range p.Assessments {
		a := &p.Assessments[i]
		status := p.AssessmentStatus(a, now)
		live := status == study.Upcoming || status == study.Open || status == study.Overdue
		inside := a.Window.Contains(study.InstantOf(now))
		switch {
		case a.Visit != protocol.Visits[i].Code || a.ID != study.AssessmentFor(p.ID, a.Visit):
			t.Fatalf("assessment %d is %s", i, a.ID)
		case !slices.Contains(words, status):
			t.Fatalf("%s is %q", a.ID, status)
		case (status == study.Completed) != (a.Standing() != nil):
			t.Fatalf("%s is %s", a.ID, status)
		case (status == study.Open || status == study.Overdue) && !inside, (status == study.Upcoming || status == study.Missed) && inside:
			t.Fatalf("%s is %s in %s at %s", a.ID, status, windowText(a), now)
		case stop != nil && live && a.Window.ClosesOn >= stop.On.First(): // 7
			t.Fatalf("%s is %s after %+v", a.ID, status, stop)
		}
	}
	for n := 1; n < len(p.Cycles); n++ { // 9
		if p.Cycles[n].StartsOn <= p.Cycles[n-1].StartsOn || p.Cycles[n-1].StartsOn < p.ConsentedOn() {
			t.Fatalf("cycles: %+v", p.Cycles)
		}
	}
}

func (r *campaignRun) checkStore(t *rapid.T, p *study.Participant) {
	ctx := context.Background()
	served, err := r.f.Participant(ctx, r.f.System, p.ID)
	if err != nil {
		t.Fatalf("read: %v", details(err))
	}
	fresh := stateJSON(t, p)
	if got := stateJSON(t, served); got != fresh { // 10
		t.Fatalf("the Service gives\n%s\nthe log gives\n%s", got, fresh)
	}
	snap, err := r.f.Store.Snapshot(ctx, p.ID.Stream())
	if err != nil || snap.Seq != p.Seq || string(snap.State) != fresh || snap.Site != p.Site || snap.Label != p.Number {
		t.Fatalf("snapshot of seq %d for %d, %v:\n%s\nwant\n%s", snap.Seq, p.Seq, err, snap.State, fresh)
	}
	if p.Stop() != nil && (!snap.OpensAt.IsZero() || !snap.DueAt.IsZero() || !snap.ClosesAt.IsZero()) { // 7
		t.Fatalf("the snapshot of somebody who left: %+v", snap)
	}
	if uint64(r.entries[p.ID]) > p.Seq { // 11; the chain proves the bytes
		t.Fatalf("there were %d entries and are %d", r.entries[p.ID], p.Seq)
	}
	r.entries[p.ID] = int(p.Seq)
	seen := map[string]study.ParticipantID{}
	for _, q := range r.known { // 13
		key := string(q.Site) + " " + q.Number
		if other, taken := seen[key]; taken {
			t.Fatalf("%s and %s are both %s", other, q.ID, key)
		}
		seen[key] = q.ID
	}
}

func (r *campaignRun) finish(t *rapid.T) { // 14
	ctx := context.Background()
	report, err := r.f.Verify(ctx)
	if err != nil || len(report.Faults) > 0 || report.Participants != len(r.people) || report.Snapshots != len(r.people) {
		t.Fatalf("verify: %+v, %v", report, err)
	}
	if report.Forms != len(r.acks) {
		t.Fatalf("verify counts %d forms, %d were acknowledged", report.Forms, len(r.acks))
	}
	before := r.snapshots(t)
	if _, err := r.f.Rebuild(ctx); err != nil {
		t.Fatalf("rebuild: %v", err)
	}
	if after := r.snapshots(t); after != before {
		t.Fatalf("rebuilt:\n%s\nwas\n%s", after, before)
	}
}

func (r *campaignRun) snapshots(t *rapid.T) string {
	snaps, err := r.f.Store.Snapshots(context.Background(), study.SnapshotQuery{})
	if err != nil {
		t.Fatalf("snapshots: %v", err)
	}
	raw, err := json.Marshal(snaps, json.Deterministic(true))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(raw)
}

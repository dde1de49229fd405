package reminders_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/study"
)

// script is a push service that answers as it is told, the last answer for ever.
type script struct {
	mu      sync.Mutex
	answers []reminders.Outcome
	sent    []reminders.Message
	before  func()
}

func (s *script) Send(_ context.Context, m reminders.Message) reminders.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil {
		s.before()
	}
	s.sent = append(s.sent, m)
	o := reminders.Outcome{Status: reminders.Accepted}
	if len(s.answers) > 0 {
		if o = s.answers[0]; len(s.answers) > 1 {
			s.answers = s.answers[1:]
		}
	}
	return o
}

// hooked is a store that calls back after the first claim was inserted, before
// any other worker's claim is.
type hooked struct {
	study.Store
	mu      sync.Mutex
	claimed func()
}

func (h *hooked) InsertRecord(ctx context.Context, r study.Record) error {
	if r.Kind != "delivery" || !strings.Contains(string(r.Data), `"claim"`) {
		return h.Store.InsertRecord(ctx, r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.Store.InsertRecord(ctx, r)
	if f := h.claimed; err == nil && f != nil {
		h.claimed = nil
		f()
	}
	return err
}

// post is a study with participants whose opening reminder is due, and a
// dispatcher.
type post struct {
	*testkit.Fixture
	t      *testing.T
	store  *hooked
	d      *reminders.Dispatcher
	sender *script
	people []study.ParticipantID
}

func newPost(t *testing.T, people int) *post {
	t.Helper()
	return newPostOn(t, testkit.SQLite(t), people)
}

func newPostOn(t *testing.T, store study.Store, people int) *post {
	t.Helper()
	st := &hooked{Store: store}
	p := &post{Fixture: testkit.Study(t, st), t: t, store: st, sender: &script{}}
	for i := range people {
		id := p.Enrol(t, fmt.Sprint(i)).ID
		p.people = append(p.people, id)
		p.register(id, fmt.Sprint("phone-", i))
	}
	p.d = newDispatcher(t, p.Fixture, p.sender)
	p.check(p.d.Recompute(t.Context()))
	zone, _ := study.LoadZone(testkit.Zone)
	p.Clock.Set(study.WallTime(testkit.Cycle1-7, 9*60+13, zone))
	return p
}

func (p *post) register(id study.ParticipantID, token string) {
	p.t.Helper()
	p.registerOn(id, "android", token)
}

func (p *post) registerOn(id study.ParticipantID, platform, token string) {
	p.t.Helper()
	p.check(p.RegisterDevice(p.t.Context(), testkit.Phone(id), study.Registration{ID: study.DeviceID(token), Platform: platform,
		Target: study.PushTarget{Kind: study.TargetFCMToken, Value: token}}))
}

func (p *post) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) sweep() {
	p.t.Helper()
	p.check(p.d.Follow(p.t.Context()))
	_, err := p.d.Sweep(p.t.Context())
	p.check(err)
}

// pass lets time go by, a sweep a minute.
func (p *post) pass(minutes int) {
	p.t.Helper()
	for range minutes {
		p.Clock.Advance(time.Minute)
		p.sweep()
	}
}

// rows are the attempts at C1D1 of the first participant as text.
func (p *post) rows() string {
	p.t.Helper()
	found, err := p.Deliveries(p.t.Context(), study.AssessmentFor(p.people[0], "C1D1"))
	p.check(err)
	var out []string
	for _, d := range found {
		text := fmt.Sprintf("%d %s", d.Attempt, d.StatusAt(study.InstantOf(p.Clock.Now())))
		if d.Outcome != nil {
			if text += " " + d.Outcome.Reason; d.Outcome.Dead {
				text += " given up"
			}
		} else {
			text += " " + d.Reason
		}
		out = append(out, strings.TrimSpace(text))
	}
	return strings.Join(out, ", ")
}

func (p *post) want(rows string, sent int) {
	p.t.Helper()
	if got := p.rows(); got != rows || len(p.sender.sent) != sent {
		p.t.Errorf("%d sent; rows %q, want %d and %q", len(p.sender.sent), got, sent, rows)
	}
}

func TestAReminderLeavesOnceWithOpaqueData(t *testing.T) {
	p := newPost(t, 1)
	p.sweep()
	p.pass(60)
	p.want("1 accepted", 1)
	m := p.sender.sent[0]
	all := strings.Join([]string{m.Delivery, m.Assessment, m.Collapse, m.Title, m.Body}, " ")
	for _, word := range []string{"C1D1", string(p.people[0]), "S01", "inetetamab", "fact", "due", "opens"} {
		if strings.Contains(strings.ToLower(all), strings.ToLower(word)) {
			t.Errorf("%q is in %q", word, all)
		}
	}
	if len(m.Collapse) > 32 || m.Target.Value != "phone-0" {
		t.Errorf("collapse %q, target %s", m.Collapse, m.Target)
	}
}

// Between the claim and the sending everything is looked at again.
func TestWhatComesBetweenClaimAndSendingStopsTheMessage(t *testing.T) {
	fact := func(kind study.FactKind) func(p *post) study.Command {
		return func(p *post) study.Command {
			return study.RecordFact{Kind: kind, Level: study.LevelTrial, On: study.PartialDate(study.DateOf(p.Clock.Now()).String()), Reason: "x"}
		}
	}
	for why, c := range map[string]func(p *post) study.Command{
		"completed": func(p *post) study.Command {
			return testkit.Form(p.people[0], "C1D1", study.SubmissionID(p.NewID()), p.Clock.Now(), testkit.Answers(1))
		},
		"not_expected": fact(study.FactWithdrawn),
		"paused":       func(*post) study.Command { return study.PauseReminders{Paused: true} },
		"reported_dead": func(*post) study.Command {
			return study.RecordContact{Channel: "phone", Outcome: study.OutcomeReportedDead}
		},
		"upcoming": func(p *post) study.Command {
			return study.RecordCycle{N: 1, StartedOn: testkit.Cycle1 + 5, Kind: study.CyclePlanned, Reason: "x", Confirm: true}
		},
	} {
		p := newPost(t, 1)
		p.store.claimed = func() {
			command := c(p)
			by := p.Coordinator
			switch command.(type) {
			case study.SubmitForm, study.PauseReminders:
				by = testkit.Phone(p.people[0])
			}
			// Another process records it: this one's memory knows nothing of it.
			other := study.NewService(p.Store, p.Clock.Now, p.NewID)
			if _, err := other.Do(context.Background(), study.Request{By: by}, p.people[0], command); err != nil {
				t.Errorf("%s: %v", why, err)
			}
		}
		p.sweep()
		p.pass(30)
		p.want("1 skipped "+why, 0)
	}
}

func TestADeviceThatLeftBetweenClaimAndSendingGetsNothing(t *testing.T) {
	p := newPost(t, 2)
	p.store.claimed = func() { p.register(p.people[1], "phone-0"); p.register(p.people[0], "phone-1") }
	p.sweep()
	p.pass(20)
	for _, m := range p.sender.sent {
		for i, id := range p.people {
			if m.Assessment == study.OpaqueID(string(study.AssessmentFor(id, "C1D1"))) && m.Target.Value == fmt.Sprint("phone-", i) {
				t.Errorf("a reminder of participant %d went to the phone of the other", i)
			}
		}
	}
}

// What becomes of the token, the reminder and the circuit, by class of failure.
func TestEachClassOfFailureHasItsConsequence(t *testing.T) {
	const ok = reminders.Accepted
	for name, c := range map[string]struct {
		answers []reminders.Outcome
		rows    string
		sent    int
		devices int
	}{
		"unregistered": {[]reminders.Outcome{{Status: reminders.RejectedTarget, Reason: "unregistered", Target: reminders.Delete, Burns: true}}, "1 rejected_target unregistered", 1, 0},
		"sender mismatch": {[]reminders.Outcome{{Status: reminders.RejectedTarget, Reason: "sender_mismatch", Target: reminders.Disable, Burns: true}},
			"1 rejected_target sender_mismatch", 1, 1},
		"payload":      {[]reminders.Outcome{{Status: reminders.RejectedPayload, Reason: "invalid"}}, "1 rejected_payload invalid given up", 1, 1},
		"busy once":    {[]reminders.Outcome{{Status: reminders.Retry, Reason: "unavailable", Burns: true}, {Status: ok}}, "1 retry unavailable, 2 accepted", 2, 1},
		"in doubt":     {[]reminders.Outcome{{Status: reminders.Unknown, Reason: "timeout", Burns: true}}, "1 unknown timeout, 2 unknown timeout given up", 2, 1},
		"wrong key":    {[]reminders.Outcome{{Status: reminders.Retry, Reason: "wrong_project", Scope: reminders.WholeProject, Pause: 15 * time.Minute, Alarm: true}, {Status: ok}}, "1 retry wrong_project, 2 accepted", 2, 1},
		"asks to wait": {[]reminders.Outcome{{Status: reminders.Retry, Reason: "quota", Wait: 40 * time.Minute, Burns: true}, {Status: ok}}, "1 retry quota, 2 accepted", 2, 1},
	} {
		p := newPost(t, 1)
		p.sender.answers = c.answers
		p.sweep()
		p.pass(90)
		if got := p.rows(); got != c.rows || len(p.sender.sent) != c.sent {
			t.Errorf("%s: %d sent, rows %q; want %d, %q", name, len(p.sender.sent), got, c.sent, c.rows)
		}
		devices, err := p.Devices(t.Context(), p.people[0])
		p.check(err)
		if len(devices) != c.devices {
			t.Errorf("%s: %d devices are left, want %d", name, len(devices), c.devices)
		}
		for _, m := range p.sender.sent {
			if m.Collapse != p.sender.sent[0].Collapse {
				t.Errorf("%s: a repetition with another collapse key", name)
			}
		}
	}
}

func TestARetryStopsAtEightThatCountAndIsGivenUp(t *testing.T) {
	p := newPost(t, 1)
	p.sender.answers = []reminders.Outcome{{Status: reminders.Retry, Reason: "internal", Burns: true}}
	p.sweep()
	p.pass(5 * 60)
	if rows := strings.Split(p.rows(), ", "); len(rows) != 8 || rows[7] != "8 retry internal given up" {
		t.Errorf("rows %q", rows)
	}
	w, err := p.Watch(t.Context(), p.history(), p.person(0))
	p.check(err)
	if len(w.Alerts) != 1 || w.Alerts[0].Rule != study.AlertPushesFailing {
		t.Errorf("alerts %+v", w.Alerts)
	}
}

func (p *post) history() *study.History {
	h, err := p.History(p.t.Context())
	p.check(err)
	return h
}

func (p *post) person(i int) *study.Participant {
	person, err := p.Participant(p.t.Context(), p.Coordinator, p.people[i])
	p.check(err)
	return person
}

// A fault of our configuration must not cost a reminder or a device, and is
// found out again with one message, not with all.
func TestAFaultOfTheProjectOpensTheCircuitForAllAndOneGoesFirst(t *testing.T) {
	p := newPost(t, 40)
	p.sender.answers = []reminders.Outcome{{Status: reminders.Retry, Reason: "wrong_project", Scope: reminders.WholeProject, Pause: 15 * time.Minute, Alarm: true}}
	p.sweep()
	first := len(p.sender.sent)
	if first == 0 || first > 40 {
		t.Fatalf("%d left at first", first)
	}
	p.pass(14)
	if n := len(p.sender.sent); n != first {
		t.Errorf("%d left while the circuit was open", n-first)
	}
	p.pass(3)
	if n := len(p.sender.sent) - first; n != 1 {
		t.Errorf("%d went first", n)
	}
	p.sender.mu.Lock()
	p.sender.answers = []reminders.Outcome{{Status: reminders.Accepted}}
	p.sender.mu.Unlock()
	p.pass(40)
	done := map[string]bool{}
	for _, m := range p.sender.sent[first+1:] {
		done[m.Target.Value] = true
	}
	if len(done) != 40 {
		t.Errorf("%d of 40 were reminded in the end", len(done))
	}
	for _, id := range p.people {
		if devices, err := p.Devices(t.Context(), id); err != nil || len(devices) != 1 {
			t.Errorf("devices %v, %v", devices, err)
		}
	}
}

// Many dispatchers at once, in one process: one message each.
func TestDispatchersOnOneStoreSendEachReminderOnce(t *testing.T) {
	p := newPost(t, 60)
	var all sync.WaitGroup
	for range 3 {
		other := *p.Fixture
		other.Service = study.NewService(p.Store, p.Clock.Now, p.NewID)
		d := newDispatcher(t, &other, p.sender)
		all.Go(func() {
			for range 3 {
				if _, err := d.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := map[string]int{}
	for _, m := range p.sender.sent {
		got[m.Target.Value]++
	}
	for target, n := range got {
		if n != 1 {
			t.Errorf("%s got %d", target, n)
		}
	}
	if len(got) != 60 {
		t.Errorf("%d of 60 were reminded", len(got))
	}
}

func TestAfterARestoreNothingLeavesUntilItIsConfirmed(t *testing.T) {
	p := newPost(t, 1)
	mark := func(confirmed string) {
		data := fmt.Sprintf(`{"restored_at":"2026-02-20T00:00:00.000Z","made_at":"2026-02-19T00:00:00.000Z","sha256":"","confirmed_at":%q}`, confirmed)
		p.check(p.Store.PutRecord(t.Context(), study.Record{Kind: "restored", Key: "1", At: p.Clock.Now(), Data: []byte(data)}))
	}
	mark("0001-01-01T00:00:00.000Z")
	if _, err := p.d.Sweep(t.Context()); err == nil {
		t.Error("the sweep says nothing")
	}
	p.want("", 0)
	mark("2026-02-20T01:00:00.000Z")
	p.sweep()
	p.want("1 accepted", 1)
}

func TestSettingsThatCouldSendTwiceAreRefused(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	good := reminders.Options{Study: f.Service, Store: f.Store, Now: f.Clock.Now, Senders: reminders.LogOnly(slog.New(slog.NewTextHandler(io.Discard, nil)))}
	for name, change := range map[string]func(*reminders.Options){
		"a lease below the time that a message may take": func(o *reminders.Options) { o.Lease, o.Timeout = time.Minute, 16*time.Second },
		"no sender":              func(o *reminders.Options) { o.Senders = nil },
		"a negative batch":       func(o *reminders.Options) { o.Batch = -1 },
		"no worker":              func(o *reminders.Options) { o.Workers = -1 },
		"no pause between looks": func(o *reminders.Options) { o.Poll = -1 },
	} {
		o := good
		change(&o)
		if _, err := reminders.New(o); study.CodeOf(err) != study.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Lease, good.Timeout = time.Minute, 15*time.Second
	if _, err := reminders.New(good); err != nil {
		t.Error(err)
	}
}

func TestTheLogSenderTellsNeitherTargetNorText(t *testing.T) {
	var out bytes.Buffer
	s := reminders.LogOnly(slog.New(slog.NewTextHandler(&out, nil)))[reminders.FCMToken]
	o := s.Send(t.Context(), reminders.Message{Delivery: "d1", Target: reminders.Target{Kind: reminders.FCMToken, Value: "canary"}, Title: "canary", Body: "canary"})
	if o.Status != reminders.Accepted || strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), "d1") {
		t.Errorf("%+v, %s", o, out.String())
	}
}

// Run stops when it is told to, also between two sweeps.
func TestRunStopsWithItsContext(t *testing.T) {
	p := newPost(t, 3)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	p.sender.before = func() { stop() }
	go func() {
		defer close(done)
		p.d.Run(ctx)
	}()
	<-done
	if len(p.sender.sent) == 0 {
		t.Error("nothing left")
	}
	rows, err := p.Deliveries(t.Context(), study.AssessmentFor(p.people[0], "C1D1"))
	p.check(err)
	for _, d := range rows {
		if d.Outcome == nil {
			t.Errorf("an attempt under way was left without its outcome: %+v", d)
		}
	}
}

package reminders_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/study"
)

// campaign is few in an ordinary run and many in a campaign.
func campaign(few, many int) int {
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		return many
	}
	return few
}

// tick is how often the dispatcher of the simulated year sweeps.
const tick = 5 * time.Minute

// TestCampaignAYearOfRemindersIsWhatAnIndependentOracleExpects lets participants live
// their year through the real rules, store and dispatcher: zones on both sides
// of the date line and of every edge of summer time, cycles delayed, zones
// changed, phones lost, pauses, reports of death, withdrawals taken back, deaths,
// and outages of an hour, a night and two days. Afterwards the oracle, which
// knows the States as they were and nothing of plan or ledger, says which
// messages should have left, and when.
func TestCampaignAYearOfRemindersIsWhatAnIndependentOracleExpects(t *testing.T) {
	for seed := range campaign(5, 1000) {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
			t.Parallel()
			liveYear(t, uint64(seed+1), campaign(2, 10))
		})
	}
}

// TestCampaignAYearOfFiveHundredParticipants is the same for a whole study.
func TestCampaignAYearOfFiveHundredParticipants(t *testing.T) {
	liveYear(t, 77, campaign(3, 500))
}

var yearZones = []string{"Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Asia/Urumqi"}

// deed is something that somebody does at an instant.
type deed struct {
	at time.Time
	do func()
}

// yearWorld is a study, its phones and its dispatcher.
type yearWorld struct {
	*testkit.Fixture
	t       *testing.T
	rng     *rand.Rand
	seed    uint64
	d       *reminders.Dispatcher
	deeds   []deed
	outages [][2]time.Time

	mu   sync.Mutex
	sent []sentMessage
	seen map[string]bool      // token and collapse key of what left
	dead map[string]time.Time // tokens, and since when they are dead
	live map[study.ParticipantID]*life
}

// life is what the oracle knows of a participant: every State with the instant
// from which it was so, and her phones.
type life struct {
	id      study.ParticipantID
	states  []stateAt
	devices []phoneAt
}

type stateAt struct {
	from time.Time
	p    *study.Participant
}

type phoneAt struct {
	id, token string
	seen      []time.Time // registrations
}

type sentMessage struct {
	at      time.Time
	token   string
	m       reminders.Message
	outcome reminders.Outcome
}

func liveYear(t *testing.T, seed uint64, people int) {
	t.Helper()
	f := testkit.Study(t, testkit.SQLite(t))
	w := &yearWorld{Fixture: f, t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 5)), seen: map[string]bool{}, dead: map[string]time.Time{}, live: map[study.ParticipantID]*life{}}
	w.d = newDispatcher(t, f, w)
	w.planOutages()
	for i := range people {
		w.plan(i)
	}
	w.run()
	w.judge()
}

// newDispatcher is a dispatcher on the fixture's clock, at full speed.
func newDispatcher(t testing.TB, f *testkit.Fixture, s reminders.Sender, change ...func(*reminders.Options)) *reminders.Dispatcher {
	t.Helper()
	rng, mu := rand.New(rand.NewPCG(3, 3)), sync.Mutex{}
	o := reminders.Options{Study: f.Service, Store: f.Store, Now: f.Clock.Now, PerSecond: -1, Batch: 500, Poll: tick,
		Senders: map[reminders.TargetKind]reminders.Sender{reminders.FCMToken: s}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Random: func() float64 {
			mu.Lock()
			defer mu.Unlock()
			return rng.Float64()
		}}
	for _, c := range change {
		c(&o)
	}
	d, err := reminders.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Send is the push service: dead tokens, and now and then a failure that an
// attempt later is over, or an answer that is lost.
func (w *yearWorld) Send(_ context.Context, m reminders.Message) reminders.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Clock.Now()
	message := m.Target.Value + " " + m.Collapse
	first := !w.seen[message]
	w.seen[message] = true
	o := reminders.Outcome{Status: reminders.Accepted, Scope: reminders.OneDevice}
	hash := reminders.SpreadOf(study.AssessmentID(m.Target.Value), m.Collapse) ^ w.seed
	died, isDead := w.dead[m.Target.Value]
	switch {
	case first && isDead && !now.Before(died):
		o = reminders.Outcome{Status: reminders.RejectedTarget, Reason: "unregistered", Target: reminders.Delete, Scope: reminders.OneDevice}
	case first && hash%7 == 0:
		o = reminders.Outcome{Status: reminders.Retry, Reason: "unavailable", Scope: reminders.OneDevice, Burns: true}
	case first && hash%7 == 1:
		o = reminders.Outcome{Status: reminders.Unknown, Reason: "timeout", Scope: reminders.OneDevice, Burns: true}
	}
	w.sent = append(w.sent, sentMessage{now, m.Target.Value, m, o})
	return o
}

func (w *yearWorld) at(when time.Time, do func()) { w.deeds = append(w.deeds, deed{when, do}) }

func (w *yearWorld) within(from, to time.Time) time.Time {
	if !to.After(from) {
		return from
	}
	return from.Add(time.Duration(w.rng.Int64N(int64(to.Sub(from)))))
}

// The year begins here.
var yearStart = testkit.Start

func (w *yearWorld) planOutages() {
	for _, length := range []time.Duration{time.Hour, 10 * time.Hour, 48 * time.Hour, time.Hour, 10 * time.Hour, 48 * time.Hour} {
		from := yearStart.Add(time.Duration(w.rng.IntN(380*24*60)) * time.Minute)
		w.outages = append(w.outages, [2]time.Time{from, from.Add(length)})
	}
}

func (w *yearWorld) down(at time.Time) bool {
	return slices.ContainsFunc(w.outages, func(o [2]time.Time) bool { return !at.Before(o[0]) && at.Before(o[1]) })
}

// plan lays out what happens to one participant.
func (w *yearWorld) plan(i int) {
	zone := yearZones[(i+int(w.seed))%len(yearZones)]
	enrol := testkit.NewParticipant(fmt.Sprintf("%04d", i))
	enrol.TimeZone, enrol.Language = zone, []string{"en", "zh"}[w.rng.IntN(2)]
	enrol.Cycle1On = testkit.Cycle1 + study.Date(w.rng.IntN(20))
	var l *life
	start := yearStart.Add(24*time.Hour + time.Duration(w.rng.IntN(24*60))*time.Minute)
	w.at(start, func() {
		p, err := w.Service.Enrol(context.Background(), study.Request{By: w.Coordinator}, enrol)
		if err != nil {
			w.t.Fatalf("enrol: %v", err)
		}
		l = &life{id: p.ID}
		w.live[p.ID] = l
		l.states = append(l.states, stateAt{w.Clock.Now(), p})
	})
	do := func(by study.Actor, c func(p *study.Participant) study.Command) func() {
		return func() { w.do(l, by, c) }
	}
	for n := range 1 + w.rng.IntN(3) {
		w.planPhone(&l, fmt.Sprintf("%d-%d", i, n), start.Add(time.Minute+time.Duration(n*w.rng.IntN(60*24))*time.Hour))
	}
	base := enrol.Cycle1On.UTC()
	for n, visit := range visitCodes(w) {
		due := base.AddDate(0, 0, 21*n)
		if w.rng.IntN(100) < 70 {
			w.at(w.within(due.AddDate(0, 0, -3), due.AddDate(0, 0, 12)), func() { w.fill(l, visit) })
		}
	}
	for n := 2; n <= 17; n++ {
		if w.rng.IntN(100) < 20 {
			by, planned := study.Date(1+w.rng.IntN(12)), base.AddDate(0, 0, 21*(n-1))
			w.at(w.within(planned.AddDate(0, 0, -4), planned.AddDate(0, 0, 6)), do(w.Coordinator, func(p *study.Participant) study.Command {
				return study.RecordCycle{N: n, StartedOn: p.Cycles[n-1].StartsOn + by, Kind: study.CyclePlanned, Reason: "neutropenia", Confirm: true}
			}))
		}
	}
	w.planTurns(do)
}

// planTurns lays out what may stop reminders, and what lets them go on.
func (w *yearWorld) planTurns(do func(study.Actor, func(*study.Participant) study.Command) func()) {
	some := func() time.Time {
		return yearStart.Add(time.Duration(5+w.rng.IntN(360)) * 24 * time.Hour).Add(time.Duration(w.rng.IntN(86400)) * time.Second)
	}
	later := func(at time.Time) time.Time { return at.Add(time.Duration(1+w.rng.IntN(40*24)) * time.Hour) }
	switch at := some(); w.rng.IntN(8) {
	case 0:
		w.at(at, do(w.Coordinator, func(*study.Participant) study.Command {
			return study.RecordFact{Kind: study.FactWithdrawn, Level: study.LevelQuestionnaires, On: study.PartialDate(study.DateOf(at).String()), Reason: "she asked"}
		}))
		if w.rng.IntN(2) == 0 {
			w.at(later(at), do(w.Coordinator, func(p *study.Participant) study.Command {
				if f := p.Fact(study.FactWithdrawn); f != nil {
					return study.RetractFact{Seq: f.Seq, Reason: "misunderstood"}
				}
				return nil
			}))
		}
	case 1:
		w.at(at, do(w.Coordinator, func(*study.Participant) study.Command {
			return study.RecordFact{Kind: study.FactDeceased, On: study.PartialDate(study.DateOf(at.AddDate(0, 0, -1)).String()), Reason: "by her family"}
		}))
	case 2:
		w.at(at, do(w.Coordinator, func(*study.Participant) study.Command {
			return study.RecordContact{Channel: "relative", Outcome: study.OutcomeReportedDead}
		}))
		w.at(later(at), do(w.Coordinator, func(*study.Participant) study.Command {
			return study.RecordContact{Channel: "phone", Outcome: study.OutcomeReached}
		}))
	case 3, 4:
		w.at(at, do(study.Actor{}, func(p *study.Participant) study.Command { return study.PauseReminders{Paused: true} }))
		w.at(later(at), do(study.Actor{}, func(p *study.Participant) study.Command { return study.PauseReminders{Paused: false} }))
	case 5, 6:
		to := yearZones[w.rng.IntN(len(yearZones))]
		w.at(at, do(w.Coordinator, func(*study.Participant) study.Command { return study.ChangeParticipant{TimeZone: to, Reason: "moved"} }))
	}
}

// planPhone lets a phone register every month until it is lost or dies.
func (w *yearWorld) planPhone(l **life, token string, from time.Time) {
	phone := phoneAt{id: token, token: token}
	until := from.AddDate(2, 0, 0)
	if w.rng.IntN(3) == 0 { // its token dies; the app is gone, so it never registers again
		until = from.Add(time.Duration(w.rng.IntN(300*24)) * time.Hour)
		w.dead[token] = until
	}
	n := -1
	for at := from; at.Before(until) && at.Before(yearStart.AddDate(1, 3, 0)); at = at.AddDate(0, 0, 25) {
		w.at(at, func() {
			err := w.RegisterDevice(context.Background(), testkit.Phone((*l).id), study.Registration{ID: study.DeviceID(phone.id), Platform: "android",
				Target: study.PushTarget{Kind: study.TargetFCMToken, Value: token}})
			if err != nil {
				return // she has left
			}
			if n < 0 {
				n = len((*l).devices)
				(*l).devices = append((*l).devices, phone)
			}
			(*l).devices[n].seen = append((*l).devices[n].seen, w.Clock.Now())
		})
	}
}

func visitCodes(w *yearWorld) []string {
	h, err := w.History(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, v := range h.Current().Visits {
		out = append(out, v.Code)
	}
	return out
}

// do carries out a command; one that the rules refuse did not happen.
func (w *yearWorld) do(l *life, by study.Actor, c func(*study.Participant) study.Command) {
	if by.Role == "" {
		by = testkit.Phone(l.id)
	}
	command := c(l.states[len(l.states)-1].p)
	if command == nil {
		return
	}
	res, err := w.Do(context.Background(), study.Request{By: by}, l.id, command)
	if err == nil && res.Event != "" {
		l.states = append(l.states, stateAt{w.Clock.Now(), res.After})
	}
}

func (w *yearWorld) fill(l *life, visit string) {
	form := testkit.Form(l.id, visit, study.SubmissionID(w.NewID()), w.Clock.Now(), testkit.Answers(1))
	w.do(l, testkit.Phone(l.id), func(*study.Participant) study.Command { return form })
}

// run lets the year pass: deeds at their instants, the dispatcher at every tick
// at which its cursors say that somebody is due, or after a deed.
func (w *yearWorld) run() {
	ctx := context.Background()
	slices.SortStableFunc(w.deeds, func(a, b deed) int { return a.at.Compare(b.at) })
	end := yearStart.AddDate(1, 2, 0)
	now := yearStart
	for i := 0; now.Before(end); {
		next := end
		if due, err := w.Store.RecordsBetween(ctx, reminders.CursorKind, study.RecordPlace{}, end, 1); err != nil {
			w.t.Fatal(err)
		} else if len(due) > 0 && due[0].At.Before(next) {
			next = due[0].At
		}
		if i < len(w.deeds) && w.deeds[i].at.Before(next) {
			next = w.deeds[i].at
		}
		now = onGrid(maxOf(next, now.Add(time.Second)))
		for w.down(now) {
			now = now.Add(tick)
		}
		for ; i < len(w.deeds) && !w.deeds[i].at.After(now); i++ {
			w.Clock.Set(maxOf(w.deeds[i].at, w.Clock.Now()))
			w.deeds[i].do()
		}
		w.Clock.Set(now)
		if err := w.d.Follow(ctx); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.d.Sweep(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// onGrid is the first tick at or after an instant.
func onGrid(at time.Time) time.Time {
	if cut := at.Truncate(tick); cut.Before(at) {
		return cut.Add(tick)
	}
	return at
}

func maxOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// judge compares what was sent with what the oracle expects.
func (w *yearWorld) judge() {
	var want, got []string
	for _, l := range w.live {
		want = append(want, w.expect(l)...)
	}
	collapse := map[string]int{}
	doubt := map[string]bool{}
	accepted := map[string]int{}
	for _, s := range w.sent {
		key := s.token + " " + s.m.Collapse
		if collapse[key]++; collapse[key] == 1 {
			got = append(got, fmt.Sprintf("%s %s to %s", s.at.Format(time.DateTime), s.m.Collapse, s.token))
		}
		switch s.outcome.Status {
		case reminders.Accepted:
			accepted[key]++
		case reminders.Unknown:
			doubt[key] = true
		}
		if collapse[key] > 2 {
			w.t.Errorf("%s left %d times", key, collapse[key])
		}
	}
	for key, n := range accepted {
		if n > 1 && !doubt[key] {
			w.t.Errorf("%s was accepted %d times without doubt", key, n)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := difference(want, got); diff != "" {
		w.t.Errorf("seed %d: %d sent, %d expected\n%s", w.seed, len(got), len(want), diff)
	}
	w.invariants()
	w.t.Logf("seed %d: %d participants, %d messages, %d of them again", w.seed, len(w.live), len(w.sent), len(w.sent)-len(got))
}

func difference(want, got []string) string {
	var out []string
	for _, s := range want {
		if _, found := slices.BinarySearch(got, s); !found {
			out = append(out, "missing "+s)
		}
	}
	for _, s := range got {
		if _, found := slices.BinarySearch(want, s); !found {
			out = append(out, "too much "+s)
		}
	}
	when := func(s string) string { return s[max(strings.Index(s, "20"), 0):] }
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(when(a), when(b)) })
	return strings.Join(out[:min(len(out), 12)], "\n")
}

// stateAt is the State at an instant.
func (l *life) at(when time.Time) *study.Participant {
	var p *study.Participant
	for _, s := range l.states {
		if !s.from.After(when) {
			p = s.p
		}
	}
	return p
}

// invariants hold whatever a plan says: each message, checked by itself.
func (w *yearWorld) invariants() {
	steps := map[study.AssessmentID]map[string]bool{}
	for _, s := range w.sent {
		a, p := w.find(s)
		if a == nil {
			w.t.Fatalf("a message names no assessment: %+v", s.m)
		}
		local := s.at.In(p.Zone())
		switch minute := local.Hour()*60 + local.Minute(); {
		case minute >= 21*60 || minute < 8*60:
			w.t.Errorf("a message left in the quiet hours, at %s", local)
		case a.Standing() != nil:
			w.t.Errorf("a message left after completion of %s", a.Visit)
		case p.Fact(study.FactWithdrawn) != nil, p.Fact(study.FactDeceased) != nil, p.ReportedDead() != nil, !p.PausedAt.IsZero():
			w.t.Errorf("a message left to somebody who had left, was reported dead or had paused")
		case s.at.Before(a.Window.OpensAt().Time()) || !s.at.Before(a.Window.ClosesAt().Time()):
			w.t.Errorf("a message left at %s outside the window of %s", local, a.Visit)
		}
		if steps[a.ID] == nil {
			steps[a.ID] = map[string]bool{}
		}
		if steps[a.ID][s.m.Collapse] = true; len(steps[a.ID]) > 4 {
			w.t.Errorf("%d messages for %s", len(steps[a.ID]), a.ID)
		}
		if left := s.m.ExpiresAt.Sub(s.at); left > 12*time.Hour || left < 0 {
			w.t.Errorf("a message lives for %s", left)
		}
	}
}

// find is the assessment that a message names, in the State when it left.
func (w *yearWorld) find(s sentMessage) (*study.Assessment, *study.Participant) {
	for _, l := range w.live {
		if !slices.ContainsFunc(l.devices, func(d phoneAt) bool { return d.token == s.token }) {
			continue
		}
		p := l.at(s.at)
		for i := range p.Assessments {
			if study.OpaqueID(string(p.Assessments[i].ID)) == s.m.Assessment {
				return &p.Assessments[i], p
			}
		}
	}
	return nil, nil
}

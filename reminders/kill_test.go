package reminders_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/reminders"
	"epro/store/sqlite"
	"epro/study"
)

// The variables that make this test's binary a dispatcher of a wave.
const (
	waveStore = "EPRO_TEST_WAVE_STORE"
	waveSent  = "EPRO_TEST_WAVE_SENT"
	waveDies  = "EPRO_TEST_WAVE_DIES" // at its so many-th message; 0: never
)

// waveStart is five past nine on the day on which every window opens.
var waveStart = func() time.Time {
	zone, _ := study.LoadZone(testkit.Zone)
	return study.WallTime(testkit.Cycle1-7, 9*60+13, zone)
}()

// outbox is a push service of one process: a message has left when its line is
// in the file. At the message that it dies at, the process is killed between
// that line and the outcome, while its other messages are on their way.
type outbox struct {
	file *os.File
	dies int

	mu   sync.Mutex
	sent int
}

func (o *outbox) Send(_ context.Context, m reminders.Message) reminders.Outcome {
	if _, err := fmt.Fprintf(o.file, "%s %s\n", m.Target.Value, m.Collapse); err != nil {
		return reminders.Outcome{Status: reminders.Retry, Reason: "file"}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent++; o.sent == o.dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return reminders.Outcome{Status: reminders.Accepted}
}

func openOutbox(t *testing.T, path string, dies int) *outbox {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return &outbox{file: file, dies: dies}
}

// dispatcherOn is a dispatcher on a store that others use as well.
func dispatcherOn(t *testing.T, path string, s reminders.Sender, now func() time.Time) (*reminders.Dispatcher, *testkit.Fixture) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	f := &testkit.Fixture{Store: st, Clock: testkit.NewClock(now()), NewID: testkit.IDs(uint64(os.Getpid()))}
	f.Service = study.NewService(st, f.Clock.Now, f.NewID)
	return newDispatcher(t, f, s), f
}

// TestDispatcherOfAWave is no test: it is the process that a wave starts.
func TestDispatcherOfAWave(t *testing.T) {
	path := os.Getenv(waveStore)
	if path == "" {
		return // an ordinary run: the test below starts it
	}
	dies, err := strconv.Atoi(os.Getenv(waveDies))
	if err != nil {
		t.Fatal(err)
	}
	d, f := dispatcherOn(t, path, openOutbox(t, os.Getenv(waveSent), dies), func() time.Time { return waveStart })
	for {
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if due, err := f.Store.RecordsBetween(t.Context(), reminders.CursorKind, study.RecordPlace{}, waveStart, 1); err != nil || len(due) == 0 {
			return
		}
	}
}

// TestCampaignAKilledDispatcherLosesNoReminderAndDoublesOnlyWhatWasInDoubt runs
// three processes on one store and kills one with SIGKILL in the middle of a
// wave, again and again.
func TestCampaignAKilledDispatcherLosesNoReminderAndDoublesOnlyWhatWasInDoubt(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	doubles, kills := 0, campaign(3, 50)
	for range kills {
		doubles += wave(t, 40, 1+rng.IntN(12))
	}
	t.Logf("%d kills, %d reminders in doubt and sent again, none lost", kills, doubles)
}

func wave(t *testing.T, people, dies int) (doubles int) {
	t.Helper()
	dir := t.TempDir()
	path, sent := filepath.Join(dir, "epro.db"), filepath.Join(dir, "sent")
	ids := prepareWave(t, path, people)
	var all sync.WaitGroup
	for i := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDispatcherOfAWave$")
		cmd.Env = append(os.Environ(), waveStore+"="+path, waveSent+"="+sent, waveDies+"="+strconv.Itoa(map[int]int{0: dies}[i]))
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			if err != nil && (i != 0 || !strings.Contains(err.Error(), "killed")) {
				t.Errorf("dispatcher %d: %v\n%s", i, err, out)
			}
		})
	}
	all.Wait()
	// The survivors go on once the lease of the dead one has run out.
	now := waveStart
	d, f := dispatcherOn(t, path, openOutbox(t, sent, 0), func() time.Time { return now })
	for range 10 {
		f.Clock.Advance(time.Minute)
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return judgeWave(t, f, sent, ids)
}

// prepareWave enrols people whose first reminder is due, each with a phone.
func prepareWave(t *testing.T, path string, people int) map[string]study.ParticipantID {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	f := testkit.Study(t, st)
	ids := map[string]study.ParticipantID{}
	for i := range people {
		id, token := f.Enrol(t, fmt.Sprint(i)).ID, fmt.Sprint("phone-", i)
		ids[token] = id
		err := f.RegisterDevice(t.Context(), testkit.Phone(id), study.Registration{ID: "d", Platform: "android", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: token}})
		if err != nil {
			t.Fatal(err)
		}
	}
	d := newDispatcher(t, f, nothing{})
	if err := d.Recompute(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return ids
}

type nothing struct{}

func (nothing) Send(context.Context, reminders.Message) reminders.Outcome {
	return reminders.Outcome{Status: reminders.Accepted}
}

// judgeWave compares what left with the ledger.
func judgeWave(t *testing.T, f *testkit.Fixture, sent string, ids map[string]study.ParticipantID) (doubles int) {
	t.Helper()
	file, err := os.Open(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	left := map[string][]string{} // collapse keys by token
	for lines := bufio.NewScanner(file); lines.Scan(); {
		token, collapse, _ := strings.Cut(lines.Text(), " ")
		left[token] = append(left[token], collapse)
	}
	for token, id := range ids {
		rows, err := f.Deliveries(t.Context(), study.AssessmentFor(id, "C1D1"))
		if err != nil {
			t.Fatal(err)
		}
		doubt := 0
		for _, d := range rows {
			if d.Outcome == nil {
				t.Errorf("%s: attempt %d has no outcome", token, d.Attempt)
			} else if d.Outcome.Status == study.DeliveryUnknown {
				doubt++
			}
		}
		keys := left[token]
		switch n := len(keys); {
		case n == 0:
			t.Errorf("%s was never reminded", token)
		case n > 2, n == 2 && doubt == 0:
			t.Errorf("%s was reminded %d times, %d in doubt", token, n, doubt)
		case n == 2 && keys[0] != keys[1]:
			t.Errorf("%s: two messages that do not replace each other", token)
		case n == 2:
			doubles++
		}
	}
	return doubles
}

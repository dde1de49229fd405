package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/export"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// TestDrillABackupMadeUnderLoadRestoresElsewhere is the drill that an operator
// should make now and then: back up while forms arrive, restore on another
// machine, verify, rebuild, and export the same bytes.
func TestDrillABackupMadeUnderLoadRestoresElsewhere(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	people := preparePhones(t, here, 0, 96)
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(here), "-rate-limit", "0")
	url := p.serving(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 10 * time.Second}
	acked := sendAll(t, client, url, people[:32])
	cut := time.Now()

	file := filepath.Join(here, "study.backup")
	var loaded sync.WaitGroup
	var under atomic.Int64
	begun := make(chan struct{})
	loaded.Go(func() {
		for _, ph := range people[32:] {
			if _, ok := sendBaseline(client, url, ph); !ok {
				t.Error("a form was refused while the backup ran")
				return
			}
			if under.Add(1) == 4 {
				close(begun)
			}
		}
	})
	<-begun
	code, out, errs := runHere(t, "backup", file, "-store", storeIn(here))
	during := under.Load()
	loaded.Wait()
	terminate(t, p)
	if code != exitGood || !strings.Contains(out, "sha256 ") {
		t.Fatalf("backup: %d %s %s", code, out, errs)
	}
	t.Logf("%d of %d forms of the load were in when the backup ended", during, len(people)-32)

	restoreElsewhere(t, file, storeIn(here), storeIn(there), cut, acked)
}

// The same on MongoDB, where a backup waits until the last writes have settled
// and then reads the log while it grows. Four forms arrive after its first look.
func TestDrillABackupOfMongoDBMadeUnderLoadRestoresElsewhere(t *testing.T) {
	t.Parallel()
	here, there, secret := mongotest.Database(t), mongotest.Database(t), secretIn(t)
	people := preparePhonesIn(t, here, secret, 0, 8)
	p, url := serveOn(t, here, secret)
	client := &http.Client{Timeout: time.Minute}
	acked := sendAll(t, client, url, people[:2])
	cut := time.Now()
	folder := t.TempDir()
	file, before, after := filepath.Join(folder, "backup"), filepath.Join(folder, "before"), filepath.Join(folder, "after")
	mustRun(t, "verify", "-store", here, "-secret", secret, "-write-checkpoint", before)

	slow := mongotest.NewProxy(t, here)
	var looked sync.Once
	slow.Set(func(said string, ask func() ([]byte, error)) ([]byte, error) {
		answer, err := ask()
		if said == "find events" {
			looked.Do(func() { sendAll(t, client, url, people[4:]) })
		}
		return answer, err
	})
	code, out, errs := 0, "", ""
	var made sync.WaitGroup
	made.Go(func() { code, out, errs = runHere(t, "backup", file, "-store", slow.URL) })
	sendAll(t, client, url, people[2:4])
	made.Wait()
	terminate(t, p)
	if code != exitGood || !strings.Contains(out, "sha256 ") {
		t.Fatalf("backup: %d %s %s", code, out, errs)
	}
	mustRun(t, "verify", "-store", here, "-secret", secret, "-write-checkpoint", after)

	restoreElsewhere(t, file, here, there, cut, acked)
	if out := mustRun(t, "verify", "-store", there, "-secret", secret, "-checkpoint", before); !strings.Contains(out, "differences 0\n") {
		t.Errorf("against the checkpoint of before: %s", out)
	}
	code, out, errs = runHere(t, "verify", "-store", there, "-secret", secret, "-checkpoint", after)
	for _, ph := range people[4:] {
		if code != exitFailed || !strings.Contains(out, string(ph.person.Stream())) {
			t.Errorf("against the checkpoint of after: exit %d, and not a word of %s\n%s%s", code, ph.person, out, errs)
		}
	}
}

// restoreElsewhere is the second half of the drill: restore, verify, rebuild, and
// export at a cut that lies before the load.
func restoreElsewhere(t *testing.T, file, here, there string, cut time.Time, acked map[study.SubmissionID]ack) {
	t.Helper()
	mustRun(t, "restore", file, "-store", there)
	if out := mustRun(t, "verify", "-store", there); !strings.Contains(out, "faults 0") {
		t.Errorf("verify: %s", out)
	}
	before := exportAt(t, there, cut, export.Everything, export.Zip)
	mustRun(t, "rebuild", "-store", there)
	original, restored := exportAt(t, here, cut, export.Everything, export.Zip), exportAt(t, there, cut, export.Everything, export.Zip)
	if !bytes.Equal(original, restored) || !bytes.Equal(before, restored) {
		t.Errorf("the exports differ: %d, %d and %d bytes", len(original), len(before), len(restored))
	}
	forms := exportAt(t, there, cut, "items_wide", "csv")
	if rows, want := bytes.Count(forms, []byte("\n"))-1, recordedBy(t, here, cut); rows != want || want < len(acked) {
		t.Errorf("%d forms are in the export; %d were recorded by the cut, %d receipts were out", rows, want, len(acked))
	}
	checkAfterKill(t, there, acked)
	restoredIsEarlierState(t, here, there)
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := runHere(t, args...)
	if code != exitGood {
		t.Fatalf("epro %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

func sendAll(t *testing.T, client *http.Client, url string, people []phone) map[study.SubmissionID]ack {
	t.Helper()
	acked := map[study.SubmissionID]ack{}
	for _, ph := range people {
		a, ok := sendBaseline(client, url, ph)
		if !ok {
			t.Fatal("a form was refused")
		}
		acked[a.form] = a
	}
	return acked
}

// recordedBy counts the forms that the log has up to the cut: the first of the
// load may share its millisecond.
func recordedBy(t *testing.T, storeURL string, cut time.Time) int {
	t.Helper()
	_, st, err := openService(t.Context(), storeURL)
	if err != nil {
		t.Fatal(err)
	}
	forms := 0
	for n, err := range st.Entries(t.Context(), "participant/") {
		if err != nil {
			t.Fatal(err)
		}
		if n.Type == (study.SubmissionReceived{}).EventType() && !n.At.After(cut) {
			forms++
		}
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	return forms
}

// exportAt is what an analyst gets at a cut that lies well back.
func exportAt(t *testing.T, storeURL string, cut time.Time, dataset, format string) []byte {
	t.Helper()
	later := func() time.Time { return cut.Add(time.Hour) }
	svc, st, err := openAt(t.Context(), storeURL, later)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	return exportOf(t, svc, cut, dataset, format)
}

func exportOf(t *testing.T, svc *study.Service, cut time.Time, dataset, format string) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := export.Write(t.Context(), svc, study.System("export"), export.Options{Dataset: dataset, Format: format,
		Cut: export.Cut{At: study.InstantOf(cut).Time(), Final: true}, Demonstration: export.Include, Program: "test"}, &out)
	if err != nil {
		t.Fatalf("%s as %s: %v", dataset, format, err)
	}
	return out.Bytes()
}

// restoredIsEarlierState checks that every restored participant's record is the
// beginning of what the server went on to write.
func restoredIsEarlierState(t *testing.T, here, there string) {
	t.Helper()
	ctx := context.Background()
	_, original, err := openService(ctx, here)
	if err != nil {
		t.Fatal(err)
	}
	_, restored, err := openService(ctx, there)
	if err != nil {
		t.Fatal(err)
	}
	for n, err := range restored.Entries(ctx, "participant/") {
		if err != nil {
			t.Fatal(err)
		}
		found, err := original.EntryByID(ctx, n.ID)
		if err != nil || found.Hash != n.Hash {
			t.Fatalf("%s seq %d is not in the original: %v", n.Stream, n.Seq, err)
		}
	}
	for _, st := range []study.Store{original, restored} {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A store that was restored serves with the secret of the one that it came
// from, and not without it.
func TestARestoredStoreServesWithTheOldSecretOnly(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	serveOnce(t, here)
	file := filepath.Join(here, "study.backup")
	mustRun(t, "backup", file, "-store", storeIn(here))
	mustRun(t, "restore", file, "-store", storeIn(there))
	code, _, errs := runHere(t, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(there))
	if code != exitFailed || !strings.Contains(errs, "secret") {
		t.Fatalf("without the secret: exit %d %s", code, errs)
	}
	secret, err := os.ReadFile(filepath.Join(here, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(there, "secret.key"), string(secret))
	serveOnce(t, there)
}

func TestARestoreIsConfirmedByAnAdministratorOnly(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	serveOnce(t, here)
	for _, role := range []string{"admin", "analyst"} {
		mustRun(t, "staff", "add", "-store", storeIn(here), "-username", "the-"+role, "-role", role)
	}
	file := filepath.Join(here, "study.backup")
	mustRun(t, "backup", file, "-store", storeIn(here))
	mustRun(t, "restore", file, "-store", storeIn(there))
	confirm := func(dir string, more ...string) (int, string, string) {
		return runHere(t, append([]string{"restore", "-confirm", "-store", storeIn(dir)}, more...)...)
	}
	for words, args := range map[string][]string{
		"takes -by":                {},
		"and no file":              {"-by", "the-admin", "-note", "x", file},
		"no account \"nobody\"":    {"-by", "nobody", "-note", "x"},
		"by: must be the account":  {"-by", "the-analyst", "-note", "x"},
		"note: say who was asked,": {"-by", "the-admin", "-note", " "},
	} {
		if code, out, errs := confirm(there, args...); code == exitGood || out != "" || !strings.Contains(errs, words) {
			t.Errorf("%v: exit %d %s%s", args, code, out, errs)
		}
	}
	if code, _, errs := confirm(here, "-by", "the-admin", "-note", "x"); code != exitFailed || !strings.Contains(errs, "no backup") {
		t.Errorf("a store that was not restored: exit %d %s", code, errs)
	}
	code, out, errs := confirm(there, "-by", "the-admin", "-note", "nobody was reminded since")
	if code != exitGood || !strings.Contains(out, "confirmed_by the-admin\n") {
		t.Errorf("exit %d %s%s", code, out, errs)
	}
	if code, _, errs := confirm(there, "-by", "the-admin", "-note", "x"); code != exitFailed || !strings.Contains(errs, "already") {
		t.Errorf("a second time: exit %d %s", code, errs)
	}
}

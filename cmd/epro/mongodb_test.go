package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/export"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// secretIn makes a secret file, which every process on one MongoDB shares.
func secretIn(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret.key")
	write(t, file, strings.Repeat("ab", 32)+"\n")
	return file
}

// serveOn starts a server on a store that others serve as well.
func serveOn(t *testing.T, storeURL, secret string) (*process, string) {
	t.Helper()
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeURL, "-secret", secret, "-rate-limit", "0", "-password-only",
		"-request-time", "2m")
	return p, p.serving(t)
}

// Every phone sends its form to both servers at once, twice to each, as one
// that does not wait for answers does: 64 clients, four for each of 16 phones.
// The campaign has more phones, which take turns.
func TestTwoServersOnOneMongoDBTakeEachFormOnce(t *testing.T) {
	url, secret := mongotest.Database(t), secretIn(t)
	people := preparePhonesIn(t, url, secret, 0, campaign(16, 256))
	var servers [2]*process
	var bases [2]string
	for i := range servers {
		servers[i], bases[i] = serveOn(t, url, secret)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: 3 * time.Minute}
	acks := map[study.SubmissionID]ack{}
	var mu sync.Mutex
	var phones sync.WaitGroup
	queue := make(chan phone, len(people))
	for _, ph := range people {
		queue <- ph
	}
	close(queue)
	for range 16 {
		phones.Go(func() {
			for ph := range queue {
				a, err := sendEverywhere(client, bases, ph)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acks[a.form] = a
				mu.Unlock()
			}
		})
	}
	phones.Wait()
	for _, p := range servers {
		terminate(t, p)
	}
	if len(acks) != len(people) {
		t.Fatalf("%d receipts for %d phones", len(acks), len(people))
	}
	svc, st, err := openService(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := svc.KeepRepaired(t.Context()); err != nil { // as the servers do each minute
		t.Fatal(err)
	}
	checkReceipts(t, svc, acks)
	if report, err := svc.Verify(t.Context()); err != nil || report.Snapshots != report.Participants || report.Forms != len(acks) {
		t.Errorf("%+v %v", report, err) // that each snapshot is what a rebuild makes is among what verify compares
	}
}

// sendEverywhere sends one form four times at once, to two servers, and then
// once more, and wants one receipt.
func sendEverywhere(client *http.Client, bases [2]string, ph phone) (ack, error) {
	form, body := newForm()
	var receipts [5]ack
	var errs [5]error
	send := func(i int) { receipts[i], errs[i] = insist(client, bases[i%len(bases)], ph, form, body) }
	var atOnce sync.WaitGroup
	for i := range 4 {
		atOnce.Go(func() { send(i) })
	}
	atOnce.Wait()
	send(4)
	for i, err := range errs {
		if err != nil {
			return ack{}, err
		}
		if !bytes.Equal(receipts[0].body, receipts[i].body) {
			return ack{}, fmt.Errorf("two receipts for one form: %s and %s", receipts[0].body, receipts[i].body)
		}
	}
	return receipts[0], nil
}

// insist sends a form until it is answered with something else than "unavailable".
func insist(client *http.Client, base string, ph phone, form study.SubmissionID, body []byte) (ack, error) {
	for {
		status, answer, err := sendForm(client, base, ph, form, body)
		switch {
		case err != nil:
			return ack{}, err
		case status == http.StatusServiceUnavailable:
			continue
		case status != http.StatusCreated && status != http.StatusOK:
			return ack{}, fmt.Errorf("%d %s", status, answer)
		}
		return ack{ph.person, form, answer}, nil
	}
}

// A process dies after an event was written and before its snapshot is. Lists
// are made of snapshots; they miss nothing once a server has looked, which each
// does at its start and every minute.
func TestWhatAKilledServerLeftUnfinishedIsInEveryListAgain(t *testing.T) {
	if study.RepairEvery > time.Minute {
		t.Errorf("what lags is looked for every %v only", study.RepairEvery)
	}
	url, secret := mongotest.Database(t), secretIn(t)
	people := preparePhonesIn(t, url, secret, 0, 1)
	coordinator := newCoordinator(t, url, secret)
	p := mongotest.NewProxy(t, url)
	written := make(chan struct{}, 1)
	dying, base := serveOn(t, p.URL, secret)
	token := tokenOf(t, base, coordinator)
	p.Set(func(said string, ask func() ([]byte, error)) ([]byte, error) {
		if said == "update snapshots" {
			written <- struct{}{}
			<-t.Context().Done() // it never arrives
			return nil, mongotest.ErrReset
		}
		return ask()
	})
	go func() { // nobody hears the answer
		_, _, _ = post(base, token, "/v1/participants", enrolmentOf("lost-1"))
	}()
	<-written
	_ = dying.cmd.Process.Kill()
	dying.wait(t)

	svc, st, err := openService(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	listed := func() int {
		all, err := st.Snapshots(t.Context(), study.SnapshotQuery{Kind: "participant"})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := listed(); n != len(people) {
		t.Fatalf("%d are listed before the repair: the server was not killed between the two writes", n)
	}
	next, base := serveOn(t, url, secret)
	token = tokenOf(t, base, coordinator)
	for list := ""; !strings.Contains(list, "lost-1"); { // the repair runs beside the first requests
		_, body, err := get(base, token, "/v1/participants")
		if err != nil {
			t.Fatal(err)
		}
		list = string(body)
	}
	terminate(t, next)
	report, err := svc.Verify(t.Context())
	if err != nil || len(report.Faults) > 0 || report.Participants != len(people)+1 || report.Snapshots != report.Participants {
		t.Errorf("%+v %v", report, err)
	}
}

type login struct{ name, password string }

func newCoordinator(t *testing.T, storeURL, secret string) login {
	t.Helper()
	out := mustRun(t, "staff", "add", "-username", "anna", "-role", "coordinator", "-sites", "S01", "-store", storeURL, "-secret", secret)
	_, password, _ := strings.Cut(out, "password ")
	return login{"anna", strings.TrimSpace(password)}
}

func tokenOf(t *testing.T, base string, l login) (token string) {
	t.Helper()
	status, body, err := post(base, "", "/v1/auth/login", map[string]any{"username": l.name, "password": l.password})
	var session struct {
		AccessToken string `json:"access_token"`
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(body, &session) != nil {
		t.Fatalf("sign in: %d %s %v", status, body, err)
	}
	return session.AccessToken
}

func enrolmentOf(number string) map[string]any {
	today := study.DateOf(time.Now().UTC())
	return map[string]any{"number": number, "site": "S01", "regimen": "capecitabine", "language": "en", "time_zone": "Etc/UTC",
		"cycle1_on": today, "consent": map[string]any{"on": today, "form_version": "1", "language": "en"}}
}

func post(base, token, path string, body any) (int, []byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	return ask(http.MethodPost, base+path, token, bytes.NewReader(raw))
}

func get(base, token, path string) (int, []byte, error) {
	return ask(http.MethodGet, base+path, token, nil)
}

func ask(method, url, token string, body io.Reader) (int, []byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, url, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// One seed gives the same data sets on both stores, byte for byte in every
// format, whether it was simulated there or moved there.
func TestOneSeedGivesTheSameBytesOnBothStores(t *testing.T) {
	t.Parallel()
	here, there := storeIn(t.TempDir()), mongotest.Database(t)
	moved, back := mongotest.Database(t), storeIn(t.TempDir())
	for _, url := range []string{here, there} {
		mustRun(t, "simulate", "-store", url, "-participants", "3", "-seed", "5", "-now", "2026-06-01")
	}
	mustRun(t, "copy", "-from", here, "-to", moved)
	mustRun(t, "copy", "-from", moved, "-to", back)
	want := everyExport(t, here)
	if forms := bytes.Count(want["items_wide.csv"], []byte("\n")); forms < 5 || len(want) < 40 {
		t.Fatalf("%d files, of %d forms", len(want), forms-1)
	}
	for name, url := range map[string]string{"on MongoDB": there, "copied to MongoDB": moved, "and back": back} {
		got := everyExport(t, url)
		for file, bytesHere := range want {
			if !bytes.Equal(got[file], bytesHere) {
				t.Errorf("%s %s: %d bytes, not the same %d", file, name, len(got[file]), len(bytesHere))
			}
		}
	}
}

// everyExport is every dataset in every format, and the archive of all.
func everyExport(t *testing.T, storeURL string) map[string][]byte {
	t.Helper()
	cut := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	svc, st, err := openAt(t.Context(), storeURL, func() time.Time { return cut.Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	svc = study.NewService(&remembering{st, map[study.StreamID][]study.Entry{}, map[string][]study.Entry{}}, svc.Now, newID)
	files := map[string][]byte{"study.zip": exportOf(t, svc, cut, export.Everything, export.Zip)}
	for _, d := range export.Datasets() {
		for _, f := range export.Formats() {
			files[d.Name+"."+f.Name] = exportOf(t, svc, cut, d.Name, f.Name)
		}
	}
	return files
}

// remembering reads everything once: forty exports ask for each stream eighty
// times, and the stand-in reads all entries for every stream.
type remembering struct {
	study.Store
	streams map[study.StreamID][]study.Entry
	walks   map[string][]study.Entry // by prefix
}

// Stream is the store's, or what that was before.
func (r *remembering) Stream(ctx context.Context, id study.StreamID, after uint64) (_ []study.Entry, err error) {
	all, known := r.streams[id]
	if !known {
		if all, err = r.Store.Stream(ctx, id, 0); err != nil {
			return nil, err
		}
		r.streams[id] = all
	}
	return all[min(after, uint64(len(all))):], nil
}

// Entries are the store's, or what those were before.
func (r *remembering) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	return func(yield func(study.Entry, error) bool) {
		if _, known := r.walks[prefix]; !known {
			var walk []study.Entry
			for e, err := range r.Store.Entries(ctx, prefix) {
				if err != nil {
					yield(e, err)
					return
				}
				walk = append(walk, e)
			}
			r.walks[prefix] = walk
		}
		for _, e := range r.walks[prefix] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Append is the store's, and forgets what it changes.
func (r *remembering) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	delete(r.streams, e.Stream)
	maps.DeleteFunc(r.walks, func(prefix string, _ []study.Entry) bool { return strings.HasPrefix(string(e.Stream), prefix) })
	return r.Store.Append(ctx, e, snap)
}

// What somebody changes in the database with other tools, verify finds: a
// readable copy by itself, a cut end and a missing stream against a checkpoint.
func TestVerifyFindsWhatWasChangedInMongoDB(t *testing.T) {
	url, secret := mongotest.Database(t), secretIn(t)
	mustRun(t, "simulate", "-store", url, "-participants", "2", "-now", "2026-04-01")
	events := mongotest.Client(t, url).Database(mongotest.Name(t, url)).Collection("events")
	checkpoint := filepath.Join(t.TempDir(), "checkpoint")
	mustRun(t, "verify", "-store", url, "-secret", secret, "-write-checkpoint", checkpoint)
	var form struct {
		ID     string `bson:"_id"`
		Stream string `bson:"stream"`
		Seq    int64  `bson:"seq"`
	}
	if err := events.FindOne(t.Context(), bson.D{{Key: "type", Value: "submission_received"}}).Decode(&form); err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) {
		t.Helper()
		done, err := events.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: form.ID}}, bson.D{{Key: "$set", Value: bson.D{{Key: name, Value: value}}}})
		if err != nil || done.MatchedCount != 1 {
			t.Fatalf("%+v %v", done, err)
		}
	}
	set("payload.counted", false)
	code, out, errs := runHere(t, "verify", "-store", url)
	if want := fmt.Sprintf("%s seq %d: the readable payload differs", form.Stream, form.Seq); code != exitFailed || !strings.Contains(out, want) {
		t.Errorf("a changed copy: exit %d, wanted %q in\n%s%s", code, want, out, errs)
	}
	set("payload.counted", true)
	mustRun(t, "verify", "-store", url)

	last := bson.D{{Key: "stream", Value: form.Stream}, {Key: "seq", Value: bson.D{{Key: "$gt", Value: form.Seq - 1}}}}
	if done, err := events.DeleteMany(t.Context(), last); err != nil || done.DeletedCount == 0 {
		t.Fatalf("%+v %v", done, err)
	}
	if done, err := events.DeleteMany(t.Context(), bson.D{{Key: "stream", Value: "site/S01"}}); err != nil || done.DeletedCount == 0 {
		t.Fatalf("%+v %v", done, err)
	}
	code, out, errs = runHere(t, "verify", "-store", url, "-secret", secret, "-checkpoint", checkpoint)
	for _, want := range []string{form.Stream + " seq ", "the end is cut off", "site/S01", "differences 2\n"} {
		if code != exitFailed || !strings.Contains(out, want) {
			t.Errorf("exit %d, wanted %q in\n%s%s", code, want, out, errs)
		}
	}
}

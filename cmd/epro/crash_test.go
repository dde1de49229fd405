package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/study"
)

// TestCampaignNoAcknowledgedFormIsLostWhenTheServerIsKilled kills a server with
// SIGKILL while 64 clients send forms, again and again on one store. After each
// kill, every form that was answered with a receipt is in the record, once,
// with that receipt, and the record verifies.
func TestCampaignNoAcknowledgedFormIsLostWhenTheServerIsKilled(t *testing.T) {
	kills := campaign(5, 50)
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(9, 9))
	all := map[study.SubmissionID]ack{}
	for round := range kills {
		people := preparePhones(t, dir, round, 256)
		acks := killUnderLoad(t, dir, people, 20+rng.IntN(180))
		for _, a := range acks {
			all[a.form] = a
		}
		checkAfterKill(t, storeIn(dir), all)
	}
	t.Logf("%d kills, %d forms acknowledged, none lost, none twice", kills, len(all))
}

// phone is a participant with a session and an open questionnaire.
type phone struct {
	person study.ParticipantID
	token  string
}

// ack is a receipt that a client held when the server was killed.
type ack struct {
	person study.ParticipantID
	form   study.SubmissionID
	body   []byte
}

// preparePhones enrols people whose baseline is open now, with sessions.
func preparePhones(t *testing.T, dir string, round, count int) []phone {
	t.Helper()
	return preparePhonesIn(t, storeIn(dir), filepath.Join(dir, "secret.key"), round, count)
}

func preparePhonesIn(t *testing.T, storeURL, secret string, round, count int) []phone {
	t.Helper()
	ctx := context.Background()
	svc, st, err := openService(ctx, storeURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := putInForce(ctx, svc, ""); err != nil {
		t.Fatal(err)
	}
	accounts, err := openAuth(ctx, svc, st, secret, time.Now, signIn{cost: demoCost})
	if err != nil {
		t.Fatal(err)
	}
	system := study.Request{By: study.System("test")}
	if round == 0 {
		if _, err := svc.CreateSite(ctx, system, study.CreateSite{Code: "S01", Name: "Site", TimeZone: "Etc/UTC", Language: "en"}); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]phone, count)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			out[i] = preparePhone(t, svc, accounts, fmt.Sprintf("%03d-%04d", round, i), fmt.Sprintf("198.18.%d.%d", round, i))
		})
	}
	wg.Wait()
	return out
}

// killUnderLoad serves, lets 64 clients send, kills the server when about so
// many receipts are out, and gives back every receipt.
func killUnderLoad(t *testing.T, dir string, people []phone, after int) []ack {
	t.Helper()
	p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir), "-log-level", "info", "-rate-limit", "0")
	url := p.serving(t)
	var acked atomic.Int64
	var mu sync.Mutex
	var acks []ack
	queue := make(chan phone, len(people))
	for _, ph := range people {
		queue <- ph
	}
	close(queue)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for ph := range queue {
				a, ok := sendBaseline(client, url, ph)
				if !ok {
					return // the server is gone
				}
				mu.Lock()
				acks = append(acks, a)
				mu.Unlock()
				if acked.Add(1) == int64(after) {
					_ = p.cmd.Process.Kill()
				}
			}
		})
	}
	wg.Wait()
	_ = p.cmd.Process.Kill()
	<-p.done
	p.done <- nil
	if len(acks) < after {
		t.Fatalf("only %d receipts before the kill, wanted %d", len(acks), after)
	}
	return acks
}

// sendBaseline sends a filled baseline form and reports whether a receipt came.
func sendBaseline(client *http.Client, url string, ph phone) (ack, bool) {
	form, body := newForm()
	status, answer, err := sendForm(client, url, ph, form, body)
	return ack{ph.person, form, answer}, err == nil && status == http.StatusCreated
}

// newForm is a filled form with its id.
func newForm() (study.SubmissionID, []byte) {
	now := time.Now().UTC()
	answers := map[string]json.RawMessage{}
	for code, v := range testkit.Answers(uint64(now.UnixNano())) {
		answers[code] = json.RawMessage(v)
	}
	raw, err := json.Marshal(map[string]any{"instrument": "fact-b", "instrument_version": "4", "answers": answers,
		"started_at": now.Add(-time.Minute).Format(time.RFC3339Nano), "completed_at": now.Format(time.RFC3339Nano)})
	if err != nil {
		panic(err) // a slip in this test
	}
	return study.SubmissionID(newID()), raw
}

// sendForm sends a form for the baseline visit.
func sendForm(client *http.Client, url string, ph phone, form study.SubmissionID, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPut,
		url+"/v1/me/assessments/"+string(study.AssessmentFor(ph.person, "C1D1"))+"/submissions/"+string(form), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+ph.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// checkAfterKill opens the store as the next start would and compares it with
// every receipt so far.
func checkAfterKill(t *testing.T, storeURL string, acks map[study.SubmissionID]ack) {
	t.Helper()
	ctx := context.Background()
	svc, st, err := openService(ctx, storeURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	checkReceipts(t, svc, acks)
}

// checkReceipts wants every form that was acknowledged in the record, once and
// with its receipt, and the record without fault.
func checkReceipts(t *testing.T, svc *study.Service, acks map[study.SubmissionID]ack) {
	t.Helper()
	ctx := context.Background()
	for _, a := range acks {
		p, err := svc.Participant(ctx, study.System("test"), a.person)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(p.AtVisit("C1D1").Submissions); n != 1 {
			t.Fatalf("participant %s has %d forms at baseline, want 1", a.person, n)
		}
		receipt, ok := p.Receipt(a.form)
		if !ok {
			t.Fatalf("form %s was acknowledged and is lost", a.form)
		}
		var held study.Receipt
		if err := json.Unmarshal(a.body, &held); err != nil {
			t.Fatal(err)
		}
		if held.Digest != receipt.Digest || held.ReceivedAt != receipt.ReceivedAt || !receipt.Counted {
			t.Fatalf("form %s: receipt %+v, record %+v", a.form, held, receipt)
		}
	}
	report, err := svc.Verify(ctx)
	if err != nil || len(report.Faults) > 0 {
		t.Fatalf("verify: %v %v", err, report.Faults)
	}
}

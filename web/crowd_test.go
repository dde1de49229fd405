package web_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"epro/internal/simulate"
	"epro/internal/testkit"
	"epro/study"
)

// crowdDay is when the simulated year of a crowd ends.
var crowdDay = time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)

// crowdModels are how many participants are simulated; the others are made after them.
const crowdModels = 24

// crowd is a desk over a study with so many sites of so many participants. Each
// is made after a simulated one: her State as it is, under another number, and
// her first event, so that lists read what they would of a real record. Phones,
// half-filled forms and the day's reminders are there too.
func crowd(t testing.TB, sites, each int) *office {
	t.Helper()
	ctx := context.Background()
	store := testkit.SQLite(t)
	if _, err := simulate.Run(ctx, simulate.Options{Store: store, Participants: crowdModels, Seed: 1, Now: crowdDay}); err != nil {
		t.Fatal(err)
	}
	f := &testkit.Fixture{Store: store, Clock: testkit.NewClock(crowdDay), NewID: testkit.IDs(9), System: study.System("test")}
	f.Service = study.NewService(store, f.Clock.Now, f.NewID)
	models := modelsOf(t, f)
	for i := range sites {
		site := study.CreateSite{Code: crowdSite(i), Name: "Hospital", TimeZone: testkit.Zone, Language: "en"}
		if _, err := f.CreateSite(ctx, study.Request{By: f.System}, site); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	work := make(chan int)
	for range 128 {
		wait.Go(func() {
			for i := range work {
				if err := models[i%len(models)].again(ctx, f, crowdSite(i/each), fmt.Sprintf("N-%05d", i%each)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range sites * each {
		work <- i
	}
	close(work)
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return openOffice(t, f)
}

func crowdSite(i int) study.SiteCode { return study.SiteCode(fmt.Sprintf("C%03d", i)) }

// model is a simulated participant after whom others are made.
type model struct {
	*study.Participant
	first   study.Event
	snap    study.Snapshot
	records []study.Record
}

func modelsOf(t testing.TB, f *testkit.Fixture) []model {
	t.Helper()
	ctx := context.Background()
	var models []model
	snaps, err := f.Store.Snapshots(ctx, study.SnapshotQuery{Kind: "participant"})
	if err != nil {
		t.Fatal(err)
	}
	for i, snap := range snaps {
		m := model{snap: snap, Participant: &study.Participant{}}
		if err := json.Unmarshal(snap.State, m.Participant); err != nil {
			t.Fatal(err)
		}
		entries, err := f.Store.Stream(ctx, snap.Stream, 0)
		if err != nil {
			t.Fatal(err)
		}
		if m.first, err = entries[0].Open(); err != nil {
			t.Fatal(err)
		}
		if !m.BoundAt.IsZero() && m.Stop() == nil {
			device := study.Registration{ID: "phone", Platform: "android", Target: study.PushTarget{Kind: "fcm_token", Value: fmt.Sprintf("made-up-token-%d", i)}}
			if err := f.RegisterDevice(ctx, testkit.Phone(m.ID), device); err != nil {
				t.Fatal(err)
			}
		}
		if next := m.Next(crowdDay); next != nil && i%3 == 0 {
			if err := f.KeepProgress(ctx, testkit.Phone(m.ID), next.ID, study.Progress{OpenedAt: study.InstantOf(crowdDay), Answered: 12}); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range []study.RecordKind{"device", "progress"} {
			records, err := f.Store.Records(ctx, kind, string(snap.Stream), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			m.records = append(m.records, records...)
		}
		models = append(models, m)
	}
	return models
}

// again makes another participant after the model.
func (m *model) again(ctx context.Context, f *testkit.Fixture, site study.SiteCode, number string) error {
	id := study.ParticipantID(f.NewID())
	renamed := func(raw []byte) string { return strings.ReplaceAll(string(raw), string(m.ID), string(id)) }
	e := m.first
	e.Stream, e.ID = id.Stream(), study.EventID(f.NewID())
	var err error
	if e.Payload, err = with([]byte(renamed(e.Payload)), map[string]any{"site": site, "number": number}); err != nil {
		return err
	}
	entry, err := study.Seal(e)
	if err != nil {
		return err
	}
	snap := m.snap
	snap.Stream, snap.Site, snap.Label = id.Stream(), site, number
	if snap.State, err = with([]byte(renamed(snap.State)), map[string]any{"site": site, "number": number}); err != nil {
		return err
	}
	if err := f.Store.Append(ctx, entry, &snap); err != nil {
		return err
	}
	for _, r := range m.records {
		r.Key, r.Owner, r.Data = renamed([]byte(r.Key)), renamed([]byte(r.Owner)), []byte(renamed(r.Data))
		if err := f.Store.PutRecord(ctx, r); err != nil {
			return err
		}
	}
	next := m.Next(crowdDay)
	if next == nil {
		return nil
	}
	c := study.Claim{Participant: id, Assessment: study.AssessmentFor(id, next.Visit), Step: "due@2026-12-01", StepAt: study.InstantOf(crowdDay), Device: "phone", Platform: "android", Kind: "fcm_token", Attempt: 1}
	if _, err := f.ClaimDelivery(ctx, c); err != nil {
		return err
	}
	return f.SettleDelivery(ctx, c, study.DeliveryOutcome{Status: study.DeliveryAccepted, At: study.InstantOf(crowdDay)})
}

// with is an object with some of its members set.
func with(raw []byte, members map[string]any) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for name, value := range members {
		all[name] = value
	}
	return json.Marshal(all)
}

package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"epro/export"
	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/store/sqlite"
	"epro/study"
)

var (
	ctx         = context.Background()
	investigate = study.Actor{Role: study.RoleInvestigator, Staff: "staff-1", Sites: []study.SiteCode{"S01", "S02"}}
	verifier    = study.Actor{Role: study.RoleInvestigator, Staff: "staff-2", Sites: []study.SiteCode{"S01", "S02"}}
	analyst     = study.Actor{Role: study.RoleAnalyst, Staff: "analyst-1"}
)

// world is a study with a clock that the test sets and ids that count up.
type world struct {
	*study.Service
	t     *testing.T
	store study.Store
	now   time.Time
	ids   int
}

// newWorld opens an empty study in a store that wrap may stand before.
func newWorld(t *testing.T, simulated bool, wrap func(study.Store) study.Store) *world {
	t.Helper()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "epro.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, store: db}
	if wrap != nil {
		w.store = wrap(db)
	}
	w.Service = study.NewService(w.store, func() time.Time { return w.now }, func() string { w.ids++; return fmt.Sprintf("id-%04d", w.ids) })
	w.at("2026-01-01 09:00")
	by := study.Request{By: study.System("test")}
	_, err = w.Adopt(ctx, by, study.DefaultProtocolText(), 0, simulated)
	w.must(err)
	packs := study.NewService(w.store, func() time.Time { return w.now }, testkit.IDs(1)) // its ids are its own
	testkit.UseWording(t, packs, testkit.WordingPack("pack", "1", "en"))
	for _, code := range []study.SiteCode{"S01", "S02"} {
		_, err = w.CreateSite(ctx, by, study.CreateSite{Code: code, Name: "Site " + string(code), TimeZone: "Asia/Shanghai", Language: "en"})
		w.must(err)
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// clock reads a time of day in Shanghai.
func clock(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := study.LoadZone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func day(s string) study.Date {
	d, err := study.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// at sets the clock.
func (w *world) at(s string) time.Time { w.now = clock(w.t, s); return w.now }

func (w *world) do(p *study.Participant, by study.Actor, c study.Command) *study.Participant {
	w.t.Helper()
	res, err := w.Do(ctx, study.Request{By: by}, p.ID, c)
	w.must(err)
	return res.After
}

func (w *world) enrol(site study.SiteCode, number string) *study.Participant {
	w.t.Helper()
	today := study.DateOf(w.now)
	p, err := w.Enrol(ctx, study.Request{By: investigate}, study.Enrol{
		Number: number, Site: site, Regimen: "gemcitabine", Language: "en", TimeZone: "Asia/Shanghai",
		Cycle1On: today + 7, Consent: study.Consent{On: today, FormVersion: "1", Language: "en"}})
	w.must(err)
	return p
}

// all is a form with the same answer everywhere but at the items named, which
// are skipped.
func all(id study.SubmissionID, p *study.Participant, visit string, answer int, skipped map[string]string) study.SubmitForm {
	f := study.SubmitForm{ID: id, Assessment: study.AssessmentFor(p.ID, visit), Instrument: "fact-b", Version: "4", Pack: "pack@1",
		Answers: map[string]string{}, Skipped: skipped, Mode: study.ModeApp, App: study.App{Platform: "ios", Version: "1.2"}}
	for _, item := range factb.FACTB.Items {
		if _, out := skipped[item.Code]; !out {
			f.Answers[item.Code] = strconv.Itoa(answer)
		}
	}
	return f
}

// send has the participant send a form that she finished just now.
func (w *world) send(p *study.Participant, f study.SubmitForm) *study.Participant {
	w.t.Helper()
	f.StartedAt, f.CompletedAt, f.SentAt = study.InstantOf(w.now.Add(-6*time.Minute)), study.InstantOf(w.now), study.InstantOf(w.now)
	return w.do(p, study.Actor{Role: study.RoleParticipant, Participant: p.ID}, f)
}

// write exports, or fails the test.
func (w *world) write(o export.Options) (string, export.Summary) {
	w.t.Helper()
	if o.Format == "" {
		o.Format = "csv"
	}
	var out bytes.Buffer
	s, err := export.Write(ctx, w.Service, analyst, o, &out)
	w.must(err)
	return out.String(), s
}

// cutAt is a cut as a person writes it.
func (w *world) cutAt(text string) export.Cut {
	w.t.Helper()
	zone, err := study.LoadZone("Asia/Shanghai")
	w.must(err)
	cut, err := export.ParseCut(text, zone, w.now)
	w.must(err)
	return cut
}

// rows reads a CSV by column.
func rows(t *testing.T, text string) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewBufferString(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		out = append(out, row)
	}
	return out
}

// want compares the named cells of a row.
func want(t *testing.T, row map[string]string, cells map[string]string) {
	t.Helper()
	for name, value := range cells {
		if got, ok := row[name]; !ok || got != value {
			t.Errorf("%s of %s at %s: got %q, want %q", name, row["SUBJID"], row["VISIT"], got, value)
		}
	}
}

// threePeople is the study of the golden files: every value in it was worked
// out by hand.
//
// S01 007 sends her baseline with all answers 1, has her first dose, sends
// cycle 2 a day early with two items passed and GS7 opted out, and then the
// cycle is given two days late.
// S02 =2+3 has a paper baseline on the day of the first dose, corrected later
// and verified, and at cycle 2 a form that somebody else sent, voided, and
// then her own.
// S02 400 has sent a form and forbids further use.
func threePeople(t *testing.T, w *world) (first, second, third *study.Participant) {
	t.Helper()
	w.at("2026-01-05 10:00")
	first, second, third = w.enrol("S01", "007"), w.enrol("S02", "=2+3"), w.enrol("S02", "400")
	w.at("2026-01-10 20:00")
	first = w.send(first, all("form-a", first, "C1D1", 1, nil))
	third = w.send(third, all("form-z", third, "C1D1", 3, nil))
	w.at("2026-01-12 12:00")
	dose := study.InstantOf(clock(t, "2026-01-12 10:30"))
	first = w.do(first, investigate, study.RecordFact{Kind: study.FactFirstDose, On: "2026-01-12", At: dose})
	first = w.do(first, investigate, study.RecordCycle{N: 1, StartedOn: day("2026-01-12"), Kind: study.CycleGiven, DoseAt: dose})
	paper := all("form-p", second, "C1D1", 0, map[string]string{"B1": "skipped"})
	paper.Mode, paper.ByStaff, paper.Assistance, paper.Reason = study.ModePaper, true, study.AssistanceRead, "paper at the visit"
	paper.StartedAt, paper.CompletedAt = study.InstantOf(w.now.Add(-time.Hour)), study.InstantOf(w.now.Add(-50*time.Minute))
	second = w.do(second, investigate, paper)
	second = w.do(second, investigate, study.RecordFact{Kind: study.FactFirstDose, On: "2026-01-12"})
	second = w.do(second, investigate, study.RecordCycle{N: 1, StartedOn: day("2026-01-12"), Kind: study.CycleGiven})
	w.at("2026-01-14 09:00")
	fixed := all("form-p", second, "C1D1", 4, nil)
	second = w.do(second, investigate, study.CorrectForm{Form: "form-p", Answers: fixed.Answers, Cause: study.CauseEntryError, Reason: "typed wrongly"})
	second = w.do(second, verifier, study.VerifyForm{Form: "form-p"})
	w.at("2026-02-01 21:00")
	first = w.send(first, all("form-b", first, "C2D1", 2, map[string]string{"GP1": "skipped", "GP2": "skipped", "GS7": "opt_out"}))
	second = w.send(second, all("form-x", second, "C2D1", 4, nil))
	w.at("2026-02-02 09:00")
	second = w.do(second, investigate, study.VoidForm{Form: "form-x", Cause: study.CauseWrongPerson, Reason: "her son tried it"})
	w.at("2026-02-03 19:00")
	second = w.send(second, all("form-y", second, "C2D1", 0, nil))
	w.at("2026-02-04 15:00")
	first = w.do(first, investigate, study.RecordCycle{N: 2, StartedOn: day("2026-02-04"), Reason: "neutropenia"})
	w.at("2026-02-10 11:00")
	first = w.do(first, investigate, study.RecordFact{Kind: study.FactRegimenChanged, On: "2026-02-10", Drugs: []string{"vinorelbine", "carboplatin"}})
	third = w.do(third, investigate, study.RecordFact{Kind: study.FactWithdrawn, On: "2026-02-10", Level: study.LevelNoFurtherUse, Reason: "asked for it"})
	return first, second, third
}

// reminded are the reminders of cycle 3: a step that was merged, one that two
// phones got, of which one first failed and then said that it was opened, and
// one that is still under way.
func (w *world) reminded(p *study.Participant) (underWay study.Claim) {
	w.t.Helper()
	claim := func(step, at string, c study.Claim) study.Claim {
		c.Participant, c.Assessment, c.Step, c.StepAt = p.ID, study.AssessmentFor(p.ID, "C3D1"), step, study.InstantOf(clock(w.t, at))
		_, err := w.ClaimDelivery(ctx, c)
		w.must(err)
		return c
	}
	settle := func(c study.Claim, o study.DeliveryOutcome) {
		w.now = w.now.Add(time.Second)
		o.At = study.InstantOf(w.now)
		w.must(w.SettleDelivery(ctx, c, o))
	}
	w.at("2026-02-22 09:05")
	claim("opens@2026-02-20", "2026-02-20 09:05", study.Claim{Status: study.DeliveryMerged, Reason: "due@2026-02-22"})
	phone := study.Claim{Device: "phone-secret", Platform: "android", Kind: "fcm_token", Attempt: 1, LeaseUntil: study.InstantOf(w.now.Add(time.Minute))}
	failed := claim("due@2026-02-22", "2026-02-22 09:05", phone)
	settle(failed, study.DeliveryOutcome{Status: study.DeliveryRetry, Reason: "unavailable", RetryAt: study.InstantOf(w.now.Add(time.Minute))})
	browser := claim("due@2026-02-22", "2026-02-22 09:05", study.Claim{Device: "browser-secret", Platform: "web", Kind: "web_push", Attempt: 1, LeaseUntil: phone.LeaseUntil})
	settle(browser, study.DeliveryOutcome{Status: study.DeliveryRejectedTarget, Reason: "gone", Dead: true})
	w.at("2026-02-22 09:07")
	phone.Attempt, phone.LeaseUntil = 2, study.InstantOf(w.now.Add(time.Minute))
	again := claim("due@2026-02-22", "2026-02-22 09:05", phone)
	settle(again, study.DeliveryOutcome{Status: study.DeliveryAccepted, Reason: "accepted"})
	w.at("2026-02-22 10:00")
	w.must(w.ReportDelivery(ctx, study.Actor{Role: study.RoleParticipant, Participant: p.ID}, again.ID(), study.DeliveryEvent{Event: "opened", At: study.InstantOf(w.now)}))
	w.at("2026-02-28 23:59")
	phone.Attempt, phone.LeaseUntil = 1, study.InstantOf(w.now.Add(10*time.Minute))
	return claim("closes-1@2026-02-28", "2026-02-28 18:05", phone)
}

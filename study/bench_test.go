package study_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"epro/internal/testkit"
	"epro/study"
)

// A year is 18 forms and 18 cycles and facts: 39 events.
func BenchmarkFoldYear(b *testing.B) {
	r := year(b)
	b.ReportMetric(float64(len(r.entries)), "events")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := study.FoldParticipant(r.h, nil, r.entries...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFoldOne(b *testing.B) {
	r := year(b)
	last := len(r.entries) - 1
	before, err := study.FoldParticipant(r.h, nil, r.entries[:last]...)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := study.FoldParticipant(r.h, before, r.entries[last]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecideSubmit(b *testing.B) {
	r := year(b)
	r.must(study.VoidForm{Form: r.visit("W52").Submissions[0].ID, Cause: study.CauseTest, Reason: "x"})
	r.now = r.now.Add(time.Hour)
	form, situation := r.form("W52"), r.situation(testkit.Phone(personID))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := study.Decide(r.p, form, situation); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	r := year(b)
	e, err := r.entries[len(r.entries)-1].Open()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := study.Seal(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshotEncode(b *testing.B) {
	r := year(b)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		snap, err := study.SnapshotOf(r.p, r.h)
		if err != nil {
			b.Fatal(err)
		}
		size = len(snap.State)
	}
	b.ReportMetric(float64(size), "bytes")
}

func BenchmarkSnapshotDecode(b *testing.B) {
	r := year(b)
	raw := []byte(stateJSON(b, r.p))
	b.ReportAllocs()
	for b.Loop() {
		var p study.Participant
		if err := json.Unmarshal(raw, &p); err != nil {
			b.Fatal(err)
		}
	}
}

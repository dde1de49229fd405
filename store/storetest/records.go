package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/study"
)

func recordKeys(t *testing.T, h *harness) {
	first := filled[study.Record](1)
	first.ExpiresAt = start.Add(-24 * 365 * time.Hour)
	must(t, h.InsertRecord(t.Context(), first))
	other := filled[study.Record](2)
	other.Kind, other.Key = first.Kind, first.Key
	mustBe(t, h.InsertRecord(t.Context(), other), study.ErrExists)
	got, err := h.Record(t.Context(), first.Kind, first.Key)
	must(t, err)
	if d := difference(first, got); d != "" {
		t.Error(d)
	}
	otherKind, otherKey := first, first
	otherKind.Kind, otherKey.Key = "another", "another"
	must(t, h.InsertRecord(t.Context(), otherKind))
	must(t, h.InsertRecord(t.Context(), otherKey))
}

func putRecord(t *testing.T, h *harness) {
	var want study.Record
	for i := range 3 {
		want = filled[study.Record](5 - i) // the last one is not the latest
		want.Kind, want.Key = "device", "1"
		must(t, h.PutRecord(t.Context(), want))
	}
	got, err := only(h.Records(t.Context(), "device", "", time.Time{}))
	must(t, err)
	if d := difference(want, got); d != "" {
		t.Error(d)
	}
}

func recordsListed(t *testing.T, h *harness) {
	var written []study.Record
	for i, key := range []string{"B", "a", "é", "10", "2", "$x", "a.b", "鱼"} {
		for _, owner := range []string{"o", "O", "o2"} {
			for _, kind := range []study.RecordKind{"device", "delivery"} {
				r := record(kind, owner+" "+key)
				r.Owner, r.At = owner, start.Add(time.Duration(i%3)*time.Millisecond)
				written = append(written, r)
				must(t, h.InsertRecord(t.Context(), r))
			}
		}
	}
	slices.SortFunc(written, func(a, b study.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key))
	})
	for _, owner := range []string{"", "o", "O", "o2", "missing"} {
		for _, since := range []time.Time{{}, start, start.Add(time.Millisecond), start.Add(2 * time.Millisecond), start.Add(time.Hour)} {
			var want, got []string
			for _, r := range written {
				if r.Kind == "device" && (owner == "" || r.Owner == owner) && !r.At.Before(since) {
					want = append(want, r.Key)
				}
			}
			found, err := h.Records(t.Context(), "device", owner, since)
			must(t, err)
			for _, r := range found {
				got = append(got, r.Key)
			}
			if !slices.Equal(got, want) {
				t.Errorf("of %q since %v: %q, not %q", owner, since, got, want)
			}
		}
	}
}

func recordsBetween(t *testing.T, h *harness) {
	var written []study.Record
	for i, key := range []string{"B", "a", "é", "10", "2", "$x", "a.b", "鱼"} {
		for _, kind := range []study.RecordKind{"cursor", "delivery"} {
			r := record(kind, key)
			r.At = start.Add(time.Duration(i%3) * time.Millisecond)
			if key == "2" {
				r.At = time.UnixMilli(-1).UTC()
			}
			written = append(written, r)
			must(t, h.InsertRecord(t.Context(), r))
		}
	}
	slices.SortFunc(written, func(a, b study.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key))
	})
	places := []study.RecordPlace{{}, {At: start.Add(-time.Hour)}, {At: start}, {At: start, Key: "a"}, {At: start, Key: "é"},
		{At: start.Add(time.Millisecond), Key: "zz"}, {At: time.UnixMilli(-1), Key: "2"}, {At: start.Add(time.Hour)}}
	for _, after := range places {
		for _, until := range []time.Time{{}, start.Add(-time.Hour), start.Add(-time.Millisecond), start, start.Add(time.Millisecond), start.Add(time.Hour)} {
			for _, limit := range []int{0, 1, 3, 100} {
				betweenCase(t, h, written, after, until, limit)
			}
		}
	}
	// The last write of a record says when it is listed.
	moved := record("cursor", "a")
	moved.At = start.Add(-time.Hour)
	must(t, h.PutRecord(t.Context(), moved))
	found, err := h.RecordsBetween(t.Context(), "cursor", study.RecordPlace{}, start, 2)
	must(t, err)
	if len(found) != 2 || found[0].Key != "2" || found[1].Key != "a" {
		t.Errorf("after a move: %v", found)
	}
}

func betweenCase(t *testing.T, h *harness, written []study.Record, after study.RecordPlace, until time.Time, limit int) {
	t.Helper()
	var want, got []string
	for _, r := range written {
		behind := after == study.RecordPlace{} || cmp.Or(r.At.Compare(after.At), cmp.Compare(r.Key, after.Key)) > 0
		if r.Kind == "cursor" && behind && (until.IsZero() || !r.At.After(until)) && len(want) < limit {
			want = append(want, r.Key)
		}
	}
	found, err := h.RecordsBetween(t.Context(), "cursor", after, until, limit)
	must(t, err)
	for _, r := range found {
		got = append(got, r.Key)
	}
	if found == nil || !slices.Equal(got, want) {
		t.Errorf("%d behind %v until %v: %q, not %q", limit, after, until, got, want)
	}
}

func recordsUnder(t *testing.T, h *harness) {
	var written []study.Record
	owners := []string{"p1.C1D1", "p1.C2D1", "p1.C1D1x", "p1", "p10.C1D1", "P1.C1D1", "p2.C1D1", "鱼.1", "鱼.2", "", "$.a"}
	for i, owner := range owners {
		for _, kind := range []study.RecordKind{"device", "delivery"} {
			for j := range 3 {
				r := record(kind, fmt.Sprint((7*i+5*j)%11, " ", owner))
				r.Owner, r.At = owner, start.Add(time.Duration(j%2)*time.Millisecond)
				written = append(written, r)
				must(t, h.InsertRecord(t.Context(), r))
			}
		}
	}
	slices.SortFunc(written, func(a, b study.Record) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), a.At.Compare(b.At), cmp.Compare(a.Key, b.Key))
	})
	for _, prefix := range []string{"", "p1", "p1.", "p1.C1D1", "p", "鱼", "鱼"[:1], "$", "missing", "\xff", "\U0010ffff"} {
		for _, until := range []time.Time{{}, start.Add(-time.Millisecond), start, start.Add(time.Millisecond)} {
			var want, got []string
			for _, r := range written {
				if r.Kind == "delivery" && strings.HasPrefix(r.Owner, prefix) && (until.IsZero() || !r.At.After(until)) {
					want = append(want, r.Key)
				}
			}
			found, err := h.RecordsUnder(t.Context(), "delivery", prefix, until)
			must(t, err)
			for _, r := range found {
				got = append(got, r.Key)
			}
			if found == nil || !slices.Equal(got, want) {
				t.Errorf("under %q until %v: %q, not %q", prefix, until, got, want)
			}
		}
	}
}

func deleteRecord(t *testing.T, h *harness) {
	for _, r := range []study.Record{record("device", "1"), record("device", "2"), record("session", "1")} {
		must(t, h.InsertRecord(t.Context(), r))
	}
	must(t, h.DeleteRecord(t.Context(), "device", "1"))
	must(t, h.DeleteRecord(t.Context(), "device", "1"))
	mustBe(t, second(h.Record(t.Context(), "device", "1")), study.ErrNotFound)
	must(t, second(h.Record(t.Context(), "device", "2")))
	must(t, second(h.Record(t.Context(), "session", "1")))
	must(t, h.InsertRecord(t.Context(), record("device", "1")))
}

func purgeRecords(t *testing.T, h *harness) {
	expire := map[string]time.Time{
		"never":            {},
		"long ago":         start.Add(-1000 * time.Hour),
		"a moment ago":     start.Add(-time.Millisecond),
		"just now":         start,
		"in a moment":      start.Add(time.Millisecond),
		"before the epoch": time.UnixMilli(-1).UTC(),
	}
	for key, at := range expire {
		for _, kind := range []study.RecordKind{"session", "link"} {
			r := record(kind, key)
			r.ExpiresAt = at
			must(t, h.InsertRecord(t.Context(), r))
		}
	}
	for _, want := range []int{6, 0} {
		n, err := h.PurgeRecords(t.Context(), start)
		must(t, err)
		if n != want {
			t.Errorf("%d were removed, not %d", n, want)
		}
	}
	for key, at := range expire {
		_, err := h.Record(t.Context(), "session", key)
		if gone := err != nil; gone != (!at.IsZero() && at.Before(start)) {
			t.Errorf("%s: %v", key, err)
		}
	}
	failed(t, parallel(4, 4, func(i int) error {
		return h.InsertRecord(t.Context(), record("session", fmt.Sprint(i)))
	}))
}

package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/study"
)

func sequenceIsUnique(t *testing.T, h *harness) {
	first := entry("site/S01", 1)
	must(t, h.Append(t.Context(), first, nil))
	mustBe(t, h.Append(t.Context(), first, nil), study.ErrExists)
	other := first
	other.ID = "another"
	mustBe(t, h.Append(t.Context(), other, nil), study.ErrExists)
	must(t, h.Append(t.Context(), entry("site/S01", 2), nil))
}

func idIsUnique(t *testing.T, h *harness) {
	first := entry("site/S01", 1)
	must(t, h.Append(t.Context(), first, nil))
	for _, place := range []study.Entry{entry("site/S02", 1), entry("site/S01", 2)} {
		place.ID = first.ID
		mustBe(t, h.Append(t.Context(), place, nil), study.ErrExists)
		found, err := h.Stream(t.Context(), place.Stream, place.Seq-1)
		must(t, err)
		if len(found) != 0 {
			t.Fatalf("the refused entry is in %s", place.Stream)
		}
	}
}

func refusedEntryChangesNothing(t *testing.T, h *harness) {
	first, snap := entry("site/S01", 1), snapshot("site/S01", 1)
	must(t, h.Append(t.Context(), first, &snap))
	taken := filled[study.Entry](9)
	taken.Stream, taken.Seq = first.Stream, first.Seq
	sameID := entry("site/S02", 1)
	sameID.ID = first.ID
	for _, refused := range []study.Entry{taken, sameID} {
		later := filled[study.Snapshot](9)
		later.Stream = refused.Stream
		mustBe(t, h.Append(t.Context(), refused, &later), study.ErrExists)
	}

	kept, err := only(all(h.Entries(t.Context(), "")))
	must(t, err)
	if d := difference(first, kept); d != "" {
		t.Error(d)
	}
	cached, err := only(h.Snapshots(t.Context(), study.SnapshotQuery{}))
	must(t, err)
	if d := difference(snap, cached); d != "" {
		t.Error(d)
	}
	mustBe(t, second(h.EntryByID(t.Context(), taken.ID)), study.ErrNotFound)
	mustBe(t, second(h.Snapshot(t.Context(), "site/S02")), study.ErrNotFound)
}

// absence asks an empty store, and then one that has other things.
func absence(t *testing.T, h *harness) {
	asksForMissing(t, h)
	must(t, prepare(t.Context(), h))
	asksForMissing(t, h)
	none(t, "Stream behind its end")(h.Stream(t.Context(), "site/old", 1))
	none(t, "Stream behind any sequence")(h.Stream(t.Context(), "site/old", 1<<64-1))
	none(t, "Recent, at most 0")(h.Recent(t.Context(), study.Place{}, 0))
}

func asksForMissing(t *testing.T, h *harness) {
	t.Helper()
	ctx := t.Context()
	mustBe(t, second(h.EntryByID(ctx, "missing")), study.ErrNotFound)
	mustBe(t, second(h.Snapshot(ctx, "missing")), study.ErrNotFound)
	mustBe(t, second(h.Record(ctx, "device", "missing")), study.ErrNotFound)
	mustBe(t, second(h.Record(ctx, "missing", "old")), study.ErrNotFound)
	none(t, "Stream")(h.Stream(ctx, "missing", 0))
	none(t, "Recent")(h.Recent(ctx, study.Place{At: start.Add(time.Hour)}, 10))
	none(t, "Snapshots")(h.Snapshots(ctx, study.SnapshotQuery{Kind: "missing"}))
	none(t, "Records")(h.Records(ctx, "missing", "", time.Time{}))
	none(t, "RecordsBetween")(h.RecordsBetween(ctx, "missing", study.RecordPlace{}, start.Add(time.Hour), 10))
	none(t, "RecordsUnder")(h.RecordsUnder(ctx, "missing", "", time.Time{}))
	none(t, "RecordsUnder a prefix")(h.RecordsUnder(ctx, "device", "missing", time.Time{}))
	must(t, yieldsNone(all(h.Entries(ctx, "missing"))))
	must(t, yieldsNone(all(h.Heads(ctx, start.Add(time.Hour)))))
	must(t, h.DeleteRecord(ctx, "device", "missing"))
	must(t, second(h.PurgeRecords(ctx, start)))
}

func yieldsNone[T any](found []T, err error) error {
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%d were found", len(found))
	}
	return err
}

// none wants an empty slice that is not nil and no error.
func none(t *testing.T, what string) func(found any, err error) {
	return func(found any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := fmt.Sprintf("%#v", found); !strings.HasSuffix(got, "{}") {
			t.Errorf("%s: %.80s is not an empty slice", what, got)
		}
	}
}

func streamOrder(t *testing.T, h *harness) {
	// Neither the order of writing nor that of digits is the order.
	for _, seq := range []uint64{10, 2, 1, 11, 3, 100, 9} {
		must(t, h.Append(t.Context(), entry("site/S01", seq), nil))
		must(t, h.Append(t.Context(), entry("site/S01x", seq), nil))
	}
	for after, want := range map[uint64][]uint64{
		0: {1, 2, 3, 9, 10, 11, 100}, 1: {2, 3, 9, 10, 11, 100}, 5: {9, 10, 11, 100}, 10: {11, 100}, 100: nil,
	} {
		found, err := h.Stream(t.Context(), "site/S01", after)
		must(t, err)
		var got []uint64
		for _, e := range found {
			got = append(got, e.Seq)
			if d := difference(entry("site/S01", e.Seq), e); d != "" {
				t.Error(d)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("behind %d come %v, not %v", after, got, want)
		}
	}
}

// names are streams in bytewise order, which is no language's order.
var names = []study.StreamID{
	"B", "a", "a/", "a/1", "a/10", "a/2", "a0", "aa", "b%", "b_", "b~", "site", "site/S01", "z", "é", "é/1", "鱼", "😀",
}

func entriesOrder(t *testing.T, h *harness) {
	var places []string
	for _, name := range names {
		for _, seq := range []uint64{1, 2, 10} {
			places = append(places, fmt.Sprint(name, " ", seq))
		}
	}
	for i := range names {
		name := names[(i*7)%len(names)]
		for _, seq := range []uint64{10, 1, 2} {
			must(t, h.Append(t.Context(), entry(name, seq), nil))
		}
	}
	for _, prefix := range []string{"", "a", "a/", "a/1", "B", "b", "b%", "b_", "é", "\xf0", "\xff", "sit", "zz"} {
		var want, got []string
		for _, place := range places {
			if strings.HasPrefix(place, prefix) {
				want = append(want, place)
			}
		}
		for e, err := range h.Entries(t.Context(), prefix) {
			must(t, err)
			got = append(got, fmt.Sprint(e.Stream, " ", e.Seq))
		}
		if !slices.Equal(got, want) {
			t.Errorf("behind %q come %q, not %q", prefix, got, want)
		}
	}
}

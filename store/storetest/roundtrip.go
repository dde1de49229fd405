package storetest

import (
	"fmt"
	"testing"
	"time"

	"epro/study"
)

func entryFields(t *testing.T, h *harness) {
	want := filled[study.Entry](1)
	other := filled[study.Entry](2)
	must(t, h.Append(t.Context(), want, nil))
	must(t, h.Append(t.Context(), other, nil))
	compare := func(got study.Entry, err error) {
		t.Helper()
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
	compare(h.EntryByID(t.Context(), want.ID))
	compare(only(h.Stream(t.Context(), want.Stream, 0)))
	compare(only(all(h.Entries(t.Context(), string(want.Stream)))))
	before := study.Place{At: want.At}
	compare(only(h.Recent(t.Context(), before, 1)))
}

func only[T any](found []T, err error) (T, error) {
	var none T
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d were found, not one", len(found))
	}
	if err != nil {
		return none, err
	}
	return found[0], nil
}

func snapshotFields(t *testing.T, h *harness) {
	want, other := filled[study.Snapshot](1), filled[study.Snapshot](2)
	must(t, h.PutSnapshot(t.Context(), want))
	must(t, h.PutSnapshot(t.Context(), other))
	compare := func(got study.Snapshot, err error) {
		t.Helper()
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
	compare(h.Snapshot(t.Context(), want.Stream))
	compare(only(h.Snapshots(t.Context(), study.SnapshotQuery{Kind: want.Kind})))

	// One that is replaced, and one that comes with its entry.
	again := filled[study.Snapshot](3)
	again.Stream, want = want.Stream, again
	want.Stream = again.Stream
	must(t, h.PutSnapshot(t.Context(), want))
	compare(h.Snapshot(t.Context(), want.Stream))
	want = filled[study.Snapshot](4)
	e := entry(want.Stream, want.Seq)
	must(t, h.Append(t.Context(), e, &want))
	compare(h.Snapshot(t.Context(), want.Stream))
}

func recordFields(t *testing.T, h *harness) {
	want, put := filled[study.Record](1), filled[study.Record](2)
	must(t, h.InsertRecord(t.Context(), want))
	must(t, h.PutRecord(t.Context(), put))
	for _, want := range []study.Record{want, put} {
		got, err := h.Record(t.Context(), want.Kind, want.Key)
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
		got, err = only(h.Records(t.Context(), want.Kind, want.Owner, time.Time{}))
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
}

func headFields(t *testing.T, h *harness) {
	e := filled[study.Entry](1)
	must(t, h.Append(t.Context(), e, nil))
	want := study.Head{Stream: e.Stream, Seq: e.Seq, Hash: e.Hash, At: e.At}
	for _, since := range []time.Time{{}, e.At} {
		got, err := only(all(h.Heads(t.Context(), since)))
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
}

func instantsAreCut(t *testing.T, h *harness) {
	east := time.FixedZone("east", 8*3600)
	exact := start.Add(987654 * time.Nanosecond).In(east)
	e, snap, r := entry("site/S01", 1), snapshot("site/S01", 1), record("device", "1")
	e.At, r.At, r.ExpiresAt = exact, exact, exact
	snap.OpensAt, snap.DueAt, snap.ClosesAt, snap.LookAt = exact, exact, exact, exact
	must(t, h.Append(t.Context(), e, &snap))
	must(t, h.PutRecord(t.Context(), r))

	gotEntry, err := h.EntryByID(t.Context(), e.ID)
	must(t, err)
	gotSnap, err := h.Snapshot(t.Context(), snap.Stream)
	must(t, err)
	gotRecord, err := h.Record(t.Context(), r.Kind, r.Key)
	must(t, err)
	head, err := only(all(h.Heads(t.Context(), exact)))
	must(t, err)
	for name, got := range map[string]time.Time{
		"Entry.At": gotEntry.At, "Head.At": head.At, "Record.At": gotRecord.At, "Record.ExpiresAt": gotRecord.ExpiresAt,
		"Snapshot.OpensAt": gotSnap.OpensAt, "Snapshot.DueAt": gotSnap.DueAt, "Snapshot.ClosesAt": gotSnap.ClosesAt, "Snapshot.LookAt": gotSnap.LookAt,
	} {
		if !got.Equal(start) || got.Location() != time.UTC {
			t.Errorf("%s is %v, not %v", name, got, start)
		}
	}
}

func noInstant(t *testing.T, h *harness) {
	snap := snapshot("site/S01", 1)
	snap.OpensAt, snap.DueAt, snap.ClosesAt, snap.LookAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	must(t, h.PutSnapshot(t.Context(), snap))
	must(t, h.PutRecord(t.Context(), record("device", "1")))
	gotSnap, err := h.Snapshot(t.Context(), snap.Stream)
	must(t, err)
	gotRecord, err := h.Record(t.Context(), "device", "1")
	must(t, err)
	for name, got := range map[string]time.Time{
		"Snapshot.OpensAt": gotSnap.OpensAt, "Snapshot.DueAt": gotSnap.DueAt, "Snapshot.ClosesAt": gotSnap.ClosesAt, "Snapshot.LookAt": gotSnap.LookAt,
		"Record.ExpiresAt": gotRecord.ExpiresAt,
	} {
		if !got.IsZero() {
			t.Errorf("%s is %v, not the zero time", name, got)
		}
	}
}

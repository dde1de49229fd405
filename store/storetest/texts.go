package storetest

import (
	"strings"
	"testing"
	"time"

	"epro/study"
)

// texts are hard to keep for one database or another.
var texts = []string{
	"Søren Ångström-Núñez", "שלום עולם", "مرحبا", "\u202eright to left", "患者编号", "👩🏽‍⚕️🎗️",
	"$set", "a.b.c", "$", ".", "%", "_", "'; DROP TABLE events; --", `"\`, " space around ", "tab\tand\nline",
	"e\u0301 is not \u00e9", "CASE case", "0", "null", "1e400", "\u2028", "\ufffd", "\ufeffmark",
	strings.Repeat("長い", 64<<10/6),
}

func textComesBack(t *testing.T, h *harness) {
	for i, text := range texts {
		key := text
		if len(key) > 500 {
			key = "a long one" // indexes of some databases do not take long keys
		}
		stream := study.StreamID("site/" + key)
		e, snap, r := entry(stream, 1), snapshot(stream, 1), record("device", key)
		e.ID, e.Actor.ID, e.Bytes = study.EventID(key), key, []byte(text)
		snap.Site, snap.Label, snap.State = study.SiteCode(key), key, []byte(text)
		r.Owner, r.Data = key, []byte(text)
		must(t, h.Append(t.Context(), e, &snap))
		must(t, h.InsertRecord(t.Context(), r))

		gotEntry, err := only(h.Stream(t.Context(), stream, 0))
		must(t, err)
		gotSnap, err := only(h.Snapshots(t.Context(), study.SnapshotQuery{Sites: []study.SiteCode{snap.Site}, Label: key}))
		must(t, err)
		gotRecord, err := only(h.Records(t.Context(), "device", key, time.Time{}))
		must(t, err)
		for _, d := range []string{difference(e, gotEntry), difference(snap, gotSnap), difference(r, gotRecord)} {
			if d != "" {
				t.Errorf("text %d: %s", i, d)
			}
		}
	}
}

func memoryIsTheCallers(t *testing.T, h *harness) {
	e, snap, r := entry("site/S01", 1), snapshot("site/S01", 1), record("device", "1")
	must(t, h.Append(t.Context(), e, &snap))
	must(t, h.InsertRecord(t.Context(), r))
	for _, b := range [][]byte{e.Bytes, snap.State, r.Data} {
		clear(b)
	}
	e, snap, r = entry("site/S01", 1), snapshot("site/S01", 1), record("device", "1")
	for range 2 { // the second time, what the first reader was given is spoilt
		gotEntry, err := h.EntryByID(t.Context(), e.ID)
		must(t, err)
		gotSnap, err := h.Snapshot(t.Context(), snap.Stream)
		must(t, err)
		gotRecord, err := h.Record(t.Context(), r.Kind, r.Key)
		must(t, err)
		for _, d := range []string{difference(e, gotEntry), difference(snap, gotSnap), difference(r, gotRecord)} {
			if d != "" {
				t.Error(d)
			}
		}
		for _, b := range [][]byte{gotEntry.Bytes, gotSnap.State, gotRecord.Data} {
			clear(b)
		}
	}
}

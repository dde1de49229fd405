package storetest

import (
	"context"
	"testing"
	"time"

	"epro/study"
)

func reopened(t *testing.T, h *harness) {
	e, snap, r := filled[study.Entry](1), filled[study.Snapshot](1), filled[study.Record](1)
	must(t, h.Append(t.Context(), e, &snap))
	must(t, h.InsertRecord(t.Context(), r))
	for range 2 {
		h.reopen()
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
		mustBe(t, h.Append(t.Context(), e, nil), study.ErrExists)
		mustBe(t, h.InsertRecord(t.Context(), r), study.ErrExists)
	}
}

func ready(t *testing.T, h *harness) {
	for range 3 {
		skew, err := h.Ready(t.Context())
		must(t, err)
		if skew.Abs() > time.Minute {
			t.Errorf("the clocks are %v apart", skew)
		}
	}
}

func closedStore(t *testing.T, h *harness) {
	must(t, prepare(t.Context(), h))
	s := h.Store
	h.close()
	for name, call := range calls {
		if wrong := unavailable(call(t.Context(), s)); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func cancelledContext(t *testing.T, h *harness) {
	must(t, prepare(t.Context(), h))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), start)
	defer cancelLate()
	for name, call := range calls {
		for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
			err := call(ctx, h.Store)
			mustBe(t, err, want)
			if wrong := unavailable(err); wrong != "" {
				t.Errorf("%s: %s", name, wrong)
			}
		}
	}
	// What was cancelled before it began has left nothing, and no harm.
	for name, call := range calls {
		if err := call(t.Context(), h.Store); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
}

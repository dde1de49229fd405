package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"epro/study"
)

// placesInOrder are entries of which many have the same instant.
func placesInOrder() []study.Place {
	var places []study.Place
	for i, name := range names {
		for seq := uint64(1); seq <= 3; seq++ {
			// Later sequences may have an earlier instant than other streams'.
			at := start.Add(time.Duration((i+int(seq))%4) * time.Millisecond)
			places = append(places, study.Place{At: at, Stream: name, Seq: seq})
		}
	}
	slices.SortFunc(places, func(a, b study.Place) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Seq, b.Seq))
	})
	return places
}

func recentOrder(t *testing.T, h *harness) {
	want := placesInOrder()
	for i := range want {
		p := want[(i*11)%len(want)]
		e := entry(p.Stream, p.Seq)
		e.At = p.At
		must(t, h.Append(t.Context(), e, nil))
	}
	for _, limit := range []int{1, 2, 7, len(want), len(want) + 1} {
		var got []study.Place
		var after study.Place
		for {
			page, err := h.Recent(t.Context(), after, limit)
			must(t, err)
			for _, e := range page {
				got = append(got, study.Place{At: e.At, Stream: e.Stream, Seq: e.Seq})
			}
			if len(page) < limit {
				break
			}
			after = got[len(got)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d come %v, not %v", limit, got, want)
		}
	}
	for _, at := range []time.Time{want[0].At, want[len(want)-1].At} {
		first := slices.IndexFunc(want, func(p study.Place) bool { return p.At.Equal(at) })
		found, err := only(h.Recent(t.Context(), study.Place{At: at}, 1))
		must(t, err)
		if found.Stream != want[first].Stream || found.Seq != want[first].Seq {
			t.Errorf("behind %v stands %s/%d, not %v", at, found.Stream, found.Seq, want[first])
		}
	}
}

func headsSince(t *testing.T, h *harness) {
	newest := map[study.StreamID]time.Time{}
	for _, p := range placesInOrder() {
		e := entry(p.Stream, p.Seq)
		e.At = p.At
		must(t, h.Append(t.Context(), e, nil))
		if p.At.After(newest[p.Stream]) {
			newest[p.Stream] = p.At
		}
	}
	for _, since := range []time.Time{
		{}, start.Add(-time.Hour), start.Add(time.Millisecond), start.Add(2 * time.Millisecond),
		start.Add(3 * time.Millisecond), start.Add(4 * time.Millisecond),
	} {
		var want, got []study.StreamID
		for _, name := range names {
			if !newest[name].Before(since) {
				want = append(want, name)
			}
		}
		for head, err := range h.Heads(t.Context(), since) {
			must(t, err)
			got = append(got, head.Stream)
			if head.Seq != 3 {
				t.Errorf("the head of %s is at %d, not 3", head.Stream, head.Seq)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("since %v come %v, not %v", since, got, want)
		}
	}
}

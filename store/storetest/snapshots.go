package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"epro/study"
)

func snapshotGuard(t *testing.T, h *harness) {
	const stream = "site/S01"
	holds := func(want study.Snapshot) {
		t.Helper()
		got, err := h.Snapshot(t.Context(), stream)
		must(t, err)
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
	five := snapshot(stream, 5)
	must(t, h.PutSnapshot(t.Context(), five))
	four := snapshot(stream, 4)
	must(t, h.PutSnapshot(t.Context(), four))
	holds(five)
	must(t, h.Append(t.Context(), entry(stream, 4), &four))
	holds(five)
	must(t, second(h.EntryByID(t.Context(), entry(stream, 4).ID)))

	again := filled[study.Snapshot](99) // another stamp, site and label, too
	again.Stream, again.Seq = stream, 5
	must(t, h.PutSnapshot(t.Context(), again))
	holds(again)
	again.State = []byte(`{"only":"the state"}`)
	must(t, h.PutSnapshot(t.Context(), again))
	holds(again)
	onlyEarlier := again
	onlyEarlier.Seq = 4
	must(t, h.PutSnapshot(t.Context(), onlyEarlier))
	holds(again)
	again.Stamp = "only another stamp"
	must(t, h.PutSnapshot(t.Context(), again))
	holds(again)
	six := snapshot(stream, 6)
	must(t, h.Append(t.Context(), entry(stream, 6), &six))
	holds(six)
	must(t, h.Append(t.Context(), entry(stream, 7), nil))
	holds(six)
}

// variedSnapshots have every combination of a few kinds, sites, labels and
// stamps, in bytewise order of site, label and stream.
func variedSnapshots() []study.Snapshot {
	var snaps []study.Snapshot
	for _, kind := range []string{"participant", "staff"} {
		for _, site := range []study.SiteCode{"", "B", "S01", "S02", "a", "é"} {
			for _, label := range []string{"", "1", "10", "2", "B", "a", "é"} {
				for _, stamp := range []string{"old", "new"} {
					s := snapshot("", uint64(len(snaps)+1))
					s.Stream = study.StreamID(fmt.Sprintf("%s/%d", kind, (len(snaps)*37)%1000))
					s.Kind, s.Site, s.Label, s.Stamp = kind, site, label, stamp
					s.LookAt = lookAt(len(snaps))
					snaps = append(snaps, s)
				}
			}
		}
	}
	slices.SortFunc(snaps, func(a, b study.Snapshot) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Stream, b.Stream))
	})
	return snaps
}

// lookAt is no instant, or one of four that lie a millisecond apart.
func lookAt(i int) time.Time {
	if i%5 == 0 {
		return time.Time{}
	}
	return time.UnixMilli(1_800_000_000_000 + int64(i%5)).UTC()
}

// mixed has them in another order.
func mixed(snaps []study.Snapshot) []study.Snapshot {
	other := make([]study.Snapshot, len(snaps))
	for i := range snaps {
		other[i] = snaps[(i*11)%len(snaps)]
	}
	return other
}

func matches(s study.Snapshot, q study.SnapshotQuery) bool {
	return (q.Kind == "" || s.Kind == q.Kind) && (q.Sites == nil || slices.Contains(q.Sites, s.Site)) &&
		(q.Stale == "" || s.Stamp != q.Stale) && (q.Label == "" || s.Label == q.Label) &&
		(q.LookBefore.IsZero() || !s.LookAt.IsZero() && s.LookAt.Before(q.LookBefore))
}

func snapshotPages(t *testing.T, h *harness) {
	snaps := variedSnapshots()
	h.fill(nil, mixed(snaps))
	for k, kind := range []string{"", "staff", "missing"} {
		for s, sites := range [][]study.SiteCode{nil, {"S01"}, {"é", "B", "missing", "B", ""}} {
			for o, stale := range []string{"", "new", "missing"} {
				for l, label := range []string{"", "10", "é"} {
					q := study.SnapshotQuery{Kind: kind, Sites: sites, Stale: stale, Label: label}
					var want []study.Snapshot
					for _, s := range snaps {
						if matches(s, q) {
							want = append(want, s)
						}
					}
					sizes := []int{0}
					if (k+s+o)%3 == 0 && (k+2*s+l)%3 == 0 { // nine, with each two values of two conditions once
						sizes = pageSizes(want)
					}
					comparePages(t, h, q, want, sizes)
				}
			}
		}
	}
}

// toLookAt: something to look at is found strictly before the instant, and
// nothing to look at is never found.
func toLookAt(t *testing.T, h *harness) {
	snaps := variedSnapshots()
	h.fill(nil, mixed(snaps))
	for _, before := range []time.Time{{}, lookAt(1), lookAt(3), lookAt(4).Add(time.Millisecond)} {
		for _, bare := range []bool{false, true} {
			q := study.SnapshotQuery{Kind: "participant", Sites: []study.SiteCode{"S01", "é"}, LookBefore: before, Bare: bare}
			var want []study.Snapshot
			for _, s := range snaps {
				if matches(s, q) {
					if bare {
						s.State = nil
					}
					want = append(want, s)
				}
			}
			comparePages(t, h, q, want, pageSizes(want))
		}
	}
}

// pageSizes are one page, small ones, and one that is just full.
func pageSizes(want []study.Snapshot) []int {
	sizes := []int{0, 3, len(want)}
	if len(want) > 30 {
		sizes[1] = 11
	}
	return slices.Compact(sizes)
}

// comparePages reads all pages of a query, in several sizes.
func comparePages(t *testing.T, h *harness, q study.SnapshotQuery, want []study.Snapshot, sizes []int) {
	t.Helper()
	for _, q.Limit = range sizes {
		q.AfterSite, q.AfterLabel, q.AfterStream = "", "", ""
		var got []study.Snapshot
		for {
			page, err := h.Snapshots(t.Context(), q)
			must(t, err)
			got = append(got, page...)
			if q.Limit == 0 || len(page) < q.Limit {
				break
			}
			end := page[len(page)-1]
			q.AfterSite, q.AfterLabel, q.AfterStream = end.Site, end.Label, end.Stream
		}
		if len(got) != len(want) {
			t.Fatalf("%+v: %d snapshots, not %d", q, len(got), len(want))
		}
		for i := range want {
			if d := difference(want[i], got[i]); d != "" {
				t.Fatalf("%+v: at %d: %s", q, i, d)
			}
		}
	}
}

func snapshotLimit(t *testing.T, h *harness) {
	const more = 1003
	snaps := make([]study.Snapshot, more)
	for i := range snaps {
		snaps[i] = snapshot(study.StreamID(fmt.Sprint("site/", i)), uint64(i+1))
	}
	h.fill(nil, snaps)
	for limit, want := range map[int]int{0: 1000, 999: 999, 1000: 1000, 1001: 1000, 1 << 30: 1000, -1: 1000} {
		page, err := h.Snapshots(t.Context(), study.SnapshotQuery{Limit: limit})
		must(t, err)
		if len(page) != want {
			t.Errorf("at most %d gives %d snapshots, not %d", limit, len(page), want)
		}
	}
}

// noSites: somebody who may see no site must not see all of them.
func noSites(t *testing.T, h *harness) {
	must(t, h.PutSnapshot(t.Context(), snapshot("site/S01", 1)))
	none(t, "Snapshots of no site")(h.Snapshots(t.Context(), study.SnapshotQuery{Sites: []study.SiteCode{}}))
}

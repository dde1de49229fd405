package study

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// DeviceCount is how many phones of one kind a site's participants have, and
// how many of them reminders reach. It names nobody.
type DeviceCount struct {
	Site     SiteCode
	Platform string // of Platforms
	Kind     string // of TargetKinds
	Live     int    // messages go there
	Silent   int    // not opened for so long that none goes there
	Stopped  int    // the push service refused; none goes there until it registers again
}

// CountDevices counts the phones of the sites that the actor may see, by site,
// platform and kind.
func (s *Service) CountDevices(ctx context.Context, by Actor) ([]DeviceCount, error) {
	if err := permit(by, CountPhones); err != nil {
		return nil, err
	}
	records, err := s.store.Records(ctx, recordDevice, "", time.Time{})
	if err != nil {
		return nil, err
	}
	phones := map[StreamID][]Device{}
	for _, r := range records {
		d, err := deviceOf(r)
		if err != nil {
			return nil, err
		}
		phones[StreamID(r.Owner)] = append(phones[StreamID(r.Owner)], d)
	}
	counts := map[DeviceCount]*DeviceCount{}
	err = s.eachSnapshot(ctx, SnapshotQuery{Kind: "participant", Bare: true}, func(snap Snapshot) error {
		if !by.Sees(snap.Site) {
			return nil
		}
		for _, d := range phones[snap.Stream] {
			key := DeviceCount{Site: snap.Site, Platform: d.Platform, Kind: d.Target.Kind}
			if counts[key] == nil {
				row := key
				counts[key] = &row
			}
			counts[key].add(d, s.now())
		}
		return nil
	})
	out := make([]DeviceCount, 0, len(counts))
	for _, c := range counts {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b DeviceCount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Kind, b.Kind))
	})
	return out, err
}

func (c *DeviceCount) add(d Device, now time.Time) {
	switch {
	case d.Disabled != "":
		c.Stopped++
	case d.Live(now):
		c.Live++
	default:
		c.Silent++
	}
}

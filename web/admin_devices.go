package web

import (
	"net/http"
	"time"

	"epro/auth"
	"epro/study"
)

// phonesView counts phones by site and kind, and lists the signing keys.
type phonesView struct {
	head
	Rows  []study.DeviceCount
	Total study.DeviceCount
	Keys  []keyRow
}

type keyRow struct{ ID, MadeAt, State string }

func (d *desk) adminDevices(v *visit) error {
	view := phonesView{head: d.head(v, "Phones and keys", "phones")}
	var err error
	if view.Rows, err = d.Study.CountDevices(v.UserContext(), v.by); err != nil {
		return err
	}
	for _, c := range view.Rows {
		view.Total.Live, view.Total.Silent, view.Total.Stopped = view.Total.Live+c.Live, view.Total.Silent+c.Silent, view.Total.Stopped+c.Stopped
	}
	if v.by.May(study.ManageStaff) {
		keys, err := d.Auth.SigningKeys(v.UserContext(), v.by)
		if err != nil {
			return err
		}
		for _, k := range keys {
			view.Keys = append(view.Keys, keyRow{k.ID, utc(study.InstantOf(k.MadeAt)), keyState(k, d.Now())})
		}
	}
	return d.show(v.Ctx, http.StatusOK, "admin-devices.html", view)
}

func keyState(k auth.SigningKey, now time.Time) string {
	switch {
	case k.Signs:
		return "signs now"
	case k.SignsAt.After(now):
		return "published ahead; signs from " + utc(study.InstantOf(k.SignsAt))
	case k.Taken:
		return "signs no more; what it signed is accepted until it expires"
	default:
		return "retired"
	}
}

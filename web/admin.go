package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"epro/study"
)

// adminView is a page for administrators. What a page does not show is empty.
type adminView struct {
	head
	Study   *study.InForce
	Sites   []*study.Site
	Staff   []staffRow
	Packs   []packRow
	Events  []auditRow
	Next    string // the audit's next page
	Kind    string
	Who     string
	Since   string
	Problem *problem
}

type staffRow struct {
	*study.Staff
	SiteList      string
	Authenticator bool
	Codes, Open   int
}

type packRow struct{ Name, Language, Status, Licence, Hash string }

type auditRow struct {
	historyRow
	Stream string
}

func (d *desk) adminHome(v *visit) error {
	view := adminView{head: d.head(v, "Overview", "admin")}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	view.Study = h.Current()
	if view.Sites, err = d.Study.Sites(v.UserContext(), v.by); err != nil {
		return err
	}
	if view.Packs, err = d.packs(v); err != nil {
		return err
	}
	return d.show(v.Ctx, http.StatusOK, "admin.html", view)
}

func (d *desk) packs(v *visit) ([]packRow, error) {
	st, err := d.Study.WordingPacks(v.UserContext(), v.by)
	if err != nil {
		return nil, err
	}
	var rows []packRow
	for i := range st.Wording {
		p := &st.Wording[i]
		rows = append(rows, packRow{p.Name(), p.Language, word(st.WordingStatus(p, study.InstantOf(d.Now()))), p.Licence.ValidFrom + " to " + p.Licence.ValidTo, p.Hash.String()})
	}
	return rows, nil
}

func (d *desk) adminStaff(v *visit) error { return d.showStaff(v, http.StatusOK, nil) }

func (d *desk) showStaff(v *visit, status int, wrong error) error {
	view := adminView{head: d.head(v, "Staff", "staff"), Problem: problemOf(wrong)}
	all, err := d.Study.AllStaff(v.UserContext(), v.by)
	if err != nil {
		return err
	}
	for _, s := range all {
		row := staffRow{Staff: s}
		codes := make([]string, len(s.Sites))
		for i, c := range s.Sites {
			codes[i] = string(c)
		}
		row.SiteList = strings.Join(codes, ", ")
		if row.Authenticator, err = d.Auth.HasAuthenticator(v.UserContext(), s.ID); err != nil {
			return err
		}
		if row.Codes, err = d.Auth.RecoveryCodesLeft(v.UserContext(), s.ID); err != nil {
			return err
		}
		sessions, err := d.Auth.Sessions(v.UserContext(), s.ID)
		if err != nil {
			return err
		}
		row.Open = len(sessions)
		view.Staff = append(view.Staff, row)
	}
	return d.show(v.Ctx, status, "admin-staff.html", view)
}

// manage does something to an account, for administrators only.
func (d *desk) manage(said string, do func(ctx context.Context, id study.StaffID) error) func(*visit) error {
	return func(v *visit) error {
		if !v.by.May(study.ManageStaff) {
			return study.Fail(study.Forbidden, "Only administrators manage accounts.")
		}
		staff, err := d.Study.Staff(v.UserContext(), study.StaffID(v.value("staff")))
		if err == nil {
			err = do(v.UserContext(), staff.ID)
		}
		if err != nil {
			return refused(err, func(status int, wrong error) error { return d.showStaff(v, status, wrong) })
		}
		return v.done("/admin/staff", said)
	}
}

func (d *desk) endSessions(ctx context.Context, id study.StaffID) error {
	return d.Auth.EndSessions(ctx, id.Stream())
}

func (d *desk) removeAuthenticator(ctx context.Context, id study.StaffID) error {
	if err := d.Auth.RemoveTOTP(ctx, id); err != nil {
		return err
	}
	return d.Auth.EndSessions(ctx, id.Stream())
}

func (d *desk) adminSites(v *visit) error {
	view := adminView{head: d.head(v, "Sites", "sites")}
	var err error
	if view.Sites, err = d.Study.Sites(v.UserContext(), v.by); err != nil {
		return err
	}
	return d.show(v.Ctx, http.StatusOK, "admin-sites.html", view)
}

func (d *desk) adminProtocol(v *visit) error {
	if !v.by.May(study.ReadStudy) {
		return study.Fail(study.Forbidden, "Your role does not read the protocol.")
	}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	view := adminView{head: d.head(v, "Protocol in force", "protocol"), Study: h.Current()}
	return d.show(v.Ctx, http.StatusOK, "admin-protocol.html", view)
}

// auditPage is how many events a page of the audit reads; the search looks
// through so many at a time and says where to go on.
const auditPage = 1000

// audit searches everything that was recorded: by kind of event, by who, since
// a day.
func (d *desk) audit(v *visit) error {
	view := adminView{head: d.head(v, "Audit", "audit"), Kind: v.Query("kind"), Who: v.Query("who"), Since: v.Query("since")}
	place := study.Place{At: d.Now().AddDate(0, 0, -7)}
	if on, err := study.ParseDate(view.Since); err == nil {
		place.At = on.UTC()
	} else {
		view.Since = place.At.UTC().Format(time.DateOnly)
		place.At = place.At.UTC().Truncate(24 * time.Hour)
	}
	if at, err := time.Parse(time.RFC3339Nano, v.Query("at")); err == nil {
		place.At, place.Stream = at, study.StreamID(v.Query("stream"))
		place.Seq, _ = strconv.ParseUint(v.Query("seq"), 10, 63)
	}
	events, next, err := d.Study.Audit(v.UserContext(), v.by, place, auditPage)
	if err != nil {
		return err
	}
	rows := d.history(v, events, time.UTC, false)
	for i, e := range events {
		if strings.Contains(string(e.Type), view.Kind) && strings.Contains(strings.ToLower(rows[i].Who+" "+e.Actor.ID), strings.ToLower(view.Who)) {
			view.Events = append(view.Events, auditRow{rows[i], string(e.Stream)})
		}
	}
	if next != nil {
		view.Next = "/admin/audit?" + query("kind", view.Kind, "who", view.Who, "since", view.Since, "at", next.At.Format(time.RFC3339Nano), "stream", string(next.Stream), "seq", strconv.FormatUint(next.Seq, 10))
	}
	return d.show(v.Ctx, http.StatusOK, "admin-audit.html", view)
}

package web

import (
	"net/http"
	"time"

	"epro/study"
)

// overviewView is the page that administrators begin with.
type overviewView struct {
	head
	Study *study.InForce
	Sites []*study.Site
	Packs []packRow
}

func (d *desk) adminHome(v *visit) error {
	view := overviewView{head: d.head(v, "Overview", "admin")}
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

func (d *desk) adminProtocol(v *visit) error {
	if !v.by.May(study.ReadStudy) {
		return study.Fail(study.Forbidden, "Your role does not read the protocol.")
	}
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	return d.show(v.Ctx, http.StatusOK, "admin-protocol.html", overviewView{head: d.head(v, "Protocol in force", "protocol"), Study: h.Current()})
}

// trail is what was recorded of an account, a site or the study behind a
// sequence, the latest first; nothing for roles that do not read the audit.
func (d *desk) trail(v *visit, stream study.StreamID, after uint64) ([]historyRow, error) {
	if !v.by.May(study.ReadAudit) {
		return nil, nil
	}
	events, err := d.Study.AuditOf(v.UserContext(), v.by, stream, 0)
	if err != nil {
		return nil, err
	}
	rows := d.history(v, events, time.UTC, true)
	for i := range rows {
		if rows[i].Seq <= after {
			return rows[:i], nil
		}
	}
	return rows, nil
}

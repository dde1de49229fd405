package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"epro/study"
)

// staffView is the list of accounts, with the form that opens one.
type staffView struct {
	head
	Staff        []staffRow
	Roles, Sites []option
	In           returned
	Problem      *problem
}

// staffRow is an account with what is known of its ways in.
type staffRow struct {
	*study.Staff
	SiteList      string
	Live          bool
	Authenticator bool
	Codes, Open   int
}

func (d *desk) staffRow(v *visit, s *study.Staff) (staffRow, error) {
	row := staffRow{Staff: s, SiteList: siteList(s.Sites), Live: s.Live(d.Now())}
	var err error
	if row.Authenticator, err = d.Auth.HasAuthenticator(v.UserContext(), s.ID); err != nil {
		return row, err
	}
	if row.Codes, err = d.Auth.RecoveryCodesLeft(v.UserContext(), s.ID); err != nil {
		return row, err
	}
	sessions, err := d.Auth.Sessions(v.UserContext(), s.ID)
	row.Open = len(sessions)
	return row, err
}

func siteList(codes []study.SiteCode) string {
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

func (d *desk) adminStaff(v *visit) error { return d.showStaff(v, http.StatusOK, nil) }

func (d *desk) showStaff(v *visit, status int, wrong error) error {
	view := staffView{head: d.head(v, "Staff", "staff"), In: v.returned("/admin"), Problem: problemOf(wrong)}
	all, err := d.Study.AllStaff(v.UserContext(), v.by)
	if err != nil {
		return err
	}
	for _, s := range all {
		row, err := d.staffRow(v, s)
		if err != nil {
			return err
		}
		view.Staff = append(view.Staff, row)
	}
	view.Roles = options(study.StaffRoles, view.In.Of("/staff", "role"))
	if view.Sites, err = d.siteOptions(v, sitesTyped(v)); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "admin-staff.html", view)
}

// siteOptions are all sites, some of them chosen.
func (d *desk) siteOptions(v *visit, chosen []study.SiteCode) ([]option, error) {
	sites, err := d.Study.Sites(v.UserContext(), v.by)
	if err != nil {
		return nil, err
	}
	out := make([]option, len(sites))
	for i, s := range sites {
		out[i] = option{string(s.Code), string(s.Code) + " · " + s.Name, slices.Contains(chosen, s.Code)}
	}
	return out, nil
}

// sitesTyped are the sites whose boxes are ticked.
func sitesTyped(v *visit) []study.SiteCode {
	var codes []study.SiteCode
	for _, code := range v.Request().PostArgs().PeekMulti("site") {
		codes = append(codes, study.SiteCode(code))
	}
	return codes
}

// rightsTyped are the rights that the form states.
func rightsTyped(v *visit) (study.Rights, error) {
	rights := study.Rights{Role: study.Role(v.value("role")), Sites: sitesTyped(v)}
	var err, wrong error
	if rights.AccessFrom, err = dateField(v, "access_from"); err != nil {
		wrong = err
	}
	if rights.AccessUntil, err = dateField(v, "access_until"); err != nil {
		wrong = err
	}
	return rights, wrong
}

// because is the request with the reason that the form gives.
func (v *visit) because() study.Request {
	r := v.request()
	r.Reason = v.value("reason")
	return r
}

func (d *desk) openAccount(v *visit) error {
	rights, err := rightsTyped(v)
	if err == nil {
		err = reasoned(v)
	}
	if err == nil {
		made, failed := d.Auth.InviteStaff(v.UserContext(), v.because(), study.CreateStaff{Username: v.value("username"), Rights: rights})
		if failed == nil {
			return d.showLetter(v, made)
		}
		err = failed
	}
	return refused(err, func(status int, wrong error) error { return d.showStaff(v, status, wrong) })
}

// reasoned asks for the reason before anything is done: what follows takes more
// than one step.
func reasoned(v *visit) error {
	if v.value("reason") != "" {
		return nil
	}
	return study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "reason", Reason: "say why; the record keeps it"})
}

// accountOfView is the page of one account.
type accountOfView struct {
	head
	staffRow
	Own          bool
	Sessions     []sessionView
	Roles, Sites []option
	From, Until  string
	In           returned
	History      []historyRow
	Problem      *problem
	Conflict     []historyRow
}

func staffPath(id study.StaffID) string { return "/admin/staff/" + string(id) }

func (d *desk) adminAccount(v *visit) error { return d.showAccountOf(v, http.StatusOK, nil) }

// oneAccount is the account of the path, for administrators only.
func (d *desk) oneAccount(v *visit) (*study.Staff, error) {
	if !v.by.May(study.ManageStaff) {
		return nil, study.Fail(study.Forbidden, "Only administrators manage accounts.")
	}
	return d.Study.Staff(v.UserContext(), study.StaffID(v.Params("id")))
}

func (d *desk) showAccountOf(v *visit, status int, wrong error) error {
	staff, err := d.oneAccount(v)
	if err != nil {
		return err
	}
	row, err := d.staffRow(v, staff)
	if err != nil {
		return err
	}
	view := accountOfView{head: d.head(v, "Account "+staff.Username, "staff"), staffRow: row, Own: staff.ID == v.by.Staff, In: v.returned(staffPath(staff.ID)), Problem: problemOf(wrong)}
	role, sites := string(staff.Role), staff.Sites
	view.From, view.Until = staff.AccessFrom.String(), staff.AccessUntil.String()
	if view.In.Is("") && view.In.Of("", "do") == "" {
		role, sites, view.From, view.Until = view.In.Of("", "role"), sitesTyped(v), view.In.Of("", "access_from"), view.In.Of("", "access_until")
	}
	view.Roles = options(study.StaffRoles, role)
	if view.Sites, err = d.siteOptions(v, sites); err != nil {
		return err
	}
	sessions, err := d.Auth.Sessions(v.UserContext(), staff.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionView{s.ID, s.StartedAt.UTC().Format("2006-01-02 15:04 UTC"), s.EndAt.UTC().Format("2006-01-02 15:04 UTC"), s.ID == v.page.Session})
	}
	if view.History, err = d.trail(v, staff.ID.Stream(), 0); err != nil {
		return err
	}
	if view.Conflict, err = d.conflictIn(v, staff.ID.Stream(), wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "admin-account.html", view)
}

// conflictIn is conflict for an account, a site or the study.
func (d *desk) conflictIn(v *visit, stream study.StreamID, err error) ([]historyRow, error) {
	var stale *study.Stale
	if !errors.As(err, &stale) {
		return nil, nil
	}
	return d.trail(v, stream, stale.Since)
}

// changeAccount states the rights anew, or disables or enables the account.
func (d *desk) changeAccount(v *visit) error {
	staff, err := d.oneAccount(v)
	if err != nil {
		return err
	}
	c, said := study.StaffChanged{Rights: staff.Rights, Disabled: staff.Disabled}, "The account has its new rights; they hold from its next click on."
	switch v.value("do") {
	case "disable":
		c.Disabled, said = true, "The account is disabled, and its sessions have ended."
	case "enable":
		c.Disabled, said = false, "The account works again. Its password and second factor are those of before."
	default:
		c.Rights, err = rightsTyped(v)
	}
	if err == nil {
		err = reasoned(v)
	}
	if err == nil {
		_, err = d.Study.ChangeStaff(v.UserContext(), v.because(), staff.ID, c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showAccountOf(v, status, wrong) })
	}
	if c.Disabled {
		if err := d.Auth.EndSessions(v.UserContext(), staff.ID.Stream()); err != nil {
			return err
		}
	}
	return v.done(staffPath(staff.ID), said)
}

func (d *desk) staffLetter(v *visit) error {
	staff, err := d.oneAccount(v)
	if err != nil {
		return err
	}
	made, err := d.Auth.Invite(v.UserContext(), v.because(), staff.ID)
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showAccountOf(v, status, wrong) })
	}
	return d.showLetter(v, made)
}

func (d *desk) endStaffSessions(v *visit) error {
	staff, err := d.oneAccount(v)
	if err != nil {
		return err
	}
	if err := d.Auth.EndStaffSessions(v.UserContext(), v.because(), staff.ID, v.value("session")); err != nil {
		return refused(err, func(status int, wrong error) error { return d.showAccountOf(v, status, wrong) })
	}
	return v.done(staffPath(staff.ID), "Ended.")
}

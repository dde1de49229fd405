package web

import (
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"epro/instruments/wording"
	"epro/study"
)

// packRow is a wording pack in a list.
type packRow struct {
	Name, Language, Status, Licence, Hash string
	Warnings                              []string
}

func (d *desk) packs(v *visit) ([]packRow, error) {
	st, err := d.Study.WordingPacks(v.UserContext(), v.by)
	if err != nil {
		return nil, err
	}
	var rows []packRow
	for i := range st.Wording {
		rows = append(rows, d.packRow(st, &st.Wording[i]))
	}
	return rows, nil
}

func (d *desk) packRow(st *study.Study, p *study.WordingPack) packRow {
	now := study.InstantOf(d.Now())
	return packRow{p.Name(), p.Language, word(st.WordingStatus(p, now)), p.Licence.ValidFrom + " to " + p.Licence.ValidTo, p.Hash.String(), st.Warnings(p, now)}
}

// wordingView is the list of wording packs, with the form that brings one in and
// the report on the file that was looked at.
type wordingView struct {
	head
	Packs    []packRow
	Checked  *packRow // a sound file that was only looked at
	Sheet    *sheetView
	Max      int
	Problem  *problem
	FileName string
}

// sheetView is a questionnaire's text as it would be shown.
type sheetView struct {
	Lang, Direction                 string
	Instructions, Recall, Copyright string
	Choices                         []option
	Items                           []itemRow
}

func sheetOfPack(p *study.WordingPack) *sheetView {
	ins, ok := study.InstrumentOf(p.Instrument, p.InstrumentVersion)
	if !ok {
		return nil
	}
	out := &sheetView{Lang: p.Language, Direction: wording.Direction(p.Language), Instructions: p.Instructions, Recall: p.Recall, Copyright: p.Copyright, Items: sheetOf(ins, p.Wording())}
	for i := range out.Items {
		out.Items[i].OptOutText = p.OptOut[out.Items[i].OptOut]
	}
	for i, c := range ins.Choices {
		out.Choices = append(out.Choices, option{Value: strconv.Itoa(c.Value), Name: p.Options[i]})
	}
	return out
}

func (d *desk) adminWording(v *visit) error {
	return d.showWording(v, http.StatusOK, wordingView{}, nil)
}

func (d *desk) showWording(v *visit, status int, view wordingView, wrong error) error {
	view.head, view.Max, view.Problem = d.head(v, "Wording packs", "wording"), wording.MaxBytes>>10, problemOf(wrong)
	var err error
	if view.Packs, err = d.packs(v); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "admin-wording.html", view)
}

// importWording reads the file that was chosen: to say what is wrong with it, or
// to bring it in.
func (d *desk) importWording(v *visit) error {
	if !v.by.May(study.ManageWording) {
		return study.Fail(study.Forbidden, "Only administrators bring wording packs in.")
	}
	up, err := uploadOf(v)
	view := wordingView{FileName: up.name}
	again := func(status int, wrong error) error { return d.showWording(v, status, view, wrong) }
	if err != nil {
		return refused(err, again)
	}
	if up.do == "check" {
		st, pack, err := d.Study.PreviewWording(v.UserContext(), v.by, up.text)
		if err != nil {
			return refused(err, again)
		}
		row := d.packRow(st, pack)
		view.Checked, view.Sheet = &row, sheetOfPack(pack)
		return again(http.StatusOK, nil)
	}
	r := study.Request{By: v.by, Reason: up.reason}
	if uuidText.MatchString(up.event) {
		r.EventID = study.EventID(up.event)
	}
	_, pack, err := d.Study.ImportWording(v.UserContext(), r, up.text)
	if err != nil {
		return refused(err, again)
	}
	return v.done(packPath(pack.Name()), "The pack is in. It is shown to nobody yet: a second administrator reads it here and approves it.")
}

// upload is the form with a file, the only one of the desk.
type upload struct {
	name, do, reason, event string
	text                    []byte
}

// uploadOf reads it. The server has bounded the body; one that is compressed
// could grow beyond that, and no browser sends one.
func uploadOf(v *visit) (upload, error) {
	if v.Get(fiber.HeaderContentEncoding) != "" {
		return upload{}, study.Fail(study.Invalid, "Send the form as it is, not compressed.")
	}
	form, err := v.Request().MultipartForm()
	if err != nil {
		return upload{}, study.Fail(study.Invalid, "The form did not arrive whole. Choose the file again.")
	}
	defer func() { _ = form.RemoveAll() }()
	one := func(name string) string {
		if all := form.Value[name]; len(all) > 0 {
			return all[0]
		}
		return ""
	}
	up := upload{do: one("do"), reason: one("reason"), event: one("event")}
	if len(form.File["pack"]) == 0 || form.File["pack"][0].Size == 0 {
		return up, study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "pack", Reason: "choose the file of the wording pack"})
	}
	up.name = form.File["pack"][0].Filename
	file, err := form.File["pack"][0].Open()
	if err != nil {
		return up, err
	}
	defer func() { _ = file.Close() }()
	up.text, err = io.ReadAll(io.LimitReader(file, wording.MaxBytes+1))
	return up, err
}

// packView is the page of one pack: its text, and what was decided of it.
type packView struct {
	head
	packRow
	Pack       *study.WordingPack
	Sheet      *sheetView
	ImportedAt string
	ImportedBy string
	Own        bool // whoever looks brought it in, and cannot approve it
	Ended      bool // its licence
	Approved   bool
	Decisions  []decisionRow
	Seq        uint64
	In         returned
	Problem    *problem
	Conflict   []historyRow
}

type decisionRow struct{ At, Who, What, Why string }

func packPath(name string) string { return "/admin/wording/" + url.PathEscape(name) }

func (d *desk) adminPack(v *visit) error { return d.showPack(v, http.StatusOK, nil) }

// packName is the pack of the path.
func packName(v *visit) string {
	name, err := url.PathUnescape(v.Params("pack"))
	if err != nil {
		return ""
	}
	return name
}

func (d *desk) showPack(v *visit, status int, wrong error) error {
	st, pack, err := d.Study.WordingPack(v.UserContext(), v.by, packName(v))
	if err != nil {
		return err
	}
	names := map[string]string{}
	view := packView{head: d.head(v, "Wording pack "+pack.Name(), "wording"), packRow: d.packRow(st, pack), Pack: pack, Sheet: sheetOfPack(pack),
		ImportedAt: utc(pack.ImportedAt), ImportedBy: d.nameOf(v, pack.ImportedBy, names), Own: pack.ImportedBy == v.by.Ref(),
		Ended: st.WordingStatus(pack, study.InstantOf(d.Now())) == study.WordingExpired, Seq: st.Seq, In: v.returned(packPath(pack.Name())), Problem: problemOf(wrong)}
	for _, one := range pack.Decisions {
		row := decisionRow{utc(one.At), d.nameOf(v, one.By, names), "not to be shown", one.Reason}
		if one.Approve {
			row.What = "approved"
		}
		view.Approved = one.Approve
		view.Decisions = append(view.Decisions, row)
	}
	if view.Conflict, err = d.conflictIn(v, study.StudyStream, wrong); err != nil {
		return err
	}
	return d.show(v.Ctx, status, "admin-pack.html", view)
}

func (d *desk) decideWording(v *visit) error {
	c := study.DecideWording{Pack: packName(v), Approve: v.value("approve") == "yes", Reason: v.value("reason")}
	var err error
	if c.Approve {
		err = ticked(v)
	}
	if err == nil {
		_, _, err = d.Study.DecideWording(v.UserContext(), v.request(), c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showPack(v, status, wrong) })
	}
	said := "The pack is not shown any more. Forms that were begun with it keep its text."
	if c.Approve {
		said = "Approved. Forms that are opened from now on show this text, on the days of its licence."
	}
	return v.done(packPath(c.Pack), said)
}

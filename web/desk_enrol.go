package web

import (
	"html/template"
	"net/http"

	"epro/study"
)

// enrolView is the page that opens a participant's record.
type enrolView struct {
	head
	Event                            string
	In                               map[string]string
	SiteOptions, Regimens, Languages []option
	Problem                          *problem
}

var enrolFields = []string{"site", "number", "regimen", "language", "time_zone", "cycle1_on", "consent_on", "form_version", "access"}

func (d *desk) askEnrol(v *visit) error { return d.showEnrol(v, http.StatusOK, nil) }

func (d *desk) showEnrol(v *visit, status int, wrong error) error {
	h, err := d.Study.History(v.UserContext())
	if err != nil {
		return err
	}
	if !v.by.May(study.EnrolPeople) {
		return study.Fail(study.Forbidden, "Your role does not enrol participants.")
	}
	own, err := d.Study.Sites(v.UserContext(), v.by)
	if err != nil {
		return err
	}
	choice, err := d.sites(v)
	if err != nil {
		return err
	}
	view := enrolView{head: d.head(v, "Enrol a participant", "participants"), Event: d.NewID(), In: typed(v, enrolFields...), Problem: problemOf(wrong)}
	if wrong != nil {
		view.Event = v.value("event") // the same form, sent again
	}
	for _, s := range own {
		chosen := view.In["site"] == string(s.Code) || wrong == nil && s.Code == choice.Site
		view.SiteOptions = append(view.SiteOptions, option{string(s.Code), string(s.Code) + " · " + s.Name, chosen})
		if chosen && wrong == nil {
			view.In["time_zone"], view.In["language"] = s.TimeZone, s.Language
		}
	}
	current := h.Current()
	view.Regimens, view.Languages = options(current.Regimens, view.In["regimen"]), options(current.Languages, view.In["language"])
	return d.show(v.Ctx, status, "enrol.html", view)
}

func (d *desk) enrol(v *visit) error {
	c := study.Enrol{Number: v.value("number"), Site: study.SiteCode(v.value("site")), Regimen: v.value("regimen"), Language: v.value("language"),
		TimeZone: v.value("time_zone"), Access: study.Access(v.value("access"))}
	var err error
	if c.Cycle1On, err = dateField(v, "cycle1_on"); err != nil {
		return d.showEnrol(v, http.StatusBadRequest, err)
	}
	if v.value("consent_on") != "" || v.value("form_version") != "" {
		c.Consent = study.Consent{FormVersion: v.value("form_version"), Language: c.Language}
		if c.Consent.On, err = dateField(v, "consent_on"); err != nil {
			return d.showEnrol(v, http.StatusBadRequest, err)
		}
	}
	p, err := d.Study.Enrol(v.UserContext(), v.request(), c)
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showEnrol(v, status, wrong) })
	}
	return v.done(personPath(p.ID), "Enrolled. Make the letter with the code next.")
}

// dateField is a field with a date; an empty one is no date.
func dateField(v *visit, name string) (study.Date, error) {
	text := v.value(name)
	if text == "" {
		return 0, nil
	}
	on, err := study.ParseDate(text)
	if err != nil {
		return 0, study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: name, Reason: "give the day as YYYY-MM-DD"})
	}
	return on, nil
}

// letterView is the letter that a participant takes home.
type letterView struct {
	head
	ID                        study.ParticipantID
	Lang, Number, Code, Until string
	Address                   string
	QR                        template.HTML
	T                         letterText
}

type letterText struct{ Title, Number, Scan, Type, Until, Once, Help string }

var letterTexts = map[string]letterText{
	"en": {"Your questionnaire on your phone", "Your number in the study",
		"Point your phone's camera at this square and open the page that it shows. You need no app and no account.",
		"If the camera does not work, open this page and type the code:", "The code works until",
		"It works once: for you only. Please do not pass it on.",
		"If something does not work, ask your study team. You can always fill the questionnaire on paper instead."},
	"zh": {"在您的手机上填写问卷", "您的研究编号", "请用手机相机扫描此二维码，并打开显示的网页。您不需要安装应用，也不需要账户。",
		"如果无法扫描，请打开以下网页并输入代码：", "代码有效期至", "代码只能使用一次，仅供您本人使用，请勿转给他人。",
		"如有问题，请询问您的研究团队。您也可以随时改用纸质问卷。"},
}

// letter issues a code and shows it with its QR code. The code stands behind the
// # of the link: a browser sends that to nobody, and no log has it.
func (d *desk) letter(v *visit) error {
	p, _, err := d.person(v)
	if err != nil {
		return err
	}
	code, err := d.Auth.IssueCode(v.UserContext(), v.request(), p.ID, v.value("replace") != "")
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showPerson(v, status, wrong) })
	}
	link := d.base(v.Ctx) + "/app"
	image, err := qrSVG(link+"#"+code.Code, "QR code with the link to the questionnaire")
	if err != nil {
		return err
	}
	text, lang := letterTexts["en"], "en"
	if len(p.Language) >= 2 && letterTexts[p.Language[:2]] != (letterText{}) {
		lang = p.Language[:2]
		text = letterTexts[lang]
	}
	return d.show(v.Ctx, http.StatusOK, "letter.html", letterView{head: d.head(v, "Letter for "+p.Number, "participants"), ID: p.ID, Lang: lang, Number: p.Number,
		Code: code.Code, Until: local(study.InstantOf(code.ExpiresAt), p.Zone()), Address: link, QR: image, T: text})
}

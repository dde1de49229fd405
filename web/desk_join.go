package web

import (
	"html/template"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"epro/auth"
	"epro/study"
)

// joinView is the page on which a member of staff uses the code of a letter.
type joinView struct {
	head
	Code     string
	Username string // once it is done
	Problem  *problem
}

func (d *desk) askJoin(c *fiber.Ctx) error { return d.showJoin(c, http.StatusOK, joinView{}) }

func (d *desk) showJoin(c *fiber.Ctx, status int, view joinView) error {
	view.head = d.head(&visit{Ctx: c}, "Choose your password", "")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return d.show(c, status, "join.html", view)
}

func (d *desk) join(c *fiber.Ctx) error {
	view, password := joinView{Code: field(c, "code")}, field(c, "password")
	if password != field(c, "again") {
		view.Problem = &problem{Message: "The two passwords differ. Type the same one twice. Your code has not been used up."}
		return d.showJoin(c, http.StatusBadRequest, view)
	}
	staff, err := d.Auth.Join(c.UserContext(), view.Code, password, address(c))
	if err != nil {
		if !refusal(err) {
			return d.failed(&visit{Ctx: c}, err)
		}
		view.Problem = problemOf(err)
		return d.showJoin(c, statusOfPage(study.CodeOf(err)), view)
	}
	return d.showJoin(c, http.StatusCreated, joinView{Username: staff.Username})
}

// staffLetterView is the letter that a member of staff is handed.
type staffLetterView struct {
	head
	ID                             study.StaffID
	Username, Code, Until, Address string
	QR                             template.HTML
}

// showLetter shows an invitation with its code. As on a participant's letter the
// code stands behind the # of the link, which a browser sends to nobody.
func (d *desk) showLetter(v *visit, i auth.Invitation) error {
	link := d.base(v.Ctx) + "/desk/join"
	image, err := qrSVG(link+"#"+i.Code, "QR code with the link to choose a password")
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderCacheControl, "no-store")
	return d.show(v.Ctx, http.StatusOK, "staff-letter.html", staffLetterView{head: d.head(v, "Letter for "+i.Staff.Username, "staff"), ID: i.Staff.ID,
		Username: i.Staff.Username, Code: i.Code, Until: i.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"), Address: link, QR: image})
}

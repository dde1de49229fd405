package web

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"epro/certify"
)

func (d *desk) copyJSON(v *visit) error {
	c, err := d.certified(v)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(c, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return d.sendCopy(v, c, "json", fiber.MIMEApplicationJSONCharsetUTF8, raw)
}

func (d *desk) copyPDF(v *visit) error {
	c, err := d.certified(v)
	if err != nil {
		return err
	}
	raw, err := d.Fonts.PDF(c)
	if err != nil {
		return err
	}
	return d.sendCopy(v, c, "pdf", "application/pdf", raw)
}

func (d *desk) certified(v *visit) (*certify.Copy, error) {
	return certify.Gather(v.UserContext(), d.Study, certify.Request{By: v.by, Participant: personID(v), Form: formID(v), Program: d.Program})
}

// sendCopy sends a copy as a file, once it is in the study's record that it was
// made: whoever is shown one can compare its hash.
func (d *desk) sendCopy(v *visit, c *certify.Copy, format, kind string, raw []byte) error {
	if err := c.Record(v.UserContext(), d.Study, v.by, format, raw); err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, kind)
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.%s"`, c.Form, format))
	return v.Status(http.StatusOK).Send(raw)
}

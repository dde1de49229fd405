package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"epro/study"
)

// safeCell keeps a spreadsheet from taking text for a formula (OWASP ASVS 5.0 V1.2.10).
func safeCell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\x00") {
		return "'" + s
	}
	return s
}

// export sends a view as a file and records that it left.
func (d *desk) export(v *visit, dataset string, filter map[string]string, rows int, body string) error {
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	options := map[string]string{"rows": strconv.Itoa(rows), "sha256": hash}
	for k, value := range filter {
		if value != "" {
			options[k] = value
		}
	}
	err := d.Study.RecordViewExport(v.UserContext(), study.Request{By: v.by}, study.DataExported{ExportID: hash[:16], Dataset: dataset, Format: "csv", Options: options})
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	v.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.csv"`, dataset))
	return v.SendString(body)
}

package export

import (
	"bufio"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonEncoder writes CDISC Dataset-JSON 1.1: one object, its members in the
// order of the standard so that readers can stream, the rows last.
type jsonEncoder struct {
	out     *bufio.Writer
	columns []Column
	line    []byte
	rows    int
}

func newDatasetJSON(w io.Writer) Encoder { return &jsonEncoder{out: bufio.NewWriterSize(w, 64<<10)} }

// jsonHead are the members in front of the rows, in their order.
type jsonHead struct {
	Created   string         `json:"datasetJSONCreationDateTime"`
	Version   string         `json:"datasetJSONVersion"`
	File      string         `json:"fileOID"`
	Source    jsonSource     `json:"sourceSystem"`
	Study     string         `json:"studyOID"`
	MetaData  string         `json:"metaDataVersionOID"`
	ItemGroup string         `json:"itemGroupOID"`
	Records   int            `json:"records"`
	Name      string         `json:"name"`
	Label     string         `json:"label"`
	Columns   []jsonVariable `json:"columns"`
}

type jsonSource struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonVariable struct {
	OID     string `json:"itemOID"`
	Name    string `json:"name"`
	Label   string `json:"label"`
	Type    string `json:"dataType"`
	Length  int    `json:"length,omitzero"`
	KeyPart int    `json:"keySequence,omitzero"`
}

// jsonTypes are the standard's words for our kinds.
var jsonTypes = [...]string{Text: "string", Integer: "integer", Number: "double", Date: "date", Instant: "datetime", Flag: "string"}

// Begin writes everything in front of the rows.
func (e *jsonEncoder) Begin(h Head) error {
	e.columns, e.rows = h.Columns, h.Rows
	head := jsonHead{Created: h.At.UTC().Format(time.RFC3339), Version: "1.1.0", File: "epro." + h.ExportID, Source: jsonSource{"epro", known(h.Program)},
		Study: h.Study, MetaData: "MDV." + h.Protocol, ItemGroup: "IG." + h.Member, Records: h.Rows, Name: h.Member, Label: h.Label,
		Columns: make([]jsonVariable, len(h.Columns))}
	for i, c := range h.Columns {
		v := jsonVariable{OID: "IT." + h.Member + "." + c.Name, Name: c.Name, Label: c.Label, Type: jsonTypes[c.Kind],
			KeyPart: slices.Index(h.Keys, c.Name) + 1}
		switch c.Kind {
		case Text:
			v.Length = max(h.Widths[i], 1)
		case Flag:
			v.Length = 1
		}
		head.Columns[i] = v
	}
	raw, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err := e.out.Write(raw[:len(raw)-1]); err != nil {
		return err
	}
	e.line = append(e.line[:0], `,"rows":[`...)
	return nil
}

// known is the version, or a word for one that is not stamped into the program.
func known(version string) string {
	if version == "" {
		return "unknown"
	}
	return version
}

// Row writes one row as an array. What Begin or the row before left in line,
// the beginning of this one, goes out with it.
func (e *jsonEncoder) Row(cells []Value) error {
	e.line = append(e.line, "\n["...)
	for i, v := range cells {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		var err error
		if e.line, err = appendJSON(e.line, v); err != nil {
			return err
		}
	}
	e.line = append(e.line, ']')
	_, err := e.out.Write(e.line)
	e.line = append(e.line[:0], ',')
	return err
}

// appendJSON adds one cell: numbers as numbers, everything else as a string,
// and null for a missing one.
func appendJSON(b []byte, v Value) ([]byte, error) {
	switch {
	case v.Missing():
		return append(b, "null"...), nil
	case v.kind == Integer:
		return strconv.AppendInt(b, v.whole, 10), nil
	case v.kind == Number && !math.IsInf(v.Number(), 0) && !math.IsNaN(v.Number()):
		return strconv.AppendFloat(b, v.Number(), 'g', -1, 64), nil
	default:
		return jsontext.AppendQuote(b, v.String())
	}
}

// End closes the array and the object.
func (e *jsonEncoder) End() error {
	tail := "\n]}\n"
	if e.rows == 0 {
		tail = `,"rows":[]}` + "\n"
	}
	if _, err := e.out.WriteString(tail); err != nil {
		return err
	}
	return e.out.Flush()
}

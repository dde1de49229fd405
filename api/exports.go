package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"epro/analysis"
	"epro/export"
	"epro/study"
)

// ExportList is what can be exported.
type ExportList struct {
	Datasets []ExportDataset `json:"datasets"`
	Formats  []ExportFormat  `json:"formats"`
}

// ExportDataset is a dataset and its columns.
type ExportDataset struct {
	Name    string         `json:"name"`
	Label   string         `json:"label"`
	Member  string         `json:"member" doc:"Its name inside SAS and Dataset-JSON files."`
	Row     string         `json:"row" doc:"What a row is."`
	Keys    []string       `json:"keys" doc:"The columns by which rows are told apart."`
	Columns []ExportColumn `json:"columns"`
}

// ExportColumn is a column of a dataset.
type ExportColumn struct {
	Name   string       `json:"name"`
	Label  string       `json:"label"`
	Kind   string       `json:"kind" enum:"text,integer,number,date,instant,flag"`
	Unit   string       `json:"unit,omitempty"`
	Values []ExportCode `json:"values,omitempty" doc:"Every value, where the list is closed."`
	Note   string       `json:"note,omitempty"`
}

// ExportCode is one value of a closed list.
type ExportCode struct {
	Value   string `json:"value"`
	Meaning string `json:"meaning"`
}

// ExportFormat is a file format.
type ExportFormat struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	ContentType string `json:"content_type"`
}

type exportsOutput struct{ Body ExportList }

// exports lists datasets with their columns, and formats.
func (s *Server) exports(context.Context, *struct{}) (*exportsOutput, error) {
	out := &exportsOutput{}
	for _, d := range export.Datasets() {
		x := ExportDataset{Name: d.Name, Label: d.Label, Member: d.Member, Row: d.Row, Keys: d.Keys}
		for _, c := range d.Columns {
			column := ExportColumn{Name: c.Name, Label: c.Label, Kind: c.Kind.String(), Unit: c.Unit, Note: c.Note}
			for _, code := range c.Codes {
				column.Values = append(column.Values, ExportCode(code))
			}
			x.Columns = append(x.Columns, column)
		}
		out.Body.Datasets = append(out.Body.Datasets, x)
	}
	for _, f := range export.AllFormats() {
		out.Body.Formats = append(out.Body.Formats, ExportFormat{f.Name, f.Title, f.ContentType})
	}
	return out, nil
}

type exportInput struct {
	Dataset       string `path:"dataset" doc:"A dataset, or study for all of them (as zip)." example:"scores_long"`
	Format        string `path:"format" example:"csv"`
	Cut           string `query:"cut" doc:"What was recorded by then: a date (its end in the study's zone) or an instant; left out: now."`
	Through       string `query:"through" doc:"Only forms and facts dated on or before this date."`
	Demonstration string `query:"demonstration" doc:"exclude, include or only; left out: include in a simulated study, else exclude."`
	// How tte counts, alone or in the archive.
	Threshold   float64           `query:"threshold" minimum:"0" maximum:"1000" doc:"Of tte: points that count as a fall, for every score; left out or 0: each score's published minimally important difference."`
	Death       analysis.Handling `query:"death" enum:"censor,event" doc:"Of tte: a death is censored, or an event within 42 days of the last valid form."`
	Gap         analysis.Handling `query:"gap" enum:"censor,event" doc:"Of tte: two or more missed are censored before them, or what follows counts."`
	Progression analysis.Handling `query:"progression" enum:"ignore,censor" doc:"Of tte: progression or new therapy is ignored, or censored."`
}

// export streams a dataset. Whatever can be refused is refused before the first
// byte; what goes wrong after it breaks the connection off, so that half a file
// is never taken for a whole one.
func (s *Server) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	o, err := s.exportOptions(ctx, in)
	if err != nil {
		return nil, err
	}
	prepared, err := export.Prepare(ctx, s.study, actorOf(ctx), o)
	if err != nil {
		return nil, err
	}
	d := &download{}
	if err := d.start(ctx, prepared); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { d.answer(fiberOf(hc), prepared) }}, nil
}

func (s *Server) exportOptions(ctx context.Context, in *exportInput) (export.Options, error) {
	o := export.Options{Dataset: in.Dataset, Format: in.Format, Demonstration: export.Demonstration(in.Demonstration), Program: s.o.Version,
		Deterioration: analysis.Rule{Threshold: in.Threshold, Death: in.Death, Gap: in.Gap, Progression: in.Progression}}
	history, err := s.study.History(ctx)
	if err != nil {
		return o, err
	}
	zone, err := study.LoadZone(history.Current().TimeZone)
	if err != nil {
		return o, err
	}
	if o.Cut, err = export.ParseCut(in.Cut, zone, s.now()); err != nil {
		return o, err
	}
	o.Through, err = export.ParseThrough(in.Through)
	return o, err
}

// download is an export under way: it writes into one end of a pipe, and the
// server reads the answer's body from the other.
type download struct {
	body     io.Reader
	pipe     *io.PipeReader
	done     chan export.Summary // one, when all went well
	conn     net.Conn
	response *fasthttp.Response
}

// start begins the export and waits for its first bytes, or its error.
func (d *download) start(ctx context.Context, prepared *export.Export) error {
	out, in := io.Pipe()
	d.pipe, d.done = out, make(chan export.Summary, 1)
	go func() {
		summary, err := prepared.Write(ctx, in)
		if err == nil {
			d.done <- summary
		}
		_ = in.CloseWithError(err) // never fails; no error is the end of the body
	}()
	first := make([]byte, 64<<10)
	n, err := out.Read(first)
	if err != nil {
		return err
	}
	d.body = io.MultiReader(bytes.NewReader(first[:n]), out)
	return nil
}

// answer sets the head of the answer and hands the body to the server, which
// reads it after the handler has returned.
func (d *download) answer(c *fiber.Ctx, prepared *export.Export) {
	rc, s := c.Context(), prepared.Summary()
	d.conn, d.response = rc.Conn(), &rc.Response
	cut := study.InstantOf(s.Cut.At).String()
	h := &rc.Response.Header
	h.Set(fiber.HeaderContentType, prepared.Format().ContentType)
	h.Set(fiber.HeaderContentDisposition, `attachment; filename="`+s.Dataset+"-"+strings.NewReplacer(":", "", ".", "").Replace(cut)+"."+s.Format+`"`)
	h.Set("X-Export-Id", s.ExportID)
	h.Set("X-Export-Cut", cut)
	h.Set("X-Export-Final", strconv.FormatBool(s.Cut.Final))
	h.Set("X-Export-Left-Out", strings.Join(s.LeftOut.Sentences(), "; "))
	_ = h.SetTrailer(trailers) // fails for the names of a few standard headers only
	c.Status(http.StatusOK)
	rc.Response.SetBodyStream(d, -1)
}

// trailers follow the body: its SHA-256, and how many rows it has.
const trailers = "Digest, X-Row-Count"

// slowest is how long a client may take for what one reading gives it.
const slowest = time.Minute

// Read is called by the server, which has one deadline for a whole answer; a
// large file on a slow line gets a new one with every piece.
func (d *download) Read(p []byte) (int, error) {
	_ = d.conn.SetWriteDeadline(time.Now().Add(slowest)) // a closed connection shows at the next write
	n, err := d.body.Read(p)
	if errors.Is(err, io.EOF) {
		s := <-d.done
		d.response.Header.Set("X-Row-Count", strconv.Itoa(s.Rows))
		if sum, err := hex.DecodeString(s.SHA256); err == nil {
			d.response.Header.Set("Digest", "sha-256="+base64.StdEncoding.EncodeToString(sum))
		}
	}
	return n, err
}

// Close ends an export that nobody reads any more.
func (d *download) Close() error { return d.pipe.Close() }

package api_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"epro/export"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// file is a downloaded file with what came before and after it.
type file struct {
	body            []byte
	header, trailer http.Header
}

// download fetches a file as the analyst.
func (w *world) download(t *testing.T, path string) file {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.here[study.RoleAnalyst].token)
	resp, err := w.s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", path, resp.StatusCode, err, body)
	}
	checkHeaders(t, path, reply{status: resp.StatusCode, header: resp.Header})
	return file{body, resp.Header, resp.Trailer}
}

func TestAFileIsWhatTheCommandLineWritesAndEndsWithItsDigest(t *testing.T) {
	w := newWorld(t)
	w.withForm(t)
	w.s.Clock.Advance(5 * time.Minute)
	cut := w.s.Clock.Now().Add(-2 * time.Minute).UTC().Format(time.RFC3339)
	for i, d := range export.Datasets() {
		for j, f := range export.Formats() {
			if mongotest.Wanted() && i%len(export.Formats()) != j {
				continue // each of both once: cmd/epro has all pairs from both stores
			}
			got := w.download(t, "/v1/exports/"+d.Name+"."+f.Name+"?cut="+cut+"&demonstration=include")
			at, err := time.Parse(time.RFC3339, cut)
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			s, err := export.Write(t.Context(), w.s.Service, w.s.System, export.Options{Dataset: d.Name, Format: f.Name, Program: "test",
				Cut: export.Cut{At: at, Final: true}, Demonstration: export.Include}, &want)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(got.body)
			if !bytes.Equal(got.body, want.Bytes()) || got.trailer.Get("Digest") != "sha-256="+base64.StdEncoding.EncodeToString(sum[:]) ||
				got.trailer.Get("X-Row-Count") != strconv.Itoa(s.Rows) || got.header.Get("X-Export-Id") != s.ExportID ||
				got.header.Get("X-Export-Final") != "true" || got.header.Get("Content-Type") != f.ContentType {
				t.Errorf("%s.%s: %d bytes, want %d; header %v, trailer %v", d.Name, f.Name, len(got.body), want.Len(), got.header, got.trailer)
			}
		}
	}
}

func TestTheArchiveOverHTTPIsWholeAndDescribed(t *testing.T) {
	w := newWorld(t)
	w.withForm(t)
	got := w.download(t, "/v1/exports/study.zip?demonstration=include")
	z, err := zip.NewReader(bytes.NewReader(got.body), int64(len(got.body)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := z.Open("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m export.Manifest
	if err := json.NewDecoder(raw).Decode(&m); err != nil {
		t.Fatal(err)
	}
	if m.ExportID != got.header.Get("X-Export-Id") || len(m.Files) != 2*len(export.Datasets()) || m.Final || m.Participants == 0 {
		t.Errorf("%+v", m)
	}
}

func TestTheListSaysWhatCanBeExported(t *testing.T) {
	w := newWorld(t)
	got := w.s.call(t, "GET", "/v1/exports", w.here[study.RoleAnalyst].token, nil).want(t, 200).json(t)
	datasets, formats := got["datasets"].([]any), got["formats"].([]any)
	if len(datasets) != len(export.Datasets()) || len(formats) != len(export.Formats())+1 {
		t.Fatalf("%d datasets, %d formats", len(datasets), len(formats))
	}
	for i, d := range export.Datasets() {
		listed := datasets[i].(map[string]any)
		if listed["name"] != d.Name || len(listed["columns"].([]any)) != len(d.Columns) {
			t.Errorf("%s is listed as %v", d.Name, listed["name"])
		}
	}
}

func TestAnExportThatCannotBeIsRefusedInASentence(t *testing.T) {
	w := newWorld(t)
	before := w.s.content(t)
	for path, want := range map[string]string{
		"items.csv":                          "items_wide",
		"items_wide.xls":                     "parquet",
		"items_wide.zip":                     "study",
		"study.csv":                          "study",
		"items_wide.csv?cut=soon":            "cut",
		"items_wide.csv?through=soon":        "through",
		"items_wide.csv?demonstration=some":  "exclude",
		"items_wide.csv?cut=2001-01-01":      "protocol",
		"items_wide.csv?colour=red":          "colour",
		"items_wide.csv?cut=2026-13-01":      "cut",
		"audit.csv?demonstration=everything": "demonstration",
	} {
		got := w.s.call(t, "GET", "/v1/exports/"+path, w.here[study.RoleAnalyst].token, nil).refused(t, 400, study.Invalid)
		if !strings.Contains(string(got.body), want) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	w.s.same(t, before)
}

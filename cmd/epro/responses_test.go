package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/internal/testkit"
	"epro/store/mongo/mongotest"
	"epro/study"
)

// TestTheViewOfResponsesSaysWhatTheExportsSay runs the view's pipeline on the
// documents of a simulated study with mingo, which is not MongoDB but was made
// to answer as it does. .ci/run installs it.
func TestTheViewOfResponsesSaysWhatTheExportsSay(t *testing.T) {
	t.Parallel()
	here, url := storeIn(t.TempDir()), mongotest.Database(t)
	mustRun(t, "simulate", "-store", here, "-participants", "8", "-seed", "5", "-now", "2026-06-01")
	correctAgain(t, here)
	mustRun(t, "copy", "-from", here, "-to", url)
	view := viewed(t, url)
	corrections := 0
	usual := map[string]string{"HELDCAUS": "", "DECISION": "", "VOIDCAUS": "", "FLAGS": "", "REVISION": "1", "VERIFYFL": "N"}
	for _, form := range exported(t, here, "items_wide") {
		id := form["FORMID"]
		r, ok := view[id]
		if !ok {
			t.Fatalf("form %s is exported and not in the view", id)
		}
		r.visited = true
		for name, got := range r.cells() {
			if want, ok := form[name]; !ok || got != want {
				t.Errorf("form %s: %s is %q in the view, %q in the export", id, name, got, want)
			}
		}
		if form["REVISION"] == "3" {
			corrections++
		}
		maps.DeleteFunc(usual, func(name, cell string) bool { return form[name] != cell })
	}
	if corrections == 0 {
		t.Error("no form was corrected twice")
	}
	for name := range usual {
		t.Errorf("%s is the same in all forms: the comparison shows less than it should", name)
	}
	scores := 0
	for _, row := range exported(t, here, "scores_long") {
		if row["FORMID"] == "" {
			continue // a form that was expected and is missing
		}
		scores++
		s := view[row["FORMID"]].latest().Scores[row["PARAMCD"]]
		if string(s.Value) != row["AVAL"] || strconv.Itoa(s.Answered) != row["NANS"] {
			t.Errorf("form %s: %s is %s of %d answers in the view, %s of %s in the export", row["FORMID"], row["PARAMCD"], s.Value, s.Answered, row["AVAL"], row["NANS"])
		}
	}
	for id, r := range view {
		if !r.visited {
			t.Errorf("form %s is in the view and not exported", id)
		}
	}
	t.Logf("%d forms and %d scores are the same", len(view), scores)
}

// correctAgain corrects a corrected form once more, so that the order of what
// came later decides.
func correctAgain(t *testing.T, storeURL string) {
	t.Helper()
	late := time.Date(2026, 5, 31, 15, 30, 0, 0, time.UTC)
	svc, st, err := openAt(t.Context(), storeURL, func() time.Time { return late })
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range exported(t, storeURL, "items_wide") {
		if form["REVISION"] != "2" {
			continue
		}
		by := study.Request{By: testkit.Staff(study.RoleInvestigator, "second", study.SiteCode(form["SITEID"]))}
		person := study.ParticipantID(strings.TrimPrefix(form["USUBJID"], form["STUDYID"]+"-"))
		c := study.CorrectForm{Form: study.SubmissionID(form["FORMID"]), Answers: testkit.Answers(1), Cause: study.CauseEntryError, Reason: "x"}
		if _, err := svc.Do(t.Context(), by, person, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// response is a document of the view, as far as it says what an export says.
type response struct {
	visited bool

	ID                string   `json:"_id"`
	Visit             string   `json:"visit"`
	Instrument        string   `json:"instrument"`
	InstrumentVersion string   `json:"instrument_version"`
	WordingPack       string   `json:"wording_pack"`
	Demonstration     bool     `json:"demonstration"`
	Mode              string   `json:"mode"`
	Assistance        string   `json:"assistance"`
	StartedAt         string   `json:"started_at"`
	CompletedAt       string   `json:"completed_at"`
	CorrectedAt       string   `json:"corrected_at"`
	SentAt            string   `json:"sent_at"`
	ReceivedAt        string   `json:"received_at"`
	Counted           bool     `json:"counted"`
	HeldCause         string   `json:"held_cause"`
	Flags             []string `json:"flags"`
	Voided            bool     `json:"voided"`
	answered
	Later []struct {
		Type    string `json:"type"`
		Payload struct {
			Revision int      `json:"revision"`
			Accept   bool     `json:"accept"`
			Cause    string   `json:"cause"`
			Flags    []string `json:"flags"`
			answered
		} `json:"payload"`
	} `json:"later"`
}

type answered struct {
	Answers map[string]int    `json:"answers"`
	Skipped map[string]string `json:"skipped"`
	Scores  map[string]struct {
		Value    json.RawMessage `json:"value"`
		Answered int             `json:"answered"`
	} `json:"scores"`
	ScoringVersion string `json:"scoring_version"`
}

// latest are the answers after all corrections, as the manual says to read them.
func (r *response) latest() answered {
	last := r.answered
	for _, l := range r.Later {
		if l.Type == "submission_corrected" {
			last = l.Payload.answered
		}
	}
	return last
}

// cells are the columns of items_wide that a reader of the view can make.
func (r *response) cells() map[string]string {
	is := map[bool]string{true: "Y", false: "N"}
	last, flags := r.latest(), r.Flags
	c := map[string]string{
		"FORMID": r.ID, "VISIT": r.Visit, "INSTR": r.Instrument, "INSTRVER": r.InstrumentVersion, "PACK": r.WordingPack, "DEMOFL": is[r.Demonstration],
		"MODE": r.Mode, "ASSIST": r.Assistance, "STARTDTM": r.StartedAt, "COMPDTM": r.CompletedAt, "SAIDDTM": r.CompletedAt, "SENTDTM": r.SentAt,
		"RECVDTM": r.ReceivedAt, "COUNTFL": is[r.Counted], "HELDCAUS": r.HeldCause, "DECISION": "", "VOIDCAUS": "", "REVISION": "1", "VERIFYFL": "N",
		"SCOREVER": last.ScoringVersion,
	}
	if r.CorrectedAt != "" {
		c["COMPDTM"] = r.CorrectedAt
	}
	for _, l := range r.Later {
		switch l.Type {
		case "held_decided":
			c["DECISION"] = map[bool]string{true: "accepted", false: "rejected"}[l.Payload.Accept]
		case "submission_voided":
			c["VOIDCAUS"] = l.Payload.Cause
		case "submission_corrected":
			c["REVISION"], c["VERIFYFL"] = strconv.Itoa(l.Payload.Revision), "N"
			flags = slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "q1_conflict" })
			flags = append(flags, l.Payload.Flags...)
		case "submission_verified":
			c["VERIFYFL"] = is[strconv.Itoa(l.Payload.Revision) == c["REVISION"]]
		}
	}
	if r.Voided != (c["VOIDCAUS"] != "") {
		c["VOIDCAUS"] += " and voided is " + is[r.Voided]
	}
	c["FLAGS"] = strings.Join(flags, ";")
	for code, a := range last.Answers {
		c[code], c[code+"_ST"] = strconv.Itoa(a), "answered"
	}
	for code, why := range last.Skipped {
		c[code], c[code+"_ST"] = "", why
	}
	return c
}

// viewed is what the view would show, by form.
func viewed(t *testing.T, url string) map[string]*response {
	t.Helper()
	tools, err := filepath.Abs("../../.ci/tools/readers")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "mingo")); err != nil {
		t.Skip("mingo is not here: bash .ci/run readers installs it")
	}
	var wrong bytes.Buffer
	run := exec.Command("node", "testdata/view.mjs", tools, "../../store/mongo/testdata/responses.json", documents(t, url))
	run.Stderr = &wrong
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, wrong.String())
	}
	view := map[string]*response{}
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var r response
		if err := lines.Decode(&r); err == io.EOF {
			return view
		} else if err != nil {
			t.Fatal(err)
		}
		view[r.ID] = &r
	}
}

// documents is a file with all events of the database, as Extended JSON.
func documents(t *testing.T, url string) string {
	t.Helper()
	found, err := mongotest.Client(t, url).Database(mongotest.Name(t, url)).Collection("events").Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var all []bson.Raw
	if err := found.All(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(all))
	for i, doc := range all {
		text, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	file := filepath.Join(t.TempDir(), "events.json")
	write(t, file, "["+strings.Join(texts, ",\n")+"]")
	return file
}

// exported is a dataset as CSV, a map for each row.
func exported(t *testing.T, storeURL, dataset string) []map[string]string {
	t.Helper()
	text := mustRun(t, "export", dataset, "-format", "csv", "-cut", "2026-06-01", "-demonstration", "include", "-store", storeURL)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table []map[string]string
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, name := range rows[0] {
			cells[name] = row[i]
		}
		table = append(table, cells)
	}
	return table
}

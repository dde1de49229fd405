package mongo_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/internal/testkit"
	"epro/store/mongo"
	"epro/study"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The view is for people with other tools, who rely on its text.
func TestTheViewOfResponsesIsTheOneThatIsDocumented(t *testing.T) {
	raw, err := bson.MarshalExtJSONIndent(bson.D{{Key: "responses", Value: mongo.Responses()}}, false, false, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	golden := filepath.Join("testdata", "responses.json")
	if *update {
		if err := os.WriteFile(golden, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != string(want) {
		t.Errorf("it is now\n%s\nand was\n%s", raw, want)
	}
}

// study on MongoDB with a form that was corrected and then voided.
func voidedForm(t *testing.T) (*testkit.Fixture, *mongo.DB, study.Receipt) {
	t.Helper()
	db := testkit.MongoDB(t)
	f := testkit.Study(t, db)
	p := f.Enrol(t, "001")
	f.Clock.Set(testkit.Cycle1.UTC())
	receipt := f.Submit(t, p.ID, "C1D1", 1)
	for _, c := range []study.Command{
		study.CorrectForm{Form: receipt.SubmissionID, Answers: testkit.Answers(2), Cause: study.CauseEntryError, Reason: "x"},
		study.VoidForm{Form: receipt.SubmissionID, Cause: study.CauseTest, Reason: "x"},
	} {
		if _, err := f.Do(t.Context(), study.Request{By: f.Investigator}, p.ID, c); err != nil {
			t.Fatal(err)
		}
	}
	return f, db, receipt
}

// optional are fields that an ordinary form does without.
var optional = []string{"assistance", "corrected_at", "held_cause", "flags"}

// Where no server can run the view, this at least holds: every path that it
// reads is there in the documents that are stored.
func TestEveryFieldThatTheViewReadsIsStored(t *testing.T) {
	_, db, _ := voidedForm(t)
	var received, corrected bson.Raw
	for kind, doc := range map[string]*bson.Raw{"submission_received": &received, "submission_corrected": &corrected} {
		if err := db.Events().FindOne(t.Context(), bson.D{{Key: "type", Value: kind}}).Decode(doc); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	raw, err := bson.MarshalExtJSON(bson.D{{Key: "p", Value: mongo.Responses()}}, false, false)
	if err != nil {
		t.Fatal(err)
	}
	var pipeline any
	if err := json.Unmarshal(raw, &pipeline); err != nil {
		t.Fatal(err)
	}
	paths := 0
	eachText(pipeline, func(text string) {
		path, is := strings.CutPrefix(text, "$")
		if !is || strings.HasPrefix(path, "$") || strings.HasPrefix(path, "later.") {
			return
		}
		paths++
		parts := strings.Split(path, ".")
		if _, err := received.LookupErr(parts...); err != nil && !strings.Contains(strings.Join(optional, " "), parts[len(parts)-1]) {
			t.Errorf("%s is in no form: %v", text, err)
		}
	})
	if paths < 15 {
		t.Errorf("only %d paths were found", paths)
	}
	for _, name := range []string{"seq", "at", "actor", "type", "reason", "payload", "stream"} {
		if _, err := corrected.LookupErr(name); err != nil {
			t.Errorf("a correction has no %s", name)
		}
	}
	if got := corrected.Lookup("payload", "submission_id").StringValue(); got != received.Lookup("payload", "submission_id").StringValue() {
		t.Errorf("the correction names %q", got)
	}
}

func eachText(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, x := range v {
			eachText(x, f)
		}
	case map[string]any:
		for _, x := range v {
			eachText(x, f)
		}
	}
}

// On a server that has views it is read as a person would read it. The stand-in
// has none: then the store says so in a sentence, and has just worked without.
func TestTheViewShowsAFormWithWhatCameLater(t *testing.T) {
	_, db, receipt := voidedForm(t)
	said := db.Verified()[len(db.Verified())-1]
	if strings.Contains(said, "not made") {
		if !strings.Contains(db.Verified()[0], "FerretDB") {
			t.Error(said)
		}
		t.Log(said)
		return
	}
	var doc struct {
		ID          string         `bson:"_id"`
		Participant string         `bson:"participant"`
		Visit       string         `bson:"visit"`
		Counted     bool           `bson:"counted"`
		Voided      bool           `bson:"voided"`
		Answers     map[string]int `bson:"answers"`
		Scores      map[string]struct {
			Value float64 `bson:"value"`
		} `bson:"scores"`
		Later []struct {
			Type string `bson:"type"`
		} `bson:"later"`
	}
	if err := db.Events().Database().Collection("responses").FindOne(t.Context(), bson.D{}).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.ID != string(receipt.SubmissionID) || doc.Visit != "C1D1" || doc.Participant == "" || !doc.Counted || !doc.Voided || len(doc.Answers) != 37 ||
		len(doc.Scores) == 0 || len(doc.Later) != 2 || doc.Later[0].Type != "submission_corrected" || doc.Later[1].Type != "submission_voided" {
		t.Errorf("it shows %+v", doc)
	}
}

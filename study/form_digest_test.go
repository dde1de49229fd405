package study

import (
	"crypto/sha256"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// The digest stands in receipts for ever: it is SHA-256 over RFC 8785 JSON,
// whichever way it was reached.
func TestTheDigestIsThatOfTheCanonicalForm(t *testing.T) {
	code := rapid.StringMatching(`[A-Z]{1,2}[0-9]{1,2}|é[a-z]|[a-z\\"]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		f := SubmitForm{
			Assessment: AssessmentID(rapid.StringN(0, 8, -1).Draw(t, "assessment")), Instrument: "fact-b", Version: "4",
			Pack:    rapid.StringN(0, 5, -1).Draw(t, "pack"),
			Answers: map[string]string{}, Skipped: rapid.MapOfN(code, rapid.SampledFrom([]string{"skipped", "opt_out"}), 0, 4).Draw(t, "skipped"),
			StartedAt: Instant(rapid.Int64Range(1, 1<<41).Draw(t, "started")), CompletedAt: Instant(rapid.Int64Range(1, 1<<41).Draw(t, "completed")),
		}
		for _, c := range rapid.SliceOfN(code, 0, 40).Draw(t, "items") {
			f.Answers[c] = rapid.SampledFrom([]string{"0", "3", "4", "2.50", `"3"`, "null", "1e1"}).Draw(t, "answer")
		}
		got, err := f.digest()
		if err != nil {
			t.Fatal(err)
		}
		answers := map[string]jsontext.Value{}
		for c, v := range f.Answers {
			answers[c] = jsontext.Value(v)
		}
		raw, err := json.Marshal(map[string]any{"assessment": f.Assessment, "instrument": f.Instrument, "version": f.Version, "pack": f.Pack,
			"answers": answers, "skipped": f.Skipped, "started_at": f.StartedAt, "completed_at": f.CompletedAt})
		if err != nil {
			t.Fatal(err)
		}
		canonical := jsontext.Value(raw)
		if err := canonical.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		if want := Hash(sha256.Sum256(canonical)); got != want {
			t.Fatalf("digest %s, canonical form %s", got, strconv.Quote(string(canonical)))
		}
	})
}

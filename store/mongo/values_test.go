package mongo

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/store/mongo/mongotest"
	"epro/study"
)

func TestAReadablePayloadSaysWhatTheBytesSay(t *testing.T) {
	db := openTest(t, mongotest.Database(t), seams{})
	e := testEntry("site/S01", 1)
	must(t, db.Append(t.Context(), e, nil))
	stored, err := db.EntryByID(t.Context(), e.ID)
	must(t, err)
	if _, err := stored.Open(); err != nil {
		t.Error(err)
	}
	var doc bson.Raw
	must(t, db.events.FindOne(t.Context(), field("_id", string(e.ID))).Decode(&doc))
	for path, want := range map[string]string{
		"GP1": `{"$numberInt":"0"}`, "a%2Eb": `{"$numberInt":"1"}`, "%": `{"$numberLong":"9007199254740991"}`,
		"%24set": `[true,null,{"$numberDouble":"1.5"},"x"]`,
	} {
		if got := doc.Lookup("payload", "answers", path).String(); got != want {
			t.Errorf("%s reads %s, not %s", path, got, want)
		}
	}
	if got := doc.Lookup("reason").StringValue(); got != "because" {
		t.Errorf("the reason reads %q", got)
	}
	if got := doc.Lookup("bytes").StringValue(); got != string(e.Bytes) {
		t.Errorf("the bytes read %s", got)
	}
}

func TestAReadableCopyThatSaysSomethingElseIsFound(t *testing.T) {
	db := openTest(t, mongotest.Database(t), seams{})
	for seq := uint64(1); seq <= 3; seq++ {
		must(t, db.Append(t.Context(), testEntry("site/S01", seq), nil))
	}
	faults := func() (found []study.Fault) {
		for f, err := range db.Compare(t.Context()) {
			must(t, err)
			found = append(found, f)
		}
		return found
	}
	if found := faults(); len(found) != 0 {
		t.Fatalf("untouched: %v", found)
	}
	change := func(seq int, name string, value any) {
		t.Helper()
		result, err := db.events.UpdateOne(t.Context(), field("seq", seq), field("$set", field(name, value)))
		must(t, err)
		if result.ModifiedCount != 1 {
			t.Fatalf("%d were changed", result.ModifiedCount)
		}
	}
	change(1, "payload.answers.GP1", int32(4))
	change(3, "reason", "another")
	found := faults()
	if len(found) != 2 || found[0].Seq != 1 || !strings.Contains(found[0].What, "payload") ||
		found[1].Seq != 3 || !strings.Contains(found[1].What, "reason") {
		t.Errorf("found are %v", found)
	}
}

func TestKeysAreEscapedSoThatNoTwoBecomeOne(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{"", "%", "%%", "$", "%24", "a.b", "a%2Eb", "a%252Eb", "\x00", "%00", "GP1"} {
		is := escaped(key)
		if other, taken := seen[is]; taken || strings.ContainsAny(is, "$.\x00") || is == "" {
			t.Errorf("%q becomes %q, as does %q", key, is, other)
		}
		seen[is] = key
	}
}

func TestTextBehindAPrefixIsTheFirstBehindIt(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "", "a": "b", "site/": "site0", "a\x7f": "a\u0080", "é": "ê", "\ud7ff": "\ue000", "\U0010ffff": "",
		"a\U0010ffff": "b", "😀": "😁",
	} {
		if got := behindPrefix(prefix); got != want {
			t.Errorf("behind %q stands %q, not %q", prefix, got, want)
		}
	}
	for prefix, want := range map[string]string{"é": "é", "\xf0": "", "a\xf0\x9f": "a", "\ufffd": "\ufffd", "é\xff": "é"} {
		if got := validStart(prefix); got != want {
			t.Errorf("%q begins with %q, not %q", prefix, got, want)
		}
	}
}

func TestTheDatabaseIsTheOneThatTheURLNames(t *testing.T) {
	for url, want := range map[string]string{
		"mongodb://host": "epro", "mongodb://host/": "epro", "mongodb://a,b:1/study?w=1": "study",
		"mongodb+srv://u:p%2F@host/?authSource=admin": "epro", "mongodb://h/st%75dy": "study",
	} {
		if got, err := databaseName(url); err != nil || got != want {
			t.Errorf("%s names %q (%v), not %q", url, got, err, want)
		}
	}
}

func TestKindAndKeyGiveOneIDEach(t *testing.T) {
	if recordID("a", "b/c") == recordID("a/b", "c") || recordID("a", "") == recordID("", "a") {
		t.Error("two records have one id")
	}
}

func TestWhatWasNotVerifiedIsSaid(t *testing.T) {
	for _, c := range []struct {
		h     hello
		timed bool
		want  string
	}{
		{hello{}, false, "not verified"},
		{hello{SetName: "rs0"}, false, "not verified"},
		{hello{SetName: "rs0"}, true, "the replica set rs0"},
		{hello{Msg: "isdbgrid"}, true, "through a router"},
	} {
		if got := c.h.concerns(c.timed); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c.h, got)
		}
	}
}

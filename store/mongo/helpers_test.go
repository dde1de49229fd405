package mongo

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"epro/study"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an error coded as unavailable, which never reads as an answer,
// and whose sentence has the words.
func refused(t testing.TB, err error, words ...string) {
	t.Helper()
	var coded *study.Error
	if !errors.As(err, &coded) || coded.Code != study.Unavailable ||
		errors.Is(err, study.ErrNotFound) || errors.Is(err, study.ErrExists) {
		t.Fatalf("the error is not coded as unavailable: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(coded.Message, word) {
			t.Errorf("the sentence has no %q: %s", word, coded.Message)
		}
	}
}

func openTest(t testing.TB, url string, o seams) *DB {
	t.Helper()
	db, err := openWith(t.Context(), url, o)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func testEntry(stream string, seq uint64) study.Entry {
	id := study.EventID(fmt.Sprintf("%s at %d", stream, seq))
	e, err := study.Seal(study.Event{
		V: 1, Stream: study.StreamID(stream), Seq: seq, ID: id, At: study.Instant(1_700_000_000_000 + seq),
		Actor: study.ActorRef{Role: "participant", ID: stream}, Type: "submission_received",
		Payload: []byte(`{"answers":{"GP1":0,"a.b":1,"$set":[true,null,1.5,"x"],"":9007199254740991}}`), Reason: "because",
	})
	if err != nil {
		panic(err)
	}
	return e
}

func testSnapshot(stream string, seq uint64) *study.Snapshot {
	return &study.Snapshot{
		Stream: study.StreamID(stream), Seq: seq, Stamp: "1", Kind: "participant", Site: "S01", Label: stream,
		State: []byte(`{"a":1}`),
	}
}

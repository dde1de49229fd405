package mongo

import (
	"testing"

	"epro/store/storetest"
	"epro/study"
)

func TestMongoDBKeepsTheContract(t *testing.T) {
	server := serverURL(t)
	names := map[string]string{} // of the database for each folder
	storetest.Run(t, func(t *testing.T, dir string) study.Store {
		if names[dir] == "" {
			names[dir] = newDatabase(t, server)
		}
		db, err := Open(t.Context(), names[dir])
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}

// .ci/run shows what this test says, so that nobody takes a run on the
// stand-in for one on MongoDB.
func TestTheServerSaysWhatItIs(t *testing.T) {
	db := openTest(t, newDatabase(t, serverURL(t)), seams{})
	for _, sentence := range db.Verified() {
		t.Log(sentence)
	}
	if len(db.Verified()) == 0 {
		t.Error("nothing was verified")
	}
}

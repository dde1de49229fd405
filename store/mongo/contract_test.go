package mongo

import (
	"context"
	"slices"
	"testing"

	"epro/store/mongo/mongotest"
	"epro/store/storetest"
	"epro/study"
)

func TestMongoDBKeepsTheContract(t *testing.T) {
	mongotest.Server(t)
	urls := map[string]string{} // of the database for each folder
	storetest.Run(t, func(t *testing.T, dir string) study.Store {
		if urls[dir] == "" {
			urls[dir] = mongotest.Database(t)
		}
		db, err := Open(t.Context(), urls[dir])
		if err != nil {
			t.Fatal(err)
		}
		return filler{db}
	})
}

// filler is a store that is filled with many documents at a time, which are
// those that one write at a time would make. The stand-in reads a whole
// collection for each snapshot that it replaces.
type filler struct{ *DB }

// Fill implements storetest.Filler.
func (f filler) Fill(ctx context.Context, entries []study.Entry, snaps []study.Snapshot) error {
	const batch = 1000
	for part := range slices.Chunk(entries, batch) {
		docs := make([]eventDoc, len(part))
		for i, e := range part {
			docs[i] = eventOf(e)
		}
		if _, err := f.events.InsertMany(ctx, docs); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(snaps, batch) {
		docs := make([]snapshotDoc, len(part))
		for i, s := range part {
			docs[i] = snapshotOf(s)
		}
		if _, err := f.snapshots.InsertMany(ctx, docs); err != nil {
			return err
		}
	}
	return nil
}

// .ci/run shows what this test says, so that nobody takes a run on the
// stand-in for one on MongoDB.
func TestTheServerSaysWhatItIs(t *testing.T) {
	db := openTest(t, mongotest.Database(t), seams{})
	for _, sentence := range db.Verified() {
		t.Log(sentence)
	}
	if len(db.Verified()) == 0 {
		t.Error("nothing was verified")
	}
}

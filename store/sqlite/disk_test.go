package sqlite

import (
	"fmt"
	"os"
	"testing"
	"time"

	"epro/study"
)

func TestALockThatIsNotGivenBackIsReported(t *testing.T) {
	db := openTest(t, newPath(t), options{busy: time.Millisecond})
	other := shell(t, db.path)
	run(t, other, "BEGIN IMMEDIATE")
	refused(t, db.Append(t.Context(), testEntry("site/S01", 1), nil), "locked by another program")
	_, err := db.Ready(t.Context())
	refused(t, err, "locked by another program")
	_, err = db.Stream(t.Context(), "site/S01", 0) // reading goes on
	must(t, err)
	run(t, other, "ROLLBACK")
	must(t, db.Append(t.Context(), testEntry("site/S01", 1), nil))
}

func TestAFullDiskIsReportedAndNothingIsHalfWritten(t *testing.T) {
	db := openTest(t, newPath(t), options{pragmas: []pragma{{"max_page_count", "60", "60"}}})
	stored := uint64(0)
	var err error
	for err == nil && stored < 1000 {
		seq := stored + 1
		if err = db.Append(t.Context(), benchEntry("site/S01", seq, 2000), benchSnapshot("site/S01", seq, 2000+int(seq)*100)); err == nil {
			stored++
		}
	}
	refused(t, err, "disk is full")
	found, err := db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	snap, err := db.Snapshot(t.Context(), "site/S01")
	must(t, err)
	if uint64(len(found)) != stored || snap.Seq != stored {
		t.Errorf("%d were stored; %d entries are there and a snapshot at %d", stored, len(found), snap.Seq)
	}
	// The readiness check needs no further page, and room comes back.
	must(t, db.writer.do(t.Context(), func(tx *tx) error {
		_, err := tx.exec("PRAGMA max_page_count = 10000")
		return err
	}))
	_, err = db.Ready(t.Context())
	must(t, err)
	must(t, db.Append(t.Context(), benchEntry("site/S01", stored+1, 2000), nil))
}

// diskError is SQLite's error for a disk that failed.
type diskError int

func (e diskError) Error() string { return fmt.Sprintf("disk I/O error (%d)", int(e)) }
func (e diskError) Code() int     { return int(e) }

const failedFsync = diskError(codeIOErr | 4<<8)

func TestAfterAFailedFsyncNothingIsWritten(t *testing.T) {
	var fault error
	db := openTest(t, newPath(t), options{fault: func(string) error { return fault }})
	must(t, db.Append(t.Context(), testEntry("site/S01", 1), nil))
	errs := together(t, db, // nobody may be told of success, nor of a duplicate
		func() error { fault = failedFsync; return db.Append(t.Context(), testEntry("site/S01", 1), nil) },
		func() error { return db.Append(t.Context(), testEntry("site/S01", 2), nil) },
		func() error { return db.PutRecord(t.Context(), study.Record{Kind: "k", Key: "1"}) },
	)
	for _, err := range errs {
		refused(t, err, "disk", "failed")
	}
	fault = nil // the disk seems to work again
	refused(t, db.Append(t.Context(), testEntry("site/S02", 1), nil), "disk", "failed")
	refused(t, db.DeleteRecord(t.Context(), "k", "1"), "disk", "failed")
	_, err := db.Ready(t.Context())
	refused(t, err, "disk", "failed")
	_, err = db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	refused(t, db.Close(), "disk", "failed")

	again := openTest(t, db.path, options{})
	found, err := again.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 1 {
		t.Errorf("%d entries are there, not the one that was acknowledged", len(found))
	}
}

func TestACommitThatFailsForAnotherReasonBreaksNothing(t *testing.T) {
	for _, code := range []diskError{codeFull, codeNoRoomForShm} {
		fault := error(code)
		db := openTest(t, newPath(t), options{fault: func(string) error { return fault }})
		refused(t, db.Append(t.Context(), testEntry("site/S01", 1), nil), "disk is full")
		fault = nil
		must(t, db.Append(t.Context(), testEntry("site/S01", 1), nil))
	}
}

func TestWhoWaitsBehindAFailedFsyncIsRefused(t *testing.T) {
	reached, goOn := make(chan struct{}), make(chan struct{})
	commits := 0
	db := openTest(t, newPath(t), options{fault: func(statement string) error {
		if commits++; commits > 1 {
			return nil // the disk seems to work again
		}
		reached <- struct{}{}
		<-goOn
		return failedFsync
	}})
	told := make(chan error)
	for seq := range uint64(2) {
		go func() { told <- db.Append(t.Context(), testEntry("site/S01", seq+1), nil) }()
		if seq == 0 {
			<-reached
		}
	}
	waitFor(func() bool { return len(db.writer.queue) == 1 })
	close(goOn)
	refused(t, <-told, "disk", "failed")
	refused(t, <-told, "disk", "failed")
	found, err := db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 0 {
		t.Errorf("%d entries were written", len(found))
	}
}

func TestAFailedCheckpointLosesNothing(t *testing.T) {
	fault := error(nil)
	db := openTest(t, newPath(t), options{fault: func(statement string) error {
		if statement == checkpoint {
			return fault
		}
		return nil
	}})
	must(t, db.Append(t.Context(), testEntry("site/S01", 1), nil))
	fault = failedFsync
	refused(t, db.Close(), "disk", "failed")
	info, err := os.Stat(db.path + "-wal")
	must(t, err)
	if info.Size() == 0 {
		t.Error("the log is gone")
	}
	again := openTest(t, db.path, options{})
	found, err := again.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 1 {
		t.Errorf("%d entries are there, not one", len(found))
	}
}

func TestAFullDiskDuringACheckpointIsNoMatter(t *testing.T) {
	db := openTest(t, newPath(t), options{fault: func(statement string) error {
		if statement == checkpoint {
			return diskError(codeFull)
		}
		return nil
	}})
	db.writer.keptWAL = -idleWAL // a checkpoint after every commit
	for seq := range uint64(3) {
		must(t, db.Append(t.Context(), testEntry("site/S01", seq+1), nil))
	}
	must(t, db.Close())
}

func TestTheLogIsCutWhenNobodyWaits(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	write := func(from, bytes int) {
		for written := 0; written < bytes; written += 256 << 10 {
			from++
			must(t, db.Append(t.Context(), benchEntry("site/S01", uint64(from), 256<<10), nil))
		}
		must(t, db.writer.do(t.Context(), func(*tx) error { return nil })) // tidying is over
	}
	size := func() int64 {
		info, err := os.Stat(db.path + "-wal")
		must(t, err)
		return info.Size()
	}
	// A consumer that stopped in the middle of an iteration is in nobody's way.
	for range 2 * pageSize {
		must(t, db.PutRecord(t.Context(), study.Record{Kind: "k", Key: "1"}))
	}
	write(0, 1<<20)
	for range db.Entries(t.Context(), "") {
		write(1000, idleWAL)
		if got := size(); got > idleWAL {
			t.Errorf("the log has %d bytes", got)
		}
		break
	}
	// One that reads in a transaction of its own is; nobody waits for it.
	other := shell(t, db.path)
	run(t, other, "BEGIN")
	_ = value(t, other, "SELECT count(*) FROM events")
	write(2000, 2*idleWAL)
	if got := size(); got < idleWAL {
		t.Errorf("the log has %d bytes in spite of the reader", got)
	}
	run(t, other, "ROLLBACK")
	write(3000, 3*idleWAL)
	if got := size(); got > idleWAL {
		t.Errorf("the log still has %d bytes", got)
	}
	must(t, db.Close())
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"epro/study"
)

func TestWaitingWritesShareOneCommit(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	before := db.writer.commits.Load()
	var do []func() error
	for i := range 64 {
		do = append(do, func() error { return db.Append(t.Context(), testEntry(fmt.Sprint("site/", i), 1), nil) })
	}
	must(t, errors.Join(together(t, db, do...)...))
	if n := db.writer.commits.Load() - before; n != 1 {
		t.Errorf("64 waiting appends took %d commits, not one", n)
	}
}

func TestADuplicateInABatchFailsAlone(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	must(t, db.Append(t.Context(), testEntry("site/old", 1), nil))
	before := db.writer.commits.Load()
	add := func(stream string) func() error {
		return func() error { return db.Append(t.Context(), testEntry(stream, 1), benchSnapshot(stream, 1, 10)) }
	}
	errs := together(t, db, add("site/1"), add("site/old"), add("site/2"), add("site/twice"), add("site/twice"), add("site/3"))
	taken := 0
	for i, err := range errs {
		if errors.Is(err, study.ErrExists) && (i == 1 || i == 3 || i == 4) {
			taken++
		} else {
			must(t, err)
		}
	}
	if n := db.writer.commits.Load() - before; taken != 2 || n != 1 {
		t.Errorf("%d were refused in %d commits, not 2 in one", taken, n)
	}
	for _, stream := range []study.StreamID{"site/1", "site/2", "site/3", "site/twice"} {
		_, err := db.Snapshot(t.Context(), stream)
		must(t, err)
	}
	if _, err := db.Snapshot(t.Context(), "site/old"); !errors.Is(err, study.ErrNotFound) {
		t.Errorf("the refused entry left a snapshot: %v", err)
	}
}

func TestWhoGivesUpWhileWaitingHasWrittenNothing(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	other := shell(t, db.path)
	run(t, other, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error)
	go func() { told <- db.Append(ctx, testEntry("site/leaves", 1), nil) }()
	cancel()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up was told %v", err)
	}
	run(t, other, "ROLLBACK")
	must(t, db.Append(t.Context(), testEntry("site/stays", 1), nil))
	found, err := db.Stream(t.Context(), "site/leaves", 0)
	must(t, err)
	if len(found) != 0 {
		t.Error("what was given up in time was written")
	}
}

func TestWhoGivesUpDuringTheCommitIsToldThatTheOutcomeIsUnknown(t *testing.T) {
	reached, goOn := make(chan struct{}), make(chan struct{})
	db := openTest(t, newPath(t), options{fault: func(statement string) error {
		if statement == commit {
			reached <- struct{}{}
			<-goOn
		}
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error)
	go func() { told <- db.Append(ctx, testEntry("site/S01", 1), nil) }()
	<-reached
	cancel()
	err := <-told
	refused(t, err)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("who gave up was told %v", err)
	}
	close(goOn)
	must(t, db.Close())
	db = openTest(t, db.path, options{})
	found, err := db.Stream(t.Context(), "site/S01", 0)
	must(t, err)
	if len(found) != 1 {
		t.Error("what the writer had taken was lost")
	}
}

func TestTwoHandlesOnOneFileLoseNothing(t *testing.T) {
	path := newPath(t)
	handles := []*DB{openTest(t, path, options{}), openTest(t, path, options{})}
	const each = 200
	var wg sync.WaitGroup
	for h, db := range handles {
		for w := range 4 {
			wg.Go(func() {
				stream := fmt.Sprintf("site/%d-%d", h, w)
				for seq := range uint64(each / 4) {
					if err := db.Append(t.Context(), testEntry(stream, seq+1), nil); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for _, db := range handles {
		n := 0
		for _, err := range db.Entries(t.Context(), "site/") {
			must(t, err)
			n++
		}
		if n != 2*each {
			t.Errorf("%d entries are there, not %d", n, 2*each)
		}
	}
}

func TestARequestThatFailsHalfwayLeavesNothing(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	insert := func(tx *tx, key string) error {
		_, err := tx.exec("INSERT INTO records VALUES ('k', ?, '', 0, 0, '')", key)
		return err
	}
	refusal := db.writer.do(t.Context(), func(tx *tx) error {
		return errors.Join(insert(tx, "refused"), study.ErrExists)
	})
	if !errors.Is(refusal, study.ErrExists) {
		t.Errorf("the refusal became %v", refusal)
	}
	refused(t, db.writer.do(t.Context(), func(tx *tx) error {
		must(t, insert(tx, "constraint"))
		_, err := tx.exec("INSERT INTO readiness VALUES (2, 0)")
		return err
	}))
	refused(t, db.writer.do(t.Context(), func(tx *tx) error {
		must(t, insert(tx, "failed"))
		_, err := tx.exec("SELECT nonsense")
		return err
	}))
	must(t, db.writer.do(t.Context(), func(tx *tx) error { return insert(tx, "kept") }))
	found, err := db.Records(t.Context(), "k", "", benchStart.AddDate(-99, 0, 0))
	must(t, err)
	if len(found) != 1 || found[0].Key != "kept" {
		t.Errorf("kept were %v", found)
	}
}

func TestAnInterruptedReadIsKnownByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := readError(ctx, diskError(9)) // SQLITE_INTERRUPT
	refused(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatComesBehindAPrefix(t *testing.T) {
	for prefix, want := range map[string]string{
		"": "", "a": "b", "a/": "a0", "é": "ê", "a\xff": "b", "\xff": "", "a\xff\xff": "b",
	} {
		if got := behindPrefix(prefix); got != want {
			t.Errorf("behind %q comes %q, not %q", prefix, got, want)
		}
	}
}

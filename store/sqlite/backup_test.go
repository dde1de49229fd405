package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"epro/study"
)

func TestABackupIsOneMomentOfABusyDatabase(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	// Every writer writes to stream b only after its entry in stream a is
	// durable, so a copy with more in b than in a would be of two moments.
	var stop atomic.Bool
	var wg sync.WaitGroup
	begun := make(chan struct{}, 4)
	for i := range 4 {
		wg.Go(func() {
			for seq := uint64(1); !stop.Load(); seq++ {
				for _, stream := range []string{"a", "b"} {
					if err := db.Append(context.Background(), testEntry(stream+string(rune('0'+i)), seq), nil); err != nil {
						t.Error(err)
						return
					}
				}
				if seq == 5 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-begun
	}
	for range 5 {
		path := filepath.Join(t.TempDir(), "copy.db")
		must(t, db.Backup(t.Context(), path))
		copied := openTest(t, path, options{})
		ends := map[study.StreamID]uint64{}
		for h, err := range copied.Heads(t.Context(), study.Instant(0).Time()) {
			must(t, err)
			ends[h.Stream] = h.Seq
		}
		for i := range 4 {
			a, b := ends[study.StreamID("a"+string(rune('0'+i)))], ends[study.StreamID("b"+string(rune('0'+i)))]
			if a < 5 || a-b > 1 {
				t.Errorf("writer %d: %d entries in a, %d in b", i, a, b)
			}
		}
	}
	stop.Store(true)
	wg.Wait()
}

func TestABackupIsReadableByItsOwnerOnlyAndReplacesNothing(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	path := filepath.Join(t.TempDir(), "copy.db")
	must(t, db.Backup(t.Context(), path))
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has the mode %v", info.Mode())
	}
	refused(t, db.Backup(t.Context(), path), "already")
	refused(t, db.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "copy.db")), "folder")
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	db := openTest(t, newPath(t), options{})
	path := filepath.Join(t.TempDir(), "copy.db")
	ended, end := context.WithCancel(t.Context())
	end()
	refused(t, db.Backup(ended, path))
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file of a failed copy is there: %v", err)
	}
	must(t, db.Close())
	refused(t, db.Backup(t.Context(), path), "closed")
}

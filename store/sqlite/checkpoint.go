package sqlite

import "os"

// The sizes of the write-ahead log at which it is moved into the file: when
// nobody waits, and when it must not grow further although somebody does.
const (
	idleWAL = 16 << 20 // bytes, some four thousand pages
	fullWAL = 128 << 20
)

// tidy makes a checkpoint when it is time for one.
func (w *writer) tidy() {
	info, err := os.Stat(w.wal)
	if err != nil {
		return // there is no log yet
	}
	limit := int64(fullWAL)
	if len(w.queue) == 0 {
		limit = idleWAL
	}
	// A log that a slow reader keeps from being cut is not tried at every
	// commit, but when it has grown as much again.
	if info.Size() < w.keptWAL+limit {
		return
	}
	w.checkpoint()
	w.keptWAL = 0
	if info, err := os.Stat(w.wal); err == nil {
		w.keptWAL = info.Size()
	}
}

// checkpoint moves the log into the file and cuts it. It waits for readers as
// long as the connection's busy_timeout, which is short, and does without
// them then. A disk that fails here breaks the writer: the log still has
// everything, and a second try could lose it.
func (w *writer) checkpoint() {
	if w.broken.Load() != nil {
		return
	}
	// Its row says whether somebody was in the way, which does not matter here.
	w.breakOn(w.exec(checkpoint))
}

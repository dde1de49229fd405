package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"epro/study"
)

// batchSize is the most requests in one transaction.
const batchSize = 512

// writer owns the connection that writes.
type writer struct {
	tx      *tx
	wal     string // the name of the write-ahead log
	busy    time.Duration
	queue   chan *request
	stopped chan struct{}

	// mu guards closed and the closing of queue: whoever sends holds it for
	// reading, so that nobody sends on a closed channel.
	mu     sync.RWMutex
	closed bool

	// broken is set when the disk failed under a commit or a checkpoint. A
	// second fsync may then report success for data that the kernel dropped,
	// so nothing is written until the program starts again and recovers.
	broken atomic.Pointer[study.Error]

	fault   func(statement string) error
	keptWAL int64        // bytes that the last checkpoint left
	commits atomic.Int64 // counted for tests

	closeErr error // set before stopped is closed
}

// request is one caller's work. It is waiting, taken by the writer, or given
// up by its caller; who changes the state first decides.
type request struct {
	run   func(*tx) error
	err   error
	done  chan struct{}
	taken atomic.Bool
}

func newWriter(conn *sql.Conn, wal string, o options) *writer {
	w := &writer{
		tx:  &tx{conn: conn, stmts: map[string]*sql.Stmt{}},
		wal: wal, busy: o.busy, fault: o.fault,
		queue: make(chan *request, batchSize), stopped: make(chan struct{}),
	}
	go w.loop()
	return w
}

// do has run called in a transaction, in a savepoint of its own, and returns
// when that is durable. run is called by the writer's goroutine, possibly
// after do has returned: it must not touch what belongs to the caller.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	r := &request{run: run, done: make(chan struct{})}
	if err := w.send(ctx, r); err != nil {
		return err
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return unavailable(ctx.Err()) // the writer will skip it
		}
		return unavailable(fmt.Errorf("whether it was written is unknown: %w", ctx.Err()))
	}
}

func (w *writer) send(ctx context.Context, r *request) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	if broken := w.broken.Load(); broken != nil {
		return broken
	}
	select {
	case w.queue <- r:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// stop lets the queue run empty and moves the log into the file. It gives
// back the error that broke the writer, if one did; then its connection stays
// open, see DB.shut.
func (w *writer) stop() error {
	w.mu.Lock()
	w.closed = true
	close(w.queue)
	w.mu.Unlock()
	<-w.stopped
	if broken := w.broken.Load(); broken != nil {
		return broken
	}
	return w.closeErr
}

func (w *writer) isClosed() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.closed
}

func (w *writer) loop() {
	defer close(w.stopped)
	for first := range w.queue {
		w.serve(first)
		w.tidy()
	}
	w.checkpoint()
	if w.broken.Load() == nil {
		w.closeErr = w.tx.close()
	}
}

// serve writes one batch. The transaction begins before the batch is taken,
// so that whoever comes while another process holds the lock comes along.
func (w *writer) serve(first *request) {
	err := w.begin()
	batch := w.take(first)
	if err == nil {
		err = w.write(batch)
	}
	if err != nil {
		// Nothing of this batch is known to be stored. That holds for its
		// duplicates too: what they collided with may be gone.
		err = unavailable(err)
	}
	for _, r := range batch {
		if err != nil {
			r.err = err
		}
		close(r.done)
	}
}

// take gathers the waiting requests whose callers still wait.
func (w *writer) take(first *request) []*request {
	batch := make([]*request, 0, len(w.queue)+1)
	add := func(r *request) {
		if r.taken.CompareAndSwap(false, true) {
			batch = append(batch, r)
		}
	}
	add(first)
	for len(batch) < batchSize {
		select {
		case r, open := <-w.queue:
			if !open {
				return batch
			}
			add(r)
		default:
			return batch
		}
	}
	return batch
}

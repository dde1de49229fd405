package export

import (
	"fmt"
	"sync/atomic"
)

// ahead is how many records a dataset may lie behind the reading of the study.
const ahead = 8

// line does one thing after the other, in the order in which they are sent,
// beside whoever sends them. After the first failure it does nothing more.
type line struct {
	todo chan func() error
	done chan struct{}
	err  error // to be read once done is closed
	down atomic.Bool
}

func newLine() *line {
	l := &line{todo: make(chan func() error, ahead), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for do := range l.todo {
			if l.err != nil {
				continue
			}
			if l.err = guarded(do); l.err != nil {
				l.down.Store(true)
			}
		}
	}()
	return l
}

// send has the line do something, and waits while it lies too far behind. It
// reports false when the line has failed already.
func (l *line) send(do func() error) bool {
	if l.down.Load() {
		return false
	}
	l.todo <- do
	return true
}

// end waits until all is done, and is the first failure.
func (l *line) end() error {
	close(l.todo)
	<-l.done
	return l.err
}

// guarded turns a panic into an error: in a goroutine of its own it would end
// the program, and with it what others are doing.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("export stopped: %v", p)
		}
	}()
	return do()
}

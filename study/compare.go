package study

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// noTime asks a store for everything, whenever it was recorded.
var noTime time.Time

// Comparison is what became of a store since a checkpoint.
type Comparison struct {
	Old         Checkpoint
	Same        int // streams that end where they ended
	Grown       int // streams that were continued
	New         int // streams that the checkpoint does not know
	Newest      time.Time
	Differences []Fault
	rewritten   int
}

// LooksOlder reports whether the differences are those of an older copy of the
// same store, put back: the newest things are missing, and nothing else is there
// instead.
func (c Comparison) LooksOlder() bool {
	return len(c.Differences) > 0 && c.Grown+c.New+c.rewritten == 0 && InstantOf(c.Newest) < c.Old.Newest
}

// EntryAt finds the entry of a stream at a sequence, or ErrNotFound.
type EntryAt func(StreamID, uint64) (Entry, error)

// CompareCheckpoint finds what a checkpoint has and the store does not have any
// more: streams that are gone, ends that were cut off, and entries that differ.
// Growth is no difference. Both lists of heads are read side by side, in memory
// that does not grow with them. The signature stands at the end and is checked
// last; a checkpoint that is not to be believed gives an error and no findings.
func CompareCheckpoint(old io.Reader, check SignatureCheck, now iter.Seq2[Head, error], at EntryAt) (Comparison, error) {
	text, err := readTop(old)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{}
	next, stop := iter.Pull2(now)
	defer stop()
	present, err, more := next()
	step := func() {
		if present.At.After(c.Newest) {
			c.Newest = present.At
		}
		present, err, more = next()
	}
	for was, readErr := range text.heads() {
		if readErr != nil {
			return Comparison{}, readErr
		}
		for more && err == nil && present.Stream < was.Stream {
			c.New++
			step()
		}
		if err != nil {
			return Comparison{}, err
		}
		if !more || present.Stream != was.Stream {
			c.differs(was.Stream, was.Seq, "the stream is gone; at the checkpoint it ended here")
			continue
		}
		if err := c.look(was, present, at); err != nil {
			return Comparison{}, err
		}
		step()
	}
	for more && err == nil {
		c.New++
		step()
	}
	if err == nil {
		err = text.readBottom(check)
	}
	if err != nil {
		return Comparison{}, err
	}
	c.Old = text.held
	return c, nil
}

// look compares one stream's end with what it was.
func (c *Comparison) look(was, present Head, at EntryAt) error {
	if present.Seq < was.Seq {
		c.differs(was.Stream, was.Seq, fmt.Sprintf("the end is cut off: the stream now ends at seq %d", present.Seq))
		return nil
	}
	found := present.Hash
	if present.Seq > was.Seq {
		n, err := at(was.Stream, was.Seq)
		switch {
		case errors.Is(err, ErrNotFound):
			c.rewritten++
			c.differs(was.Stream, was.Seq, "the entry is missing, though later ones are there")
			return nil
		case err != nil:
			return err
		}
		found = n.Hash
	}
	switch {
	case found != was.Hash:
		c.rewritten++
		c.differs(was.Stream, was.Seq, "another entry stands here than at the checkpoint: the record was written anew")
	case present.Seq > was.Seq:
		c.Grown++
	default:
		c.Same++
	}
	return nil
}

func (c *Comparison) differs(stream StreamID, seq uint64, what string) {
	c.Differences = append(c.Differences, Fault{Stream: stream, Seq: seq, What: what})
}

// CompareCheckpoint compares the store with a checkpoint of this study.
func (s *Service) CompareCheckpoint(ctx context.Context, old io.Reader, check SignatureCheck) (Comparison, error) {
	c, err := CompareCheckpoint(old, check, s.store.Heads(ctx, noTime), func(id StreamID, seq uint64) (Entry, error) {
		return entryAt(ctx, s.store, id, seq)
	})
	if err != nil {
		return Comparison{}, err
	}
	var fault *Fault
	st, err := s.loadStudy(ctx)
	switch {
	case errors.As(err, &fault): // the study's own stream is damaged, which is a finding of Verify
		return c, nil
	case err != nil:
		return Comparison{}, err
	case st.name() != "" && st.name() != c.Old.Study:
		return Comparison{}, Fail(Invalid, fmt.Sprintf("The checkpoint is of study %q, and the store holds study %q.", c.Old.Study, st.name()))
	}
	return c, nil
}

// entryAt is the one entry of a stream at a sequence.
func entryAt(ctx context.Context, store Store, id StreamID, seq uint64) (Entry, error) {
	entries, err := store.Stream(ctx, id, seq-1)
	if err != nil {
		return Entry{}, err
	}
	if len(entries) == 0 || entries[0].Seq != seq {
		return Entry{}, ErrNotFound
	}
	return entries[0], nil
}

// name is the study's identifier; empty before a protocol is in force.
func (st *Study) name() string {
	if current := st.History.Current(); current != nil {
		return current.Study
	}
	return ""
}

package study

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"

	"github.com/go-json-experiment/json"
)

// chain checks that entries come as a sound log has them: by stream, each
// stream from its first entry on without a gap, every hash and copied field
// right. It needs the memory of one entry.
type chain struct {
	stream  StreamID
	tip     Tip
	streams int
	entries int
}

// next checks the entry behind the last one.
func (c *chain) next(n Entry) error {
	tip := c.tip
	switch {
	case n.Stream < c.stream:
		return n.fault("stands behind " + string(c.stream) + ", out of order")
	case n.Stream != c.stream:
		tip = Tip{}
	}
	if !n.Canonical() {
		return n.fault("the stored bytes are not in canonical form")
	}
	if _, _, err := tip.follow(n); err != nil {
		return err
	}
	if n.Stream != c.stream {
		c.streams++
	}
	c.stream, c.tip = n.Stream, tip
	c.entries++
	return nil
}

// entryOf makes the entry of an event's canonical bytes; chain.next checks it.
func entryOf(canonical []byte) (Entry, error) {
	var e Event
	if err := json.Unmarshal(canonical, &e, json.RejectUnknownMembers(true)); err != nil {
		return Entry{}, fmt.Errorf("it is no event: %w", err)
	}
	return Entry{Stream: e.Stream, Seq: e.Seq, ID: e.ID, At: e.At.Time(), Actor: e.Actor, Type: e.Type,
		Hash: sha256.Sum256(canonical), Bytes: canonical}, nil
}

// walk checks the whole log of a store and calls f with every entry.
func walk(ctx context.Context, store Store, f func(Entry) error) (*chain, error) {
	c := &chain{}
	for n, err := range store.Entries(ctx, "") {
		if err == nil {
			err = c.next(n)
		}
		if err == nil && f != nil {
			err = f(n)
		}
		if err != nil {
			return c, damagedLog(err)
		}
	}
	return c, nil
}

// damagedLog tells a person what to do about a fault of the log.
func damagedLog(err error) error {
	var fault *Fault
	if !errors.As(err, &fault) {
		return err
	}
	return &Error{Code: Unavailable, Message: "The record is damaged, so it was not passed on. Run epro verify on the store that it came from; " +
		"the last sound backup and checkpoint show what it was.", Err: fault}
}

// headsOf are the ends of all streams, side by side with another reading of
// streams in the same order.
type headsOf struct {
	next func() (Head, error, bool)
	stop func()
	head Head
	more bool
}

func startHeads(heads iter.Seq2[Head, error]) (*headsOf, error) {
	next, stop := iter.Pull2(heads)
	h := &headsOf{next: next, stop: stop}
	return h, h.step()
}

func (h *headsOf) step() (err error) {
	h.head, err, h.more = h.next()
	return err
}

// of is the end of this stream, or of none; streams must be asked in order.
func (h *headsOf) of(id StreamID) (Head, error) {
	for h.more && h.head.Stream < id {
		if err := h.step(); err != nil {
			return Head{}, err
		}
	}
	if !h.more || h.head.Stream != id {
		return Head{}, nil
	}
	return h.head, nil
}

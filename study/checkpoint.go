package study

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
)

// Checkpoint says where every stream ended at an instant, so that a later look
// can tell growth from loss. A chain of hashes shows what was changed inside a
// stream; that its end was cut off, that a whole stream is gone, or that all of
// it was written anew shows only against a checkpoint kept somewhere else.
//
// Its text form is, line by line, a heading, the study, the instant, one line
// "SEQ HASH STREAM" for each stream in bytewise order, the counts, the root
// (SHA-256 over all lines before it) and the signature of the root. The same
// heads at the same instant give the same text.
type Checkpoint struct {
	Study     string
	At        Instant
	Streams   int
	Events    uint64
	Newest    Instant // of all events
	Root      Hash
	Signature Signature
}

// Signature vouches for the root of a checkpoint. Key is the public key, for
// people; who checks a signature decides which key to believe.
type Signature struct{ Key, Sum []byte }

// Signer signs a statement.
type Signer func(statement []byte) (Signature, error)

// SignatureCheck is an error unless the signature of a statement is to be
// believed.
type SignatureCheck func(statement []byte, s Signature) error

const checkpointHeading = "epro checkpoint 1\n"

// statement is what is signed. It begins with the heading, so that the
// signature means nothing anywhere else.
func (c Checkpoint) statement() []byte {
	return []byte(checkpointHeading + "root " + c.Root.String() + "\n")
}

// top and the rest of these are the parts of the text form.
func (c Checkpoint) top() string {
	return checkpointHeading + "study " + c.Study + "\nat " + c.At.String() + "\n"
}

func headLine(h Head) string {
	return fmt.Sprintf("%d %s %s\n", h.Seq, h.Hash, h.Stream)
}

func (c Checkpoint) counts() string {
	return fmt.Sprintf("streams %d\nevents %d\nnewest %s\n", c.Streams, c.Events, c.Newest)
}

func (c Checkpoint) bottom() string {
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("root %s\nkey %s\nsignature %s\n", c.Root, text(c.Signature.Key), text(c.Signature.Sum))
}

// WriteCheckpoint writes a checkpoint of the heads, which come in bytewise
// order of their streams. Memory does not grow with their number. Study and At
// are taken from c; the rest is filled in.
func WriteCheckpoint(w io.Writer, c Checkpoint, heads iter.Seq2[Head, error], sign Signer) (Checkpoint, error) {
	sum := sha256.New()
	buffer := bufio.NewWriter(w)
	summed := io.MultiWriter(buffer, sum)
	if c.At.IsZero() || strings.Contains(c.Study, "\n") {
		return c, errors.New("a checkpoint needs an instant, and a study without line feeds")
	}
	if _, err := io.WriteString(summed, c.top()); err != nil {
		return c, err
	}
	c.Streams, c.Events, c.Newest = 0, 0, 0
	var last StreamID
	for h, err := range heads {
		if err != nil {
			return c, err
		}
		if h.Stream <= last || h.Seq == 0 || strings.Contains(string(h.Stream), "\n") {
			return c, &Fault{Stream: h.Stream, Seq: h.Seq, What: "is no place that a checkpoint can name"}
		}
		if _, err := io.WriteString(summed, headLine(h)); err != nil {
			return c, err
		}
		last = h.Stream
		c.Streams++
		c.Events += h.Seq
		c.Newest = max(c.Newest, InstantOf(h.At))
	}
	if _, err := io.WriteString(summed, c.counts()); err != nil {
		return c, err
	}
	sum.Sum(c.Root[:0])
	var err error
	if c.Signature, err = sign(c.statement()); err != nil {
		return c, err
	}
	if _, err := buffer.WriteString(c.bottom()); err != nil {
		return c, err
	}
	return c, buffer.Flush()
}

// errNoCheckpoint is what a damaged or foreign file is.
func errNoCheckpoint(what string, err error) error {
	return &Error{Code: Invalid, Message: "The checkpoint cannot be used: " + what + ".", Err: err}
}

// checkpointText reads a checkpoint's text once, from top to bottom.
type checkpointText struct {
	lines lines
	sum   hash.Hash
	held  Checkpoint
	line  []byte // the one that heads stopped at
}

// readTop reads what stands before the heads.
func readTop(r io.Reader) (*checkpointText, error) {
	t := &checkpointText{lines: newLines(r), sum: sha256.New()}
	heading, err := t.lines.next()
	if err != nil || string(heading)+"\n" != checkpointHeading {
		return nil, errNoCheckpoint("it does not begin with “"+strings.TrimSpace(checkpointHeading)+"”", err)
	}
	var parts [2]string
	for i, name := range []string{"study ", "at "} {
		line, err := t.lines.next()
		value, found := bytes.CutPrefix(line, []byte(name))
		if err != nil || !found {
			return nil, errNoCheckpoint("it has no line “"+strings.TrimSpace(name)+"” where one belongs", err)
		}
		parts[i] = string(value)
	}
	t.held.Study = parts[0]
	err = t.held.At.UnmarshalText([]byte(parts[1]))
	if err != nil || t.held.At.IsZero() || t.held.At.String() != parts[1] {
		return nil, errNoCheckpoint("its instant is not in its one form", err)
	}
	_, _ = io.WriteString(t.sum, t.held.top()) // a hash never fails
	return t, nil
}

// heads yields the ends of the streams as they were, up to the counts.
func (t *checkpointText) heads() iter.Seq2[Head, error] {
	return func(yield func(Head, error) bool) {
		var last StreamID
		for {
			line, err := t.lines.next()
			if err != nil {
				yield(Head{}, errNoCheckpoint("it was cut short", err))
				return
			}
			if t.line = line; len(line) == 0 || line[0] < '0' || line[0] > '9' {
				return
			}
			h, err := parseHead(line)
			if err == nil && h.Stream <= last {
				err = fmt.Errorf("%s stands behind %s", h.Stream, last)
			}
			if err != nil {
				yield(Head{}, errNoCheckpoint("a line of it is damaged", err))
				return
			}
			last = h.Stream
			t.held.Streams++
			t.held.Events += h.Seq
			_, _ = t.sum.Write(append(line, '\n')) // a hash never fails
			if !yield(h, nil) {
				return
			}
		}
	}
}

func parseHead(line []byte) (h Head, err error) {
	seq, rest, _ := bytes.Cut(line, []byte(" "))
	sum, stream, _ := bytes.Cut(rest, []byte(" "))
	if _, err := fmt.Sscanf(string(seq), "%d", &h.Seq); err != nil {
		return h, err
	}
	if err := h.Hash.UnmarshalText(sum); err != nil {
		return h, err
	}
	h.Stream = StreamID(stream)
	if h.Seq == 0 || h.Stream == "" || headLine(h) != string(line)+"\n" {
		return h, errors.New("it is not in its one form")
	}
	return h, nil
}

// readBottom reads the counts and the signature, which must be the end.
func (t *checkpointText) readBottom(check SignatureCheck) error {
	var values [6]string
	line, err := t.line, error(nil)
	for i, name := range []string{"streams ", "events ", "newest ", "root ", "key ", "signature "} {
		if i > 0 {
			line, err = t.lines.next()
		}
		value, found := bytes.CutPrefix(line, []byte(name))
		if err != nil || !found {
			return errNoCheckpoint("it has no line “"+strings.TrimSpace(name)+"” where one belongs", err)
		}
		values[i] = string(value)
	}
	err = t.held.Newest.UnmarshalText([]byte(values[2]))
	if err != nil || t.held.counts() != "streams "+values[0]+"\nevents "+values[1]+"\nnewest "+values[2]+"\n" {
		return errNoCheckpoint("its counts are not those of its lines", err)
	}
	_, _ = io.WriteString(t.sum, t.held.counts()) // a hash never fails
	t.sum.Sum(t.held.Root[:0])
	var errKey, errSum error
	t.held.Signature.Key, errKey = base64.StdEncoding.Strict().DecodeString(values[4])
	t.held.Signature.Sum, errSum = base64.StdEncoding.Strict().DecodeString(values[5])
	if err := errors.Join(errKey, errSum); err != nil {
		return errNoCheckpoint("its key or signature is damaged", err)
	}
	if t.held.bottom() != "root "+values[3]+"\nkey "+values[4]+"\nsignature "+values[5]+"\n" {
		return errNoCheckpoint("its root is not that of its lines", nil)
	}
	if _, err := t.lines.next(); !errors.Is(err, io.EOF) {
		return errNoCheckpoint("something stands behind its end", nil)
	}
	return check(t.held.statement(), t.held.Signature)
}

// WriteCheckpoint writes a checkpoint of the store as it is now. Entries that
// arrive meanwhile may or may not be in it.
func (s *Service) WriteCheckpoint(ctx context.Context, w io.Writer, sign Signer) (Checkpoint, error) {
	st, err := s.loadStudy(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	return WriteCheckpoint(w, Checkpoint{Study: st.name(), At: InstantOf(s.now())}, s.store.Heads(ctx, noTime), sign)
}

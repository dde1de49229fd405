package study

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Hash is a SHA-256 sum. The zero value stands before the first event.
type Hash [sha256.Size]byte

// String is the sum in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is String; the zero value is empty.
func (h Hash) MarshalText() ([]byte, error) {
	if h == (Hash{}) {
		return nil, nil
	}
	return []byte(h.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*h = Hash{}
		return nil
	}
	if len(b) != 2*len(h) {
		return fmt.Errorf("a hash has %d hexadecimal digits, not %d", 2*len(h), len(b))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// Event is one entry of a record: who did what, when and why. Payload is one
// of the types in payloads.go, by Type; V is the version of that type.
type Event struct {
	V       int            `json:"v"`
	Stream  StreamID       `json:"stream"`
	Seq     uint64         `json:"seq"`
	ID      EventID        `json:"event_id"`
	At      Instant        `json:"at"`
	Actor   ActorRef       `json:"actor"`
	Type    EventType      `json:"type"`
	Payload jsontext.Value `json:"payload"`
	Reason  string         `json:"reason"`
	Prev    Hash           `json:"prev"`
	// Signature is the meaning under which the actor signed, giving the password
	// again; absent where nothing was signed.
	Signature Meaning `json:"signature,omitzero"`
}

// Entry is an Event as a store keeps it: its canonical bytes (RFC 8785), their
// SHA-256, and the copies of the fields that a store indexes or shows. The
// bytes are the truth; Open compares everything with them.
type Entry struct {
	Stream StreamID
	Seq    uint64
	ID     EventID
	At     time.Time
	Actor  ActorRef
	Type   EventType
	Hash   Hash
	Bytes  []byte
}

// Seal turns an event into the entry that is stored.
func Seal(e Event) (Entry, error) { return seal(e, e.Payload) }

// seal is Seal for a payload that was not encoded yet, in one pass.
func seal(e Event, payload any) (Entry, error) {
	raw, err := json.Marshal(struct {
		V       int       `json:"v"`
		Stream  StreamID  `json:"stream"`
		Seq     uint64    `json:"seq"`
		ID      EventID   `json:"event_id"`
		At      Instant   `json:"at"`
		Actor   ActorRef  `json:"actor"`
		Type    EventType `json:"type"`
		Payload any       `json:"payload"`
		Reason  string    `json:"reason"`
		Prev    Hash      `json:"prev"`
		Signed  Meaning   `json:"signature,omitzero"`
	}{e.V, e.Stream, e.Seq, e.ID, e.At, e.Actor, e.Type, payload, e.Reason, e.Prev, e.Signature})
	if err != nil {
		return Entry{}, fmt.Errorf("encode event %s/%d: %w", e.Stream, e.Seq, err)
	}
	canonical := jsontext.Value(raw)
	if err := canonical.Canonicalize(); err != nil {
		return Entry{}, fmt.Errorf("canonical form of event %s/%d: %w", e.Stream, e.Seq, err)
	}
	return Entry{
		Stream: e.Stream, Seq: e.Seq, ID: e.ID, At: e.At.Time(), Actor: e.Actor, Type: e.Type,
		Hash: sha256.Sum256(canonical), Bytes: canonical,
	}, nil
}

// Open gives back the event, after checking that the bytes have the entry's
// hash and say the same as every copied field. Verify checks their form too.
func (n Entry) Open() (Event, error) {
	if sha256.Sum256(n.Bytes) != n.Hash {
		return Event{}, n.fault("the stored bytes do not have the stored hash")
	}
	var e Event
	if err := json.Unmarshal(n.Bytes, &e, json.RejectUnknownMembers(true)); err != nil {
		return Event{}, n.fault("the stored bytes are no event: " + err.Error())
	}
	copied := e.Stream == n.Stream && e.Seq == n.Seq && e.ID == n.ID &&
		e.At.Time().Equal(n.At) && e.Actor == n.Actor && e.Type == n.Type
	if !copied {
		return Event{}, n.fault("a copied field differs from the stored bytes")
	}
	return e, nil
}

// Canonical reports whether the bytes are in the one form that RFC 8785 gives.
func (n Entry) Canonical() bool {
	v := jsontext.Value(bytes.Clone(n.Bytes))
	return v.Canonicalize() == nil && bytes.Equal(v, n.Bytes)
}

func (n Entry) fault(what string) error {
	return &Fault{Stream: n.Stream, Seq: n.Seq, What: what}
}

// Fault is something wrong with the stored log, at a place.
type Fault struct {
	Stream StreamID
	Seq    uint64
	What   string
}

// Error names the stream, the sequence and what is wrong.
func (f *Fault) Error() string { return fmt.Sprintf("%s seq %d: %s", f.Stream, f.Seq, f.What) }

// Instant is a point in time in UTC to the millisecond; its text form has
// exactly three decimals, so that equal instants have equal bytes.
type Instant int64

const instantLayout = "2006-01-02T15:04:05.000Z"

// InstantOf cuts t to the millisecond. The zero time is the zero Instant.
func InstantOf(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// Time is the instant in UTC; the zero time for the zero Instant.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

// IsZero reports whether there is no instant.
func (i Instant) IsZero() bool { return i == 0 }

// String is RFC 3339 in UTC with milliseconds; empty for no instant.
func (i Instant) String() string {
	if i == 0 {
		return ""
	}
	return i.Time().Format(instantLayout)
}

// MarshalText is String.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads any RFC 3339 instant and cuts it to the millisecond.
func (i *Instant) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*i = 0
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return fmt.Errorf("%.40q is not an instant; write it as 2026-03-17T09:21:14.000Z", b)
	}
	*i = InstantOf(t)
	return nil
}
